package sa

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// whose says which sides prove themselves by talking; the others have a pre-shared key.
var whose = []string{"initiator", "responder", "both"}

// newTalkRig makes both sides with the method of the tests.
func newTalkRig(t *testing.T, who string, k talk, edit func(a, b *Config)) *rig {
	r := newRig(t, 60, func(a, b *Config) {
		if who != "responder" {
			a.LocalAuth, b.RemoteAuth = authTalk, authTalk
		}
		if who != "initiator" {
			b.LocalAuth, a.RemoteAuth = authTalk, authTalk
		}
		if edit != nil {
			edit(a, b)
		}
	})
	k.methods(r)
	return r
}

// rounds are the IKE_AUTH exchanges that a side has seen, in the notation of the log.
func (e *end) rounds() (out []ExchangeDone) {
	for _, o := range e.events {
		if x, ok := o.(ExchangeDone); ok && x.Exchange == wire.ExchangeIKEAuth {
			out = append(out, x)
		}
	}
	return out
}

// IKE_AUTH takes as many rounds as the proofs need, in both roles: "the first pair of IKE_AUTH messages will have an ID of 1, the
// second will be 2, and so on". The first request and the last answer have what is not a proof.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.16
func TestAuthInRounds(t *testing.T) {
	for name, edit := range map[string]func(a, b *Config){
		"plain":        nil,
		"fragments":    func(a, b *Config) { a.FragmentSize, b.FragmentSize = 150, 150 },
		"intermediate": ikeProposals(t, hybrid, hybrid),
		"extensions": func(a, b *Config) {
			a.MOBIKE, b.MOBIKE, a.Resumption, b.Resumption, b.ReauthTime = true, true, true, true, time.Hour
		},
		"PPK": func(a, b *Config) { a.PPKID, b.PPKID, b.PPKRequired = "office", "office", true },
	} {
		for _, who := range whose {
			for _, n := range []int{1, 2, 3, 10} {
				t.Run(fmt.Sprintf("%s, %s, %d", name, who, n), func(t *testing.T) {
					r := newTalkRig(t, who, talk{messages: n}, edit)
					r.a.ppks("office=key")
					r.b.ppks("office=key")
					r.a.connect()
					r.run(10 * time.Second)
					ma, mb := r.wantUp(1)
					if ma.flow != nil || mb.flow != nil || mb.candidates != nil {
						t.Error("something of IKE_AUTH is kept")
					}
					if name == "PPK" && (ma.Snapshot().PPK != "office" || mb.Snapshot().PPK != "office") {
						t.Error("the PPK is not in use")
					}
					if name == "extensions" && (!ma.mob.on || !mb.mob.on || countEvents[SessionGranted](r.a) != 1 || ma.auth.reauthAt.IsZero() || !ma.sync.negotiated) {
						t.Error("something was not agreed on")
					}
					first := uint32(1)
					if name == "intermediate" {
						first = 2
					}
					for _, e := range []*end{r.a, r.b} {
						all := e.rounds()
						if len(all) != n {
							t.Fatalf("%s: %d rounds, want %d", e.name, len(all), n)
						}
						for i, x := range all {
							if x.MessageID != first+uint32(i) {
								t.Errorf("round %d has the id %d", i, x.MessageID)
							}
							for text, want := range map[string][2]bool{
								" IDi ": {i == 0, false}, " IDr ": {i == 0, i == 0}, " TSi ": {i == 0, i == n-1},
								" N(MOBIKE_SUP) ":   {name == "extensions" && i == 0, name == "extensions" && i == n-1},
								" N(AUTH_LFT) ":     {false, name == "extensions" && i == n-1},
								" N(INIT_CONTACT) ": {i == 0, false},
								" N(PPK_ID) ":       {name == "PPK" && (who == "responder" && i == 0 || who != "responder" && i == n-1), name == "PPK" && (who == "responder" && i == 0 || who != "responder" && i == n-1)},
							} {
								if got := [2]bool{strings.Contains(x.Request, text), strings.Contains(x.Response, text)}; got != want {
									t.Errorf("round %d: %s in %s / %s", i, text, x.Request, x.Response)
								}
							}
						}
					}
					ma.RekeyIKE(r.now)
					r.a.drain(ma)
					r.run(10 * time.Second)
					r.wantUp(1)
				})
			}
		}
	}
}

// Whichever datagram of IKE_AUTH is lost, it is sent again, and nothing is said or counted twice.
func TestAuthRoundIsLost(t *testing.T) {
	for _, who := range whose {
		for lost := range 6 {
			for _, size := range []int{1280, 150} {
				r := newTalkRig(t, who, talk{messages: 3}, func(a, b *Config) { a.FragmentSize, b.FragmentSize = size, size })
				n := 0
				r.drop = func(e *end, d []byte) bool {
					if headerOf(d).Exchange != wire.ExchangeIKEAuth {
						return false
					}
					n++
					return n == lost+1
				}
				r.a.connect()
				r.run(30 * time.Second)
				r.wantUp(1)
				if got := len(r.b.rounds()); got != 3 {
					t.Errorf("%s, datagram %d, %d octets: %d rounds", who, lost, size, got)
				}
			}
		}
	}
}

// A proof that fails in a later round ends the IKE SA on both sides, as one that fails in the first.
func TestAuthFailsInRoundTwo(t *testing.T) {
	for _, who := range []string{"initiator", "responder"} {
		for _, how := range []string{"another key", "another number", "nothing", "another method", "an error"} {
			t.Run(who+", "+how, func(t *testing.T) {
				messages := map[string]int{"another number": 3}[how]
				r := newTalkRig(t, who, talk{messages: max(messages, 2)}, nil)
				liar, victim := r.a, r.b
				if who == "responder" {
					liar, victim = r.b, r.a
				}
				round := 0
				r.edit(liar, wire.ExchangeIKEAuth, liar == r.b, func(ps []wire.Payload) (out []wire.Payload) {
					if round++; round != 2 {
						return ps
					}
					for _, p := range ps {
						switch x := p.(type) {
						case *wire.Auth:
							switch how {
							case "another key":
								x.Data[0] ^= 1
							case "another method":
								x.Method = wire.AuthSharedKey
							case "nothing":
								continue
							}
						case *wire.Notify:
							x.Data = []byte{77}
						}
						out = append(out, p)
					}
					if how == "an error" {
						return failing(wire.NotifyAuthenticationFailed)
					}
					return out
				})
				r.a.connect()
				r.run(2 * time.Minute)
				code := diag.CodeAuthPSK
				switch {
				case how == "an error" && who == "responder":
					code = diag.CodeAuthRefused
				case how == "nothing" && who == "responder":
					code = diag.CodeSyntax
				case how == "nothing", how == "another method", how == "an error" && who == "initiator":
					code = diag.CodeAuthMethod
				}
				f := victim.wantFailure(code)
				if how == "an error" && who == "responder" && !f.ByPeer {
					t.Errorf("%v", f)
				}
				if len(r.a.inbound)+len(r.b.inbound) != 0 || countEvents[Established](r.b) > 0 && who == "initiator" || countEvents[Established](r.a) > 0 {
					t.Error("the IKE SA came up")
				}
				r.a.wantNothing()
				r.b.wantNothing()
			})
		}
	}
}

// Between the rounds the responder is half-open: nothing but IKE_AUTH is looked at, what is kept of the peer counts, and
// half_open_timeout ends it.
func TestHalfOpenBetweenRounds(t *testing.T) {
	r := newTalkRig(t, "initiator", talk{messages: 4}, nil)
	n := 0
	r.drop = func(e *end, d []byte) bool {
		if h := headerOf(d); h.Exchange == wire.ExchangeIKEAuth && e == r.a {
			n++
		}
		return n > 2 && e == r.a
	}
	ma := r.a.connect()
	r.run(15 * time.Millisecond)
	mb := r.b.all()[0]
	before := mb.Held()
	r.run(5 * time.Second)
	if mb.State() != StateConnecting || mb.flow == nil || mb.flow.rounds != 2 {
		t.Fatalf("%s", mb.State())
	}
	// The first request, and what the method keeps of two messages.
	if got, want := mb.Held()-before, len(wire.AppendPayloads(nil, mb.flow.first.payloads))+200; got != want || want < 300 {
		t.Errorf("%d octets more are held, want %d", got, want)
	}
	h := wire.Header{SPIi: ma.spii(), SPIr: ma.spir(), Major: 2, Flags: wire.FlagInitiator, MessageID: mb.window.nextRecv}
	for _, x := range []wire.ExchangeType{wire.ExchangeInformational, wire.ExchangeCreateChildSA, wire.ExchangeIKEIntermediate} {
		h.Exchange = x
		sent := countEvents[Send](r.b)
		r.b.receive(flight{to: r.b, path: mb.path, data: ma.seal(h, []wire.Payload{&wire.Delete{Protocol: wire.ProtocolIKE}})[0]})
		if countEvents[Send](r.b) != sent || mb.State() != StateConnecting {
			t.Errorf("%s was looked at", x)
		}
	}
	r.run(30 * time.Second)
	r.b.wantFailure(diag.CodeHalfOpen)
	r.b.wantNothing()
	if mb.flow != nil || mb.Held() != 0 {
		t.Error("something is kept")
	}
	r.run(2 * time.Minute)
	r.a.wantFailure(diag.CodeTimeoutAuth)
	r.a.wantNothing()
}

// Neither side goes on for ever.
func TestAuthHasAnEnd(t *testing.T) {
	t.Run("rounds of the initiator", func(t *testing.T) {
		r := newTalkRig(t, "responder", talk{messages: 1000}, nil)
		r.a.connect()
		r.run(time.Minute)
		if f := r.a.wantFailure(diag.CodeLimit); len(r.a.rounds()) != maxAuthRounds || !strings.Contains(f.Ours, fmt.Sprint(maxAuthRounds)) {
			t.Errorf("%d rounds, %v", len(r.a.rounds()), f)
		}
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("rounds of the responder", func(t *testing.T) {
		r := newTalkRig(t, "initiator", talk{messages: 1000}, nil)
		m := r.a.connect()
		r.drop = func(*end, []byte) bool {
			if m.flow != nil {
				m.flow.rounds = min(m.flow.rounds, 2) // one that has no limit
			}
			return false
		}
		r.run(25 * time.Second)
		r.b.wantFailure(diag.CodeLimit)
		if n := len(r.b.rounds()); n != maxAuthRounds+1 { // the last one is refused
			t.Errorf("%d rounds", n)
		}
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("time of the initiator", func(t *testing.T) {
		r := newTalkRig(t, "responder", talk{messages: 1000}, func(a, b *Config) {
			b.HalfOpenTimeout = time.Hour
			a.Retransmit.Timeout = time.Minute
		})
		r.delay = 10 * time.Second
		r.a.connect()
		r.run(maxAuthTime + time.Minute)
		if f := r.a.wantFailure(diag.CodeLimit); !strings.Contains(f.Ours, "5m0s") {
			t.Errorf("%v", f)
		}
		r.a.wantNothing()
	})
	t.Run("a long one is no rest of it", func(t *testing.T) {
		r := newTalkRig(t, "both", talk{messages: maxAuthRounds}, nil)
		r.a.connect()
		r.run(20 * time.Second)
		ma, mb := r.wantUp(1)
		r.run(maxAuthTime + time.Minute)
		if ma.State() != StateEstablished || mb.State() != StateEstablished {
			t.Errorf("%s, %s", ma.State(), mb.State())
		}
	})
}

// A request with another method than the best connection asks for is for the next one with the same identities. When there is none,
// the best one says what it asks for.
func TestConnectionWithTheMethod(t *testing.T) {
	for _, c := range []struct {
		name  string
		asks  policy.Auth // of the initiator
		here  []policy.Auth
		takes int // -1: none
	}{
		{"the second, by talking", authTalk, []policy.Auth{policy.AuthPSK, authTalk}, 1},
		{"the second, with a key", policy.AuthPSK, []policy.Auth{authTalk, policy.AuthPSK}, 1},
		{"the third", authTalk, []policy.Auth{policy.AuthPSK, policy.AuthPSK, authTalk, authTalk}, 2},
		{"the first", policy.AuthPSK, []policy.Auth{policy.AuthPSK, authTalk}, 0},
		{"none", authTalk, []policy.Auth{policy.AuthPSK, policy.AuthPSK}, -1},
		{"none with a key", policy.AuthPSK, []policy.Auth{authTalk, authTalk}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTalkRig(t, "", talk{messages: 2}, nil)
			r.a.cfg.LocalAuth, r.a.cfg.RemoteAuth = c.asks, policy.AuthPSK
			var list []*Config
			for i, m := range c.here {
				x := *r.b.cfg
				x.Name, x.RemoteAuth, x.LocalAuth = fmt.Sprint("conn-", i), m, policy.AuthPSK
				list = append(list, &x)
			}
			r.b.connections(list...)
			r.a.connect()
			r.run(time.Minute)
			if c.takes < 0 {
				if f := r.b.wantFailure(diag.CodeAuthMethod); f.Connection != "conn-0" || len(r.b.failures) != 1 {
					t.Errorf("%v", r.b.failures)
				}
				r.a.wantNothing()
				r.b.wantNothing()
				return
			}
			if _, mb := r.wantUp(1); mb.Config() != list[c.takes] {
				t.Errorf("%s", mb.Config().Name)
			}
			if len(r.b.failures) != 0 {
				t.Errorf("%v", r.b.failures)
			}
		})
	}
}

// A connection for anybody is not one for a peer that has a connection of its own: whoever may come in as somebody would come in as that
// peer, by the weaker of the two methods.
func TestConnectionOfItsOwn(t *testing.T) {
	for _, pattern := range []string{"%any", "*.example"} {
		for _, first := range []int{0, 1} {
			r := newTalkRig(t, "", talk{messages: 2}, nil)
			r.a.cfg.LocalAuth, r.a.cfg.RemoteAuth = policy.AuthPSK, policy.AuthPSK
			own, anybody := *r.b.cfg, *r.b.cfg
			own.Name, own.RemoteID, own.RemoteAuth, own.LocalAuth = "own", r.a.cfg.LocalID, authTalk, policy.AuthPSK
			anybody.Name, anybody.RemoteID, anybody.RemoteAuth, anybody.LocalAuth = "anybody", mustID(t, pattern), policy.AuthPSK, policy.AuthPSK
			r.b.connections([]*Config{&own, &anybody}[first], []*Config{&anybody, &own}[first])
			r.a.connect()
			r.run(time.Minute)
			if f := r.b.wantFailure(diag.CodeAuthMethod); f.Connection != "own" {
				t.Errorf("%s: %v", pattern, f)
			}
			r.a.wantNothing()
			r.b.wantNothing()
		}
	}
}

// When something has been compared with a key, no other connection is tried: one AUTH value is good for one guess.
func TestOneGuessForEachRequest(t *testing.T) {
	r := newTalkRig(t, "", talk{messages: 2}, nil)
	r.a.cfg.LocalAuth, r.a.cfg.RemoteAuth, r.b.cfg.LocalAuth, r.b.cfg.RemoteAuth = policy.AuthPSK, policy.AuthPSK, policy.AuthPSK, policy.AuthPSK
	second, third := *r.b.cfg, *r.b.cfg
	second.Name, third.Name, second.RemoteAuth = "second", "third", authTalk
	r.b.connections(r.b.cfg, &second, &third)
	r.b.psk = map[string]string{"": "another"}
	asked, find := 0, r.b.env.Credentials
	r.b.env.Credentials = func(q auth.Query) (auth.Credential, bool) { asked++; return find(q) }
	r.a.connect()
	r.run(time.Minute)
	if f := r.b.wantFailure(diag.CodeAuthPSK); f.Connection != r.b.cfg.Name {
		t.Errorf("%v", f)
	}
	if asked != 1 {
		t.Errorf("%d keys were looked up", asked)
	}
	r.a.wantNothing()
	r.b.wantNothing()
}

// Whether there is room for a peer is asked when it has proved who it is: before that it could be anybody. Where the last answer is
// made later, it is asked again.
func TestAdmittedWhenProved(t *testing.T) {
	for _, c := range []struct {
		who  string
		good bool
		want string
	}{{"both", true, "[3]"}, {"both", false, "[]"}, {"responder", true, "[1 3]"}, {"responder", false, "[]"}, {"initiator", true, "[3]"}} {
		r := newTalkRig(t, c.who, talk{messages: 3}, nil)
		if !c.good {
			r.b.psk = map[string]string{"": "another"}
		}
		var asked []int
		r.b.env.Kept = func(_ time.Time, m *Machine, _ bool) (uint64, bool) {
			if !m.RemoteID().Equal(r.a.cfg.LocalID) {
				t.Errorf("asked about %s", m.RemoteID())
			}
			asked = append(asked, m.flow.rounds)
			return 0, false
		}
		r.a.env.FirstContact = func(*Config) bool { return false }
		r.a.connect()
		r.run(time.Minute)
		if fmt.Sprint(asked) != c.want {
			t.Errorf("%s, a good proof %v: asked in rounds %v, want %s", c.who, c.good, asked, c.want)
		}
	}
}

// A peer that has begun several IKE SAs before any of them is up gets no more of them than there may be.
func TestRoomIsGoneMeanwhile(t *testing.T) {
	for _, waits := range []bool{false, true} {
		k := talk{messages: 2}
		if waits {
			k = talk{messages: 1, proverAsks: 1}
		}
		r := newTalkRig(t, "responder", k, nil)
		r.a.env.FirstContact = func(*Config) bool { return false }
		r.b.proofs(func(int) outcome { return outcome{after: time.Second} })
		up := func() int { return countEvents[Established](r.b) }
		r.b.env.Kept = func(time.Time, *Machine, bool) (uint64, bool) { return 1, up() > 0 }
		for range 3 {
			r.a.connect()
		}
		r.run(time.Minute)
		if n := up(); n != 1 {
			t.Errorf("waits %v: %d IKE SAs came up", waits, n)
		}
		r.b.wantFailure(diag.CodeLimit)
	}
}

// REDIRECT counts in the first answer and in the last one, from a peer that has proved itself.
// https://www.rfc-editor.org/rfc/rfc5685#section-6
func TestRedirectBetweenRounds(t *testing.T) {
	to := wire.Gateway{FQDN: "other.example"}
	for round, want := range map[int]bool{1: true, 2: false, 3: true} {
		for _, proved := range []bool{true, false} {
			t.Run(fmt.Sprintf("round %d, proved %v", round, proved), func(t *testing.T) {
				r := newTalkRig(t, "initiator", talk{messages: 3}, func(a, b *Config) { a.FollowRedirects = true })
				if proved { // the responder shows at once who it is
					r.a.cfg.RemoteAuth, r.b.cfg.LocalAuth = authTalk, authTalk
					at := r.b.env.method
					r.b.env.method = func(a policy.Auth) method {
						m := at(a)
						if a == authTalk {
							m.Prove = func(s auth.Secret) auth.Authenticator { return &talker{talk: talk{messages: 1}, secret: s} }
						}
						return m
					}
				}
				n := 0
				r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
					if n++; n == round {
						return append(ps, wire.NewRedirect(to, nil))
					}
					return ps
				})
				r.a.connect()
				r.run(time.Minute)
				if !want || round == 1 && !proved {
					r.wantUp(1)
					return
				}
				if countEvents[Redirected](r.a) != 1 || len(r.a.live()) != 0 {
					t.Errorf("redirected %d times, %d IKE SAs", countEvents[Redirected](r.a), len(r.a.live()))
				}
			})
		}
	}
}
