package main

// migrated is what would be protected otherwise, or let somebody else in, of another system's configuration.
func migrated() []Mutant {
	return []Mutant{
		{
			Name: "migrate-routed", File: "config/migrate/ipsecconf/strongswan_child.go", In: "config/migrate/ipsecconf", Tests: "^TestGolden$",
			Why: "a tunnel that a VTI was for takes all traffic of the host",
			Old: "if slices.ContainsFunc(sets[1], everything) {", New: "if len(sets[1]) > 99 {",
		},
		{
			Name: "migrate-routed-swanctl", File: "config/migrate/strongswan/routed.go", Tests: "^TestRouted$",
			Why: "a tunnel that an XFRM interface was for takes all traffic of the host",
			Old: "if !slices.ContainsFunc(fields(text), everything) {", New: "if slices.ContainsFunc(fields(text), everything) {",
		},
		{
			Name: "migrate-own-key", File: "config/migrate/ipsecconf/secrets_whose.go", Tests: "^TestWhoseKey$",
			Why: "of two keys that name this side, a peer is let in with the other one",
			Old: "add(k.byID[idKey(m.hereID)], 2)", New: "add(k.byID[idKey(m.hereID)], 0)",
		},
		{
			Name: "migrate-quoted-key", File: "config/migrate/ipsecconf/secrets.go", Tests: "^TestWhoseKey$",
			Why: "a key in quotes that looks like a number is another key",
			Old: "if w.quoted || len(w.text) < 3 {", New: "if len(w.text) < 3 {",
		},
		{
			Name: "migrate-strict", File: "config/migrate/ipsecconf/proposals.go", Tests: "^TestStrongSwanProposals$",
			Why: "a connection that takes certain algorithms only takes all that there are by default",
			Old: "return list, !strict", New: "return list, !strict || true",
		},
		{
			Name: "migrate-side", File: "config/migrate/ipsecconf/side.go", Tests: "^TestOrient$",
			Why: "the two ends of a tunnel are taken for each other",
			Old: "		case anyOf(right, here):\n			return rightIsHere\n", New: "",
		},
		{
			Name: "migrate-inherited", File: "config/migrate/ipsecconf/inherit.go", Tests: "^TestRecorded$",
			Why: "a conn has the values of %default where one that it includes has others",
			Old: "for _, a := range slices.Backward(s.also) {", New: "for _, a := range s.also {",
		},
	}
}
