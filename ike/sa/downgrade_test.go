package sa

import (
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// noTranscript turns downgrade prevention off in the whole daemon of a side.
func (e *end) noTranscript() { e.env.NoTranscript = func() bool { return true } }

// without removes the notifications of a type: what an attacker on the way does, or a firewall.
func without(n wire.NotifyType) func([]wire.Payload) []wire.Payload {
	return func(ps []wire.Payload) []wire.Payload {
		return slices.DeleteFunc(ps, func(p wire.Payload) bool { x, ok := p.(*wire.Notify); return ok && x.NotifyType == n })
	}
}

// What two sides make of downgrade prevention that either may have, not have, or insist on.
func TestDowngradePrevention(t *testing.T) {
	const yes, no, must = policy.DowngradeYes, policy.DowngradeNo, policy.DowngradeRequired
	for _, c := range []struct {
		name           string
		a, b           policy.DowngradePrevention
		aOff, bOff     bool // in the whole daemon
		up, full       bool
		aFails, bFails diag.Code
	}{
		{"both", yes, yes, false, false, true, true, "", ""},
		{"both insist", must, must, false, false, true, true, "", ""},
		{"the initiator's connection does not ask for it", no, yes, false, false, true, false, "", ""},
		{"the responder's connection would not, and its daemon does", yes, no, false, false, true, true, "", ""},
		{"the responder's daemon does not have it", yes, yes, false, true, true, false, "", ""},
		{"the initiator's daemon does not have it", yes, yes, true, false, true, false, "", ""},
		{"neither", yes, yes, true, true, true, false, "", ""},
		{"the initiator insists, the responder does not have it", must, yes, false, true, false, false, diag.CodeDowngrade, ""},
		{"the responder insists, the initiator does not ask", no, must, false, false, false, false, diag.CodeAuthRefused, diag.CodeDowngrade},
		{"the responder insists, the initiator does not have it", yes, must, true, false, false, false, diag.CodeAuthRefused, diag.CodeDowngrade},
	} {
		for _, proposals := range [][2]string{
			{"aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519"},
			{hybrid, hybrid}, // IKE_INTERMEDIATE
			{"aes128gcm16-prfsha256-ecp256-x25519", "aes128gcm16-prfsha256-x25519"}, // INVALID_KE_PAYLOAD
		} {
			t.Run(c.name+", "+proposals[0], func(t *testing.T) {
				r := newRig(t, 140, func(a, b *Config) {
					ikeProposals(t, proposals[0], proposals[1])(a, b)
					a.Downgrade, a.DowngradeLine, b.Downgrade, b.DowngradeLine = c.a, "a.toml:9", c.b, "b.toml:9"
				})
				r.a.ppks("office=key")
				r.b.ppks("office=key")
				r.a.cfg.PPKID = "office"
				r.b.cookie = true
				if c.aOff {
					r.a.noTranscript()
				}
				if c.bOff {
					r.b.noTranscript()
				}
				r.a.connect()
				r.run(5 * time.Second)
				if c.up {
					ma, mb := r.wantUp(1)
					if ma.Snapshot().Transcribed != c.full || mb.Snapshot().Transcribed != c.full || !ma.ppk.used {
						t.Errorf("full transcript: %v and %v, want %v", ma.transcribed, mb.transcribed, c.full)
					}
					ma.RekeyIKE(r.now)
					r.a.drain(ma)
					r.run(5 * time.Second)
					if ma, mb = r.wantUp(1); ma.transcribed != c.full || mb.transcribed != c.full {
						t.Errorf("after a rekeying: %v and %v", ma.transcribed, mb.transcribed)
					}
					return
				}
				r.run(time.Minute * 3)
				r.a.wantNothing()
				r.b.wantNothing()
				for _, x := range []struct {
					e    *end
					code diag.Code
				}{{r.a, c.aFails}, {r.b, c.bFails}} {
					if x.code == "" {
						continue
					}
					f := x.e.wantFailure(x.code)
					if x.code == diag.CodeDowngrade && (!strings.Contains(f.Error(), x.e.name+".toml:9") || !strings.Contains(f.Error(), "required")) {
						t.Error(f)
					}
				}
			})
		}
	}
}

// A responder says that it does downgrade prevention whether the initiator does or not: otherwise it could be taken out of the
// request, and neither side would know.
func TestResponderAnnouncesItInAnyCase(t *testing.T) {
	r := newRig(t, 141, func(a, b *Config) { a.Downgrade = policy.DowngradeNo })
	announced := 0
	r.edit(r.b, wire.ExchangeIKESAInit, true, func(ps []wire.Payload) []wire.Payload {
		if announcesTranscript(ps) {
			announced++
		}
		return ps
	})
	r.edit(r.a, wire.ExchangeIKESAInit, false, func(ps []wire.Payload) []wire.Payload {
		if announcesTranscript(ps) {
			t.Error("the initiator asks for it")
		}
		return ps
	})
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	if announced != 1 {
		t.Errorf("announced %d times", announced)
	}
}

// Whoever takes the notification out of a message is noticed.
func TestStrippedNotification(t *testing.T) {
	for _, c := range []struct {
		name              string
		request, response bool
		bFails            diag.Code
	}{
		{"out of the request", true, false, diag.CodeAuthPSK},
		{"out of the answer", false, true, diag.CodeDowngrade},
		{"out of both", true, true, diag.CodeAuthPSK},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 142, nil)
			if c.request {
				r.edit(r.a, wire.ExchangeIKESAInit, false, without(wire.NotifyIKESAInitFullTranscriptAuth))
			}
			if c.response {
				r.edit(r.b, wire.ExchangeIKESAInit, true, without(wire.NotifyIKESAInitFullTranscriptAuth))
			}
			r.a.connect()
			r.run(5 * time.Second)
			r.a.wantFailure(diag.CodeAuthRefused)
			r.b.wantFailure(c.bFails)
			if n := len(r.a.live()) + len(r.b.live()); n != 0 || countEvents[Established](r.a)+countEvents[Established](r.b) != 0 {
				t.Errorf("%d IKE SAs", n)
			}
		})
	}
}

// stolen checks nothing: the peer is an attacker who has the key of whoever it says it is.
type stolen struct{}

func (stolen) Build(*auth.Transcript) (auth.Step, error) { return auth.Step{Status: auth.Done}, nil }
func (stolen) Process(*auth.Transcript, []wire.Payload) (auth.Step, error) {
	return auth.Step{Status: auth.Done}, nil
}
func (stolen) Held() int { return 0 }

// An attacker on the way has the initiator's key, and not the responder's. He takes the better algorithms, or an extension, out of
// the initiator's request, so that he can read along, and proves to the responder that he is the initiator. Without downgrade
// prevention nobody notices; with it the initiator does, by the proof of the responder.
func TestDowngradeWithAStolenKey(t *testing.T) {
	weaker := swap(func(sa *wire.SA) { sa.Proposals = sa.Proposals[1:] })
	for name, attack := range map[string]func([]wire.Payload) []wire.Payload{
		"a proposal":     weaker,
		"a notification": without(wire.NotifyIKEv2FragmentationSupported),
	} {
		for _, prevented := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				r := newRig(t, 143, func(a, b *Config) {
					both := []string{"aes256gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519"}
					a.Proposals, b.Proposals = mustProposals(t, wire.ProtocolIKE, both...), mustProposals(t, wire.ProtocolIKE, both...)
					if !prevented {
						a.Downgrade = policy.DowngradeNo
					}
				})
				changed := r.edit(r.a, wire.ExchangeIKESAInit, false, attack)
				r.b.env.method = func(a policy.Auth) method {
					m := (*Machine)(nil).methodOf(a, 0)
					m.Check = func(auth.Secret) auth.Authenticator { return stolen{} }
					return m
				}
				r.a.connect()
				r.run(5 * time.Second)
				if *changed == 0 {
					t.Fatal("no attack")
				}
				if !prevented {
					ma, _ := r.wantUp(1)
					if name == "a proposal" && ma.chosen.Encr.KeyLength != 128 {
						t.Errorf("the attack leads to %s", ma.chosen)
					}
					return
				}
				r.a.wantFailure(diag.CodeAuthPSK)
				if countEvents[Established](r.a) != 0 || len(r.a.inbound) != 0 {
					t.Error("the initiator is taken in")
				}
			})
		}
	}
}

// A session whose IKE SA had no downgrade prevention is not resumed where it is required by now, and one whose IKE SA had it is.
func TestResumptionAndDowngradePrevention(t *testing.T) {
	for _, had := range []bool{false, true} {
		for _, byInitiator := range []bool{false, true} {
			r := newResumeRig(t, 144, nil)
			asks := r.a.cfg
			if !had {
				asks = changed(r.a.cfg, policy.DowngradeNo)
			}
			r.a.cfg = asks
			s := r.lost()
			r.a.cfg = changed(r.a.cfg, policy.DowngradeYes)
			if byInitiator {
				r.a.cfg = changed(r.a.cfg, policy.DowngradeRequired)
			} else {
				r.b.cfg = changed(r.b.cfg, policy.DowngradeRequired)
			}
			r.a.resume(s)
			r.run(5 * time.Second)
			r.wantResumed(had)
			for _, e := range []*end{r.a, r.b} {
				if !e.live()[0].Snapshot().Transcribed {
					t.Errorf("required by the initiator %v, it had it %v: there is none now at %s", byInitiator, had, e.name)
				}
			}
		}
	}
}

// changed is a connection with another policy.
func changed(c *Config, d policy.DowngradePrevention) *Config {
	fresh := *c
	fresh.Downgrade = d
	return &fresh
}
