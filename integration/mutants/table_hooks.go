package main

// hooks are mutants of what commands and readers outside are told.
func hooks() []Mutant {
	return []Mutant{
		{
			Name: "updown-rekeyed", File: "ike/hooks/updown.go", Tests: "^TestUpdown$",
			Old: "u.live[e.New.ID] = t", New: "_ = e.New.ID",
			Why: "the end of a tunnel that was rekeyed would never be told, and what a script has opened would stay open",
		},
		{
			Name: "updown-needless", File: "ike/hooks/updown.go", Tests: "^TestUpdownOrder$",
			Old: "if t.state == toldUp {", New: "if true {",
			Why: "a script would undo what it has never done",
		},
		{
			Name: "updown-one-at-a-time", File: "ike/hooks/updown.go", Tests: "^TestUpdownOneAtATime$",
			Old: "if l.running || l.queued {", New: "if l.running {",
			Why: "up and down of one tunnel would run at the same time, and either could be the last",
		},
		{
			Name: "updown-limit", File: "ike/hooks/account_unix.go", Tests: "^TestRunIsKilled$",
			Old: "syscall.Kill(-c.Process.Pid, syscall.SIGKILL)", New: "syscall.Kill(c.Process.Pid, syscall.SIGKILL)",
			Why: "what a script has started would go on after its limit",
		},
		{
			Name: "updown-alphabet", File: "ike/hooks/safe.go", Tests: "^TestSafe$",
			Old: `"@._+:/=,"`, New: `"@._+:/=,$"`,
			Why: "a peer could have a shell expand what it calls itself",
		},
		{
			Name: "xfrm-keys-for-root", File: "ike/vici/esp.go", Tests: "^TestESPKeysForRoot$",
			Old: "if keys && !peerIsRoot(ss.conn) {", New: "if false {",
			Why: "whoever may use the control socket could read all traffic",
		},
		{
			Name: "events-bounded", File: "ike/hooks/feed.go", Tests: "^TestTooMuchAtOnce$",
			Old: "case len(f.items) >= maxItems:", New: "case false:",
			Why: "ten thousand peers could fill the memory with what they do",
		},
	}
}
