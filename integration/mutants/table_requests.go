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
			Old: "if a.open.id == id {", New: "if a.open.id >= id {",
			Why: "the result of a request that was given up would be taken for that of another",
		},
		{
			Name: "lost-completion", File: "ike/sa/complete.go", Tests: "^TestRequestsFail$",
			Old: "if a.waits() && !now.Before(a.open.deadline) {", New: "if a.waits() && now.IsZero() {",
			Why: "an IKE SA would wait for ever for a result that does not come",
		},
		{
			Name: "answers-compute", File: "ike/sa/init_initiator.go", Tests: "^TestInitAnswersWhileOneWaits$",
			Old: "if m.pending.parked.concludes() {", New: "if m.pending.denied {",
			Why: "each forged answer to IKE_SA_INIT would cost a key exchange",
		},
		{
			Name: "work-of-one-peer", File: "ike/turns.go", Tests: "^TestTurns$",
			Old: "if t.waiting >= t.max || len(of) >= t.maxOfPeer {", New: "if t.waiting >= t.max {",
			Why: "one peer could fill the queue",
		},
		{
			Name: "strangers-first", File: "ike/requests.go", Tests: "^TestTurns$",
			Old: "first, second := d.peers, d.strangers", New: "second, first := d.peers, d.strangers",
			Why: "a flood of strangers would delay established peers",
		},
	}
}
