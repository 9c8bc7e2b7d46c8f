package diag

import (
	"strconv"
	"strings"
	"unicode"
)

// maxText bounds, in runes, what one field adds to a rendering: a peer may send 255 proposals.
const maxText = 600

// maxDiffers is the same for the difference, which has names of both sides for each kind of algorithm.
const maxDiffers = 2 * maxText

// cut marks where text was cut. It is no full stop, which the end of a sentence would swallow.
const cut = "…"

// oneLine makes text fit for a line of a log: what would break or forge lines becomes a space, and very long text is cut.
// Peers choose identities and vendor strings, so this is a matter of security, not only of looks.
func oneLine(s string) string { return clip(s, maxText) }

// clip is oneLine with another bound, in runes.
func clip(s string, bound int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == bound {
			b.WriteString(cut)
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}

// quote is s on one line in single quotes.
func quote(s string) string { return "'" + oneLine(s) + "'" }

// list joins at most n items; the rest is counted: "a, b (and 16 more)".
func list(items []string, n int) string {
	if len(items) <= n {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:n], ", ") + " (and " + strconv.Itoa(len(items)-n) + " more)"
}
