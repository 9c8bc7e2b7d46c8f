package main

// migrated is what would be protected otherwise, or let somebody else in, of another system's configuration.
func migrated() []Mutant {
	return []Mutant{
		{
			Name: "migrate-routed", File: "config/migrate/ipsecconf/strongswan_child.go", In: "config/migrate/ipsecconf", Tests: "^TestGolden$",
			Why: "a tunnel that a VTI was for takes all traffic of the host",
			Old: "if slices.ContainsFunc(sets[1], migrate.Wide) {", New: "if len(sets[1]) > 99 {",
		},
		{
			Name: "migrate-routed-swanctl", File: "config/migrate/strongswan/routed.go", Tests: "^TestRouted$",
			Why: "a tunnel that an XFRM interface was for takes all traffic of the host",
			Old: "if !slices.ContainsFunc(fields(text), migrate.Wide) {", New: "if slices.ContainsFunc(fields(text), migrate.Wide) {",
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
		{
			Name: "import-mode", File: "config/migrate/strongswan/children.go", Tests: "^TestGolden$",
			Why: "a child for single hosts becomes a tunnel",
			Old: `text != "" && !strings.EqualFold(text, "tunnel") {`, New: `text == "beet" {`,
		},
		{
			Name: "import-needed", File: "config/migrate/strongswan/convert.go", Tests: "^TestGolden$",
			Why: "a child whose networks can't be read protects those of another default",
			Old: "if err != nil && k.needed {", New: "if err != nil && k.needed && false {",
		},
		{
			Name: "import-defaults", File: "config/migrate/strongswan/convert.go", Tests: "^TestAsTheFolder$",
			Why: "what strongSwan takes where nothing is written is not what comes out",
			Old: "			into.Add(k.name, tree.Position{}, v)\n", New: "",
		},
		{
			Name: "import-clients", File: "config/migrate/strongswan/children.go", Tests: "^TestAsTheFolder$",
			Why: "a gateway for clients has other times than it had",
			Old: `missing(into, from, "rekey_time", "1h", "life_time")`, New: `missing(into, from, "life_time", "66m", "life_time")`,
		},
		{
			Name: "import-undone", File: "config/migrate/result.go", In: "config/migrate", Tests: "^TestDraft$",
			Why: "the secret of a connection that is left out is written",
			Old: "	d.result.Files = d.result.Files[:m.files]\n", New: "",
		},
		{
			Name: "import-terminal", File: "config/migrate/result.go", In: "config/migrate", Tests: "^TestOneLine$",
			Why: "a name in a file moves the cursor of the terminal that shows it",
			Old: "what, why = oneLine(what), oneLine(why)", New: "what, why = oneLine(what), oneLine(why)[:0]+why",
		},
		{
			Name: "import-secret-text", File: "config/migrate/secret.go", In: "config/migrate", Tests: "^TestSecretText$",
			Why: "a key that looks like a number becomes another key",
			Old: `!strings.HasPrefix(low, "0x")`, New: `!strings.HasPrefix(low, "0xx")`,
		},
		{
			Name: "import-iked-pairs", File: "config/migrate/iked/child.go", Tests: "^TestGolden$",
			Why: "a source may go to a destination that is another one's",
			Old: "	if complete() {", New: "	if complete() || true {",
		},
		{
			Name: "import-wireguard-sides", File: "config/migrate/wgquick/wgquick.go", Tests: "^TestGolden$",
			Why: "the two ends of a tunnel have the same networks as their own",
			Old: "local: x.back.allowed, remote: x.p.allowed", New: "local: x.p.allowed, remote: x.p.allowed",
		},
		{
			Name: "export-as-secrets", File: "config/migrate/strongswan/exportcreds.go", Tests: "^TestExportSecrets$",
			Why: "a swanctl.conf has secrets in it that nobody has asked for",
			Old: "	if !x.secrets {", New: "	if !x.secrets && false {",
		},
	}
}
