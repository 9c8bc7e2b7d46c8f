package main

// eapMutants are mutants of EAP and of its methods with passwords.
func eapMutants() []Mutant {
	return []Mutant{
		{
			Name: "eap-early-success", File: "ike/eap/mschapv2_client.go", Tests: "^TestHostileServers$",
			Old: "if m.state != mschapProved {", New: "if false {",
			Why: "a server that does not know the password would be believed, as soon as it says Success",
		},
		{
			Name: "eap-success-without-method", File: "ike/eap/client.go", Tests: "^TestHostileServers$",
			Old: "if m == nil {\n\t\treturn c.failed(&Failure{Reason: ReasonEarlySuccess})", New: "if m == nil {\n\t\treturn Step{Done: true, Result: &Result{}}",
			Why: "whoever says Success first would be authenticated by nothing",
		},
		{
			Name: "eap-client-says-success", File: "ike/eap/server.go", Tests: "^TestHostileClients$",
			Old: "case p.code != codeResponse:", New: "case p.code == codeRequest:",
			Why: "a server would take what only a server may say",
		},
		{
			Name: "eap-identifier", File: "ike/eap/server.go", Tests: "^TestHostileClients$",
			Old: "case p.id != s.id:", New: "case false:",
			Why: "a response to one request would count for another",
		},
		{
			Name: "eap-nak-after-response", File: "ike/eap/server.go", Tests: "^TestHostileClients$",
			Old: "case p.typ == TypeNak && !s.answered:", New: "case p.typ == TypeNak:",
			Why: "a peer would leave a method in the middle",
		},
		{
			Name: "eap-nak-once", File: "ike/eap/server.go", Tests: "^TestHostileClients$",
			Old: "if slices.Contains(want, t) && !slices.Contains(s.offered, t) {", New: "if slices.Contains(want, t) {",
			Why: "two methods would be offered in turn, without end",
		},
		{
			Name: "eap-nak-allowed", File: "ike/eap/client.go", Tests: "^TestHostileServers$|^TestNegotiation$",
			Old: "if !slices.Contains(c.cfg.methods(), p.typ) {", New: "if false {",
			Why: "a server would choose how the password is shown to it",
		},
		{
			Name: "eap-unprotected", File: "ike/eap/config.go", Tests: "^TestNothingButSafeMethodsUnprotected$",
			Old: "if t.Method() && (protected || t.Safe()) && ", New: "if t.Method() && ",
			Why: "the password would go to whoever asks for it, where nothing authenticates the server",
		},
		{
			Name: "eap-rounds", File: "ike/eap/server.go", Tests: "^TestRoundsAreBounded$",
			Old: "if s.rounds++; s.rounds > MaxRounds {", New: "if s.rounds++; s.rounds > 200*MaxRounds {",
			Why: "a peer would keep a conversation going for ever",
		},
		{
			Name: "eap-unknown-user", File: "ike/eap/verdict.go", Tests: "^TestPasswords$|^TestUnknownUserHearsTheSame$",
			Old: "\tcase !c.known:\n\t\treturn fail(ReasonUnknownUser, \"\")\n\tcase !c.able:\n\t\treturn fail(ReasonSecret, \"the user has no password\")\n\tcase !usable:", New: "\tcase !usable:",
			Why: "nobody would learn that a name is mistyped",
		},
		{
			Name: "eap-expired", File: "ike/eap/verdict.go", Tests: "^TestPasswords$",
			Old: "\tcase !right:\n\t\treturn fail(ReasonPassword, \"\")\n\t}\n", New: "\t}\n",
			Why: "any password would do",
		},
		{
			Name: "eap-paused", File: "ike/eap/verdict.go", Tests: "^TestGuard$",
			Old: "\tcase c.pause != nil:\n", New: "\tcase false:\n",
			Why: "a pause would not show, and a right password would seem to be a wrong one",
		},
		{
			Name: "eap-guard-account", File: "ike/eap/verdict.go", Tests: "^TestGuardAsksForTheAccount$",
			Old: "c.right, c.pause = s.cfg.Guard.Try(now, identity.FoldUser(account(names[0])))", New: "c.right, c.pause = s.cfg.Guard.Try(now, identity.FoldUser(names[0]))",
			Why: "each domain before a name would have guesses of its own",
		},
		{
			Name: "eap-guard-within", File: "ike/eap/ttls_server.go", Tests: "^TestGuardWithinTunnels$",
			Old: "Guard: c.Guard, ", New: "",
			Why: "passwords could be guessed within a tunnel",
		},
		{
			Name: "guess-free", File: "ike/eap/guess/meter.go", Tests: "^TestPauses$",
			Old: "n >= m.free {", New: "n > m.free {",
			Why: "a wrong password more would be free",
		},
		{
			Name: "guess-full", File: "ike/eap/guess/aging.go", Tests: "^TestNothingIsPushedOut$",
			Old: "if len(a.order) >= a.most {", New: "if false {",
			Why: "names that are made up would fill the memory",
		},
		{
			Name: "guess-known", File: "ike/eap/guess/table.go", Tests: "^TestManySources$",
			Old: "if t.known.find(now, g.known(name)) != nil {", New: "if false {",
			Why: "whoever guesses a name from everywhere would keep its user out",
		},
		{
			Name: "guess-forget", File: "ike/eap/guess/table.go", Tests: "^TestPauses$",
			Old: "\t\tt.users.forget(g.user(name))\n", New: "",
			Why: "a user who comes in would be held by what was wrong before",
		},
		{
			Name: "guess-take-back", File: "ike/eap/guess/meter.go", Tests: "^TestRightTakesItsOwnBack$",
			Old: "until := x.until.Add(-m.fade); now.Before(until)", New: "until := x.until; now.Before(until)",
			Why: "users who come in would be counted as guesses",
		},
		{
			Name: "eap-locked", File: "ike/eap/verdict.go", Tests: "^TestPasswords$",
			Old: "\tcase c.secret.Locked:\n\t\treturn fail(ReasonLocked, \"\")\n", New: "",
			Why: "a locked account would be let in",
		},
		{
			Name: "eap-md5-length", File: "ike/eap/md5.go", Tests: "^TestHostileClients$",
			Old: "if n == 0 || n > len(data)-1 {", New: "if n > len(data)-1 {",
			Why: "a value of nothing would be read",
		},
		{
			Name: "eap-md5-plain", File: "ike/eap/md5.go", Tests: "^TestHostileClients$",
			Old: "return c.verdict(isPlain, right)", New: "return c.verdict(isPlain || true, right)",
			Why: "the empty password would be that of every user whose hash alone is known",
		},
		{
			Name: "mschapv2-success-at-once", File: "ike/eap/mschapv2_server.go", Tests: "^TestHostileClients$|^FuzzMSCHAPv2Server$",
			Old: "case m.state == mschapProved && len(data) > 0 && data[0] == mschapSuccess:", New: "case len(data) > 0 && data[0] == mschapSuccess:",
			Why: "whoever says Success before the response would be let in",
		},
		{
			Name: "mschapv2-name", File: "ike/eap/mschapv2_server.go", Tests: "^TestHostileClients$",
			Old: "if !m.talk.bound || name == identity {", New: "if true {",
			Why: "a connection would be chosen for one user, and used by another",
		},
		{
			Name: "mschapv2-domain", File: "ike/eap/mschapv2_server.go", Tests: "^TestMSCHAPv2Names$",
			Old: "m.x.name = account(string(octets))", New: "m.x.name = string(octets)",
			Why: "nobody with a Windows domain in front of the name would get in",
		},
		{
			Name: "mschapv2-length", File: "ike/eap/mschapv2_packet.go", Tests: "^TestHostileClients$|^TestHostileServers$",
			Old: "if n := int(binary.BigEndian.Uint16(data[2:])); n != len(data) {", New: "if n := int(binary.BigEndian.Uint16(data[2:])); n < 0 {",
			Why: "a length that is not that of the packet would be passed over",
		},
		{
			Name: "mschapv2-value", File: "ike/eap/mschapv2_packet.go", Tests: "^TestHostileClients$",
			Old: "case len(body) < 1+size:", New: "case len(body) < size:",
			Why: "a response that is cut would be read beyond its end",
		},
		{
			Name: "mschapv2-authenticator", File: "ike/eap/mschapv2_client.go", Tests: "^TestHostileServers$",
			Old: "if subtle.ConstantTimeCompare([]byte(got), []byte(m.x.authenticator(m.nt))) != 1 {", New: "if subtle.ConstantTimeCompare([]byte(got), []byte(m.x.authenticator(m.nt))) < 0 {",
			Why: "a server that does not know the password would be one",
		},
		{
			Name: "eap-told-and-gone", File: "ike/sa/auth_responder.go", Tests: "^TestUserHearsNoAndGoes$",
			Old: "if m.flow != nil && m.flow.told != nil {", New: "if false {",
			Why: "in the end it would be the client that has refused the gateway, as status says it",
		},
		{
			Name: "mschapv2-msk", File: "ike/eap/mschapv2_hash.go", Tests: "^TestMSCHAPv2KnownAnswers$",
			Old: "copy(msk, startKey(master, clientSendMagic))", New: "copy(msk, startKey(master, clientReceiveMagic))",
			Why: "the two sides would have different keys, and AUTH never be right",
		},
	}
}
