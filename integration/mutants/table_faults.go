package main

// faults are mutants that bring back what docs/faults.md lists.
func faults() []Mutant {
	return []Mutant{
		// Packets never leave in the clear.
		{
			Name: "reload-removes-first", File: "ike/gateway/reload.go", Tests: "^TestReloadLeavesNoGap$",
			Old: "			gone = append(gone, func() { g.discard(now, old, \"the connection has changed\") })\n",
			New: "			g.discard(now, old, \"the connection has changed\")\n",
			Why: "between the two, packets would leave in the clear",
		},
		{
			Name: "routes-removed-first", File: "ike/routing.go", Tests: "^TestRoutesAreAddedBeforeAnyIsRemoved$",
			Old: "	if want == nil && (h.have != nil || h.part != nil) && !h.late {\n", New: "	if false {\n",
			Why: "routes would be gone before those that take their place are there",
		},
		{
			Name: "unprotected-while-down", File: "ike/gateway/prepare.go", Tests: "^TestProtectedWhileDown$",
			Old: "	if h.action() == policy.StartNone || h.held {\n		p.Without = selector.Refuse\n	}\n",
			New: "	if h.action() == policy.StartNone || h.held {\n		return selector.Policy{Order: h.order, Open: p.Open}, nil\n	}\n",
			Why: "packets for a peer that has not called would leave in the clear",
		},
		{
			Name: "refused-in-silence", File: "dataplane/spd.go", Tests: "^TestRefused$",
			Old: "	return refuses\n", New: "	return nil\n",
			Why: "nobody would be told that packets are refused, nor why",
		},
		{
			Name: "everything-held", File: "ike/gateway/prepare.go", Tests: "^TestEverythingIsNotHeldForAPeer$",
			Old: "	if h.action() != policy.StartNone {\n		return ts", New: "	if true {\n		return ts",
			Why: "a host would lose its way to anywhere until a peer calls",
		},
		// Which SA a packet takes, and what comes out of a tunnel.
		{
			Name: "icmp-enclosed-tunnel", File: "dataplane/quote.go", Tests: "^TestErrorsFromTunnels",
			Old: "	return r != nil && r.sa != nil && (r.line == sa.line || samePeer(r.sa.route.Load(), sa.route.Load()))\n", New: "	return r != nil\n",
			Why: "a peer whose selectors are wide could end the connections of others",
		},
		{
			Name: "icmp-enclosed-unchecked", File: "dataplane/inbound.go", Tests: "^TestErrorsFromTunnels",
			Old: "		if !w.errorFits(sa, b) {\n", New: "		if !w.errorFits(sa, b) && !sa.ts.Load().MatchIn(h.key.packet()) {\n",
			Why: "an ICMP error would count by its own header, and not by what it encloses",
		},
		{
			Name: "icmp-own-flow", File: "dataplane/quote.go", Tests: "^TestErrorsFromTunnels",
			Old: "if !quoteOf(b, h, q) || w.e.ownFlow(q) {", New: "if !quoteOf(b, h, q) {",
			Why: "a peer could lower the MTU of another peer's tunnel",
		},
		{
			Name: "icmp-of-our-side", File: "dataplane/quote.go", Tests: "^TestErrorsFromTunnels",
			Old: "	if !ts.MatchIn(h.key.packet()) && !(ts.MatchOut(packet) && routerOutside(ts.Local, h.key.src())) {\n", New: "	if !ts.MatchIn(h.key.packet()) && !ts.MatchOut(packet) {\n",
			Why: "an error could come with the address of a host of this side",
		},
		{
			Name: "icmp-about-error", File: "dataplane/quote.go", Tests: "^TestErrorsFromTunnels",
			Old: "q.parseQuote(quote, h.v6) && !isICMPError(quote, q) &&", New: "q.parseQuote(quote, h.v6) &&",
			Why: "an error about an error would be passed on",
		},
		{
			Name: "icmp-to-other", File: "dataplane/quote.go", Tests: "^TestErrorsFromTunnels",
			Old: " && q.key.srcHi == h.key.dstHi && q.key.srcLo == h.key.dstLo", New: "",
			Why: "an error would go to a host that has not sent what it is about",
		},
		// Strangers, and peers that have authenticated.
		{
			Name: "strangers-log", File: "ike/diag/collapser.go", Tests: "^TestCollapser",
			Old: "	if !due || k.standing != known && !c.strangers[k.standing].allow(now, k, f.User != \"\") {\n", New: "	if !due {\n",
			Why: "forged requests would fill the log",
		},
		{
			Name: "strangers-push-out", File: "ike/diag/collapser.go", Tests: "^TestCollapser",
			Old: "	if best == nil || e.standing < best.standing || e.standing == best.standing && e.used > best.used {\n",
			New: "	if best == nil || e.used > best.used {\n",
			Why: "a forged request would hide why a connection fails",
		},
		{
			Name: "failure-of-sibling", File: "ike/diag/collapser.go", Tests: "^TestCollapser",
			Old: "		case k.child != \"\" && k.child != child:\n",
			New: "		case false:\n",
			Why: "a child that comes up would hide why its sibling does not",
		},
		{
			Name: "failure-of-other-user", File: "ike/diag/collapser.go", Tests: "^TestCollapser",
			Old: "case user != \"\" && e.Failure.User != \"\" && !strings.EqualFold(e.Failure.User, user):", New: "case false:",
			Why: "a user who comes in would hide why another one does not",
		},
		{
			Name: "users-behind-nat", File: "ike/diag/collapser.go", Tests: "^TestCollapser",
			Old: "standing: standingOf(f), who: f.User,", New: "standing: standingOf(f),",
			Why: "the second of two users behind one NAT would not be told of",
		},
		{
			Name: "refusals-in-all", File: "ike/gateway/refusals.go", Tests: "^TestRefusalsInAll$",
			Old: "	if r.shares.total() > maxRefusals {\n", New: "	if false {\n",
			Why: "refused attempts would fill the memory",
		},
		{
			Name: "refusals-of-source", File: "ike/gateway/refusals.go", Tests: "^(TestRefusalsInAll|TestRefusalsAreBounded)$",
			Old: "	if r.shares.from(from) > maxRefusalsOfSource {\n", New: "	if false {\n",
			Why: "one source would use up what is remembered of all",
		},
		{
			Name: "refusals-uncounted", File: "ike/gateway/receive.go", Tests: "^TestRefusedCountForCookies$",
			Old: "half.total()+refused.total(), half.from(from)+refused.from(from)", New: "half.total()+0*refused.total(), half.from(from)+0*refused.from(from)",
			Why: "attempts that are refused would never take a cookie",
		},
		{
			Name: "half-open-weight", File: "ike/gateway/outputs.go", Tests: "^TestFragmentsWeigh$",
			Old: "	g.weighHalfOpen(now, e)\n", New: "",
			Why: "a half-open IKE SA could keep 64 kB and count as one of 1.5",
		},
		{
			Name: "half-open-closed-to-others", File: "ike/gateway/shares.go", Tests: "^(TestFewAddressesDoNotCloseTheGateway|TestYields)$",
			Old: "	if most.of.up != own && most.of.up.weight > weightOf(own)+1 && spares(now, most) {\n", New: "	if false {\n",
			Why: "a few addresses would close the gateway to everybody else",
		},
		{
			Name: "half-open-in-one-network", File: "ike/gateway/shares.go", Tests: "^(TestFewAddressesDoNotCloseTheGateway|TestYields)$",
			Old: "		if g := own.subs[0]; g.weight > weightOf(s.sources[sourceOf(newcomer)])+1 && spares(now, g.oldest) {\n", New: "		if g := own.subs[0]; false {\n",
			Why: "one address would close the gateway to its neighbours",
		},
		{
			Name: "repetition-rate", File: "ike/sa/refusal.go", Tests: "^TestAnswersAreRepeatedRarely$", In: "ike",
			Old: "	if p.next.Sub(now) > (repeatBurst-1)*repeatEvery {\n", New: "	if false {\n",
			Why: "one recorded request would have any number of answers sent, wherever to",
		},
		{
			Name: "repetition-from-elsewhere", File: "ike/sa/refusal.go", Tests: "^TestAnswersAreRepeatedRarely$", In: "ike",
			Old: "	return p.other.allow(now)\n", New: "	return p.own.allow(now)\n",
			Why: "whoever plays requests back would keep the peer from its answer",
		},
		{
			Name: "expensive-groups", File: "ike/gateway/budget.go", Tests: "^(TestBudget|TestExpensiveGroups)$",
			Old: "	if all > limit || own > b.limits.sourceBurst {\n", New: "	if false {\n",
			Why: "30 requests a second with MODP-4096 would stop the event loop",
		},
		{
			Name: "expensive-group-of-one-source", File: "ike/gateway/budget.go", Tests: "^(TestBudget|TestExpensiveGroups)$",
			Old: "	if all > limit || own > b.limits.sourceBurst {\n", New: "	if all > limit {\n",
			Why: "one source would use up what there is for all",
		},
		{
			Name: "expensive-group-forged", File: "ike/gateway/budget.go", Tests: "^TestExpensiveGroups$",
			Old: "	case cost >= expensive && !reached && !g.cookied:\n", New: "	case false:\n",
			Why: "forged addresses would use up what there is for all",
		},
		{
			Name: "unprotected-answers-of-one-source", File: "ike/gateway/unprotected.go", Tests: "^TestUnprotectedAnswers$",
			Old: "	return u.slots[slot].allow(now) && u.all.allow(now)\n", New: "	_ = slot\n	return u.all.allow(now)\n",
			Why: "one source would keep all others from knowing that their IKE SA is gone",
		},
		{
			Name: "unprotected-answers-in-all", File: "ike/gateway/unprotected.go", Tests: "^TestUnprotectedAnswers$",
			Old: "	return u.slots[slot].allow(now) && u.all.allow(now)\n", New: "	return u.slots[slot].allow(now)\n",
			Why: "answers to forged addresses would not be bounded",
		},
		{
			Name: "labels", File: "ike/gateway/labels.go", Tests: "^(TestExchangeLabels|TestLabelsAreNoStrangersChoice)$",
			Old: "	return otherExchange\n}\n\n// ExchangeLabel", New: "	return name\n}\n\n// ExchangeLabel",
			Why: "a stranger could have 256 series made for each code",
		},
		{
			Name: "http-connections", File: "cmd/esplanade/httplimits.go", Tests: "^TestHTTPClientsAreBounded$",
			Old: "full || len(l.conns) >= metricsConns {", New: "full {",
			Why: "silent clients would use up the descriptors",
		},
		{
			Name: "http-connections-of-source", File: "cmd/esplanade/httplimits.go", Tests: "^(TestHTTPClientsAreBounded|TestHTTPBusyClientsAreBounded)$",
			Old: "if full := of[source] >= metricsConnsPerSource; full", New: "if full := false; full",
			Why: "one address would have all connections there are",
		},
		{
			Name: "http-timeouts", File: "cmd/esplanade/httplimits.go", Tests: "^TestHTTPTimeouts$",
			Old: "ReadHeaderTimeout: metricsHeaderTimeout, ReadTimeout: metricsReadTimeout, ", New: "",
			Why: "a client that says nothing would be waited for, for ever",
		},
		// Traffic selectors and CHILD SAs.
		{
			Name: "ppk-of-another", File: "ike/gateway/env.go", Tests: "^(TestPPKOfAnotherConnection|TestMachinesGetAllThereIs)$",
			Old: "		FreePPK:     g.freePPK,\n", New: "",
			Why: "a peer could use the PPK that is another connection's",
		},
		{
			Name: "taken-through-a-sibling", File: "ike/gateway/taken.go", Tests: "^TestNetworksOfAnotherPeerThroughASibling$",
			Old: "		h = g.childElsewhere(cfg)", New: "		_ = g.childElsewhere(cfg)",
			Why: "a peer could have the networks of another by way of a second connection",
		},
		{
			Name: "rekeyed-without-end", File: "ike/sa/rekey_ike.go", Tests: "^TestRekeyedWithoutDelete$",
			Old: "	if m.predecessors() >= maxPredecessors {\n", New: "	if false {\n",
			Why: "a peer with a key could fill the memory with IKE SAs that it has rekeyed",
		},
		{
			Name: "selectors-move-to-a-claim", File: "ike/sa/move_selectors.go", Tests: "^(TestConfiguredSelectorsStay|TestSelectorsOfAnotherPeer|TestDynamicSelectorsFollowAMove)$",
			Old: "now.remote != c.gateways.remote && reached() {", New: "now.remote != c.gateways.remote && (reached() || true) {",
			Why: "a peer could get the traffic of an address that it only claims",
		},
		{
			Name: "selectors-move-out", File: "ike/sa/move_selectors.go", Tests: "^(TestConfiguredSelectorsStay|TestSelectorsOfAnotherPeer)$",
			Old: "		if !selector.Covered([]selector.Selector{s}, allowed) {\n", New: "		if false {\n",
			Why: "a selector would follow a peer out of what is configured",
		},
		{
			Name: "selectors-of-another-peer", File: "ike/sa/move_selectors.go", Tests: "^TestSelectorsOfAnotherPeer$",
			Old: "&& (m.env.Foreign == nil || !m.env.Foreign(m, a))", New: "",
			Why: "a peer could get the traffic of another one by moving there",
		},
		{
			Name: "first-selectors", File: "ike/sa/select_child.go", Tests: "^TestWhichChildIsMeant$",
			Old: "	if f.first != o.first {\n", New: "	if false {\n",
			Why: "a request would get a child that it did not mean (a MUST of RFC 7296 section 2.9)",
		},
		{
			Name: "narrower-rekeying", File: "ike/sa/rekey_selectors.go", Tests: "^(TestSelectorsOfARequest|TestNarrowerRekeyingIsNotTaken)$",
			Old: "	case !m.keepsScope(old.scope(), best.ts):\n", New: "	case false:\n",
			Why: "a rekeying would leave out traffic, in silence",
		},
		{
			Name: "narrower-rekeying-one-side", File: "ike/sa/rekey_selectors.go", Tests: "^(TestSelectorsOfARequest|TestNarrowerRekeyingIsNotTaken)$",
			Old: "return m.keeps(old.Local, fresh.Local) && m.keeps(old.Remote, fresh.Remote)", New: "return m.keeps(old.Local, fresh.Local)",
			Why: "a rekeying would leave out traffic of one side, in silence",
		},
		{
			Name: "error-beside-a-child", File: "ike/sa/offer.go", Tests: "^TestErrorBesideAChild$",
			Old: "	if n := errorNotify(r.payloads); n != nil {\n		// Also", New: "	if n := errorNotify(r.payloads); n != nil && !ok1 {\n		// Also",
			Why: "a child would be used that the peer has refused",
		},
		// Addresses, NATs, MOBIKE.
		{
			Name: "update-spread", File: "ike/sa/update.go", Tests: "^TestUpdateSentEverywhereProvesNothing$",
			Old: "		if t.spread && ", New: "		if false && t.spread && ",
			Why: "an answer that came by another path would prove an address",
		},
		{
			Name: "move-is-a-claim", File: "ike/gateway/outputs.go", Tests: "^TestMoveIsAClaim$",
			Old: "&& e.excluded.IsValid() && e.m.PeerProven() {", New: "&& e.excluded.IsValid() {",
			Why: "a peer could take an address out of everybody's tunnels by claiming it",
		},
		{
			Name: "peer-inside-another", File: "ike/gateway/outputs.go", Tests: "^TestPeerInsideAnothersNetworks$",
			Old: "	if g.names.match(e.conn.conf.RemoteAddrs, a) != exactly && g.othersCarry(e.conn, a) {\n", New: "	if false {\n",
			Why: "a peer could take a host out of another peer's tunnel by calling from there",
		},
		{
			Name: "path-through-the-tunnel", File: "ike/sa/addresses.go", Tests: "^TestNoPathThroughTheTunnel$",
			Old: "!slices.Contains(out, a) && !m.tunnelled(a) {", New: "!slices.Contains(out, a) {",
			Why: "a gateway would be tried through the very tunnel that has failed",
		},
		{
			Name: "peer-inside-its-networks", File: "ike/gateway/addresses.go", Tests: "^(TestPeerInsideItsOwnNetworks|TestAcceptableAddresses)$",
			Old: " && !g.carries(c, remote)", New: "",
			Why: "a tunnel would be sent into itself",
		},
		// Several IKE SAs with one peer.
		{
			Name: "refused-installation-keeps-its-spi", File: "ike/gateway/installed.go", Tests: "^TestInstallFails$",
			Old: "		g.o.DataPlane.ReleaseSPI(c.Inbound.SPI)", New: "		_ = c.Inbound.SPI",
			Why: "a peer whose SAs find no room would use up the SPIs as well",
		},
		{
			Name: "reauthentication-forgotten", File: "ike/gateway/reauth.go", Tests: "^TestReauthenticationAfterALookUp$",
			Old: "		e := e.latest()", New: "		e := e",
			Why: "an IKE SA that is rekeyed while its peer's name is looked up would expire",
		},
		{
			Name: "restarts-without-rest", File: "ike/gateway/restarts.go", Tests: "^TestPeerRestartsWhatIsClosed$",
			Old: "	if k == nil || k.restarts < maxRestarts {\n", New: "	if k == nil || k.restarts >= 0 {\n",
			Why: "two gateways would close and start IKE SAs for ever",
		},
		{
			Name: "networks-of-another", File: "ike/gateway/taken.go", Tests: "^TestTwoPeersWithTheSameNetworks$",
			Old: "	i := h.holder(g, keyOf(m), ts)\n	if i == nil {\n", New: "	i := h.holder(g, keyOf(m), ts)\n	if true {\n",
			Why: "one of two peers would have a tunnel that carries nothing",
		},
		{
			Name: "keep-peer-that-was-called", File: "ike/gateway/unique.go", Tests: "^TestKeepRefusesAPeerThatWasCalled$",
			Old: "(!x.caller || now.Sub(x.first) >= crossingTime)", New: "!x.caller",
			Why: "a peer would be closed and start again, for ever",
		},
		{
			Name: "keep-peer-that-reauthenticates", File: "ike/gateway/unique.go", Tests: "^TestKeepLetsAPeerReauthenticate$",
			Old: " && !mayReauthenticate(m, x) {", New: " {",
			Why: "a peer that authenticates again would be refused until its tunnel has ended",
		},
		{
			Name: "keep-place", File: "ike/gateway/unique.go", Tests: "^TestKeepRefusesFromElsewhere$",
			Old: " && m.Path().Remote == x.m.Path().Remote", New: "",
			Why: "whoever has the identity of a peer that is there would take its place from anywhere",
		},
		{
			Name: "needless-attempt", File: "ike/gateway/needless.go", Tests: "^TestAttemptIsDroppedWhenThePeerHasCalled$",
			Old: "x.m.PeerSPI() != 0 || ", New: "true || ",
			Why: "an attempt that is answered minutes after the peer has called would leave two IKE SAs for good",
		},
		{
			Name: "reauthentication-given-up-by-the-peer", File: "ike/gateway/reauth.go", Tests: "^TestReauthenticationBeginsAgain$",
			Old: "x.silent == nil || now.Sub(x.handover.begun) < wait {", New: "now.Sub(x.handover.begun) < 100*wait {",
			Why: "an attempt that the peer has given up would go on until the IKE SA expires",
		},
		{
			Name: "identity-key", File: "ike/identity/key.go", Tests: "^TestKeyIsEquality$",
			Old: "	b.WriteByte(byte(id.Type))\n", New: "",
			Why: "a key id with the octets of a name would be taken for it",
		},
		{
			Name: "rekeying-refused-by-limit", File: "ike/sa/childlimit.go", Tests: "^TestChildLimit$",
			Old: "		times = 2\n", New: "		times = 1\n",
			Why: "a rekeying would be refused at the limit, and the traffic end",
		},
		{
			Name: "ike-sas-of-identity", File: "ike/gateway/limits.go", Tests: "^TestLimitsOfPeers$",
			Old: "	case len(g.table.peers[keyOf(m)]) >= c.IKESALimitID:\n", New: "	case false:\n",
			Why: "one key could fill the memory with IKE SAs",
		},
		{
			Name: "ike-sas-in-all", File: "ike/gateway/limits.go", Tests: "^TestLimitsOfPeers$",
			Old: "	case g.table.up >= c.IKESALimit:\n", New: "	case false:\n",
			Why: "authenticated peers could fill the memory with IKE SAs",
		},
		{
			Name: "children-of-identity", File: "ike/gateway/limits.go", Tests: "^TestLimitsOfPeers$",
			Old: "	case g.table.children[keyOf(m)] >= times*c.ChildSALimitID:\n", New: "	case false:\n",
			Why: "one key could fill the memory with CHILD SAs",
		},
		{
			Name: "children-in-all", File: "ike/gateway/limits.go", Tests: "^TestLimitsOfPeers$",
			Old: "	case len(g.installed) >= times*c.ChildSALimit:\n", New: "	case false:\n",
			Why: "authenticated peers could fill the memory with CHILD SAs",
		},
		{
			Name: "pairs-bound", File: "ike/gateway/narrowed.go", Tests: "^TestPairsAreBounded$",
			Old: "	if len(ts.Local)*len(ts.Remote) > maxPairs {\n		return nil, false\n	}\n", New: "",
			Why: "a child of many networks would have thousands of CHILD SAs asked for",
		},
		{
			Name: "part-that-is-there", File: "ike/sa/more_child.go", Tests: "^TestFurtherChild$",
			Old: "	if i < 0 {\n		m.switch", New: "	if true {\n		m.switch",
			Why: "each packet that a peer has left out would bring another CHILD SA",
		},
		{
			Name: "half-open-weight-of-init", File: "ike/gateway/table.go", Tests: "^TestFragmentsWeigh$",
			Old: "func unitsOf(m *sa.Machine) int { return 1 + m.Held()/heldUnit }", New: "func unitsOf(m *sa.Machine) int { return 1 }",
			Why: "half-open IKE SAs with large requests would count as ones with small ones",
		},
		{
			Name: "unknown-spi-rate", File: "dataplane/wayward.go", Tests: "^TestUnknownSPIs$",
			Old: "	if *last != 0 && now-*last < int64(WaywardInterval) {\n", New: "	if false {\n",
			Why: "each packet with an unknown SPI would go to the event loop",
		},
		{
			Name: "news-in-the-inbox", File: "ike/handler.go", Tests: "^TestNewsAreNotLostInACrowd$",
			Old: "{ d.loop.news.Exhausting(child) }", New: "{ d.offer(func(g *gateway.Manager, now time.Time) { g.Exhausting(now, child) }) }",
			Why: "a full inbox would forget that an SA comes to its end, which is said once",
		},
		{
			Name: "news-beyond-a-batch", File: "ike/news/box.go", Tests: "^TestNewsInBatches$",
			Old: "	more := len(b.order) > 0\n", New: "	more := false\n",
			Why: "what does not fit into a batch would wait for other news",
		},
		{
			Name: "news-of-paths", File: "dataplane/mtu_news.go", Tests: "^TestMTUNewsAreNotForgotten$",
			Old: "l.all = l.all || n.hole == nil", New: "_ = n.hole",
			Why: "many ICMP errors at once would hide the one that matters",
		},
		{
			Name: "runs-given-up", File: "dataplane/sock_refused_linux.go", Tests: "^TestRunsRefusedNowAndThen$",
			Old: "for k := from; s.strike > 0 && k < from+n; k++ {", New: "for k := from; false && k < from+n; k++ {",
			Why: "segmentation offload would be given up after some refusals in the life of the daemon",
		},
		{
			Name: "unknown-spi-told", File: "ike/sa/invalid_spi.go", Tests: "^TestInvalidSPI$",
			Old: "		!m.spi.toldAt.IsZero() && now.Sub(m.spi.toldAt) < invalidSPIPause {\n", New: "		false {\n",
			Why: "each packet with an unknown SPI would be an exchange",
		},
		{
			Name: "unknown-spi-heeded", File: "ike/sa/invalid_spi.go", Tests: "^TestInvalidSPI$",
			Old: "!m.spi.heededAt.IsZero() && r.now.Sub(m.spi.heededAt) < invalidSPIPause {", New: "false {",
			Why: "a peer could have a CHILD SA rekeyed without pause",
		},
		{
			Name: "shut-connection", File: "ike/gateway/hold.go", Tests: "^(TestShutHoldsAgainstPeer|TestShutCrosses)$",
			Old: "return c != nil && c.refusesPeers()", New: "return c != nil && false",
			Why: "a peer could bring up what an operator has taken down",
		},
		{
			Name: "shut-child", File: "ike/gateway/hold.go", Tests: "^TestShutChild$",
			Old: "return h != nil && h.shut", New: "return false",
			Why: "a peer could bring up a child that an operator has taken down",
		},
		{
			Name: "shut-crossing", File: "ike/gateway/updown.go", Tests: "^TestShutCrossesChild$",
			Old: "	if e.takenBack(h, c) {", New: "	if false {",
			Why: "an answer that crosses the command would bring up what it has taken down",
		},
		{
			Name: "shut-forgotten-by-reload", File: "ike/gateway/reload.go", Tests: "^TestShutSurvivesReload$",
			Old: "				x.inherit(old)\n", New: "",
			Why: "a reload would bring up what an operator has taken down",
		},
		{
			Name: "shut-sibling", File: "ike/sa/select_connection.go", Tests: "^TestShutSibling$", In: "ike/gateway",
			Old: "		return m.shutLast(a.cfg, b.cfg)\n", New: "		return 0\n",
			Why: "a connection that is down would keep its peer from another one",
		},
	}
}
