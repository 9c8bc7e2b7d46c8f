package eap

import (
	"slices"
	"sync"
	"time"
)

const (
	// MaxRounds is how many requests a conversation may take. A method in a tunnel needs some twenty, long chains in small fragments more.
	MaxRounds = 100
	// MaxIdentity is the length of the longest name in octets: that of a network access identifier that RADIUS can carry (RFC 7542).
	MaxIdentity = 253
)

// Server is one conversation in which a user is authenticated. It is for one goroutine at a time; only [Server.Close] may be called by another
// one.
type Server struct {
	redacted
	cfg      *ServerConfig
	state    serverState
	id       uint8 // of the last request
	rounds   int
	identity string
	// adopted reports that somebody else has asked for the identity.
	adopted bool
	// bound reports that a name was given before the method: what the method proves has to be that.
	bound   bool
	typ     Type // the method that is under way
	offered []Type
	// answered reports that the peer has answered the method, so that no Nak may come any more.
	answered bool
	fail     *Failure

	mu     sync.Mutex // of the fields below, because of Close
	method serverMethod
	closed bool
}

type serverState uint8

const (
	serverStart    serverState = iota // nothing was sent
	serverIdentity                    // a request for the identity was
	serverMethods                     // a request of the method was
	serverTells                       // the method has said that it fails; the peer acknowledges
	serverDone
)

// NewServer begins a conversation.
func NewServer(c *ServerConfig) *Server { return &Server{cfg: c} }

// Adopt has the conversation begin where somebody else has asked for the identity already, with an identifier: the first packet that [Server.Step]
// takes is the answer to that. Otherwise the next request might have the same identifier, and be taken for one that was answered.
func (s *Server) Adopt(id uint8) { s.adopted, s.id = true, id }

// Step takes the packet of the peer, nil at the beginning, and gives the next one. It keeps nothing of in.
func (s *Server) Step(now time.Time, in []byte) Step {
	switch s.state {
	case serverDone:
		return Step{Done: true, Err: s.annotate(protocolError("a packet after the end"))}
	case serverStart:
		if in != nil && !s.adopted {
			return s.failed(protocolError("a packet before the first request"))
		}
		id := s.id
		s.id = s.cfg.random(1)[0]
		first := s.begin(now)
		if in == nil || first.Done || s.state != serverIdentity {
			return first
		}
		// Somebody else has asked for the identity; what comes next has the identifier behind that.
		s.id = id
	case serverIdentity, serverMethods, serverTells:
	}
	p, err := parse(in)
	switch {
	case err != nil:
		return s.failed(protocolError("%v", err))
	case p.code != codeResponse:
		// A peer that could say Success would authenticate itself.
		return s.failed(protocolError("%s in answer to a Request", p.says()))
	case p.id != s.id:
		return s.failed(protocolError("a Response with identifier %d to a Request with %d", p.id, s.id))
	}
	if s.state == serverTells {
		return s.failed(s.fail)
	}
	if s.state == serverIdentity {
		return s.identified(now, p)
	}
	return s.answer(now, p)
}

func (s *Server) begin(now time.Time) Step {
	methods := s.cfg.methods()
	switch {
	case len(methods) == 0 && len(s.cfg.Methods) > 0:
		return s.failed(&Failure{Reason: ReasonUnsafe, Offered: s.cfg.Methods})
	case len(methods) == 0:
		return s.failed(&Failure{Reason: ReasonNak})
	case s.cfg.AskIdentity:
		s.state = serverIdentity
		return s.request(TypeIdentity, nil)
	}
	s.identity, s.bound = s.cfg.Identity, s.cfg.Identity != ""
	return s.offer(now, methods[0])
}

// identified takes the answer to the request for the identity.
func (s *Server) identified(now time.Time, p packet) Step {
	if p.typ != TypeIdentity {
		return s.failed(protocolError("%s in answer to a Request of Identity", p.says()))
	}
	if detail := BadName(p.data); detail != "" {
		return s.failed(&Failure{Reason: ReasonIdentity, Detail: detail})
	}
	// "If the Identity is unknown, the Identity Response field should be zero bytes in length." Then there is what else is known of the peer, and
	// the name that the method has counts if it is another one. https://www.rfc-editor.org/rfc/rfc3748#section-5.1
	s.identity, s.bound = string(p.data), len(p.data) > 0
	if !s.bound {
		s.identity = s.cfg.Identity
	}
	return s.offer(now, s.cfg.methods()[0])
}

// offer begins a method.
func (s *Server) offer(now time.Time, t Type) Step {
	m := newServerMethod(t, s)
	if m == nil {
		return s.failed(&Failure{Method: t, Reason: ReasonProtocol, Detail: "this side has no such method"})
	}
	if !s.take(m) {
		return s.failed(&Failure{Reason: ReasonClosed})
	}
	s.state, s.typ, s.answered = serverMethods, t, false
	s.offered = append(s.offered, t)
	return s.went(m.start(now, s.id+1))
}

// answer takes the answer to a request of the method.
func (s *Server) answer(now time.Time, p packet) Step {
	switch {
	case p.typ == TypeNak && !s.answered:
		return s.refused(now, p)
	case p.typ != s.typ:
		// "An EAP server receiving a Response not meeting these requirements MUST silently discard it." Nothing else would come.
		// https://www.rfc-editor.org/rfc/rfc3748#section-4.1
		return s.failed(protocolError("%s in answer to a Request of %s", p.says(), s.typ))
	}
	s.answered = true
	m := s.current()
	if m == nil {
		return s.failed(&Failure{Reason: ReasonClosed})
	}
	return s.went(m.step(now, s.id, s.id+1, p.data))
}

// refused takes a Nak: the next method is the best one that is allowed and asked for, and has not been refused.
func (s *Server) refused(now time.Time, p packet) Step {
	want, err := nakTypes(p)
	if err != nil {
		return s.failed(protocolError("%v", err))
	}
	for _, t := range s.cfg.methods() {
		if slices.Contains(want, t) && !slices.Contains(s.offered, t) {
			return s.offer(now, t)
		}
	}
	return s.failed(&Failure{Reason: ReasonNak, Offered: s.offered, Wanted: want})
}

// went goes on with what the method has said.
func (s *Server) went(m methodStep) Step {
	switch {
	case m.fail != nil && m.out != nil:
		s.fail, s.state = s.annotate(m.fail), serverTells
		step := s.request(s.typ, m.out)
		if step.Err == nil {
			step.Err = s.fail
		}
		return step
	case m.fail != nil:
		return s.failed(m.fail)
	case m.result != nil:
		return s.succeeded(m.result)
	}
	return s.request(s.typ, m.out)
}

// request is the next request.
func (s *Server) request(t Type, data []byte) Step {
	if s.rounds++; s.rounds > MaxRounds {
		return s.failed(&Failure{Reason: ReasonTooLong})
	}
	s.id++
	return Step{Out: packet{code: codeRequest, id: s.id, typ: t, data: data}.bytes()}
}

func (s *Server) succeeded(r *Result) Step {
	s.end()
	r.Method = s.typ
	if r.User.Method == "" {
		r.User.Method = s.typ.String()
	}
	return Step{Out: packet{code: codeSuccess, id: s.id}.bytes(), Done: true, Result: r}
}

func (s *Server) failed(f *Failure) Step {
	f = s.annotate(f)
	s.end()
	return Step{Out: packet{code: codeFailure, id: s.id}.bytes(), Done: true, Err: f}
}

// annotate adds to a failure what the conversation knows.
func (s *Server) annotate(f *Failure) *Failure {
	if f.Method == 0 {
		f.Method = s.typ
	}
	if f.User == "" {
		f.User = s.identity
	}
	return f
}

// Cost is about how long Step will take for a packet, on one core.
func (s *Server) Cost(in []byte) time.Duration {
	p, err := parse(in)
	if m := s.current(); err == nil && m != nil && s.state == serverMethods && p.typ == s.typ {
		return m.cost(p.data)
	}
	return 0
}

// Close ends what the conversation keeps. It may be called while another goroutine is in Step.
func (s *Server) Close() {
	s.mu.Lock()
	m := s.method
	s.closed = true
	s.mu.Unlock()
	if m != nil {
		m.close()
	}
}

// take puts a method in the place of the one before; false if the conversation was closed by then.
func (s *Server) take(m serverMethod) bool {
	s.mu.Lock()
	before, closed := s.method, s.closed
	if !closed {
		s.method = m
	}
	s.mu.Unlock()
	if before != nil {
		before.close()
	}
	if closed {
		m.close()
	}
	return !closed
}

func (s *Server) current() serverMethod {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	return s.method
}

func (s *Server) end() {
	s.state = serverDone
	s.Close()
}
