package main

// commands are mutants of what an operator's tools see and do.
func commands() []Mutant {
	return []Mutant{
		{
			Name: "half-written-request", File: "ike/vici/session.go", Tests: "^TestHalfWrittenSegment$",
			Old: "func (ss *session) hurry() { ss.reading.deadline(", New: "func (ss *session) hurry() { _ = (",
			Why: "a client that ends in the middle of a request would keep its place for ever",
		},
		{
			Name: "dropped-client-stays", File: "ike/vici/session.go", Tests: "^TestDroppedInTheMiddle$",
			Old: "		defer cancel() // a client that is dropped may have", New: "		// a client that is dropped may have",
			Why: "a client that is dropped would keep its place when it has sent more than has room",
		},
		{
			Name: "flood-of-requests", File: "ike/vici/inbox.go", Tests: "^TestFloodOfRequests$|^TestInbox$",
			Old: "fits := i.count == 0 || i.count < maxPending &&", New: "fits := true || i.count < maxPending &&",
			Why: "a client could have any number of requests held while one of its commands runs",
		},
		{
			Name: "announced-segments", File: "ike/vici/segment.go", Tests: "^TestLongRequests$",
			Old: "b := make([]byte, 0, min(n, readChunk))", New: "b := make([]byte, 0, n)",
			Why: "a client that announces long segments and sends nothing would have memory for them",
		},
		{
			Name: "long-requests", File: "ike/vici/session.go", Tests: "^TestLongRequests$",
			Old: "if large && !strings.HasPrefix(", New: "if false && !strings.HasPrefix(",
			Why: "what takes its time could hold a place of those that load something",
		},
		{
			Name: "names-cut", File: "ike/vici/load.go", Tests: "^TestNamesComeBack$",
			Old: "m.elements[0].octets = true", New: "",
			Why: "swanctl would unload what it has just loaded, by a name that is not ASCII or was cut",
		},
		{
			Name: "secrets-printed", File: "ike/vici/redact.go", Tests: "^TestSecretsArePrintedNowhere$",
			Old: "func (Shared) Format(s fmt.State, _ rune)", New: "func (Shared) Format2(s fmt.State, _ rune)",
			Why: "a secret that was loaded could come into a log",
		},
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
