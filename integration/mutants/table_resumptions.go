package main

// resumptions are mutants of session tickets.
func resumptions() []Mutant {
	return []Mutant{
		{
			Name: "resume-any-auth", File: "ike/auth/resumed.go", Tests: "^TestResumptionAuthCoversTheFirstMessages$", In: "ike/sa",
			Old: "return &checker{secret: s, value: resumedValue}", New: "return &prover{secret: s, value: resumedValue, status: Done}",
			Why: "whoever has seen a ticket on the way could use it",
		},
		{
			Name: "resume-other-identity", File: "ike/sa/resume.go", Tests: "^TestResumptionAsAnotherPeer$",
			Old: "if !m.resume.active || got.Equal(m.resume.peer) {", New: "if true {",
			Why: "a peer with a ticket could become another one whose connection also fits",
		},
		{
			Name: "resume-after-reauth-time", File: "ike/sa/resume_responder.go", Tests: "^TestResumptionAfterReauthTimeChanged$",
			Old: "case m.cfg.authOver(s.Authenticated, now):", New: "case false && m.cfg.authOver(s.Authenticated, now):",
			Why: "a ticket would prolong an authentication that is over",
		},
		{
			Name: "resume-ticket-outlives-auth", File: "ike/sa/resume_responder.go", Tests: "^TestResumptionDoesNotProlongAuthentication$",
			Old: "if t := m.cfg.ReauthTime; t > 0 {", New: "if t := m.cfg.ReauthTime; false && t > 0 {",
			Why: "a ticket would promise more than the authentication that it is for",
		},
		{
			Name: "resume-with-ppk", File: "ike/sa/resume_responder.go", Tests: "^TestTicketsAndPPK$",
			Old: "if m.candidates == nil || m.usesPPK() ||", New: "if m.candidates == nil ||",
			Why: "a connection whose PPK is mandatory by now would be resumed without",
		},
		{
			Name: "resume-grant-with-ppk", File: "ike/sa/resume_responder.go", Tests: "^TestTicketsAndPPK$",
			Old: "return m.auth.responder && m.env.Tickets != nil && !m.usesPPK()", New: "return m.auth.responder && m.env.Tickets != nil",
			Why: "an IKE SA with a PPK would get a ticket, which says nothing of it",
		},
		{
			Name: "resume-ask-with-ppk", File: "ike/sa/resume_initiator.go", Tests: "^TestTicketsAndPPK$",
			Old: "if !m.cfg.Resumption || m.usesPPK() ||", New: "if !m.cfg.Resumption ||",
			Why: "a ticket would be asked for that must not be used",
		},
		{
			Name: "resume-present-with-ppk", File: "ike/sa/resume_initiator.go", Tests: "^TestTicketsAndPPK$",
			Old: "case m.usesPPK():", New: "case false:",
			Why: "a connection that has a PPK by now would be resumed without",
		},
		{
			Name: "resume-changed-secret", File: "ike/sa/resume_responder.go", Tests: "^TestRefusedTickets$",
			Old: "!ok || mark != s.Mark ||", New: "!ok || len(mark) == 0 ||",
			Why: "a key that was changed would live on in tickets",
		},
		{
			Name: "resume-changed-secret-initiator", File: "ike/sa/resume_initiator.go", Tests: "^TestRefusedTickets$",
			Old: "case !ok || mark != s.mark:", New: "case !ok || len(mark) == 0:",
			Why: "a key that was changed would live on in a session",
		},
		{
			Name: "resume-identity-gone", File: "ike/sa/resume_responder.go", Tests: "^TestTicketOfAnotherAuthentication$",
			Old: "case !matches || !ok ||", New: "case !matches && false || !ok ||",
			Why: "a peer that the connection does not let in any more would come in",
		},
		{
			Name: "resume-own-identity-changed", File: "ike/sa/resume_responder.go", Tests: "^TestTicketOfAnotherAuthentication$",
			Old: "|| !m.ownIdentity().Equal(own) ||", New: "||",
			Why: "the gateway would answer with an identity that it has given up",
		},
		{
			Name: "resume-auth-method", File: "ike/sa/resume_responder.go", Tests: "^TestTicketOfAnotherAuthentication$",
			Old: "|| s.Method != uint8(m.cfg.provedBy()):", New: ":",
			Why: "a ticket of another kind of authentication would count as one of a key",
		},
		{
			Name: "resume-switched-off", File: "ike/sa/resume_responder.go", Tests: "^TestTicketOfAConnectionThatDoesNotResume$",
			Old: "if c.Name == s.Connection && c.Resumption {", New: "if c.Name == s.Connection {",
			Why: "resumption = false would let old tickets in",
		},
		{
			Name: "resume-other-connection", File: "ike/sa/resume_responder.go", Tests: "^TestRefusedTickets$",
			Old: "if c.Name == s.Connection && c.Resumption {", New: "if c.Resumption {",
			Why: "a ticket of one connection would open another",
		},
		{
			Name: "resume-spend", File: "ike/sa/resume_responder.go", Tests: "^TestTicketIsSpentOnce$",
			Old: "if !m.resume.active || m.env.Tickets.Spend(now, m.resume.serial) {", New: "if true {",
			Why: "a ticket would be good more than once",
		},
		{
			Name: "resume-other-gateway", File: "ike/sa/resume_initiator.go", Tests: "^TestRefusedTickets$",
			Old: "case m.path.Remote.Addr().Unmap() != s.Gateway:", New: "case false:",
			Why: "a ticket would be shown to a gateway that it is not of",
		},
		{
			Name: "resume-expired-session", File: "ike/sa/resume_initiator.go", Tests: "^TestRefusedTickets$",
			Old: "case !now.Before(s.Expires) || c.authOver(s.Authenticated, now):", New: "case false:",
			Why: "an authentication that is over would be prolonged",
		},
		{
			Name: "resume-long-ticket", File: "ike/sa/resume_initiator.go", Tests: "^TestTicketOfAnyLength$",
			Old: "case len(data) > maxPeerTicket:", New: "case false:",
			Why: "a peer could have requests made that are larger than a datagram",
		},
		{
			Name: "ticket-expiry", File: "ike/ticket/keyring.go", Tests: "^TestRefusedTickets$",
			Old: "!now.Before(expires) {", New: "false && !now.Before(expires) {",
			Why: "a ticket would be good for as long as its key",
		},
		{
			Name: "ticket-lifetime", File: "ike/ticket/keyring.go", Tests: "^TestLifetimeIsBounded$",
			Old: "expires.After(last) {", New: "false && expires.After(last) {",
			Why: "a ticket could be good for ever",
		},
		{
			Name: "ticket-spent", File: "ike/ticket/keyring.go", Tests: "^TestSpentTickets$",
			Old: "if _, ok := k.spent[serial]; ok {\n			return nil,", New: "if _, ok := k.spent[serial]; ok && false {\n			return nil,",
			Why: "a ticket that was used would make half-open IKE SAs again and again",
		},
		{
			Name: "ticket-icv", File: "ike/ticket/keyring.go", Tests: "^TestRefusedTickets$",
			Old: "x.aead.Open(nil, b[headLen:headLen+nonceLen], b[headLen+nonceLen:], b[:headLen])", New: "x.aead.Open(nil, b[headLen:headLen+nonceLen], b[headLen+nonceLen:], b[:headLen])\n\t\terr = nil",
			Why: "a forged ticket would be believed",
		},
	}
}
