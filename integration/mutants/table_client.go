package main

// clientMutants are mutants of what makes this side the client of a gateway.
func clientMutants() []Mutant {
	return []Mutant{
		{
			Name: "client-outside-address", File: "ike/sa/cp_initiator.go", Tests: "^TestClientRefusesAnAssignment$",
			Old: "case m.env.OwnAddr != nil && m.env.OwnAddr(a):", New: "case false:",
			Why: "a gateway could take an address of this host's network over",
		},
		{
			Name: "client-gateway-address", File: "ike/sa/cp_initiator.go", Tests: "^TestClientRefusesAnAssignment$",
			Old: "case a == plain(m.path.Remote.Addr()):", New: "case false:",
			Why: "packets to the gateway would stay on this host",
		},
		{
			Name: "client-not-asked", File: "ike/sa/cp_reply.go", Tests: "^TestClientIgnores$",
			Old: "if count(r.out.Addresses, family) >= count(r.asked, family) {", New: "if count(r.out.Addresses, family) > 100 {",
			Why: "a gateway could give any number of addresses",
		},
		{
			Name: "client-wide-selector", File: "ike/sa/offer.go", Tests: "^TestClient(IsGivenAddresses|Ignores)$",
			Old: "TS: part, Path:", New: "TS: ts, Path:",
			Why: "this side would send from addresses that it was not given",
		},
		{
			Name: "client-narrow-rekeying", File: "ike/sa/offer.go", Tests: "^TestClientIsGivenAddresses$",
			Old: "o.ts = old.scope()", New: "o.ts = old.TS",
			Why: "a gateway that has left TSi wide would refuse every rekeying",
		},
		{
			Name: "client-domain", File: "ike/sa/cp_reply.go", Tests: "^TestClientIgnores$",
			Old: "(c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'", New: "c == ' '",
			Why: "a gateway could write what it likes into the configuration of the resolver",
		},
		{
			Name: "client-servers", File: "ike/sa/cp_reply.go", Tests: "^TestClientIgnores$",
			Old: "case len(r.out.DNS) >= maxServers:", New: "case false:",
			Why: "a gateway could give any number of DNS servers",
		},
		{
			Name: "client-dns-outside", File: "ike/gateway/client.go", Tests: "^TestClient(IsGivenAnother|Routes)$",
			Old: "if c.conf.InstallDNS != policy.DNSNo && leadsTo(c, a, s) {", New: "if c.conf.InstallDNS != policy.DNSNo {",
			Why: "questions to a server of the gateway would leave in the clear",
		},
		{
			Name: "client-other-version", File: "ike/gateway/client.go", Tests: "^TestClientRoutes$",
			Old: "append(slices.Clone(ts.Remote), c.conf.OtherVersions(h.conf)...)", New: "slices.Clone(ts.Remote)",
			Why: "a tunnel of all IPv4 would leak IPv6",
		},
		{
			Name: "client-address-again", File: "ike/gateway/client.go", Tests: "^TestClientKeepsItsAddress$",
			Old: "if c == nil || c.client.given == nil {", New: "if true {",
			Why: "a client would have another address after each reauthentication",
		},
		{
			Name: "client-union", File: "ike/gateway/client.go", Tests: "^TestClientIsGivenAnother$",
			Old: "			newest = a\n		}\n", New: "			newest = a\n		} else {\n			continue\n		}\n",
			Why: "the old IKE SA would lose its address while it still carries traffic",
		},
		{
			Name: "client-removal-order", File: "ike/assigning.go", Tests: "^TestAssignedInOrder$",
			Old: "		r.later = append(r.later, d)\n", New: "		r.queue = append(r.queue, d)\n",
			Why: "an address would go before the routes whose source it is",
		},
		{
			Name: "client-route-source", File: "cmd/esplanade/assigned.go", Tests: "^TestAssignedAddresses$",
			Old: "	errs := n.refreshSources()\n	for a := range n.going {", New: "	var errs error\n	for a := range n.going {",
			Why: "the kernel takes routes away with the address that is their source",
		},
		{
			Name: "dns-noted-first", File: "tun/hostdns/resolver.go", Tests: "^(TestMethods|TestNothingHalfDone)$",
			Old: "	if err := r.note(rec); err != nil {\n		return \"\", err\n	}\n", New: "",
			Why: "after a crash nobody would know what to put back",
		},
		{
			Name: "dns-of-others", File: "tun/hostdns/file.go", Tests: "^TestFileOfOthers$",
			Old: "	case m.changed(r) && (r.Replaced == \"\" || m.changed(was)):\n", New: "	case false:\n",
			Why: "what somebody else has written would be overwritten by what was there long before",
		},
		{
			Name: "dns-root-domain", File: "tun/hostdns/resolved.go", Tests: "^TestMethods$",
			Old: `append(domains, "~."), "yes"`, New: `domains, "yes"`,
			Why: "names would be asked of the servers of the outside as well",
		},
	}
}
