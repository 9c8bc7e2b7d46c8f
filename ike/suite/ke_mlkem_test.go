package suite

import (
	"bytes"
	"crypto"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"errors"
	"testing"

	"esplanade/ike/wire"
)

// mlkemGroups are the parameter sets, with the octets of the initiator's and of the responder's Key Exchange Data: the sizes of
// encapsulation keys and ciphertexts in table 3 of FIPS 203.
func mlkemGroups() map[uint16][2]int {
	return map[uint16][2]int{wire.KE_ML_KEM_768: {1184, 1088}, wire.KE_ML_KEM_1024: {1568, 1568}}
}

func mustMLKEM(t testing.TB, group uint16) mlkemParams {
	t.Helper()
	p, ok := mlkemFor(group)
	if !ok {
		t.Fatalf("group %d is not ML-KEM", group)
	}
	return p
}

// fixedMLKEM makes the initiator's side from the seed d | z.
func fixedMLKEM(t testing.TB, p mlkemParams, seed []byte) *mlkemKE {
	t.Helper()
	var priv crypto.Decapsulator
	var err error
	switch p.group {
	case wire.KE_ML_KEM_768:
		priv, err = mlkem.NewDecapsulationKey768(seed)
	case wire.KE_ML_KEM_1024:
		priv, err = mlkem.NewDecapsulationKey1024(seed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &mlkemKE{params: p, priv: priv, public: priv.Encapsulator().Bytes()}
}

// encapsulateWith is the responder's side with known randomness. The key is parsed by the code that is tested.
func encapsulateWith(t testing.TB, p mlkemParams, ek, m []byte) (ct, shared []byte) {
	t.Helper()
	key, err := p.parse(ek)
	if err != nil {
		t.Fatal(err)
	}
	switch key := key.(type) {
	case *mlkem.EncapsulationKey768:
		shared, ct, err = mlkemtest.Encapsulate768(key, m)
	case *mlkem.EncapsulationKey1024:
		shared, ct, err = mlkemtest.Encapsulate1024(key, m)
	default:
		t.Fatalf("an encapsulation key of type %T", key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ct, shared
}

// refuseRespond holds Respond to a *KEError, with the group and a reason.
func refuseRespond(t *testing.T, group uint16, what string, peer []byte) {
	t.Helper()
	before := bytes.Clone(peer)
	public, shared, err := Respond(group, peer)
	var bad *KEError
	if !errors.As(err, &bad) || public != nil || shared != nil {
		t.Errorf("%s: %s: public %x, error %v", wire.TransformName(wire.TransformKE, group), what, public, err)
		return
	}
	if bad.Group != group || bad.Reason == "" {
		t.Errorf("%s: %+v", what, bad)
	}
	if !bytes.Equal(peer, before) {
		t.Errorf("%s: the peer's value is changed", what)
	}
}

// TestMLKEMKnownAnswers: keys from seeds, ciphertexts from known randomness, and what must be refused.
func TestMLKEMKnownAnswers(t *testing.T) {
	count := make(map[string]int)
	for _, k := range readKAT(t, "ke_mlkem.txt") {
		t.Run(k.name, func(t *testing.T) {
			p := mustMLKEM(t, k.id(t, "group"))
			initiator, valid := k.has("seed"), k.has("shared")
			switch {
			case initiator:
				ke := fixedMLKEM(t, p, k.hex(t, "seed"))
				if !valid {
					count["ciphertexts refused"]++
					refuseKE(t, ke, k.name, k.hex(t, "ct"))
					return
				}
				count["ciphertexts"]++
				wantBytes(t, "encapsulation key", ke.Public(), k.hex(t, "ek"))
				shared, err := ke.Shared(k.hex(t, "ct"))
				if err != nil {
					t.Fatal(err)
				}
				wantBytes(t, "shared", shared, k.hex(t, "shared"))
			case !valid:
				count["keys refused"]++
				refuseRespond(t, p.group, k.name, k.hex(t, "ek"))
			default:
				count["keys"]++
				ct, shared := encapsulateWith(t, p, k.hex(t, "ek"), k.hex(t, "m"))
				wantBytes(t, "ciphertext", ct, k.hex(t, "ct"))
				wantBytes(t, "shared", shared, k.hex(t, "shared"))
				if _, _, err := Respond(p.group, k.hex(t, "ek")); err != nil {
					t.Errorf("Respond: %v", err)
				}
			}
		})
	}
	for what, want := range map[string]int{"ciphertexts": 18, "ciphertexts refused": 6, "keys": 14, "keys refused": 14} {
		if count[what] != want {
			t.Errorf("%d %s, want %d", count[what], what, want)
		}
	}
}

// TestMLKEMExchange: both sides have the same secret, new in each exchange.
//
// "Generating an ephemeral keypair and ciphertext for each ML-KEM key exchange is REQUIRED by this specification."
// https://datatracker.ietf.org/doc/draft-ietf-ipsecme-ikev2-mlkem/ section 3
func TestMLKEMExchange(t *testing.T) {
	for group, lengths := range mlkemGroups() {
		t.Run(wire.TransformName(wire.TransformKE, group), func(t *testing.T) {
			a, err := NewKeyExchange(group)
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewKeyExchange(group)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(a.Public(), b.Public()) {
				t.Error("two exchanges have the same key")
			}
			if a.Group() != group || len(a.Public()) != lengths[0] {
				t.Errorf("group %d, a public value of %d octets", a.Group(), len(a.Public()))
			}
			ct, shared, err := Respond(group, a.Public())
			if err != nil {
				t.Fatal(err)
			}
			if len(ct) != lengths[1] || len(shared) != 32 {
				t.Errorf("a ciphertext of %d octets, a secret of %d", len(ct), len(shared))
			}
			got, err := a.Shared(ct)
			if err != nil {
				t.Fatal(err)
			}
			wantBytes(t, "shared", got, shared)

			ct2, shared2, err := Respond(group, a.Public())
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(ct, ct2) || bytes.Equal(shared, shared2) {
				t.Error("two answers are the same")
			}

			// Implicit rejection: another one's ciphertext, or a changed one, gives no error but another secret.
			changed := bytes.Clone(ct)
			changed[len(changed)-1] ^= 1
			for what, use := range map[string]struct {
				ke KeyExchange
				ct []byte
			}{"another key": {b, ct}, "a changed ciphertext": {a, changed}, "zeros": {a, make([]byte, len(ct))}} {
				got, err := use.ke.Shared(use.ct)
				if err != nil || len(got) != 32 || bytes.Equal(got, shared) {
					t.Errorf("%s: %d octets, %v", what, len(got), err)
				}
			}
		})
	}
}

// TestMLKEMLengths: every length but the right one is refused, on both sides.
func TestMLKEMLengths(t *testing.T) {
	for group, lengths := range mlkemGroups() {
		ke, err := NewKeyExchange(group)
		if err != nil {
			t.Fatal(err)
		}
		ct, _, err := Respond(group, ke.Public())
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []struct {
			good   []byte
			refuse func(what string, b []byte)
		}{
			{ct, func(what string, b []byte) { refuseKE(t, ke, what, b) }},
			{ke.Public(), func(what string, b []byte) { refuseRespond(t, group, what, b) }},
		} {
			good := side.good
			side.refuse("nil", nil)
			side.refuse("one octet", []byte{2})
			side.refuse("one octet less at the end", good[:len(good)-1])
			side.refuse("one octet less at the front", good[1:])
			side.refuse("a zero more at the front", append([]byte{0}, good...))
			side.refuse("a zero more at the end", append(bytes.Clone(good), 0))
			side.refuse("twice", append(bytes.Clone(good), good...))
			side.refuse("64 KiB", make([]byte, 1<<16))
		}
		for other, o := range mlkemGroups() {
			if other == group {
				continue
			}
			refuseRespond(t, group, "the other set's key", make([]byte, o[0]))
			refuseKE(t, ke, "the other set's ciphertext", make([]byte, o[1]))
		}
		// With ML-KEM-768 the values of the two sides can't be taken for each other.
		if lengths[0] != lengths[1] {
			refuseKE(t, ke, "an encapsulation key", ke.Public())
			refuseRespond(t, group, "a ciphertext", ct)
		}
	}
}

// TestMLKEMModulus is the modulus check of FIPS 203 section 7.2: each of the 256*k coefficients of 12 bits must be less
// than q = 3329.
func TestMLKEMModulus(t *testing.T) {
	const q, rhoLen = 3329, 32
	for group, lengths := range mlkemGroups() {
		ke, err := NewKeyExchange(group)
		if err != nil {
			t.Fatal(err)
		}
		n := (lengths[0] - rhoLen) * 8 / 12
		with := func(i, v int) []byte {
			ek := bytes.Clone(ke.Public())
			if at := i / 2 * 3; i%2 == 0 {
				ek[at], ek[at+1] = byte(v), ek[at+1]&0xf0|byte(v>>8)
			} else {
				ek[at+1], ek[at+2] = ek[at+1]&0x0f|byte(v<<4), byte(v>>4)
			}
			return ek
		}
		for _, i := range []int{0, 1, 255, 256, n/2 + 1, n - 2, n - 1} {
			for _, v := range []int{q, q + 1, 1<<12 - 1} {
				refuseRespond(t, group, "a coefficient that is not reduced", with(i, v))
			}
			for _, v := range []int{0, q - 1} {
				if _, _, err := Respond(group, with(i, v)); err != nil {
					t.Errorf("coefficient %d is %d: %v", i, v, err)
				}
			}
		}
	}
}

// TestRespond: the responder's side of Diffie-Hellman is the same function.
func TestRespond(t *testing.T) {
	for _, group := range allGroups() {
		ke, err := NewKeyExchange(group)
		if err != nil {
			t.Fatal(err)
		}
		public, shared, err := Respond(group, ke.Public())
		if err != nil {
			t.Fatal(err)
		}
		got, err := ke.Shared(public)
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, wire.TransformName(wire.TransformKE, group), got, shared)
		again, _, err := Respond(group, ke.Public())
		if err != nil || bytes.Equal(again, public) {
			t.Errorf("group %d: the same key twice, %v", group, err)
		}
		refuseRespond(t, group, "nil", nil)
		refuseRespond(t, group, "too short", ke.Public()[1:])
	}
	for _, group := range []uint16{wire.KE_NONE, wire.KE_ML_KEM_512, wire.KE_CURVE448, 65535} {
		_, _, err := Respond(group, make([]byte, 800))
		var ue *UnsupportedError
		if !errors.As(err, &ue) || ue.ID != group || ue.Type != wire.TransformKE {
			t.Errorf("group %d: %v", group, err)
		}
	}
}

// FuzzMLKEM: any octets give a secret or a *KEError, on both sides; nothing else, and no panic.
func FuzzMLKEM(f *testing.F) {
	var kes []KeyExchange
	for group := range mlkemGroups() {
		ke, err := NewKeyExchange(group)
		if err != nil {
			f.Fatal(err)
		}
		ct, _, err := Respond(group, ke.Public())
		if err != nil {
			f.Fatal(err)
		}
		kes = append(kes, ke)
		f.Add(ke.Public())
		f.Add(ct)
		f.Add(bytes.Repeat([]byte{0xff}, len(ct)))
		f.Add(make([]byte, len(ke.Public())))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, peer []byte) {
		for _, ke := range kes {
			lengths := mlkemGroups()[ke.Group()]
			s, err := ke.Shared(peer)
			var bad *KEError
			if err != nil && !errors.As(err, &bad) || (err == nil) != (len(peer) == lengths[1]) || (err == nil) != (len(s) == 32) {
				t.Fatalf("group %d: Shared of %d octets: %d octets, %v", ke.Group(), len(peer), len(s), err)
			}
			ct, s, err := Respond(ke.Group(), peer)
			if err != nil && !errors.As(err, &bad) || (err == nil) != (len(ct) == lengths[1] && len(s) == 32) ||
				err == nil && len(peer) != lengths[0] {
				t.Fatalf("group %d: Respond to %d octets: %d and %d octets, %v", ke.Group(), len(peer), len(ct), len(s), err)
			}
		}
	})
}
