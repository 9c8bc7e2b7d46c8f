package eap

import (
	"slices"
	"sync"
	"time"
)

// What a server may ask for in addition to the messages of a method.
const (
	// maxIdentities is how often it may ask for the identity. Twice is what gateways do that relay to a RADIUS server.
	maxIdentities = 2
	// maxNotifications is how many texts for the user it may send.
	maxNotifications = 8
)

// Client is one conversation in which this side is authenticated as a user. It is for one goroutine at a time; only [Client.Close] may be
// called by another one.
type Client struct {
	redacted
	cfg     *ClientConfig
	done    bool
	started bool
	id      uint8 // of the last request
	rounds  int
	// identities and notifications are how often they came.
	identities, notifications int
	message                   string   // the last notification
	typ                       Type     // the method that is under way
	refused                   []Type   // methods that a Nak was sent for
	fail                      *Failure // the method has acknowledged that; whatever comes ends the conversation

	mu     sync.Mutex // of the fields below, because of Close
	method clientMethod
	closed bool
}

// NewClient begins a conversation. The server speaks first.
func NewClient(c *ClientConfig) *Client { return &Client{cfg: c} }

// Step takes a packet of the server and gives the answer. It keeps nothing of in.
func (c *Client) Step(now time.Time, in []byte) Step {
	if c.done {
		return Step{Done: true, Err: c.annotate(protocolError("a packet after the end"))}
	}
	if c.fail != nil {
		return c.failed(c.fail)
	}
	p, err := parse(in)
	if err != nil {
		return c.failed(protocolError("%v", err))
	}
	switch p.code {
	case codeSuccess:
		return c.success(p)
	case codeFailure:
		return c.refusedBy()
	case codeRequest:
	default:
		return c.failed(protocolError("%s where the server is to ask", p.says()))
	}
	// "Any new (non-retransmission) Requests MUST modify the Identifier field." What is below loses nothing, so that nobody repeats a request.
	// https://www.rfc-editor.org/rfc/rfc3748#section-4.1
	if c.started && p.id == c.id {
		return c.failed(protocolError("a Request with identifier %d, which was answered", p.id))
	}
	c.started, c.id = true, p.id
	if c.rounds++; c.rounds > MaxRounds {
		return c.failed(&Failure{Reason: ReasonTooLong})
	}
	switch p.typ {
	case TypeIdentity:
		return c.identify(p)
	case TypeNotification:
		return c.notified(p)
	case TypeNak:
		return c.failed(protocolError("a Nak in a Request"))
	default:
		return c.requested(now, p)
	}
}

// identify answers a request for the identity, which may come before the method only: "Identity Requery is not supported."
// https://www.rfc-editor.org/rfc/rfc3748#section-2.1
func (c *Client) identify(p packet) Step {
	c.identities++
	if c.typ != 0 || c.identities > maxIdentities {
		return c.failed(protocolError("the server asks for the identity again"))
	}
	return c.respond(p, []byte(c.cfg.outer()))
}

// notified acknowledges a text for the user: "The Type-Data field of the Response is zero octets in length."
// https://www.rfc-editor.org/rfc/rfc3748#section-5.2
func (c *Client) notified(p packet) Step {
	if c.notifications++; c.notifications > maxNotifications {
		return c.failed(protocolError("more than %d notifications", maxNotifications))
	}
	c.message = printable(p.data)
	return c.respond(p, nil)
}

// requested takes a request of a method. The first that is acceptable begins it; any other one is refused with a Nak before that, and is an
// error after it: "A peer MUST NOT send a Nak (legacy or expanded) in reply to a Request after an initial non-Nak Response has been sent."
// https://www.rfc-editor.org/rfc/rfc3748#section-2.1
func (c *Client) requested(now time.Time, p packet) Step {
	if c.typ == 0 {
		if !p.typ.Method() {
			return c.failed(protocolError("%s, which is none of a method", p.says()))
		}
		if !slices.Contains(c.cfg.methods(), p.typ) {
			return c.refuse(p)
		}
		m := newClientMethod(p.typ, c)
		if m == nil {
			return c.failed(&Failure{Method: p.typ, Reason: ReasonProtocol, Detail: "this side has no such method"})
		}
		if !c.take(m) {
			return c.failed(&Failure{Reason: ReasonClosed})
		}
		c.typ = p.typ
	}
	if p.typ != c.typ {
		return c.failed(protocolError("%s while the method is %s", p.says(), c.typ))
	}
	m := c.current()
	if m == nil {
		return c.failed(&Failure{Reason: ReasonClosed})
	}
	s := m.step(now, p.id, p.data)
	switch {
	case s.fail != nil && s.out == nil:
		return c.failed(s.fail)
	case s.fail != nil:
		// The server gets its acknowledgement, and says Failure to that.
		c.fail = c.annotate(s.fail)
		step := c.respond(p, s.out)
		step.Err = c.fail
		return step
	}
	return c.respond(p, s.out)
}

// refuse answers with a Nak, for each method once.
func (c *Client) refuse(p packet) Step {
	methods := c.cfg.methods()
	switch {
	case len(methods) == 0 && len(c.cfg.Methods) > 0:
		return c.failed(&Failure{Reason: ReasonUnsafe, Offered: []Type{p.typ}, Wanted: c.cfg.Methods})
	case slices.Contains(c.refused, p.typ):
		return c.failed(&Failure{Reason: ReasonNak, Offered: c.refused, Wanted: methods})
	}
	c.refused = append(c.refused, p.typ)
	return Step{Out: nak(p, methods).bytes()}
}

// respond answers a request, in its spelling of the type.
func (c *Client) respond(request packet, data []byte) Step {
	request.code, request.data = codeResponse, data
	return Step{Out: request.bytes()}
}

// success takes a Success, which counts only once the method has come to its end. "By default, an EAP peer MUST silently discard a "canned"
// Success packet". https://www.rfc-editor.org/rfc/rfc3748#section-4.2
func (c *Client) success(p packet) Step {
	m := c.current()
	if m == nil {
		return c.failed(&Failure{Reason: ReasonEarlySuccess})
	}
	// "The Identifier field MUST match the Identifier field of the Response packet that it is sent in response to." There are servers that count
	// on, as for a request.
	if p.id != c.id && p.id != c.id+1 {
		return c.failed(protocolError("a Success with identifier %d after a Response with %d", p.id, c.id))
	}
	r, f := m.success()
	if f != nil {
		return c.failed(f)
	}
	c.end()
	r.Method = c.typ
	if r.User.Method == "" {
		r.User.Method = c.typ.String()
	}
	return Step{Done: true, Result: r}
}

// refusedBy takes a Failure. It is believed whatever was said before: there is nothing left to wait for.
func (c *Client) refusedBy() Step {
	f := &Failure{Reason: ReasonRefused, Message: c.message}
	switch m := c.current(); {
	case m != nil:
		if known := m.failure(); known != nil {
			f = known
		}
	case len(c.refused) > 0:
		f = &Failure{Reason: ReasonNak, Offered: c.refused, Wanted: c.cfg.methods()}
	}
	return c.failed(f)
}

func (c *Client) failed(f *Failure) Step {
	f = c.annotate(f)
	c.end()
	return Step{Done: true, Err: f}
}

// annotate adds to a failure what the conversation knows.
func (c *Client) annotate(f *Failure) *Failure {
	if f.Method == 0 {
		f.Method = c.typ
	}
	if f.User == "" {
		f.User = c.cfg.Identity
	}
	if f.Message == "" {
		f.Message = c.message
	}
	return f
}

// Cost is about how long Step will take for a packet, on one core.
func (c *Client) Cost(in []byte) time.Duration {
	p, err := parse(in)
	if m := c.current(); err == nil && m != nil && p.code == codeRequest && p.typ == c.typ {
		return m.cost(p.data)
	}
	return 0
}

// Close ends what the conversation keeps. It may be called while another goroutine is in Step.
func (c *Client) Close() {
	c.mu.Lock()
	m := c.method
	c.closed = true
	c.mu.Unlock()
	if m != nil {
		m.close()
	}
}

// take makes m the method; false if the conversation was closed by then.
func (c *Client) take(m clientMethod) bool {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.method = m
	}
	c.mu.Unlock()
	if closed {
		m.close()
	}
	return !closed
}

func (c *Client) current() clientMethod {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	return c.method
}

func (c *Client) end() {
	c.done = true
	c.Close()
}
