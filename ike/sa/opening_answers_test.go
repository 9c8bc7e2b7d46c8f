package sa

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// An answer in the clear that comes from another host than was asked is nobody's: it is neither taken nor believed, be it the
// peer's own answer that somebody has sent on.
func TestAnswerFromElsewhere(t *testing.T) {
	for _, x := range []wire.ExchangeType{wire.ExchangeIKESAInit, wire.ExchangeIKESessionResume} {
		t.Run(x.String(), func(t *testing.T) {
			r := newResumeRig(t, 30, nil)
			var s *Session
			if x == wire.ExchangeIKESessionResume {
				s = r.lost()
			}
			elsewhere := 0
			r.translate = func(f *flight) {
				if f.to == r.a && headerOf(f.data).Exchange == x {
					f.path.Remote = netip.AddrPortFrom(netip.MustParseAddr("203.0.113.66"), f.path.Remote.Port())
					elsewhere++
				}
			}
			var m *Machine
			if s != nil {
				m = r.a.resume(s)
			} else {
				m = r.a.connect()
			}
			r.run(time.Second)
			if elsewhere == 0 {
				t.Fatal("nobody has answered")
			}
			if m.State() != StateConnecting || m.peerSPI != 0 || m.pending == nil || m.pending.task.exchange() != x {
				t.Errorf("%s, the peer's SPI is %s", m.State(), m.peerSPI)
			}
			if n := r.a.ignored(IgnoreUnauthentic); n != elsewhere {
				t.Errorf("%d of %d answers were counted", n, elsewhere)
			}
			r.translate = nil
			r.run(10 * time.Second)
			r.wantUp(1)
		})
	}
}

// A demand for another group costs a key exchange, and anybody can send one: there are only so many, however many groups are
// offered.
func TestDemandsForGroupsAreBounded(t *testing.T) {
	groups := []uint16{wire.KE_CURVE25519, wire.KE_ECP_256, wire.KE_ECP_384, wire.KE_ECP_521, wire.KE_MODP_2048, wire.KE_MODP_3072}
	r := newRig(t, 31, func(a, b *Config) {
		a.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256-ecp384-ecp521-modp2048-modp3072")
	})
	made := 0
	r.a.desk.carryOut = func(k KeyExchange) Result { made++; return k.CarryOut() }
	n := 0
	r.drop = func(e *end, d []byte) bool {
		if e == r.a {
			n++
			g := groups[n%len(groups)]
			h := headerOf(d)
			h.Flags = wire.FlagResponse
			m := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{byte(g >> 8), byte(g)}}}}
			r.wire = append(r.wire, flight{to: r.a, path: r.a.path(), data: m.Append(nil), at: r.now.Add(r.delay)})
		}
		return true
	}
	r.a.connect()
	r.run(5 * time.Minute)
	if made > 1+maxInvalidKERetries {
		t.Errorf("%d key exchanges", made)
	}
	r.a.wantNothing()
}

// An answer chooses: one proposal, one transform of each type, and the public value of the group that it chooses. Anything else
// is not taken, and a good answer still is.
func TestAnswerThatDoesNotChoose(t *testing.T) {
	two := "aes128gcm16-prfsha256-x25519-ecp256"
	for name, change := range map[string]func(ps []wire.Payload) []wire.Payload{
		"two proposals": swap(func(sa *wire.SA) {
			again := sa.Proposals[0]
			again.Number++
			sa.Proposals = append(sa.Proposals, again)
		}),
		"two groups": swap(func(sa *wire.SA) {
			p := &sa.Proposals[0]
			p.Transforms = append(slices.Clone(p.Transforms), wire.Transform{Type: wire.TransformKE, ID: wire.KE_ECP_256})
		}),
		"a group without its value": swap(func(sa *wire.SA) {
			for i, x := range sa.Proposals[0].Transforms {
				if x.Type == wire.TransformKE {
					sa.Proposals[0].Transforms[i].ID = wire.KE_ECP_256
				}
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 32, func(a, b *Config) { a.Proposals = mustProposals(t, wire.ProtocolIKE, two) })
			n := r.edit(r.b, wire.ExchangeIKESAInit, true, change)
			m := r.a.connect()
			r.run(time.Second)
			if *n == 0 || m.State() != StateConnecting || m.peerSPI != 0 {
				t.Errorf("%d answers: %s, the peer's SPI is %s", *n, m.State(), m.peerSPI)
			}
			r.drop = nil
			r.run(10 * time.Second)
			r.wantUp(1)
		})
	}
}

// The same of an answer that makes a CHILD SA.
func TestChildAnswerThatDoesNotChoose(t *testing.T) {
	for name, c := range map[string]struct {
		change func(ps []wire.Payload) []wire.Payload
		code   diag.Code
	}{
		"two proposals": {swap(func(sa *wire.SA) {
			again := sa.Proposals[0]
			again.Number++
			sa.Proposals = append(sa.Proposals, again)
		}), diag.CodeProposalChild},
		"two groups": {swap(func(sa *wire.SA) {
			p := &sa.Proposals[0]
			p.Transforms = append(slices.Clone(p.Transforms), wire.Transform{Type: wire.TransformKE, ID: wire.KE_ECP_256})
		}), diag.CodeProposalChild},
		"a group without its value": {swap(func(sa *wire.SA) {
			for i, x := range sa.Proposals[0].Transforms {
				if x.Type == wire.TransformKE {
					sa.Proposals[0].Transforms[i].ID = wire.KE_ECP_256
				}
			}
		}), diag.CodeKEGroup},
		"the value of another group": {swap(func(ke *wire.KE) { ke.Group = wire.KE_ECP_256 }), diag.CodeKEGroup},
		"SPI 0":                      {swap(func(sa *wire.SA) { sa.Proposals[0].SPI = make([]byte, 4) }), diag.CodeProposalChild},
		"SPI 255":                    {swap(func(sa *wire.SA) { sa.Proposals[0].SPI = []byte{0, 0, 0, 255} }), diag.CodeSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 33, func(a, b *Config) {
				for _, x := range []*Config{a, b} {
					x.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes128gcm16-x25519-ecp256")
					second := *x.Children[0]
					second.Name = "second"
					second.Proposals = append([]proposal.Proposal(nil), second.Proposals...)
					x.Children = append(x.Children, &second)
				}
				a.Children[1].LocalTS, a.Children[1].RemoteTS = mustTS(t, "10.11.0.0/16"), mustTS(t, "10.12.0.0/16")
				b.Children[1].LocalTS, b.Children[1].RemoteTS = mustTS(t, "10.12.0.0/16"), mustTS(t, "10.11.0.0/16")
			})
			n := r.edit(r.b, wire.ExchangeCreateChildSA, true, c.change)
			r.a.connect()
			r.run(time.Second)
			if *n != 1 {
				t.Fatalf("%d answers were changed", *n)
			}
			r.a.wantFailure(c.code)
			r.wantUp(1)
		})
	}
}

// A request for a CHILD SA with an SPI that is reserved makes none: SPI 0 is how a datagram begins that is no ESP.
// https://www.rfc-editor.org/rfc/rfc4303#section-2.1
func TestReservedSPIOfRequest(t *testing.T) {
	for _, spi := range [][]byte{{0, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 0, 255}} {
		r := newRig(t, 34, nil)
		r.edit(r.a, wire.ExchangeIKEAuth, false, swap(func(sa *wire.SA) { sa.Proposals[0].SPI = spi }))
		r.a.connect()
		r.run(time.Second)
		if len(r.b.inbound)+len(r.b.outbound) != 0 {
			t.Errorf("SPI % x: %d inbound, %d outbound", spi, len(r.b.inbound), len(r.b.outbound))
		}
	}
}

// A cookie "MUST be between 1 and 64 octets in length (inclusive)": another one is not sent back.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.6
func TestCookieOfAnyLength(t *testing.T) {
	for length, taken := range map[int]bool{0: false, 1: true, maxCookieLen: true, maxCookieLen + 1: false, 1000: false} {
		r := newRig(t, 35, nil)
		f := firstInit(t, r)
		back := false
		r.drop = func(e *end, d []byte) bool {
			if m, err := wire.Parse(d); err == nil && e == r.a && m.Header.Exchange == wire.ExchangeIKESAInit {
				back = back || notify(m.Payloads, wire.NotifyCookie) != nil
			}
			return true
		}
		r.wire = nil // nobody else answers
		h := headerOf(f.data)
		h.Flags = wire.FlagResponse
		m := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyCookie, Data: make([]byte, length)}}}
		r.a.receive(flight{to: r.a, path: r.a.path(), data: m.Append(nil)})
		r.run(5 * time.Second)
		if back != taken {
			t.Errorf("a cookie of %d octets: sent back is %v", length, back)
		}
	}
}
