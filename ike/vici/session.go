package vici

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxPending is how many packets of a client wait while one of its commands runs. The protocol has no use for more than
// one; the others find the reader waiting.
const maxPending = 16

// session is one client. Three goroutines: run's own reads packets, worker carries them out in order, writer sends. The
// reader goes on during a command so that it notices when the client goes away, which cancels the command.
type session struct {
	server *Server
	conn   net.Conn
	id     uint64
	log    *slog.Logger
	out    *outbox

	mu     sync.RWMutex
	events map[string]bool

	active   atomic.Int64 // when it last asked for something, in nanoseconds since 1970
	busy     atomic.Bool  // a command is under way
	draining atomic.Bool  // the server stops: what is queued gets drainTime
}

// run serves the client until it or the server ends.
func (ss *session) run(serverCtx context.Context) {
	ctx, cancel := context.WithCancel(serverCtx)
	defer cancel()
	ss.log.Debug("vici: client connected")
	stop := context.AfterFunc(ctx, func() { ss.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	pending := make(chan request, maxPending)
	var worker, writer sync.WaitGroup
	worker.Go(func() { ss.worker(ctx, pending) })
	writer.Go(ss.writer)

	err := ss.reader(ctx, pending)
	close(pending)
	// A client that has gone gets no answer, so its command need not go on. (When the server stops, ctx has ended
	// already.)
	cancel()
	worker.Wait()
	if serverCtx.Err() != nil {
		ss.draining.Store(true)
		ss.conn.SetWriteDeadline(time.Now().Add(drainTime))
	}
	ss.out.close()
	writer.Wait()
	ss.conn.Close()
	ss.server.forget(ss)
	if n := ss.out.droppedCount(); n > 0 {
		ss.log.Warn("vici: the client read too slowly and missed events", "dropped", n)
	}
	ss.log.Debug("vici: client disconnected", "reason", err)
}

// request is a packet of the client, or what was wrong with it.
type request struct {
	packet Packet
	err    error
}

// reader hands the client's packets to the worker. It returns why it ended.
func (ss *session) reader(ctx context.Context, pending chan<- request) error {
	for {
		p, err := ReadPacket(ss.conn)
		var malformed *ParseError
		if err != nil && !errors.As(err, &malformed) {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		select {
		case pending <- request{p, err}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// worker carries out the client's packets one after the other.
func (ss *session) worker(ctx context.Context, pending <-chan request) {
	for r := range pending {
		if ctx.Err() != nil {
			continue // drain, so that the reader is not stuck
		}
		ss.busy.Store(true)
		err := ss.handle(ctx, r)
		ss.active.Store(ss.server.o.Now().UnixNano())
		ss.busy.Store(false)
		if err != nil {
			ss.log.Debug("vici: client dropped", "reason", err)
			ss.conn.SetReadDeadline(time.Unix(1, 0)) // ends the reader, and with it the session
			for range pending {
			}
			return
		}
	}
}

// writer sends what is queued. When the client does not take it in time, the connection ends.
func (ss *session) writer() {
	for {
		ps := ss.out.take()
		if ps == nil {
			return
		}
		for _, p := range ps {
			if err := ss.write(p); err != nil {
				ss.out.close()
				ss.conn.Close() // ends the reader too
				return
			}
		}
	}
}

func (ss *session) write(p []byte) error {
	timeout := ss.server.o.WriteTimeout
	if ss.draining.Load() {
		timeout = drainTime
	}
	ss.conn.SetWriteDeadline(time.Now().Add(timeout))
	_, err := ss.conn.Write(p)
	return err
}

// handle carries out one packet. An error means that the client breaks the protocol, or is gone, and is dropped.
func (ss *session) handle(ctx context.Context, r request) error {
	if r.err != nil {
		// Without a readable name it is not clear what the client waits for: there is no right answer.
		ss.log.Warn("vici: malformed packet", "error", r.err)
		return r.err
	}
	switch p := r.packet; p.Type {
	case EventRegister:
		return ss.register(ctx, p.Name)
	case EventUnregister:
		return ss.answer(ctx, ss.unregister(p.Name))
	case CmdRequest:
		ss.log.Debug("vici: command", "command", p.Name)
		response, known := ss.command(ctx, p.Name, p.Message)
		if !known {
			ss.log.Debug("vici: unknown command", "command", p.Name)
			return ss.answer(ctx, Packet{Type: CmdUnknown})
		}
		return ss.answer(ctx, Packet{Type: CmdResponse, Message: response})
	default:
		return errors.New("vici: a client must not send " + p.Type.String())
	}
}

// answer queues the answer to a packet. The client waits for it, so that it is sent even when the server stops and the
// context of the command has ended.
func (ss *session) answer(ctx context.Context, p Packet) error {
	b, err := encode(p, true)
	if err != nil {
		ss.log.Error("vici: cannot encode an answer", "error", err)
		if b, err = encode(Packet{Type: CmdResponse, Message: failed(err)}, true); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		ss.out.offer(b)
		return nil
	}
	return ss.out.put(ctx, b)
}

// register confirms before the first event can be queued: a client that waits for the confirmation may not expect an
// event in its place.
func (ss *session) register(ctx context.Context, event string) error {
	n, known := ss.server.listeners[event]
	if !known {
		return ss.answer(ctx, Packet{Type: EventUnknown})
	}
	if err := ss.answer(ctx, Packet{Type: EventConfirm}); err != nil {
		return err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if !ss.events[event] {
		ss.events[event] = true
		n.Add(1)
	}
	return nil
}

func (ss *session) unregister(event string) Packet {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if !ss.events[event] {
		return Packet{Type: EventUnknown}
	}
	delete(ss.events, event)
	ss.server.listeners[event].Add(-1)
	return Packet{Type: EventConfirm}
}

func (ss *session) registered(event string) bool {
	ss.mu.RLock()
	defer ss.mu.RUnlock()
	return ss.events[event]
}

// listens reports whether the client has registered for any event.
func (ss *session) listens() bool {
	ss.mu.RLock()
	defer ss.mu.RUnlock()
	return len(ss.events) > 0
}

// stream queues an event of the command under way, waiting for room. Like charon, it sends nothing to a client that has
// not registered.
func (ss *session) stream(ctx context.Context, event string, m *Message) error {
	if !ss.registered(event) {
		return nil
	}
	b, err := encode(Packet{Type: Event, Name: event, Message: m}, event != EventStatusConn)
	if err != nil {
		return err
	}
	return ss.out.put(ctx, b)
}

// controlLog returns the function through which the command under way logs, and one that ends it.
func (ss *session) controlLog(maxLevel int) (LogFunc, func()) {
	var over atomic.Bool
	log := func(level int, group, msg string) {
		if level > maxLevel || over.Load() || !ss.registered(EventControlLog) {
			return
		}
		m := new(Message)
		m.Set("group", group)
		m.Setf("level", "%d", level)
		m.Set("msg", cut(msg, maxText))
		if b, err := encode(Packet{Type: Event, Name: EventControlLog, Message: m}, true); err == nil {
			ss.out.offer(b)
		}
	}
	return log, func() { over.Store(true) }
}

// encode returns the segment of p. With ascii, its text is reduced to what swanctl can show. A message that is too long loses a
// part of its lists and texts rather than to be missing as a whole, and everything that was to come after it.
func encode(p Packet, ascii bool) ([]byte, error) {
	if ascii && p.Message != nil {
		p.Message.toPrintable()
	}
	b, err := encodeSegment(p)
	for _, to := range shortenings() {
		if err == nil || p.Message == nil {
			break
		}
		p.Message.shorten(to[0], to[1])
		b, err = encodeSegment(p)
	}
	return b, err
}
