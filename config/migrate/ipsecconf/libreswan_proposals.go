package ipsecconf

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// What libreswan adds to a proposal that has no algorithm of a kind, best first.
var (
	libreswanHashes = []string{"sha512", "sha256"}
	libreswanGroups = []string{"ecp256", "ecp384", "ecp521", "x25519", "modp4096", "modp3072", "modp2048", "modp8192"}
)

// libreswanAlgorithms are libreswan's names of algorithms without a key length. "" stands for one that is no algorithm at all.
var libreswanAlgorithms = map[string]struct{ kind, ours string }{
	"sha": {"hash", "sha1"}, "sha1": {"hash", "sha1"}, "sha1_96": {"hash", "sha1"},
	"sha2": {"hash", "sha256"}, "sha256": {"hash", "sha256"}, "sha2_256": {"hash", "sha256"}, "sha2_256_128": {"hash", "sha256"},
	"sha384": {"hash", "sha384"}, "sha2_384": {"hash", "sha384"}, "sha2_384_192": {"hash", "sha384"},
	"sha512": {"hash", "sha512"}, "sha2_512": {"hash", "sha512"}, "sha2_512_256": {"hash", "sha512"},
	"aes_xcbc": {"hash", "aesxcbc"}, "aes128_xcbc": {"hash", "aesxcbc"}, "aes_xcbc_96": {"hash", "aesxcbc"}, "aes128_xcbc_96": {"hash", "aesxcbc"},
	"aes_cmac": {"hash", "aescmac"}, "aes_cmac_96": {"hash", "aescmac"},
	"none":     {"hash", ""},
	"null":     {"hash", ""},
	"modp1024": {"group", "modp1024"}, "dh2": {"group", "modp1024"},
	"modp1536": {"group", "modp1536"}, "dh5": {"group", "modp1536"},
	"modp2048": {"group", "modp2048"}, "dh14": {"group", "modp2048"},
	"modp3072": {"group", "modp3072"}, "dh15": {"group", "modp3072"},
	"modp4096": {"group", "modp4096"}, "dh16": {"group", "modp4096"},
	"modp6144": {"group", "modp6144"}, "dh17": {"group", "modp6144"},
	"modp8192": {"group", "modp8192"}, "dh18": {"group", "modp8192"},
	"dh19": {"group", "ecp256"}, "ecp_256": {"group", "ecp256"}, "secp256r1": {"group", "ecp256"}, "ecp256": {"group", "ecp256"},
	"dh20": {"group", "ecp384"}, "ecp_384": {"group", "ecp384"}, "secp384r1": {"group", "ecp384"}, "ecp384": {"group", "ecp384"},
	"dh21": {"group", "ecp521"}, "ecp_521": {"group", "ecp521"}, "secp521r1": {"group", "ecp521"}, "ecp521": {"group", "ecp521"},
	"dh31": {"group", "x25519"}, "curve25519": {"group", "x25519"},
	"dh0":               {"group", ""},
	"chacha20_poly1305": {"aead", "chacha20poly1305"}, "chacha20poly1305": {"aead", "chacha20poly1305"},
	"null_auth_aes_gmac": {"", ""},
}

// libreswanCipher are ciphers with a key length, which may be missing and may stand behind an underscore.
var libreswanCipher = regexp.MustCompile(`^(aes_gcm_16|aes_gcm_12|aes_gcm_8|aes_gcm_c|aes_gcm_b|aes_gcm_a|aes_gcm|aes_ctr|aesctr|aes_cbc|aes)_?(128|192|256)?$`)

// parts are the algorithms of a proposal, by kind.
type parts struct{ aead, cipher, hash, group []string }

// libreswanProposals reads libreswan's proposals. pfs are the groups that ESP proposals without one have, because of pfs=yes; with pfs=no, nil, they
// have none, whatever is written.
func libreswanProposals(pfs []string, esn string) dialectProposals {
	return func(protocol wire.ProtocolID, value string) (list []written, open bool) {
		for s := range strings.SplitSeq(value, ",") {
			if s = strings.TrimSpace(s); s == "" {
				continue
			}
			p, why := libreswanParts(protocol, s)
			if why != "" {
				list = append(list, written{source: s, why: why})
				continue
			}
			if protocol == wire.ProtocolESP && (len(p.group) == 0 || pfs == nil) {
				p.group = pfs
			}
			for _, ours := range p.proposals(protocol) {
				if protocol == wire.ProtocolESP && esn != "" {
					ours += "-" + esn
				}
				list = append(list, written{source: s, ours: ours})
			}
		}
		return list, false
	}
}

// libreswanParts takes a proposal apart: algorithms with "-" or ";" between, alternatives of a kind with "+".
func libreswanParts(protocol wire.ProtocolID, s string) (p parts, why string) {
	noGroup := false
	for field := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return r == '-' || r == ';' }) {
		if kind, rest, ok := strings.Cut(field, "="); ok { // libreswan 5.4: "ke=dh19"
			if strings.HasPrefix(kind, "addke") || kind == "sn" {
				return p, fmt.Sprintf("%q is not read", field)
			}
			field = rest
		}
		for name := range strings.SplitSeq(field, "+") {
			if m := libreswanCipher.FindStringSubmatch(name); m != nil {
				list := &p.cipher
				if strings.HasPrefix(m[1], "aes_gcm") {
					list = &p.aead
				}
				*list = append(*list, libreswanSizes(protocol, m[1], m[2])...)
				continue
			}
			a, ok := libreswanAlgorithms[strings.TrimPrefix(name, "hmac_")]
			switch {
			case !ok || a.kind == "":
				return p, fmt.Sprintf("there is no %q here", name)
			case a.kind == "aead":
				p.aead = append(p.aead, a.ours)
			case a.kind == "group" && a.ours == "":
				noGroup = true
			case a.kind == "group":
				p.group = append(p.group, a.ours)
			case a.ours != "":
				p.hash = append(p.hash, a.ours)
			case len(p.aead)+len(p.cipher) == 0:
				return p, "there is no ESP without encryption here" // "null-sha1"
			}
		}
	}
	if len(p.aead)+len(p.cipher) == 0 {
		return p, "it has no cipher"
	}
	if noGroup && len(p.group) == 0 {
		p.group = []string{"none"}
	}
	return p, ""
}

// libreswanSizes are a cipher's names here: one of a key length, and without that of two, the longer one first for IKE and last for ESP.
func libreswanSizes(protocol wire.ProtocolID, cipher, bits string) (out []string) {
	suffix := ""
	switch cipher {
	case "aes_gcm", "aes_gcm_16", "aes_gcm_c":
		suffix = "gcm16"
	case "aes_gcm_12", "aes_gcm_b":
		suffix = "gcm12"
	case "aes_gcm_8", "aes_gcm_a":
		suffix = "gcm8"
	case "aes_ctr", "aesctr":
		suffix = "ctr"
	}
	sizes := []string{"256", "128"}
	switch {
	case bits != "":
		sizes = []string{bits}
	case protocol == wire.ProtocolESP:
		sizes = []string{"128", "256"}
	}
	for _, n := range sizes {
		out = append(out, "aes"+n+suffix)
	}
	return out
}

// proposals are those of all parts: one with the AEADs and one with the other ciphers.
func (p parts) proposals(protocol wire.ProtocolID) (out []string) {
	hash, group := p.hash, p.group
	if len(hash) == 0 {
		hash = libreswanHashes
	}
	if protocol == wire.ProtocolIKE && len(group) == 0 {
		group = libreswanGroups
	}
	for _, aead := range []bool{true, false} {
		ciphers := p.cipher
		if aead {
			ciphers = p.aead
		}
		if len(ciphers) == 0 {
			continue
		}
		all := slices.Clone(ciphers)
		for _, h := range hash {
			switch {
			case !aead:
				all = append(all, h)
			case protocol == wire.ProtocolIKE:
				all = append(all, hashes[h])
			}
		}
		out = append(out, strings.Join(append(all, group...), "-"))
	}
	return out
}
