package main

// exchanges are mutants of the messages of an IKE SA: which of them count, and what they may do.
func exchanges() []Mutant {
	return []Mutant{
		{
			Name: "initiator-flag", File: "ike/sa/receive.go", Tests: "^TestMessageForSomebodyElse$",
			Old: "fromInitiator == m.initiator {", New: "fromInitiator == m.initiator && false {",
			Why: "a message could be sent back to the side that it came from",
		},
		{
			Name: "spi-of-message", File: "ike/sa/receive.go", Tests: "^TestMessageForSomebodyElse$",
			Old: "if LocalSPIOf(h) != m.localSPI && !(Opens(h.Exchange) && !m.initiator) {", New: "if false {",
			Why: "a message of another IKE SA would be looked at",
		},
		{
			Name: "icv-of-message", File: "ike/sa/receive.go", Tests: "^TestBrokenMessages$",
			Old: "		m.ignore(path, IgnoreICV, \"\")\n		return 0, nil, false", New: "		m.close(now, \"\", nil)\n		return 0, nil, false",
			Why: "one forged message would end an IKE SA",
		},
		{
			Name: "repetition-without-icv", File: "ike/sa/refusal.go", Tests: "^TestRepetitionHasToBeAuthentic$",
			Old: "w.opened.Open(datagram, msg.Encrypted.AADLen); err != nil {", New: "w.opened.Open(datagram, msg.Encrypted.AADLen); false && err != nil {",
			Why: "anybody who has seen one header could have answers sent, again and again",
		},
		{
			Name: "repetition-of-fragment", File: "ike/sa/refusal.go", Tests: "^TestRepeatedFragmentIsNotAnswered$",
			Old: "if msg.Encrypted.Fragment && msg.Encrypted.Number != 1 {", New: "if false {",
			Why: "each fragment of a repeated request would bring the whole answer",
		},
		{
			Name: "repetition-exchange-type", File: "ike/sa/window.go", Tests: "^TestRepetitionIsOfTheSameExchange$",
			Old: "return err == nil && h.Exchange == x", New: "return err == nil && h.Exchange != 0",
			Why: "a request of another type would be taken for a repetition",
		},
		{
			Name: "message-id-window", File: "ike/sa/receive.go", Tests: "^TestMessageIDsOutsideTheWindow$",
			Old: "if h.MessageID != m.window.nextRecv ||", New: "if h.MessageID < m.window.nextRecv ||",
			Why: "a request could be left out",
		},
		{
			Name: "message-id-replay", File: "ike/sa/receive.go", Tests: "^TestMessageIDsOutsideTheWindow$",
			Old: "if h.MessageID != m.window.nextRecv ||", New: "if h.MessageID > m.window.nextRecv ||",
			Why: "an old request could be played again",
		},
		{
			Name: "closed-answers", File: "ike/sa/receive.go", Tests: "^TestEndedTakesNoFurtherRequest$",
			Old: "m.window.nextRecv || m.state == StateClosed {", New: "m.window.nextRecv {",
			Why: "an IKE SA that has ended would go on",
		},
		{
			Name: "response-message-id", File: "ike/sa/receive.go", Tests: "^TestMoveTwice$",
			Old: "if p == nil || h.MessageID != p.id ||", New: "if p == nil ||",
			Why: "an old answer would be taken for that to another request",
		},
		{
			Name: "response-exchange-type", File: "ike/sa/receive.go", Tests: "^TestMutatedMessages$",
			Old: "|| h.Exchange != p.task.exchange() {", New: "{",
			Why: "an answer of another exchange would be taken",
		},
		{
			Name: "response-critical", File: "ike/sa/receive.go", Tests: "^TestCriticalPayloads$",
			Old: "	if errors.As(err, &critical) {\n", New: "	if errors.As(err, &critical) && false {\n",
			Why: "an answer with an unknown critical payload would end the IKE SA",
		},
		{
			Name: "init-repeated-after-auth", File: "ike/sa/receive.go", Tests: "^TestLateInit$",
			Old: "case m.state == StateConnecting && m.window.nextRecv == 1 && m.Matches(datagram):", New: "case m.Matches(datagram):",
			Why: "a copy of the first request would have the last answer sent, which may be any",
		},
		{
			Name: "message-ids-used-up", File: "ike/sa/window.go", Tests: "^TestMessageIDsRunOut$",
			Old: "	case id > maxMessageID:\n", New: "	case false:\n",
			Why: "message ids would begin from zero, under the same keys",
		},
		{
			Name: "message-ids-rekey", File: "ike/sa/window.go", Tests: "^TestMessageIDsRunOut$",
			Old: "case id >= rekeyMessageID &&", New: "case false && id >= rekeyMessageID &&",
			Why: "an IKE SA would be closed for its ids, and not rekeyed in time",
		},
		{
			Name: "sync-stale", File: "ike/sa/sync.go", Tests: "^TestMessageIDSync$",
			Old: "case nextRecv > 0 && id < nextRecv || s.seen && id <= s.last:", New: "case false:",
			Why: "an old synchronisation could be played again, and old requests after it",
		},
		{
			Name: "sync-seen", File: "ike/sa/sync.go", Tests: "^TestMessageIDSync$",
			Old: "|| s.seen && id <= s.last", New: "",
			Why: "the same synchronisation could be played again",
		},
		{
			Name: "sync-beyond-the-end", File: "ike/sa/sync.go", Tests: "^TestMessageIDSync$",
			Old: "case id > maxMessageID || theirs.ExpectedReceived > maxMessageID:", New: "case false:",
			Why: "a synchronisation could have message ids wrap",
		},
		{
			Name: "sync-not-negotiated", File: "ike/sa/sync.go", Tests: "^TestMessageIDSync$",
			Old: "if !m.sync.negotiated || h.MessageID != 0", New: "if h.MessageID != 0",
			Why: "ids could be set by a peer that has not agreed on it",
		},
		{
			Name: "fragments-not-negotiated", File: "ike/sa/fragment.go", Tests: "^TestFragmentsOfOneMessage$",
			Old: "	if !x.negotiated {\n", New: "	if false {\n",
			Why: "a peer could have memory kept that has not agreed on it",
		},
		{
			Name: "fragments-number", File: "ike/sa/fragment.go", Tests: "^TestFragmentsAreBounded$",
			Old: "if e.Total > maxFragments ||", New: "if",
			Why: "a peer could have 65,535 fragments of one message kept",
		},
		{
			Name: "fragments-octets", File: "ike/sa/fragment.go", Tests: "^TestFragmentsOfOneMessage$",
			Old: "|| f.size+len(plain) > maxReassembled {", New: "{",
			Why: "a peer could have four megabytes of one message kept",
		},
		{
			Name: "fragments-smaller-total", File: "ike/sa/fragment.go", Tests: "^TestFragmentsOfALargerSizeAreDropped$",
			Old: "	case e.Total < f.total:\n", New: "	case false:\n",
			Why: "fragments of two cuts of a message would be put together",
		},
		{
			Name: "fragments-twice", File: "ike/sa/fragment.go", Tests: "^TestReassembly$",
			Old: "	if f.parts[e.Number-1] != nil {\n", New: "	if false {\n",
			Why: "a repeated fragment would count as the one that is missing",
		},
		{
			Name: "fragments-mixed-path", File: "ike/sa/fragment.go", Tests: "^TestFragmentsByTwoPaths$",
			Old: "	x.mixed, x.head = f.mixed, f.head\n", New: "	x.head = f.head\n",
			Why: "one fragment that an attacker repeats would lead the whole IKE SA to him",
		},
		{
			Name: "nonce-length", File: "ike/sa/nonce.go", Tests: "^TestShortNonces$",
			Old: "len(nonce) < want {", New: "false {",
			Why: "a nonce of the peer could be too short for the PRF",
		},
		{
			Name: "proposal-of-answer", File: "ike/sa/init_initiator.go", Tests: "^TestAnswerThatDoesNotChoose$",
			Old: "chosen, err := proposal.Verify(m.cfg.Proposals, sa.Proposals,", New: "chosen, err := proposal.Choose(m.cfg.Proposals, sa.Proposals,",
			Why: "an answer with more than one choice would be taken",
		},
		{
			Name: "group-of-answer", File: "ike/sa/init_initiator.go", Tests: "^TestAnswerThatDoesNotChoose$",
			Old: "if chosen.KE != ke.Group || !ok {", New: "if !ok {",
			Why: "a public value of another group would be taken",
		},
		{
			Name: "group-of-child-answer", File: "ike/sa/offer.go", Tests: "^TestChildAnswerThatDoesNotChoose$",
			Old: "if !ok || o.ke == nil || ke.Group != chosen.KE || o.ke.Group() != chosen.KE {", New: "if !ok || o.ke == nil {",
			Why: "a CHILD SA could get another group than the one that was proposed",
		},
		{
			Name: "group-forgotten", File: "ike/sa/rekey_child.go", Tests: "^TestDemandedGroupIsRemembered$",
			Old: "old.demanded = cmp.Or(t.demands.group, old.demanded)", New: "_ = cmp.Or(t.demands.group, old.demanded)",
			Why: "each attempt to rekey a CHILD SA would begin with a group that the peer has refused",
		},
		{
			Name: "group-of-the-child", File: "ike/sa/offer.go", Tests: "^TestDemandedGroupIsRemembered$",
			Old: "good = []uint16{old.demanded, old.Chosen.KE}", New: "good = []uint16{old.demanded}",
			Why: "each rekeying of a CHILD SA would cost two exchanges where the peer prefers another group",
		},
		{
			Name: "group-not-configured", File: "ike/sa/groups.go", Tests: "^TestFirstGuess$",
			Old: "if offersGroup(offered, g) && !slices.Contains(d.refused, g) {", New: "if g != 0 && !slices.Contains(d.refused, g) {",
			Why: "a request would have a key exchange that none of its proposals names",
		},
		{
			Name: "proposal-of-child-answer", File: "ike/sa/offer.go", Tests: "^TestChildAnswerThatDoesNotChoose$",
			Old: "chosen, err := proposal.Verify(o.proposals, sa.Proposals,", New: "chosen, err := proposal.Choose(o.proposals, sa.Proposals,",
			Why: "an answer with more than one choice would be taken",
		},
		{
			Name: "reserved-esp-spi", File: "ike/sa/protocol.go", Tests: "^(TestChildAnswerThatDoesNotChoose|TestReservedSPIOfRequest)$",
			Old: "return spi, spi > 255", New: "return spi, true",
			Why: "SPI 0 is a non-ESP marker: packets of it would be taken for IKE",
		},
		{
			Name: "children-number", File: "ike/sa/childlimit.go", Tests: "^TestChildLimit$",
			Old: "	if len(m.children) >= times*maxChildren {\n", New: "	if false {\n",
			Why: "a peer could have any number of CHILD SAs installed",
		},
		{
			Name: "deleted-while-created", File: "ike/sa/offer.go", Tests: "^TestChildRekeyCollidesWithDelete$",
			Old: "	if slices.Contains(m.gone, childSPI{chosen.Protocol, peerSPI}) {\n", New: "	if false {\n",
			Why: "a CHILD SA would be used that the peer has deleted",
		},
		{
			Name: "gone-number", File: "ike/sa/informational.go", Tests: "^TestDeletedSPIsAreBounded$",
			Old: "m.creatingChild() && len(m.gone) < maxGone {", New: "m.creatingChild() {",
			Why: "a peer could have any number of SPIs remembered",
		},
		{
			Name: "peer-ends-ike-sa", File: "ike/sa/informational.go", Tests: "^TestIKEDelete$",
			Old: "m.peerDeletesIKE(r.now)\n", New: "\n",
			Why: "an IKE SA that the peer has ended would live on here, and traffic go nowhere",
		},
		{
			Name: "auth-lifetime-of-initiator", File: "ike/sa/reauth.go", Tests: "^TestReauthTimes$",
			Old: "	case m.auth.responder:\n", New: "	case false:\n",
			Why: "a client could have its gateway reauthenticate",
		},
		{
			Name: "auth-lifetime-floor", File: "ike/sa/reauth.go", Tests: "^TestAuthLifetimeLater$",
			Old: "max(jittered(share, d/10, m.env.Jitter()), minReauthTime)", New: "jittered(share, d/10, m.env.Jitter())",
			Why: "a gateway could have its client reauthenticate without pause",
		},
		{
			Name: "auth-over", File: "ike/sa/reauth.go", Tests: "^TestReauthTimes$",
			Old: "if !a.expireAt.IsZero() && !now.Before(a.expireAt) {", New: "if false {",
			Why: "an authentication would last for ever if nobody does it again",
		},
		{
			Name: "unprotected-error", File: "ike/sa/init_initiator.go", Tests: "^TestForgedInitAnswerEndsNothing$",
			Old: "		t.refusals.add(m, m.peerRefusedInit(n))\n", New: "		m.close(now, \"refused\", m.peerRefusedInit(n))\n",
			Why: "one forged error would end an attempt at once",
		},
		{
			Name: "unprotected-request", File: "ike/sa/receive.go", Tests: "^TestUnprotectedMessages$",
			Old: "	if msg.Encrypted == nil {\n		m.unprotected(now, msg, path)\n		return\n	}\n	if m.receiveSync(", New: "	if m.receiveSync(",
			Why: "a request without an SK payload would bring the gateway down or be believed",
		},
	}
}
