package wire

// Transform types and transform IDs, from
// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml.

// TransformType is the type of a transform: what it is an algorithm for.
type TransformType uint8

// Transform Type Values.
const (
	TransformENCR   TransformType = 1
	TransformPRF    TransformType = 2
	TransformINTEG  TransformType = 3
	TransformKE     TransformType = 4 // formerly called D-H
	TransformESN    TransformType = 5 // since RFC 9838 "Sequence Numbers (SN)"
	TransformADDKE1 TransformType = 6 // RFC 9370
	TransformADDKE2 TransformType = 7
	TransformADDKE3 TransformType = 8
	TransformADDKE4 TransformType = 9
	TransformADDKE5 TransformType = 10
	TransformADDKE6 TransformType = 11
	TransformADDKE7 TransformType = 12
	TransformKWA    TransformType = 13 // RFC 9838
	TransformGCAUTH TransformType = 14 // RFC 9838
)

// String gives the name of the registry, or "transform type" and the number.
func (t TransformType) String() string {
	switch t {
	case TransformENCR:
		return "ENCR"
	case TransformPRF:
		return "PRF"
	case TransformINTEG:
		return "INTEG"
	case TransformKE:
		return "KE"
	case TransformESN:
		return "ESN"
	case TransformADDKE1:
		return "ADDKE1"
	case TransformADDKE2:
		return "ADDKE2"
	case TransformADDKE3:
		return "ADDKE3"
	case TransformADDKE4:
		return "ADDKE4"
	case TransformADDKE5:
		return "ADDKE5"
	case TransformADDKE6:
		return "ADDKE6"
	case TransformADDKE7:
		return "ADDKE7"
	case TransformKWA:
		return "KWA"
	case TransformGCAUTH:
		return "GCAUTH"
	}
	return numbered("transform type", uint16(t))
}

// Encryption Algorithm Transform IDs (Transform Type 1).
const (
	ENCR_DES_IV64                 uint16 = 1
	ENCR_DES                      uint16 = 2
	ENCR_3DES                     uint16 = 3
	ENCR_RC5                      uint16 = 4
	ENCR_IDEA                     uint16 = 5
	ENCR_CAST                     uint16 = 6
	ENCR_BLOWFISH                 uint16 = 7
	ENCR_3IDEA                    uint16 = 8
	ENCR_DES_IV32                 uint16 = 9
	ENCR_NULL                     uint16 = 11
	ENCR_AES_CBC                  uint16 = 12
	ENCR_AES_CTR                  uint16 = 13
	ENCR_AES_CCM_8                uint16 = 14
	ENCR_AES_CCM_12               uint16 = 15
	ENCR_AES_CCM_16               uint16 = 16
	ENCR_AES_GCM_8                uint16 = 18
	ENCR_AES_GCM_12               uint16 = 19
	ENCR_AES_GCM_16               uint16 = 20
	ENCR_NULL_AUTH_AES_GMAC       uint16 = 21
	ENCR_XTS_AES                  uint16 = 22 // reserved for IEEE P1619
	ENCR_CAMELLIA_CBC             uint16 = 23
	ENCR_CAMELLIA_CTR             uint16 = 24
	ENCR_CAMELLIA_CCM_8           uint16 = 25
	ENCR_CAMELLIA_CCM_12          uint16 = 26
	ENCR_CAMELLIA_CCM_16          uint16 = 27
	ENCR_CHACHA20_POLY1305        uint16 = 28
	ENCR_AES_CCM_8_IIV            uint16 = 29
	ENCR_AES_GCM_16_IIV           uint16 = 30
	ENCR_CHACHA20_POLY1305_IIV    uint16 = 31
	ENCR_KUZNYECHIK_MGM_KTREE     uint16 = 32
	ENCR_MAGMA_MGM_KTREE          uint16 = 33
	ENCR_KUZNYECHIK_MGM_MAC_KTREE uint16 = 34
	ENCR_MAGMA_MGM_MAC_KTREE      uint16 = 35
)

// Pseudorandom Function Transform IDs (Transform Type 2).
const (
	PRF_HMAC_MD5          uint16 = 1
	PRF_HMAC_SHA1         uint16 = 2
	PRF_HMAC_TIGER        uint16 = 3
	PRF_AES128_XCBC       uint16 = 4
	PRF_HMAC_SHA2_256     uint16 = 5
	PRF_HMAC_SHA2_384     uint16 = 6
	PRF_HMAC_SHA2_512     uint16 = 7
	PRF_AES128_CMAC       uint16 = 8
	PRF_HMAC_STREEBOG_512 uint16 = 9
)

// Integrity Algorithm Transform IDs (Transform Type 3).
const (
	AUTH_NONE              uint16 = 0
	AUTH_HMAC_MD5_96       uint16 = 1
	AUTH_HMAC_SHA1_96      uint16 = 2
	AUTH_DES_MAC           uint16 = 3
	AUTH_KPDK_MD5          uint16 = 4
	AUTH_AES_XCBC_96       uint16 = 5
	AUTH_HMAC_MD5_128      uint16 = 6
	AUTH_HMAC_SHA1_160     uint16 = 7
	AUTH_AES_CMAC_96       uint16 = 8
	AUTH_AES_128_GMAC      uint16 = 9
	AUTH_AES_192_GMAC      uint16 = 10
	AUTH_AES_256_GMAC      uint16 = 11
	AUTH_HMAC_SHA2_256_128 uint16 = 12
	AUTH_HMAC_SHA2_384_192 uint16 = 13
	AUTH_HMAC_SHA2_512_256 uint16 = 14
)

// Key Exchange Method Transform IDs (Transform Types 4 and 6 to 12).
const (
	KE_NONE              uint16 = 0
	KE_MODP_768          uint16 = 1
	KE_MODP_1024         uint16 = 2
	KE_MODP_1536         uint16 = 5
	KE_MODP_2048         uint16 = 14
	KE_MODP_3072         uint16 = 15
	KE_MODP_4096         uint16 = 16
	KE_MODP_6144         uint16 = 17
	KE_MODP_8192         uint16 = 18
	KE_ECP_256           uint16 = 19
	KE_ECP_384           uint16 = 20
	KE_ECP_521           uint16 = 21
	KE_MODP_1024_160     uint16 = 22
	KE_MODP_2048_224     uint16 = 23
	KE_MODP_2048_256     uint16 = 24
	KE_ECP_192           uint16 = 25
	KE_ECP_224           uint16 = 26
	KE_BRAINPOOL_P224R1  uint16 = 27
	KE_BRAINPOOL_P256R1  uint16 = 28
	KE_BRAINPOOL_P384R1  uint16 = 29
	KE_BRAINPOOL_P512R1  uint16 = 30
	KE_CURVE25519        uint16 = 31
	KE_CURVE448          uint16 = 32
	KE_GOST3410_2012_256 uint16 = 33
	KE_GOST3410_2012_512 uint16 = 34
	KE_ML_KEM_512        uint16 = 35
	KE_ML_KEM_768        uint16 = 36
	KE_ML_KEM_1024       uint16 = 37
)

// Sequence Numbers Transform IDs (Transform Type 5).
const (
	ESN_NONE        uint16 = 0 // "32-bit Sequential Numbers"
	ESN_ESN         uint16 = 1 // "Partially Transmitted 64-bit Sequential Numbers"
	ESN_UNSPECIFIED uint16 = 2 // RFC 9838, "32-bit Unspecified Numbers"
)

// Key Wrap Algorithm Transform IDs (Transform Type 13).
const (
	KW_5649_128 uint16 = 1
	KW_5649_192 uint16 = 2
	KW_5649_256 uint16 = 3
	KW_ARX      uint16 = 4
)

// Group Controller Authentication Method Transform IDs (Transform Type 14).
const (
	GCAUTH_IMPLICIT          uint16 = 1
	GCAUTH_DIGITAL_SIGNATURE uint16 = 2
)

// KeyLengthAttribute is the only transform attribute that is understood: "Key
// Length (in bits)" (https://www.rfc-editor.org/rfc/rfc7296#section-3.3.5).
const KeyLengthAttribute = 14
