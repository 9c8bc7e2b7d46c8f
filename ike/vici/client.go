package vici

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Errors of [Client].
var (
	// ErrUnknownCommand: the server does not have the command.
	ErrUnknownCommand = errors.New("vici: the daemon does not know the command")
	// ErrUnknownEvent: the server does not have the event.
	ErrUnknownEvent = errors.New("vici: the daemon does not know the event")
)

// CommandError is a response with success=no.
type CommandError struct {
	Command string
	// Message is the response's errmsg, which for failures of the daemon names both sides and the fix.
	Message string
	// Response is the whole response.
	Response *Message
}

// Error implements error.
func (e *CommandError) Error() string {
	if e.Message == "" {
		return e.Command + " failed"
	}
	return e.Message
}

// Client is a connection to a daemon. One call runs at a time; others wait for it. A call that is abandoned because its
// context ended closes the connection, as the protocol cannot tell whose answer comes next.
type Client struct {
	mu   sync.Mutex
	conn net.Conn
	r    *bufio.Reader
}

// DialContext connects to the daemon's socket at path.
func DialContext(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("vici: cannot reach the daemon at %s: %w", path, err)
	}
	return NewClient(c), nil
}

// NewClient returns a client on a connection that exists. It owns c.
func NewClient(c net.Conn) *Client { return &Client{conn: c, r: bufio.NewReader(c)} }

// Close ends the connection. A call under way fails.
func (c *Client) Close() error { return c.conn.Close() }

// Call sends a command and returns its response. A response with success=no is returned together with a *CommandError. A
// nil request is an empty one.
func (c *Client) Call(ctx context.Context, command string, request *Message) (*Message, error) {
	return c.Stream(ctx, command, "", request, nil)
}

// Stream sends a command and calls yield for each of its events until the response comes, which it returns as [Call]
// does. If yield fails, the call is abandoned, which closes the connection.
func (c *Client) Stream(ctx context.Context, command, event string, request *Message, yield func(*Message) error) (*Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var response *Message
	err := c.do(ctx, func() error {
		if event != "" {
			if err := c.register(EventRegister, event, nil); err != nil {
				return err
			}
		}
		if request == nil {
			request = new(Message)
		}
		if err := WritePacket(c.conn, Packet{Type: CmdRequest, Name: command, Message: request}); err != nil {
			return err
		}
		var err error
		if response, err = c.response(command, event, yield); err != nil && !errors.Is(err, ErrUnknownCommand) {
			return err
		}
		if event != "" {
			return errors.Join(err, c.register(EventUnregister, event, nil))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if ok := response.Get("success"); ok == "no" {
		return response, &CommandError{Command: command, Message: response.Get("errmsg"), Response: response}
	}
	return response, nil
}

// response reads until the response to command.
func (c *Client) response(command, event string, yield func(*Message) error) (*Message, error) {
	for {
		p, err := ReadPacket(c.r)
		if err != nil {
			return nil, err
		}
		switch p.Type {
		case CmdResponse:
			return p.Message, nil
		case CmdUnknown:
			return nil, fmt.Errorf("%w %q", ErrUnknownCommand, command)
		case Event:
			if p.Name == event && yield != nil {
				if err := yield(p.Message); err != nil {
					return nil, err
				}
			}
		default:
			return nil, fmt.Errorf("vici: %s instead of an answer to %s", p.Type, command)
		}
	}
}

// register registers for an event or unregisters. Events that come before the answer go to yield, or nowhere if it is
// nil.
func (c *Client) register(t PacketType, event string, yield func(event string, m *Message) error) error {
	if err := WritePacket(c.conn, Packet{Type: t, Name: event}); err != nil {
		return err
	}
	for {
		p, err := ReadPacket(c.r)
		if err != nil {
			return err
		}
		switch p.Type {
		case EventConfirm:
			return nil
		case EventUnknown:
			return fmt.Errorf("%w %q", ErrUnknownEvent, event)
		case Event:
			if yield != nil {
				if err := yield(p.Name, p.Message); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("vici: %s instead of an answer to %s", p.Type, t)
		}
	}
}

// Listen registers for events and calls yield for each that comes, until ctx ends or yield or the connection fails. ready, if it is
// not nil, is called when it has registered for all: no event from then on is missed. It returns nil when ctx has ended. The
// connection is closed afterwards.
func (c *Client) Listen(ctx context.Context, events []string, ready func(), yield func(event string, m *Message) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.conn.Close()
	err := c.do(ctx, func() error {
		for _, e := range events {
			if err := c.register(EventRegister, e, yield); err != nil {
				return err
			}
		}
		if ready != nil {
			ready()
		}
		for {
			p, err := ReadPacket(c.r)
			if err != nil {
				return err
			}
			if p.Type != Event {
				return fmt.Errorf("vici: %s instead of an event", p.Type)
			}
			if err := yield(p.Name, p.Message); err != nil {
				return err
			}
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// do runs f, which uses the connection, and breaks it off when ctx ends. After an error that leaves the stream in an
// unknown state the connection is closed.
func (c *Client) do(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	err := f()
	if !stop() || err != nil && !errors.Is(err, ErrUnknownCommand) && !errors.Is(err, ErrUnknownEvent) {
		c.conn.Close()
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
	}
	return err
}

// Status asks for the status of all connections, or of the one that is named.
func (c *Client) Status(ctx context.Context, connection string) (Status, error) {
	var st Status
	req := new(Message).SetNonEmpty("connection", connection)
	m, err := c.Stream(ctx, CmdStatus, EventStatusConn, req, func(m *Message) error {
		conn, err := parseConnStatus(m)
		// One with very many children or peers comes in several events.
		if n := len(st.Connections); n > 0 && st.Connections[n-1].Name == conn.Name {
			st.Connections[n-1].add(conn)
			return err
		}
		st.Connections = append(st.Connections, conn)
		return err
	})
	if err != nil {
		return Status{}, err
	}
	st.Gateway, err = parseGatewayStatus(m)
	return st, err
}

// ControlLog reads an event of a command under way.
func ControlLog(m *Message) (level int, group, msg string) {
	n, err := m.Int("level", 1, -1, 4)
	if err != nil {
		n = 1
	}
	return int(n), m.Get("group"), m.Get("msg")
}
