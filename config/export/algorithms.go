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
