package vici

import (
	"net/netip"
	"strings"
)

// The methods in this file raise events. They may be called from any goroutine, return at once, and cost next to
// nothing while nobody listens.

// Listening reports whether a client has registered for event.
func (s *Server) Listening(event string) bool {
	n := s.listeners[event]
	return n != nil && n.Load() > 0
}

// raise sends an event to those who have registered for it.
func (s *Server) raise(event string, build func() *Message) {
	if !s.Listening(event) {
		return
	}
	b, err := encode(Packet{Type: Event, Name: event, Message: build()}, true)
	if err != nil {
		// Nothing is logged: the event may be the log's own. It is missed by everybody.
		s.dropped.Add(1)
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for ss := range s.sessions {
		if ss.registered(event) {
			ss.out.offer(b)
		}
	}
}

// IKEUpdown says that an IKE_SA was established (up) or has ended.
func (s *Server) IKEUpdown(up bool, sa IKESA) {
	s.raise(EventIKEUpdown, func() *Message { return ikeUpdown(&sa, up, s.o.Now()) })
}

// ChildUpdown says that a CHILD_SA of sa was installed (up) or has ended. The children in sa are not looked at.
func (s *Server) ChildUpdown(up bool, sa IKESA, child ChildSA) {
	s.raise(EventChildUpdown, func() *Message { return childUpdown(&sa, &child, up, s.o.Now()) })
}

// IKERekey says that an IKE_SA has replaced another.
func (s *Server) IKERekey(old, replacement IKESA) {
	s.raise(EventIKERekey, func() *Message { return ikeRekey(&old, &replacement, s.o.Now()) })
}

// IKEUpdate says that an IKE_SA has moved: sa has the addresses of before, local and remote are those of now.
func (s *Server) IKEUpdate(sa IKESA, local, remote netip.AddrPort) {
	s.raise(EventIKEUpdate, func() *Message { return ikeUpdate(&sa, local, remote, s.o.Now()) })
}

// ChildRekey says that a CHILD_SA of sa has replaced another.
func (s *Server) ChildRekey(sa IKESA, old, replacement ChildSA) {
	s.raise(EventChildRekey, func() *Message { return childRekey(&sa, &old, &replacement, s.o.Now()) })
}

// Alert raises an alert of the given type, one of the protocol's names, such as a diag.Failure has. An empty type raises
// nothing. sa is the IKE_SA concerned, or nil.
func (s *Server) Alert(typ string, sa *IKESA) {
	if typ == "" {
		return
	}
	s.raise(EventAlert, func() *Message { return alert(typ, sa, s.o.Now()) })
}

// LogEntry is a line of the log as strongSwan's clients know it.
type LogEntry struct {
	// Group is the subsystem: DMN, MGR, IKE, CHD, JOB, CFG, KNL, NET, ENC, ESP, LIB, …
	Group string
	// Level is 0 or 1; higher ones are not sent, as with strongSwan.
	Level int
	// Thread is the number that swanctl prints in front.
	Thread int
	// IKEName and IKEUniqueID name the IKE_SA concerned, if any.
	IKEName     string
	IKEUniqueID string
	Msg         string
}

// Log sends a line of the log to those who listen (`swanctl --log`). Each line of the text becomes an event of its own.
func (s *Server) Log(e LogEntry) {
	if e.Level > 1 || !s.Listening(EventLog) {
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(e.Msg, "\n"), "\n") {
		s.raise(EventLog, func() *Message {
			m := new(Message)
			m.Set("group", e.Group)
			m.Setf("level", "%d", e.Level)
			m.Setf("thread", "%d", e.Thread)
			m.SetNonEmpty("ikesa-name", e.IKEName)
			m.SetNonEmpty("ikesa-uniqueid", e.IKEUniqueID)
			m.Set("msg", cut(line, maxText))
			return m
		})
	}
}
