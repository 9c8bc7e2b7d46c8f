//go:build linux

package peer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lines writes "key = value" lines in alphabetical order, so that a kept configuration reads the same every time.
func lines(indent string, keys map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		fmt.Fprintf(&b, "%s%s = %s\n", indent, k, keys[k])
	}
	return b.String()
}
