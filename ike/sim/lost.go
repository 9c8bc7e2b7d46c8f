package sim

import (
	"encoding/binary"
	"slices"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// What the two hosts do about a peer that was lost: tokens that prove a restart at once (RFC 6290), and tickets with which an IKE SA
// is resumed (RFC 5723). And what the attacker does about those.

// resumeSize is more than an IKE_SESSION_RESUME message takes: it is never fragmented, and a ticket is part of it.
const resumeSize = 560

// lostPlan decides about tokens and tickets. It comes last, so that all else of a seed stays what it was.
func (p *plan) lostPlan(tokensA, tokensB, resume bool) {
	p.a.tokens, p.b.tokens = tokensA, tokensB
	p.a.cfg.Resumption, p.b.cfg.Resumption = resume, resume
	if resume && p.net.mtu > 0 {
		p.net.mtu = resumeSize
	}
}

// bootLost is what a host has of this after a start: its tokens are those of before, what it gave tickets with is gone.
func (h *Host) bootLost() {
	h.session = nil
	h.env.Tickets = ticket.NewKeyring(h.env.Nonce)
	if h.plan.tokens {
		h.env.CrashToken = func(spii, spir wire.SPI) []byte {
			b := binary.BigEndian.AppendUint64([]byte("token of "+h.name+"....."), uint64(spii))
			return binary.BigEndian.AppendUint64(b, uint64(spir))
		}
	}
}

// begin starts an IKE SA, with the session of the one that was lost if there is one.
func (h *Host) begin(path sa.Path, cfgs []*sa.ChildConfig) *sa.Machine {
	s := h.session
	h.session = nil
	if s == nil {
		return sa.NewInitiator(h.env, h.w.now, h.plan.cfg, path, cfgs)
	}
	h.w.check.stats.Resumptions++
	return sa.NewResumption(h.env, h.w.now, h.plan.cfg, path, cfgs, s)
}

// renumbered files a machine under its new SPI.
func (h *Host) renumbered(n *node, old wire.SPI) {
	if h.machines[old] == n {
		delete(h.machines, old)
	}
	if x := h.machines[n.m.LocalSPI()]; x != nil && x != n {
		h.w.fail("%s: two machines have the SPI %s", h.name, n.m.LocalSPI())
	}
	h.machines[n.m.LocalSPI()] = n
}

// closedLost looks at the end of an IKE SA: its session is kept where the peer was silent. A crash that is believed must have been
// one.
func (h *Host) closedLost(n *node, f *diag.Failure) {
	if f == nil {
		return
	}
	switch f.Code {
	case diag.CodeDPD, diag.CodeTimeout:
		h.session = n.session
	case diag.CodeSPI:
		h.w.check.stats.Crashes++
		if x := h.w.other(h).machines[n.m.PeerSPI()]; x != nil && x.m.State() != sa.StateClosed {
			h.w.fail("%s believes that IKE SA %d is lost, and the peer has it", h.name, n.m.ID())
		}
	}
}

// proofOfLoss is what a host adds to INVALID_IKE_SPI. The attacker reads it too.
func (h *Host) proofOfLoss(hd wire.Header) []wire.Payload {
	tokens := h.env.ProofOfLoss(hd, func(spi wire.SPI) bool { return h.machines[spi] != nil }, func(yield func(*sa.Machine) bool) {
		for _, n := range h.nodes() {
			if !yield(n.m) {
				return
			}
		}
	})
	x := &h.w.attacker
	x.tokens = append(x.tokens, tokens...)
	x.tokens = x.tokens[max(0, len(x.tokens)-attackerTokens):]
	return tokens
}

// attackerTokens is how many tokens the attacker remembers.
const attackerTokens = 4

// fish asks for the token of an IKE SA that was seen, as either side and from anywhere, and shows its owner the tokens that
// were overheard.
func (x *attacker) fish(d datagram) {
	w := x.w
	h, err := wire.ParseHeader(d.ike)
	if err != nil {
		return
	}
	h.Flags, h.Exchange, h.MessageID = wire.Flags(w.rng.IntN(2))*wire.FlagInitiator, wire.ExchangeInformational, w.rng.Uint32N(4)
	if w.rng.IntN(2) == 0 {
		h.SPIi, h.SPIr = h.SPIr, h.SPIi
	}
	q := d
	q.ike = wire.AppendProtected(nil, h, wire.PayloadNone, 40)
	if w.rng.IntN(2) == 0 {
		q.src = evil(w)
	}
	x.inject(q, "asks for a token")
	for _, t := range x.tokens {
		back := d
		back.ike = forge(d.ike, &wire.Notify{NotifyType: wire.NotifyInvalidIKESPI}, t)
		x.inject(back, "shows a token")
	}
}

// replayTicket sends a request with a ticket that was seen: as it was or with another SPI, from where it came or from elsewhere.
func (x *attacker) replayTicket() {
	w := x.w
	for _, d := range slices.Backward(x.sent) {
		h, err := wire.ParseHeader(d.ike)
		if err != nil || h.Exchange != wire.ExchangeIKESessionResume || h.Flags.Response() {
			continue
		}
		w.check.stats.TicketReplays++
		b := slices.Clone(d.ike)
		if w.rng.IntN(3) > 0 {
			binary.BigEndian.PutUint64(b, w.rng.Uint64()|1)
		}
		src := w.net.nat.leave(d.src)
		if w.rng.IntN(2) == 0 {
			src = evil(w)
		}
		x.inject(datagram{src: src, dst: d.dst, ike: b, forged: true}, "ticket replay")
		return
	}
}
