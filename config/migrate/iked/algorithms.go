package iked

import (
	"slices"
	"strings"
)

// keyword is an algorithm as our proposals have it; "" for one that there is not.
func keyword(kind, name string) string {
	table := map[string]map[string]string{
		"enc": {
			"aes-128": "aes128", "aes-192": "aes192", "aes-256": "aes256", "aes-128-ctr": "aes128ctr", "aes-192-ctr": "aes192ctr", "aes-256-ctr": "aes256ctr",
			"aes-128-gcm": "aes128gcm16", "aes-192-gcm": "aes192gcm16", "aes-256-gcm": "aes256gcm16", "aes-128-gcm-12": "aes128gcm12", "aes-256-gcm-12": "aes256gcm12",
			"chacha20-poly1305": "chacha20poly1305",
		},
		"auth": {"hmac-sha1": "sha1", "hmac-sha2-256": "sha256", "hmac-sha2-384": "sha384", "hmac-sha2-512": "sha512"},
		"prf":  {"hmac-sha1": "prfsha1", "hmac-sha2-256": "prfsha256", "hmac-sha2-384": "prfsha384", "hmac-sha2-512": "prfsha512"},
		"group": {
			"none": "none", "curve25519": "x25519", "grp31": "x25519", "ecp256": "ecp256", "grp19": "ecp256", "ecp384": "ecp384", "grp20": "ecp384", "ecp521": "ecp521",
			"grp21": "ecp521", "modp1024": "modp1024", "grp2": "modp1024", "modp1536": "modp1536", "grp5": "modp1536", "modp2048": "modp2048", "grp14": "modp2048",
			"modp3072": "modp3072", "grp15": "modp3072", "modp4096": "modp4096", "grp16": "modp4096", "modp6144": "modp6144", "grp17": "modp6144",
			"modp8192": "modp8192", "grp18": "modp8192",
		},
		"esn": {"esn": "esn", "noesn": "noesn"},
	}
	return table[kind][name]
}

// isAEAD reports whether a cipher of ours needs no integrity algorithm.
func isAEAD(word string) bool {
	return strings.Contains(word, "gcm") || strings.Contains(word, "poly1305")
}

// defaults are what iked takes where an ikesa or childsa does not say it.
func defaults(ike bool) map[string][]string {
	auths := []string{"sha256", "sha384", "sha512"}
	if ike {
		return map[string][]string{
			"aead": {"aes256gcm16", "aes128gcm16"}, "enc": {"aes256", "aes192", "aes128"}, "auth": auths, "prf": {"prfsha256", "prfsha384", "prfsha512"},
			"group": {"x25519", "ecp521", "ecp384", "ecp256", "modp4096", "modp3072", "modp2048"},
		}
	}
	return map[string][]string{"aead": {"aes256gcm16", "aes128gcm16"}, "enc": {"aes256", "aes192", "aes128"}, "auth": auths, "esn": {"esn", "noesn"}}
}

// proposals are those of one ikesa or childsa: one with AEADs and one with other ciphers, as far as there are such. unknown are the names that
// there are not here.
func (x transforms) proposals(ike bool) (out []string, unknown []option) {
	words := map[string][]string{}
	for _, o := range x {
		w, kind := keyword(o.name, o.value), o.name
		if w == "" {
			unknown = append(unknown, o)
			continue
		}
		if kind == "enc" && isAEAD(w) {
			kind = "aead"
		}
		if !slices.Contains(words[kind], w) {
			words[kind] = append(words[kind], w)
		}
	}
	named := func(kind string) bool { return slices.ContainsFunc(x, func(o option) bool { return o.name == kind }) }
	// Of the ciphers there are two kinds, and naming one means not the other. With an integrity algorithm, there are ciphers that need it.
	for kind, list := range defaults(ike) {
		switch {
		case len(words[kind]) > 0 || named(kind):
		case (kind == "aead" || kind == "enc") && named("enc"):
		case kind == "aead" && named("auth"):
		default:
			words[kind] = list
		}
	}
	if !ike && len(words["group"]) == 1 && words["group"][0] == "none" {
		words["group"] = nil
	}
	join := func(lists ...[]string) { out = append(out, strings.Join(slices.Concat(lists...), "-")) }
	if ike && len(words["group"]) == 0 || ike && len(words["prf"]) == 0 {
		return nil, unknown
	}
	if len(words["aead"]) > 0 {
		join(words["aead"], words["prf"], words["group"], words["esn"])
	}
	if len(words["enc"]) > 0 && len(words["auth"]) > 0 {
		join(words["enc"], words["auth"], words["prf"], words["group"], words["esn"])
	}
	return out, unknown
}
