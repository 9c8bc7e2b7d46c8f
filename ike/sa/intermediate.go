package sa

import (
	"fmt"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// intermediate is where a new IKE SA is with its additional key exchanges. Each takes an IKE_INTERMEDIATE exchange (RFC
// 9242) between IKE_SA_INIT and IKE_AUTH, and changes all keys of the SA (RFC 9370 section 2.2.2):
//
//	HDR, SK {KEi(n)}  -->
//	                  <--  HDR, SK {KEr(n)}
//
// Both messages go under the keys from before; whatever follows has the new ones. Nothing of this is authenticated before
// IKE_AUTH, whose AUTH payloads cover every octet of it by IntAuth.
type intermediate struct {
	methods []uint16 // still to be made, in order
	done    int      // exchanges made
	// own and peer are IntAuth_i(n) and IntAuth_r(n) of the exchanges made, by side; ownNext and peerNext those that the
	// exchange under way will have.
	own, peer, ownNext, peerNext []byte
	// next are the keys that come into force behind the answer.
	next *suite.Keys
}

// announcesIntermediate reports whether the sender of an IKE_SA_INIT message does IKE_INTERMEDIATE.
// https://www.rfc-editor.org/rfc/rfc9242#section-3.1
func announcesIntermediate(payloads []wire.Payload) bool {
	return notify(payloads, wire.NotifyIntermediateExchangeSupported) != nil
}

// offerIntermediate announces the exchange when the offer has a type for additional key exchanges: without, the peer has to pass
// over the proposal, even if the type is NONE. https://www.rfc-editor.org/rfc/rfc9370#section-2.2.1
func (m *Machine) offerIntermediate() []wire.Payload {
	if !proposal.HasAdditional(m.cfg.Proposals) {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyIntermediateExchangeSupported}}
}

// acceptIntermediate is the responder's half. The answer needs it for NONE as well, which it has where that was offered: "If the
// IKE_INTERMEDIATE exchange is not negotiated, then the peers MUST treat any ADDKE Transform Types in the IKE_SA_INIT exchange
// messages as unknown transform types". https://www.rfc-editor.org/rfc/rfc9370#section-2.2.1
func (m *Machine) acceptIntermediate(request []wire.Payload) []wire.Payload {
	if !announcesIntermediate(request) || !m.chosen.HasAdditional() {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyIntermediateExchangeSupported}}
}

// afterInit is what an initiator does after IKE_SA_INIT, and after each IKE_INTERMEDIATE.
func (m *Machine) afterInit() task {
	if len(m.inter.methods) > 0 {
		return &intermediateTask{}
	}
	return &authTask{}
}

// allowsIntermediate is part of the per-state filter of a half-open responder. Requests beyond the number that was agreed
// on pass it: they are answered with an error.
func (m *Machine) allowsIntermediate(x wire.ExchangeType) bool {
	return x == wire.ExchangeIKEIntermediate && len(m.chosen.Additional()) > 0
}

// premature is the failure of an IKE_AUTH request before all the key exchanges are made: skipping them would yield a weaker
// IKE SA than was negotiated.
func (m *Machine) premature() *diag.Failure {
	if len(m.inter.methods) == 0 {
		return nil
	}
	return diag.Unexpected(m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyInvalidSyntax),
		"IKE_INTERMEDIATE with "+groupName(m.inter.methods[0]), "IKE_AUTH before it")
}

// countOwn and countPeer note what a whole message contributes to IntAuth. They see a message once at least; a repetition
// gives the same.
func (m *Machine) countOwn(h wire.Header, first wire.PayloadType, plain []byte) {
	if h.Exchange == wire.ExchangeIKEIntermediate {
		m.inter.ownNext = m.intAuthChunk(m.ownP(), m.inter.own, wholeHead(h, first), plain)
	}
}

func (m *Machine) countPeer(msg *wire.Message, datagram []byte, first wire.PayloadType, plain []byte) {
	if msg.Header.Exchange != wire.ExchangeIKEIntermediate {
		return
	}
	head := datagram[:msg.Encrypted.AADLen]
	if msg.Encrypted.Fragment {
		if head = m.frag.head; head == nil {
			head = wholeHead(msg.Header, first)
		}
		m.frag.head = nil
	}
	m.inter.peerNext = m.intAuthChunk(m.peerP(), m.inter.peer, head, plain)
}

// wholeHead are the octets of a message from its header to the generic header of its SK payload, as they are or would be
// if it went in one piece: "The prf calculations MUST be applied to whole messages only, before possible IKE
// fragmentation." https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
func wholeHead(h wire.Header, first wire.PayloadType) []byte {
	return wire.AppendProtected(nil, h, first, 0)
}

func (m *Machine) intAuthChunk(skp, prev, head, plain []byte) []byte {
	a, err := suite.IntAuthA(head, len(plain))
	if err != nil {
		// A message that the parser took ends its clear part with an SK payload, and ours do.
		panic(fmt.Sprintf("BUG: IntAuth of a message: %v", err))
	}
	return suite.IntAuthChunk(m.prf, skp, prev, a, plain)
}

// intAuth is what the octets to be signed end in. IKE_AUTH_MID, the id of the first IKE_AUTH exchange, follows those of
// IKE_SA_INIT (0) and the IKE_INTERMEDIATE exchanges.
func (m *Machine) intAuth() []byte {
	i, r := m.inter.own, m.inter.peer
	if !m.initiator {
		i, r = r, i
	}
	return suite.IntAuth(i, r, uint32(m.inter.done)+1)
}

// finishIntermediate ends an exchange whose secret is shared: the keys that follow are computed, and come into force with
// switchKeys.
//
//	SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)
//
// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.2
func (m *Machine) finishIntermediate(shared []byte) error {
	keys, err := suite.UpdateKeys(m.chosen, m.keys, shared, m.init.ni, m.init.nr, m.spii(), m.spir())
	if err != nil {
		return err
	}
	m.inter.next = &keys
	return nil
}

// switchKeys puts the keys of an IKE_INTERMEDIATE exchange in force, once its answer is sent or received.
func (m *Machine) switchKeys() {
	x := &m.inter
	if x.next == nil {
		return
	}
	if err := m.useKeys(*x.next); err != nil {
		panic(fmt.Sprintf("BUG: keys of a suite that is in use: %v", err))
	}
	x.next, x.own, x.peer, x.ownNext, x.peerNext = nil, x.ownNext, x.peerNext, nil, nil
	x.methods, x.done = x.methods[1:], x.done+1
}

// affordsIntermediate reports whether the next key exchange can be made now. The peer is not authenticated yet.
func (m *Machine) affordsIntermediate(now time.Time, path Path) bool {
	if len(m.inter.methods) == 0 || m.env.admit(now, m.path, m.inter.methods[0], true) == AdmitNow {
		return true
	}
	m.ignore(path, IgnoreBudget, wire.TransformName(wire.TransformKE, m.inter.methods[0]))
	return false
}

// handleIntermediate is the responder's side.
func (m *Machine) handleIntermediate(r *request) []wire.Payload {
	w := m.where(r.header.Exchange).Answering(wire.NotifyInvalidSyntax)
	ke, f := m.checkIntermediate(w, r.payloads)
	if f != nil {
		return m.refuseIntermediate(f)
	}
	x, err := m.exchange(r.now, KeyExchange{Group: ke.Group, Peer: ke.Data})
	switch {
	case err == errWaits:
		return nil
	case err != nil:
		return m.refuseIntermediate(keFailure(w, err))
	}
	if err := m.finishIntermediate(x.Shared); err != nil {
		return m.refuseIntermediate(diag.Internal(w, err))
	}
	return append([]wire.Payload{&wire.KE{Group: ke.Group, Data: x.Public}}, m.announceLater()...)
}

// refuseIntermediate ends a half-open SA, as an error in IKE_AUTH does: "Sections 2.21.1 and 2.21.2 of [RFC7296] describe how
// errors are handled". https://www.rfc-editor.org/rfc/rfc9242#section-3.4
func (m *Machine) refuseIntermediate(f *diag.Failure) []wire.Payload {
	m.closing = &Closed{Reason: "IKE_INTERMEDIATE refused", Failure: f}
	return failing(wire.NotifyInvalidSyntax)
}

// checkIntermediate finds the KE payload of either message. Its method must be that of the additional key exchange which
// is next: https://www.rfc-editor.org/rfc/rfc9370#section-2.2.2
func (m *Machine) checkIntermediate(w diag.Where, payloads []wire.Payload) (*wire.KE, *diag.Failure) {
	if len(m.inter.methods) == 0 {
		return nil, diag.Unexpected(w, "IKE_AUTH, all key exchanges being made", "another IKE_INTERMEDIATE")
	}
	want := groupName(m.inter.methods[0])
	ke, ok := find[*wire.KE](payloads)
	switch {
	case !ok:
		return nil, diag.Unexpected(w, "a KE payload for "+want, "an IKE_INTERMEDIATE message without KE")
	case ke.Group != m.inter.methods[0]:
		return nil, diag.WrongKEGroup(w.At(m.cfg.ProposalsLine), want, groupName(ke.Group))
	}
	return ke, nil
}

// intermediateTask is one IKE_INTERMEDIATE exchange of the initiator.
type intermediateTask struct{ ke suite.KeyExchange }

func (t *intermediateTask) name() string                        { return "IKE_INTERMEDIATE" }
func (t *intermediateTask) exchange() wire.ExchangeType         { return wire.ExchangeIKEIntermediate }
func (t *intermediateTask) abandoned(m *Machine, now time.Time) {}

func (t *intermediateTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	ke, err := m.generate(now, m.inter.methods[0])
	if err == errWaits {
		return nil, false
	}
	if err != nil {
		m.close(now, "key exchange", keFailure(m.where(t.exchange()), err))
		return nil, false
	}
	t.ke = ke
	return []wire.Payload{&wire.KE{Group: ke.Group(), Data: ke.Public()}}, true
}

func (t *intermediateTask) done(m *Machine, r *response) {
	if n := errorNotify(r.payloads); n != nil {
		m.close(r.now, "peer answered "+n.NotifyType.String(), m.peerRefusedIntermediate(n))
		return
	}
	w := m.where(r.header.Exchange)
	ke, f := m.checkIntermediate(w, r.payloads)
	if f != nil {
		m.close(r.now, "a bad answer to IKE_INTERMEDIATE", f)
		return
	}
	step, err := m.exchange(r.now, KeyExchange{Group: ke.Group, Own: t.ke, Peer: ke.Data})
	if err == errWaits {
		return
	}
	if err == nil {
		err = m.finishIntermediate(step.Shared)
	}
	if err != nil {
		m.close(r.now, "a bad answer to IKE_INTERMEDIATE", keFailure(w, err))
		return
	}
	m.sig.announced(r.payloads)
	m.switchKeys()
	m.requeue(m.afterInit())
}

// peerRefusedIntermediate is an error notify instead of the peer's public value.
func (m *Machine) peerRefusedIntermediate(n *wire.Notify) *diag.Failure {
	return diag.Refused(m.whereProposals(wire.ExchangeIKEIntermediate), n.NotifyType,
		diag.Offer{Proposals: proposalTexts(m.cfg.Proposals), Request: "a KE payload for " + groupName(m.inter.methods[0])})
}
