package suite

import "esplanade/ike/wire"

// aesInteg knows AES-XCBC-MAC-96 (RFC 3566) and AES-CMAC-96 (RFC 4494), both with 128-bit keys.
func aesInteg(id uint16) (integAlg, bool) {
	const keyLen, icvLen = 128 / 8, 96 / 8
	switch id {
	case wire.AUTH_AES_XCBC_96:
		return integAlg{keyLen: keyLen, icvLen: icvLen, newMAC: newXCBC}, true
	case wire.AUTH_AES_CMAC_96:
		return integAlg{keyLen: keyLen, icvLen: icvLen, newMAC: newCMAC}, true
	}
	return integAlg{}, false
}
