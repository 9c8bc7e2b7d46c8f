package main

// users are mutants of how users prove themselves by EAP within IKE_AUTH.
func users() []Mutant {
	return []Mutant{
		{
			Name: "user-auth", File: "ike/auth/eap.go", Tests: "^TestClientThatIsNone$", In: "ike/sa",
			Old: "case hmac.Equal(eapAuth(t, r, false), a.Data):", New: "case true:",
			Why: "whoever sits between a client and the gateway could take EAP through, and have the IKE SA to itself",
		},
		{
			Name: "user-auth-missing", File: "ike/auth/eap_check.go", Tests: "^TestClientThatIsNone$", In: "ike/sa",
			Old: "case c.result != nil:\n\t\tif err := checkEAPAuth(t, c.result, in); err != nil {", New: "case c.result != nil:\n\t\tif err := checkEAPAuth(t, c.result, in); err != nil && findAuth(in) != nil {",
			Why: "a client without the key of EAP would be let in",
		},
		{
			Name: "child-for-groups", File: "ike/sa/groups_of_users.go", Tests: "^TestChildForGroups$",
			Old: "slices.ContainsFunc(c.Groups, u.In)", New: "!slices.Contains(c.Groups, u.Name)",
			Why: "any user would reach networks that are for some",
		},
		{
			Name: "child-for-users", File: "ike/sa/groups_of_users.go", Tests: "^TestChildForGroupsOfNoUser$",
			Old: "len(c.Groups) == 0 || u != nil && slices.ContainsFunc(c.Groups, u.In)", New: "len(c.Groups) == 0 || u == nil || slices.ContainsFunc(c.Groups, u.In)",
			Why: "a peer that is no user would reach networks that are for some",
		},
		{
			Name: "pool-for-groups", File: "ike/gateway/leases.go", Tests: "^TestPoolForGroups$",
			Old: "u != nil && slices.ContainsFunc(p.Groups, u.In)", New: "u != nil",
			Why: "users would get addresses that firewalls take for those of others",
		},
		{
			Name: "user-gateway-first", File: "ike/auth/eap_prove.go", Tests: "^TestNothingForNobody$",
			Old: "case !p.p.Only && !t.PeerProved && t.PeerRounds == 0:", New: "case false:",
			Why: "whoever answers the call would hear the user's name and try its password",
		},
		{
			Name: "user-gateway-key", File: "ike/auth/eap_prove.go", Tests: "^TestGatewayThatIsNone$", In: "ike/sa",
			Old: "if err := checkEAPAuth(t, p.result, in); err != nil {", New: "if err := checkEAPAuth(t, p.result, in); err != nil && false {",
			Why: "a gateway that does not have the key of EAP would have the IKE SA",
		},
		{
			Name: "user-alone-method", File: "ike/auth/eap_prove.go", Tests: "^TestEAPAlone$", In: "ike/sa",
			Old: "c.Protected = !p.p.Only", New: "c.Protected = true",
			Why: "a client would answer a challenge of anybody, where nothing proves the gateway",
		},
		{
			Name: "user-alone-method-here", File: "ike/auth/eap_check.go", Tests: "^TestGatewayAloneIsSafe$",
			Old: "config.AskIdentity, config.Protected = ask, !c.c.Only", New: "config.AskIdentity, config.Protected = ask, true",
			Why: "a gateway without a certificate would use methods that do not prove it",
		},
		{
			Name: "user-waits-for-server", File: "ike/sa/auth_wait.go", Tests: "^TestSlowRADIUS$",
			Old: "\t\tm.waitForServer(want)\n", New: "",
			Why: "a user would be given up while its RADIUS server is asked",
		},
		{
			Name: "user-waits-for-servers", File: "ike/sa/auth_wait.go", Tests: "^TestSlowRADIUS$",
			Old: "return relayTime", New: "return proofTime",
			Why: "two dead RADIUS servers would keep a user out",
		},
		{
			Name: "lease-asked-again", File: "ike/gateway/leases.go", Tests: "^TestLeaseIsAskedForAgain$",
			Old: "case e.leasing != k.errand.request:", New: "case false:",
			Why: "a request that was given up would end the one after it",
		},
		{
			Name: "lease-own-address", File: "ike/gateway/addresses.go", Tests: "^TestPoolGivesNoAddressOfTheGateway$",
			Old: "\t\tg.book.Reserve(g.reserved(g.conf))\n", New: "",
			Why: "a client would get an address that the gateway has got",
		},
		{
			Name: "user-groups", File: "ike/sa/eap.go", Tests: "^TestUserIsRefused$",
			Old: "if len(r.Groups) > 0 && !slices.ContainsFunc(r.Groups, u.In) {", New: "if false {",
			Why: "a user of any group would be let in",
		},
		{
			Name: "user-pattern", File: "ike/sa/eap.go", Tests: "^TestUserIsRefused$",
			Old: "if _, ok := r.ID.Matches(u.Name); !ok {", New: "if false {",
			Why: "a user of any name would be let in",
		},
		{
			Name: "user-other-checks", File: "ike/sa/eap.go", Tests: "^TestConnectionOfUser$",
			Old: "case !ok || !there.Alike(here):", New: "case !ok || false && !there.Alike(here):",
			Why: "a user of one directory would come in as one of another",
		},
		{
			Name: "user-connection-by-method", File: "ike/sa/eap.go", Tests: "^TestConnectionOfUser$",
			Old: "return c.cfg.RemoteAuth.EAP() == proves", New: "return false",
			Why: "a user whose IDi fits a connection for keys would never come in",
		},
		{
			Name: "user-failure-alone", File: "ike/sa/auth_responder.go", Tests: "^TestUserIsRefused$",
			Old: "no.eap = e.Out\n", New: "_ = e.Out\n",
			Why: "a client would hear AUTHENTICATION_FAILED where it waits for EAP-Failure, and ask for no other password",
		},
		{
			Name: "user-verdict-told", File: "ike/sa/eap_wait.go", Tests: "^TestVerdictIsTold$",
			Old: "m.emit(Failed{Failure: f.told, Early: true})", New: "_ = f.told",
			Why: "a wrong password would be in no log before a minute has gone",
		},
		{
			Name: "user-time", File: "ike/sa/eap_wait.go", Tests: "^TestUserHasTime$",
			Old: "d = max(d, userTime)", New: "d = max(d, time.Second)",
			Why: "a person who reads a token would be too late",
		},
		{
			Name: "user-taken-later", File: "ike/sa/complete.go", Tests: "^TestUserIsTakenLater$",
			Old: "} else if m.cfg.usesEAP() {", New: "} else if false {",
			Why: "a gateway with much to do would refuse users",
		},
		{
			Name: "user-step-once", File: "ike/auth/eap_wants.go", Tests: "^TestPacketThatWaits$",
			Old: "t.once.Do(func() { t.out = t.conversation.Step(t.now, t.in) })", New: "t.out = t.conversation.Step(t.now, t.in)",
			Why: "what a client says once would be taken twice",
		},
		{
			Name: "user-devices", File: "ike/gateway/unique.go", Tests: "^TestDevicesOfUser$",
			Old: "return a.PeerUser() == nil || a.RemoteID().Equal(b.RemoteID())", New: "return true",
			Why: "the second device of a user would throw the first one out",
		},
		{
			Name: "user-is-its-name", File: "ike/gateway/unique.go", Tests: "^TestDevicesOfUser$",
			Old: "if u := m.PeerUser(); u != nil {", New: "if u := m.PeerUser(); u != nil && false {",
			Why: "users whose devices call themselves alike would throw each other out",
		},
		{
			Name: "user-ticket", File: "ike/sa/resume_responder.go", Tests: "^TestUserGetsNoTicket$",
			Old: "!m.cfg.SeveralRounds() && !m.cfg.usesEAP()\n}", New: "!m.cfg.SeveralRounds()\n}",
			Why: "a user who was taken away would come back with a ticket",
		},
		{
			Name: "user-session", File: "ike/sa/reauth.go", Tests: "^TestUserOfRADIUS$",
			Old: "if u == nil || m.initiator || u.Session == 0 {", New: "if true {",
			Why: "a session that a RADIUS server limits would never end",
		},
		{
			Name: "user-too-much", File: "ike/auth/eap_check.go", Tests: "^TestUserSaysTooMuch$",
			Old: "case c.octets+len(raw) > MaxEAPOctets:", New: "case false:",
			Why: "a stranger could have as much kept as it likes",
		},
	}
}
