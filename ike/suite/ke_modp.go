package suite

import (
	"crypto/rand"
	"encoding/hex"

	"filippo.io/bigmod"

	"esplanade/ike/wire"
)

// modpGroup is a group of integers modulo a safe prime, with generator 2.
type modpGroup struct {
	id       uint16
	primeHex string
	// expLen is the length of private exponents in octets. A longer one costs time and adds no strength; these are the
	// larger estimates of https://www.rfc-editor.org/rfc/rfc3526#section-8, rounded up to a multiple of 64 bits and not
	// below 320.
	expLen int
}

// modpGenerator is the generator of all the groups.
const modpGenerator = 2

func modpGroupFor(group uint16) (modpGroup, bool) {
	g := modpGroup{id: group}
	switch group {
	case wire.KE_MODP_1024:
		g.primeHex, g.expLen = modp1024Hex, 320/8
	case wire.KE_MODP_1536:
		g.primeHex, g.expLen = modp1536Hex, 320/8
	case wire.KE_MODP_2048:
		g.primeHex, g.expLen = modp2048Hex, 320/8
	case wire.KE_MODP_3072:
		g.primeHex, g.expLen = modp3072Hex, 448/8
	case wire.KE_MODP_4096:
		g.primeHex, g.expLen = modp4096Hex, 512/8
	case wire.KE_MODP_6144:
		g.primeHex, g.expLen = modp6144Hex, 576/8
	case wire.KE_MODP_8192:
		g.primeHex, g.expLen = modp8192Hex, 640/8
	default:
		return modpGroup{}, false
	}
	return g, true
}

func (g modpGroup) prime() []byte {
	p, err := hex.DecodeString(g.primeHex)
	if err != nil {
		panic("BUG: suite: " + err.Error())
	}
	return p
}

// modpKE is Diffie-Hellman in a modpGroup. bigmod's exponentiation takes the same time for all exponents of one length
// and all bases.
type modpKE struct {
	redacted
	group  uint16
	m      *bigmod.Modulus
	x      []byte // private exponent
	public []byte
}

func newMODP(g modpGroup) (*modpKE, error) {
	x := make([]byte, g.expLen)
	rand.Read(x) // never fails
	// The highest bit is set, so that no exponent is a small number and all have the length that was meant.
	x[0] |= 0x80
	return newMODPFrom(g, x)
}

// newMODPFrom is newMODP with the private exponent given.
func newMODPFrom(g modpGroup, x []byte) (*modpKE, error) {
	m, err := bigmod.NewModulus(g.prime())
	if err != nil {
		return nil, err
	}
	two := bigmod.NewNat().SetUint(modpGenerator).ExpandFor(m)
	// "The length of the Diffie-Hellman public value for MODP groups MUST be equal to the length of the prime modulus
	// over which the exponentiation was performed, prepending zero bits to the value if necessary." Nat.Bytes does so.
	// https://www.rfc-editor.org/rfc/rfc7296#section-3.4
	public := bigmod.NewNat().Exp(two, x, m).Bytes(m)
	return &modpKE{group: g.id, m: m, x: x, public: public}, nil
}

func (k *modpKE) Group() uint16  { return k.group }
func (k *modpKE) Public() []byte { return k.public }

func (k *modpKE) Shared(peer []byte) ([]byte, error) {
	if err := checkLen(k.group, peer, k.m.Size()); err != nil {
		return nil, err
	}
	// With a safe prime, 1 < r < p-1 must be checked; there is then no small subgroup that r could be in.
	// https://www.rfc-editor.org/rfc/rfc6989#section-2.1
	r, err := bigmod.NewNat().SetBytes(peer, k.m)
	switch {
	case err != nil:
		return nil, &KEError{Group: k.group, Reason: "not less than the prime"}
	case r.IsZero() == 1:
		return nil, &KEError{Group: k.group, Reason: "is 0"}
	case r.IsOne() == 1:
		return nil, &KEError{Group: k.group, Reason: "is 1"}
	case r.IsMinusOne(k.m) == 1:
		return nil, &KEError{Group: k.group, Reason: "is the prime minus 1"}
	}
	return bigmod.NewNat().Exp(r, k.x, k.m).Bytes(k.m), nil
}
