package auth

import (
	"compress/gzip"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// A4: the signatures of Wycheproof, which testdata/extract_signatures.go takes out of its tests, by the scheme and the form that IKE has
// for them. What is called acceptable there (a missing NULL) is not accepted.
func TestWycheproofSignatures(t *testing.T) {
	f, err := os.Open("testdata/signatures.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		File  string
		Key   []byte
		Tests []struct {
			Message, Signature []byte
			Result             string
			Flags              []string
		}
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	schemes := map[string]Judge{
		"rsa_signature_2048_sha256":    {Schemes: []Scheme{RSASHA256}},
		"rsa_signature_3072_sha384":    {Schemes: []Scheme{RSASHA384}},
		"rsa_pss_2048_sha256_mgf1_32":  {Schemes: []Scheme{PSSSHA256}},
		"ecdsa_secp256r1_sha256":       {Schemes: []Scheme{ECDSASHA256}},
		"ecdsa_secp384r1_sha384":       {Schemes: []Scheme{ECDSASHA384}},
		"ecdsa_secp521r1_sha512":       {Schemes: []Scheme{ECDSASHA512}},
		"ecdsa_secp256r1_sha256_p1363": {Schemes: []Scheme{ECDSASHA256}, Curve: elliptic.P256()},
		"ecdsa_secp384r1_sha384_p1363": {Schemes: []Scheme{ECDSASHA384}, Curve: elliptic.P384()},
		"ecdsa_secp521r1_sha512_p1363": {Schemes: []Scheme{ECDSASHA512}, Curve: elliptic.P521()},
		"ed25519":                      {Schemes: []Scheme{Ed25519}},
		"ed448":                        {Schemes: []Scheme{Ed448}},
	}
	seen := map[string][2]int{}
	for _, g := range all {
		j, ok := schemes[g.File]
		if !ok {
			t.Fatalf("no scheme for %s", g.File)
		}
		key, err := pki.ParsePublicKey(g.Key)
		if err != nil {
			t.Errorf("%s: %v", g.File, err)
			continue
		}
		for _, c := range g.Tests {
			j.Octets, j.Signature = c.Message, c.Signature
			_, good := j.by(pki.Peer{Key: key})
			// Those that are valid for a signature of any length of r and s are not as long as RFC 4754 has them.
			if good != (c.Result == "valid") {
				t.Errorf("%s: %s %v, and it is taken: %v (%d bytes)", g.File, c.Result, c.Flags, good, len(c.Signature))
			}
			n := seen[g.File]
			n[map[bool]int{true: 1, false: 0}[good]]++
			seen[g.File] = n
		}
	}
	for file := range schemes {
		if n := seen[file]; n[0] < 40 || n[1] < 5 {
			t.Errorf("%s: %d refused, %d taken", file, n[0], n[1])
		}
	}
}

// CVE-2018-16151, CVE-2018-16152, CVE-2026-50722: with the exponent 3, whoever may leave garbage behind the hash, or in the parameters of
// the algorithm, makes a signature without the key: a cube root.
func TestForgedWithExponentThree(t *testing.T) {
	key := *pkitest.Key(t, pkitest.RSA2048).Public().(*rsa.PublicKey)
	key.E = 3
	octets := []byte("what is to be signed")
	sum := sha256.Sum256(octets)
	// DigestInfo of SHA-256 as PKCS #1 has it, and the same with 64 octets of parameters in place of NULL.
	plain := unhex(t, "3031300d060960864801650304020105000420")
	padded := append(unhex(t, "3071304d06096086480165030402010440"), make([]byte, 64)...)
	padded = append(padded, 4, 32)
	for name, info := range map[string][]byte{"garbage behind the hash": plain, "garbage in the parameters": padded} {
		block := slices.Concat([]byte{0, 1}, []byte(strings.Repeat("\xff", 8)), []byte{0}, info, sum[:])
		block = append(block, make([]byte, 256-len(block))...)
		root := cubeRoot(new(big.Int).SetBytes(block))
		forged := root.FillBytes(make([]byte, 256))
		cube := new(big.Int).Exp(root, big.NewInt(3), nil).FillBytes(make([]byte, 256))
		if !slices.Equal(cube[:11+len(plain)], block[:11+len(plain)]) {
			t.Fatal("this is no forgery that a lenient reader takes")
		}
		if RSASHA256.verify(&key, octets, forged) {
			t.Errorf("%s: it is taken", name)
		}
	}
	// A signature of zero, and one that is the block itself, for keys with an exponent of one.
	for _, s := range [][]byte{nil, make([]byte, 256), make([]byte, 255), slices.Repeat([]byte{0xff}, 256)} {
		if RSASHA256.verify(&key, octets, s) || PSSSHA256.verify(&key, octets, s) {
			t.Errorf("% x is taken", s)
		}
	}
}

// cubeRoot is the cube root, rounded up.
func cubeRoot(x *big.Int) *big.Int {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), 700)
	for low.Cmp(high) < 0 {
		mid := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(mid, big.NewInt(3), nil).Cmp(x) < 0 {
			low.Add(mid, big.NewInt(1))
		} else {
			high.Set(mid)
		}
	}
	return low
}

// CVE-2013-2944: an ECDSA signature of zeros, of the order, too short or too long is none, in both forms.
func TestSignaturesOfZero(t *testing.T) {
	signer := pkitest.Key(t, pkitest.P256)
	key := signer.Public()
	order := elliptic.P256().Params().N.FillBytes(make([]byte, 32))
	one := big.NewInt(1).FillBytes(make([]byte, 32))
	for _, raw := range [][]byte{nil, make([]byte, 64), slices.Concat(order, order), slices.Concat(one, make([]byte, 32)), slices.Concat(make([]byte, 32), one),
		make([]byte, 63), make([]byte, 65), make([]byte, 96)} {
		j := Judge{Schemes: []Scheme{ECDSASHA256}, Curve: elliptic.P256(), Octets: []byte("x"), Signature: raw}
		if _, ok := j.by(pki.Peer{Key: key}); ok {
			t.Errorf("% x is taken", raw)
		}
	}
	// A number of more octets has the same value.
	good := Sign{Signer: signer, Key: key, Scheme: ECDSASHA256, Octets: []byte("x")}.CarryOut()
	raw, err := rawSignature(good.Value.([]byte), elliptic.P256())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		raw  []byte
		want bool
	}{{raw, true}, {slices.Insert(slices.Clone(raw), 32, 0), false}} {
		j := Judge{Schemes: []Scheme{ECDSASHA256}, Curve: elliptic.P256(), Octets: []byte("x"), Signature: c.raw}
		if _, ok := j.by(pki.Peer{Key: key}); ok != c.want {
			t.Errorf("%d octets: %v", len(c.raw), ok)
		}
	}
	for _, der := range []string{"", "3000", "3006020100020100", "300602010102010100", "30060201010201ff", "300702020001020101"} {
		if ECDSASHA256.verify(key, []byte("x"), unhex(t, der)) {
			t.Errorf("%s is taken", der)
		}
	}
}

// A method of RFC 4754 names its curve: a key on another one, or of another kind, does not fit.
func TestOldMethodsNameTheirCurve(t *testing.T) {
	for _, k := range []pkitest.Kind{pkitest.P384, pkitest.P521, pkitest.RSA2048, pkitest.Ed25519} {
		s, _ := newSigners(t, k)
		s.i.PeerHashes, s.r.PeerHashes = nil, nil
		if k == pkitest.Ed25519 {
			continue
		}
		in := s.message(t)
		a := findAuth(in)
		for _, m := range []wire.AuthMethod{wire.AuthECDSA256, wire.AuthECDSA384, wire.AuthECDSA521, wire.AuthRSA} {
			other := slices.Clone(in)
			for i, p := range other {
				if p == wire.Payload(a) {
					other[i] = &wire.Auth{Method: m, Data: a.Data}
				}
			}
			_, err := s.check().Process(s.r, other)
			if (err == nil) != (m == a.Method) {
				t.Errorf("%s as %v: %v", k, m, err)
			}
		}
	}
}
