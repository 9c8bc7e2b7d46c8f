package suite

import "esplanade/ike/wire"

// supported reports whether a transform is implemented for IKE or ESP. keyBits is the Key Length attribute, 0 without
// one. NONE is supported where it is a choice: as INTEG, as KE of ESP, and as an additional key exchange.
func supported(t wire.TransformType, id uint16, keyBits uint16, p wire.ProtocolID) bool {
	if p != wire.ProtocolIKE && p != wire.ProtocolESP {
		return false
	}
	if t != wire.TransformENCR && keyBits != 0 {
		return false
	}
	if t.IsKE() && t != wire.TransformKE {
		return supportedKE(id) || id == wire.KE_NONE
	}
	switch t {
	case wire.TransformENCR:
		if id == wire.ENCR_NULL {
			return p == wire.ProtocolESP && keyBits == 0
		}
		_, err := cipherFor(wire.Transform{Type: t, ID: id, KeyLength: keyBits})
		return err == nil
	case wire.TransformPRF:
		_, err := NewPRF(id)
		return err == nil && p == wire.ProtocolIKE
	case wire.TransformINTEG:
		_, err := integFor(id)
		return err == nil || id == wire.AUTH_NONE
	case wire.TransformKE:
		return supportedKE(id) || id == wire.KE_NONE && p == wire.ProtocolESP
	case wire.TransformESN:
		return p == wire.ProtocolESP && (id == wire.ESN_NONE || id == wire.ESN_ESN)
	}
	return false
}

// supportedKE reports whether NewKeyExchange and Respond know that group. It is false for NONE.
func supportedKE(group uint16) bool {
	if _, ok := modpGroupFor(group); ok {
		return true
	}
	if _, ok := ecpCurve(group); ok {
		return true
	}
	_, ok := mlkemFor(group)
	return ok || group == wire.KE_CURVE25519
}
