package sa

import (
	"fmt"

	"esplanade/ike/suite"
)

// checkNonce refuses a nonce of the peer that is too short for the PRF. The bounds that hold for any PRF are those of
// package wire. Nonces "MUST be at least half the key size of the negotiated pseudorandom function (PRF)".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.10
func checkNonce(prf suite.PRF, nonce []byte) error {
	if want := (prf.KeySize() + 1) / 2; len(nonce) < want {
		return fmt.Errorf("a nonce of %d octets, where the PRF needs %d", len(nonce), want)
	}
	return nil
}

// checkNonces is the same for the rekeying of an IKE SA: its nonces go into the PRF of the old SA and into that of the new.
func checkNonces(old suite.PRF, fresh uint16, nonce []byte) error {
	if err := checkNonce(old, nonce); err != nil {
		return err
	}
	prf, err := suite.NewPRF(fresh)
	if err != nil {
		return err
	}
	return checkNonce(prf, nonce)
}
