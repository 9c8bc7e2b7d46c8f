package vici

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// The events: streams of commands, the last two of which are of lists that have nothing, and what the daemon raises.
const (
	EventListSA        = "list-sa"
	EventListConn      = "list-conn"
	EventListPolicy    = "list-policy"
	EventControlLog    = "control-log"
	EventListCert      = "list-cert"
	EventListAuthority = "list-authority"

	EventLog         = "log"
	EventIKEUpdown   = "ike-updown"
	EventIKERekey    = "ike-rekey"
	EventIKEUpdate   = "ike-update"
	EventChildUpdown = "child-updown"
	EventChildRekey  = "child-rekey"
	EventAlert       = "alert"
)

// Events returns the names of all events that clients may register for.
func Events() []string {
	return []string{
		EventListSA, EventListConn, EventListPolicy, EventListCert, EventListAuthority, EventControlLog, EventStatusConn, EventESP,
		EventLog, EventIKEUpdown, EventIKERekey, EventIKEUpdate, EventChildUpdown, EventChildRekey, EventAlert,
	}
}

// Defaults of [Options].
const (
	DefaultMaxClients   = 64
	DefaultQueuePackets = 1024
	DefaultQueueBytes   = 1 << 20
	DefaultWriteTimeout = 10 * time.Second
	DefaultReadTimeout  = 10 * time.Second
)

// drainTime is how long clients get for what is still queued when the server stops.
const drainTime = time.Second

// Options are the settings of a server. The zero value of each field is its default.
type Options struct {
	// Logger takes what happens to clients, on level debug, and now and then on level warn what goes wrong with them. It must
	// not lead back to this server's clients. Default: nothing is logged.
	Logger *slog.Logger
	// MaxClients is how many clients may be connected. For one more the one is disconnected that has asked for nothing for
	// the longest time, one that has registered for events last; if all wait for an answer, the one that has waited longest, or the new one
	// if none has waited for longer than waitingTime.
	MaxClients int
	// QueuePackets and QueueBytes bound what waits for one client, and what is on its way to it.
	QueuePackets, QueueBytes int
	// WriteTimeout is how long a client may not read before it is disconnected while something waits for it.
	WriteTimeout time.Duration
	// ReadTimeout is how long a client may take for the rest of what it has begun to send.
	ReadTimeout time.Duration
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Server answers clients. Its methods are safe for concurrent use.
type Server struct {
	backend Backend
	o       Options

	mu       sync.RWMutex
	sessions map[*session]struct{}
	nextID   uint64

	// large has a token for each request that is longer than maxSmallRequest and is looked at.
	large chan struct{}
	// listeners counts registrations by event; the map itself never changes.
	listeners map[string]*atomic.Int32
	dropped   atomic.Uint64 // by clients that are gone
	warned    atomic.Int64  // when warn last did, in nanoseconds since 1970
}

// NewServer returns a server for backend. Call [Server.Serve] to run it; events may be raised before.
func NewServer(backend Backend, o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxClients == 0 {
		o.MaxClients = DefaultMaxClients
	}
	if o.QueuePackets == 0 {
		o.QueuePackets = DefaultQueuePackets
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = DefaultQueueBytes
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = DefaultReadTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		backend: backend, o: o,
		sessions: make(map[*session]struct{}), large: make(chan struct{}, maxLarge), listeners: make(map[string]*atomic.Int32),
	}
	for _, e := range Events() {
		s.listeners[e] = new(atomic.Int32)
	}
	return s
}

// Serve accepts clients from l until ctx ends, then closes l, ends the commands under way, and returns nil when all
// clients are gone. It closes l in any case.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				cancel()
				return nil
			}
			if temporary(err) {
				s.warn("vici: cannot accept a client", "error", err)
				select {
				case <-ctx.Done():
				case <-time.After(acceptPause):
				}
				continue
			}
			cancel()
			return fmt.Errorf("vici: %w", err)
		}
		ss := s.newSession(c)
		if ss == nil {
			s.warn("vici: too many clients", "max", s.o.MaxClients)
			c.Close()
			continue
		}
		wg.Go(func() { ss.run(ctx) })
	}
}

// warnEvery is the time between two warnings about clients in general.
const warnEvery = 10 * time.Second

// warn logs now and then.
func (s *Server) warn(msg string, args ...any) {
	now := s.o.Now().UnixNano()
	if last := s.warned.Load(); last == 0 || now-last >= int64(warnEvery) {
		s.warned.Store(now)
		s.o.Logger.Warn(msg, args...)
	}
}

// acceptPause is how long accepting waits after it failed for want of file descriptors or memory.
const acceptPause = 100 * time.Millisecond

// temporary reports whether accepting may succeed later.
func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// Dropped is how many events clients have missed because they read too slowly.
func (s *Server) Dropped() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.dropped.Load()
	for ss := range s.sessions {
		n += ss.out.droppedCount()
	}
	return n
}

// Clients is how many clients are connected.
func (s *Server) Clients() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.sessions)
}

// newSession registers a session for c, or returns nil if there are too many.
func (s *Server) newSession(c net.Conn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) >= s.o.MaxClients {
		idle := s.idlest()
		if idle == nil {
			return nil
		}
		delete(s.sessions, idle) // it counts as gone before it is
		idle.conn.Close()
	}
	s.nextID++
	ss := &session{
		server: s, conn: c, id: s.nextID, out: newOutbox(s.o.QueuePackets, s.o.QueueBytes),
		events: make(map[string]bool), log: s.o.Logger.With("client", s.nextID),
	}
	ss.active.Store(s.o.Now().UnixNano())
	s.sessions[ss] = struct{}{}
	return ss
}

// waitingTime is how long a client may wait for an answer without giving way to another one when there are too many: nobody can take all places
// by commands that do not end, and what such a command has begun goes on.
const waitingTime = time.Minute

// idlest is the client that gives way to another one: the one that has asked for nothing for the longest time, of those that wait
// for nothing; if there is none, of those that only listen to events, for control must not be lost to them, and then of those that
// have waited for an answer for waitingTime. nil if there is none either.
func (s *Server) idlest() *session {
	var idle, listener, waiting *session
	now := s.o.Now().UnixNano()
	for ss := range s.sessions {
		switch {
		case ss.busy.Load():
			if now-ss.active.Load() >= int64(waitingTime) {
				waiting = longest(waiting, ss)
			}
		case ss.listens():
			listener = longest(listener, ss)
		default:
			idle = longest(idle, ss)
		}
	}
	return cmp.Or(idle, listener, waiting)
}

// longest is the one of two sessions that has asked for nothing for longer; a may be nil.
func longest(a, b *session) *session {
	if a == nil || b.active.Load() < a.active.Load() || b.active.Load() == a.active.Load() && b.id < a.id {
		return b
	}
	return a
}

// forget removes a session that has ended.
func (s *Server) forget(ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, ss)
	s.dropped.Add(ss.out.droppedCount())
	for e := range ss.events {
		s.listeners[e].Add(-1)
	}
}
