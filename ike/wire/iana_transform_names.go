package wire

import "strconv"

// IsKE reports whether transforms of this type are key exchange methods: KE and
// the additional key exchanges of RFC 9370.
func (t TransformType) IsKE() bool {
	return t == TransformKE || t >= TransformADDKE1 && t <= TransformADDKE7
}

// TransformName names a transform ID: "AES_GCM_16", "HMAC_SHA2_256_128",
// "PRF_HMAC_SHA2_384", "ECP_384", "NO_EXT_SEQ". What isn't in the registry is
// named by its type and number: "ENCR 1234".
func TransformName(t TransformType, id uint16) string {
	name := ""
	switch {
	case t == TransformENCR:
		name = encrName(id)
	case t == TransformPRF:
		name = prfName(id)
	case t == TransformINTEG:
		name = integName(id)
	case t.IsKE():
		name = keName(id)
	case t == TransformESN:
		name = esnName(id)
	case t == TransformKWA:
		name = keyWrapName(id)
	case t == TransformGCAUTH:
		name = groupAuthName(id)
	}
	if name == "" {
		return numbered(t.String(), id)
	}
	return name
}

// String names the transform and its key length: "AES_CBC_256", "ECP_384".
func (t Transform) String() string {
	name := TransformName(t.Type, t.ID)
	if t.KeyLength != 0 {
		name += "_" + strconv.Itoa(int(t.KeyLength))
	}
	if t.Unknown {
		name += " (unknown attribute)"
	}
	return name
}

func encrName(id uint16) string {
	switch id {
	case ENCR_DES_IV64:
		return "DES_IV64"
	case ENCR_DES:
		return "DES"
	case ENCR_3DES:
		return "3DES"
	case ENCR_RC5:
		return "RC5"
	case ENCR_IDEA:
		return "IDEA"
	case ENCR_CAST:
		return "CAST"
	case ENCR_BLOWFISH:
		return "BLOWFISH"
	case ENCR_3IDEA:
		return "3IDEA"
	case ENCR_DES_IV32:
		return "DES_IV32"
	case ENCR_NULL:
		return "NULL"
	case ENCR_AES_CBC:
		return "AES_CBC"
	case ENCR_AES_CTR:
		return "AES_CTR"
	case ENCR_AES_CCM_8:
		return "AES_CCM_8"
	case ENCR_AES_CCM_12:
		return "AES_CCM_12"
	case ENCR_AES_CCM_16:
		return "AES_CCM_16"
	case ENCR_AES_GCM_8:
		return "AES_GCM_8"
	case ENCR_AES_GCM_12:
		return "AES_GCM_12"
	case ENCR_AES_GCM_16:
		return "AES_GCM_16"
	case ENCR_NULL_AUTH_AES_GMAC:
		return "NULL_AUTH_AES_GMAC"
	case ENCR_XTS_AES:
		return "XTS_AES"
	case ENCR_CAMELLIA_CBC:
		return "CAMELLIA_CBC"
	case ENCR_CAMELLIA_CTR:
		return "CAMELLIA_CTR"
	case ENCR_CAMELLIA_CCM_8:
		return "CAMELLIA_CCM_8"
	case ENCR_CAMELLIA_CCM_12:
		return "CAMELLIA_CCM_12"
	case ENCR_CAMELLIA_CCM_16:
		return "CAMELLIA_CCM_16"
	case ENCR_CHACHA20_POLY1305:
		return "CHACHA20_POLY1305"
	case ENCR_AES_CCM_8_IIV:
		return "AES_CCM_8_IIV"
	case ENCR_AES_GCM_16_IIV:
		return "AES_GCM_16_IIV"
	case ENCR_CHACHA20_POLY1305_IIV:
		return "CHACHA20_POLY1305_IIV"
	case ENCR_KUZNYECHIK_MGM_KTREE:
		return "KUZNYECHIK_MGM_KTREE"
	case ENCR_MAGMA_MGM_KTREE:
		return "MAGMA_MGM_KTREE"
	case ENCR_KUZNYECHIK_MGM_MAC_KTREE:
		return "KUZNYECHIK_MGM_MAC_KTREE"
	case ENCR_MAGMA_MGM_MAC_KTREE:
		return "MAGMA_MGM_MAC_KTREE"
	}
	return ""
}

func prfName(id uint16) string {
	switch id {
	case PRF_HMAC_MD5:
		return "PRF_HMAC_MD5"
	case PRF_HMAC_SHA1:
		return "PRF_HMAC_SHA1"
	case PRF_HMAC_TIGER:
		return "PRF_HMAC_TIGER"
	case PRF_AES128_XCBC:
		return "PRF_AES128_XCBC"
	case PRF_HMAC_SHA2_256:
		return "PRF_HMAC_SHA2_256"
	case PRF_HMAC_SHA2_384:
		return "PRF_HMAC_SHA2_384"
	case PRF_HMAC_SHA2_512:
		return "PRF_HMAC_SHA2_512"
	case PRF_AES128_CMAC:
		return "PRF_AES128_CMAC"
	case PRF_HMAC_STREEBOG_512:
		return "PRF_HMAC_STREEBOG_512"
	}
	return ""
}

func integName(id uint16) string {
	switch id {
	case AUTH_NONE:
		return "NONE"
	case AUTH_HMAC_MD5_96:
		return "HMAC_MD5_96"
	case AUTH_HMAC_SHA1_96:
		return "HMAC_SHA1_96"
	case AUTH_DES_MAC:
		return "DES_MAC"
	case AUTH_KPDK_MD5:
		return "KPDK_MD5"
	case AUTH_AES_XCBC_96:
		return "AES_XCBC_96"
	case AUTH_HMAC_MD5_128:
		return "HMAC_MD5_128"
	case AUTH_HMAC_SHA1_160:
		return "HMAC_SHA1_160"
	case AUTH_AES_CMAC_96:
		return "AES_CMAC_96"
	case AUTH_AES_128_GMAC:
		return "AES_128_GMAC"
	case AUTH_AES_192_GMAC:
		return "AES_192_GMAC"
	case AUTH_AES_256_GMAC:
		return "AES_256_GMAC"
	case AUTH_HMAC_SHA2_256_128:
		return "HMAC_SHA2_256_128"
	case AUTH_HMAC_SHA2_384_192:
		return "HMAC_SHA2_384_192"
	case AUTH_HMAC_SHA2_512_256:
		return "HMAC_SHA2_512_256"
	}
	return ""
}

func keName(id uint16) string {
	switch id {
	case KE_NONE:
		return "NONE"
	case KE_MODP_768:
		return "MODP_768"
	case KE_MODP_1024:
		return "MODP_1024"
	case KE_MODP_1536:
		return "MODP_1536"
	case KE_MODP_2048:
		return "MODP_2048"
	case KE_MODP_3072:
		return "MODP_3072"
	case KE_MODP_4096:
		return "MODP_4096"
	case KE_MODP_6144:
		return "MODP_6144"
	case KE_MODP_8192:
		return "MODP_8192"
	case KE_ECP_256:
		return "ECP_256"
	case KE_ECP_384:
		return "ECP_384"
	case KE_ECP_521:
		return "ECP_521"
	case KE_MODP_1024_160:
		return "MODP_1024_160"
	case KE_MODP_2048_224:
		return "MODP_2048_224"
	case KE_MODP_2048_256:
		return "MODP_2048_256"
	case KE_ECP_192:
		return "ECP_192"
	case KE_ECP_224:
		return "ECP_224"
	case KE_BRAINPOOL_P224R1:
		return "ECP_224_BP"
	case KE_BRAINPOOL_P256R1:
		return "ECP_256_BP"
	case KE_BRAINPOOL_P384R1:
		return "ECP_384_BP"
	case KE_BRAINPOOL_P512R1:
		return "ECP_512_BP"
	case KE_CURVE25519:
		return "CURVE_25519"
	case KE_CURVE448:
		return "CURVE_448"
	case KE_GOST3410_2012_256:
		return "GOST3410_2012_256"
	case KE_GOST3410_2012_512:
		return "GOST3410_2012_512"
	case KE_ML_KEM_512:
		return "ML_KEM_512"
	case KE_ML_KEM_768:
		return "ML_KEM_768"
	case KE_ML_KEM_1024:
		return "ML_KEM_1024"
	}
	return ""
}

func esnName(id uint16) string {
	switch id {
	case ESN_NONE:
		return "NO_EXT_SEQ"
	case ESN_ESN:
		return "EXT_SEQ"
	case ESN_UNSPECIFIED:
		return "UNSPECIFIED_SEQ"
	}
	return ""
}

func keyWrapName(id uint16) string {
	switch id {
	case KW_5649_128:
		return "KW_5649_128"
	case KW_5649_192:
		return "KW_5649_192"
	case KW_5649_256:
		return "KW_5649_256"
	case KW_ARX:
		return "KW_ARX"
	}
	return ""
}

func groupAuthName(id uint16) string {
	switch id {
	case GCAUTH_IMPLICIT:
		return "GCAUTH_IMPLICIT"
	case GCAUTH_DIGITAL_SIGNATURE:
		return "GCAUTH_DIGITAL_SIGNATURE"
	}
	return ""
}
