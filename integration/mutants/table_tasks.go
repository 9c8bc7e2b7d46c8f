package main

// tasks are mutants of what the core asks of a request of this side, before it is made and when it stays without an answer.
func tasks() []Mutant {
	return []Mutant{
		{
			Name: "task-before-auth", File: "ike/sa/complete.go", Tests: "^TestWhatIsAskedBeforeAuth$",
			Old: "return m.state != StateConnecting || t.traits().early", New: "return true",
			Why: "requests would be made to a peer that has not proven who it is",
		},
		{
			Name: "task-delete-overtakes", File: "ike/sa/traits.go", Tests: "^TestDeleteOvertakesNewChild$",
			Old: "kind: TaskCreateChild, creates: true,", New: "kind: TaskCreateChild,",
			Why: "a CHILD SA that the peer has deleted would carry traffic to nowhere",
		},
		{
			Name: "task-check-by-two-paths", File: "ike/sa/addresses.go", Tests: "^TestRequestOnTwoPaths$",
			Old: "	p.strays()\n", New: "",
			Why: "an answer that came by one path would prove the address of another",
		},
		{
			Name: "task-successor", File: "ike/sa/handover.go", Tests: "^TestWhatFollowsToTheSuccessor$",
			Old: "		if t.traits().follows {\n", New: "		if false {\n",
			Why: "what was asked for during a rekeying of the IKE SA would be forgotten",
		},
		{
			Name: "task-silence", File: "ike/sa/failure.go", Tests: "^TestPeerHasForgottenTheCollision$",
			Old: "ok && t.silent(m, now, p) {", New: "ok && t == nil {",
			Why: "an IKE SA would be given up with its CHILD SAs though the peer goes on with another",
		},
		{
			Name: "child-group-not-offered", File: "ike/sa/groups.go", Tests: "^TestDemandedGroup$",
			Old: "err == nil && offersGroup(offered, group) && group != ours", New: "err == nil && group != ours",
			Why: "a peer could have this side use a group that the configuration leaves out",
		},
		{
			Name: "cookie-restarts", File: "ike/sa/opening.go", Tests: "^(TestEndlessDemands|TestCookiesTakeTheirTime)$",
			Old: "	if c.times > maxCookieRetries {\n		return sequelRepeat\n", New: "	if c.times > maxCookieRetries && false {\n		return sequelRepeat\n",
			Why: "somebody who sends cookies could keep an initiator at it for ever",
		},
	}
}
