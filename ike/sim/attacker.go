package sim

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"

	"esplanade/ike/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

// attacker sees every datagram and can send anything from anywhere, but has no keys.
type attacker struct {
	w *World
	// sent are datagrams as they left a host; arrived those that reached their receiver. Only the newest are kept.
	sent, arrived []datagram
	// tokens are those that a host has shown after a restart.
	tokens []wire.Payload
}

const attackerMemory = 64

func (x *attacker) init(w *World) { x.w = w }

func remember(list []datagram, d datagram) []datagram {
	if len(list) >= attackerMemory {
		list = slices.Delete(list, 0, attackerMemory/2)
	}
	return append(list, d)
}

func (x *attacker) overheard(d datagram) {
	if x.w.plan.attacks > 0 {
		x.sent = remember(x.sent, d)
	}
}

func (x *attacker) delivered(d datagram) {
	if x.w.plan.attacks > 0 {
		x.arrived = remember(x.arrived, d)
	}
}

// attack does one thing.
func (x *attacker) attack() {
	w := x.w
	if len(x.arrived) == 0 {
		return
	}
	w.check.stats.Attacks++
	d := x.arrived[w.rng.IntN(len(x.arrived))]
	d.forged = true
	switch w.rng.IntN(11) {
	case 0: // a replay from where the original came from
		x.inject(d, "replay")
	case 1: // a replay from elsewhere: it must not move anything
		// What its receiver could not take, because it had no keys yet, say, is new to it when it comes again, as if it had been late: it
		// moves what it moves from anywhere. Only the sender's next message, or its address, tells the difference.
		if src := evil(w); d.taken {
			d.src = src
		}
		x.inject(d, "replay, from elsewhere if it was taken")
	case 2: // a changed datagram
		d.ike = x.mangle(d.ike)
		x.inject(d, "mangled")
	case 3: // back to its sender
		d.src, d.dst = d.dst, d.src
		x.inject(d, "reflected")
	case 4: // an error in the clear about an SA that exists
		types := []wire.NotifyType{wire.NotifyInvalidIKESPI, wire.NotifyInvalidSPI, wire.NotifyInvalidSyntax,
			wire.NotifyAuthenticationFailed, wire.NotifyNoProposalChosen}
		d.ike = forge(d.ike, &wire.Notify{NotifyType: types[w.rng.IntN(len(types))]})
		x.inject(d, "forged notify")
	case 5: // a DELETE in the clear
		d.ike = forge(d.ike, &wire.Delete{Protocol: wire.ProtocolIKE})
		x.inject(d, "forged DELETE")
	case 6: // IKE_SA_INIT requests from many sources
		for range 5 {
			if b := x.initFlood(); b != nil {
				x.inject(datagram{src: evil(w), dst: netip.AddrPortFrom(addrB, 500), ike: b, forged: true}, "IKE_SA_INIT flood")
			}
		}
	case 7: // noise
		b := make([]byte, w.rng.IntN(200))
		for i := range b {
			b[i] = byte(w.rng.Uint32())
		}
		d.ike = b
		x.inject(d, "noise")
	case 8: // an answer to an IKE_SA_INIT request, before the real one or after it
		x.answerInit()
	case 9: // the token of an IKE SA of others
		x.fish(d)
	case 10: // a ticket that was seen
		x.replayTicket()
	}
}

// answerInit answers an IKE_SA_INIT request that was seen with something that could mislead its sender.
func (x *attacker) answerInit() {
	w := x.w
	for _, d := range slices.Backward(x.sent) {
		h, err := wire.ParseHeader(d.ike)
		if err != nil || h.Exchange != wire.ExchangeIKESAInit || h.Flags.Response() {
			continue
		}
		var p wire.Payload
		switch w.rng.IntN(4) {
		case 0:
			p = &wire.Notify{NotifyType: wire.NotifyNoProposalChosen}
		case 1:
			p = &wire.Notify{NotifyType: wire.NotifyCookie, Data: []byte("not a cookie of the responder")}
		case 2:
			p = &wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, byte(wire.KE_MODP_1024)}}
		case 3:
			p = &wire.Notify{NotifyType: wire.NotifyInvalidMajorVersion}
		}
		h.Flags = wire.FlagResponse
		m := wire.Message{Header: h, Payloads: []wire.Payload{p}}
		x.inject(datagram{src: d.dst, dst: w.net.nat.leave(d.src), ike: m.Append(nil), forged: true}, "forged answer")
		return
	}
}

// inject puts a datagram onto the wire behind the NAT's outside.
func (x *attacker) inject(d datagram, what string) {
	if x.w.ladder != nil {
		x.w.logf("attacker: %s: %s, %s -> %s", what, describe(d.ike), d.src, d.dst)
	}
	x.w.net.fly(d)
}

func evil(w *World) netip.AddrPort {
	return netip.AddrPortFrom(addrEvil, uint16(1024+w.rng.IntN(60000)))
}

// mangle changes a datagram: a bit, an octet, or its length.
func (x *attacker) mangle(b []byte) []byte {
	r := x.w.rng
	b = slices.Clone(b)
	if len(b) == 0 {
		return b
	}
	switch r.IntN(4) {
	case 0:
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	case 1:
		b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
	case 2:
		b = b[:r.IntN(len(b))]
	case 3:
		b = append(b, byte(r.Uint32()))
		if len(b) >= wire.HeaderLen {
			binary.BigEndian.PutUint32(b[24:], uint32(len(b)))
		}
	}
	return b
}

// forge makes an unprotected message with the header of a real one.
func forge(like []byte, ps ...wire.Payload) []byte {
	h, err := wire.ParseHeader(like)
	if err != nil {
		return like
	}
	h.Exchange = wire.ExchangeInformational
	m := wire.Message{Header: h, Payloads: ps}
	return m.Append(nil)
}

// initFlood makes an IKE_SA_INIT request like a real one that was seen, with an SPI of its own.
func (x *attacker) initFlood() []byte {
	for _, d := range x.sent {
		if h, err := wire.ParseHeader(d.ike); err == nil && h.Exchange == wire.ExchangeIKESAInit && !h.Flags.Response() {
			b := slices.Clone(d.ike)
			binary.BigEndian.PutUint64(b, x.w.rng.Uint64()|1)
			return b
		}
	}
	return nil
}
