package sa

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// answering is a CREATE_CHILD_SA request of the peer that has been answered, and whose additional key exchanges are under
// way (see series for the messages). The SA is made when the last of them is answered.
type answering struct {
	link    []byte // names it in the peer's next request
	methods []uint16
	secrets [][]byte
	begun   time.Time
	expires time.Time
	// request is the message id of the CREATE_CHILD_SA request.
	request uint32
	lowest  []byte // of the nonces of both sides, for collisions
	// One of the two is what it is about.
	child *answeredChild
	ike   *answeredIKE
}

// answeredChild is all that a CHILD SA is made of on the responder's side, but for the additional secrets.
type answeredChild struct {
	cfg            *ChildConfig
	chosen         proposal.Chosen
	ts             selector.Pair
	spi, peerSPI   uint32
	shared, ni, nr []byte
	old            *Child // what it replaces, or nil
}

// answeredIKE is the same for an IKE SA.
type answeredIKE struct {
	chosen         proposal.Chosen
	spi, peerSPI   wire.SPI
	shared, ni, nr []byte
}

const (
	// followupTimeout is how long the peer may take for its next request: "5-20 seconds of waiting time should be
	// appropriate in most cases". https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4
	followupTimeout = 20 * time.Second
	// maxAnswering bounds the series of the peer. One more makes the oldest go: a peer with a window of one that begins
	// another has forgotten one, or leaves them half done.
	maxAnswering = 8
	// linkLen is the length of our links. They only have to differ.
	linkLen = 8
)

// await keeps a request until its additional key exchanges are done, and completes the answer.
func (m *Machine) await(r *request, p *answering, methods []uint16, answer []wire.Payload) []wire.Payload {
	p.methods, p.begun, p.request = methods, r.now, r.header.MessageID
	for _, o := range slices.Clone(m.answering) {
		// A second request for the same takes the place of the first, which the peer has given up.
		if o.ike != nil && p.ike != nil || o.child != nil && p.child != nil && p.child.old != nil && o.child.old == p.child.old {
			m.dropAnswering(o)
		}
	}
	if len(m.answering) >= maxAnswering {
		m.dropAnswering(m.answering[0])
	}
	m.answering = append(m.answering, p)
	return append(answer, m.expect(r.now, p))
}

// expect makes the link to the peer's next request.
func (m *Machine) expect(now time.Time, p *answering) wire.Payload {
	p.link, p.expires = m.env.Nonce(linkLen), now.Add(followupTimeout)
	return &wire.Notify{NotifyType: wire.NotifyAdditionalKeyExchange, Data: p.link}
}

// running reports whether the series has neither ended nor been dropped.
func (p *answering) running(m *Machine) bool { return p != nil && slices.Contains(m.answering, p) }

// dropAnswering forgets a series, if there is one.
func (m *Machine) dropAnswering(p *answering) {
	if !p.running(m) {
		return
	}
	m.forgetAnswering(p)
	if p.child != nil {
		m.env.ReleaseSPI(p.child.spi)
	}
}

func (m *Machine) dropAllAnswering() {
	for len(m.answering) > 0 {
		m.dropAnswering(m.answering[0])
	}
}

// answeringFor finds the peer's series that replaces a child.
func (m *Machine) answeringFor(old *Child) *answering {
	for _, p := range m.answering {
		if p.child != nil && p.child.old == old {
			return p
		}
	}
	return nil
}

// peerCreates reports whether the peer is making a child of a configuration that replaces none.
func (m *Machine) peerCreates(cfg *ChildConfig) bool {
	return slices.ContainsFunc(m.answering, func(p *answering) bool { return p.child != nil && p.child.old == nil && p.child.cfg == cfg })
}

// peerRekeysIKE reports whether the peer is replacing the IKE SA. It refuses what we would ask for meanwhile.
func (m *Machine) peerRekeysIKE() bool {
	return m.window.parked.rekeysIKE() || slices.ContainsFunc(m.answering, func(p *answering) bool { return p.ike != nil })
}

func (m *Machine) answeringTimeout() (t time.Time) {
	for _, p := range m.answering {
		t = earliest(t, p.expires)
	}
	return t
}

// advanceAnswering drops the series whose next request has not come. Rekeyings that we had left to the peer are due again.
func (m *Machine) advanceAnswering(now time.Time) {
	for _, p := range slices.Clone(m.answering) {
		if now.Before(p.expires) {
			continue
		}
		m.dropAnswering(p)
		switch {
		case p.ike != nil:
			if m.state == StateEstablished && m.life.rekeyAt.IsZero() && m.cfg.RekeyTime > 0 {
				m.rekeyIKELater(now)
			}
		case p.child.old != nil:
			if old := p.child.old; old.State == ChildInstalled && old.rekeyAt.IsZero() && old.Config.RekeyTime > 0 {
				m.retryRekey(now, old)
			}
		}
	}
}

// handleFollowup answers an IKE_FOLLOWUP_KE request.
func (m *Machine) handleFollowup(r *request) []wire.Payload {
	p := m.linked(r.payloads)
	if p == nil {
		// The answer to a request for which there is no state. https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4
		return failing(wire.NotifyStateNotFound)
	}
	_, ending := m.ending()
	ending = ending || m.state == StateDeleting || m.state == StateRekeyed
	if ending || p.child != nil && p.child.old != nil && !p.child.old.live() || p.ike != nil && m.busyWithChildren() {
		// As for a CREATE_CHILD_SA request: https://www.rfc-editor.org/rfc/rfc7296#section-2.25
		m.dropAnswering(p)
		return failing(wire.NotifyTemporaryFailure)
	}
	ke, ok := find[*wire.KE](r.payloads)
	switch {
	case !ok:
		return m.refuseSyntax(r, "an IKE_FOLLOWUP_KE request without KE")
	case ke.Group != p.methods[0]:
		return m.refuseSyntax(r, "an IKE_FOLLOWUP_KE request with "+wire.TransformName(wire.TransformKE, ke.Group)+
			" where "+wire.TransformName(wire.TransformKE, p.methods[0])+" was agreed on")
	}
	x, err := m.exchange(r.now, KeyExchange{Group: ke.Group, Peer: ke.Data})
	if err == errWaits {
		p.expires = r.now.Add(keyExchangeTime + followupTimeout) // the peer does not keep us waiting
		return nil
	}
	if badValue(err) {
		return m.refuseSyntax(r, "a bad key exchange value: "+err.Error())
	}
	if err != nil {
		return m.failFollowup(r, p, err)
	}
	answer := []wire.Payload{&wire.KE{Group: ke.Group, Data: x.Public}}
	p.secrets, p.methods = append(p.secrets, x.Shared), p.methods[1:]
	if len(p.methods) > 0 {
		return append(answer, m.expect(r.now, p))
	}
	if p.ike != nil {
		err = m.finishIKE(r, p)
	} else {
		err = m.finishChild(r, p)
	}
	if err != nil {
		return m.failFollowup(r, p, err)
	}
	return answer
}

// linked finds the series that a request belongs to.
func (m *Machine) linked(payloads []wire.Payload) *answering {
	n := notify(payloads, wire.NotifyAdditionalKeyExchange)
	if n == nil {
		return nil
	}
	for _, p := range m.answering {
		if bytes.Equal(p.link, n.Data) {
			return p
		}
	}
	return nil
}

func (m *Machine) failFollowup(r *request, p *answering, err error) []wire.Payload {
	m.dropAnswering(p)
	m.emit(Failed{Failure: keFailure(m.where(r.header.Exchange), err)})
	return failing(wire.NotifyTemporaryFailure)
}

// finishChild makes the child of a series that is done.
func (m *Machine) finishChild(r *request, p *answering) error {
	a := p.child
	c, err := m.makeAnswered(r.now, a, p.secrets...)
	if err != nil {
		return err
	}
	m.forgetAnswering(p)
	m.installInbound(c)
	if a.old == nil {
		m.switchOutbound(c)
		m.emit(ChildUp{Child: c})
		m.noteTwin(r.now, p.request, p.begun, c)
		return nil
	}
	// As in answerChild and handleRekeyChild.
	c.outboundPending = true
	if t, ok := doing[*rekeyChildTask](m); ok && t.old == a.old {
		t.rival = c
	} else {
		m.supersede(r.now, a.old, c)
	}
	return nil
}

// finishIKE makes the IKE SA of a series that is done.
func (m *Machine) finishIKE(r *request, p *answering) error {
	a := p.ike
	fresh, err := m.spawn(r.now, false, a.spi, a.peerSPI, a.chosen, a.shared, a.ni, a.nr, p.secrets...)
	if err != nil {
		return err
	}
	m.forgetAnswering(p)
	m.takeRekeyed(r.now, fresh, p.lowest)
	return nil
}

// forgetAnswering takes a series off the list whose SPI is in use now.
func (m *Machine) forgetAnswering(p *answering) {
	if i := slices.Index(m.answering, p); i >= 0 {
		m.answering = slices.Delete(m.answering, i, i+1)
	}
}

// makeAnswered keys the child of a request that has been accepted.
func (m *Machine) makeAnswered(now time.Time, a *answeredChild, additional ...[]byte) (*Child, error) {
	c := &Child{Config: a.cfg, Protocol: a.chosen.Protocol, Mode: modeOf(a.cfg), TS: m.ownPart(a.cfg, a.old, a.ts), Path: m.espPath(), Chosen: a.chosen, predecessor: a.old}
	c.agreeOn(a.ts)
	if err := m.keyChild(c, a.spi, a.peerSPI, a.shared, a.ni, a.nr, additional...); err != nil {
		return nil, err
	}
	c.lowestNonce = lowest(a.ni, a.nr)
	m.addChild(now, c)
	return c, nil
}

// takeRekeyed puts an IKE SA to use that the peer's rekeying has brought about. When a rekeying of ours is in flight, it
// "SHOULD reply as usual, and SHOULD prepare to close redundant SAs and move inherited Child SAs later based on the nonces".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
func (m *Machine) takeRekeyed(now time.Time, fresh *Machine, low []byte) {
	if t, colliding := doing[*rekeyIKETask](m); colliding {
		t.rival, t.rivalLowest, fresh.rivalOf = fresh, low, m
		m.emit(Spawned{Machine: fresh})
		return
	}
	m.handOver(now, fresh)
	// The peer deletes the old SA; should it never do so, its lifetime ends soon.
	m.life.expireAt = now.Add(supersededTime)
}

// childAnswer is the SA payload of an answer for a child.
func childAnswer(chosen proposal.Chosen, spi uint32) wire.Payload {
	p := chosen.Wire()
	p.SPI = binary.BigEndian.AppendUint32(nil, spi)
	return &wire.SA{Proposals: []wire.Proposal{p}}
}
