package suite

import (
	"slices"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// UpdateKeys returns the keys of an IKE SA after an additional key exchange in IKE_INTERMEDIATE. c is the chosen IKE
// proposal, old the keys that protected the exchange, and shared its secret SK(n). ni and nr are the nonces of
// IKE_SA_INIT, all of them with any PRF, and spii and spir the SPIs, which stay the same.
//
//	SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)
//	{SK_d(n) | SK_ai(n) | SK_ar(n) | SK_ei(n) | SK_er(n) | SK_pi(n) | SK_pr(n)}
//	            = prf+ (SKEYSEED(n), Ni | Nr | SPIi | SPIr)
//
// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.2
//
// All the keys change, so both directions need a new Protection, which begins with the next exchange: the response of this
// exchange is still protected with the old keys, and so is a retransmission of either message. IntAuthChunk for both
// messages takes the old SK_pi and SK_pr. old is not modified.
func UpdateKeys(c proposal.Chosen, old Keys, shared, ni, nr []byte, spii, spir wire.SPI) (Keys, error) {
	prf, err := NewPRF(c.PRF)
	if err != nil {
		return Keys{}, err
	}
	return DeriveKeys(c, prf.Sum(old.D, shared, ni, nr), ni, nr, spii, spir)
}

// clone copies the keys, so that changing one set leaves the other alone.
func (k Keys) clone() Keys {
	return Keys{
		D: slices.Clone(k.D), Ai: slices.Clone(k.Ai), Ar: slices.Clone(k.Ar), Ei: slices.Clone(k.Ei), Er: slices.Clone(k.Er),
		Pi: slices.Clone(k.Pi), Pr: slices.Clone(k.Pr),
	}
}
