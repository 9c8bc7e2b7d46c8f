package pki

import (
	"bytes"
	"crypto"
	//lint:ignore SA1019 keys of DSA are refused
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"
)

// keys are one key of each kind that is accepted, with its SubjectPublicKeyInfo.
func keys(t *testing.T) map[string]crypto.PublicKey {
	t.Helper()
	all := map[string]crypto.PublicKey{"RSA": rsaKey(t, 2048).Public()}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		all[curve.Params().Name] = k.Public()
	}
	k, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	all["Ed25519"] = k
	k448, _, err := ed448.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	all["Ed448"] = k448
	return all
}

func info(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	if k, ok := key.(ed448.PublicKey); ok {
		return edInfo(t, 113, k)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// edInfo is the SubjectPublicKeyInfo for the object identifiers 1.3.101.n (RFC 8410).
func edInfo(t *testing.T, n int, key []byte) []byte {
	return marshal(t, struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 101, n}}, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
}

// TestKeyKinds has each kind in a certificate, raw, and with every kind of damage that truncation and bytes at the end
// are.
func TestKeyKinds(t *testing.T) {
	ca := root(t, "CA")
	all := keys(t)
	for name, key := range all {
		spki := info(t, key)
		got, err := ParsePublicKey(spki)
		if err != nil || !SameKey(got, key) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		der := withKey(t, ca, endTemplate(), spki)
		peer, err := trustIn(ca).Judge(noon(), id(t, "site-b.example"), Presented{Certs: [][]byte{der}})
		if err != nil || !SameKey(peer.Key, key) {
			t.Errorf("%s in a certificate: %v", name, err)
		} else if KeyHash(peer.Chain[0]) != sha1.Sum(spki) {
			t.Errorf("%s: the hash is not that of the SubjectPublicKeyInfo", name)
		}
		for n := range spki {
			if k, err := ParsePublicKey(spki[:n]); err == nil || k != nil {
				t.Errorf("%s: accepted with %d of %d bytes", name, n, len(spki))
			}
		}
		if k, err := ParsePublicKey(append(slices.Clone(spki), 0)); err == nil || k != nil {
			t.Errorf("%s: accepted with a byte more", name)
		}
	}
}

// TestKeysOfOtherKinds is the class of CVE-2020-16088: a comparison of keys that says "equal" of what it can't compare.
func TestKeysOfOtherKinds(t *testing.T) {
	all := keys(t)
	for a, x := range all {
		for b, y := range all {
			if SameKey(x, y) != (a == b) {
				t.Errorf("%s and %s: %v", a, b, a != b)
			}
		}
		for _, none := range []crypto.PublicKey{nil, 0, "", []byte(nil), ed448.PublicKey(nil), ed25519.PublicKey(nil), &dsa.PublicKey{}, struct{}{}} {
			if SameKey(x, none) || SameKey(none, x) {
				t.Errorf("%s is the same as %T", a, none)
			}
		}
	}
	for _, none := range []crypto.PublicKey{nil, 0, ed448.PublicKey(nil), ed448.PublicKey{}, &dsa.PublicKey{}} {
		if SameKey(none, none) {
			t.Errorf("%T is the same as itself", none)
		}
	}
	// The same octets as keys of two kinds, and one point coordinate of another.
	octets := make([]byte, ed448.PublicKeySize)
	if SameKey(ed448.PublicKey(octets), ed25519.PublicKey(octets[:32])) {
		t.Error("Ed448 and Ed25519 are the same")
	}
	p, ok := all["P-256"].(*ecdsa.PublicKey)
	if !ok {
		t.Fatal("not a key of ECDSA")
	}
	point, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	y := point[len(point)-32:]
	new(big.Int).Sub(p.Params().P, new(big.Int).SetBytes(y)).FillBytes(y)
	q, err := ecdsa.ParseUncompressedPublicKey(p.Curve, point)
	if err != nil {
		t.Fatal(err)
	}
	if SameKey(p, q) {
		t.Error("a point and its negative are the same")
	}
	r, ok := all["RSA"].(*rsa.PublicKey)
	if !ok {
		t.Fatal("not a key of RSA")
	}
	if SameKey(r, &rsa.PublicKey{N: r.N, E: 3}) {
		t.Error("two exponents are the same")
	}
}

// TestAbsurdKeys is the class of CVE-2026-14957 and CVE-2017-11185: keys that no arithmetic should ever see.
func TestAbsurdKeys(t *testing.T) {
	ca := root(t, "CA")
	one, three, e := big.NewInt(1), big.NewInt(3), big.NewInt(65537)
	good := odd(t, 2048)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256 := info(t, newKey(t).Public())
	flipped := slices.Clone(p256)
	flipped[len(flipped)-1] ^= 1 // not on the curve
	y := marshal(t, odd(t, 2047))
	dsaInfo := marshal(t, struct {
		Algorithm struct {
			OID    asn1.ObjectIdentifier
			Params struct{ P, Q, G *big.Int }
		}
		Key asn1.BitString
	}{Algorithm: struct {
		OID    asn1.ObjectIdentifier
		Params struct{ P, Q, G *big.Int }
	}{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, struct{ P, Q, G *big.Int }{odd(t, 2048), odd(t, 256), odd(t, 2047)}},
		Key: asn1.BitString{Bytes: y, BitLength: 8 * len(y)}})
	for name, tt := range map[string]struct {
		spki []byte
		want Reason // as the key of a certificate
	}{
		"1024 bits":                {rsaInfo(t, odd(t, 1024), e), WeakKey},
		"2047 bits":                {rsaInfo(t, odd(t, 2047), e), WeakKey},
		"n = 1":                    {rsaInfo(t, one, e), WeakKey},
		"n = 0":                    {rsaInfo(t, new(big.Int), e), Unreadable},
		"n negative":               {rsaInfo(t, new(big.Int).Neg(good), e), Unreadable},
		"n even":                   {rsaInfo(t, new(big.Int).Add(good, one), e), UnfitKey},
		"n of 8193 bits":           {rsaInfo(t, odd(t, 8193), e), UnfitKey},
		"n of 16384 bits":          {rsaInfo(t, odd(t, 16384), e), UnfitKey},
		"e = 0":                    {rsaInfo(t, good, new(big.Int)), Unreadable},
		"e = 1":                    {rsaInfo(t, good, one), UnfitKey},
		"e = 2":                    {rsaInfo(t, good, big.NewInt(2)), UnfitKey},
		"e even":                   {rsaInfo(t, good, big.NewInt(65538)), UnfitKey},
		"e negative":               {rsaInfo(t, good, big.NewInt(-3)), Unreadable},
		"e of 33 bits":             {rsaInfo(t, good, new(big.Int).Lsh(three, 31)), UnfitKey},
		"e of 65 bits":             {rsaInfo(t, good, new(big.Int).Lsh(three, 64)), Unreadable},
		"e as long as n":           {rsaInfo(t, good, odd(t, 2048)), Unreadable},
		"DSA":                      {dsaInfo, UnfitKey},
		"RSASSA-PSS":               {bytes.Replace(rsaInfo(t, good, e), marshal(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}), marshal(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}), 1), UnfitKey},
		"P-224":                    {info(t, p224.Public()), UnfitKey},
		"a point beside its curve": {flipped, Unreadable},
		"elements behind the key":  {append(append([]byte{0x30, p256[1] + 2}, p256[2:]...), 5, 0), UnfitKey},
		"X25519":                   {edInfo(t, 110, make([]byte, 32)), UnfitKey},
		"X448":                     {edInfo(t, 111, make([]byte, 56)), UnfitKey},
		"Ed25519 one byte short":   {edInfo(t, 112, make([]byte, 31)), Unreadable},
		"Ed448 one byte short":     {edInfo(t, 113, make([]byte, 56)), UnfitKey},
		"Ed448 one byte long":      {edInfo(t, 113, make([]byte, 58)), UnfitKey},
		"Ed448 and more":           {append(append([]byte{0x30, 69}, edInfo(t, 113, make([]byte, 57))[2:]...), 5, 0), UnfitKey},
		"Ed448 with parameters":    {append([]byte{0x30, 69, 0x30, 7, 6, 3, 0x2b, 0x65, 0x71, 5, 0}, edInfo(t, 113, make([]byte, 57))[9:]...), UnfitKey},
		"Ed448 empty":              {edInfo(t, 113, nil), UnfitKey},
		"an unknown kind":          {edInfo(t, 99, make([]byte, 32)), UnfitKey},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ParsePublicKey(tt.spki)
			if err == nil || key != nil {
				t.Fatalf("accepted as %T, %v", key, err)
			}
			if weak := errors.Is(err, ErrWeakKey); weak != (tt.want == WeakKey) {
				t.Errorf("weak: %v: %v", weak, err)
			}
			der := withKey(t, ca, endTemplate(), tt.spki)
			refused(t, trustIn(ca), Presented{Certs: [][]byte{der}}, tt.want)
			refused(t, trustIn(ca), Presented{Key: tt.spki}, Unreadable)
		})
	}
	for _, fine := range [][]byte{rsaInfo(t, odd(t, 8192), e), rsaInfo(t, good, three), rsaInfo(t, good, big.NewInt(maxRSAExponent))} {
		if _, err := ParsePublicKey(fine); err != nil {
			t.Errorf("refused: %v", err)
		}
	}
}

// TestWeakCA has keys that are too weak or too large above an end that is fine.
func TestWeakCA(t *testing.T) {
	ca := root(t, "CA")
	weak := issue(t, nil, caTemplate("Weak"), rsaKey(t, 1024))
	r := refused(t, trustIn(weak), present(issue(t, weak, endTemplate(), nil)), WeakKey)
	if r.Role != Anchor || !r.Cert.Equal(weak.Certificate) {
		t.Errorf("said of the %v: %v", r.Role, r)
	}
	between := issue(t, ca, caTemplate("Between"), rsaKey(t, 1024))
	r = refused(t, trustIn(ca), present(issue(t, between, endTemplate(), nil), between), WeakKey)
	if r.Role != Intermediate || !r.Cert.Equal(between.Certificate) {
		t.Errorf("said of the %v: %v", r.Role, r)
	}
}
