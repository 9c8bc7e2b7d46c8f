package suite

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// allGroups returns the groups that IKE proposals can name.
func allGroups() []uint16 {
	var out []uint16
	for _, k := range proposal.Keywords(wire.ProtocolIKE) {
		if k.Transform.Type == wire.TransformKE && k.Canonical {
			out = append(out, k.Transform.ID)
		}
	}
	return out
}

func TestKeyExchange(t *testing.T) {
	lengths := map[uint16][2]int{ // of Key Exchange Data and of the shared secret
		wire.KE_MODP_1024: {128, 128}, wire.KE_MODP_1536: {192, 192}, wire.KE_MODP_2048: {256, 256}, wire.KE_MODP_3072: {384, 384},
		wire.KE_MODP_4096: {512, 512}, wire.KE_MODP_6144: {768, 768}, wire.KE_MODP_8192: {1024, 1024},
		wire.KE_ECP_256: {64, 32}, wire.KE_ECP_384: {96, 48}, wire.KE_ECP_521: {132, 66}, wire.KE_CURVE25519: {32, 32},
	}
	if len(allGroups()) != len(lengths) {
		t.Fatalf("%d groups", len(allGroups()))
	}
	for _, group := range allGroups() {
		t.Run(wire.TransformName(wire.TransformKE, group), func(t *testing.T) {
			t.Parallel()
			a, err := NewKeyExchange(group)
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewKeyExchange(group)
			if err != nil {
				t.Fatal(err)
			}
			if a.Group() != group || len(a.Public()) != lengths[group][0] || !bytes.Equal(a.Public(), a.Public()) {
				t.Errorf("group %d, %d octets", a.Group(), len(a.Public()))
			}
			if bytes.Equal(a.Public(), b.Public()) {
				t.Error("both have the same key")
			}
			ab, err := a.Shared(b.Public())
			if err != nil {
				t.Fatal(err)
			}
			ba, err := b.Shared(a.Public())
			if err != nil {
				t.Fatal(err)
			}
			wantBytes(t, "shared", ab, ba)
			if len(ab) != lengths[group][1] || bytes.Equal(ab, make([]byte, len(ab))) {
				t.Errorf("shared %x", ab)
			}
		})
	}
	for _, group := range []uint16{wire.KE_NONE, wire.KE_MODP_768, 3, wire.KE_MODP_1024_160, wire.KE_CURVE448, wire.KE_ML_KEM_512, 1024, 1025, 65535} {
		_, err := NewKeyExchange(group)
		var ue *UnsupportedError
		if !errors.As(err, &ue) || supportedKE(group) {
			t.Errorf("group %d: %v", group, err)
		}
	}
}

// refuseKE holds Shared to a *KEError, with the group and a reason.
func refuseKE(t *testing.T, ke KeyExchange, what string, peer []byte) {
	t.Helper()
	before := bytes.Clone(peer)
	s, err := ke.Shared(peer)
	var ke2 *KEError
	if !errors.As(err, &ke2) || s != nil {
		t.Errorf("%s: %s: shared %x, error %v", wire.TransformName(wire.TransformKE, ke.Group()), what, s, err)
		return
	}
	if ke2.Group != ke.Group() || ke2.Reason == "" {
		t.Errorf("%s: %+v", what, ke2)
	}
	if !bytes.Equal(peer, before) {
		t.Errorf("%s: the peer's value is changed", what)
	}
}

// TestKELengths: every length but the right one is refused in every group.
func TestKELengths(t *testing.T) {
	for _, group := range allGroups() {
		ke, err := NewKeyExchange(group)
		if err != nil {
			t.Fatal(err)
		}
		pub := ke.Public()
		refuseKE(t, ke, "nil", nil)
		refuseKE(t, ke, "one octet", []byte{2})
		refuseKE(t, ke, "one octet less at the end", pub[:len(pub)-1])
		refuseKE(t, ke, "one octet less at the front", pub[1:])
		refuseKE(t, ke, "a zero more at the front", append([]byte{0}, pub...))
		refuseKE(t, ke, "a zero more at the end", append(bytes.Clone(pub), 0))
		refuseKE(t, ke, "uncompressed point", append([]byte{4}, pub...))
		refuseKE(t, ke, "twice", append(bytes.Clone(pub), pub...))
		refuseKE(t, ke, "64 KiB", make([]byte, 1<<16))
	}
}

// TestMODPPublicValues is https://www.rfc-editor.org/rfc/rfc6989#section-2.1.
func TestMODPPublicValues(t *testing.T) {
	for _, group := range allGroups() {
		g, ok := modpGroupFor(group)
		if !ok {
			continue
		}
		ke, err := NewKeyExchange(group)
		if err != nil {
			t.Fatal(err)
		}
		p := new(big.Int).SetBytes(g.prime())
		n := len(g.prime())
		value := func(add int64) []byte {
			return new(big.Int).Add(p, big.NewInt(add)).FillBytes(make([]byte, n))
		}
		refuseKE(t, ke, "0", make([]byte, n))
		refuseKE(t, ke, "1", big.NewInt(1).FillBytes(make([]byte, n)))
		refuseKE(t, ke, "p-1", value(-1))
		refuseKE(t, ke, "p", value(0))
		refuseKE(t, ke, "p+1", value(1))
		refuseKE(t, ke, "p+2", value(2))
		refuseKE(t, ke, "all ones", bytes.Repeat([]byte{0xff}, n))

		for _, ok := range [][]byte{big.NewInt(2).FillBytes(make([]byte, n)), value(-2)} {
			if _, err := ke.Shared(ok); err != nil {
				t.Errorf("%d: %v", group, err)
			}
		}
	}
}

// TestMODPPadding: values that are small numbers still have the length of the prime.
func TestMODPPadding(t *testing.T) {
	g, _ := modpGroupFor(wire.KE_MODP_2048)
	one, err := newMODPFrom(g, []byte{1})
	if err != nil {
		t.Fatal(err)
	}
	two := append(make([]byte, 255), 2)
	wantBytes(t, "public", one.Public(), two)
	s, err := one.Shared(two)
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, "shared", s, two)
}

// TestMODPExponents: each key has an exponent of its own, of full length.
func TestMODPExponents(t *testing.T) {
	g, _ := modpGroupFor(wire.KE_MODP_1024)
	seen := make(map[string]bool)
	for range 20 {
		ke, err := newMODP(g)
		if err != nil {
			t.Fatal(err)
		}
		if len(ke.x) != g.expLen || ke.x[0]&0x80 == 0 || seen[string(ke.x)] {
			t.Fatal("an exponent is short, or used again")
		}
		seen[string(ke.x)] = true
	}
}

// TestECPPublicValues is https://www.rfc-editor.org/rfc/rfc6989#section-2.3.
func TestECPPublicValues(t *testing.T) {
	primes := map[uint16]string{
		wire.KE_ECP_256: "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
		wire.KE_ECP_384: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE" +
			"FFFFFFFF0000000000000000FFFFFFFF",
		wire.KE_ECP_521: "01FF" + string(bytes.Repeat([]byte("F"), 128)),
	}
	for group, hexPrime := range primes {
		ke, err := NewKeyExchange(group)
		if err != nil {
			t.Fatal(err)
		}
		pub := ke.Public()
		n := len(pub) / 2
		p := new(big.Int).SetBytes(unhex(t, hexPrime))
		x, y := new(big.Int).SetBytes(pub[:n]), new(big.Int).SetBytes(pub[n:])
		point := func(x, y *big.Int) []byte {
			return append(x.FillBytes(make([]byte, n)), y.FillBytes(make([]byte, n))...)
		}
		if _, err := ke.Shared(point(x, y)); err != nil {
			t.Fatal(err)
		}
		if _, err := ke.Shared(point(x, new(big.Int).Sub(p, y))); err != nil {
			t.Errorf("the point's negative: %v", err)
		}
		zero := new(big.Int)
		refuseKE(t, ke, "(0, 0)", point(zero, zero))
		refuseKE(t, ke, "(x, y+1)", point(x, new(big.Int).Add(y, big.NewInt(1))))
		refuseKE(t, ke, "(y, x)", point(y, x))
		refuseKE(t, ke, "(x, 0)", point(x, zero))
		refuseKE(t, ke, "(p, y)", point(p, y))
		refuseKE(t, ke, "(x, p)", point(x, p))
		refuseKE(t, ke, "all ones", bytes.Repeat([]byte{0xff}, 2*n))
		// (0, sqrt(b)) is on the curve; its x written as p is not a number below p.
		refuseKE(t, ke, "(p, p)", point(p, p))
	}
}

// TestX25519SmallOrder: points whose order divides the cofactor, also in forms that are not reduced, give zero.
// https://www.rfc-editor.org/rfc/rfc7748#section-6.1
func TestX25519SmallOrder(t *testing.T) {
	ke, err := NewKeyExchange(wire.KE_CURVE25519)
	if err != nil {
		t.Fatal(err)
	}
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	le := func(v *big.Int) []byte {
		b := v.FillBytes(make([]byte, 32))
		for i := range 16 {
			b[i], b[31-i] = b[31-i], b[i]
		}
		return b
	}
	for _, v := range []*big.Int{
		big.NewInt(0), big.NewInt(1), new(big.Int).Sub(p, big.NewInt(1)), p, new(big.Int).Add(p, big.NewInt(1)),
	} {
		refuseKE(t, ke, v.String(), le(v))
		high := le(v)
		high[31] |= 0x80 // ignored, so it is the same point
		refuseKE(t, ke, v.String()+" with the high bit", high)
	}
	for _, s := range []string{ // of order 8
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	} {
		refuseKE(t, ke, s, unhex(t, s))
	}
}

// TestKEWycheproof: edge cases that others have collected.
func TestKEWycheproof(t *testing.T) {
	var refused, accepted int
	for _, k := range readKAT(t, "ke_wycheproof.txt") {
		ke := fixedKE(t, k.id(t, "group"), k.hex(t, "priv"))
		if !k.has("shared") {
			refused++
			refuseKE(t, ke, k.name, k.hex(t, "public"))
			continue
		}
		accepted++
		s, err := ke.Shared(k.hex(t, "public"))
		if err != nil {
			t.Errorf("%s: %v", k.name, err)
			continue
		}
		wantBytes(t, k.name, s, k.hex(t, "shared"))
	}
	if refused < 50 || accepted < 100 {
		t.Errorf("only %d are refused and %d accepted", refused, accepted)
	}
}

// FuzzShared: any public value gives a shared secret of the right length or a *KEError.
func FuzzShared(f *testing.F) {
	var kes []KeyExchange
	for _, group := range []uint16{wire.KE_MODP_1024, wire.KE_ECP_256, wire.KE_ECP_384, wire.KE_ECP_521, wire.KE_CURVE25519} {
		ke, err := NewKeyExchange(group)
		if err != nil {
			f.Fatal(err)
		}
		kes = append(kes, ke)
		f.Add(ke.Public())
		f.Add(make([]byte, len(ke.Public())))
	}
	f.Fuzz(func(t *testing.T, peer []byte) {
		for _, ke := range kes {
			s, err := ke.Shared(peer)
			var bad *KEError
			if err != nil && !errors.As(err, &bad) || (err == nil) != (len(s) > 0) {
				t.Fatalf("group %d, %x: %x, %v", ke.Group(), peer, s, err)
			}
		}
	})
}
