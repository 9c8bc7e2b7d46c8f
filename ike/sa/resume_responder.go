package sa

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// resumes reports whether a ticket from there could be good at all. Without, the exchange is an unknown one.
func resumes(env *Env, path Path) bool {
	return env.Tickets != nil &&
		slices.ContainsFunc(env.Connections(path.Local.Addr(), path.Remote.Addr()), func(c *Config) bool { return c.Resumption })
}

// acceptResume is [Accept] for IKE_SESSION_RESUME. A ticket that is not good for whatever reason is answered with TICKET_NACK,
// and nothing is kept: https://www.rfc-editor.org/rfc/rfc5723#section-4.3.2
func acceptResume(env *Env, now time.Time, msg *wire.Message, datagram []byte, path Path) Accepted {
	nonce, ok := find[*wire.Nonce](msg.Payloads)
	t := notify(msg.Payloads, wire.NotifyTicketOpaque)
	if !ok || t == nil || msg.Encrypted != nil {
		return Accepted{Ignored: &Ignored{Path: path, Reason: IgnoreMalformed, Detail: "IKE_SESSION_RESUME request without Nonce or ticket"}}
	}
	m := newMachine(env, now, &Config{}, path)
	m.peerSPI, m.path = msg.Header.SPIi, path
	if err := m.openTicket(now, t.Data); err != nil {
		f := diag.NotResumed(m.whereResumed().Answering(wire.NotifyTicketNack), err)
		return Accepted{Response: statelessAnswer(msg.Header, failing(wire.NotifyTicketNack)...), Failure: f}
	}
	// Whether the peer can be redirected is said again, section 5, and it is redirected as in IKE_SA_INIT. The ticket stays good.
	m.redirect = redirectsFrom(msg.Payloads)
	if answer, to, ok := redirectInit(msg.Header, msg.Payloads, m.candidates, path, nonce.Data); ok {
		return Accepted{Response: answer, RedirectedTo: to}
	}
	return m.acceptSession(now, msg, nonce, datagram)
}

// errConfig says that a ticket is authentic and does not fit what is configured now.
var errConfig = errors.New("the connection is configured otherwise than when the ticket was made")

// openTicket restores what a ticket says. The configuration decides today: a connection, a secret or a proposal that was taken
// away is not brought back by a ticket.
func (m *Machine) openTicket(now time.Time, b []byte) error {
	s, serial, err := m.env.Tickets.Open(now, b)
	if err != nil {
		return err
	}
	for _, c := range m.env.Connections(m.path.Local.Addr(), m.path.Remote.Addr()) {
		if c.Name == s.Connection && c.Resumption {
			m.cfg, m.candidates = c, []*Config{c}
		}
	}
	if m.candidates == nil || m.usesPPK() || m.cfg.SeveralRounds() || m.cfg.usesEAP() {
		return errConfig
	}
	own, err1 := identity.FromWire(s.IDr[0], s.IDr[1:])
	peer, err2 := identity.FromWire(s.IDi[0], s.IDi[1:])
	chosen, err3 := proposal.Choose(m.cfg.Proposals, []wire.Proposal{chosenOf(s).Wire()}, proposal.Options{PreferKE: s.KE})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, matches := peer.Matches(m.cfg.RemoteID)
	mark, ok := m.credentialMark(own, peer)
	switch {
	case !matches || !ok || mark != s.Mark || !m.ownIdentity().Equal(own) || s.Method != uint8(m.cfg.provedBy()):
		return errConfig
	case m.cfg.Downgrade == policy.DowngradeRequired && !s.Transcribed:
		return errConfig
	case m.cfg.authOver(s.Authenticated, now):
		return ticket.ErrExpired
	}
	certs := refsOf(s.Certs)
	if w := m.withdrawn(now, certs); w != nil {
		return w
	}
	m.resume = resumption{active: true, own: own, peer: peer, since: s.Authenticated, until: s.Until, certs: certs, serial: serial, of: wire.SPI(s.SPI)}
	m.chosen, m.keys.D, m.transcribed = chosen, s.SKd, s.Transcribed
	return nil
}

// chosenOf are the algorithms that a ticket names.
func chosenOf(s *ticket.State) proposal.Chosen {
	c := proposal.Chosen{
		Number: 1, Protocol: wire.ProtocolIKE, PRF: s.PRF, Integ: s.Integ, KE: s.KE,
		Encr: wire.Transform{Type: wire.TransformENCR, ID: s.Encr, KeyLength: s.KeyBits},
	}
	copy(c.AddKE[:], s.AddKE)
	return c
}

// acceptSession makes the half-open responder and its answer.
func (m *Machine) acceptSession(now time.Time, msg *wire.Message, nonce *wire.Nonce, datagram []byte) Accepted {
	fail := func(code diag.Code, err error) Accepted { return m.silently(code, wire.ExchangeIKESessionResume, err) }
	m.nat.forced = m.cfg.ForceEncap
	m.nat.detect(m.peerSPI, 0, m.path, msg.Payloads)
	m.frag.negotiated = m.cfg.Fragmentation && notify(msg.Payloads, wire.NotifyIKEv2FragmentationSupported) != nil
	m.init.ni, m.init.nr = slices.Clone(nonce.Data), m.env.Nonce(nonceLen)
	m.init.peerMessage, m.init.digest = datagram, sha256.Sum256(datagram)
	if err := m.takeKeys(m.chosen, m.keys.D); err != nil {
		return fail(diag.CodeInternal, err)
	}
	if err := checkNonce(m.prf, nonce.Data); err != nil {
		return fail(diag.CodeSyntax, err)
	}
	payloads := []wire.Payload{&wire.Nonce{Data: m.init.nr}}
	payloads = append(payloads, natPayloads(m.peerSPI, m.localSPI, m.path, m.cfg.ForceEncap)...)
	m.life.expireAt = now.Add(m.cfg.HalfOpenTimeout)
	m.halfOpen(now, msg, payloads)
	return Accepted{Machine: m}
}

// spendTicket uses a ticket up, now that the peer has proved that it is his. Before that anyone who has seen it on the way
// could have presented it. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.1
func (m *Machine) spendTicket(now time.Time) *diag.Failure {
	if !m.resume.active || m.env.Tickets.Spend(now, m.resume.serial) {
		return nil
	}
	return diag.NotResumed(m.whereResumed().Answering(wire.NotifyAuthenticationFailed), ticket.ErrSpent)
}

// asksForTicket reports whether a request is to be answered with a ticket, TICKET_ACK or TICKET_NACK: a responder "that supports
// this extension" has to, wherever the request comes. https://www.rfc-editor.org/rfc/rfc5723#section-4.1
func (m *Machine) asksForTicket(r *request) bool {
	return m.cfg.Resumption && notify(r.payloads, wire.NotifyTicketRequest) != nil
}

// givesTickets reports whether there is one for the peer. One that was called resumes nothing, and a user authenticates itself each time: a
// ticket would bring back one who was taken away since, or is in other groups.
func (m *Machine) givesTickets() bool {
	return m.auth.responder && m.env.Tickets != nil && !m.usesPPK() && !m.cfg.SeveralRounds() && !m.cfg.usesEAP()
}

// ticketLater answers TICKET_REQUEST where there can be no ticket: not yet, or not at all.
func (m *Machine) ticketLater(r *request, later bool) []wire.Payload {
	switch {
	case !m.asksForTicket(r):
		return nil
	case later && m.givesTickets():
		return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyTicketAck}}
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyTicketNack}}
}

// refuseTicket answers TICKET_REQUEST of a peer that is sent elsewhere.
func (m *Machine) refuseTicket(r *request) []wire.Payload { return m.ticketLater(r, false) }

// grantTicket answers TICKET_REQUEST in IKE_AUTH, in the rekeying of an IKE SA, where it is asked of the new one, and in
// INFORMATIONAL. It is called when the IKE SA is established. "The lifetime of the ticket sent by the gateway SHOULD be the minimum of
// the IKE SA lifetime (per the gateway's local policy) and its re-authentication time": https://www.rfc-editor.org/rfc/rfc5723#section-6.2
func (m *Machine) grantTicket(r *request) []wire.Payload {
	refuse := m.ticketLater(r, false)
	if refuse == nil || !m.givesTickets() {
		return refuse
	}
	mark, ok := m.credentialMark(m.localID, m.remoteID)
	if !ok {
		return refuse
	}
	expires := earliest(r.now.Add(ticket.Lifetime), m.life.expireAt)
	if t := m.cfg.ReauthTime; t > 0 {
		expires = earliest(expires, m.authenticatedAt().Add(t))
	}
	expires = earliest(expires, m.provedUntil())
	lifetime := expires.Sub(r.now)
	if lifetime < time.Second {
		return refuse
	}
	c := m.chosen
	b, err := m.env.Tickets.Seal(r.now, expires, &ticket.State{
		Connection: m.cfg.Name, IDi: idOctets(m.remoteID), IDr: idOctets(m.localID),
		Encr: c.Encr.ID, KeyBits: c.Encr.KeyLength, PRF: c.PRF, Integ: c.Integ, KE: c.KE, AddKE: c.AddKE[:], SKd: m.keys.D, SPI: uint64(m.localSPI),
		Method: uint8(m.cfg.provedBy()), Mark: mark, Authenticated: m.authenticatedAt(), Until: m.provedUntil(), Certs: certNames(m.auth.certs),
		Transcribed: m.transcribed,
	})
	if err != nil {
		return refuse
	}
	return []wire.Payload{wire.NewTicketLTOpaque(lifetime, b)}
}

func idOctets(id identity.Identity) []byte { return append([]byte{uint8(id.Type)}, id.Data...) }
