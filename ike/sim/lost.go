package sim

import (
	"encoding/binary"
	"slices"

	"esplanade/ike/wire"
)

// What the attacker does about what gateways have against lost peers: tokens that prove a restart at once (RFC 6290), and tickets with
// which an IKE SA is resumed (RFC 5723).

// overhear remembers the tokens that somebody has shown.
func (x *attacker) overhear(m *wire.Message) {
	for _, p := range m.Payloads {
		if n, ok := p.(*wire.Notify); ok && n.NotifyType == wire.NotifyQuickCrashDetection {
			x.tokens = append(x.tokens, n)
			x.tokens = x.tokens[max(0, len(x.tokens)-attackerTokens):]
		}
	}
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
