package wireshark

import (
	"os"
	"path/filepath"
	"strings"
)

// ExchangeIntermediate is the type of IKE_INTERMEDIATE, RFC 9242. Each one with a key exchange in it changes the keys of its IKE SA
// (RFC 9370 section 2.2.2), and tshark knows one set for each IKE SA: of several in the table it takes the last.
const ExchangeIntermediate = "43"

// FirstKeys makes dir a profile with the keys that each IKE SA of another profile had first: those of its first IKE_INTERMEDIATE
// exchange.
func FirstKeys(profile, dir string) error {
	table, err := os.ReadFile(filepath.Join(profile, IKETable))
	if err != nil {
		return err
	}
	var first strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		col := strings.SplitN(line, ",", 3) // both SPIs, and the rest
		if len(col) == 3 && !seen[col[0]+col[1]] {
			seen[col[0]+col[1]] = true
			first.WriteString(line)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, IKETable), []byte(first.String()), 0o600)
}

// ByExchange divides frames into the IKE messages of one exchange type and all others.
func ByExchange(frames []Frame, exchange string) (those, others []Frame) {
	for _, f := range frames {
		if f.Exchange == exchange {
			those = append(those, f)
		} else {
			others = append(others, f)
		}
	}
	return those, others
}
