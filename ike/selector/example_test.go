package selector_test

import (
	"fmt"

	"esplanade/ike/selector"
)

// A responder narrows what an initiator proposes to what its configuration has (RFC 7296, section 2.9).
func ExampleNarrow() {
	ours := list("10.1.0.0/16", "10.9.0.0/24[tcp/443]")
	theirs := list("10.1.2.0/24", "10.9.0.0/16")
	fmt.Println(selector.Format(selector.Narrow(ours, theirs)))
	// Output: 10.1.2.0/24 10.9.0.0/24[tcp/443]
}

// Covered reports whether everything that one list selects is selected by the other.
func ExampleCovered() {
	fmt.Println(selector.Covered(list("10.1.0.0/25", "10.1.0.128/25"), list("10.1.0.0/24")))
	fmt.Println(selector.Covered(list("10.1.0.0/24"), list("10.1.0.0/25")))
	// Output:
	// true
	// false
}

func list(texts ...string) (out []selector.Selector) {
	for _, text := range texts {
		s, err := selector.Parse(text)
		if err != nil {
			panic(err)
		}
		out = append(out, s)
	}
	return out
}
