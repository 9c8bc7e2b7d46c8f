package sa

import (
	"net/netip"
	"slices"

	"esplanade/ike/wire"
)

// edit has other payloads travel in the messages that a side sends in an exchange, requests or answers: a peer that does what
// this package would not, and does it under the right keys. In the clear, it may as well be somebody on the way.
// It returns how many messages were changed.
func (r *rig) edit(from *end, x wire.ExchangeType, response bool, change func(ps []wire.Payload) []wire.Payload) *int {
	n := new(int)
	next := r.drop
	r.drop = func(e *end, d []byte) bool {
		h := headerOf(d)
		if e != from || h.Exchange != x || h.Flags.Response() != response {
			return next != nil && next(e, d)
		}
		m := e.machines[LocalSPIOf(wire.Header{SPIi: h.SPIi, SPIr: h.SPIr, Flags: h.Flags ^ wire.FlagInitiator})]
		if m == nil {
			r.t.Fatalf("%s has no machine for its own message", e.name)
		}
		if !Opens(x) && m.sealer == nil {
			return false // the last word of a machine that has forgotten its keys
		}
		*n++
		var data []byte
		if Opens(x) {
			msg, err := wire.Parse(slices.Clone(d))
			if err != nil {
				r.t.Fatal(err)
			}
			msg.Payloads = change(msg.Payloads)
			data = msg.Append(nil)
		} else {
			data = resealed(r.t, m, d, change)
		}
		r.wire = append(r.wire, flight{to: r.other(e), path: m.path.Reversed(), data: data, at: r.now.Add(r.delay)})
		return true
	}
	return n
}

// swap gives the payloads with each of type T as change leaves it.
func swap[T wire.Payload](change func(T)) func([]wire.Payload) []wire.Payload {
	return func(ps []wire.Payload) []wire.Payload {
		for _, p := range ps {
			if x, ok := p.(T); ok {
				change(x)
			}
		}
		return ps
	}
}

// connections are those that a side has for everybody.
func (e *end) connections(list ...*Config) {
	e.env.Connections = func(_, _ netip.Addr) []*Config { return list }
}
