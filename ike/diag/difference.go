package diag

import (
	"fmt"
	"strings"
)

// Difference is one way in which a pair of proposals does not fit.
type Difference struct {
	// What is the kind of algorithm: "KE".
	What string
	// Ours and Theirs are the names that each side has, empty for none.
	Ours, Theirs []string
	// Reason is set if there is more to it than the names say.
	Reason string
}

// String is "KE (we want ECP_384, the peer has MODP_1024)". What the peer has chosen is bounded.
func (d Difference) String() string {
	theirs := clip(orUnknown(list(d.Theirs, maxListed), "none"), maxQuoted)
	switch {
	case d.What == "":
		return d.Reason
	case d.Reason != "":
		return d.What + " (the peer has " + theirs + ", but " + d.Reason + ")"
	}
	return d.What + " (we want " + orUnknown(strings.Join(d.Ours, ", "), "none") + ", the peer has " + theirs + ")"
}

// maxDifferences is how many differences are shown. There are no more kinds of algorithms that a peer can do without.
const maxDifferences = 6

func differences(ds []Difference) string {
	var out []string
	for _, d := range ds[:min(len(ds), maxDifferences)] {
		out = append(out, d.String())
	}
	if n := len(ds) - len(out); n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(out, "; ")
}
