package sa

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// lacking are payloads without those of type T.
func lacking[T wire.Payload](ps []wire.Payload) []wire.Payload {
	return slices.DeleteFunc(slices.Clone(ps), func(p wire.Payload) bool { _, ok := p.(T); return ok })
}

// A client says nothing of EAP to a gateway that has not proved itself as the one that it wants: neither name nor password goes to anybody else.
// What is wrong with the certificate, the identity or AUTH is judged first. An early Success, and one without the key, let nobody in.
func TestGatewayThatIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *rig)
		code  diag.Code
		// said is how many EAP packets the client may send.
		said int
	}{
		"no AUTH": {func(r *rig) { r.edit(r.b, wire.ExchangeIKEAuth, true, lacking[*wire.Auth]) }, diag.CodeSyntax, 0},
		"another key": {func(r *rig) {
			other := pkitest.CA(r.t, epoch, "Test CA", pkitest.P256)
			r.b.certify(other.End(r.t, epoch, "b.example", pkitest.P256), other)
		}, diag.CodeCertCA, 0},
		"a certificate of somebody else": {func(r *rig) {
			r.b.cfg.LocalID = mustID(r.t, "b.example")
			ca := r.ca
			r.b.certify(ca.End(r.t, epoch, "c.example", pkitest.P256), ca)
		}, diag.CodeCertID, 0},
		"somebody else": {func(r *rig) {
			r.edit(r.b, wire.ExchangeIKEAuth, true, swap(func(id *wire.ID) { id.Data = []byte("c.example") }))
		}, diag.CodeAuthID, 0},
		"AUTH of another message": {func(r *rig) {
			r.edit(r.b, wire.ExchangeIKEAuth, true, swap(func(a *wire.Auth) { a.Data = append(bytes.Clone(a.Data[:len(a.Data)-1]), a.Data[len(a.Data)-1]^1) }))
		}, diag.CodeSignature, 0},
		"AUTH by a key, not a certificate": {func(r *rig) {
			r.edit(r.b, wire.ExchangeIKEAuth, true, swap(func(a *wire.Auth) { a.Method = wire.AuthSharedKey }))
		}, diag.CodeAuthMethod, 0},
		"no EAP": {func(r *rig) { r.edit(r.b, wire.ExchangeIKEAuth, true, lacking[*wire.EAP]) }, diag.CodeEAPProtocol, 0},
		"Success at once": {func(r *rig) {
			r.edit(r.b, wire.ExchangeIKEAuth, true, swap(func(e *wire.EAP) { e.Code, e.Data = wire.EAPSuccess, nil }))
		}, diag.CodeEAPProtocol, 0},
		"Success behind the name":         {func(r *rig) { r.says(2, func(e *wire.EAP) { e.Code, e.Data = wire.EAPSuccess, nil }) }, diag.CodeEAPProtocol, 1},
		"Success behind the password":     {func(r *rig) { r.says(3, func(e *wire.EAP) { e.Code, e.Data = wire.EAPSuccess, nil }) }, diag.CodeEAPProtocol, 2},
		"Failure at once":                 {func(r *rig) { r.says(1, func(e *wire.EAP) { e.Code, e.Data = wire.EAPFailure, nil }) }, diag.CodeEAPRefused, 0},
		"Failure in the place of Success": {func(r *rig) { r.says(4, func(e *wire.EAP) { e.Code, e.Data = wire.EAPFailure, nil }) }, diag.CodeEAPRefused, 3},
		"a Response":                      {func(r *rig) { r.says(2, func(e *wire.EAP) { e.Code = wire.EAPResponse }) }, diag.CodeEAPProtocol, 1},
		"another key in the end": {func(r *rig) {
			r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
				if findTS(ps, true) != nil {
					return swap(func(a *wire.Auth) { a.Data = make([]byte, len(a.Data)) })(ps)
				}
				return ps
			})
		}, diag.CodeEAPProtocol, 3},
		"no AUTH in the end": {func(r *rig) {
			r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
				if findTS(ps, true) != nil {
					return lacking[*wire.Auth](ps)
				}
				return ps
			})
		}, diag.CodeEAPProtocol, 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := newUserRig(t, eap.TypeMSCHAPv2, nil)
			c.spoil(r)
			said := 0
			r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
				if eapIn(ps) != nil {
					said++
				}
				return ps
			})
			r.a.connect()
			r.run(20 * time.Second)
			r.a.wantFailure(c.code)
			r.a.wantNothing()
			if !strings.HasPrefix(name, "Failure") { // which it does not know of
				r.b.wantNothing() // it was told, or knows that it was refused
			}
			if said != c.said {
				t.Errorf("the client has said %d packets of EAP, want %d", said, c.said)
			}
			if n := countEvents[Established](r.a); n != 0 {
				t.Error("it is in")
			}
		})
	}
}

// says has the gateway's n-th packet of EAP be another one.
func (r *rig) says(n int, change func(*wire.EAP)) {
	i := 0
	r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
		if e := eapIn(ps); e != nil {
			if i++; i == n {
				change(e)
			}
		}
		return ps
	})
}

// Whatever a client says in the place of what is to come, it is not let in, and nobody hears of it as somebody.
func TestClientThatIsNone(t *testing.T) {
	for name, change := range map[string]func(round int, ps []wire.Payload) []wire.Payload{
		"AUTH in the place of the name": func(round int, ps []wire.Payload) []wire.Payload {
			if round == 1 {
				return []wire.Payload{&wire.Auth{Method: wire.AuthSharedKey, Data: make([]byte, 32)}}
			}
			return ps
		},
		"AUTH in the place of the password": func(round int, ps []wire.Payload) []wire.Payload {
			if round == 2 {
				return []wire.Payload{&wire.Auth{Method: wire.AuthSharedKey, Data: make([]byte, 32)}}
			}
			return ps
		},
		"AUTH with nothing as the key": func(round int, ps []wire.Payload) []wire.Payload {
			return swap(func(a *wire.Auth) { a.Data = make([]byte, len(a.Data)) })(ps)
		},
		"AUTH by another method": func(round int, ps []wire.Payload) []wire.Payload {
			return swap(func(a *wire.Auth) { a.Method = wire.AuthDigitalSignature })(ps)
		},
		"no AUTH": func(round int, ps []wire.Payload) []wire.Payload { return lacking[*wire.Auth](ps) },
		"EAP in the place of AUTH": func(round int, ps []wire.Payload) []wire.Payload {
			if _, ok := find[*wire.Auth](ps); ok {
				return []wire.Payload{&wire.EAP{Code: wire.EAPSuccess, Identifier: 1}}
			}
			return ps
		},
		"Success of its own": func(round int, ps []wire.Payload) []wire.Payload {
			return swap(func(e *wire.EAP) { e.Code, e.Data = wire.EAPSuccess, nil })(ps)
		},
		"a Request": func(round int, ps []wire.Payload) []wire.Payload {
			return swap(func(e *wire.EAP) { e.Code = wire.EAPRequest })(ps)
		},
		"nothing": func(round int, ps []wire.Payload) []wire.Payload {
			if round > 0 {
				return nil
			}
			return ps
		},
		"another identifier": func(round int, ps []wire.Payload) []wire.Payload {
			return swap(func(e *wire.EAP) { e.Identifier += 7 })(ps)
		},
		"another method": func(round int, ps []wire.Payload) []wire.Payload {
			if round == 2 {
				return swap(func(e *wire.EAP) { e.Data = []byte{byte(eap.TypeGTC), 'x'} })(ps)
			}
			return ps
		},
		"another round announced": func(round int, ps []wire.Payload) []wire.Payload {
			if _, ok := find[*wire.Auth](ps); ok {
				return append(slices.Clone(ps), &wire.Notify{NotifyType: wire.NotifyAnotherAuthFollows})
			}
			return ps
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newUserRig(t, eap.TypeMSCHAPv2, nil)
			round := -1
			r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
				round++
				return change(round, ps)
			})
			r.a.connect()
			r.run(30 * time.Second)
			r.b.wantNothing()
			if n := countEvents[Established](r.b) + countEvents[InstallInbound](r.b) + countEvents[PeerInitialContact](r.b); n != 0 {
				t.Errorf("%d events of an IKE SA", n)
			}
			if len(r.b.failures) != 1 {
				t.Errorf("failures: %v", r.b.failures)
			}
		})
	}
}

// A client can't have more kept, and for longer, than there is a limit for: rounds, octets, time.
func TestUserHasLimits(t *testing.T) {
	r := newUserRig(t, eap.TypeMSCHAPv2, nil)
	r.edit(r.a, wire.ExchangeIKEAuth, false, swap(func(e *wire.EAP) {
		if len(e.Data) > 10 {
			e.Data = append(e.Data[:1:1], bytes.Repeat([]byte{'x'}, 40<<10)...)
		}
	}))
	r.a.connect()
	for range 200 {
		r.run(10 * time.Millisecond)
		for _, m := range r.b.all() {
			if m.Held() > 64<<10 {
				t.Fatalf("%d octets are held", m.Held())
			}
		}
	}
	r.run(time.Minute)
	r.b.wantNothing()
}

// A person has a minute for each answer, whatever half_open_timeout is, and five for all of them; whoever has given no name has no more than that.
func TestUserHasTime(t *testing.T) {
	for typing, in := range map[time.Duration]bool{0: true, 50 * time.Second: true, 70 * time.Second: false} {
		r := newUserRig(t, eap.TypeMSCHAPv2, func(a, _ *Config) { a.Retransmit.Base, a.Retransmit.Tries = 1, 60 })
		r.drop = func(e *end, d []byte) bool {
			return e == r.a && headerOf(d).MessageID == 3 && r.now.Before(epoch.Add(typing))
		}
		r.a.connect()
		r.run(2 * time.Minute)
		if got := countEvents[Established](r.b) == 1; got != in {
			t.Errorf("typed for %s: in %v", typing, got)
		}
		if !in && !strings.Contains(r.b.wantFailure(diag.CodeHalfOpen).Error(), "'ann'") {
			t.Error(r.b.failures)
		}
	}
	r := newUserRig(t, eap.TypeMSCHAPv2, nil)
	r.drop = func(e *end, d []byte) bool {
		return e == r.a && headerOf(d).Exchange == wire.ExchangeIKEAuth && headerOf(d).MessageID > 1
	}
	r.a.connect()
	r.run(31 * time.Second)
	r.b.wantNothing()
	r.b.wantFailure(diag.CodeHalfOpen)
}

// A client that hears why in the words of its method and never comes back: the operator hears it at once, once, and nothing is left soon after.
func TestVerdictIsTold(t *testing.T) {
	for _, back := range []bool{true, false} {
		r := newUserRig(t, eap.TypeMSCHAPv2, nil)
		r.a.is("ann", "wrong", eap.TypeMSCHAPv2)
		r.drop = func(e *end, d []byte) bool { return e == r.a && headerOf(d).MessageID > 3 && !back }
		r.a.connect()
		r.run(time.Second)
		f := r.b.wantFailure(diag.CodeEAPPassword)
		r.run(verdictTime)
		r.b.wantNothing()
		for _, x := range r.b.failures {
			if x != f {
				t.Errorf("back %v: another failure %v", back, x)
			}
		}
	}
}

// EAP alone proves both sides where its method does (RFC 5998). No other method comes in that way, in either role, and a gateway that wants to
// prove itself by a certificate all the same is not taken.
func TestEAPAlone(t *testing.T) {
	for _, method := range []eap.Type{eap.TypeMD5, eap.TypeGTC, eap.TypeMSCHAPv2} {
		for _, lax := range []string{"", "the client", "the gateway"} {
			t.Run(fmt.Sprint(method, lax), func(t *testing.T) {
				r := newUserRig(t, method, func(a, b *Config) { a.RemoteAuth, b.LocalAuth = policy.AuthEAP, policy.AuthEAP })
				switch lax {
				case "the client": // believes that it talks to one with a certificate, and has not looked
					r.b.cfg.LocalAuth = policy.AuthPubkey
					r.edit(r.b, wire.ExchangeIKEAuth, true, lacking[*wire.Auth])
				case "the gateway":
					r.a.cfg.RemoteAuth = policy.AuthPubkey
				}
				said := 0
				r.edit(r.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
					if e := eapIn(ps); e != nil && eap.Type(e.Data[0]) == method {
						said++
					}
					return ps
				})
				r.a.connect()
				r.run(10 * time.Second)
				if said != 0 || countEvents[Established](r.a)+countEvents[Established](r.b) != 0 {
					t.Errorf("%d messages of the method; %v, %v", said, r.a.failures, r.b.failures)
				}
			})
		}
	}
}
