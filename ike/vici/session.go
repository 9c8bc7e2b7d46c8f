package vici

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

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

	reading  reading
	active   atomic.Int64 // when it last asked for something, or had an answer, in nanoseconds since 1970
	busy     atomic.Bool  // a command is under way
	draining atomic.Bool  // the server stops: what is queued gets drainTime
}

// run serves the client until it or the server ends.
func (ss *session) run(serverCtx context.Context) {
	ctx, cancel := context.WithCancel(serverCtx)
	defer cancel()
	ss.log.Debug("vici: client connected")
	ss.reading.conn = ss.conn
	stop := context.AfterFunc(ctx, ss.reading.stop)
	defer stop()

	in := newInbox()
	var worker, writer sync.WaitGroup
	worker.Go(func() {
		defer cancel() // a client that is dropped may have sent more than has room: the reader must not wait for that
		ss.worker(ctx, in)
	})
	writer.Go(ss.writer)

	err := ss.reader(ctx, in)
	in.end()
	// A client that has gone gets no answer, so its command need not go on. (When the server stops, ctx has ended
	// already.)
	cancel()
	worker.Wait()
	if serverCtx.Err() != nil {
		ss.draining.Store(true)
		ss.conn.SetWriteDeadline(time.Now().Add(drainTime))
		ss.farewell()
	}
	ss.out.close()
	writer.Wait()
	ss.conn.Close()
	ss.server.forget(ss)
	if n := ss.out.droppedCount(); n > 0 {
		ss.server.warn("vici: a client read too slowly and missed events", "client", ss.id, "dropped", n)
	}
	ss.log.Debug("vici: client disconnected", "reason", err)
}

// farewell tells a client that listens to alerts that the daemon ends.
func (ss *session) farewell() {
	if !ss.registered(EventAlert) {
		return
	}
	if b, err := encode(Packet{Type: Event, Name: EventAlert, Message: alert("shutdown-signal", nil, ss.server.o.Now())}, true); err == nil {
		ss.out.offer(b)
	}
}

// reader hands the client's segments to the worker. It returns why it ended. A client may say nothing for as long as it likes, but what it
// begins to say it has to end.
func (ss *session) reader(ctx context.Context, in *inbox) error {
	for {
		ss.reading.deadline(time.Time{})
		n, err := readLength(ss.conn, ss.hurry)
		if err == nil {
			if err = in.reserve(ctx, n); err == nil {
				ss.hurry()
				var b []byte
				if b, err = readSegment(ss.conn, n); err == nil {
					in.add(b)
					continue
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

// hurry sets the time until which the rest of a segment has to be there.
func (ss *session) hurry() { ss.reading.deadline(time.Now().Add(ss.server.o.ReadTimeout)) }

// reading is how long a connection is read from: until a deadline, or no more.
type reading struct {
	conn    net.Conn
	mu      sync.Mutex
	stopped bool
}

func (r *reading) deadline(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.conn.SetReadDeadline(t)
	}
}

// stop ends reading for good. It may be called from any goroutine.
func (r *reading) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.conn.SetReadDeadline(time.Unix(1, 0))
}

// worker carries out the client's packets one after the other.
func (ss *session) worker(ctx context.Context, in *inbox) {
	for {
		b := in.take(ctx)
		if b == nil {
			return
		}
		ss.active.Store(ss.server.o.Now().UnixNano())
		ss.busy.Store(true)
		err := ss.handle(ctx, b)
		ss.active.Store(ss.server.o.Now().UnixNano())
		ss.busy.Store(false)
		in.done(len(b))
		if err != nil {
			ss.log.Debug("vici: client dropped", "reason", err)
			ss.reading.stop() // ends the reader, and with it the session
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
func (ss *session) handle(ctx context.Context, segment []byte) error {
	large := len(segment) > maxSmallRequest
	if large {
		select {
		case ss.server.large <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	answer, event, err := ss.carryOut(ctx, segment, large)
	if large {
		<-ss.server.large
	}
	switch {
	case err != nil:
		return err
	case event != "":
		return ss.register(ctx, event)
	}
	return ss.answer(ctx, answer)
}

// carryOut carries out one packet and returns the answer, or the event that the client registers for.
func (ss *session) carryOut(ctx context.Context, segment []byte, large bool) (answer Packet, event string, err error) {
	p, err := ParsePacket(segment)
	if err != nil {
		// Without a readable name it is not clear what the client waits for: there is no right answer.
		ss.server.warn("vici: malformed packet", "client", ss.id, "error", err)
		return Packet{}, "", err
	}
	switch p.Type {
	case EventRegister:
		if p.Name == "" {
			return Packet{Type: EventUnknown}, "", nil
		}
		return Packet{}, p.Name, nil
	case EventUnregister:
		return ss.unregister(p.Name), "", nil
	case CmdRequest:
		ss.log.Debug("vici: command", "command", p.Name)
		if large && !strings.HasPrefix(p.Name, "load-") {
			return Packet{Type: CmdResponse, Message: failed(fmt.Errorf("a request of %d bytes; at most %d are possible", len(segment), maxSmallRequest))}, "", nil
		}
		response, known := ss.command(ctx, p.Name, p.Message)
		if !known {
			ss.log.Debug("vici: unknown command", "command", p.Name)
			return Packet{Type: CmdUnknown}, "", nil
		}
		return Packet{Type: CmdResponse, Message: response}, "", nil
	default:
		return Packet{}, "", errors.New("vici: a client must not send " + p.Type.String())
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

// register confirms before the first event can be queued: a client that waits for the confirmation may not expect an event in its place. From
// the moment at which the client can have read it, there is a listener: what happens then is not missed.
func (ss *session) register(ctx context.Context, event string) error {
	n, known := ss.server.listeners[event]
	if !known {
		return ss.answer(ctx, Packet{Type: EventUnknown})
	}
	b, err := encode(Packet{Type: EventConfirm}, true)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		ss.out.offer(b) // the server stops: nothing happens any more
		return nil
	}
	return ss.out.putThen(ctx, b, func() {
		ss.mu.Lock()
		defer ss.mu.Unlock()
		if !ss.events[event] {
			ss.events[event] = true
			n.Add(1)
		}
	})
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
