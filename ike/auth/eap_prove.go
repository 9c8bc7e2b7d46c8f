package auth

import (
	"errors"

	"esplanade/ike/eap"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// EAPProving is how an initiator proves itself as a user.
type EAPProving struct {
	// Client is who it is and what it proves that with. It is asked for when the responder begins with EAP.
	Client func() (*eap.ClientConfig, bool)
	// Only: the responder proves itself by EAP alone (RFC 5998), and is asked to.
	Only bool
	// Rules are those about revocation, for the certificate that a server shows within EAP. Nil: none is asked about.
	Rules func() revocation.Rules
}

// ProveEAP proves the initiator by EAP. Nothing is said to a responder that has not proved itself before, but where EAP is what proves it.
func ProveEAP(p EAPProving) Authenticator { return &eapProver{p: p} }

type eapProver struct {
	p            EAPProving
	conversation conversation
	// packet is what the responder has said last, turn the step that answers it, and answer what that is.
	packet []byte
	turn   *eapTurn
	answer *wire.EAP
	result *eap.Result
	sent   bool // AUTH
	status Status
	octets int
}

// Build makes the answer to what the responder has said, or AUTH behind its Success.
func (p *eapProver) Build(t *Transcript) (Step, error) {
	switch {
	case p.packet == nil && p.p.Only:
		return Step{Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyEAPOnlyAuthentication}}}, nil
	case p.packet == nil:
		return Step{}, nil
	case !p.p.Only && !t.PeerProved && t.PeerRounds == 0:
		return Step{}, &MethodError{Missing: true}
	}
	if p.result == nil && p.answer == nil {
		said, ok, err := p.step(t)
		switch {
		case err != nil:
			return Step{}, err
		case !ok:
			return Step{Status: Wait}, nil
		}
		if err := p.take(said); err != nil {
			return Step{}, err
		}
	}
	if p.result == nil {
		return Step{Payloads: []wire.Payload{p.answer}}, nil
	}
	switch done, err := unrevokedInEAP(t, p.p.Rules, p.result.Chain); {
	case err != nil:
		if e := revokedInEAP(p.result, err); e != nil {
			return Step{}, e
		}
		return Step{}, err
	case !done:
		return Step{Status: Wait}, nil
	}
	if p.p.Only {
		t.letInBy(p.result.Chain)
	}
	p.sent = true
	return Step{Status: Done, Payloads: []wire.Payload{&wire.Auth{Method: wire.AuthSharedKey, Data: eapAuth(t, p.result, true)}}}, nil
}

// step has the packet of the responder answered; ok is false while that waits.
func (p *eapProver) step(t *Transcript) (said eap.Step, ok bool, err error) {
	if p.conversation == nil {
		config, ok := p.p.Client()
		if !ok {
			return eap.Step{}, false, ErrNoEAP
		}
		c := *config
		c.Protected = !p.p.Only
		p.conversation = eap.NewClient(&c)
	}
	if p.turn == nil {
		p.turn = newTurn(p.conversation, t.Now, p.packet)
	}
	a, ok := t.Ask(EAPStep{turn: p.turn})
	if !ok {
		return eap.Step{}, false, nil
	}
	p.turn = nil
	if a.Err != nil {
		return eap.Step{}, false, &EAPError{Reason: EAPFailed, Err: a.Err}
	}
	return a.Value.(eap.Step), true, nil
}

// take takes what this side's user says.
func (p *eapProver) take(said eap.Step) error {
	out, ok := eapPayload(said.Out)
	switch {
	case said.Done && said.Err != nil || said.Err != nil && !ok:
		return &EAPError{Reason: EAPFailed, Failure: failureOf(said.Err), Err: said.Err}
	case said.Done && said.Result == nil:
		return &EAPError{Reason: EAPFailed}
	case said.Done && p.p.Only && !provesBoth(said.Result):
		return &EAPError{Reason: EAPUnsafe, User: said.Result.User.Name, Detail: said.Result.Method.String()}
	case said.Done:
		p.result = said.Result
	case !ok:
		return &EAPError{Reason: EAPBroken, Detail: "a packet that nothing is said to"}
	default:
		p.answer = out
	}
	return nil
}

// Process takes what the responder says. Whether it has proved itself is known once its proof was judged too, which comes behind this.
func (p *eapProver) Process(t *Transcript, in []wire.Payload) (Step, error) {
	e := findEAP(in)
	switch {
	case p.status == Done:
		return Step{Status: Done}, nil
	case p.sent && e != nil && e.Code == wire.EAPFailure:
		return Step{}, &EAPError{Reason: EAPFailed, User: p.result.User.Name, Failure: &eap.Failure{User: p.result.User.Name, Method: p.result.Method, Reason: eap.ReasonRefused}}
	case p.sent:
		if err := checkEAPAuth(t, p.result, in); err != nil {
			return Step{}, err
		}
		p.status, t.User, t.ByEAP = Done, &p.result.User, p.p.Only
		return Step{Status: Done}, nil
	case e == nil && p.p.Only && findAuth(in) != nil:
		return Step{}, &MethodError{EAP: true, Got: findAuth(in).Method}
	case e == nil:
		return Step{}, &EAPError{Reason: EAPMissing, Detail: "an answer without it"}
	}
	packet := e.AppendBody(nil)
	if p.octets += len(packet); p.octets > MaxEAPOctets {
		return Step{}, &EAPError{Reason: EAPTooMuch}
	}
	p.packet, p.answer = packet, nil
	if e.Code != wire.EAPFailure {
		return Step{}, nil
	}
	if p.conversation == nil {
		return Step{}, &EAPError{Reason: EAPFailed, Failure: &eap.Failure{Reason: eap.ReasonRefused}}
	}
	// What the method knows of it says more than the packet does.
	switch said, ok, err := p.step(t); {
	case err != nil:
		return Step{}, err
	case !ok:
		p.octets -= len(packet)
		return Step{Status: Wait}, nil
	case said.Err != nil:
		return Step{}, &EAPError{Reason: EAPFailed, Failure: failureOf(said.Err), Err: said.Err}
	}
	return Step{}, &EAPError{Reason: EAPFailed, Err: errors.New("EAP-Failure")}
}

// Held is how much of what the responder has said may be kept.
func (p *eapProver) Held() int { return p.octets }

// Close ends the conversation.
func (p *eapProver) Close() {
	if p.conversation != nil {
		p.conversation.Close()
	}
}

// ProveByEAP is the proof of a responder that proves itself by EAP alone: the AUTH behind it is its proof ([CheckEAP]).
func ProveByEAP() Authenticator { return &byEAP{} }

// CheckByEAP is the check of such a responder: what its AUTH is worth has been judged by [ProveEAP].
func CheckByEAP() Authenticator { return &byEAP{checks: true} }

type byEAP struct {
	checks bool
	status Status
}

func (b *byEAP) Build(t *Transcript) (Step, error) {
	if !b.checks && t.PeerProved && t.User != nil {
		b.status = Done
	}
	return Step{Status: b.status}, nil
}

func (b *byEAP) Process(t *Transcript, in []wire.Payload) (Step, error) {
	if !b.checks {
		return Step{Status: b.status}, nil
	}
	switch a := findAuth(in); {
	case t.ByEAP:
		b.status = Done
	case a != nil:
		// "[T]he initiator MUST verify that payload and any associated certificates", and has nothing to do that with.
		// https://www.rfc-editor.org/rfc/rfc5998#section-3
		return Step{}, &MethodError{EAP: true, Got: a.Method}
	}
	return Step{Status: b.status}, nil
}

func (b *byEAP) Held() int { return 0 }

// ProvePSKFirst is [ProvePSK] of a responder whose peer proves itself by EAP, and hears nothing before it knows whom it talks to. Whoever
// calls gets a value to try passwords on.
func ProvePSKFirst(s Secret) Authenticator { return &prover{secret: s, value: pskValue, first: true} }
