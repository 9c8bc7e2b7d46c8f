package ike

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// TestRevokedLater: what was let in is known as revoked as soon as a list that says so has come, for whatever reason, or lies in a file.
func TestRevokedLater(t *testing.T) {
	a := newAuthority(t)
	x := newInquirer(t, true, nil)
	one, three := a.end(21, "/crl", ""), a.end(23, "/crl", "")
	if err := x.verdict(one, policy.RevocationStrict); err != nil {
		t.Fatal(err)
	}
	refs := revocation.Refs(one)
	if w := x.revoked(time.Now(), refs); w != nil {
		t.Fatal(w)
	}
	n := revocation.Needed{Kind: revocation.CRL, URI: a.http.URL + "/crl", Certificate: one[0], Issuer: a.cert}
	f := &flight{needed: n, key: n.Key()}
	result, err := x.keep(f, revocation.Judge(time.Now(), n, a.revoking(100, 21)), "ok")
	x.mu.Lock()
	x.arrived(f, result, err, time.Now())
	x.mu.Unlock()
	if w := x.revoked(time.Now(), refs); w == nil || w.Number() != "15" {
		t.Errorf("it is not known: %v", w)
	}
	if w := x.revoked(time.Now(), revocation.Refs(three)); w != nil {
		t.Error(w)
	}

	l, err := revocation.ReadList("ca.crl", a.revoking(1000, 23))
	if err != nil {
		t.Fatal(err)
	}
	x.setFiles([]*revocation.List{l}, nil)
	x.takeUp()
	if w := x.revoked(time.Now(), revocation.Refs(three)); w == nil {
		t.Error("the list of a file is not known")
	}
	x.setFiles(nil, nil)
	x.takeUp()
	if w := x.revoked(time.Now(), revocation.Refs(three)); w != nil {
		t.Error("the list of a file that there is no more is known")
	}
}

// revoking is a CRL with an entry.
func (a *authority) revoking(number, serial int64) []byte {
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(serial), RevocationTime: time.Now()}}}, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

// takeUp does what the fetchers do when they are kicked.
func (x *inquirer) takeUp() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.takeUsed(time.Now())
	x.publishKnown(time.Now())
}

// TestUsedIsBounded: what the event loop looks up is remembered, and not for ever.
func TestUsedIsBounded(t *testing.T) {
	x := newInquirer(t, true, nil)
	x.takeUp()
	x.mu.Lock() // nobody takes it up
	for n := range maxUsed + 10 {
		x.revoked(time.Now(), []revocation.Ref{{Serial: string(big.NewInt(int64(n) + 1).Bytes()), Subject: "CN=x"}})
	}
	x.door.Lock()
	n := len(x.used)
	x.door.Unlock()
	x.mu.Unlock()
	if n == 0 || n > maxUsed {
		t.Errorf("%d are remembered", n)
	}
}
