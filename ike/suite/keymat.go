package suite

import (
	"encoding/binary"
	"fmt"
	"slices"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// fixedKeyNonceLen is what SKEYSEED takes of each nonce when the PRF counts as one with a fixed key.
const fixedKeyNonceLen = 64 / 8

// SKEYSEED returns prf(Ni | Nr, g^ir) for a new IKE SA. shared is g^ir in the octets that KeyExchange.Shared returns.
//
// "If the negotiated PRF is AES-XCBC-PRF-128 or AES-CMAC-PRF-128, only the first 64 bits of Ni and the first 64 bits
// of Nr are used in calculating SKEYSEED, but all the bits are used for input to the prf+ function."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.14
func SKEYSEED(prf PRF, ni, nr, shared []byte) []byte {
	if prf.fixedKeySize != 0 {
		ni = ni[:min(len(ni), fixedKeyNonceLen)]
		nr = nr[:min(len(nr), fixedKeyNonceLen)]
	}
	key := slices.Concat(ni, nr)
	return prf.Sum(key, shared)
}

// RekeySKEYSEED returns prf(SK_d (old), g^ir (new) | Ni | Nr) for an IKE SA that replaces another. prf and skD are
// those of the old IKE SA, ni and nr the nonces of the CREATE_CHILD_SA exchange; the nonces count in full with any PRF.
// additional are the secrets of the IKE_FOLLOWUP_KE exchanges that followed it, in order.
//
//	SKEYSEED = prf(SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n))
//
// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4
//
// "Because the rekeying exchange belongs to the old IKE SA, it is the old IKE SA's PRF that is used to generate
// SKEYSEED." The keys are then derived with the new PRF, by DeriveKeys.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.18
func RekeySKEYSEED(prf PRF, skD, shared, ni, nr []byte, additional ...[]byte) []byte {
	return prf.Sum(skD, slices.Concat([][]byte{shared, ni, nr}, additional)...)
}

// ResumeSKEYSEED returns prf(SK_d (old), "Resumption" | Ni | Nr) for an IKE SA that is resumed with a ticket. prf and skD are
// those of the IKE SA that the ticket is of. The string has ten octets, without a NUL behind it; the keys follow by
// DeriveKeys, with the nonces and the SPIs of the new exchange.
// https://www.rfc-editor.org/rfc/rfc5723#section-5.1
func ResumeSKEYSEED(prf PRF, skD, ni, nr []byte) []byte {
	return prf.Sum(skD, []byte("Resumption"), ni, nr)
}

// Keys are the seven keys of an IKE SA. Ai and Ar are empty with an AEAD. Ei and Er contain the salt (GCM,
// ChaCha20-Poly1305) or nonce (CTR) behind the key, as NewProtection wants them. The suffixes mean the original
// initiator and responder of this IKE SA.
//
// Keys print as "(redacted)". That does not hold inside an unexported field, where package fmt calls no methods: a struct
// that has one and might be printed needs a Format method of its own.
type Keys struct {
	redacted
	D, Ai, Ar, Ei, Er, Pi, Pr []byte
}

// DeriveKeys returns the keys of an IKE SA. c is the chosen IKE proposal, ni and nr the nonces and spii and spir the
// SPIs of the exchange that created the SA. It fails only if c names something that is not implemented.
//
//	{SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+ (SKEYSEED, Ni | Nr | SPIi | SPIr)
//
// https://www.rfc-editor.org/rfc/rfc7296#section-2.14
func DeriveKeys(c proposal.Chosen, skeyseed, ni, nr []byte, spii, spir wire.SPI) (Keys, error) {
	prf, err := NewPRF(c.PRF)
	if err != nil {
		return Keys{}, err
	}
	encr, integ, err := keyLengths(c)
	if err != nil {
		return Keys{}, err
	}
	seed := slices.Concat(ni, nr)
	seed = binary.BigEndian.AppendUint64(seed, uint64(spii))
	seed = binary.BigEndian.AppendUint64(seed, uint64(spir))
	p := prf.KeySize()
	km, err := prf.Plus(skeyseed, seed, 3*p+2*integ+2*encr)
	if err != nil {
		return Keys{}, err
	}
	take := func(n int) []byte {
		k := km[:n:n]
		km = km[n:]
		return k
	}
	// Composite literals evaluate in source order, but nothing in the language ties that order to the one on the
	// wire, so it is spelled out.
	var k Keys
	k.D = take(p)
	k.Ai = take(integ)
	k.Ar = take(integ)
	k.Ei = take(encr)
	k.Er = take(encr)
	k.Pi = take(p)
	k.Pr = take(p)
	return k, nil
}

// ChildKeyMat returns n octets of the KEYMAT of a CHILD SA. prf and skD are those of the IKE SA, ni and nr the nonces
// of the exchange that creates the CHILD SA (IKE_SA_INIT for the first one), and shared is the result of that
// exchange's own key exchange, nil without one. additional are the secrets of the IKE_FOLLOWUP_KE exchanges that
// followed it, in order; there are none without a first one.
//
// The caller cuts it: encryption then integrity key for the direction from the initiator of that exchange, then the
// same for the other direction; salts belong to the encryption key and come last in it.
//
//	KEYMAT = prf+(SK_d, Ni | Nr)
//	KEYMAT = prf+(SK_d, g^ir (new) | Ni | Nr )
//	KEYMAT = prf+(SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n))
//
// https://www.rfc-editor.org/rfc/rfc7296#section-2.17 https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4
func ChildKeyMat(prf PRF, skD, shared, ni, nr []byte, n int, additional ...[]byte) ([]byte, error) {
	return prf.Plus(skD, slices.Concat(shared, ni, nr, slices.Concat(additional...)), n)
}

// keyLengths returns the octets of one SK_e, salt included, and of one SK_a.
func keyLengths(c proposal.Chosen) (encr, integ int, err error) {
	spec, err := cipherFor(c.Encr)
	if err != nil {
		return 0, 0, err
	}
	switch {
	case spec.aead && c.Integ != wire.AUTH_NONE:
		return 0, 0, fmt.Errorf("suite: %s comes with its own integrity protection, but %s was chosen as well",
			wire.TransformName(wire.TransformENCR, c.Encr.ID), wire.TransformName(wire.TransformINTEG, c.Integ))
	case spec.aead:
		return spec.keyLen + spec.saltLen, 0, nil
	}
	a, err := integFor(c.Integ)
	if err != nil {
		return 0, 0, err
	}
	return spec.keyLen + spec.saltLen, a.keyLen, nil
}
