package export

import (
	"slices"
	"strings"

	"esplanade/ike/proposal"
)

// words are the canonical keywords of a proposal.
func words(p proposal.Proposal) []string { return strings.Split(p.String(), "-") }

// texts are proposals in canonical keywords.
func texts(list []proposal.Proposal) (out []string) {
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

// choice is a keyword and what a client calls it.
type choice struct{ word, name string }

// first is the first of a client's choices that is among the words.
func first(words []string, choices []choice) (choice, bool) {
	i := slices.IndexFunc(choices, func(c choice) bool { return slices.Contains(words, c.word) })
	if i < 0 {
		return choice{}, false
	}
	return choices[i], true
}

// isGroup reports whether a keyword is a key exchange, "none" included.
func isGroup(word string) bool {
	return word == "none" || slices.ContainsFunc([]string{"modp", "ecp", "x25519", "x448", "mlkem"}, func(p string) bool { return strings.HasPrefix(word, p) })
}

// pfs reports whether ESP proposals have a key exchange, and whether it may be left out.
func pfs(words []string) (has, optional bool) {
	for _, w := range words {
		has = has || isGroup(w) && w != "none"
		optional = optional || w == "none"
	}
	return has, optional || !has
}

// swanProposals are proposals as strongSwan writes them. esn: the other end has extended sequence numbers, which strongSwan in user space
// and on Android has not; where they may be left out they are.
func swanProposals(list []proposal.Proposal) []string {
	var out []string
	for _, p := range list {
		ws := words(p)
		if slices.Contains(ws, "noesn") {
			ws = slices.DeleteFunc(ws, func(w string) bool { return w == "esn" || w == "noesn" })
		}
		for i, w := range ws {
			if w == "none" {
				ws[i] = "modpnone"
			}
		}
		out = append(out, strings.Join(ws, "-"))
	}
	return out
}

// swanAdditional warns of proposals that strongSwan has since version 6 only.
func (w *writer) swanAdditional() {
	if slices.ContainsFunc(slices.Concat(w.conn.Proposals, w.esp()), func(p proposal.Proposal) bool { return len(additional(words(p))) > 0 }) {
		w.warnf("proposals", "key exchanges in addition need strongSwan 6")
	}
}

// additional are the methods of each key exchange in addition (RFC 9370), that of ADDKE1 first.
func additional(words []string) (out [][]string) {
	for _, w := range words {
		if len(w) > 4 && strings.HasPrefix(w, "ke") && w[3] == '_' {
			for n := int(w[2] - '0'); len(out) < n; {
				out = append(out, nil)
			}
			out[w[2]-'1'] = append(out[w[2]-'1'], w[4:])
		}
	}
	return out
}

// plain reports whether a proposal can be agreed to without further key exchanges.
func plain(words []string) bool {
	return !slices.ContainsFunc(additional(words), func(list []string) bool { return len(list) > 0 && !slices.Contains(list, "none") })
}
