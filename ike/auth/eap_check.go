package auth

import (
	"bytes"
	"errors"

	"esplanade/ike/aaa"
	"esplanade/ike/eap"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// EAPChecking is how a responder has a user prove itself.
type EAPChecking struct {
	// Server is what checks users. It is asked for when EAP begins.
	Server func() (EAPServer, bool)
	// Identified is told the name that a user has given who was asked for one, and says what checks that user: another server, if the name is
	// for another connection. Nil: the same.
	Identified func(name string) (EAPServer, error)
	// Admit judges a user whom EAP has proved, before EAP-Success goes out. Nil: all are let in.
	Admit func(u *aaa.User) error
	// Relay begins what a RADIUS server is asked: all but the user, the packet and what comes of turns before.
	Relay func() EAPRelay
	// Identity is what IDi says: the name of a user who is not asked for one.
	Identity func() string
	// Only: the responder proves itself by EAP alone (RFC 5998).
	Only bool
	// Rules are those about revocation, for certificates that users show within EAP. Nil: none is asked about.
	Rules func() revocation.Rules
}

// CheckEAP has the initiator prove itself by EAP, and answers its last AUTH with one made with the same key.
func CheckEAP(c EAPChecking) Authenticator { return &eapChecker{c: c} }

type eapChecker struct {
	c      EAPChecking
	server EAPServer
	// conversation is with a server in this gateway; turns counts those of a RADIUS server, and state is what it has said last.
	conversation conversation
	turn         *eapTurn
	turns        int
	state        any
	// raw is the packet of the peer that waits for its answer, and packet what of it the server gets.
	raw, packet []byte
	// begun: the first packet is made. identified: the user has a name, or gets none outside of the method.
	begun, identified bool
	// offered is the identifier of the last request.
	offered uint8
	// user is the name so far.
	user string
	// octets is how much EAP has come from the peer.
	octets int
	// said is what the server has said, while it is asked whether a certificate of the user was revoked.
	said *eap.Step
	// next is the packet for the peer, verdict why it will fail, result what it has come to.
	next    *wire.EAP
	verdict *EAPError
	result  *eap.Result
	status  Status
}

// Build makes the next packet, or the last AUTH.
func (c *eapChecker) Build(t *Transcript) (Step, error) {
	switch {
	case c.status == Done:
		return Step{Status: Done, Payloads: []wire.Payload{&wire.Auth{Method: wire.AuthSharedKey, Data: eapAuth(t, c.result, true)}}}, nil
	case c.next == nil:
		return Step{}, errors.New("auth: EAP has nothing to say")
	}
	return Step{Status: NeedMore, Payloads: []wire.Payload{c.next}}, nil
}

// Process takes the first message, then a packet each, and at the end AUTH.
func (c *eapChecker) Process(t *Transcript, in []wire.Payload) (Step, error) {
	switch {
	case !c.begun:
		return c.begin(t, in)
	case c.result != nil:
		if err := checkEAPAuth(t, c.result, in); err != nil {
			return Step{}, err
		}
		c.status, t.User = Done, &c.result.User
		return Step{Status: Done}, nil
	}
	e := findEAP(in)
	if e == nil {
		return Step{}, c.fail(&EAPError{Reason: EAPMissing, Detail: "a request without it"})
	}
	return c.take(t, e)
}

// begin takes the message that EAP begins with, which has no AUTH.
func (c *eapChecker) begin(t *Transcript, in []wire.Payload) (Step, error) {
	a, only := findAuth(in), findNotify(in, wire.NotifyEAPOnlyAuthentication) != nil
	server, ok := c.c.Server()
	switch {
	case a != nil:
		return Step{}, &MethodError{EAP: true, Got: a.Method}
	case c.c.Only && !only:
		return Step{}, &EAPError{Reason: EAPNotOffered}
	case !ok:
		return Step{}, ErrNoEAP
	}
	c.server, c.user = server, c.c.Identity()
	switch {
	case server.relays() && server.AskIdentity:
		c.next, c.begun = identityRequest(), true
		c.offered = c.next.Identifier
		return Step{Status: NeedMore}, nil
	case server.relays():
		c.identified = true
		return c.hear(t, identityResponse(0, c.user))
	}
	c.converse(server.Config.AskIdentity)
	c.identified = !server.Config.AskIdentity
	return c.hear(t, nil)
}

// converse begins a conversation with a server in this gateway.
func (c *eapChecker) converse(ask bool) {
	if c.conversation != nil {
		return // it waits
	}
	config := *c.server.Config
	config.AskIdentity, config.Protected = ask, !c.c.Only
	config.Guard = c.server.Guard
	if !ask && config.Identity == "" {
		config.Identity = c.user
	}
	c.conversation = eap.NewServer(&config)
}

// take takes a packet of the peer. One that waits is taken again, and no other in its place: the server may be at it.
func (c *eapChecker) take(t *Transcript, e *wire.EAP) (Step, error) {
	raw := e.AppendBody(nil)
	switch {
	case c.raw != nil && !bytes.Equal(c.raw, raw):
		return Step{}, c.fail(&EAPError{Reason: EAPBroken, Detail: "another packet in place of the one before"})
	case c.raw != nil:
		return c.hear(t, c.packet)
	case c.octets+len(raw) > MaxEAPOctets:
		return Step{}, c.fail(&EAPError{Reason: EAPTooMuch})
	}
	packet := raw
	if !c.identified {
		name, ok := identityIn(e)
		if !ok && c.server.relays() {
			return Step{}, c.fail(&EAPError{Reason: EAPBroken, Detail: "no name where one was asked for"})
		}
		if ok {
			var err error
			if packet, err = c.identify(t, name, raw); err != nil {
				return Step{}, err
			}
			// A server of this gateway refuses such a name itself. What goes to a RADIUS server would come back from there as the name of the user.
			if detail := eap.BadName([]byte(name)); detail != "" && c.server.relays() {
				return Step{}, c.fail(&EAPError{Reason: EAPBroken, Detail: detail})
			}
		}
		c.identified = true
	}
	c.raw, c.packet = raw, packet
	c.octets += len(raw)
	c.offered = raw[1]
	return c.hear(t, packet)
}

// identify takes the name that a user has given, which may be for another connection, with another server: that one goes on as if it had
// asked for the name.
func (c *eapChecker) identify(t *Transcript, name string, packet []byte) ([]byte, error) {
	c.user = name
	if c.c.Identified == nil {
		return packet, nil
	}
	server, err := c.c.Identified(name)
	if err != nil {
		return nil, c.fail(&EAPError{Reason: EAPNotAllowed, Err: err})
	}
	if server.Config == c.server.Config {
		return packet, nil
	}
	c.Close()
	c.server, c.conversation, c.turn = server, nil, nil
	if server.relays() {
		return packet, nil
	}
	c.converse(true)
	c.conversation.(*eap.Server).Adopt(packet[1])
	return packet, nil
}

// hear has a packet of the peer answered, nil for the first one of a server in this gateway.
func (c *eapChecker) hear(t *Transcript, packet []byte) (Step, error) {
	if c.said != nil {
		return c.heard(t)
	}
	var want Want
	if c.server.relays() {
		r := c.c.Relay()
		r.User, r.Turn, r.In, r.State = c.user, c.turns, packet, c.state
		want = r
	} else {
		if c.turn == nil {
			c.turn = newTurn(c.conversation, t.Now, packet)
		}
		want = EAPStep{turn: c.turn}
	}
	answer, ok := t.Ask(want)
	if !ok {
		return Step{Status: Wait}, nil
	}
	c.turn = nil
	c.turns++
	if answer.Err != nil {
		return Step{}, c.fail(&EAPError{Reason: EAPFailed, Err: answer.Err})
	}
	said, ok := answer.Value.(eap.Step)
	if r, relayed := answer.Value.(Relayed); relayed {
		said, c.state, ok = r.Step, r.State, true
	}
	if !ok {
		return Step{}, errors.New("auth: BUG: an answer to another question")
	}
	c.said = &said
	return c.heard(t)
}

// heard goes on with what a server has said. A user that it lets in by a certificate hears so once that is known not to be revoked.
func (c *eapChecker) heard(t *Transcript) (Step, error) {
	if r := c.said.Result; c.said.Done && r != nil {
		done, err := unrevokedInEAP(t, c.c.Rules, r.Chain)
		switch {
		case err != nil:
			if e := revokedInEAP(r, err); e != nil {
				return Step{}, c.fail(e)
			}
			return Step{}, err
		case !done:
			return Step{Status: Wait}, nil
		}
		t.letInBy(r.Chain)
	}
	said := *c.said
	c.said, c.raw, c.packet = nil, nil, nil
	return c.say(said)
}

// say takes what a server says.
func (c *eapChecker) say(said eap.Step) (Step, error) {
	c.begun = true
	out, ok := eapPayload(said.Out)
	if f := failureOf(said.Err); f != nil {
		c.verdict = &EAPError{Reason: EAPFailed, User: c.user, Failure: f, Err: said.Err}
	} else if said.Err != nil {
		c.verdict = &EAPError{Reason: EAPFailed, User: c.user, Err: said.Err}
	}
	switch {
	case !said.Done && !ok:
		return Step{}, c.fail(&EAPError{Reason: EAPBroken, Detail: "a server that has nothing to say"})
	case !said.Done:
		c.next, c.offered = out, out.Identifier
		return Step{Status: NeedMore}, nil
	case said.Err != nil || said.Result == nil:
		if c.verdict == nil {
			c.verdict = &EAPError{Reason: EAPFailed, User: c.user}
		}
		if c.verdict.Out = out; !ok || out.Code != wire.EAPFailure {
			c.verdict.Out = eapFailure(c.offered)
		}
		return Step{}, c.verdict
	case !ok || out.Code != wire.EAPSuccess:
		return Step{}, c.fail(&EAPError{Reason: EAPBroken, Detail: "a server that does not say Success"})
	case c.c.Only && !provesBoth(said.Result):
		return Step{}, c.fail(&EAPError{Reason: EAPUnsafe, Detail: said.Result.Method.String()})
	}
	c.user = said.Result.User.Name
	if c.c.Admit != nil {
		if err := c.c.Admit(&said.Result.User); err != nil {
			return Step{}, c.fail(&EAPError{Reason: EAPNotAllowed, Err: err})
		}
	}
	c.result, c.next = said.Result, out
	return Step{Status: NeedMore}, nil
}

// fail ends EAP, which the peer is told.
func (c *eapChecker) fail(e *EAPError) error {
	if e.User == "" {
		e.User = c.user
	}
	if c.begun {
		e.Out = eapFailure(c.offered)
	}
	return e
}

// Verdict is why EAP will fail, while the peer is told in the words of the method; nil if it is not known to.
func (c *eapChecker) Verdict() error {
	if c.verdict == nil {
		return nil
	}
	return c.verdict
}

// Claimed is the name of the user so far.
func (c *eapChecker) Claimed() string { return c.user }

// Held is how much of what the peer has said may be kept: fragments of TLS are.
func (c *eapChecker) Held() int { return c.octets }

// Close ends the conversation.
func (c *eapChecker) Close() {
	if c.conversation != nil {
		c.conversation.Close()
	}
}

// failureOf is the failure in an error, nil if there is none.
func failureOf(err error) *eap.Failure {
	var f *eap.Failure
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// identityRequest asks for the name of a user, on behalf of a RADIUS server.
func identityRequest() *wire.EAP {
	return &wire.EAP{Code: wire.EAPRequest, Identifier: 0, Data: []byte{byte(eap.TypeIdentity)}}
}

// identityResponse is what a user would have answered to that.
func identityResponse(identifier uint8, name string) []byte {
	e := wire.EAP{Code: wire.EAPResponse, Identifier: identifier, Data: append([]byte{byte(eap.TypeIdentity)}, name...)}
	return e.AppendBody(nil)
}

// identityIn is the name in a packet; ok is false if there is none.
func identityIn(e *wire.EAP) (name string, ok bool) {
	method, data, ok := e.Method()
	if !ok || e.Code != wire.EAPResponse || eap.Type(method) != eap.TypeIdentity || len(data) == 0 {
		return "", false
	}
	return string(data), true
}
