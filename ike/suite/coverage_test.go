package suite

import (
	"bytes"
	"crypto/ecdh"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// TestEveryKeyword walks what package proposal can parse. Each keyword must be supported, and must pass known answers
// with its very key length. A transform that can be negotiated but not done has crashed other implementations.
func TestEveryKeyword(t *testing.T) {
	katsOf := knownAnswers(t)
	for _, protocol := range []wire.ProtocolID{wire.ProtocolIKE, wire.ProtocolESP} {
		for _, k := range proposal.Keywords(protocol) {
			t.Run(fmt.Sprintf("%v/%s", protocol, k.Name), func(t *testing.T) {
				tr := k.Transform
				if !supported(tr.Type, tr.ID, tr.KeyLength, protocol) {
					t.Fatalf("%v is not supported", tr)
				}
				if !k.Canonical {
					return // the same transform as another keyword's
				}
				if tr.Type.IsKE() && tr.Type != wire.TransformKE {
					if tr.ID == wire.KE_NONE {
						return // nothing to compute
					}
					if _, ok := mlkemGroups()[tr.ID]; ok {
						return // TestMLKEMKnownAnswers
					}
					tr.Type = wire.TransformKE // the same methods
				}
				if protocol == wire.ProtocolESP && (tr.Type == wire.TransformESN || tr.ID == wire.KE_NONE && tr.Type == wire.TransformKE ||
					tr.ID == wire.ENCR_NULL && tr.Type == wire.TransformENCR) {
					return // nothing to compute
				}
				kats := katsOf(tr)
				if len(kats) == 0 {
					t.Fatalf("there is no known answer for %v", tr)
				}
				for _, check := range kats {
					check(t)
				}
			})
		}
	}
}

// TestSupportedIsNotMore: what cannot be named is not supported either. Beyond the keywords there are only ML-KEM, and the
// additional key exchanges of RFC 9370, which take any method that KE takes and NONE.
func TestSupportedIsNotMore(t *testing.T) {
	for _, protocol := range []wire.ProtocolID{wire.ProtocolNone, wire.ProtocolIKE, wire.ProtocolAH, wire.ProtocolESP} {
		named := make(map[wire.Transform]bool)
		for _, k := range proposal.Keywords(protocol) {
			named[k.Transform] = protocol == wire.ProtocolIKE || protocol == wire.ProtocolESP
		}
		for typ := range wire.TransformType(16) {
			for id := range uint16(100) {
				for _, bits := range []uint16{0, 1, 64, 96, 127, 128, 192, 256, 512} {
					tr := wire.Transform{Type: typ, ID: id, KeyLength: bits}
					want := named[tr]
					inUse := protocol == wire.ProtocolIKE || protocol == wire.ProtocolESP
					_, mlkem := mlkemGroups()[id]
					switch {
					case typ == wire.TransformKE && mlkem && bits == 0:
						want = inUse
					case typ >= wire.TransformADDKE1 && typ <= wire.TransformADDKE7 && bits == 0:
						want = inUse && (mlkem || id == wire.KE_NONE || named[wire.Transform{Type: wire.TransformKE, ID: id}])
					}
					if typ == wire.TransformINTEG && id == wire.AUTH_NONE && bits == 0 {
						want = inUse
					}
					if got := supported(typ, id, bits, protocol); got != want {
						t.Errorf("%v, %v: supported is %v, a keyword exists: %v", protocol, tr, got, want)
					}
					if typ == wire.TransformKE && bits == 0 && supportedKE(id) != want && id != wire.KE_NONE && inUse {
						t.Errorf("supportedKE(%d) is %v", id, supportedKE(id))
					}
				}
			}
		}
	}
	if supportedKE(wire.KE_NONE) {
		t.Error("NONE is a key exchange")
	}
}

// knownAnswers reads all files and returns the checks of a transform.
func knownAnswers(t *testing.T) func(wire.Transform) []func(*testing.T) {
	checks := make(map[wire.Transform][]func(*testing.T))
	add := func(tr wire.Transform, check func(*testing.T)) { checks[tr] = append(checks[tr], check) }

	for _, k := range readKAT(t, "mac.txt") {
		if k.has("prf") {
			add(wire.Transform{Type: wire.TransformPRF, ID: k.id(t, "prf")}, func(t *testing.T) { checkPRF(t, k) })
		} else {
			add(wire.Transform{Type: wire.TransformINTEG, ID: k.id(t, "integ")}, func(t *testing.T) { checkInteg(t, k) })
		}
	}
	for _, k := range readKAT(t, "aead.txt") {
		tr := wire.Transform{Type: wire.TransformENCR, ID: k.id(t, "encr"), KeyLength: uint16(len(k.hex(t, "key"))-aeadSaltLen) * 8}
		switch tr.ID {
		case wire.ENCR_CHACHA20_POLY1305:
			add(tr, func(t *testing.T) { checkAEAD(t, tr, k, 16) })
			tr.KeyLength = 0
			add(tr, func(t *testing.T) { checkAEAD(t, tr, k, 16) })
		case wire.ENCR_AES_GCM_16:
			// The ICVs of the other two are the beginning of that one, but what is wrong in an invalid one may be behind it.
			if invalid(k) {
				add(tr, func(t *testing.T) { checkAEAD(t, tr, k, 16) })
				continue
			}
			for id, icvLen := range map[uint16]int{wire.ENCR_AES_GCM_16: 16, wire.ENCR_AES_GCM_12: 12, wire.ENCR_AES_GCM_8: 8} {
				tr.ID = id
				add(tr, func(t *testing.T) {
					checkAEAD(t, wire.Transform{Type: tr.Type, ID: id, KeyLength: tr.KeyLength}, k, icvLen)
				})
			}
		case wire.ENCR_AES_GCM_12:
			add(tr, func(t *testing.T) { checkAEAD(t, tr, k, 12) })
		case wire.ENCR_AES_GCM_8:
			add(tr, func(t *testing.T) { checkAEAD(t, tr, k, 8) })
		}
	}
	for _, k := range readKAT(t, "cipher.txt") {
		tr := wire.Transform{Type: wire.TransformENCR, ID: k.id(t, "encr")}
		bits := len(k.hex(t, "key")) * 8
		if tr.ID == wire.ENCR_AES_CTR {
			bits -= ctrNonceLen * 8
		}
		tr.KeyLength = uint16(bits)
		add(tr, func(t *testing.T) { checkCipher(t, tr, k) })
	}
	for _, k := range readKAT(t, "ke.txt") {
		add(wire.Transform{Type: wire.TransformKE, ID: k.id(t, "group")}, func(t *testing.T) { checkKE(t, k) })
	}
	return func(tr wire.Transform) []func(*testing.T) { return checks[tr] }
}

func invalid(k kat) bool { return strings.HasSuffix(k.name, "_invalid") }

func checkPRF(t *testing.T, k kat) {
	prf, err := NewPRF(k.id(t, "prf"))
	if err != nil {
		t.Fatal(err)
	}
	want, data := k.hex(t, "out"), k.hex(t, "data")
	wantBytes(t, k.name, prf.Sum(k.hex(t, "key"), data), want)
	for i := range data {
		wantBytes(t, fmt.Sprintf("%s in pieces of %d", k.name, i), prf.Sum(k.hex(t, "key"), data[:i], nil, data[i:]), want)
	}
	if prf.Size() != len(want) {
		t.Errorf("%s: Size is %d, output has %d octets", k.name, prf.Size(), len(want))
	}
}

func checkInteg(t *testing.T, k kat) {
	alg, err := integFor(k.id(t, "integ"))
	if err != nil {
		t.Fatal(err)
	}
	key, data, want := k.hex(t, "key"), k.hex(t, "data"), k.hex(t, "icv")
	if alg.icvLen != len(want) {
		t.Errorf("%s: ICV of %d octets, want %d", k.name, alg.icvLen, len(want))
	}
	i := newIntegrity(alg, key)
	for range 2 { // the second time with a used MAC
		wantBytes(t, k.name, i.appendICV(bytes.Clone(data)), append(bytes.Clone(data), want...))
	}
	if !i.verify(append(bytes.Clone(data), want...)) {
		t.Errorf("%s: not verified", k.name)
	}
}

func checkAEAD(t *testing.T, tr wire.Transform, k kat, icvLen int) {
	spec, err := cipherFor(tr)
	if err != nil {
		t.Fatal(err)
	}
	key := k.hex(t, "key")
	plain, aad := k.hex(t, "plain"), k.hex(t, "aad")
	sealed := k.hex(t, "sealed")[:len(plain)+icvLen]
	aead, err := newAEAD(spec, key[:spec.keyLen])
	if err != nil {
		t.Fatal(err)
	}
	if aead.Overhead() != icvLen || spec.icvLen != icvLen || aead.NonceSize() != aeadNonceLen {
		t.Errorf("%s: overhead %d, nonce %d", k.name, aead.Overhead(), aead.NonceSize())
	}
	nonce := append(bytes.Clone(key[spec.keyLen:]), k.hex(t, "iv")...)
	if invalid(k) {
		if _, err := aead.Open(nil, nonce, sealed, aad); err == nil {
			t.Errorf("%s is accepted", k.name)
		}
		return
	}
	wantBytes(t, k.name, aead.Seal(nil, nonce, plain, aad), sealed)
	got, err := aead.Open(nil, nonce, sealed, aad)
	if err != nil {
		t.Errorf("%s: %v", k.name, err)
	}
	wantBytes(t, k.name, got, plain)

	// An example that ends in a pad length of 0 is one of the whole protection.
	if n := len(plain) - 1; n >= 0 && plain[n] == 0 {
		p, err := newAEADProtection(spec, key[:spec.keyLen], key[spec.keyLen:])
		if err != nil {
			t.Fatal(err)
		}
		p.next = binary.BigEndian.Uint64(k.hex(t, "iv"))
		message := append(append(bytes.Clone(aad), k.hex(t, "iv")...), sealed...)
		got, err := p.Seal(bytes.Clone(aad), len(aad), plain[:n])
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, k.name, got, message)
		opened, err := p.Open(message, len(aad))
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, k.name, opened, plain[:n])
	}
}

// checkCipher seals a message and looks at the part of its ciphertext that the padding has no influence on.
func checkCipher(t *testing.T, tr wire.Transform, k kat) {
	spec, err := cipherFor(tr)
	if err != nil {
		t.Fatal(err)
	}
	alg, err := integFor(wire.AUTH_HMAC_SHA2_256_128)
	if err != nil {
		t.Fatal(err)
	}
	key, iv, plain := k.hex(t, "key"), k.hex(t, "iv"), k.hex(t, "plain")
	mac := newIntegrity(alg, make([]byte, alg.keyLen))
	header := seq(7, 32)
	var got []byte
	var p Protection
	switch tr.ID {
	case wire.ENCR_AES_CBC:
		cbc := newCBCProtection(spec, key, mac)
		p, got = cbc, cbc.seal(bytes.Clone(header), iv, plain)
	case wire.ENCR_AES_CTR:
		ctr := newCTRProtection(spec, key[:spec.keyLen], key[spec.keyLen:], mac)
		ctr.next = binary.BigEndian.Uint64(iv)
		p = ctr
		if got, err = ctr.Seal(bytes.Clone(header), len(header), plain); err != nil {
			t.Fatal(err)
		}
	}
	wantBytes(t, k.name, got[:len(header)+len(iv)+len(plain)], append(append(header, iv...), k.hex(t, "ciphertext")...))
	opened, err := p.Open(got, len(header))
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, k.name, opened, plain)
}

// fixedKE makes a key exchange with a given private key.
func fixedKE(t *testing.T, group uint16, priv []byte) KeyExchange {
	t.Helper()
	if g, ok := modpGroupFor(group); ok {
		ke, err := newMODPFrom(g, priv)
		if err != nil {
			t.Fatal(err)
		}
		return ke
	}
	curve := ecdh.X25519()
	c, isECP := ecpCurve(group)
	if isECP {
		curve = c
	}
	key, err := curve.NewPrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	if isECP {
		return &ecpKE{group: group, priv: key}
	}
	return &x25519KE{priv: key}
}

func checkKE(t *testing.T, k kat) {
	group := k.id(t, "group")
	i, r := fixedKE(t, group, k.hex(t, "privI")), fixedKE(t, group, k.hex(t, "privR"))
	wantBytes(t, k.name+" public i", i.Public(), k.hex(t, "pubI"))
	wantBytes(t, k.name+" public r", r.Public(), k.hex(t, "pubR"))
	for _, pair := range [][2]KeyExchange{{i, r}, {r, i}} {
		shared, err := pair[0].Shared(pair[1].Public())
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, k.name+" shared", shared, k.hex(t, "shared"))
	}
	if g, ok := modpGroupFor(group); ok {
		p := new(big.Int).SetBytes(g.prime())
		x, y := new(big.Int).SetBytes(k.hex(t, "privI")), new(big.Int).SetBytes(k.hex(t, "privR"))
		z := new(big.Int).Exp(big.NewInt(modpGenerator), new(big.Int).Mul(x, y), p)
		wantBytes(t, k.name+" by math/big", z.FillBytes(make([]byte, len(g.prime()))), k.hex(t, "shared"))
	}
}
