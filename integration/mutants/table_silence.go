package main

// silences are what shows that a peer is not there any more.
func silences() []Mutant {
	return []Mutant{
		{
			Name: "silence-early", File: "ike/sa/silence.go", Tests: "^TestSilenceWhileConnecting$",
			Old: "case p.tries >= silenceAfter || p.silence != nil:", New: "case p.tries >= silenceAfter-1 || p.silence != nil:",
			Why: "each packet that is lost would be said to be a peer that does not answer",
		},
		{
			Name: "silence-stays", File: "ike/sa/silence.go", Tests: "^TestDeadBefore",
			Old: "	m.emit(Failed{Failure: s.Failure})", New: "",
			Why: "a peer that a responder with MOBIKE waits for would not be reported before five minutes are over",
		},
		{
			Name: "silence-moves", File: "ike/sa/lifetime.go", Tests: "^TestAnotherPathIsNoAnswer$",
			Old: "	m.advanceSilence(now)", New: "",
			Why: "a peer would never count as dead while this side changes its address",
		},
		{
			Name: "silence-after-it", File: "ike/sa/silence.go", Tests: "^TestSilentPeerIsHeardAgain$",
			Old: "if m.Heard().After(p.silence.Last) {", New: "if m.Heard().After(now) {",
			Why: "a peer that is heard again would be shown as one that does not answer for half a minute more",
		},
		{
			Name: "dead-twice", File: "ike/sa/failure.go", Tests: "^TestDeadBefore",
			Old: "if s := p.silence; s != nil && !s.Dead.IsZero() {", New: "if s := p.silence; s != nil && s.Dead.After(now) {",
			Why: "one dead peer would be counted as two failures",
		},
		{
			Name: "dead-up", File: "ike/gateway/survey.go", Tests: "^TestDeadPeerShows$",
			Old: "i.Phase, i.Since, i.WaitsFor = string(phaseDead),", New: "i.Phase, i.Since, i.WaitsFor = string(phaseUp),",
			Why: "a tunnel whose peer is dead would be up, in the status and for monitoring",
		},
		{
			Name: "dead-failed", File: "ike/gateway/silence.go", Tests: "^TestDeadPeerShows$",
			Old: "g.failures.Withdraw(s.Failure)", New: "_ = s.Failure",
			Why: "a tunnel that is up again would be shown with the death of its peer",
		},
		{
			Name: "oneway-soon", File: "ike/gateway/oneway.go", Tests: "^TestWhenNoAnswerIsRemarked$",
			Old: "w.looks == 0 || now.Sub(w.counted) >= oneWayAfter", New: "w.looks == 0 || now.After(w.counted)",
			Why: "an answer that takes a moment would be one that does not come",
		},
		{
			Name: "oneway-asked", File: "dataplane/asking.go", Tests: "^TestPacketsThatAskForAnAnswer$",
			Old: "b[h.l4+tcpFlags]&(tcpSYN|tcpACK) == tcpSYN", New: "b[h.l4+tcpFlags]&tcpSYN == tcpSYN",
			Why: "the answers of a host would count as packets that ask for one",
		},
	}
}
