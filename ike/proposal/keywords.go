package proposal

import (
	"slices"

	"esplanade/ike/wire"
)

// Keyword is a word of a proposal string and the transform it stands for.
type Keyword struct {
	Name      string
	Transform wire.Transform
	// Canonical is false for a second name of a transform that String does not use.
	Canonical bool
}

// Keywords returns all the words that Parse accepts for IKE or ESP. A caller owns the slice.
func Keywords(protocol wire.ProtocolID) []Keyword {
	var ks []Keyword
	for _, k := range slices.Concat(implemented(), additional()) {
		if usable(protocol, k.t) {
			ks = append(ks, Keyword{
				Name:      k.name,
				Transform: k.t,
				Canonical: !slices.ContainsFunc(ks, func(o Keyword) bool { return o.Transform == k.t }),
			})
		}
	}
	return ks
}

// usable reports whether proposals for that protocol have such transforms at all.
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.3
func usable(protocol wire.ProtocolID, t wire.Transform) bool {
	if isAdditional(t.Type) {
		return true
	}
	if protocol == wire.ProtocolIKE {
		isNone := t.Type == wire.TransformKE && t.ID == wire.KE_NONE
		isNull := t.Type == wire.TransformENCR && t.ID == wire.ENCR_NULL
		return t.Type != wire.TransformESN && !isNone && !isNull
	}
	return t.Type != wire.TransformPRF
}

// word is a keyword with its transform. The first word of a transform is the one that is written.
type word struct {
	name string
	t    wire.Transform
}

func encr(name string, id, bits uint16) word {
	return word{name, wire.Transform{Type: wire.TransformENCR, ID: id, KeyLength: bits}}
}

func plain(t wire.TransformType, name string, id uint16) word {
	return word{name, wire.Transform{Type: t, ID: id}}
}

// implemented returns the words for what packages suite and esp implement. The names are those of strongSwan.
func implemented() []word {
	const (
		prf   = wire.TransformPRF
		integ = wire.TransformINTEG
		ke    = wire.TransformKE
		esn   = wire.TransformESN
	)
	return []word{
		encr("aes128", wire.ENCR_AES_CBC, 128),
		encr("aes192", wire.ENCR_AES_CBC, 192),
		encr("aes256", wire.ENCR_AES_CBC, 256),
		encr("aes", wire.ENCR_AES_CBC, 128),
		encr("aes128ctr", wire.ENCR_AES_CTR, 128),
		encr("aes192ctr", wire.ENCR_AES_CTR, 192),
		encr("aes256ctr", wire.ENCR_AES_CTR, 256),
		encr("aes128gcm16", wire.ENCR_AES_GCM_16, 128),
		encr("aes192gcm16", wire.ENCR_AES_GCM_16, 192),
		encr("aes256gcm16", wire.ENCR_AES_GCM_16, 256),
		encr("aes128gcm128", wire.ENCR_AES_GCM_16, 128),
		encr("aes192gcm128", wire.ENCR_AES_GCM_16, 192),
		encr("aes256gcm128", wire.ENCR_AES_GCM_16, 256),
		encr("aes128gcm", wire.ENCR_AES_GCM_16, 128),
		encr("aes192gcm", wire.ENCR_AES_GCM_16, 192),
		encr("aes256gcm", wire.ENCR_AES_GCM_16, 256),
		encr("aes128gcm12", wire.ENCR_AES_GCM_12, 128),
		encr("aes192gcm12", wire.ENCR_AES_GCM_12, 192),
		encr("aes256gcm12", wire.ENCR_AES_GCM_12, 256),
		encr("aes128gcm96", wire.ENCR_AES_GCM_12, 128),
		encr("aes192gcm96", wire.ENCR_AES_GCM_12, 192),
		encr("aes256gcm96", wire.ENCR_AES_GCM_12, 256),
		encr("aes128gcm8", wire.ENCR_AES_GCM_8, 128),
		encr("aes192gcm8", wire.ENCR_AES_GCM_8, 192),
		encr("aes256gcm8", wire.ENCR_AES_GCM_8, 256),
		encr("aes128gcm64", wire.ENCR_AES_GCM_8, 128),
		encr("aes192gcm64", wire.ENCR_AES_GCM_8, 192),
		encr("aes256gcm64", wire.ENCR_AES_GCM_8, 256),
		encr("chacha20poly1305", wire.ENCR_CHACHA20_POLY1305, 0),
		// For peers that send, and want, a Key Length attribute, which RFC 7634 does not have.
		encr("chacha20poly1305compat", wire.ENCR_CHACHA20_POLY1305, 256),
		encr("null", wire.ENCR_NULL, 0),

		plain(integ, "sha256", wire.AUTH_HMAC_SHA2_256_128),
		plain(integ, "sha2_256", wire.AUTH_HMAC_SHA2_256_128),
		plain(integ, "sha384", wire.AUTH_HMAC_SHA2_384_192),
		plain(integ, "sha2_384", wire.AUTH_HMAC_SHA2_384_192),
		plain(integ, "sha512", wire.AUTH_HMAC_SHA2_512_256),
		plain(integ, "sha2_512", wire.AUTH_HMAC_SHA2_512_256),
		plain(integ, "sha1", wire.AUTH_HMAC_SHA1_96),
		plain(integ, "sha", wire.AUTH_HMAC_SHA1_96),
		plain(integ, "aesxcbc", wire.AUTH_AES_XCBC_96),
		plain(integ, "aescmac", wire.AUTH_AES_CMAC_96),

		plain(prf, "prfsha256", wire.PRF_HMAC_SHA2_256),
		plain(prf, "prfsha384", wire.PRF_HMAC_SHA2_384),
		plain(prf, "prfsha512", wire.PRF_HMAC_SHA2_512),
		plain(prf, "prfsha1", wire.PRF_HMAC_SHA1),
		plain(prf, "prfaesxcbc", wire.PRF_AES128_XCBC),
		plain(prf, "prfaescmac", wire.PRF_AES128_CMAC),

		plain(ke, "x25519", wire.KE_CURVE25519),
		plain(ke, "curve25519", wire.KE_CURVE25519),
		plain(ke, "ecp256", wire.KE_ECP_256),
		plain(ke, "ecp384", wire.KE_ECP_384),
		plain(ke, "ecp521", wire.KE_ECP_521),
		plain(ke, "modp2048", wire.KE_MODP_2048),
		plain(ke, "modp3072", wire.KE_MODP_3072),
		plain(ke, "modp4096", wire.KE_MODP_4096),
		plain(ke, "modp6144", wire.KE_MODP_6144),
		plain(ke, "modp8192", wire.KE_MODP_8192),
		// Only when named: never a default.
		plain(ke, "modp1536", wire.KE_MODP_1536),
		plain(ke, "modp1024", wire.KE_MODP_1024),
		plain(ke, "none", wire.KE_NONE),
		plain(ke, "modpnone", wire.KE_NONE),

		plain(esn, "esn", wire.ESN_ESN),
		plain(esn, "noesn", wire.ESN_NONE),
	}
}

// foreign returns words that strongSwan has and Parse refuses. They give what a peer offers the name that its operator
// wrote, and let Parse say more than "unknown".
func foreign() []word {
	const (
		prf   = wire.TransformPRF
		integ = wire.TransformINTEG
		ke    = wire.TransformKE
	)
	return []word{
		encr("des", wire.ENCR_DES, 0),
		encr("3des", wire.ENCR_3DES, 0),
		encr("cast128", wire.ENCR_CAST, 128),
		encr("blowfish128", wire.ENCR_BLOWFISH, 128),
		encr("blowfish192", wire.ENCR_BLOWFISH, 192),
		encr("blowfish256", wire.ENCR_BLOWFISH, 256),
		encr("aes128ccm16", wire.ENCR_AES_CCM_16, 128),
		encr("aes192ccm16", wire.ENCR_AES_CCM_16, 192),
		encr("aes256ccm16", wire.ENCR_AES_CCM_16, 256),
		encr("aes128ccm12", wire.ENCR_AES_CCM_12, 128),
		encr("aes192ccm12", wire.ENCR_AES_CCM_12, 192),
		encr("aes256ccm12", wire.ENCR_AES_CCM_12, 256),
		encr("aes128ccm8", wire.ENCR_AES_CCM_8, 128),
		encr("aes192ccm8", wire.ENCR_AES_CCM_8, 192),
		encr("aes256ccm8", wire.ENCR_AES_CCM_8, 256),
		encr("aes128gmac", wire.ENCR_NULL_AUTH_AES_GMAC, 128),
		encr("aes192gmac", wire.ENCR_NULL_AUTH_AES_GMAC, 192),
		encr("aes256gmac", wire.ENCR_NULL_AUTH_AES_GMAC, 256),
		encr("camellia128", wire.ENCR_CAMELLIA_CBC, 128),
		encr("camellia192", wire.ENCR_CAMELLIA_CBC, 192),
		encr("camellia256", wire.ENCR_CAMELLIA_CBC, 256),
		plain(integ, "md5", wire.AUTH_HMAC_MD5_96),
		plain(integ, "md5_128", wire.AUTH_HMAC_MD5_128),
		plain(integ, "sha1_160", wire.AUTH_HMAC_SHA1_160),
		plain(prf, "prfmd5", wire.PRF_HMAC_MD5),
		plain(ke, "modp768", wire.KE_MODP_768),
		plain(ke, "modp1024s160", wire.KE_MODP_1024_160),
		plain(ke, "modp2048s224", wire.KE_MODP_2048_224),
		plain(ke, "modp2048s256", wire.KE_MODP_2048_256),
		plain(ke, "ecp192", wire.KE_ECP_192),
		plain(ke, "ecp224", wire.KE_ECP_224),
		plain(ke, "ecp224bp", wire.KE_BRAINPOOL_P224R1),
		plain(ke, "ecp256bp", wire.KE_BRAINPOOL_P256R1),
		plain(ke, "ecp384bp", wire.KE_BRAINPOOL_P384R1),
		plain(ke, "ecp512bp", wire.KE_BRAINPOOL_P512R1),
		plain(ke, "x448", wire.KE_CURVE448),
		plain(ke, "curve448", wire.KE_CURVE448),
		plain(ke, "mlkem512", wire.KE_ML_KEM_512),
		plain(ke, "mlkem768", wire.KE_ML_KEM_768),
		plain(ke, "mlkem1024", wire.KE_ML_KEM_1024),
	}
}

// wordFor returns the word that is written for a transform.
func wordFor(t wire.Transform) (string, bool) {
	if isAdditional(t.Type) {
		return additionalWord(t)
	}
	for _, words := range [...][]word{implemented(), foreign()} {
		for _, w := range words {
			if w.t == t {
				return w.name, true
			}
		}
	}
	return "", false
}

func find(words []word, name string) (wire.Transform, bool) {
	for _, w := range words {
		if w.name == name {
			return w.t, true
		}
	}
	return wire.Transform{}, false
}

// AEAD reports whether an encryption algorithm protects integrity by itself.
func AEAD(id uint16) bool {
	switch id {
	case wire.ENCR_AES_GCM_8, wire.ENCR_AES_GCM_12, wire.ENCR_AES_GCM_16, wire.ENCR_CHACHA20_POLY1305:
		return true
	}
	return false
}

// needsKeyLength reports whether an encryption algorithm of ours means nothing without the Key Length attribute.
func needsKeyLength(id uint16) bool {
	return id == wire.ENCR_AES_CBC || id == wire.ENCR_AES_CTR || AEAD(id) && id != wire.ENCR_CHACHA20_POLY1305
}

// impliedPRF returns the PRF that an IKE proposal string means when it names only the integrity algorithm.
func impliedPRF(integ uint16) uint16 {
	switch integ {
	case wire.AUTH_HMAC_SHA1_96:
		return wire.PRF_HMAC_SHA1
	case wire.AUTH_HMAC_SHA2_256_128:
		return wire.PRF_HMAC_SHA2_256
	case wire.AUTH_HMAC_SHA2_384_192:
		return wire.PRF_HMAC_SHA2_384
	case wire.AUTH_HMAC_SHA2_512_256:
		return wire.PRF_HMAC_SHA2_512
	case wire.AUTH_AES_XCBC_96:
		return wire.PRF_AES128_XCBC
	case wire.AUTH_AES_CMAC_96:
		return wire.PRF_AES128_CMAC
	case wire.AUTH_HMAC_MD5_96: // of a peer
		return wire.PRF_HMAC_MD5
	}
	return 0
}
