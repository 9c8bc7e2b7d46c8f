package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"

	"esplanade/ike/identity"
)

// FuzzJudge has any bytes as CERT payloads and as a raw key, for any identity.
func FuzzJudge(f *testing.F) {
	ca := root(f, "CA")
	between := issue(f, ca, caTemplate("Between"), nil)
	end := issue(f, between, endTemplate(), nil)
	for _, c := range []*holder{ca, between, end, issue(f, ca, endTemplate(), rsaKey(f, 2048))} {
		f.Add(uint8(identity.FQDN), []byte("site-b.example"), c.Raw, between.Raw, c.RawSubjectPublicKeyInfo)
		f.Add(uint8(identity.DERASN1DN), c.RawSubject, c.Raw, between.Raw, []byte{})
	}
	s := readLimbo(f)
	for i, c := range s.Cases {
		if i%25 == 0 && len(s.Certs[c.End]) < 2000 {
			f.Add(uint8(identity.FQDN), []byte("example.com"), s.Certs[c.End], s.Certs[c.Anchors[0]], []byte{})
		}
	}
	trust := trustIn(ca)
	trust.Keys = []crypto.PublicKey{end.PublicKey}
	f.Fuzz(func(t *testing.T, typ uint8, data, first, second, key []byte) {
		id, err := identity.FromWire(typ, data)
		if err != nil {
			return
		}
		for _, p := range []Presented{{Certs: [][]byte{first, second}}, {Certs: [][]byte{second, first}}, {Key: key}, {}} {
			orderly(t, trust, id, p)
		}
		for _, der := range [][]byte{first, second} {
			c, err := Parse(der)
			if err != nil {
				continue
			}
			harmless(t, Describe(c))
			// Whatever can be read can be trusted: as an anchor, and pinned.
			orderly(t, &Trust{Anchors: []*x509.Certificate{c}}, id, Presented{Certs: [][]byte{first, second}})
			own := &Trust{Pinned: []*x509.Certificate{c}}
			if orderly(t, own, id, Presented{Certs: [][]byte{der}}) && !Binds(c, id) {
				t.Fatal("accepted for an identity that is not its own")
			}
			orderly(t, own, id, Presented{})
		}
	})
}

// FuzzParsePublicKey has any bytes as a raw public key: what is accepted is of a kind that is, and itself.
func FuzzParsePublicKey(f *testing.F) {
	f.Add([]byte{})
	f.Add(rsaInfo(f, odd(f, 2048), odd(f, 17)))
	ca := root(f, "CA")
	f.Add(ca.RawSubjectPublicKeyInfo)
	f.Fuzz(func(t *testing.T, spki []byte) {
		key, err := ParsePublicKey(spki)
		if err != nil {
			if key != nil {
				t.Fatalf("%T with the error %v", key, err)
			}
			return
		}
		switch k := key.(type) {
		case *rsa.PublicKey:
			if k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits || k.E < 3 || k.E%2 == 0 {
				t.Fatalf("accepted %d bits with e = %d", k.N.BitLen(), k.E)
			}
		case *ecdsa.PublicKey, ed25519.PublicKey, ed448.PublicKey:
		default:
			t.Fatalf("accepted a %T", key)
		}
		if !SameKey(key, key) {
			t.Fatal("the key is not the same as itself")
		}
	})
}
