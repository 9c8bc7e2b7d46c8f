package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"testing"

	"esplanade/ike/identity"
)

// BenchmarkJudge is what a handshake pays for a chain, the verification of AUTH not counted.
func BenchmarkJudge(b *testing.B) {
	id := identity.Identity{Type: identity.FQDN, Data: []byte("site-b.example")}
	p256 := func() crypto.Signer { return newKey(b) }
	rsa2048 := func() crypto.Signer { return rsaKey(b, 2048) }
	for _, bb := range []struct {
		name    string
		key     func() crypto.Signer
		between int
	}{
		{"P-256, two", p256, 0}, {"P-256, three", p256, 1}, {"P-256, four", p256, 2}, {"RSA-2048, two", rsa2048, 0}, {"RSA-2048, three", rsa2048, 1},
	} {
		ca := issue(b, nil, caTemplate("CA"), bb.key())
		trust, issuer, p := trustIn(ca), ca, Presented{}
		for i := range bb.between {
			issuer = issue(b, issuer, caTemplate(fmt.Sprint("Between ", i)), bb.key())
			p.Certs = append(p.Certs, issuer.Raw)
		}
		p.Certs = append([][]byte{issue(b, issuer, endTemplate(), bb.key()).Raw}, p.Certs...)
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := trust.Judge(noon(), id, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// strangers are chains that a peer without a certificate of a trusted CA may send, made to cost as much as possible: on
// the curve that takes longest, all of one name and all having issued each other, in addition to a trusted CA of that name.
func strangers(t testing.TB) (*Trust, map[string]Presented) {
	t.Helper()
	k521 := func() crypto.Signer {
		k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ca := issue(t, nil, caTemplate("CA"), k521())
	one := issue(t, nil, caTemplate("CA"), k521())
	same := present(issue(t, one, endTemplate(), nil))
	for len(same.Certs) < MaxPresented {
		same.Certs = append(same.Certs, issue(t, one, caTemplate("CA"), one.key).Raw)
	}
	other := present(issue(t, one, endTemplate(), nil))
	issuer := one
	for len(other.Certs) < MaxPresented {
		issuer = issue(t, issuer, caTemplate("CA"), k521())
		other.Certs = append(other.Certs, issuer.Raw)
	}
	two := Presented{Certs: same.Certs[:3]}
	return trustIn(ca), map[string]Presented{"one key": same, "a chain": other, "two": two, "none": {Certs: same.Certs[:1]}}
}

// BenchmarkStranger is the most that somebody unknown can make Judge do.
func BenchmarkStranger(b *testing.B) {
	id := identity.Identity{Type: identity.FQDN, Data: []byte("site-b.example")}
	trust, all := strangers(b)
	for name, p := range all {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := trust.Judge(noon(), id, p); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
	// What crypto/x509 would do if it were asked at once.
	b.Run("one key, crypto-x509 alone", func(b *testing.B) {
		end, err := Parse(all["one key"].Certs[0])
		if err != nil {
			b.Fatal(err)
		}
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(trust.Anchors[0])
		for _, der := range all["one key"].Certs[1:] {
			c, err := Parse(der)
			if err != nil {
				b.Fatal(err)
			}
			between.AddCert(c)
		}
		for b.Loop() {
			if _, err := end.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: noon()}); err == nil {
				b.Fatal("accepted")
			}
		}
	})
}
