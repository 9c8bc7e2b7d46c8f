package main

// exports are what would be wrong in profiles, and what would be known of clients no more.
func exports() []Mutant {
	return []Mutant{
		{
			Name: "export-secret-unasked", File: "config/export/format.go", Tests: "^TestSecrets$",
			Why: "a profile has a secret in it that nobody has asked for",
			Old: "if !w.WithSecret || s.Len() == 0 {", New: "if s.Len() == 0 {",
		},
		{
			Name: "export-secret-unsaid", File: "config/export/format.go", Tests: "^TestSecrets$",
			Why: "a file with a secret in it can be read by everybody",
			Old: "	w.secret = true\n	return s.Bytes(), true", New: "	return s.Bytes(), true",
		},
		{
			Name: "export-quotes", File: "config/export/powershell.go", Tests: "^TestHostileNames$",
			Why: "a name of a user is a command in PowerShell, by one of the quotes that it has in addition",
			Old: `"'\u2018\u2019\u201a\u201b"`, New: `"'"`,
		},
		{
			Name: "export-control", File: "config/export/profile.go", Tests: "^TestHostileNames$|^TestWhatIsMissing$",
			Why: "a name with a line break in it adds lines to a configuration",
			Old: "if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {", New: "if s == \"\\x00\" && unicode.IsPrint(0) {",
		},
		{
			Name: "export-groups", File: "config/export/profile.go", Tests: "^TestGroups$",
			Why: "there is a profile for a user who is not let in with it",
			Old: "if groups := p.eapAuth().Groups; len(groups) > 0 &&", New: "if groups := p.eapAuth().Groups; len(groups) > 99 &&",
		},
		{
			Name: "export-all-traffic", File: "config/export/profile.go", Tests: "^TestGolden$",
			Why: "a client sends all of its traffic through a tunnel that is for some networks",
			Old: "	for _, n := range p.split() {", New: "	for _, n := range p.split()[:0] {",
		},
		{
			Name: "windows-unknown", File: "ike/sa/where.go", In: "ike/gateway", Tests: "^TestWindowsDefaults$",
			Why: "nobody is told how to set Windows up whose ESP does not fit",
			Old: "d.Windows, d.Other = m.windows, proposalTexts(m.cfg.Proposals)", New: "d.Other = proposalTexts(m.cfg.Proposals)",
		},
		{
			Name: "refused-often", File: "ike/sa/rekey_child.go", In: "ike/gateway", Tests: "^TestWindowsRenewsItself$",
			Why: "a peer that does not want its CHILD SA renewed is asked every ten seconds",
			Old: "c.live() && pause > rekeyRetry {", New: "c.live() && pause > 1000*rekeyRetry {",
		},
	}
}
