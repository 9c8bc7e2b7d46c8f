package sa

import (
	"crypto"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// announcements notes what a side announces in the messages of an exchange.
func announcements(r *rig, e *end, x wire.ExchangeType, response bool) (seen *[]int) {
	seen = new([]int)
	r.edit(e, x, response, func(ps []wire.Payload) []wire.Payload {
		for _, n := range notifies(ps) {
			if n.NotifyType == wire.NotifySupportedAuthMethods {
				list, err := n.SupportedAuthMethods()
				if err != nil {
					r.t.Error(err)
				}
				*seen = append(*seen, len(list))
			}
		}
		return ps
	})
	return seen
}

// RFC 9593: the responder says in IKE_SA_INIT what it takes, the initiator in IKE_AUTH, where they sign; in IKE_INTERMEDIATE what would make the
// answer too long.
func TestMethodsAreAnnounced(t *testing.T) {
	short := wire.Summary(wire.Header{}, []wire.Payload{&wire.Notify{NotifyType: wire.NotifySupportedAuthMethods}})
	short = short[strings.Index(short, "N(")+2 : strings.Index(short, ") ]")]
	for name, c := range map[string]struct {
		edit                 func(a, b *Config)
		init, later, request []int
	}{
		"certificates":     {nil, []int{11}, nil, []int{11}},
		"pre-shared keys":  {func(a, b *Config) { a.LocalAuth, a.RemoteAuth, b.LocalAuth, b.RemoteAuth = 1, 1, 1, 1 }, nil, nil, nil},
		"of one side only": {func(a, b *Config) { a.LocalAuth, b.RemoteAuth = policy.AuthPSK, policy.AuthPSK }, nil, nil, []int{11}},
		"two rounds": {func(a, b *Config) {
			b.RemoteRounds = []Round{{b.RemoteID, policy.AuthPSK}}
			a.LocalRounds = []Round{{a.LocalID, policy.AuthPSK}}
		}, []int{12}, nil, []int{11}},
		"a long answer": {ikeProposals(t, "aes128gcm16-prfsha256-modp8192", "aes128gcm16-prfsha256-modp8192"), nil, nil, []int{11}},
		"a long answer, and IKE_INTERMEDIATE": {ikeProposals(t, "aes128gcm16-prfsha256-modp8192-ke1_mlkem768", "aes128gcm16-prfsha256-modp8192-ke1_mlkem768"),
			[]int{0}, []int{11}, []int{11}},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, _ := newCertRig(t, 340, pkitest.P256, c.edit)
			inInit := announcements(r, r.b, wire.ExchangeIKESAInit, true)
			inRequest := announcements(r, r.a, wire.ExchangeIKEAuth, false)
			m := r.a.connect()
			r.run(time.Minute)
			r.wantUp(1)
			later := []int(nil)
			for _, o := range r.b.events {
				x, ok := o.(ExchangeDone)
				if ok && x.Exchange == wire.ExchangeIKEIntermediate && strings.Contains(x.Response, "N("+short+")") {
					later = append(later, len(m.sig.methods))
				}
			}
			if !slices.Equal(*inInit, c.init) || !slices.Equal(later, c.later) || !slices.Equal(*inRequest, c.request) {
				t.Errorf("IKE_SA_INIT %v, IKE_INTERMEDIATE %v, IKE_AUTH %v; want %v, %v, %v", *inInit, later, *inRequest, c.init, c.later, c.request)
			}
			if want := append(append([]int{}, c.init...), c.later...); len(want) > 0 && len(m.sig.methods) != want[len(want)-1] {
				t.Errorf("the initiator has taken %d methods", len(m.sig.methods))
			}
		})
	}
}

// A side with two keys shows the one that the other has announced, in both roles.
func TestAnnouncedMethodIsUsed(t *testing.T) {
	for _, initiator := range []bool{true, false} {
		r, a, b := newCertRig(t, 341, pkitest.P256, nil)
		who, other := a, b
		if !initiator {
			who, other = b, a
		}
		ed := who.ca.End(t, epoch, who.name+".example", pkitest.Ed25519)
		who.own = append(who.own, ed.Pair())
		only := func(ps []wire.Payload) []wire.Payload {
			for i, p := range ps {
				if n, ok := p.(*wire.Notify); ok && n.NotifyType == wire.NotifySupportedAuthMethods {
					list, _ := n.SupportedAuthMethods()
					ps[i] = wire.NewSupportedAuthMethods(list[:1]...) // Ed25519
				}
			}
			return ps
		}
		if initiator {
			r.a.cfg.Downgrade = policy.DowngradeNo
			r.b.env.NoTranscript = func() bool { return true }
			r.edit(other.end, wire.ExchangeIKESAInit, true, only)
			r.a.env.method = nil
		} else {
			r.edit(other.end, wire.ExchangeIKEAuth, false, only)
		}
		var shown []crypto.PublicKey
		r.edit(who.end, wire.ExchangeIKEAuth, !initiator, swap(func(c *wire.Cert) {
			for _, p := range []credential.Pair{who.own[0], who.own[1]} {
				if string(p.Chain[0].Raw) == string(c.Data) {
					shown = append(shown, p.Key)
				}
			}
		}))
		r.a.connect()
		r.run(time.Minute)
		if len(shown) != 1 || shown[0] != nil && !ed.Cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(shown[0]) {
			t.Errorf("initiator %v: %d certificates, not the announced one", initiator, len(shown))
		}
	}
}
