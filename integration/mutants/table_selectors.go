package main

// selectors are mutants of traffic selectors in the protocol.
func selectors() []Mutant {
	return []Mutant{
		{
			Name: "narrowing-local-as-asked", File: "ike/sa/select_child.go", Tests: "^TestSelectorsOfARequest$",
			Old: "ts: ours.Narrow(theirs)}", New: "ts: selector.Pair{Local: theirs.Local, Remote: ours.Narrow(theirs).Remote}}",
			Why: "a peer could reach networks that it has no business in",
		},
		{
			Name: "narrowing-remote-as-asked", File: "ike/sa/select_child.go", Tests: "^TestSelectorsOfARequest$",
			Old: "ts: ours.Narrow(theirs)}", New: "ts: selector.Pair{Local: ours.Narrow(theirs).Local, Remote: theirs.Remote}}",
			Why: "a peer could draw the traffic of other networks to itself",
		},
		{
			Name: "answer-covered-local", File: "ike/sa/offer.go", Tests: "^TestAnswerMayOnlyNarrow$",
			Old: "!selector.Covered(ts.Local, o.ts.Local) ||", New: "",
			Why: "an answer could widen what was proposed for this side",
		},
		{
			Name: "answer-covered-remote", File: "ike/sa/offer.go", Tests: "^TestAnswerMayOnlyNarrow$",
			Old: "|| !selector.Covered(ts.Remote, o.ts.Remote) {", New: "{",
			Why: "an answer could draw the traffic of other networks to the peer",
		},
		{
			Name: "answer-empty-local", File: "ike/sa/offer.go", Tests: "^TestAnswerMayOnlyNarrow$",
			Old: "if len(ts.Local) == 0 || len(ts.Remote) == 0 ||", New: "if len(ts.Remote) == 0 ||",
			Why: "a child would be up that takes nothing",
		},
		{
			Name: "answer-empty-remote", File: "ike/sa/offer.go", Tests: "^TestAnswerMayOnlyNarrow$",
			Old: "if len(ts.Local) == 0 || len(ts.Remote) == 0 ||", New: "if len(ts.Local) == 0 ||",
			Why: "a child would be up that takes nothing",
		},
		{
			Name: "match-out-local", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "	return anyMatch(p.Local, k.Src, k.Protocol, k.SrcPort, k.HasPorts, true) &&\n", New: "	return true &&\n",
			Why: "packets of other hosts would enter the tunnel",
		},
		{
			Name: "match-out-remote", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "		anyMatch(p.Remote, k.Dst, k.Protocol, k.DstPort, k.HasPorts, false)\n", New: "		true\n",
			Why: "packets to other networks would enter the tunnel",
		},
		{
			Name: "match-in-remote", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "	return anyMatch(p.Remote, k.Src, k.Protocol, k.SrcPort, k.HasPorts, true) &&\n", New: "	return true &&\n",
			Why: "a peer could send with the addresses of anybody",
		},
		{
			Name: "match-in-local", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "		anyMatch(p.Local, k.Dst, k.Protocol, k.DstPort, k.HasPorts, false)\n", New: "		true\n",
			Why: "a peer could reach networks that it has no business in",
		},
		{
			Name: "match-protocol", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "return s.Protocol == ProtocolAny || s.Protocol == p", New: "return true",
			Why: "a tunnel for one protocol would carry all",
		},
		{
			Name: "match-port", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "return s.StartPort <= p && p <= s.EndPort", New: "return s.StartPort <= p",
			Why: "a tunnel for one port would carry those above",
		},
		{
			Name: "match-hidden-ports", File: "ike/selector/match.go", Tests: "^TestPairMatch$",
			Old: "return s.AnyPorts() || s.OpaquePorts()", New: "return true",
			Why: "fragments would pass a selector with ports",
		},
		{
			Name: "match-family", File: "ike/selector/match.go", Tests: "^TestMatchIsOfOneFamily$",
			Old: "a.BitLen() == s.Start.BitLen() && s.Start", New: "s.Start",
			Why: "addresses of one family would be compared with those of the other",
		},
		{
			Name: "pair-contains-local", File: "ike/selector/match.go", Tests: "^TestPairNeedsBothSides$",
			Old: "return Covered(o.Local, p.Local) && Covered(o.Remote, p.Remote)", New: "return Covered(o.Remote, p.Remote)",
			Why: "a child would be taken for one that carries all that another does",
		},
		{
			Name: "pair-contains-remote", File: "ike/selector/match.go", Tests: "^TestPairNeedsBothSides$",
			Old: "return Covered(o.Local, p.Local) && Covered(o.Remote, p.Remote)", New: "return Covered(o.Local, p.Local)",
			Why: "a child would be taken for one that carries all that another does",
		},
		{
			Name: "pair-overlaps-local", File: "ike/selector/match.go", Tests: "^TestPairNeedsBothSides$",
			Old: "return Overlap(p.Local, o.Local) && Overlap(p.Remote, o.Remote)", New: "return Overlap(p.Remote, o.Remote)",
			Why: "children would be said to overlap that don't",
		},
		{
			Name: "selectors-number", File: "ike/sa/tslimit.go", Tests: "^TestSelectorsAreBounded$",
			Old: "n > max(maxSelectors, len(configured)) {", New: "false && n > 0 {",
			Why: "a peer could have 255 ranges a side installed",
		},
		{
			Name: "selectors-prefixes", File: "ike/sa/tslimit.go", Tests: "^TestSelectorsAreBounded$",
			Old: "n > maxTSPrefixes && n > prefixes(configured) {", New: "false && n > 0 {",
			Why: "one request of 8 kB could be 65,000 routes and policies",
		},
		{
			Name: "selectors-local-only", File: "ike/sa/tslimit.go", Tests: "^TestSelectorsAreBounded$",
			Old: "	if s := sideLimit(negotiated.Remote, configured.Remote); s != \"\" {\n", New: "	if s := sideLimit(negotiated.Remote, configured.Remote); false {\n",
			Why: "one side of the selectors would not be bounded",
		},
		{
			Name: "selectors-remote-only", File: "ike/sa/tslimit.go", Tests: "^TestSelectorsAreBounded$",
			Old: "	if s := sideLimit(negotiated.Local, configured.Local); s != \"\" {\n", New: "	if s := sideLimit(negotiated.Local, configured.Local); false {\n",
			Why: "one side of the selectors would not be bounded",
		},
		{
			Name: "selectors-configured", File: "ike/sa/tslimit.go", Tests: "^TestConfiguredSelectorsAreNotBounded$",
			Old: "n > max(maxSelectors, len(configured)) {", New: "n > maxSelectors {",
			Why: "a child with many networks that the operator has configured would be refused",
		},
		{
			Name: "narrowing-empty", File: "ike/sa/select_child.go", Tests: "^TestRequestNeedsBothSides$",
			Old: "		if f.ts.Empty() {\n", New: "		if f.ts.Empty() && len(theirs.Local) == 0 {\n",
			Why: "a child would be up that takes nothing",
		},
		{
			Name: "pair-empty-one-side", File: "ike/selector/match.go", Tests: "^TestPairNeedsBothSides$",
			Old: "return len(p.Local) == 0 || len(p.Remote) == 0", New: "return len(p.Local) == 0 && len(p.Remote) == 0",
			Why: "one side in common would be enough for a child",
		},
	}
}
