package pki

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/identity"
)

// TestConstraintsModel compares what is made of constraints on domain names with what RFC 5280, section 4.2.1.10, says in
// one line: crypto/x509 sorts and searches them, so that there are places to fall through.
func TestConstraintsModel(t *testing.T) {
	r := rand.New(rand.NewPCG(4945, 5280))
	labels := []string{"a", "A", "b", "a-b", "ab", "0"}
	name := func(n int) string {
		var parts []string
		for range n {
			parts = append(parts, labels[r.IntN(len(labels))])
		}
		return strings.Join(parts, ".")
	}
	// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name satisfies
	// the name constraint." With a period in front, one or more.
	within := func(name, base string) bool {
		name, base = strings.ToLower(name), strings.ToLower(base)
		if strings.HasPrefix(base, ".") {
			return strings.HasSuffix(name, base)
		}
		return name == base || strings.HasSuffix(name, "."+base)
	}
	ca, key := root(t, "CA"), newKey(t)
	met := map[bool]int{}
	for range 40 {
		between := caTemplate("Between")
		list := func() (out []string) {
			for range r.IntN(6) {
				n := name(1 + r.IntN(3))
				if r.IntN(3) == 0 {
					n = "." + n
				}
				out = append(out, n)
			}
			return out
		}
		between.PermittedDNSDomains, between.ExcludedDNSDomains = list(), list()
		b := issue(t, ca, between, key)
		for range 8 {
			end := endTemplate()
			end.DNSNames = []string{name(1 + r.IntN(4))}
			p := present(issue(t, b, end, key), b)
			satisfies := func(base string) bool { return within(end.DNSNames[0], base) }
			want := (len(between.PermittedDNSDomains) == 0 || slices.ContainsFunc(between.PermittedDNSDomains, satisfies)) &&
				!slices.ContainsFunc(between.ExcludedDNSDomains, satisfies)
			_, err := trustIn(ca).Judge(noon(), identity.Identity{Type: identity.FQDN, Data: []byte(end.DNSNames[0])}, p)
			if accepted := err == nil; accepted != want {
				t.Fatalf("%s with %q permitted and %q excluded: %v, want %v: %v", end.DNSNames[0], between.PermittedDNSDomains,
					between.ExcludedDNSDomains, accepted, want, err)
			}
			met[want]++
		}
	}
	if met[true] < 50 || met[false] < 50 {
		t.Errorf("met %v", met)
	}
}
