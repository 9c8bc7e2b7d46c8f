package sa

import (
	"encoding/binary"
	"slices"
	"time"

	"esplanade/esp"
	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// childOffer is what this side proposes for a CHILD SA, kept until the answer comes.
type childOffer struct {
	cfg       *ChildConfig
	spi       uint32 // ours, inbound
	proposals []proposal.Proposal
	ts        selector.Pair
	nonce     []byte            // nil within IKE_AUTH, which has those of IKE_SA_INIT
	ke        suite.KeyExchange // nil without PFS
	inAuth    bool
	// part is what of the child is asked for, nil for all of it.
	part *selector.Pair
}

// newOffer reserves an SPI and draws up the proposal. old is the child to be replaced, or nil. Within IKE_AUTH there
// is no key exchange and the proposals carry no KE transform (https://www.rfc-editor.org/rfc/rfc7296#section-1.2).
func (m *Machine) newOffer(c *ChildConfig, trigger *selector.Packet, old *Child, inAuth bool) (*childOffer, error) {
	spi, err := m.env.AllocateSPI()
	if err != nil {
		return nil, err
	}
	o := &childOffer{cfg: c, spi: spi, proposals: c.Proposals, ts: m.offeredTS(c, trigger), inAuth: inAuth}
	if old != nil {
		// "Note that, when rekeying, the new Child SA SHOULD NOT have different Traffic Selectors and algorithms than the
		// old one." https://www.rfc-editor.org/rfc/rfc7296#section-2.8 Proposing what is in use keeps it so.
		o.ts = old.scope()
	}
	if inAuth {
		o.proposals = make([]proposal.Proposal, len(c.Proposals))
		for i, p := range c.Proposals {
			o.proposals[i] = p.WithoutKE()
		}
		return o, nil
	}
	o.nonce = m.env.Nonce(nonceLen)
	return o, nil
}

// prepareKE makes the private value for a group, if the proposals ask for one; old is the child to be replaced, or nil. The error is
// errWaits as long as it is not there.
func (o *childOffer) prepareKE(m *Machine, now time.Time, old *Child, d *demands) error {
	if o.inAuth || o.ke != nil {
		return nil
	}
	var good []uint16
	if old != nil {
		good = []uint16{old.demanded, old.Chosen.KE}
	}
	group, ok := d.guess(o.proposals, good...)
	if !ok {
		return nil
	}
	ke, err := m.generate(now, group)
	o.ke = ke
	return err
}

// protocol is that of all proposals of the offer.
func (o *childOffer) protocol() wire.ProtocolID { return o.proposals[0].Protocol }

func (o *childOffer) sa() *wire.SA {
	return offerSA(o.proposals, binary.BigEndian.AppendUint32(nil, o.spi))
}

// payloads are SA, Ni, KEi, TSi, TSr of a CREATE_CHILD_SA request.
func (o *childOffer) payloads() []wire.Payload {
	p := []wire.Payload{o.sa(), &wire.Nonce{Data: o.nonce}}
	if o.ke != nil {
		p = append(p, &wire.KE{Group: o.ke.Group(), Data: o.ke.Public()})
	}
	return append(p, toWireTS(false, o.ts.Local), toWireTS(true, o.ts.Remote))
}

// release gives the SPI back when no child comes of the offer.
func (o *childOffer) release(m *Machine) {
	if o.spi != 0 {
		m.env.ReleaseSPI(o.spi)
		o.spi = 0
	}
}

// takeAnswer makes a child of the answer to an offer and installs its inbound direction, or reports why there is none.
// The SPI is released in the latter case. There is neither while it waits for the key exchange. The caller decides when the outbound direction is used.
func (m *Machine) takeAnswer(r *response, o *childOffer, old *Child) (*Child, *diag.Failure) {
	c, f := m.acceptAnswer(r, o, old)
	if m.waiting() {
		return nil, nil
	}
	if f != nil {
		if _, created := find[*wire.SA](r.payloads); created && f.Code != diag.CodeDeleted {
			m.requeue(&rejectChildTask{spi: o.spi, protocol: o.protocol(), child: o.cfg.Name})
			o.spi = 0
		}
		o.release(m)
		m.emit(Failed{Failure: f, Child: o.cfg, Part: o.part})
		return nil, f
	}
	m.addChild(r.now, c)
	m.installInbound(c)
	return c, nil
}

// finishOffer is takeAnswer for a child that replaces none. The responder has installed its inbound direction before
// it answered, so that both directions can be used at once.
func (m *Machine) finishOffer(r *response, o *childOffer) {
	if c, _ := m.takeAnswer(r, o, nil); c != nil {
		m.switchOutbound(c)
		m.emit(ChildUp{Child: c})
	}
}

// acceptAnswer checks the answer to an offer against the offer.
func (m *Machine) acceptAnswer(r *response, o *childOffer, old *Child) (*Child, *diag.Failure) {
	x := r.header.Exchange
	w := m.where(x).Of(o.cfg.Name, o.cfg.Line)
	sa, ok1 := find[*wire.SA](r.payloads)
	tsi, tsr := findTS(r.payloads, false), findTS(r.payloads, true)
	if n := errorNotify(r.payloads); n != nil {
		// Also in addition to an SA payload: "[a]n implementation receiving a Notify payload with one of these types that it does not
		// recognize in a response MUST assume that the corresponding request has failed entirely".
		// https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1
		return nil, m.peerRefusedChild(x, o.cfg, o.ts, n)
	}
	var nr []byte
	if n, ok := find[*wire.Nonce](r.payloads); ok {
		nr = n.Data
	}
	if !ok1 || tsi == nil || tsr == nil || (!o.inAuth && nr == nil) {
		return nil, diag.Unexpected(w, "SA, nonce and traffic selectors", "an answer without one of them")
	}
	if err := checkNonce(m.prf, nr); !o.inAuth && err != nil {
		return nil, diag.Malformed(w, err)
	}
	chosen, err := proposal.Verify(o.proposals, sa.Proposals, proposal.Options{IgnoreKE: o.inAuth})
	if err != nil {
		return nil, m.childMismatch(w, o.cfg, err)
	}
	peerSPI, ok := parseChildSPI(chosen.SPI)
	if !ok {
		return nil, diag.Unexpected(w, "an SPI of four octets, above 255", "an invalid "+chosen.Protocol.String()+" SPI")
	}
	if slices.Contains(m.gone, childSPI{chosen.Protocol, peerSPI}) {
		return nil, diag.PeerDeleted(w, "the CHILD SA before its answer came")
	}
	ts := selector.Pair{Local: fromWireTS(tsi), Remote: fromWireTS(tsr)}
	if what := tsLimit(ts, o.ts); what != "" {
		return nil, m.tsLimitFailure(x, o.cfg, what)
	}
	// They "may be a subset of what the initiator of the Child SA proposed", and nothing else.
	// https://www.rfc-editor.org/rfc/rfc7296#section-1.3.3
	if len(ts.Local) == 0 || len(ts.Remote) == 0 || !selector.Covered(ts.Local, o.ts.Local) || !selector.Covered(ts.Remote, o.ts.Remote) {
		return nil, diag.SelectorsOutside(w.At(o.cfg.LocalTSLine), selectorTexts(o.ts), selectorTexts(ts))
	}
	part := m.ownPart(o.cfg, old, ts)
	if part.Empty() {
		return nil, diag.SelectorsOutside(w.At(o.cfg.LocalTSLine), selectorTexts(m.tsOf(o.cfg)), selectorTexts(ts))
	}
	if old != nil && !m.keepsScope(o.ts, ts) {
		return nil, narrower(w, old, o.ts, ts)
	}
	if f := m.taken(x, o.cfg, part); f != nil {
		return nil, f
	}
	shared, f := m.answerShared(r.now, x, o, chosen, r.payloads)
	if f != nil {
		return nil, f
	}
	ni := o.nonce
	if o.inAuth {
		ni, nr = m.firstNonces()
	}
	c := &Child{Config: o.cfg, Protocol: chosen.Protocol, Mode: modeOf(o.cfg), TS: part, Path: m.espPath(), Chosen: chosen, Initiator: true, predecessor: old}
	c.agreeOn(ts)
	if err := m.keyChild(c, o.spi, peerSPI, shared, ni, nr, r.secrets...); err != nil {
		return nil, diag.Internal(w, err)
	}
	c.lowestNonce = lowest(ni, nr)
	return c, nil
}

// answerShared finishes the key exchange of a CREATE_CHILD_SA request of ours, if there was one.
func (m *Machine) answerShared(now time.Time, x wire.ExchangeType, o *childOffer, chosen proposal.Chosen, payloads []wire.Payload) ([]byte, *diag.Failure) {
	if o.inAuth || chosen.KE == wire.KE_NONE {
		return nil, nil
	}
	w := m.where(x).Of(o.cfg.Name, o.cfg.ProposalsLine)
	ke, ok := find[*wire.KE](payloads)
	if !ok || o.ke == nil || ke.Group != chosen.KE || o.ke.Group() != chosen.KE {
		want, got := groupName(chosen.KE), "none: there is no KE payload"
		if o.ke != nil {
			want = groupName(o.ke.Group())
		}
		if ok {
			got = groupName(ke.Group)
		}
		return nil, diag.WrongKEGroup(w, want, got)
	}
	step, err := m.exchange(now, KeyExchange{Group: ke.Group, Own: o.ke, Peer: ke.Data})
	if err != nil {
		return nil, keFailure(w, err)
	}
	return step.Shared, nil
}

// firstNonces are those of IKE_SA_INIT, from which the first CHILD SA has its keys (RFC 7296 section 2.17).
func (m *Machine) firstNonces() (ni, nr []byte) { return m.init.ni, m.init.nr }

// keyChild derives the keys of both directions. KEYMAT is cut up with encryption before integrity and the SA
// from the initiator to the responder before the other, where the initiator is that of the exchange which creates the child.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.17
func (m *Machine) keyChild(c *Child, ownSPI, peerSPI uint32, shared, ni, nr []byte, additional ...[]byte) error {
	s := esp.Suite{
		Encr: c.Chosen.Encr.ID, KeyBits: int(c.Chosen.Encr.KeyLength), Integ: c.Chosen.Integ,
		ESN: c.Chosen.ESN == wire.ESN_ESN,
	}
	encrLen, integLen, err := s.KeyLen()
	if err != nil {
		return err
	}
	mat, err := suite.ChildKeyMat(m.prf, m.keys.D, shared, ni, nr, 2*(encrLen+integLen), additional...)
	if err != nil {
		return err
	}
	take := func(n int) []byte {
		k := mat[:n:n]
		mat = mat[n:]
		return k
	}
	ei, ai, er, ar := take(encrLen), take(integLen), take(encrLen), take(integLen)
	if !c.Initiator {
		ei, ai, er, ar = er, ar, ei, ai
	}
	c.Outbound = esp.OutboundConfig{SPI: peerSPI, Suite: s, Mode: c.Mode, EncrKey: ei, IntegKey: ai, Soft: c.Config.Soft, Hard: c.Config.Hard}
	c.Inbound = esp.InboundConfig{SPI: ownSPI, Suite: s, Mode: c.Mode, EncrKey: er, IntegKey: ar, ReplayWindow: c.Config.ReplayWindow}
	return nil
}

// addChild numbers a child and starts its lifetime.
func (m *Machine) addChild(now time.Time, c *Child) {
	c.ID = m.env.NextChild()
	c.Policy = c.ID
	if c.predecessor != nil {
		c.Policy = c.predecessor.Policy
	}
	c.State, c.Created = ChildInstalled, now
	c.origin = origin{c.Initiator, c.lowestNonce, m.id, m.window.unanswered()}
	if c.predecessor != nil {
		c.origin = c.predecessor.origin
	}
	m.settleSelectors(c)
	if t := c.Config.RekeyTime; t > 0 {
		c.rekeyAt = now.Add(jittered(t, c.Config.RandTime, m.env.Jitter()))
	}
	if t := c.Config.HardTime; t > 0 {
		c.expireAt = now.Add(t)
	}
	m.children = append(m.children, c)
	m.childlessUntil = time.Time{}
}

func (m *Machine) installInbound(c *Child) {
	c.inboundInstalled = true
	m.emit(InstallInbound{Child: c})
}

// switchOutbound makes c the SA that carries the traffic of its policy.
func (m *Machine) switchOutbound(c *Child) {
	c.outboundPending = false
	if c.outboundInstalled || c.State == ChildDeleting || c.State == ChildDeleted {
		return
	}
	c.outboundInstalled = true
	m.emit(InstallOutbound{Child: c})
}

// retire takes the outbound direction of a child away at once and lets the inbound one stay for packets on the way.
func (m *Machine) retire(now time.Time, c *Child) {
	c.State = ChildDeleted
	if c.outboundInstalled {
		c.outboundInstalled = false
		m.emit(RemoveOutbound{Child: c})
	}
	c.removeAt = now.Add(lateTraffic)
	if !c.inboundInstalled {
		m.forgetChild(c)
	}
}

// forgetChild takes what is left of a child away.
func (m *Machine) forgetChild(c *Child) {
	if c.outboundInstalled {
		c.outboundInstalled = false
		m.emit(RemoveOutbound{Child: c})
	}
	if c.inboundInstalled {
		c.inboundInstalled = false
		m.emit(RemoveInbound{Child: c})
	}
	c.State = ChildDeleted
	if i := slices.Index(m.children, c); i >= 0 {
		m.children = slices.Delete(m.children, i, i+1)
	}
	for _, o := range m.children {
		if o.predecessor == c {
			o.predecessor = nil
		}
		if o.successor == c {
			o.successor = nil
		}
	}
}

// removeChild ends a child with its IKE SA.
func (m *Machine) removeChild(c *Child, reason string, byPeer bool) {
	live := c.live()
	m.forgetChild(c)
	if live {
		m.emit(ChildDown{Child: c, Reason: reason, ByPeer: byPeer})
	}
}
