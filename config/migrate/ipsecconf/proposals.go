package ipsecconf

import (
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// dialectProposals reads a value of ike= or esp=: proposals in our notation, each with how it was written; open is set if the source adds its
// defaults to them.
type dialectProposals func(protocol wire.ProtocolID, value string) (list []written, open bool)

// written is a proposal: as it was written, and in our notation; why says why there is none.
type written struct{ source, ours, why string }

// proposals makes a list of proposals. What does not exist here is left out as long as something is left.
func (m *made) proposals(t *tree.Table, name, key string, protocol wire.ProtocolID, read dialectProposals) *failure {
	v := m.conn.text(key)
	if v == "" {
		return nil
	}
	list, open := read(protocol, v)
	var good []string
	var bad []left
	for _, w := range list {
		if w.why == "" {
			if _, err := proposal.ParseList(protocol, []string{w.ours}); err != nil {
				w.why, _, _ = strings.Cut(err.Error(), "\n")
			}
		}
		switch {
		case w.why != "":
			bad = append(bad, left{m.conn.where(key), key + "=" + shorten(w.source), shorten(w.why)})
		case !slices.Contains(good, w.ours):
			good = append(good, w.ours)
		}
	}
	if len(good) == 0 && !open {
		if len(bad) > 0 {
			return m.fail(key, bad[0].why)
		}
		return m.fail(key, "there is no proposal in it")
	}
	if protocol == wire.ProtocolIKE {
		m.ikeLeft = append(m.ikeLeft, bad...)
	} else {
		m.childLeft = append(m.childLeft, bad...)
	}
	if open {
		good = append(good, "default")
	}
	m.put(t, name, key, tree.Strings(good))
	return nil
}

// hashes are strongSwan's words for integrity algorithms that make a PRF in a proposal with an AEAD.
var hashes = map[string]string{"sha1": "prfsha1", "sha": "prfsha1", "sha256": "prfsha256", "sha2_256": "prfsha256", "sha384": "prfsha384", "sha2_384": "prfsha384",
	"sha512": "prfsha512", "sha2_512": "prfsha512", "aesxcbc": "prfaesxcbc", "aescmac": "prfaescmac"}

// strongSwanProposals reads strongSwan's, which have our notation but for the "!" that says "only these".
func strongSwanProposals(protocol wire.ProtocolID, value string) (list []written, open bool) {
	value, strict := strings.CutSuffix(strings.TrimSpace(value), "!")
	for s := range strings.SplitSeq(value, ",") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, written{source: s, ours: withoutHash(protocol, s)})
		}
	}
	return list, !strict
}

// withoutHash is a proposal whose AEAD has no integrity algorithm: strongSwan takes it for that of the PRF, and leaves it out for ESP.
func withoutHash(protocol wire.ProtocolID, s string) string {
	parts := strings.Split(strings.ToLower(s), "-")
	isAEAD := func(w string) bool {
		return strings.Contains(w, "gcm") || strings.Contains(w, "ccm") || strings.HasPrefix(w, "chacha20")
	}
	if !slices.ContainsFunc(parts, isAEAD) {
		return s
	}
	prf := slices.ContainsFunc(parts, func(w string) bool { return strings.HasPrefix(w, "prf") })
	var out []string
	for _, w := range parts {
		h, ok := hashes[w]
		switch {
		case !ok:
			out = append(out, w)
		case protocol == wire.ProtocolIKE && !prf:
			out = append(out, h)
		}
	}
	return strings.Join(out, "-")
}
