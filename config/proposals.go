package config

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// readProposals parses element by element, so that each bad one is reported in its place.
func readProposals(t *table, key string, protocol wire.ProtocolID) (out []proposal.Proposal) {
	items, ok := t.texts(key)
	if !ok {
		return t.defaultProposals(protocol)
	}
	if len(items) == 0 {
		t.emptyList(key, "leave it out for the defaults")
	}
	for _, it := range items {
		ps, err := proposal.ParseList(protocol, []string{it.text})
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				t.errorf(it.at, "", "%s: %s", t.name(key), line)
			}
			continue
		}
		warnWeak(t, it, ps)
		out = append(out, ps...)
	}
	// The number of a proposal is one octet. https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1
	if len(out) > 255 {
		t.errorf(t.at(key), "write at most 255", "%s has %d proposals", t.name(key), len(out))
	}
	return out
}

// defaultProposals are those of connections and children that write none. All of them share one list, which nobody changes.
func (r *reader) defaultProposals(protocol wire.ProtocolID) []proposal.Proposal {
	if r.defaults[protocol] == nil {
		r.defaults[protocol] = proposal.Default(protocol)
	}
	return r.defaults[protocol]
}

// weakTransforms are the algorithms that are only there for old peers, with the reason.
func weakTransform(x wire.Transform) (why string, weak bool) {
	switch x.Type {
	case wire.TransformENCR:
		if x.ID == wire.ENCR_NULL {
			return "no encryption at all", true
		}
	case wire.TransformPRF:
		if x.ID == wire.PRF_HMAC_SHA1 {
			return "SHA-1, \"MUST-\" in RFC 8247", true
		}
	case wire.TransformINTEG:
		if x.ID == wire.AUTH_HMAC_SHA1_96 {
			return "SHA-1, \"MUST-\" in RFC 8221", true
		}
	case wire.TransformKE:
		switch x.ID {
		case wire.KE_MODP_1024:
			return "a group of 1024 bits, \"SHOULD NOT\" in RFC 8247", true
		case wire.KE_MODP_1536:
			return "a group of 1536 bits, \"SHOULD NOT\" in RFC 8247", true
		}
	}
	return "", false
}

// warnWeak warns of weak algorithms in proposals that the operator has written.
func warnWeak(t *table, it item, ps []proposal.Proposal) {
	var found []string
	for _, p := range ps {
		for _, x := range p.Transforms {
			if why, weak := weakTransform(x); weak {
				s := fmt.Sprintf("%s (%s)", wire.TransformName(x.Type, x.ID), why)
				if !slices.Contains(found, s) {
					found = append(found, s)
				}
			}
		}
	}
	if len(found) > 0 {
		t.warnf(it.at, "use it only for a peer that can't do better", "%s offers %s", quote(it.text), strings.Join(found, ", "))
	}
}

// warnPFS warns of a CHILD SA whose rekeying has no key exchange: whoever breaks the IKE SA's keys then has all of them.
func warnPFS(t *table) {
	items, ok := t.texts("esp_proposals")
	if !ok {
		return
	}
	for _, it := range items {
		ps, err := proposal.ParseList(wire.ProtocolESP, []string{it.text})
		if err != nil {
			continue
		}
		for _, p := range ps {
			ke := slices.ContainsFunc(p.Transforms, func(x wire.Transform) bool {
				return x.Type == wire.TransformKE && x.ID != wire.KE_NONE
			})
			if !ke {
				t.warnf(it.at, "add a group such as ecp384, or see that the peer has none either",
					"%s has no key exchange: rekeying without perfect forward secrecy", quote(it.text))
				break
			}
		}
	}
}
