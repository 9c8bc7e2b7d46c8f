package main

// configuration are mutants of how a configuration is read, and of what a reload does with another one.
func configuration() []Mutant {
	return []Mutant{
		{
			Name: "syntax-shows-secret", File: "config/syntax.go", Tests: "^TestFiles$",
			Old: "what = withoutCharacter(what)", New: "_ = withoutCharacter(what)",
			Why: "a message about a syntax error within a secret of several lines would quote a character of it",
		},
		{
			Name: "own-address-of-router", File: "cmd/esplanade/inneraddress.go", Tests: "^TestInnerAddress$",
			Old: "v.forwards(a) == forwardingOff && ", New: "",
			Why: "a gateway without an address in local_ts would take one that a host behind it may have",
		},
		{
			Name: "section-yes", File: "config/scalar.go", Tests: "^(TestSameFromBoth|TestBadSections)$",
			Old: "		case \"no\", \"false\", \"disabled\", \"0\":\n			return false\n		}\n		want = \"write yes or no\"", New: "		}\n		return false",
			Why: "over VICI, what is no boolean would be one",
		},
		{
			Name: "reload-identity-live", File: "config/auth.go", Tests: "^TestReloadIsDocumented$",
			Old: "`key:\"id\" reload:\"reestablish\"`", New: "`key:\"id\" reload:\"live\"`",
			Why: "an IKE SA would stay although its peer is another now",
		},
		{
			Name: "reload-compares", File: "config/changes.go", Tests: "^TestEveryChangeIsSeen$",
			Old: "case ok && !same(old.Field(i), fresh.Field(i)):", New: "case ok && effect == Live && !same(old.Field(i), fresh.Field(i)):",
			Why: "a reload would keep SAs whose addresses, identities or selectors are others now",
		},
		{
			Name: "reload-ports", File: "config/changes.go", Tests: "^TestPortsUntilRestart$",
			Old: "		if port == n.LocalPort {", New: "		if true {",
			Why: "another port, which waits for a restart, would take the SAs of every connection down",
		},
		{
			Name: "reload-policy", File: "ike/gateway/reload.go", Tests: "^TestReloadedValuesCount$",
			Old: "	x.cfg.Policy = g.machineConfig(c).Policy\n", New: "	_ = g.machineConfig(c).Policy\n",
			Why: "a reload would say that a value has changed, and nothing would use it",
		},
		{
			Name: "reload-child-policy", File: "ike/gateway/reload.go", Tests: "^TestReloadedValuesCount$",
			Old: "	h.cfg.ChildPolicy = machineChild(fresh, len(h.conn.conf.Pools) > 0).ChildPolicy\n", New: "	_ = machineChild(fresh).ChildPolicy\n",
			Why: "a reload would say that a lifetime has changed, and the SA would go by the old one",
		},
		{
			Name: "local-port", File: "ike/gateway/prepare.go", Tests: "^TestPorts$",
			Old: " || c.conf.LocalPort == g.conf.IKE.PortNATT", New: "",
			Why: "local_port would have no effect",
		},
		{
			Name: "preset-goes-first", File: "config/preset.go", Tests: "^TestPresetBelow$",
			Why: "a preset would take the place of what an operator has written",
			Old: "if t.has(k.key) {",
			New: "if false {",
		},
		{
			Name: "preset-choice", File: "config/presetcheck.go", Tests: "^(TestFiles|TestPresetBelow)$",
			Why: "a cloud that wants exactly one combination of algorithms would be offered two without a word",
			Old: "if k.p.one != \"\" && combinations > 1 {",
			New: "if k.p.one != \"\" && combinations > 2 {",
		},
		{
			Name: "preset-aws-key", File: "config/presetcheck.go", Tests: "^TestPresetKeys$",
			Why: "that AWS refuses a key would show when the tunnel does not come up",
			Old: "case k[0] == '0':",
			New: "case k[0] == 0:",
		},
	}
}
