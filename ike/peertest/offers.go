package peertest

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// Offer makes proposals, numbered from 1, of strings. For ESP, spi goes into each, and without ke they have no groups, as in IKE_AUTH.
func Offer(protocol wire.ProtocolID, spi []byte, ke bool, list ...string) (out []wire.Proposal) {
	for i, s := range list {
		p := wire.Proposal{Number: uint8(i + 1), Protocol: protocol, SPI: spi}
		words := strings.Split(s, "-")
		prf := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "prf") })
		for _, w := range words {
			for _, x := range transforms(w) {
				switch {
				case x.Type == wire.TransformPRF && (protocol != wire.ProtocolIKE || prf && !strings.HasPrefix(w, "prf")):
				case x.Type == wire.TransformKE && protocol != wire.ProtocolIKE && !ke:
				case !slices.Contains(p.Transforms, x):
					p.Transforms = append(p.Transforms, x)
				}
			}
		}
		if protocol != wire.ProtocolIKE {
			p.Transforms = append(p.Transforms, wire.Transform{Type: wire.TransformESN, ID: wire.ESN_NONE})
		}
		slices.SortStableFunc(p.Transforms, func(a, b wire.Transform) int { return int(a.Type) - int(b.Type) })
		out = append(out, p)
	}
	return out
}

// transforms are what a word of a proposal stands for: a hash stands for an integrity algorithm and a PRF.
func transforms(w string) []wire.Transform {
	one := func(t wire.TransformType, id, bits uint16) []wire.Transform {
		return []wire.Transform{{Type: t, ID: id, KeyLength: bits}}
	}
	hash := func(integ, prf uint16) []wire.Transform {
		return []wire.Transform{{Type: wire.TransformINTEG, ID: integ}, {Type: wire.TransformPRF, ID: prf}}
	}
	switch w {
	case "null":
		return one(wire.TransformENCR, wire.ENCR_NULL, 0)
	case "des":
		return one(wire.TransformENCR, wire.ENCR_DES, 0)
	case "3des":
		return one(wire.TransformENCR, wire.ENCR_3DES, 0)
	case "aes128ctr":
		return one(wire.TransformENCR, wire.ENCR_AES_CTR, 128)
	case "aes192ctr":
		return one(wire.TransformENCR, wire.ENCR_AES_CTR, 192)
	case "aes256ctr":
		return one(wire.TransformENCR, wire.ENCR_AES_CTR, 256)
	case "aes128":
		return one(wire.TransformENCR, wire.ENCR_AES_CBC, 128)
	case "aes192":
		return one(wire.TransformENCR, wire.ENCR_AES_CBC, 192)
	case "aes256":
		return one(wire.TransformENCR, wire.ENCR_AES_CBC, 256)
	case "aes128gcm8":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_8, 128)
	case "aes192gcm8":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_8, 192)
	case "aes256gcm8":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_8, 256)
	case "aes128gcm12":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_12, 128)
	case "aes192gcm12":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_12, 192)
	case "aes256gcm12":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_12, 256)
	case "aes128gcm16":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_16, 128)
	case "aes192gcm16":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_16, 192)
	case "aes256gcm16":
		return one(wire.TransformENCR, wire.ENCR_AES_GCM_16, 256)
	case "chacha20poly1305":
		return one(wire.TransformENCR, wire.ENCR_CHACHA20_POLY1305, 0)
	case "sha1":
		return hash(wire.AUTH_HMAC_SHA1_96, wire.PRF_HMAC_SHA1)
	case "sha256":
		return hash(wire.AUTH_HMAC_SHA2_256_128, wire.PRF_HMAC_SHA2_256)
	case "sha384":
		return hash(wire.AUTH_HMAC_SHA2_384_192, wire.PRF_HMAC_SHA2_384)
	case "sha512":
		return hash(wire.AUTH_HMAC_SHA2_512_256, wire.PRF_HMAC_SHA2_512)
	case "aesxcbc":
		return one(wire.TransformINTEG, wire.AUTH_AES_XCBC_96, 0)
	case "aescmac":
		return one(wire.TransformINTEG, wire.AUTH_AES_CMAC_96, 0)
	case "prfsha1":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA1, 0)
	case "prfsha256":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA2_256, 0)
	case "prfsha384":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA2_384, 0)
	case "prfsha512":
		return one(wire.TransformPRF, wire.PRF_HMAC_SHA2_512, 0)
	case "prfaesxcbc":
		return one(wire.TransformPRF, wire.PRF_AES128_XCBC, 0)
	case "prfaescmac":
		return one(wire.TransformPRF, wire.PRF_AES128_CMAC, 0)
	case "modp1024":
		return one(wire.TransformKE, wire.KE_MODP_1024, 0)
	case "modp1536":
		return one(wire.TransformKE, wire.KE_MODP_1536, 0)
	case "modp2048":
		return one(wire.TransformKE, wire.KE_MODP_2048, 0)
	case "modp3072":
		return one(wire.TransformKE, wire.KE_MODP_3072, 0)
	case "modp4096":
		return one(wire.TransformKE, wire.KE_MODP_4096, 0)
	case "modp8192":
		return one(wire.TransformKE, wire.KE_MODP_8192, 0)
	case "ecp256":
		return one(wire.TransformKE, wire.KE_ECP_256, 0)
	case "ecp384":
		return one(wire.TransformKE, wire.KE_ECP_384, 0)
	case "ecp521":
		return one(wire.TransformKE, wire.KE_ECP_521, 0)
	case "x25519":
		return one(wire.TransformKE, wire.KE_CURVE25519, 0)
	}
	panic(fmt.Sprintf("no algorithm %q", w))
}

// Choose answers an offer as a responder does that goes by its own list and not by the order of the offer, as all of [Known] do: the first
// of takes that an offered proposal fits, and of each type the first of its own that was offered.
func Choose(takes, offered []wire.Proposal) (wire.Proposal, bool) {
	for _, own := range takes {
		for _, o := range offered {
			if x, ok := fit(own, o); ok {
				return x, true
			}
		}
	}
	return wire.Proposal{}, false
}

func fit(own, offered wire.Proposal) (wire.Proposal, bool) {
	out := wire.Proposal{Number: offered.Number, Protocol: own.Protocol, SPI: own.SPI}
	types := map[wire.TransformType]bool{}
	for _, x := range own.Transforms {
		if !types[x.Type] && slices.Contains(offered.Transforms, x) {
			types[x.Type] = true
			out.Transforms = append(out.Transforms, x)
		}
	}
	for _, list := range [][]wire.Transform{own.Transforms, offered.Transforms} {
		for _, x := range list {
			if !types[x.Type] {
				return wire.Proposal{}, false
			}
		}
	}
	return out, true
}

// GroupOf is the key exchange of a proposal: of several the first, as a sender of it takes it for its KE payload; 0 for none.
func GroupOf(p wire.Proposal) uint16 {
	for _, x := range p.Transforms {
		if x.Type == wire.TransformKE {
			return x.ID
		}
	}
	return wire.KE_NONE
}
