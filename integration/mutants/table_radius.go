package main

// radiusMutants are mutants of RADIUS: whom it believes, what it remembers, and what accounting is told.
func radiusMutants() []Mutant {
	return []Mutant{
		{
			Name: "radius-barrier", File: "ike/radius/ledger.go", Tests: "^TestAccountingOnIsFirst$",
			Old: "if e == l.queue.Front() && !r.busy {", New: "if !r.busy {",
			Why: "servers would be told that the gateway ends before the end of its sessions",
		},
		{
			Name: "radius-barrier-tries", File: "ike/radius/ledger.go", Tests: "^TestAccountingOnIsUnknown$",
			Old: " || r.tries >= maxBarrierTries {", New: " {",
			Why: "a server that does not know Accounting-On would be told of no session",
		},
		{
			Name: "radius-message-authenticator", File: "ike/radius/exchange.go", Tests: "^TestLies$",
			Old: "checkAnswer(b, s.server.Secret, x.auth, s.kind == Authentication)", New: "checkAnswer(b, s.server.Secret, x.auth, false)",
			Why: "whoever stands between could turn a rejection into an acceptance (CVE-2024-3596)",
		},
		{
			Name: "radius-authenticator", File: "ike/radius/authenticator.go", Tests: "^TestCheckAnswer$|^TestLies$",
			Old: "	if !hmac.Equal(s.md5(c), b[4:headerLen]) {\n		return ErrAuthenticator\n	}\n	return checkMessage(c, s, required)", New: "	return checkMessage(c, s, required)",
			Why: "the Response Authenticator would count for nothing",
		},
		{
			Name: "radius-two-message-authenticators", File: "ike/radius/authenticator.go", Tests: "^TestCheckAnswer$",
			Old: "		if at >= 0 {", New: "		if false {",
			Why: "which of two Message-Authenticators counts would be the attacker's choice",
		},
		{
			Name: "radius-attribute-length", File: "ike/radius/attribute.go", Tests: "^TestMalformed$",
			Old: "		if n < 2 || n > len(b) {\n			return nil, malformed(t, \"its length", New: "		if n == 0 || n > len(b) {\n			return nil, malformed(t, \"its length",
			Why: "an attribute of length 1 would end the daemon",
		},
		{
			Name: "radius-vendor-length", File: "ike/radius/vendor.go", Tests: "^TestVendor$",
			Old: "if n < 2 || n > len(v) {", New: "if n == 0 || n > len(v) {",
			Why: "a length of 1 within a vendor's attribute would end the daemon (CVE-2026-35333)",
		},
		{
			Name: "radius-source", File: "ike/radius/exchange.go", Tests: "^TestSource$",
			Old: "	if from != s.stats.Addr {", New: "	if false {",
			Why: "an answer would count from whatever address it comes",
		},
		{
			Name: "radius-keys-swapped", File: "ike/radius/mppe.go", Tests: "^TestKeys$",
			Old: "[]uint8{msMPPERecvKey, msMPPESendKey}", New: "[]uint8{msMPPESendKey, msMPPERecvKey}",
			Why: "no user of RADIUS would come in",
		},
		{
			Name: "radius-dead-server", File: "ike/radius/pick.go", Tests: "^TestRetransmission$",
			Old: "	if a, b := s.dead(now), o.dead(now); a != b {\n		return !a\n	}\n", New: "",
			Why: "each user would wait for a server that is known to be dead",
		},
		{
			Name: "radius-one-probe", File: "ike/radius/pick.go", Tests: "^TestRetransmission$",
			Old: "			s.probe = x\n			return 1", New: "			return 1",
			Why: "when a dead server's time is over, all users would try it at once",
		},
		{
			Name: "radius-record-lost", File: "ike/radius/ledger.go", Tests: "^TestLedger$",
			Old: "if last := s.last.Value.(*record); last.Status == aaa.Interim && !last.busy {", New: "if last := s.last.Value.(*record); !last.busy {",
			Why: "the end of a session would take the place of its beginning",
		},
		{
			Name: "radius-order-replay", File: "ike/radius/listener.go", Tests: "^TestOrderReplay$",
			Old: "now.Sub(l.byAge[n].at) > 2*orderWindow", New: "now.Sub(l.byAge[n].at) > orderWindow/2",
			Why: "an order that somebody has recorded would be carried out again",
		},
		{
			Name: "radius-order-for-all", File: "ike/radius/order.go", Tests: "^TestOrderRefused$",
			Old: "	case o.Which.Empty():\n		return o, MissingAttribute\n", New: "",
			Why: "an order that names nobody would be taken",
		},
		{
			Name: "radius-unknown-attribute", File: "ike/radius/order.go", Tests: "^TestOrderRefused$",
			Old: "	default:\n		return UnsupportedAttribute\n", New: "	default:\n		return 0\n",
			Why: "an order for one session, named by an attribute that is not known, would be carried out for others",
		},
		{
			Name: "radius-accept-without-keys", File: "ike/aaa_relay.go", Tests: "^TestHeard$",
			Old: "if len(a.MSK) == 0 && last.method.Keys() {", New: "if false {",
			Why: "an Access-Accept whose keys were taken away would let a user in without its method's key",
		},
		{
			Name: "radius-accept-without-success", File: "ike/aaa_relay.go", Tests: "^TestHeard$",
			Old: "if code(a.EAP) != wire.EAPSuccess {", New: "if false {",
			Why: "an Access-Accept with EAP-Failure in it would let a user in",
		},
		{
			Name: "accounting-rekeyed", File: "ike/gateway/updown.go", Tests: "^TestAccounting$",
			Old: "		x.account.e = x\n", New: "",
			Why: "what goes through an IKE SA after rekeying would not be accounted for",
		},
		{
			Name: "accounting-past", File: "ike/gateway/installed.go", Tests: "^TestAccounting$",
			Old: "		e.bookAccount(counters)\n", New: "",
			Why: "what went through CHILD SAs that have been rekeyed would be lost to accounting",
		},
	}
}
