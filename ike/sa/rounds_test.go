package sa

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// newRoundsRig makes both sides with as many rounds each: the initiator is a.example, a2.example and so on, the responder b.example and
// so on. Each pair of identities has a key of its own.
func newRoundsRig(t *testing.T, ofA, ofB int, edit func(a, b *Config)) *rig {
	r := newRig(t, 150, func(a, b *Config) {
		a.LocalRounds, b.RemoteRounds = moreRounds(t, "a", ofA), moreRounds(t, "a", ofA)
		b.LocalRounds, a.RemoteRounds = moreRounds(t, "b", ofB), moreRounds(t, "b", ofB)
		a.RemoteRoundLines, b.RemoteRoundLines = []string{"a.toml:42", "a.toml:43"}, []string{"b.toml:42", "b.toml:43"}
		if edit != nil {
			edit(a, b)
		}
	})
	for _, e := range []*end{r.a, r.b} {
		e.pairKeys()
	}
	return r
}

// moreRounds are the rounds of a side in addition to the first.
func moreRounds(t *testing.T, name string, n int) (list []Round) {
	for i := 2; i <= n; i++ {
		list = append(list, Round{mustID(t, fmt.Sprintf("%s%d.example", name, i)), policy.AuthPSK})
	}
	return list
}

// pairKeys gives a side a key for each pair of identities, another one for those of wrong.
func (e *end) pairKeys(wrong ...string) {
	e.env.Credentials = func(q auth.Query) (auth.Credential, bool) {
		pair := []string{q.Local.String(), q.Remote.String()}
		slices.Sort(pair)
		key := strings.Join(pair, " ")
		if slices.Contains(wrong, q.Local.String()) || slices.Contains(wrong, q.Remote.String()) {
			key = "another key"
		}
		return auth.Credential{Secret: []byte(key), Name: "secrets.ike.x"}, true
	}
}

// RFC 4739 section 2: each side proves as many identities as it is configured for, independently of the other; what is not a proof is in the
// first request and the last answer. The IKE SA is that of the last identities.
func TestRounds(t *testing.T) {
	for name, edit := range map[string]func(a, b *Config){
		"plain":        nil,
		"fragments":    func(a, b *Config) { a.FragmentSize, b.FragmentSize = 150, 150 },
		"intermediate": ikeProposals(t, hybrid, hybrid),
		"PPK":          func(a, b *Config) { a.PPKID, b.PPKID, b.PPKRequired = "office", "office", true },
		"PPK, another": func(a, b *Config) { a.PPKID, b.PPKID = "other", "office" },
	} {
		for ofA := 1; ofA <= 3; ofA++ {
			for ofB := 1; ofB <= 3; ofB++ {
				t.Run(fmt.Sprintf("%s, %d and %d", name, ofA, ofB), func(t *testing.T) {
					r := newRoundsRig(t, ofA, ofB, edit)
					r.a.ppks("office=key", "other=key")
					r.b.ppks("office=key")
					r.b.cookie = true
					r.a.connect()
					r.run(5 * time.Second)
					ma, mb := r.wantUp(1)
					last := func(name string, n int) string {
						if n == 1 {
							return name + ".example"
						}
						return fmt.Sprintf("%s%d.example", name, n)
					}
					if a, b := last("a", ofA), last("b", ofB); ma.LocalID().String() != a || mb.RemoteID().String() != a ||
						ma.RemoteID().String() != b || mb.LocalID().String() != b {
						t.Errorf("%s <-> %s, seen by the responder %s <-> %s", ma.LocalID(), ma.RemoteID(), mb.LocalID(), mb.RemoteID())
					}
					if used := strings.Contains(ma.ppk.id, "office") && ma.ppk.used; used != (name == "PPK") {
						t.Errorf("PPK: %v", used)
					}
					all := r.b.rounds()
					n := max(ofA, ofB)
					if len(all) != n {
						t.Fatalf("%d exchanges, want %d", len(all), n)
					}
					for i, x := range all {
						for text, want := range map[string][2]bool{
							" IDi ": {i < ofA, false}, " IDr ": {i == 0, i < ofB}, " AUTH ": {i < ofA, i < ofB},
							" N(AUTH_FOLLOWS) ": {i < ofA-1, i < ofB-1}, " N(MULT_AUTH) ": {i == 0, false}, " TSi ": {i == 0, i == n-1},
							" N(INIT_CONTACT) ": {i == 0, false},
							" N(PPK_ID) ":       {strings.HasPrefix(name, "PPK") && i == 0, name == "PPK" && i == 0},
						} {
							if got := [2]bool{strings.Contains(x.Request, text), strings.Contains(x.Response, text)}; got != want {
								t.Errorf("round %d: %s in %s / %s", i, text, x.Request, x.Response)
							}
						}
					}
					ma.RekeyIKE(r.now)
					r.a.drain(ma)
					r.run(5 * time.Second)
					r.wantUp(1)
				})
			}
		}
	}
}

// Whoever proves only some of the rounds gets nothing: neither an IKE SA, nor a child, nor is anything of an earlier one ended.
func TestRoundFails(t *testing.T) {
	for name, c := range map[string]struct {
		spoil          func(r *rig)
		aFails, bFails diag.Code
		says           string
	}{
		"another key in the initiator's second round": {func(r *rig) { r.a.pairKeys("a2.example") }, diag.CodeAuthRefused, diag.CodeAuthPSK, "a2.example"},
		"another key in the responder's second round": {func(r *rig) { r.b.pairKeys("b2.example") }, diag.CodeAuthPSK, diag.CodeAuthRefused, "b2.example"},
		"another key in the first round":              {func(r *rig) { r.a.pairKeys("a.example") }, diag.CodeAuthRefused, diag.CodeAuthPSK, "a.example"},
		"another identity in the second round": {func(r *rig) { r.b.cfg.RemoteRounds[0].ID = mustID(r.t, "x.example") },
			diag.CodeAuthRefused, diag.CodeAuthID, "b.toml:42"},
		"another method in the second round": {func(r *rig) {
			talk{messages: 1}.methods(r)
			r.a.cfg.LocalRounds[0].Auth = authTalk
		}, diag.CodeAuthRefused, diag.CodeAuthMethod, "b.toml:42"},
		"the initiator has too few":  {func(r *rig) { r.a.cfg.LocalRounds = r.a.cfg.LocalRounds[:1] }, diag.CodeAuthRefused, diag.CodeAuthRounds, "3 rounds"},
		"the initiator has too many": {func(r *rig) { r.b.cfg.RemoteRounds = r.b.cfg.RemoteRounds[:1] }, diag.CodeAuthRefused, diag.CodeAuthRounds, "2 rounds"},
		"the initiator has only one": {func(r *rig) { r.a.cfg.LocalRounds = nil }, diag.CodeAuthRefused, diag.CodeAuthRounds, "3 rounds"},
		"only one is expected of it": {func(r *rig) { r.b.cfg.RemoteRounds = nil }, diag.CodeAuthRefused, diag.CodeAuthRounds, "one round"},
		"the responder has too few":  {func(r *rig) { r.b.cfg.LocalRounds = r.b.cfg.LocalRounds[:1] }, diag.CodeAuthRounds, diag.CodeAuthRefused, "3 rounds"},
		"the responder has too many": {func(r *rig) { r.a.cfg.RemoteRounds = r.a.cfg.RemoteRounds[:1] }, diag.CodeAuthRounds, diag.CodeAuthRefused, "2 rounds"},
		"only one of it is expected": {func(r *rig) { r.a.cfg.RemoteRounds = nil }, diag.CodeAuthRounds, diag.CodeAuthRefused, "one round"},
		"no identity in the second round": {func(r *rig) {
			r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
				if findTS(ps, true) != nil {
					return ps // the first request
				}
				return slices.DeleteFunc(ps, func(p wire.Payload) bool { _, ok := p.(*wire.ID); return ok })
			})
		}, diag.CodeAuthRefused, diag.CodeSyntax, "the identity of round 2"},
		"the first round's proof again": {func(r *rig) {
			var first *wire.Auth
			r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
				for i, p := range ps {
					if a, ok := p.(*wire.Auth); ok && first == nil {
						first = a
					} else if ok {
						ps[i] = first
					}
				}
				return ps
			})
		}, diag.CodeAuthRefused, diag.CodeAuthPSK, "a2.example"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoundsRig(t, 3, 3, nil)
			c.spoil(r)
			r.a.connect()
			r.run(20 * time.Second) // whoever refuses says so, also between two rounds
			r.a.wantNothing()
			r.b.wantNothing()
			for _, e := range []*end{r.a, r.b} {
				if n := countEvents[Established](e) + countEvents[InstallInbound](e) + countEvents[PeerInitialContact](e); n != 0 {
					t.Errorf("%s: %d events of an IKE SA", e.name, n)
				}
			}
			text := r.a.wantFailure(c.aFails).Error() + "\n" + r.b.wantFailure(c.bFails).Error()
			if !strings.Contains(text, c.says) {
				t.Errorf("no %q in %s", c.says, text)
			}
		})
	}
}

// An initiator that proves the first identity and then says nothing more, or nothing that is a proof, gets nothing, and is forgotten in time.
func TestRoundIsNotMade(t *testing.T) {
	for _, silent := range []bool{true, false} {
		r := newRoundsRig(t, 2, 1, nil)
		n := 0
		r.drop = func(e *end, d []byte) bool {
			if h := headerOf(d); e == r.a && h.Exchange == wire.ExchangeIKEAuth && h.MessageID > 1 {
				n++
				return silent
			}
			return false
		}
		if !silent {
			r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
				if findTS(ps, true) != nil {
					return ps
				}
				return []wire.Payload{ps[0]} // the identity
			})
		}
		r.a.connect()
		r.run(29 * time.Second)
		if got := len(r.b.live()); silent && (got != 1 || r.b.live()[0].State() != StateConnecting) {
			t.Errorf("%d IKE SAs", got)
		}
		r.run(5 * time.Minute)
		r.b.wantNothing()
		if countEvents[Established](r.b) != 0 || r.b.failures[0].Code != map[bool]diag.Code{true: diag.CodeHalfOpen, false: diag.CodeAuthMethod}[silent] {
			t.Errorf("silent %v: %v", silent, r.b.failures)
		}
	}
}

// A peer that does not know RFC 4739 is one that a connection with several rounds can't be had with. One with a single round can.
func TestMultipleAuthIsNotSupported(t *testing.T) {
	strip := without(wire.NotifyMultipleAuthSupported)
	for _, c := range []struct {
		ofA, ofB       int
		aFails, bFails diag.Code
	}{
		{1, 1, "", ""}, {2, 1, diag.CodeAuthRounds, ""}, {1, 2, diag.CodeAuthRounds, ""},
	} {
		r := newRoundsRig(t, c.ofA, c.ofB, func(a, _ *Config) { a.Downgrade = policy.DowngradeNo })
		r.b.env.method = func(a policy.Auth) method { // so that a change of the answer is not what makes it fail
			m := (*Machine)(nil).methodOf(a, 0)
			m.Check = func(auth.Secret) auth.Authenticator { return stolen{} }
			return m
		}
		r.edit(r.b, wire.ExchangeIKESAInit, true, strip)
		r.a.env.method = r.b.env.method
		r.a.connect()
		r.run(3 * time.Minute)
		if c.aFails == "" {
			r.wantUp(1)
			continue
		}
		if f := r.a.wantFailure(c.aFails); !strings.Contains(f.Error(), "MULTIPLE_AUTH_SUPPORTED") {
			t.Error(f)
		}
		r.a.wantNothing()
	}
	// And the other way round: the responder has more to show than the initiator can take.
	r := newRoundsRig(t, 1, 2, nil)
	r.edit(r.a, wire.ExchangeIKEAuth, false, strip)
	r.a.connect()
	r.run(10 * time.Second)
	r.a.wantFailure(diag.CodeAuthRefused)
	if f := r.b.wantFailure(diag.CodeAuthRounds); !strings.Contains(f.Error(), "MULTIPLE_AUTH_SUPPORTED") {
		t.Error(f)
	}
	r.b.wantNothing()
}

// Two connections with the same first identities, of which one asks for more: the number of rounds that the initiator announces says which
// of them it means, before anything is compared with a key.
func TestConnectionByRounds(t *testing.T) {
	for _, n := range []int{1, 2} {
		r := newRoundsRig(t, n, 1, nil)
		one, two := *r.b.cfg, *r.b.cfg
		one.Name, one.RemoteRounds = "one", nil
		two.Name, two.RemoteRounds = "two", moreRounds(t, "a", 2)
		for _, list := range [][]*Config{{&one, &two}, {&two, &one}} {
			r.b.connections(list...)
			m := r.a.connect()
			r.run(time.Second)
			_, mb := r.wantUp(1)
			if want := []string{"one", "two"}[n-1]; mb.cfg.Name != want {
				t.Errorf("%d rounds: connection %s", n, mb.cfg.Name)
			}
			m.Delete(r.now, "again")
			r.a.drain(m)
			r.run(time.Minute)
		}
	}
}

// Whichever datagram is lost, it is sent again, and no round is taken twice; and what a proof of a later round waits for is waited for.
func TestRoundsAreLateOrLost(t *testing.T) {
	for lost := range 6 {
		for _, asks := range []int{0, 2} {
			r := newRoundsRig(t, 3, 2, func(a, b *Config) {
				a.LocalRounds[1].Auth, b.RemoteRounds[1].Auth, b.LocalRounds[0].Auth, a.RemoteRounds[0].Auth = authTalk, authTalk, authTalk, authTalk
			})
			talk{messages: 2, proverAsks: asks, checkerAsks: asks}.methods(r)
			for _, e := range []*end{r.a, r.b} {
				e.desk.late = func(Request) outcome { return outcome{after: 300 * time.Millisecond} }
			}
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
			ma, _ := r.wantUp(1)
			if got := len(r.b.rounds()); got != 4 || ma.LocalID().String() != "a3.example" {
				t.Errorf("datagram %d: %d exchanges, %s", lost, got, ma.LocalID())
			}
		}
	}
}

// An IKE SA of several rounds is not resumed: a ticket says of one proof with what it was made.
func TestRoundsAreNotResumed(t *testing.T) {
	r := newRoundsRig(t, 2, 1, func(a, b *Config) { a.Resumption, b.Resumption = true, true })
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	if countEvents[SessionGranted](r.a) != 0 {
		t.Error("there is a session")
	}
	// Nor is one of before, with one round.
	r = newResumeRig(t, 151, nil)
	s := r.lost()
	for _, e := range []*end{r.a, r.b} {
		e.pairKeys()
	}
	r.a.cfg.LocalRounds, r.b.cfg.RemoteRounds = moreRounds(t, "a", 2), moreRounds(t, "a", 2)
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(false)
}

// A responder that proves nothing is shown the first proof of an initiator, which goes ahead of its answer, and no other: each of a
// pre-shared key is one to try passwords on.
func TestNoSecondProofForNobody(t *testing.T) {
	for _, ofB := range []int{1, 2} {
		r := newRoundsRig(t, 3, ofB, nil)
		r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
			return slices.DeleteFunc(ps, func(p wire.Payload) bool { _, ok := p.(*wire.Auth); return ok })
		})
		r.a.connect()
		r.run(10 * time.Second)
		if f := r.a.wantFailure(diag.CodeSyntax); !strings.Contains(f.Error(), "without AUTH") {
			t.Error(f)
		}
		if strings.Contains(r.ladder.String(), "IKE_AUTH request 2") {
			t.Error("a second proof is shown")
		}
		r.a.wantNothing()
		r.b.wantNothing()
	}
}
