package main

// strangers are mutants of what bounds those who have proved nothing.
func strangers() []Mutant {
	return []Mutant{
		{
			Name: "half-open-limit", File: "ike/gateway/receive.go", Tests: "^TestHalfOpenLimit$",
			Old: "	full := half.total() >= ike.HalfOpenLimit\n", New: "	full := false\n",
			Why: "half-open IKE SAs of many sources would take all memory",
		},
		{
			Name: "half-open-per-source", File: "ike/gateway/receive.go", Tests: "^TestHalfOpenOfOneSource$",
			Old: "	case half.from(from) >= ike.BlockThreshold:\n", New: "	case false:\n",
			Why: "one address could take all half-open IKE SAs there are",
		},
		{
			Name: "cookie-threshold", File: "ike/gateway/receive.go", Tests: "^TestInitFlood$",
			Old: "case full || all >= ike.CookieThreshold ||", New: "case full || false && all > 0 ||",
			Why: "a flood of forged addresses would cost a key exchange each",
		},
		{
			Name: "cookie-threshold-per-source", File: "ike/gateway/receive.go", Tests: "^TestCookieThresholdOfOneSource$",
			Old: "source >= ike.CookieThresholdIP ||", New: "source >= ike.CookieThresholdIP && false ||",
			Why: "one address would be asked for a cookie as late as everybody together",
		},
		{
			Name: "cookie-after-refusals", File: "ike/gateway/receive.go", Tests: "^TestRefusalSurge$",
			Old: "|| g.surge.lasts(now):", New: ":",
			Why: "requests that are refused leave no half-open IKE SA, and would never be asked for a cookie",
		},
		{
			Name: "source-of-ipv6", File: "ike/gateway/shares.go", Tests: "^TestSourceOf$",
			Old: "return masked(a, 32, sourceBits6)", New: "return masked(a, 32, 128)",
			Why: "an IPv6 host has 2^64 addresses to be counted by",
		},
		{
			Name: "datagram-size", File: "ike/handler.go", Tests: "^TestDatagramSize$",
			Old: "if len(datagram) > maxIKEDatagram {", New: "if false {",
			Why: "anybody could have the largest datagrams copied and parsed",
		},
		{
			Name: "queued-octets", File: "ike/loop.go", Tests: "^TestQueuedOctets$",
			Old: "l.octets.Add(octets) <= maxQueuedOctets", New: "l.octets.Add(octets) > 0",
			Why: "what waits for the event loop would be bounded in number and not in size",
		},
		{
			Name: "queued-octets-returned", File: "ike/loop.go", Tests: "^TestQueuedOctets$",
			Old: "	l.octets.Add(-octets)\n", New: "",
			Why: "each datagram that is dropped would lower the limit for good, until nothing is taken",
		},
		{
			Name: "strangers-queue", File: "ike/handler.go", Tests: "^TestStrangersQueue$",
			Old: "if !unsolicited(datagram) {", New: "if true {",
			Why: "a flood of requests would push out what peers send",
		},
		{
			Name: "version-answer-rate", File: "ike/gateway/receive.go", Tests: "^TestOtherMajorVersions$",
			Old: "h.Major > 2 && h.Flags&wire.FlagResponse == 0 && g.stateless.allow(now, path.Remote.Addr())", New: "h.Major > 2 && h.Flags&wire.FlagResponse == 0",
			Why: "answers to forged addresses would not be bounded",
		},
		{
			Name: "spi-answer-rate", File: "ike/gateway/receive.go", Tests: "^TestNoTokenOfALiveSA$",
			Old: "if h.Flags&wire.FlagResponse != 0 || g.stopping || !g.stateless.allow(now, path.Remote.Addr()) {", New: "if h.Flags&wire.FlagResponse != 0 || g.stopping {",
			Why: "answers to forged addresses would not be bounded",
		},
		{
			Name: "spi-answer-to-response", File: "ike/gateway/receive.go", Tests: "^TestNoTokenOfALiveSA$",
			Old: "if h.Flags&wire.FlagResponse != 0 || g.stopping || !g", New: "if g.stopping || !g",
			Why: "two gateways could answer each other for ever",
		},
		{
			Name: "late-copy-makes-sa", File: "ike/gateway/receive.go", Tests: "^TestLateInit$",
			Old: "e != nil && e.m.Matches(b) {", New: "e != nil && false {",
			Why: "a copy of an old request would make another half-open IKE SA",
		},
		{
			Name: "cookie-compare", File: "ike/sa/cookie.go", Tests: "^TestCookies$",
			Old: "return hmac.Equal(cookie, c.append(c.scratch[:0], age, ni, from, spii))", New: "c.append(c.scratch[:0], age, ni, from, spii)\n\treturn true",
			Why: "any cookie would pass, and forged addresses with it",
		},
		{
			Name: "cookie-address", File: "ike/sa/cookie.go", Tests: "^TestCookies$",
			Old: "	copy(c.head[8:], a[:])\n", New: "	_ = a\n",
			Why: "a cookie would be good for every address",
		},
		{
			Name: "cookie-nonce", File: "ike/sa/cookie.go", Tests: "^TestCookies$",
			Old: "	mac.Write(ni)\n", New: "",
			Why: "one cookie would be good for any number of requests with other nonces",
		},
		{
			Name: "cookie-spi", File: "ike/sa/cookie.go", Tests: "^TestCookies$",
			Old: "binary.BigEndian.PutUint64(c.head[:], uint64(spii))", New: "binary.BigEndian.PutUint64(c.head[:], 0)",
			Why: "one cookie would be good for any number of IKE SAs",
		},
		{
			Name: "cookie-age", File: "ike/sa/cookie.go", Tests: "^TestCookieSecretGoes$",
			Old: "if age > 1 || c.macs[age] == nil {", New: "if c.macs[age&1] == nil {",
			Why: "a cookie of a secret that is gone would bring the gateway down",
		},
		{
			Name: "cookie-secret-lives-on", File: "ike/sa/cookie.go", Tests: "^TestCookieSecretGoes$",
			Old: "old = nil //", New: "//",
			Why: "a secret that is long due would still be good",
		},
		{
			Name: "cookie-retries", File: "ike/sa/opening.go", Tests: "^TestEndlessDemands$",
			Old: "if c.demanded == nil || c.times >= maxCookieRetries && p.tries", New: "if c.demanded == nil || false && p.tries",
			Why: "somebody who sends cookies could keep an initiator at it for ever",
		},
		{
			Name: "cookie-length", File: "ike/sa/opening.go", Tests: "^TestCookieOfAnyLength$",
			Old: "len(n.Data) == 0 || len(n.Data) > maxCookieLen:", New: "len(n.Data) == 0:",
			Why: "an answer could make the next request as large as it likes",
		},
		{
			Name: "cookie-of-distant-peer", File: "ike/sa/opening.go", Tests: "^TestCookieOfDistantPeer$",
			Old: "since+pause/2 < t.cookie.took {", New: "since+pause < t.cookie.took {",
			Why: "a peer that demands a cookie and is further away than a repetition would refuse each attempt",
		},
		{
			Name: "names-of-refused-strangers", File: "ike/gateway/names.go", Tests: "^TestRefusedStrangersCauseFewLookUps$",
			Old: "!s.busy && now.Sub(s.tried) >= strangerRefresh {", New: "!s.busy && now.After(s.tried) {",
			Why: "each stranger that is refused would cause look-ups",
		},
		{
			Name: "invalid-ke-not-offered", File: "ike/sa/init_initiator.go", Tests: "^TestSpoofedInitAnswers$",
			Old: "if !offersGroup(m.cfg.Proposals, group) ||", New: "if",
			Why: "a forged INVALID_KE_PAYLOAD could choose a group that is not configured",
		},
		{
			Name: "invalid-ke-retries", File: "ike/sa/init_initiator.go", Tests: "^TestDemandsForGroupsAreBounded$",
			Old: "|| t.switches >= maxInvalidKERetries {", New: "{",
			Why: "each forged INVALID_KE_PAYLOAD costs a key exchange",
		},
		{
			Name: "opening-answer-from-elsewhere", File: "ike/sa/opening.go", Tests: "^TestAnswerFromElsewhere$",
			Old: "case path.Remote.Addr() != p.path.Remote.Addr():", New: "case false:",
			Why: "anybody who knows the SPI could answer IKE_SA_INIT, or refuse a resumption, from anywhere",
		},
		{
			Name: "redirect-nonce", File: "ike/sa/redirect.go", Tests: "^TestRedirectSpoofed$",
			Old: "if !bytes.Equal(nonce, m.init.ni) {", New: "if false && !bytes.Equal(nonce, m.init.ni) {",
			Why: "somebody who has not seen the request could send this side elsewhere",
		},
		{
			Name: "redirect-unasked", File: "ike/sa/redirect.go", Tests: "^TestRedirectSpoofed$",
			Old: "	if !m.redirect.announced {\n		m.ignore", New: "	if false {\n		m.ignore",
			Why: "a gateway could send a peer away that has switched this off",
		},
		{
			Name: "redirect-back", File: "ike/sa/redirect.go", Tests: "^TestRedirectedFrom$",
			Old: "&& !sameGateway(to, r.from)", New: "",
			Why: "two gateways could send a client to and fro for ever",
		},
		{
			Name: "redirect-in-place", File: "ike/gateway/redirect.go", Tests: "^TestRedirectInPlace",
			Old: "case g.addrs.set[a] || a == r.own:", New: "case false:",
			Why: "a gateway could have this host call itself",
		},
		{
			Name: "redirect-to-multicast", File: "ike/sa/redirect.go", Tests: "^TestRedirectSpoofed$",
			Old: "return !a.IsUnspecified() && !a.IsMulticast()", New: "return true",
			Why: "a gateway could have requests sent to a group",
		},
		{
			Name: "crash-token", File: "ike/sa/crash.go", Tests: "^TestCrashTokens$",
			Old: "	if equal != 1 {\n", New: "	if equal != 1 && shown == 0 {\n",
			Why: "any token would end an IKE SA, without being protected",
		},
		{
			Name: "crash-token-none", File: "ike/sa/crash.go", Tests: "^TestEmptyCrashToken$",
			Old: "		if len(m.peerToken) > 0 {\n", New: "		{\n",
			Why: "an empty token would end the IKE SA of a peer that never gave one",
		},
		{
			Name: "crash-token-count", File: "ike/sa/crash.go", Tests: "^TestCrashTokens$",
			Old: "shown > maxCrashTokens {", New: "false {",
			Why: "one message could have any number of tokens compared",
		},
		{
			Name: "crash-token-shown-alive", File: "ike/sa/crash.go", Tests: "^TestNoProofOfLossAfterSuccession$",
			Old: "|| exists(h.SPIi) || exists(h.SPIr) ||", New: "||",
			Why: "a forged message would get the token that ends a living IKE SA",
		},
		{
			Name: "crash-token-shown-outlived", File: "ike/sa/crash.go", Tests: "^TestNoProofOfLossAfterSuccession$",
			Old: "e.outlived.has(h.SPIi) || e.outlived.has(h.SPIr) {", New: "false {",
			Why: "the token of a rekeyed IKE SA would be taken for the end of its successor",
		},
		{
			Name: "crash-token-outlived-bound", File: "ike/sa/crash.go", Tests: "^TestOutlived$",
			Old: "len(o.fresh) >= maxOutlived ||", New: "",
			Why: "a peer that rekeys without end would fill the memory",
		},
		{
			Name: "refusals-number", File: "ike/sa/opening.go", Tests: "^TestForgedErrorsAreBounded$",
			Old: "	if len(v.list) >= maxVerdicts {\n", New: "	if false {\n",
			Why: "each forged error would be a report",
		},
		{
			Name: "ticket-refused-at-once", File: "ike/sa/resume_initiator.go", Tests: "^TestForgedResumeAnswer$",
			Old: "			m.pending.ripens(now)\n", New: "			m.afresh(t.refusal)\n",
			Why: "a forged TICKET_NACK would have a session thrown away",
		},
		{
			Name: "earlier-group-forgotten", File: "ike/sa/init_initiator.go", Tests: "^TestForgedInitAnswerEndsNothing$",
			Old: "	t.earlier = append(t.earlier, before)\n", New: "	_ = before\n",
			Why: "a forged INVALID_KE_PAYLOAD would make the peer's own answer worthless",
		},
		{
			Name: "lines-of-a-peer", File: "ike/gateway/talk.go", Tests: "^(TestTalk|TestPeersLinesAreBounded)$",
			Old: "s.lines >= linesAtOnce ||", New: "",
			Why: "an authenticated peer could fill the log, some megabytes a second",
		},
		{
			Name: "lines-of-a-connection", File: "ike/gateway/talk.go", Tests: "^TestTalk$",
			Old: "|| c.lines >= connLinesAtOnce {", New: "{",
			Why: "a key that many identities share could fill the log",
		},
		{
			Name: "lines-of-all-peers", File: "ike/gateway/talk.go", Tests: "^TestTalk$",
			Old: "		return &t.rest\n", New: "",
			Why: "a key that many identities share could fill the memory",
		},
		{
			Name: "lines-by-identity", File: "ike/gateway/talk.go", Tests: "^TestPeersLinesAreBounded$",
			Old: "if e.peer != (peerKey{}) &&", New: "if e.peer == (peerKey{}) &&",
			Why: "what has a line would not depend on who has caused it",
		},
		{
			Name: "lingering-number", File: "ike/gateway/lingering.go", Tests: "^TestLingeringIsBounded$",
			Old: "case len(list) > maxLingering:", New: "case len(list) < 0:",
			Why: "a peer that rekeys and deletes without end would fill the memory",
		},
		{
			Name: "lingering-of-all", File: "ike/gateway/lingering.go", Tests: "^TestLingeringOfManyIdentities$",
			Old: "case len(g.table.lingeringAll) > maxLingeringAll:", New: "case len(g.table.lingeringAll) < 0:",
			Why: "a key that many identities share could fill the memory with closed IKE SAs",
		},
		{
			Name: "lingering-forgotten", File: "ike/gateway/table.go", Tests: "^TestLingeringIsBounded$",
			Old: "	t.unlinger(e)\n", New: "",
			Why: "each IKE SA that has ended would stay in memory",
		},
	}
}
