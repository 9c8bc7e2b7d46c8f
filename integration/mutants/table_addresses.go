package main

// addresses are mutants of NAT traversal and MOBIKE.
func addresses() []Mutant {
	return []Mutant{
		{
			Name: "acceptable-own-address", File: "ike/gateway/addresses.go", Tests: "^TestAcceptableAddresses$",
			Old: "!remote.IsMulticast() && !g.addrs.set[remote]", New: "!remote.IsMulticast()",
			Why: "a peer could have the gateway send its packets to itself",
		},
		{
			Name: "acceptable-multicast", File: "ike/gateway/addresses.go", Tests: "^TestAcceptableAddresses$",
			Old: "&& !remote.IsMulticast() &&", New: "&&",
			Why: "a peer could have its traffic sent to a group",
		},
		{
			Name: "acceptable-unspecified", File: "ike/gateway/addresses.go", Tests: "^TestAcceptableAddresses$",
			Old: "		!remote.IsUnspecified() && !remote", New: "		!remote",
			Why: "a peer could have its traffic sent to nobody",
		},
		{
			Name: "acceptable-local", File: "ike/gateway/addresses.go", Tests: "^TestAcceptableAddresses$",
			Old: "return c != nil && g.ownAddr(c, path.Local.Addr()) > 0 &&", New: "return c != nil &&",
			Why: "a peer could move to an address of this host that the connection does not use",
		},
		{
			Name: "mobike-acceptable", File: "ike/sa/mobility_answer.go", Tests: "^TestUnacceptableAddresses$",
			Old: "		case !m.acceptable(r.path):\n", New: "		case false:\n",
			Why: "the policy for addresses would not be asked",
		},
		{
			Name: "mobike-responder-updates", File: "ike/sa/mobility_answer.go", Tests: "^TestMoveAfterRekeyingByResponder$",
			Old: "		case m.mob.initiator:\n", New: "		case false:\n",
			Why: "a responder could say where the initiator finds it",
		},
		{
			Name: "mobike-loopback", File: "ike/sa/mobility.go", Tests: "^TestAddressesOfNoGateway$",
			Old: "!a.IsMulticast() && !a.IsLoopback() && !a.IsLink", New: "!a.IsMulticast() && !a.IsLink",
			Why: "a peer could have requests sent to services of this host",
		},
		{
			Name: "mobike-multicast", File: "ike/sa/mobility.go", Tests: "^TestAddressesOfNoGateway$",
			Old: "!a.IsUnspecified() && !a.IsMulticast() && !a", New: "!a.IsUnspecified() && !a",
			Why: "a peer could have requests sent to a group",
		},
		{
			Name: "mobike-unspecified", File: "ike/sa/mobility.go", Tests: "^TestAddressesOfNoGateway$",
			Old: "a.IsValid() && !a.IsUnspecified() &&", New: "a.IsValid() &&",
			Why: "a peer could have requests sent to nobody",
		},
		{
			Name: "mobike-link-local", File: "ike/sa/mobility.go", Tests: "^TestAddressesOfNoGateway$",
			Old: "&& !a.IsLinkLocalUnicast() &&", New: "&&",
			Why: "a link-local address says nothing without its link",
		},
		{
			Name: "mobike-addresses-number", File: "ike/sa/mobility.go", Tests: "^TestPeerAddressesAreBounded$",
			Old: "&& len(list) < maxPeerAddrs &&", New: "&&",
			Why: "a peer could have any number of addresses remembered and tried",
		},
		{
			Name: "mobike-verified-number", File: "ike/sa/mobility.go", Tests: "^TestPeerAddressesAreBounded$",
			Old: "if len(m.mob.verified) >= maxVerified {", New: "if false {",
			Why: "a peer that moves on and on would fill the memory",
		},
		{
			Name: "mobike-paths-number", File: "ike/sa/probe.go", Tests: "^TestPeerAddressesAreBounded$",
			Old: "if p != m.path && len(out) < maxPaths &&", New: "if p != m.path &&",
			Why: "one request could be sent on hundreds of paths",
		},
		{
			Name: "mobike-nats", File: "ike/sa/mobility_answer.go", Tests: "^TestNoNATsAllowed$",
			Old: "	if natChanged(r.payloads, r.path) {\n", New: "	if false {\n",
			Why: "an address that was changed on the way would be used",
		},
		{
			Name: "mobike-route-check", File: "ike/sa/mobility_answer.go", Tests: "^TestInitiatorMoves$",
			Old: "if !fresh || m.cfg.RouteCheck != policy.RouteCheckBefore {\n		target", New: "if true {\n		target",
			Why: "a peer could have its traffic sent to somebody else",
		},
		{
			Name: "mobike-cookie2", File: "ike/sa/routability.go", Tests: "^TestCookie2ComesBackWrong$",
			Old: "n != nil && bytes.Equal(n.Data, sent) {", New: "n != nil && (bytes.Equal(n.Data, sent) || len(n.Data) > 0) {",
			Why: "a peer could answer for an address at which it gets nothing",
		},
		{
			Name: "mobike-cookie2-left-out", File: "ike/sa/routability.go", Tests: "^TestCookie2LeftOut$",
			Old: "if n == nil && refusal || n", New: "if n == nil || n",
			Why: "a peer could answer for an address at which it gets nothing",
		},
		{
			Name: "mobike-check-elsewhere", File: "ike/sa/routability.go", Tests: "^TestRouteCheckByTwoPaths$",
			Old: "	case t.elsewhere || t.to", New: "	case t.to",
			Why: "an answer that came by another path would prove an address",
		},
		{
			Name: "esp-of-peer-elsewhere", File: "ike/sa/routability.go", Tests: "^TestESPComesFromElsewhere$",
			Old: "	if m.cfg.RouteCheck != policy.RouteCheckBefore {\n		m.moveESP(from)", New: "	{\n		m.moveESP(from)",
			Why: "one packet that an attacker repeats would lead the traffic to him",
		},
		{
			Name: "esp-follow-behind-nat", File: "ike/sa/routability.go", Tests: "^TestWhoseESPIsFollowed$",
			Old: "return m.mob.on && m.called() && m.nat.remote", New: "return m.mob.on && m.nat.remote",
			Why: "the side that called, which may be behind a NAT that changes, could be led away",
		},
		{
			Name: "follow-behind-nat", File: "ike/sa/nat.go", Tests: "^TestInitiatorBehindNATDoesNotFollow$",
			Old: "|| !m.nat.remote || m.nat.local && !m.called() {", New: "|| !m.nat.remote {",
			Why: "the side that called and is behind a NAT could be led away",
		},
		{
			Name: "follow-without-nat", File: "ike/sa/nat.go", Tests: "^TestAnswerGoesBack$",
			Old: "|| !m.nat.remote || m.nat.local && !m.called() {", New: "|| m.nat.local && !m.called() {",
			Why: "a peer that is behind no NAT does not move",
		},
		{
			Name: "follow-with-mobike", File: "ike/sa/nat.go", Tests: "^TestESPComesFromElsewhere$",
			Old: "if path == m.path || m.mob.on ||", New: "if path == m.path ||",
			Why: "with MOBIKE the initiator says where it is, and nobody else",
		},
		{
			Name: "follow-mixed-fragments", File: "ike/sa/receive.go", Tests: "^TestFragmentsByTwoPaths$",
			Old: "	if !m.frag.mixed {\n", New: "	if true {\n",
			Why: "one fragment that an attacker repeats would lead the whole IKE SA to him",
		},
		{
			Name: "nat-detection", File: "ike/sa/nat.go", Tests: "^TestNATDetection$",
			Old: "	n.remote = n.supported && !srcOK\n", New: "	n.remote = false\n",
			Why: "ESP to a peer behind a NAT would be lost",
		},
		{
			Name: "nat-pretended", File: "ike/sa/nat.go", Tests: "^TestNATSeenThroughPretence$",
			Old: "	n.pretended = n.remote && pretended\n", New: "	n.pretended = false\n",
			Why: "an operator would be told of a NAT that is none",
		},
		{
			Name: "unreachable-ends", File: "ike/sa/window.go", Tests: "^TestICMPErrorsEndNoAttempt$",
			Old: "		return min(tries, doubtTries)\n", New: "		return 0\n",
			Why: "a forged ICMP message or a forged error would end an attempt",
		},
		{
			Name: "peer-without-successor", File: "ike/sa/liveness.go", Tests: "^TestAnswerLostUntilTheNATRebinds$",
			Old: "		m.remindPeer(now)\n", New: "",
			Why: "a peer that repeats its rekeying where a NAT led before would never have its answer",
		},
		{
			Name: "end-of-the-only-ike-sa", File: "ike/sa/remind.go", Tests: "^TestAnswerLostUntilTheNATRebinds$",
			Old: "if m.lacksSuccessor() && !m.life.spared {", New: "if m.life.spared {",
			Why: "a DELETE of the old IKE SA would end all that a peer has which does not know of the new one",
		},
		{
			Name: "reminders-for-everybody", File: "ike/sa/remind.go", Tests: "^TestRemindersAreBounded$",
			Old: "old.lacksSuccessor() && old.alive.doubt(now) {", New: "old.lacksSuccessor() {",
			Why: "a forged datagram would cost an exchange each",
		},
		{
			Name: "in-flight-to-where-the-peer-was", File: "ike/sa/nat.go", Tests: "^TestRequestFollowsThePeer$",
			Old: "		m.sendFurther(now, p)\n", New: "		_ = p\n",
			Why: "the last repetition of a request could go to where a NAT led before",
		},
		{
			Name: "in-flight-behind-anybody", File: "ike/sa/silence.go", Tests: "^TestRequestFollowsThePeer$|^TestSilentPeerIsHeardAgain$",
			Old: "	if p.further <= p.again {\n", New: "	if p != nil {\n",
			Why: "a peer could have a request sent to any address, as often as it sends a packet from there",
		},
		{
			Name: "mobike-seen", File: "ike/sa/probe.go", Tests: "^TestPeerIsFoundWhereItSpeaks$",
			Old: "		add(m.mob.seen)\n", New: "		_ = add\n",
			Why: "a peer that has moved would be asked in vain where it was, for minutes, while it is answered where it is",
		},
		{
			Name: "mobike-held-for-good", File: "ike/sa/routability.go", Tests: "^TestInitiatorsAddressCheckOutlivesItsIKESA$",
			Old: "(s.mob.held != (esp.Path{}) || !s.PeerProven())", New: "(s.mob.held == (esp.Path{}) && !s.PeerProven())",
			Why: "ESP would go to where the peer was until the IKE SA ends, although its update was answered",
		},
		{
			Name: "mobike-seen-stays", File: "ike/sa/probe.go", Tests: "^TestPeerIsFoundWhereItSpeaks$",
			Old: "	m.mob.seen = Path{}\n	if m.mob.on", New: "	if m.mob.on",
			Why: "requests would be sent to an address that the peer was at for a moment, for good",
		},
		{
			Name: "auth-notifications", File: "ike/sa/mobility.go", Tests: "^TestManyAddressesInIKEAuth$",
			Old: "over := -maxAuthNotifies", New: "over := -2 * maxAuthNotifies",
			Why: "IKE_AUTH would have more notifications than strongSwan reads",
		},
		{
			Name: "auth-addresses-left-out", File: "ike/sa/mobility.go", Tests: "^TestManyAddressesInIKEAuth$",
			Old: "m.mob.on && len(m.additional()) > len(m.mob.announced)", New: "false",
			Why: "the peer would never hear of the addresses that IKE_AUTH had no room for",
		},
	}
}
