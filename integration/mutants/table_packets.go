package main

// packets are mutants of the packet loop.
func packets() []Mutant {
	return []Mutant{
		{
			Name: "clear-when-no-policy", File: "dataplane/outbound.go", Tests: "^TestOutboundDrops$",
			Old: "	} else {\n		w.drops.add(DropOutNoPolicy, s.segments)\n", New: "	} else {\n",
			Why: "a packet that nothing selects would be lost without a trace",
		},
		{
			Name: "inbound-selectors", File: "dataplane/inbound.go", Tests: "^TestBothSidesOfTheSelectors$",
			Old: "if !sa.ts.Load().MatchIn(h.key.packet()) {", New: "if false {",
			Why: "a peer could send with any address, to any network",
		},
		{
			Name: "inbound-selectors-swapped", File: "dataplane/inbound.go", Tests: "^TestBothSidesOfTheSelectors$",
			Old: "if !sa.ts.Load().MatchIn(h.key.packet()) {", New: "if !sa.ts.Load().MatchIn(h.key.packet()) && !sa.ts.Load().MatchOut(h.key.packet()) {",
			Why: "a peer could send with the addresses of this side",
		},
		{
			Name: "inbound-cache-sa", File: "dataplane/inbound.go", Tests: "^TestFlowsOfOnePlaceInbound$",
			Old: "f.value != sa || f.key != h.key {", New: "f.value == nil || f.key != h.key {",
			Why: "what one SA lets through would be let through by all",
		},
		{
			Name: "inbound-cache-key", File: "dataplane/inbound.go", Tests: "^TestFlowsOfOnePlaceInbound$",
			Old: "f.value != sa || f.key != h.key {", New: "f.value != sa {",
			Why: "one packet that is allowed would let in all that fall on its place in the cache",
		},
		{
			Name: "inbound-cache-generation", File: "dataplane/inbound.go", Tests: "^TestUpdateSelectors$",
			Old: "	w.cache.use(w.e.inboundGen.Load())\n", New: "",
			Why: "the cache would keep SAs that are removed",
		},
		{
			Name: "cache-generation", File: "dataplane/flowcache.go", Tests: "^TestFlowCache$",
			Old: "		clear(c.entries[:])\n", New: "",
			Why: "decisions would outlive the policies that they were made by",
		},
		{
			Name: "outbound-cache-key", File: "dataplane/outbound.go", Tests: "^TestFlowsOfOnePlaceOutbound$",
			Old: "if f.key == *k {", New: "if f.value != nil {",
			Why: "a packet would take the SA of another flow that falls on its place in the cache",
		},
		{
			Name: "flow-key-source", File: "dataplane/outbound.go", Tests: "^TestFlowsOfOnePlaceOutbound$",
			Old: "if f.key == *k {", New: "if g := f.key; g.dstHi == k.dstHi && g.dstLo == k.dstLo && g.rest == k.rest && f.value != nil {",
			Why: "packets of two hosts would take one SA",
		},
		{
			Name: "flow-key-destination", File: "dataplane/outbound.go", Tests: "^TestFlowsOfOnePlaceOutbound$",
			Old: "if f.key == *k {", New: "if g := f.key; g.srcHi == k.srcHi && g.srcLo == k.srcLo && g.rest == k.rest && f.value != nil {",
			Why: "packets to two hosts would take one SA",
		},
		{
			Name: "flow-key-rest", File: "dataplane/outbound.go", Tests: "^TestFlowsOfOnePlaceOutbound$",
			Old: "if f.key == *k {", New: "if g := f.key; g.srcHi == k.srcHi && g.srcLo == k.srcLo && g.dstHi == k.dstHi && g.dstLo == k.dstLo && f.value != nil {",
			Why: "packets of two protocols or ports would take one SA",
		},
		{
			Name: "flow-key-ports", File: "dataplane/inner.go", Tests: "^TestInnerHeader$",
			Old: "rest |= uint64(be.Uint32(b[h.l4:]))<<32 | 1", New: "rest |= 1",
			Why: "packets of two ports would be one flow",
		},
		{
			Name: "flow-key-protocol", File: "dataplane/inner.go", Tests: "^TestInnerHeader$",
			Old: "rest := uint64(h.protocol)<<16 | family<<8", New: "rest := family << 8",
			Why: "packets of two protocols would be one flow",
		},
		{
			Name: "flow-key-source-high", File: "dataplane/inner.go", Tests: "^TestFlowsOfOnePlaceOutbound$",
			Old: "h.key.srcHi, h.key.srcLo = be.Uint64(b[8:]), be.Uint64(b[16:])", New: "h.key.srcHi, h.key.srcLo = 0, be.Uint64(b[16:])",
			Why: "two IPv6 networks would be one",
		},
		{
			Name: "flow-key-destination-high", File: "dataplane/inner.go", Tests: "^TestFlowsOfOnePlaceOutbound$",
			Old: "h.key.dstHi, h.key.dstLo = be.Uint64(b[24:]), be.Uint64(b[32:])", New: "h.key.dstHi, h.key.dstLo = 0, be.Uint64(b[32:])",
			Why: "two IPv6 networks would be one",
		},
		{
			Name: "flow-key-ipv4-high", File: "dataplane/inner.go", Tests: "^TestFlowKeyIsOfOnePacket$",
			Old: "	h.key.srcHi, h.key.dstHi = 0, 0\n", New: "",
			Why: "the flow of an IPv4 packet would depend on the IPv6 packet before it",
		},
		{
			Name: "next-header-version", File: "dataplane/inbound.go", Tests: "^TestNextHeaderAgainstVersion$",
			Old: "|| h.v6 != (next == protoIPv6) {", New: "{",
			Why: "a packet of one version would pass that says it is one of the other",
		},
		{
			Name: "next-header-other", File: "dataplane/inbound.go", Tests: "^TestInboundDrops$",
			Old: "if next != protoIPv4 && next != protoIPv6 {", New: "if false {",
			Why: "what is no IP packet would be read as one",
		},
		{
			Name: "inner-length", File: "dataplane/inner.go", Tests: "^TestInnerMalformed$",
			Old: "total < ihl || total > len(b) {", New: "total < ihl {",
			Why: "a length that lies would have what is behind the packet read",
		},
		{
			Name: "inner-length-v6", File: "dataplane/inner.go", Tests: "^TestInnerMalformed$",
			Old: "	if total > len(b) {\n", New: "	if false {\n",
			Why: "a length that lies would have what is behind the packet read",
		},
		{
			Name: "extensions-number", File: "dataplane/inner.go", Tests: "^TestExtensionHeadersAreBounded$",
			Old: "for range maxExtensions {", New: "for {",
			Why: "one packet could have thousands of headers looked through",
		},
		{
			Name: "peer-moved-old-packet", File: "dataplane/inbound.go", Tests: "^TestPeerMoved$",
			Old: "	if seq == sa.esp.Highest() {\n", New: "	{\n",
			Why: "whoever holds a packet back could have the answers sent to him",
		},
		{
			Name: "mtu-floor-v4", File: "dataplane/mtu.go", Tests: "^TestMTUChanges$",
			Old: "	return MinPathMTU\n", New: "	return 0\n",
			Why: "a forged ICMP message would stop all traffic",
		},
		{
			Name: "mtu-floor-v6", File: "dataplane/mtu.go", Tests: "^TestFloorOfIPv6$",
			Old: "	if a.Is6() {\n		return ipv6MinMTU\n	}\n", New: "",
			Why: "a forged ICMP message would lower the MTU below what IPv6 allows",
		},
		{
			Name: "mtu-floor-v6-discard", File: "dataplane/mtu.go", Tests: "^TestFloorOfIPv6$",
			Old: "if e.closed || n.mtu != 0 && n.remote.Is6() && n.mtu < ipv6MinMTU {", New: "if e.closed {",
			Why: "a Packet Too Big that must be discarded would count",
		},
		{
			Name: "mtu-raised", File: "dataplane/mtu.go", Tests: "^TestMTUChanges$",
			Old: "if mtu == 0 || n.mtu != 0 && mtu >= old {", New: "if mtu == 0 {",
			Why: "a forged ICMP message would have packets sent that are too large",
		},
		{
			Name: "mtu-of-other-peer", File: "dataplane/mtu.go", Tests: "^TestMTUChanges$",
			Old: "if n.remote.IsValid() && rt.path.Remote.Addr() != n.remote {", New: "if false {",
			Why: "one ICMP message would lower the MTU of all paths",
		},
		{
			Name: "icmp-to-multicast", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "return !a.IsMulticast() && !a.IsUnspecified()", New: "return !a.IsUnspecified()",
			Why: "one packet could have errors sent to a whole group",
		},
		{
			Name: "icmp-to-unspecified", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "!a.IsMulticast() && !a.IsUnspecified() &&", New: "!a.IsMulticast() &&",
			Why: "errors would be sent to nobody",
		},
		{
			Name: "icmp-about-multicast", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "|| !h.v6 && !oneHost(dst) {", New: "|| dst.Is4() && false {",
			Why: "each gateway that a group's packet passes would answer it",
		},
		{
			Name: "icmp-about-icmp", File: "dataplane/quote.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "return t == 3 || t == 4 || t == 5 || t == 11 || t == 12", New: "return false",
			Why: "an error would be answered by an error",
		},
		{
			Name: "icmp-about-icmp-v6", File: "dataplane/quote.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "return t < 128", New: "return false",
			Why: "an error would be answered by an error",
		},
		{
			Name: "icmp-about-fragment", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "	if !h.first {\n		return false\n	}\n	src", New: "	src",
			Why: "errors about fragments say nothing to the host that gets them",
		},
		{
			Name: "icmp-rate", File: "dataplane/icmp.go", Tests: "^TestNoAnswer$",
			Old: "if t.used >= burst {", New: "if false {",
			Why: "a host could have the gateway flood another with errors",
		},
		{
			Name: "octets-estimated", File: "dataplane/encapsulate.go", Tests: "^TestCountersAreExact$",
			Old: "			bytes += len(p)\n", New: "			bytes += len(s.bytes()) / s.segments\n",
			Why: "the counters of an SA, which people bill by, would be an estimate",
		},
		{
			Name: "too-big-sent", File: "dataplane/encapsulate.go", Tests: "^TestTooBigForADatagram$",
			Old: "	if n > o.route.maxPayload() {\n", New: "	if false {\n",
			Why: "a packet that no datagram can hold would be sent in part",
		},
		{
			Name: "ecn-drop", File: "dataplane/ecn.go", Tests: "^TestDecapECN$",
			Old: "return ecnNotECT, outer != ecnCE", New: "return ecnNotECT, true",
			Why: "a mark of congestion would be lost",
		},
		{
			Name: "trap-limit", File: "dataplane/trap.go", Tests: "^TestTrapIsBounded$",
			Old: "	if int(t.waiting.Load()) >= t.limit {\n		return waitFull\n	}\n", New: "	t.limit = 1 << 30\n",
			Why: "packets that wait for a tunnel would fill the memory",
		},
		{
			Name: "trap-acquire-rate", File: "dataplane/trap.go", Tests: "^TestTrapIsBounded$",
			Old: "(last == 0 || now-last >= int64(AcquireInterval)) && t", New: "t",
			Why: "each packet that waits would ask the IKE daemon for a tunnel",
		},
		{
			Name: "policy-order", File: "dataplane/policy.go", Tests: "^TestOrderOfTheSAs$",
			Old: "cmp.Or(cmp.Compare(r.order, o.order), cmp", New: "cmp.Or(cmp",
			Why: "which SA a packet takes would depend on when it was installed",
		},
		{
			Name: "policy-newest-first", File: "dataplane/policy.go", Tests: "^TestOrderOfTheSAs$",
			Old: ", cmp.Compare(o.serial, r.serial))", New: ", cmp.Compare(r.serial, o.serial))",
			Why: "after a rekeying the old SA would be used",
		},
		{
			Name: "policy-source", File: "dataplane/spd.go", Tests: "^TestPolicyDatabase$",
			Old: "			if r.ts.MatchOut(*packet) {\n", New: "			if true {\n",
			Why: "packets of other hosts would enter the tunnel",
		},
		{
			Name: "policy-covering", File: "dataplane/spd.go", Tests: "^TestPolicyDatabase$",
			Old: "; bits >= 0; rules, bits = t.around(packet.Dst, bits-1) {", New: "; bits >= 0; bits = -1 {",
			Why: "a rule for a network would hide that for a larger one: its packets would be dropped",
		},
		{
			Name: "policy-removed", File: "dataplane/policy.go", Tests: "^TestPolicyDatabase$",
			Old: "		if x != r {\n", New: "		if true {\n",
			Why: "a rule that is gone would go on selecting packets",
		},
		{
			Name: "icmp-to-source", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: "	if !oneHost(src) ||", New: "	if src.Is4() && false ||",
			Why: "one packet could have errors sent to a whole network",
		},
		{
			Name: "icmp-to-broadcast", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: " && !(a.Is4() && a.As4()[0] >= classE)", New: "",
			Why: "one packet could have errors sent to all hosts",
		},
		{
			Name: "icmp-to-loopback", File: "dataplane/icmp.go", Tests: "^TestWhatMayBeAnswered$",
			Old: " && !a.IsLoopback()", New: "",
			Why: "a host could have this one send errors to itself",
		},
		{
			Name: "policy-older-line", File: "dataplane/policy.go", Tests: "^TestOrderOfTheSAs$",
			Old: "cmp.Compare(r.line, o.line), ", New: "",
			Why: "a second tunnel of a peer would take the traffic of the first",
		},
		{
			Name: "policy-source-of-policy", File: "dataplane/spd.go", Tests: "^TestPolicyDatabase$",
			Old: "			if !r.ts.MatchOut(packet) {\n", New: "			if false {\n",
			Why: "what is configured for other hosts would decide",
		},
		{
			Name: "policy-narrowed", File: "dataplane/spd.go", Tests: "^TestPolicyDatabase$",
			Old: "				narrowed = true //", New: "				//",
			Why: "what one peer has narrowed away would go to another one",
		},
	}
}
