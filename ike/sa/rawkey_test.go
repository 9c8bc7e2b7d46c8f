package sa

import (
	"crypto"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// newRawRig has both sides prove themselves by keys without certificates, each of which knows the other's.
func newRawRig(t *testing.T, k pkitest.Kind, edit func(a, b *Config)) (r *rig, a, b *certified) {
	r, a, b = newCertRig(t, 320, pkitest.P256, edit)
	for _, x := range []*certified{a, b} {
		key := pkitest.Key(t, k)
		x.own = []credential.Pair{{Signer: key, Key: key.Public(), Name: "raw.key", Line: "x.toml:1"}}
	}
	a.accept.Trust, b.accept.Trust = &pki.Trust{Keys: []crypto.PublicKey{b.own[0].Key}}, &pki.Trust{Keys: []crypto.PublicKey{a.own[0].Key}}
	return r, a, b
}

// certsOf lists the encodings of the CERT (C) and CERTREQ (R) payloads that a side sends.
func certsOf(r *rig, e *end) (list *[]string) {
	list = new([]string)
	note := func(ps []wire.Payload) []wire.Payload {
		for _, p := range ps {
			switch x := p.(type) {
			case *wire.Cert:
				*list = append(*list, fmt.Sprintf("C%d", x.Encoding))
			case *wire.CertReq:
				*list = append(*list, fmt.Sprintf("R%d", x.Encoding))
				if x.Encoding == wire.CertRawPublicKey && len(x.Authorities) != 0 {
					r.t.Error("a request for a raw public key names CAs")
				}
			}
		}
		return ps
	}
	for _, x := range []wire.ExchangeType{wire.ExchangeIKESAInit, wire.ExchangeIKEAuth} {
		r.edit(e, x, false, note)
		r.edit(e, x, true, note)
	}
	return list
}

// RFC 7670: both sides show keys without certificates, and each knows that of the other by its configuration. They are sent as the policy
// says, and do as well when they are not. Who it is that has the key the configuration says: the identity may be any that fits.
func TestRawPublicKeys(t *testing.T) {
	for _, k := range []pkitest.Kind{pkitest.P256, pkitest.RSA2048, pkitest.Ed25519} {
		for _, send := range []policy.SendCert{policy.SendCertIfAsked, policy.SendCertAlways, policy.SendCertNever} {
			t.Run(fmt.Sprint(k, " ", send), func(t *testing.T) {
				r, _, _ := newRawRig(t, k, func(a, b *Config) {
					a.SendCert, b.SendCert = send, send
					a.LocalID, b.RemoteID = mustID(t, "@#6b6579"), mustID(t, "%any")
				})
				fromA, fromB := certsOf(r, r.a), certsOf(r, r.b)
				r.a.connect()
				r.run(time.Minute)
				_, mb := r.wantUp(1)
				want := []string{"R15", "C15"}
				if send == policy.SendCertNever {
					want = want[:1]
				}
				for _, got := range [][]string{*fromA, *fromB} {
					slices.Sort(got)
					if got = slices.Compact(got); !slices.Equal(got, sorted(want)) {
						t.Errorf("sent %v, want %v", got, want)
					}
				}
				if id := mb.RemoteID().String(); id != "keyid:key" {
					t.Errorf("the peer is %s", id)
				}
			})
		}
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// A raw public key that is not known, or is none, is refused, and so is one that is shown in the place of the one that has signed.
func TestRawPublicKeyIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *rig, a, b *certified)
		want  diag.Code
	}{
		"unknown": {func(r *rig, a, b *certified) {
			b.accept.Trust.Keys = []crypto.PublicKey{pkitest.Key(r.t, pkitest.P256).Public()}
		}, diag.CodeCertPinned},
		"by a peer that is known by a certificate": {func(r *rig, a, b *certified) {
			b.accept.Trust = &pki.Trust{Anchors: pkitest.CA(r.t, epoch, "X", pkitest.P256).Chain()}
			a.cfg.SendCert = policy.SendCertAlways
		}, diag.CodeCertPinned},
		"not DER": {func(r *rig, a, b *certified) {
			r.edit(r.a, wire.ExchangeIKEAuth, false, swap(func(c *wire.Cert) { c.Data = c.Data[:len(c.Data)-1] }))
		}, diag.CodeCertSyntax},
		"another known one than that of the signature": {func(r *rig, a, b *certified) {
			key := pkitest.Key(r.t, pkitest.P256)
			b.accept.Trust.Keys = append(b.accept.Trust.Keys, key.Public())
			spki, err := pki.MarshalPublicKey(key.Public())
			if err != nil {
				r.t.Fatal(err)
			}
			r.edit(r.a, wire.ExchangeIKEAuth, false, swap(func(c *wire.Cert) { c.Data = spki }))
		}, diag.CodeSignature},
	} {
		t.Run(name, func(t *testing.T) {
			r, a, b := newRawRig(t, pkitest.P256, nil)
			c.spoil(r, a, b)
			r.a.connect()
			r.run(time.Minute)
			if f := r.a.wantFailure(diag.CodeAuthRefused).Error(); strings.Contains(f, "pre-shared") {
				t.Error(f)
			}
			f := r.b.wantFailure(c.want)
			if !strings.Contains(f.Error(), "a.example") || c.want == diag.CodeCertPinned && !strings.Contains(f.Error(), "shows a raw public key (its SHA-256 is ") {
				t.Error(f)
			}
			r.a.wantNothing()
			r.b.wantNothing()
		})
	}
}

// Each direction has a method of its own: a pre-shared key one way and a certificate, or a key without one, the other; in both roles.
func TestEachDirectionHasItsOwnMethod(t *testing.T) {
	for _, byPSK := range []string{"a", "b"} {
		for _, raw := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s has the pre-shared key, raw %v", byPSK, raw), func(t *testing.T) {
				make := newCertRig
				if raw {
					make = func(t *testing.T, _ uint64, k pkitest.Kind, edit func(a, b *Config)) (*rig, *certified, *certified) {
						return newRawRig(t, k, edit)
					}
				}
				edit := func(a, b *Config) {
					if byPSK == "b" {
						a, b = b, a
					}
					a.LocalAuth, b.RemoteAuth = policy.AuthPSK, policy.AuthPSK
				}
				r, _, _ := make(t, 321, pkitest.P256, edit)
				r.a.connect()
				r.run(time.Minute)
				r.wantUp(1)

				// The one's certificate is no pre-shared key, and the other way round.
				r, _, _ = make(t, 322, pkitest.P256, func(a, b *Config) {
					edit(a, b)
					a.LocalAuth, b.LocalAuth = b.LocalAuth, a.LocalAuth
				})
				r.a.connect()
				r.run(time.Minute)
				r.b.wantFailure(diag.CodeAuthMethod)
				r.b.wantNothing()

				// A wrong key of either fails.
				r, _, b := make(t, 323, pkitest.P256, edit)
				r.b.psk = map[string]string{"": "another"}
				r.a.connect()
				r.run(time.Minute)
				who := r.b
				if byPSK == "b" {
					who = r.a
				}
				who.wantFailure(diag.CodeAuthPSK)
				_ = b
			})
		}
	}
}

// A certificate in one round and a pre-shared key in the other, each with what goes with its round.
func TestRoundsWithCertificates(t *testing.T) {
	r, a, b := newCertRig(t, 324, pkitest.P256, func(x, y *Config) {
		x.LocalRounds, y.RemoteRounds = []Round{{mustID(t, "user.example"), policy.AuthPubkey}}, []Round{{mustID(t, "*.example"), policy.AuthPubkey}}
		x.LocalAuth, y.RemoteAuth = policy.AuthPSK, policy.AuthPSK
		y.LocalRounds, x.RemoteRounds = []Round{{mustID(t, "b2.example"), policy.AuthPSK}}, []Round{{mustID(t, "b2.example"), policy.AuthPSK}}
	})
	user := a.ca.End(t, epoch, "user.example", pkitest.P256)
	a.env.Own = func(_ string, round int) []credential.Pair {
		if round != 1 {
			t.Errorf("the key of round %d is asked for", round)
		}
		return []credential.Pair{user.Pair()}
	}
	accept := b.env.Accepted
	b.env.Accepted = func(name string, round int) credential.Accepted {
		if round != 1 {
			t.Errorf("what is accepted in round %d is asked for", round)
		}
		return accept(name, round)
	}
	r.a.connect()
	r.run(time.Minute)
	_, mb := r.wantUp(1)
	if mb.RemoteID().String() != "user.example" {
		t.Errorf("the peer is %s", mb.RemoteID())
	}
}
