package main

// commands are mutants of what an operator's tools see and do.
func commands() []Mutant {
	return []Mutant{
		{
			Name: "reqid-of-each-line", File: "ike/gateway/numbers.go", Tests: "^TestReqIDs$",
			Old: "		if id = r.bySelectors[k]; id == nil {", New: "		if id = nil; id == nil {",
			Why: "two tunnels with the same selectors would have two numbers, and scripts would not find both",
		},
		{
			Name: "reqid-not-kept", File: "ike/gateway/installed.go", Tests: "^TestNumbers$",
			Old: "		g.reqids.release(c)\n", New: "",
			Why: "numbers would never be given again",
		},
		{
			Name: "refused-without-number", File: "ike/gateway/receive.go", Tests: "^TestRefusedAttemptsHaveNumbers$",
			Old: "		g.numbers.nextIKE()\n", New: "",
			Why: "a script that counts as strongSwan does would ask for the wrong IKE SA",
		},
		{
			Name: "trap-kept", File: "ike/gateway/traps.go", Tests: "^TestTrapByCommand$",
			Old: "	case h.trap == trapRemoved && configured == policy.StartTrap:\n", New: "	case false:\n",
			Why: "a trap that was removed would go on bringing the tunnel up",
		},
		{
			Name: "base64-cut", File: "config/secret_forms.go", Tests: "^TestDecodeSecret$",
			Old: "	if len(s)%4 != 0 && !strings.ContainsAny(s, \" \\t\\r\\n\") {", New: "	s = s[:len(s)/4*4]\n	if false {",
			Why: "a key that somebody has typed would lose its end, as it does in strongSwan",
		},
	}
}
