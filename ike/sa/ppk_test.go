package sa

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// ppks gives a side post-quantum preshared keys, as "id=key", or as "!id=key" for one that another connection has for itself.
func (e *end) ppks(pairs ...string) {
	keys, taken := map[string]string{}, map[string]bool{}
	for _, p := range pairs {
		id, key, _ := strings.Cut(p, "=")
		id, other := strings.CutPrefix(id, "!")
		keys[id], taken[id] = key, other
	}
	e.env.PPK = func(id string) ([]byte, bool) { k, ok := keys[id]; return []byte(k), ok }
	e.env.FreePPK = func(id string) bool { _, ok := keys[id]; return ok && !taken[id] }
	e.env.HasPPK = func() bool {
		for id := range keys {
			if !taken[id] {
				return true
			}
		}
		return false
	}
}

// ppkNotifies lists the notifications of RFC 8784 in the requests (>) of a side and in their answers (<).
func ppkNotifies(e *end) string {
	var out []string
	for _, o := range e.events {
		x, ok := o.(ExchangeDone)
		if !ok || !x.Initiated {
			continue
		}
		for _, w := range []string{"USE_PPK", "PPK_ID", "NO_PPK"} {
			for side, s := range map[string]string{">": x.Request, "<": x.Response} {
				if strings.Contains(s, "N("+w+")") {
					out = append(out, side+w)
				}
			}
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ") // USE_PPK is repeated with a cookie
}

// A13, RFC 8784 section 3: what two sides make of a PPK that either may have, insist on, or have another key for.
func TestPPK(t *testing.T) {
	type side struct {
		id       string // ppk_id
		required bool
		keys     []string
	}
	const opt, must = false, true
	office := []string{"office=key one"}
	for _, c := range []struct {
		name   string
		a, b   side
		up     bool
		used   bool
		aFails diag.Code
		bFails diag.Code
		wire   string
		names  []string // what the failures have to say between them
	}{
		{"both optional", side{"office", opt, office}, side{"office", opt, office}, true, true, "", "",
			"<PPK_ID <USE_PPK >NO_PPK >PPK_ID >USE_PPK", nil},
		{"both mandatory", side{"office", must, office}, side{"office", must, office}, true, true, "", "",
			"<PPK_ID <USE_PPK >PPK_ID >USE_PPK", nil},
		{"the responder takes any", side{"office", must, office}, side{"", opt, []string{"x=y", "office=key one"}}, true, true, "", "",
			"<PPK_ID <USE_PPK >PPK_ID >USE_PPK", nil},
		{"the responder requires any", side{"office", opt, office}, side{"", must, office}, true, true, "", "",
			"<PPK_ID <USE_PPK >NO_PPK >PPK_ID >USE_PPK", nil},
		{"neither", side{}, side{}, true, false, "", "", "", nil},
		{"another connection's PPK", side{"office", must, office}, side{"", must, []string{"x=y", "!office=key one"}}, false, false,
			diag.CodeAuthRefused, diag.CodePPK, "<USE_PPK >PPK_ID >USE_PPK", []string{`any PPK in [secrets.ppk] that no other connection names`}},
		{"another connection's PPK, optional", side{"office", opt, office}, side{"", opt, []string{"x=y", "!office=key one"}}, true, false, "", "",
			"<USE_PPK >NO_PPK >PPK_ID >USE_PPK", nil},
		{"no PPK but another connection's", side{"office", opt, office}, side{"", opt, []string{"!office=key one"}}, true, false, "", "",
			">USE_PPK", nil},

		{"optional, the responder has none", side{"office", opt, office}, side{}, true, false, "", "", ">USE_PPK", nil},
		{"optional, the initiator has none", side{}, side{"office", opt, office}, true, false, "", "", "", nil},
		{"optional, the initiator has no key for it", side{"office", opt, nil}, side{"office", opt, office}, true, false, "", "", "", nil},
		{"optional, the responder has another id", side{"office", opt, office}, side{"other", opt, []string{"other=key one"}}, true, false,
			"", "", "<USE_PPK >NO_PPK >PPK_ID >USE_PPK", nil},
		{"optional, known and not for this connection", side{"office", opt, office}, side{"other", opt, []string{"other=k", "office=key one"}},
			true, false, "", "", "<USE_PPK >NO_PPK >PPK_ID >USE_PPK", nil},

		{"mandatory, the responder has none", side{"office", must, office}, side{}, false, false, diag.CodePPK, "", "",
			[]string{`PPK "office" (ppk_required)`, "no USE_PPK", "ppk_required = false", "a.toml:7"}},
		{"mandatory, and no key here", side{"office", must, nil}, side{"office", opt, office}, false, false, diag.CodePPK, "", "",
			[]string{`PPK "office" (ppk_required), and have no key for it`}},
		{"mandatory, and no id here", side{"", must, office}, side{"office", opt, office}, false, false, diag.CodePPK, "", "",
			[]string{"any PPK"}},
		{"mandatory for the responder, the initiator has none", side{}, side{"office", must, office}, false, false, diag.CodeAuthRefused,
			diag.CodePPK, "", []string{`PPK "office" (ppk_required)`, "no USE_PPK", "b.toml:7", "a.example"}},
		{"mandatory for the responder, which has no key", side{"office", opt, office}, side{"office", must, nil}, false, false,
			diag.CodeAuthRefused, diag.CodePPK, ">USE_PPK", []string{"a PPK that is not known here"}},
		{"mandatory for the initiator, unknown to the responder", side{"office", must, office}, side{"other", opt, []string{"other=k"}},
			false, false, diag.CodeAuthRefused, diag.CodePPK, "<USE_PPK >PPK_ID >USE_PPK",
			[]string{`PPK "office"`, `PPK "other"`, "[secrets.ppk.NAME]"}},
		{"mandatory for the responder, unknown to it", side{"office", opt, office}, side{"other", must, []string{"other=k"}}, false, false,
			diag.CodeAuthRefused, diag.CodePPK, "<USE_PPK >NO_PPK >PPK_ID >USE_PPK", []string{`PPK "office"`, `PPK "other" (ppk_required)`}},

		{"another key, optional", side{"office", opt, office}, side{"office", opt, []string{"office=key two"}}, false, false,
			diag.CodeAuthRefused, diag.CodePPK, "<USE_PPK >NO_PPK >PPK_ID >USE_PPK", []string{`another key as PPK "office"`, "[secrets.ppk.NAME]"}},
		{"another key, mandatory", side{"office", must, office}, side{"office", must, []string{"office=key two"}}, false, false,
			diag.CodeAuthRefused, diag.CodeAuthPSK, "<USE_PPK >PPK_ID >USE_PPK", []string{`with PPK "office"`, "one of two keys differs"}},
	} {
		for _, proposals := range []string{"aes128gcm16-prfsha256-x25519", hybrid} {
			t.Run(c.name+", "+proposals, func(t *testing.T) {
				r := newRig(t, 130, func(a, b *Config) {
					ikeProposals(t, proposals, proposals)(a, b)
					a.PPKID, a.PPKRequired, a.PPKLine = c.a.id, c.a.required, "a.toml:7"
					b.PPKID, b.PPKRequired, b.PPKLine = c.b.id, c.b.required, "b.toml:7"
				})
				r.a.ppks(c.a.keys...)
				r.b.ppks(c.b.keys...)
				r.a.cookie, r.b.cookie = true, true
				r.a.connect()
				r.run(5 * time.Second)
				if !c.up {
					var all []string
					for _, x := range []struct {
						e    *end
						code diag.Code
					}{{r.a, c.aFails}, {r.b, c.bFails}} {
						if x.code == "" {
							if len(x.e.failures) != 0 {
								t.Errorf("%s: %v", x.e.name, x.e.failures)
							}
							continue
						}
						all = append(all, x.e.wantFailure(x.code).Error())
					}
					for _, want := range c.names {
						if text := strings.Join(all, "\n"); !strings.Contains(text, want) || strings.Contains(text, "key one") {
							t.Errorf("no %q in %s", want, text)
						}
					}
					r.run(2 * time.Minute)
					r.a.wantNothing()
					r.b.wantNothing()
					return
				}
				ma, mb := r.wantUp(1)
				if got := ppkNotifies(r.a); got != c.wire {
					t.Errorf("on the wire %q, want %q", got, c.wire)
				}
				want := ""
				if c.used {
					want = "office"
				}
				if a, b := ma.Snapshot().PPK, mb.Snapshot().PPK; a != want || b != want {
					t.Errorf("the PPKs in use are %q and %q, want %q", a, b, want)
				}
				if len(r.a.failures)+len(r.b.failures) != 0 {
					t.Errorf("%v %v", r.a.failures, r.b.failures)
				}
				if ma.ppk.secret != nil || ma.flow != nil || mb.flow != nil {
					t.Error("keys of the negotiation are kept")
				}
			})
		}
	}
}

// RFC 8784 section 3: SK_d, and with it the keys of all CHILD SAs and of the next IKE SA, depend on the PPK; those that
// protect the messages do not. A rekeying does not mix it in again, or SK_d would not be what section 2.18 of RFC 7296 says.
func TestPPKIsMixedOnce(t *testing.T) {
	for _, proposals := range []string{"aes128gcm16-prfsha256-x25519", hybrid} {
		t.Run(proposals, func(t *testing.T) {
			r := newRig(t, 131, func(a, b *Config) {
				ikeProposals(t, proposals, proposals)(a, b)
				a.PPKID, b.PPKID = "office", "office"
			})
			r.a.ppks("office=key")
			r.b.ppks("office=key")
			r.a.env.ExportKeys = true
			r.a.connect()
			r.run(5 * time.Second)
			ma, mb := r.wantUp(1)
			var last suite.Keys
			for _, o := range r.a.events {
				if k, ok := o.(KeysDerived); ok {
					last = k.Keys
				}
			}
			want, err := suite.MixPPK(ma.prf, []byte("key"), last)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(ma.keys.D, want.D) || !bytes.Equal(mb.keys.D, want.D) || bytes.Equal(want.D, last.D) {
				t.Error("SK_d is not that of the last key exchange with the PPK mixed in")
			}
			if !bytes.Equal(ma.keys.Ei, last.Ei) || !bytes.Equal(ma.keys.Er, last.Er) {
				t.Error("the keys of the messages have changed")
			}
			d := ma.keys.D
			ma.RekeyIKE(r.now)
			r.a.drain(ma)
			r.run(5 * time.Second)
			na, nb := r.wantUp(1)
			if na == ma || bytes.Equal(na.keys.D, d) || !bytes.Equal(na.keys.D, nb.keys.D) {
				t.Error("not rekeyed, or to different keys")
			}
			if na.Snapshot().PPK != "office" || nb.Snapshot().PPK != "office" {
				t.Error("the successors do not know that they depend on the PPK")
			}
			again, err := suite.MixPPK(na.prf, []byte("key"), na.keys)
			if err != nil || bytes.Equal(again.D, nb.keys.D) {
				t.Error("mixed in twice")
			}
			na.RekeyChild(r.now, na.Children()[0].ID)
			r.a.drain(na)
			r.run(5 * time.Second)
			r.wantUp(1)
		})
	}
}

// RFC 8784 section 3: what an initiator makes of answers that do not fit what was agreed on, and a responder of requests.
func TestPPKMessages(t *testing.T) {
	setup := func(t *testing.T, required bool) (*rig, *Machine) {
		r := newRig(t, 132, func(a, b *Config) { a.PPKID, b.PPKID, a.PPKRequired = "office", "office", required })
		r.a.ppks("office=key")
		r.b.ppks("office=key")
		return r, r.a.connect()
	}
	// untilAuth runs until IKE_AUTH of the initiator is on the wire, and returns the responder.
	untilAuth := func(r *rig) *Machine {
		for len(r.b.all()) == 0 || len(r.wire) == 0 || headerOf(r.wire[0].data).Exchange != wire.ExchangeIKEAuth {
			if !r.step(r.now.Add(time.Second)) {
				r.t.Fatal("no IKE_AUTH")
			}
		}
		return r.b.all()[0]
	}
	for _, required := range []bool{false, true} {
		t.Run(fmt.Sprintf("no PPK_IDENTITY in the answer, required %v", required), func(t *testing.T) {
			r, _ := setup(t, required)
			mb := untilAuth(r)
			r.step(r.now.Add(time.Second))
			r.wire[0].data = resealed(t, mb, r.wire[0].data, func(ps []wire.Payload) []wire.Payload {
				return withoutNotify(ps, wire.NotifyPPKIdentity)
			})
			r.run(10 * time.Second)
			// An initiator that can do without checks the responder's AUTH with the keys from before, which this one is not of.
			want := diag.CodeAuthPSK
			if required {
				want = diag.CodePPK
			}
			r.a.wantFailure(want)
			// The responder is told in an INFORMATIONAL exchange.
			if f := r.b.wantFailure(diag.CodeAuthRefused); !f.ByPeer || !strings.Contains(f.Error(), `with PPK "office"`) {
				t.Errorf("b reports %v", f)
			}
			r.a.wantNothing()
			r.b.wantNothing()
		})
	}
	t.Run("a forged answer without USE_PPK", func(t *testing.T) {
		r, m := setup(t, true)
		var good []byte
		r.drop = func(e *end, d []byte) bool {
			if h := headerOf(d); e == r.b && h.Exchange == wire.ExchangeIKESAInit && good == nil {
				good = slices.Clone(d)
				msg, err := wire.Parse(slices.Clone(d))
				if err != nil {
					t.Fatal(err)
				}
				msg.Payloads = slices.DeleteFunc(msg.Payloads, func(p wire.Payload) bool {
					n, ok := p.(*wire.Notify)
					return ok && n.NotifyType == wire.NotifyUsePPK
				})
				r.wire = append(r.wire, flight{to: r.a, path: m.path, data: msg.Append(nil), at: r.now.Add(r.delay)})
				r.wire = append(r.wire, flight{to: r.a, path: m.path, data: good, at: r.now.Add(2 * r.delay)})
				return true
			}
			return false
		}
		r.run(10 * time.Second)
		// It takes an attacker more than one forged datagram to keep two gateways apart: the good answer comes in time.
		ma, _ := r.wantUp(1)
		if ma.Snapshot().PPK != "office" {
			t.Error("no PPK")
		}
	})
	t.Run("PPK_IDENTITY that nobody has asked for", func(t *testing.T) {
		r := newRig(t, 133, nil)
		m := r.a.connect()
		mb := untilAuth(r)
		r.wire[0].data = resealed(t, m, r.wire[0].data, func(ps []wire.Payload) []wire.Payload {
			return append(ps, wire.NewPPKIdentity(wire.PPKIDFixed, []byte("office")), &wire.Notify{NotifyType: wire.NotifyNoPPKAuth, Data: []byte("x")})
		})
		r.step(r.now.Add(time.Second))
		r.wire[0].data = resealed(t, mb, r.wire[0].data, func(ps []wire.Payload) []wire.Payload {
			return append(ps, &wire.Notify{NotifyType: wire.NotifyPPKIdentity})
		})
		r.run(10 * time.Second)
		ma, _ := r.wantUp(1)
		if ma.Snapshot().PPK != "" {
			t.Error("a PPK")
		}
	})
	for name, edit := range map[string]func(ps []wire.Payload) []wire.Payload{
		"no PPK_IDENTITY": func(ps []wire.Payload) []wire.Payload { return withoutNotify(ps, wire.NotifyPPKIdentity) },
		"an empty PPK_IDENTITY": func(ps []wire.Payload) []wire.Payload {
			notify(ps, wire.NotifyPPKIdentity).Data = nil
			return withoutNotify(ps, wire.NotifyNoPPKAuth)
		},
		"an opaque id": func(ps []wire.Payload) []wire.Payload {
			notify(ps, wire.NotifyPPKIdentity).Data[0] = byte(wire.PPKIDOpaque)
			return withoutNotify(ps, wire.NotifyNoPPKAuth)
		},
		"NO_PPK_AUTH for another key": func(ps []wire.Payload) []wire.Payload {
			notify(ps, wire.NotifyPPKIdentity).Data[1]++
			notify(ps, wire.NotifyNoPPKAuth).Data[0]++
			return ps
		},
		"nothing in NO_PPK_AUTH": func(ps []wire.Payload) []wire.Payload {
			notify(ps, wire.NotifyPPKIdentity).Data[1]++
			notify(ps, wire.NotifyNoPPKAuth).Data = nil
			return ps
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, m := setup(t, false)
			untilAuth(r)
			r.wire[0].data = resealed(t, m, r.wire[0].data, edit)
			r.run(10 * time.Second)
			if len(r.b.failures) == 0 {
				t.Fatal("no failure")
			}
			f := r.b.failures[0]
			want := diag.CodePPK
			if strings.Contains(name, "NO_PPK_AUTH") {
				want = diag.CodeAuthPSK
			}
			if f.Code != want {
				t.Errorf("%v, want %s", f, want)
			}
			if f.Notify != "AUTHENTICATION_FAILED" {
				t.Errorf("answered %s", f.Notify)
			}
			r.a.wantFailure(diag.CodeAuthRefused)
			r.a.wantNothing()
			r.b.wantNothing()
		})
	}
}

func withoutNotify(ps []wire.Payload, t wire.NotifyType) []wire.Payload {
	return slices.DeleteFunc(ps, func(p wire.Payload) bool {
		n, ok := p.(*wire.Notify)
		return ok && n.NotifyType == t
	})
}

// resealed is a message of the machine with other payloads.
func resealed(t *testing.T, m *Machine, datagram []byte, edit func(ps []wire.Payload) []wire.Payload) []byte {
	t.Helper()
	msg, err := wire.Parse(slices.Clone(datagram))
	if err != nil || msg.Encrypted == nil || msg.Encrypted.Fragment {
		t.Fatalf("not a whole message: %v", err)
	}
	plain, err := m.sealer.Open(slices.Clone(datagram), msg.Encrypted.AADLen)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := wire.ParsePayloads(msg.Encrypted.First, plain, 0)
	if err != nil {
		t.Fatal(err)
	}
	ps = edit(ps)
	body := wire.AppendPayloads(nil, ps)
	return m.sealTo(wire.AppendProtected(nil, msg.Header, wire.FirstType(ps), m.sealer.BodyLen(len(body))), body)
}

// The responder says USE_PPK before it knows which connection it will be: one candidate with a PPK is enough, and what the
// other one then does without it is decided in IKE_AUTH. RFC 8784 section 3.
func TestPPKOfSeveralCandidates(t *testing.T) {
	for _, c := range []struct {
		id   string // of the initiator
		want string
	}{{"a.example", "office"}, {"z.example", ""}} {
		t.Run(c.id, func(t *testing.T) {
			r := newRig(t, 134, func(a, b *Config) {
				a.LocalID, a.PPKID = mustID(t, c.id), "office"
				b.PPKID, b.PPKRequired = "office", true
			})
			r.a.ppks("office=key")
			r.b.ppks("office=key", "other=key")
			second := *r.b.cfg
			second.Name, second.RemoteID, second.PPKID, second.PPKRequired = "second", mustID(t, "z.example"), "other", false
			for _, order := range [][]*Config{{r.b.cfg, &second}, {&second, r.b.cfg}} {
				r.b.env.Connections = func(_, _ netip.Addr) []*Config { return order }
				m := r.a.connect()
				r.run(5 * time.Second)
				ma, _ := r.wantUp(1)
				if ma.Snapshot().PPK != c.want {
					t.Errorf("PPK %q, want %q", ma.Snapshot().PPK, c.want)
				}
				m.Delete(r.now, "again")
				r.a.drain(m)
				r.run(5 * time.Second)
			}
		})
	}
}

// "[I]f a PPK was configured but was not used for a particular IKE SA, then implementations SHOULD audit this event", each side for itself.
// https://www.rfc-editor.org/rfc/rfc8784#section-6-10
func TestUnusedPPKIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		a, b   string
		ka, kb bool
		want   [2]int
	}{
		"both have it": {"ppk", "ppk", true, true, [2]int{0, 0}}, "neither": {"", "", false, false, [2]int{0, 0}},
		"the initiator": {"ppk", "", true, false, [2]int{1, 0}}, "the responder": {"", "ppk", false, true, [2]int{0, 1}},
	} {
		r := newRig(t, 1, func(a, b *Config) { a.PPKID, b.PPKID = c.a, c.b })
		r.a.env.PPK = func(string) ([]byte, bool) { return []byte("thirty-two octets of a quantum-safe"), c.ka }
		r.b.env.PPK = func(string) ([]byte, bool) { return []byte("thirty-two octets of a quantum-safe"), c.kb }
		r.a.connect()
		r.run(time.Second)
		r.wantUp(1)
		if got := [2]int{countEvents[PPKUnused](r.a), countEvents[PPKUnused](r.b)}; got != c.want {
			t.Errorf("%s: reported %v times, want %v", name, got, c.want)
		}
	}
}
