package sa

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

const hybrid = "aes256gcm16-prfsha384-x25519-ke1_mlkem768"

// ikeProposals gives both sides IKE proposals.
func ikeProposals(t *testing.T, a, b string) func(ca, cb *Config) {
	return func(ca, cb *Config) {
		ca.Proposals = mustProposals(t, wire.ProtocolIKE, strings.Split(a, ",")...)
		cb.Proposals = mustProposals(t, wire.ProtocolIKE, strings.Split(b, ",")...)
	}
}

// requests lists the exchanges that a side has begun, with the message ids that the wire has seen.
func requestsOf(e *end) (out []string) {
	for _, o := range e.events {
		if x, ok := o.(ExchangeDone); ok && x.Initiated {
			out = append(out, fmt.Sprintf("%d %s", x.MessageID, x.Exchange))
		}
	}
	return out
}

// RFC 9370 section 2.2.2 and RFC 9242: each additional key exchange is an IKE_INTERMEDIATE exchange between IKE_SA_INIT and
// IKE_AUTH, in order; the sides have the same keys afterwards, and different ones after each.
func TestIntermediate(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       []string
		methods    []uint16
	}{
		{"one", hybrid, hybrid, []string{"0 IKE_SA_INIT", "1 IKE_INTERMEDIATE", "2 IKE_AUTH"}, []uint16{wire.KE_ML_KEM_768}},
		{"1024, not AEAD", "aes256-sha512-ecp384-ke3_mlkem1024", "aes256-sha512-ecp384-ke3_mlkem1024",
			[]string{"0 IKE_SA_INIT", "1 IKE_INTERMEDIATE", "2 IKE_AUTH"}, []uint16{wire.KE_ML_KEM_1024}},
		{"a PRF with a fixed key", "aes128-sha1-prfaesxcbc-x25519-ke1_mlkem768", "aes128-sha1-prfaesxcbc-x25519-ke1_mlkem768",
			[]string{"0 IKE_SA_INIT", "1 IKE_INTERMEDIATE", "2 IKE_AUTH"}, []uint16{wire.KE_ML_KEM_768}},
		{"three, of several kinds", hybrid + "-ke2_ecp256-ke7_mlkem1024", hybrid + "-ke2_ecp256-ke7_mlkem1024",
			[]string{"0 IKE_SA_INIT", "1 IKE_INTERMEDIATE", "2 IKE_INTERMEDIATE", "3 IKE_INTERMEDIATE", "4 IKE_AUTH"},
			[]uint16{wire.KE_ML_KEM_768, wire.KE_ECP_256, wire.KE_ML_KEM_1024}},
		{"optional, and the peer does not", hybrid + "-ke1_none", "aes256gcm16-prfsha384-x25519", []string{"0 IKE_SA_INIT", "1 IKE_AUTH"}, nil},
		{"two proposals, and the peer has the second", hybrid + ",aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519",
			[]string{"0 IKE_SA_INIT", "1 IKE_AUTH"}, nil},
		{"the responder has more", "aes256gcm16-prfsha384-x25519", hybrid + "-ke1_none", []string{"0 IKE_SA_INIT", "1 IKE_AUTH"}, nil},
		{"another first group", "aes256gcm16-prfsha384-ecp256-x25519-ke1_mlkem768", hybrid,
			[]string{"0 IKE_SA_INIT", "0 IKE_SA_INIT", "1 IKE_INTERMEDIATE", "2 IKE_AUTH"}, []uint16{wire.KE_ML_KEM_768}},
	} {
		for _, fragmentation := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, fragmentation %v", c.name, fragmentation), func(t *testing.T) {
				r := newRig(t, 90, func(a, b *Config) {
					ikeProposals(t, c.a, c.b)(a, b)
					a.Fragmentation, b.Fragmentation = fragmentation, fragmentation
				})
				var keys []suite.Keys
				r.a.env.ExportKeys = true
				r.drop = func(e *end, d []byte) bool {
					if x := headerOf(d).Exchange; fragmentation && x != wire.ExchangeIKESAInit && len(d) > e.cfg.FragmentSize {
						t.Errorf("%s of %d octets", x, len(d))
					}
					return false
				}
				r.a.cookie, r.b.cookie = true, true
				r.a.connect()
				r.run(5 * time.Second)
				ma, mb := r.wantUp(1)
				want := slices.Concat([]string{"0 IKE_SA_INIT"}, c.want) // the cookie
				if got := requestsOf(r.a); !slices.Equal(got, want) {
					t.Errorf("exchanges %v, want %v", got, want)
				}
				if !slices.Equal(ma.chosen.Additional(), c.methods) || !slices.Equal(mb.chosen.Additional(), c.methods) {
					t.Errorf("made %v and %v, want %v", ma.chosen.Additional(), mb.chosen.Additional(), c.methods)
				}
				for _, o := range r.a.events {
					if k, ok := o.(KeysDerived); ok {
						keys = append(keys, k.Keys)
					}
				}
				if len(keys) != len(c.methods)+1 {
					t.Fatalf("%d sets of keys", len(keys))
				}
				for i, k := range keys[1:] {
					for _, p := range [][2][]byte{{k.D, keys[i].D}, {k.Ei, keys[i].Ei}, {k.Er, keys[i].Er}, {k.Pi, keys[i].Pi}, {k.Pr, keys[i].Pr}} {
						if bytes.Equal(p[0], p[1]) {
							t.Error("an exchange has left a key as it was")
						}
					}
				}
				if !bytes.Equal(ma.keys.D, mb.keys.D) {
					t.Error("SK_d differs")
				}
				if len(r.a.failures)+len(r.b.failures) != 0 {
					t.Errorf("%v %v", r.a.failures, r.b.failures)
				}
			})
		}
	}
}

// A2: RFC 9242 section 3.3.2. The AUTH payloads cover the IKE_INTERMEDIATE messages of both sides, and how many there were.
func TestIntermediateIsAuthenticated(t *testing.T) {
	for name, change := range map[string]func(x *intermediate){
		"the initiator's": func(x *intermediate) { x.own[0] ^= 1 },
		"the responder's": func(x *intermediate) { x.peer[0] ^= 1 },
		"the number":      func(x *intermediate) { x.done++ },
		"all of them":     func(x *intermediate) { x.own, x.peer = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 91, ikeProposals(t, hybrid, hybrid))
			m := r.a.connect()
			for m.inter.done == 0 {
				// Between the two exchanges; the initiator has not computed its AUTH yet when its last IKE_INTERMEDIATE answer comes.
				if done := false; m.pending != nil {
					if _, done = m.pending.task.(*intermediateTask); done && len(r.wire) > 0 && r.wire[0].to == r.a {
						break
					}
				}
				r.step(r.now.Add(time.Second))
			}
			rb := r.b.all()[0]
			if rb.inter.done != 1 {
				t.Fatal("the responder is not between the exchanges")
			}
			// What the responder takes for the messages is not what the initiator does.
			rb.inter.own, rb.inter.peer = rb.inter.peer, rb.inter.own // as the initiator sees it
			change(&rb.inter)
			rb.inter.own, rb.inter.peer = rb.inter.peer, rb.inter.own
			r.run(time.Minute)
			r.b.wantFailure(diag.CodeAuthPSK)
			r.a.wantNothing()
			r.b.wantNothing()
		})
	}
}

// RFC 7383 and RFC 9242 section 3.3.2: IntAuth is the same whether a message went whole or in fragments, and one side may
// fragment while the other does not have to.
func TestIntermediateFragments(t *testing.T) {
	for _, sizes := range [][2]int{{150, 1280}, {1280, 150}, {200, 300}, {9000, 150}} {
		r := newRig(t, 92, func(a, b *Config) {
			ikeProposals(t, hybrid+"-ke2_mlkem1024", hybrid+"-ke2_mlkem1024")(a, b)
			a.FragmentSize, b.FragmentSize = sizes[0], sizes[1]
		})
		r.a.connect()
		r.run(5 * time.Second)
		r.wantUp(1)
	}
}

// Every message of IKE_INTERMEDIATE is lost once, and repeated later: the responder answers a repeated request, which is
// protected with the keys from before the exchange, by the same octets.
func TestIntermediateLoss(t *testing.T) {
	for _, size := range []int{1280, 300, 150} {
		r := newRig(t, 93, func(a, b *Config) {
			ikeProposals(t, hybrid+"-ke2_mlkem1024", hybrid+"-ke2_mlkem1024")(a, b)
			a.FragmentSize, b.FragmentSize = size, size
			a.HalfOpenTimeout, b.HalfOpenTimeout = 10*time.Minute, 10*time.Minute
		})
		seen, lost := map[string]bool{}, 0
		r.drop = func(e *end, d []byte) bool {
			h := headerOf(d)
			msg, err := wire.Parse(d)
			if err != nil || h.Exchange != wire.ExchangeIKEIntermediate {
				return false
			}
			k := fmt.Sprint(e.name, h.MessageID)
			if first := !seen[k]; first && (!msg.Encrypted.Fragment || msg.Encrypted.Number == 1) {
				seen[k] = true
				lost++
				return true
			}
			return false
		}
		r.a.connect()
		r.run(2 * time.Minute)
		r.wantUp(1)
		if lost != 4 {
			t.Errorf("%d messages lost", lost)
		}
	}
}

// A request of an earlier exchange that arrives once more, after the keys have changed, is ignored or answered as before,
// and changes nothing.
func TestIntermediateReplay(t *testing.T) {
	r := newRig(t, 94, ikeProposals(t, "aes256gcm16-prfsha384-x25519-ke1_ecp256-ke2_ecp384", "aes256gcm16-prfsha384-x25519-ke1_ecp256-ke2_ecp384"))
	var flights []flight
	r.drop = func(e *end, d []byte) bool {
		flights = append(flights, flight{to: r.other(e), path: e.path().Reversed(), data: d})
		return false
	}
	r.a.connect()
	for range 200 {
		for _, f := range slices.Clone(flights) {
			if headerOf(f.data).Exchange == wire.ExchangeIKEIntermediate {
				n := len(r.b.events)
				f.to.receive(f)
				for _, o := range r.b.events[n:] {
					if s, ok := o.(Send); ok && !headerOf(s.Datagram).Flags.Response() {
						t.Fatal("a replay brought about a request")
					}
				}
			}
		}
		flights = flights[len(flights):]
		if !r.step(r.now.Add(time.Second)) {
			break
		}
	}
	r.run(5 * time.Second)
	r.wantUp(1)
}

// Peers that cannot, will not, or do it wrong. Every failure names what was wanted and what came.
func TestIntermediateRefused(t *testing.T) {
	t.Run("the responder does not have the method", func(t *testing.T) {
		r := newRig(t, 95, ikeProposals(t, hybrid, "aes256gcm16-prfsha384-x25519"))
		r.a.connect()
		r.run(time.Minute)
		r.a.wantFailure(diag.CodeInitRefused)
		if f := r.b.wantFailure(diag.CodeProposalIKE); !strings.Contains(f.Differs, "ADDKE1") || !strings.Contains(f.Theirs, "ke1_mlkem768") {
			t.Errorf("%+v", f)
		}
	})
	t.Run("the initiator does not announce IKE_INTERMEDIATE", func(t *testing.T) {
		r := newRig(t, 95, ikeProposals(t, hybrid, hybrid))
		strip(r, r.a, wire.NotifyIntermediateExchangeSupported)
		r.a.connect()
		r.run(time.Minute)
		if f := r.b.wantFailure(diag.CodeProposalIKE); !strings.Contains(f.Differs, "IKE_INTERMEDIATE") {
			t.Errorf("%+v", f)
		}
	})
	t.Run("the responder chooses, and does not announce it", func(t *testing.T) {
		r := newRig(t, 95, ikeProposals(t, hybrid, hybrid))
		strip(r, r.b, wire.NotifyIntermediateExchangeSupported)
		r.a.connect()
		r.run(5 * time.Minute)
		if f := r.a.wantFailure(diag.CodeProposalIKE); !strings.Contains(f.Differs, "IKE_INTERMEDIATE") {
			t.Errorf("%+v", f)
		}
		r.a.wantNothing()
	})
	bad := func(name, role string, code diag.Code, edit func(p []wire.Payload) (wire.ExchangeType, []wire.Payload), text string) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 96, ikeProposals(t, hybrid, hybrid))
			m := r.a.connect()
			for m.state == StateConnecting {
				if p := m.pending; p != nil {
					if _, ok := p.task.(*intermediateTask); ok {
						break
					}
				}
				r.step(r.now.Add(time.Second))
			}
			if role == "initiator" {
				x, payloads := edit([]wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: m.pending.task.(*intermediateTask).ke.Public()}})
				task := m.pending.task
				r.wire, m.pending, m.window.nextSend = nil, nil, 1
				m.launch(r.now, task, nil)
				m.Outputs()
				m.pending.datagrams = m.seal(wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: x, Flags: m.flags(), MessageID: 1}, payloads)
				m.transmit(r.now, m.pending)
				r.a.drain(m)
				r.run(time.Minute)
				f := r.b.wantFailure(code)
				if f.Notify != "INVALID_SYNTAX" || !strings.Contains(f.Ours+f.Theirs+fmt.Sprint(f.Cause), text) {
					t.Errorf("%+v", f)
				}
			} else {
				r.b.desk.carryOut = func(KeyExchange) Result { return Exchanged{Public: make([]byte, 1000)} }
				rb := r.b.all()[0]
				_, payloads := edit([]wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: make([]byte, 1088)}})
				r.run(0)
				h := wire.Header{SPIi: rb.spii(), SPIr: rb.spir(), Major: 2, Exchange: wire.ExchangeIKEIntermediate, Flags: wire.FlagResponse, MessageID: 1}
				for _, d := range rb.seal(h, payloads) {
					m.Receive(r.now, d, r.a.path())
				}
				r.a.drain(m)
				f := r.a.wantFailure(code)
				if !strings.Contains(f.Ours+f.Theirs+f.Notify+fmt.Sprint(f.Cause), text) {
					t.Errorf("%+v", f)
				}
			}
			r.run(5 * time.Minute)
			r.a.wantNothing()
			r.b.wantNothing()
		})
	}
	same := func(p ...wire.Payload) func([]wire.Payload) (wire.ExchangeType, []wire.Payload) {
		return func([]wire.Payload) (wire.ExchangeType, []wire.Payload) { return wire.ExchangeIKEIntermediate, p }
	}
	for _, role := range []string{"initiator", "responder"} {
		bad(role+" sends no KE", role, diag.CodeSyntax, same(&wire.Nonce{Data: make([]byte, 32)}), "without KE")
		bad(role+" sends nothing", role, diag.CodeSyntax, same(), "without KE")
		bad(role+" sends another method", role, diag.CodeKEGroup, same(&wire.KE{Group: wire.KE_ML_KEM_1024, Data: make([]byte, 1568)}), "ML_KEM_1024")
		bad(role+" sends a value of a wrong length", role, diag.CodeKEValue, same(&wire.KE{Group: wire.KE_ML_KEM_768, Data: make([]byte, 1000)}), "1000 octets")
	}
	bad("the encapsulation key has a coefficient that is not less than q", "initiator", diag.CodeKEValue,
		same(&wire.KE{Group: wire.KE_ML_KEM_768, Data: bytes.Repeat([]byte{0xff}, 1184)}), "not less than q")
	bad("IKE_AUTH comes before the key exchange", "initiator", diag.CodeSyntax, func(p []wire.Payload) (wire.ExchangeType, []wire.Payload) {
		return wire.ExchangeIKEAuth, []wire.Payload{&wire.ID{IDType: wire.IDFQDN, Data: []byte("a.example")}, &wire.Auth{Method: wire.AuthSharedKey, Data: make([]byte, 48)}}
	}, "IKE_AUTH before it")
	bad("the peer answers with an error", "responder", diag.CodeSyntax, same(&wire.Notify{NotifyType: wire.NotifyInvalidSyntax}), "INVALID_SYNTAX")
	bad("the peer answers with another error", "responder", diag.CodePeerError, same(&wire.Notify{NotifyType: wire.NotifyNoAdditionalSAs}), "NO_ADDITIONAL_SAS")

	t.Run("more of them than were agreed on", func(t *testing.T) {
		r := newRig(t, 97, ikeProposals(t, hybrid, hybrid))
		m := r.a.connect()
		for m.inter.done == 0 {
			r.step(r.now.Add(time.Second))
		}
		r.wire, m.pending, m.queue = nil, nil, nil
		m.window.nextSend = 2
		m.launch(r.now, &raw{x: wire.ExchangeIKEIntermediate}, []wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: make([]byte, 1184)}})
		r.a.drain(m)
		r.run(time.Second)
		r.b.wantFailure(diag.CodeSyntax)
		r.b.wantNothing()
	})
	t.Run("without having been agreed on", func(t *testing.T) {
		r := newRig(t, 98, nil)
		m := r.a.connect()
		for m.opener == nil {
			r.step(r.now.Add(time.Second))
		}
		r.wire, m.pending, m.queue = nil, nil, nil
		m.window.nextSend = 1
		m.launch(r.now, &raw{x: wire.ExchangeIKEIntermediate}, []wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: make([]byte, 1184)}})
		r.a.drain(m)
		r.run(time.Second)
		if rb := r.b.all()[0]; rb.window.nextRecv != 1 || rb.state != StateConnecting {
			t.Error("it was looked at")
		}
		r.run(time.Minute)
		r.b.wantFailure(diag.CodeHalfOpen)
	})
	t.Run("the initiator goes away between them", func(t *testing.T) {
		r := newRig(t, 99, ikeProposals(t, hybrid+"-ke2_mlkem1024", hybrid+"-ke2_mlkem1024"))
		r.drop = func(e *end, d []byte) bool {
			h := headerOf(d)
			return e == r.a && h.MessageID == 2
		}
		r.a.connect()
		r.run(time.Minute)
		r.b.wantFailure(diag.CodeHalfOpen)
		r.b.wantNothing()
		r.run(3 * time.Minute)
		r.a.wantFailure(diag.CodeTimeoutAuth)
		r.a.wantNothing()
	})
}

// strip takes a notify out of the IKE_SA_INIT messages of a side, as a peer that does not know it would.
func strip(r *rig, from *end, n wire.NotifyType) {
	r.translate = func(f *flight) {
		if headerOf(f.data).Exchange != wire.ExchangeIKESAInit || f.to == from {
			return
		}
		msg, err := wire.Parse(f.data)
		if err != nil {
			r.t.Fatal(err)
		}
		msg.Payloads = slices.DeleteFunc(msg.Payloads, func(p wire.Payload) bool {
			x, ok := p.(*wire.Notify)
			return ok && x.NotifyType == n
		})
		f.data = msg.Append(nil)
	}
}
