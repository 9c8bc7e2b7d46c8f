package tunnel

import (
	"crypto/tls"
	"errors"
	"io"
	"iter"
	"net"
	"sync"
	"time"
)

const (
	// MaxPlain bounds what a peer may have decrypted out of one message: it is not more than the message.
	MaxPlain = MaxMessage
	// keyMaterial is how many octets of key material the methods derive; the first 64 are the MSK.
	keyMaterial = 128
	// MSKLen is the length of an MSK.
	MSKLen = 64
)

// ErrClosed is what a connection says that was closed, and ErrEarly whoever uses one before the handshake is over.
var (
	ErrClosed = errors.New("the TLS connection was closed")
	ErrEarly  = errors.New("the TLS handshake is not over")
	// ErrPlain is data beyond [MaxPlain].
	ErrPlain = errors.New("more data in a TLS message than is accepted")
	// ErrNoEMS is a handshake of TLS 1.2 without the extended master secret and without ECDHE: its keys might not belong to one connection
	// alone (RFC 7627).
	ErrNoEMS = errors.New("TLS 1.2 without the extended master secret (RFC 7627) and ECDHE, so that no keys can be derived")
)

// Conn is one side of a TLS connection. [Conn.Feed], [Conn.Write] and what asks for its state are for one goroutine at a time; [Conn.Close]
// may be called by any, at any time.
type Conn struct {
	tls  *tls.Conn
	pipe pipe
	step func() (struct{}, bool)
	stop func()

	now         time.Time // of the Feed that runs: for the verdict about the peer
	established bool
	ended       bool  // the peer has said close_notify
	err         error // of the handshake, or of what came after it; nothing works any more
	costs       costs
	secrets     secrets // of TLS 1.2
	server      bool
	flight      []byte // what a server has said first, until its hello is whole

	mu      sync.Mutex
	running bool
	closed  bool
}

// newConn makes a connection of what makes one out of a net.Conn.
func newConn(make func(net.Conn) *tls.Conn) *Conn {
	c := &Conn{}
	c.tls = make(&c.pipe)
	c.step, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.pipe.yield = yield
		err := c.tls.Handshake()
		c.pipe.yield = nil
		c.err = err
		c.established = err == nil
	})
	return c
}

// Feed gives bytes of the peer to TLS, and takes what it has to say: out is for the peer, and plain is what the peer has sent within
// the tunnel. A client begins with nothing. After an error out may still have an alert for the peer, and the connection is dead.
func (c *Conn) Feed(now time.Time, in []byte) (out, plain []byte, err error) {
	if !c.enter() {
		return nil, nil, ErrClosed
	}
	defer c.leave()
	if c.err != nil {
		return nil, nil, c.err
	}
	c.now = now
	c.pipe.in = append(c.pipe.in, in...)
	if !c.established {
		c.costs.begun = true
		if !c.server {
			c.hear(in)
		}
		c.step()
		if c.server {
			c.hear(c.pipe.out)
		}
		if c.err == nil && c.established && c.tls.ConnectionState().Version < tls.VersionTLS13 {
			c.err = c.exportable()
		}
	}
	if c.established && c.err == nil {
		plain, c.err = c.read()
	}
	return c.pipe.take(), plain, c.err
}

// exportable reports whether keys can be derived.
func (c *Conn) exportable() error {
	if _, err := c.export("client EAP encryption", nil, keyMaterial); err != nil {
		return ErrNoEMS
	}
	return nil
}

// hear keeps the random of the ServerHello, with which what a server says begins.
func (c *Conn) hear(b []byte) {
	if c.secrets.serverRandom != nil || len(c.flight) > MaxMessage {
		return
	}
	c.flight = append(c.flight, b...)
	if c.secrets.hear(c.flight); c.secrets.serverRandom != nil {
		c.flight = nil
	}
}

// export is [Conn.Export] once the handshake is over.
func (c *Conn) export(label string, context []byte, n int) ([]byte, error) {
	state := c.tls.ConnectionState()
	keys, err := state.ExportKeyingMaterial(label, context, n)
	if err != nil && context == nil {
		if own, ok := c.secrets.export(state, label, n); ok {
			return own, nil
		}
	}
	return keys, err
}

// read takes all that the peer has sent in the tunnel.
func (c *Conn) read() (plain []byte, err error) {
	buf := make([]byte, 2048)
	for {
		n, err := c.tls.Read(buf)
		plain = append(plain, buf[:n]...)
		var blocked wouldBlock
		switch {
		case len(plain) > MaxPlain:
			return nil, ErrPlain
		case errors.As(err, &blocked):
			return plain, nil
		case errors.Is(err, io.EOF):
			c.ended = true
			return plain, nil
		case err != nil:
			return nil, err
		}
	}
}

// Write encrypts what is for the peer. The handshake must be over.
func (c *Conn) Write(plain []byte) (out []byte, err error) {
	if !c.enter() {
		return nil, ErrClosed
	}
	defer c.leave()
	switch {
	case c.err != nil:
		return nil, c.err
	case !c.established:
		return nil, ErrEarly
	}
	if _, err := c.tls.Write(plain); err != nil {
		c.err = err
		return nil, err
	}
	return c.pipe.take(), nil
}

// Established reports whether the handshake is over: the peer has proved that it has its private key, and its certificate was accepted.
func (c *Conn) Established() bool { return c.established && c.err == nil }

// Ended reports whether the peer has said that nothing follows (close_notify).
func (c *Conn) Ended() bool { return c.ended }

// Version is the version of TLS, once the handshake is over: tls.VersionTLS12 or tls.VersionTLS13.
func (c *Conn) Version() uint16 {
	if !c.established {
		return 0
	}
	return c.tls.ConnectionState().Version
}

// Export derives n octets by the exporter of TLS (RFC 5705, RFC 8446 section 7.5).
func (c *Conn) Export(label string, context []byte, n int) ([]byte, error) {
	if !c.Established() {
		return nil, ErrEarly
	}
	return c.export(label, context, n)
}

// Keys are the 128 octets that the methods derive; the first 64 are the MSK. The label is that of the method for TLS 1.2. With TLS 1.3
// all have the same label, with their type as context: https://www.rfc-editor.org/rfc/rfc9190#section-2.3 and RFC 9427.
func (c *Conn) Keys(label string, eapType byte) ([]byte, error) {
	if c.Version() >= tls.VersionTLS13 {
		return c.Export("EXPORTER_EAP_TLS_Key_Material", []byte{eapType}, keyMaterial)
	}
	return c.Export(label, nil, keyMaterial)
}

// Close ends the connection, wherever it is; while a Feed runs in another goroutine, at the end of that. It says nothing to the peer.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if !c.running {
		c.stop()
	}
}

func (c *Conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.running = true
	return true
}

func (c *Conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	if c.closed {
		c.stop()
	}
}

// pipe is the net.Conn below TLS: two buffers.
type pipe struct {
	in, out []byte
	yield   func(struct{}) bool // of the handshake's coroutine; nil once that is over
}

// wouldBlock is what TLS is told when there is nothing to read once the handshake is over. It is temporary, so that TLS goes on with the next
// Read where it was.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "nothing to read yet" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

func (p *pipe) Read(b []byte) (int, error) {
	for len(p.in) == 0 {
		if p.yield == nil {
			return 0, wouldBlock{}
		}
		if !p.yield(struct{}{}) {
			return 0, ErrClosed
		}
	}
	n := copy(b, p.in)
	p.in = p.in[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.out = append(p.out, b...)
	return len(b), nil
}

// take is what TLS has written since the last time.
func (p *pipe) take() []byte {
	out := p.out
	p.out = nil
	return out
}

func (p *pipe) Close() error                     { return nil }
func (p *pipe) LocalAddr() net.Addr              { return nil }
func (p *pipe) RemoteAddr() net.Addr             { return nil }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
