package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// NewResumption is [NewInitiator] with a session to resume. Whatever keeps it from being resumed, the machine begins from
// scratch with the same children. The session is good until SessionSpent is put out; no two machines may have it at a time.
func NewResumption(env *Env, now time.Time, cfg *Config, path Path, children []*ChildConfig, s *Session) *Machine {
	return newInitiator(env, now, cfg, path, children).begin(now, &resumeTask{s: s})
}

// resumeTries is how often the request is repeated before the IKE SA is set up from scratch: with the default timers 24 seconds.
// Silence may mean that the peer does not know the exchange.
const resumeTries = 3

// resumeTask is the IKE_SESSION_RESUME exchange.
type resumeTask struct {
	s      *Session
	cookie peerCookie
	// refusal is what somebody has answered in the clear.
	refusal *diag.Failure
}

func (t *resumeTask) name() string                        { return "IKE_SESSION_RESUME" }
func (t *resumeTask) exchange() wire.ExchangeType         { return wire.ExchangeIKESessionResume }
func (t *resumeTask) abandoned(m *Machine, now time.Time) {}
func (t *resumeTask) jar() *peerCookie                    { return &t.cookie }

func (t *resumeTask) silent(m *Machine, now time.Time, p *outstanding) bool {
	m.afresh(t.verdict(m, now, p))
	return true
}

func (t *resumeTask) verdict(m *Machine, now time.Time, p *outstanding) *diag.Failure {
	return diag.TicketNotAnswered(m.whereResumed())
}

func (t *resumeTask) ripe(m *Machine, now time.Time) sequel {
	if t.refusal != nil {
		if t.refusal.Notify == wire.NotifyTicketNack.String() {
			m.emit(SessionSpent{})
		}
		m.afresh(t.refusal)
		return sequelOver
	}
	return t.cookie.ripe(m)
}

func (t *resumeTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if why := t.obsolete(m, now); why != "" {
		m.emit(SessionSpent{})
		m.afresh(diag.TicketNotPresented(m.whereResumed(), why))
		return nil, false
	}
	if m.init.ni == nil {
		m.init.ni = m.env.Nonce(nonceLen)
	}
	payloads := append(t.cookie.payloads(), &wire.Nonce{Data: m.init.ni}, &wire.Notify{NotifyType: wire.NotifyTicketOpaque, Data: t.s.Ticket})
	payloads = append(payloads, natPayloads(m.localSPI, 0, m.path, m.cfg.ForceEncap)...)
	payloads = append(payloads, m.redirectNotifies()...)
	return append(payloads, m.initNotifies()...), true
}

// obsolete tells why a session does not fit the connection as it is configured now.
func (t *resumeTask) obsolete(m *Machine, now time.Time) string {
	s, c := t.s, m.cfg
	if w := m.withdrawn(now, s.Certs); w != nil {
		return w.Error()
	}
	mark, ok := m.credentialMark(s.LocalID, s.RemoteID)
	_, err := proposal.Choose(c.Proposals, []wire.Proposal{s.Chosen.Wire()}, proposal.Options{})
	_, matches := s.RemoteID.Matches(c.RemoteID)
	switch {
	case !c.Resumption:
		return "resumption = false"
	case c.SeveralRounds():
		return "the connection has several rounds of authentication now"
	case c.usesEAP():
		return "the connection has users now"
	case m.usesPPK():
		return "the connection has a PPK now"
	case c.Downgrade == policy.DowngradeRequired && !s.transcribed:
		return "the connection requires downgrade prevention now"
	case !now.Before(s.Expires) || c.authOver(s.Authenticated, now):
		return "it has expired"
	case m.path.Remote.Addr().Unmap() != s.Gateway:
		return "it is for another gateway"
	case !ok || mark != s.mark:
		return "the secret has changed"
	case err != nil:
		return "the proposals have changed"
	case !matches || !m.ownIdentity().Equal(s.LocalID):
		return "the identities have changed"
	}
	return ""
}

// afresh goes on with IKE_SA_INIT, under another SPI: the peer may have a half-open IKE SA with this one.
func (m *Machine) afresh(why *diag.Failure) {
	m.init, m.resume, m.transcribed, m.peerSPI = initState{}, resumption{}, false, 0
	old := m.localSPI
	m.localSPI = m.env.NewSPI()
	m.emit(Renumbered{Old: old})
	m.emit(Failed{Failure: why})
	m.requeue(&initTask{})
}

// take believes any refusal that the peer does not contradict at once, since it costs no more than a complete handshake; what claims to
// be success proves itself in IKE_AUTH.
func (t *resumeTask) take(m *Machine, now time.Time, msg *wire.Message, datagram []byte, path Path) sequel {
	refusal := notify(msg.Payloads, wire.NotifyTicketNack)
	if refusal == nil {
		refusal = errorNotify(msg.Payloads)
	}
	if refusal != nil {
		if t.refusal == nil {
			m.initExchanged(now, msg, datagram, path)
			t.refusal = diag.TicketRefused(m.whereResumed(), refusal.NotifyType)
			t.refusal.Unproven = true
			m.pending.ripens(now)
		}
		return sequelNone
	}
	nonce, ok := find[*wire.Nonce](msg.Payloads)
	if !ok || msg.Header.SPIr == 0 {
		m.ignore(path, IgnoreMalformed, "IKE_SESSION_RESUME response without Nonce or SPI")
		return sequelNone
	}
	prf, err := suite.NewPRF(t.s.Chosen.PRF)
	if err == nil {
		err = checkNonce(prf, nonce.Data)
	}
	if err != nil {
		m.ignore(path, IgnoreMalformed, err.Error())
		return sequelNone
	}
	m.init.nr, m.init.peerMessage, m.peerSPI = slices.Clone(nonce.Data), datagram, msg.Header.SPIr
	if err := m.takeKeys(t.s.Chosen, t.s.Keys.D); err != nil {
		m.afresh(diag.NotResumed(m.whereResumed(), err))
		return sequelOver
	}
	m.transcribed = t.s.transcribed
	m.resume = resumption{active: true, own: t.s.LocalID, peer: t.s.RemoteID, since: t.s.Authenticated, until: t.s.Until, certs: t.s.Certs, reauthAt: t.s.ReauthAt}
	m.answered(now, msg, datagram, path)
	m.requeue(&authTask{})
	return sequelOver
}

// requestTicket asks for a ticket: in an IKE_AUTH request, of a resumed IKE SA as well, since the one that it was resumed with is
// used up, and after a rekeying. https://www.rfc-editor.org/rfc/rfc5723#section-4.1
func (m *Machine) requestTicket() []wire.Payload {
	if !m.cfg.Resumption || m.usesPPK() || m.cfg.SeveralRounds() || m.cfg.usesEAP() {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyTicketRequest}}
}

// ticketTask asks for a ticket of an IKE SA that a rekeying has brought about: the one there is holds older keys.
type ticketTask struct{}

func (ticketTask) name() string                        { return "session ticket" }
func (ticketTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (ticketTask) abandoned(m *Machine, now time.Time) {}
func (ticketTask) done(m *Machine, r *response)        { m.takeTicket(r) }
func (ticketTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	p := m.requestTicket()
	return p, len(p) > 0 && (m.state == StateEstablished || m.state == StateRekeying)
}

// renewTicket has a successor ask for a ticket when the side that it belongs to had one: that which began the first IKE SA of the
// line, and will begin the next.
func (m *Machine) renewTicket(now time.Time) {
	if m.resume.granted && !m.auth.responder {
		m.delayed = append(m.delayed, delayed{ticketTask{}, now})
	}
}

// takeTicket keeps the ticket of a response. TICKET_ACK and TICKET_NACK promise and refuse one; a peer that knows none
// of this says nothing.
func (m *Machine) takeTicket(r *response) {
	n := notify(r.payloads, wire.NotifyTicketLTOpaque)
	if n == nil || !m.cfg.Resumption || m.cfg.usesEAP() {
		return
	}
	lifetime, data, err := n.TicketLT()
	mark, ok := m.credentialMark(m.localID, m.remoteID)
	switch {
	case err != nil:
		m.ignore(r.path, IgnoreMalformed, err.Error())
		return
	case len(data) > maxPeerTicket:
		m.ignore(r.path, IgnoreMalformed, "a session ticket that is too long to be presented")
		return
	case !ok || lifetime <= 0:
		return
	}
	s := &Session{
		Ticket: slices.Clone(data), Expires: r.now.Add(min(lifetime, ticket.Lifetime)), Gateway: m.path.Remote.Addr().Unmap(),
		LocalID: m.localID, RemoteID: m.remoteID, Chosen: m.chosen, Authenticated: m.authenticatedAt(),
		ReauthAt: m.auth.reauthAt, mark: mark, transcribed: m.transcribed,
	}
	s.Until, s.Certs = m.provedUntil(), m.auth.certs
	s.Expires = earliest(s.Expires, s.Until)
	s.Keys.D = slices.Clone(m.keys.D)
	m.resume.granted = true
	m.emit(SessionGranted{Session: s})
}
