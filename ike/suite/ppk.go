package suite

import "errors"

var errNoPPK = errors.New("suite: the post-quantum preshared key is empty")

// MixPPK returns the keys of an IKE SA with a post-quantum preshared key mixed in. prf is the negotiated one and keys are
// what DeriveKeys, or the last UpdateKeys, returned: SK_d', SK_pi' and SK_pr' in the terms of RFC 8784. They are not
// modified, since the AUTH data of NO_PPK_AUTH needs them as they are. The other four keys stay the same, so the
// protection of messages does not change. It fails only if there is no PPK.
//
//	SK_d  = prf+ (PPK, SK_d')
//	SK_pi = prf+ (PPK, SK_pi')
//	SK_pr = prf+ (PPK, SK_pr')
//
// This is for the initial IKE SA only: the PPK must not be mixed in again when an IKE SA is rekeyed or resumed, since the
// SK_d that the new keys come from depends on it already. https://www.rfc-editor.org/rfc/rfc8784#section-3
func MixPPK(prf PRF, ppk []byte, keys Keys) (Keys, error) {
	if len(ppk) == 0 {
		return Keys{}, errNoPPK
	}
	mixed := keys.clone()
	for _, k := range []*[]byte{&mixed.D, &mixed.Pi, &mixed.Pr} {
		v, err := prf.Plus(ppk, *k, len(*k))
		if err != nil {
			return Keys{}, err
		}
		*k = v
	}
	return mixed, nil
}
