package main

// requests are what waits for a result, and the turns in which results are made.
func requests() []Mutant {
	return []Mutant{
		{
			Name: "parked-window", File: "ike/sa/receive.go", Tests: "^TestExchangesWait$",
			Old: "if m.window.parked.waits() {", New: "if m.state == StateClosed {",
			Why: "a copy of a request that waits would be made again, or the one behind it answered before it",
		},
		{
			Name: "parked-answer", File: "ike/sa/receive.go", Tests: "^TestExchangesWait$",
			Old: "if p.parked.waits() {", New: "if p.denied {",
			Why: "a copy of an answer that waits would be taken for another",
		},
		{
			Name: "late-completion", File: "ike/sa/complete.go", Tests: "^TestLateCompletions$",
			Old: "a.open.id == id {", New: "a.open.id >= id {",
			Why: "the result of a request that was given up would be taken for that of another",
		},
		{
			Name: "lost-completion", File: "ike/sa/complete.go", Tests: "^TestRequestsFail$",
			Old: "if a.opened() && !now.Before(a.open.deadline) {", New: "if a.opened() && now.IsZero() {",
			Why: "an IKE SA would wait for ever for a result that does not come",
		},
		{
			Name: "end-before-keys", File: "ike/sa/complete.go", Tests: "^TestEndWaits",
			Old: "if a.held = m.holdsEnd(r); a.held {", New: "if a.held = false; a.held {",
			Why: "the peer's DELETE of an IKE SA would leave it a redundant one that nobody can delete, or one without its CHILD SAs",
		},
		{
			Name: "held-for-good", File: "ike/sa/complete.go", Tests: "^TestEndWaits",
			Old: "if held := m.window.parked; held != nil && held.held {", New: "if held := m.window.parked; held != nil && held.open != nil {",
			Why: "the peer's DELETE of an IKE SA would never be answered if it came while an answer waits",
		},
		{
			Name: "busy-pace", File: "ike/sa/complete.go", Tests: "^TestBusyRepeatsAtTheUsualPace$",
			Old: "	p.parked = nil\n	p.stuck =", New: "	p.parked, p.next = nil, time.Time{}\n	p.stuck =",
			Why: "a moment without time would use up all repetitions, and end an IKE SA whose peer is there",
		},
		{
			Name: "outdated-answer", File: "ike/sa/complete.go", Tests: "^TestSynchronisedWhileAnAnswerWaits$",
			Old: "if p.outdated {", New: "if p.outdated && false {",
			Why: "a request would be repeated under an id that the peer does not have any more",
		},
		{
			Name: "answers-compute", File: "ike/sa/init_initiator.go", Tests: "^TestInitAnswersWhileOneWaits$",
			Old: "if m.pending.parked.concludes() {", New: "if m.pending.denied {",
			Why: "each forged answer to IKE_SA_INIT would cost a key exchange",
		},
		{
			Name: "work-of-one-peer", File: "ike/turns.go", Tests: "^TestTurns$",
			Old: "if len(list) >= t.maxOfAddress {", New: "if len(list) < 0 {",
			Why: "one address could fill the queue",
		},
		{
			Name: "work-of-one-connection", File: "ike/turns.go", Tests: "^TestTurnsOfAConnection$",
			Old: "|| t.of[p] >= t.maxOfPeer {", New: "{",
			Why: "a peer with many addresses could fill the queue",
		},
		{
			Name: "turns-by-address", File: "ike/turns.go", Tests: "^TestTurnsOfAConnection$",
			Old: "if x.Connection != \"\" {", New: "if false {",
			Why: "a peer with many addresses would have a turn for each of them, and others would wait for seconds",
		},
		{
			Name: "errand-without-connection", File: "ike/gateway/errands.go", Tests: "^TestErrandsNameTheConnection$",
			Old: "		x.Connection = e.conn.conf.Name\n", New: "",
			Why: "a peer with many addresses would count as many peers",
		},
		{
			Name: "strangers-first", File: "ike/requests.go", Tests: "^TestTurns$",
			Old: "first, second := d.peers, d.strangers", New: "second, first := d.peers, d.strangers",
			Why: "a flood of strangers would delay established peers",
		},
	}
}
