package diag

// negotiationInfo describes the codes of negotiating: which connection, proposals, key exchange, selectors, mode.
func negotiationInfo(c Code) (info, bool) {
	switch c {
	case CodeConnNone:
		return info{
			title:    "no connection matches the peer",
			peerVerb: "asks for", peerDefault: "asks for an IKE_SA",
			ourVerb: "have", ourVerbByPeer: "asked with", ourDefault: "have no connection for it",
			alertByPeer: "local-auth-failed",
			text: "A peer asked for an IKE_SA, and no configured connection is for this pair of addresses (in IKE_SA_INIT) " +
				"or for this pair of identities (in IKE_AUTH). This is not about proposals or keys: they were not looked " +
				"at. Other implementations report it to the peer as NO_PROPOSAL_CHOSEN or AUTHENTICATION_FAILED, which " +
				"misleads.",
			fix: "add a connection whose remote_addrs (and remote id) include this peer and whose local_addrs include the " +
				"address it called; or, if the peer should not call here, block it in the firewall.",
			fixByPeer: "the peer has no connection for our address and identity: compare its configured address of this " +
				"gateway with the one we send from (NAT changes it), and its expected id with local.id here.",
		}, true
	case CodeProposalIKE:
		return info{
			title:    "no common IKE proposal",
			peerVerb: "offers", peerDefault: "does not say what it would accept",
			ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "offered the configured proposals",
			alert: "proposal-mismatch-ike",
			text: "The two sides have no cipher, integrity algorithm, PRF and key exchange method in common for the IKE_SA " +
				"itself. One proposal must match in every part: a single differing part, often the key exchange group, " +
				"refuses all of it. The wire only carries NO_PROPOSAL_CHOSEN; the refused side is never told why.",
			fix: "put one and the same proposal into `proposals` on both sides; prefer raising the weaker side.",
			fixByPeer: "the peer refused all we offered and does not say what it wants: read its log or its configuration, " +
				"and put one of its IKE proposals into `proposals` here.",
		}, true
	case CodeProposalChild:
		return info{
			title:    "no common ESP proposal",
			peerVerb: "offers", peerDefault: "does not say what it would accept",
			ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "offered the configured ESP proposals",
			alert: "proposal-mismatch-child",
			text: "The IKE_SA is fine, but the two sides have no ESP cipher, integrity algorithm, key exchange group (PFS) " +
				"and sequence number size in common. A difference in PFS alone shows only at the first rekeying, since " +
				"the first CHILD_SA is made without a key exchange of its own.",
			fix: "put one and the same proposal into the child's `esp_proposals` on both sides, with PFS on both or on neither.",
			fixByPeer: "the peer refused all ESP proposals we offered: read its log, and put one of its phase 2 / ESP " +
				"proposals into `esp_proposals` here; check PFS first if it fails only at rekeying.",
		}, true
	case CodeKEGroup:
		return info{
			title:    "no agreement on the key exchange group",
			peerVerb: "wants", peerDefault: "wants a group it does not name",
			ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "did not offer the group",
			alert: "proposal-mismatch-ike",
			text: "The initiator must guess a key exchange group and may be told to use another (INVALID_KE_PAYLOAD). Here " +
				"the group asked for was never offered, or the peer asked for a different one each time. A gateway must " +
				"not follow such a request: it is how a downgrade would be tried.",
			fix: "configure the same key exchange group (such as ecp384 or x25519) in the proposals of both sides.",
		}, true
	case CodeKEValue:
		return info{
			title:    "bad key exchange value",
			peerVerb: "sent", peerDefault: "sent a value that is not allowed",
			ourVerb: "require", ourVerbByPeer: "sent", ourDefault: "refuse values that would give the key away",
			text: "The public value of the key exchange has the wrong length, is not on the curve, or is one of the " +
				"degenerate values that make the shared secret known to others (RFC 6989). Correct software never sends " +
				"one; a middlebox or a defect does.",
			fix: "update the peer's software, or use another key exchange group until it is repaired.",
			fixByPeer: "the peer refuses our key exchange value; try another group (ecp256, modp2048) and report the pair of " +
				"versions as a defect.",
		}, true
	case CodeInitLoop:
		return info{
			title:    "the peer keeps postponing IKE_SA_INIT",
			peerVerb: "answered", peerDefault: "answered COOKIE or INVALID_KE_PAYLOAD again and again",
			ourVerb: "repeated", ourDefault: "repeated IKE_SA_INIT as asked, up to the limit",
			text: "A responder under load asks for a cookie, and one that wants another group says so, each once. A peer that " +
				"goes on doing it is overloaded, changes its cookie secret too fast, or is several machines behind one " +
				"address that do not share it.",
			fix: "look at the load of the peer and at a load balancer in front of it: one peer must always reach one machine.",
		}, true
	case CodeTS:
		return info{
			title:    "the traffic selectors have nothing in common",
			peerVerb: "offers", peerDefault: "does not say what it would accept",
			ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "offered the configured selectors",
			alert: "ts-mismatch",
			text: "Each side says which networks the tunnel is for, seen from its own end: our local_ts must overlap with the " +
				"peer's remote network and our remote_ts with its local one. Here there is no overlap on at least one of " +
				"the two, so no packet could ever pass. The wire only carries TS_UNACCEPTABLE.",
			fix: "make local_ts here the remote network there, and remote_ts here the local network there.",
			fixByPeer: "the peer refuses our networks: compare local_ts and remote_ts here with the remote and local network " +
				"configured at the peer, which must mirror them.",
		}, true
	case CodeNarrowed:
		return info{
			title:    "not all of the traffic selectors were taken",
			peerVerb: "takes", peerDefault: "takes a part of them",
			ourVerb: "want", ourVerbByPeer: "asked for", ourDefault: "want all that is configured",
			alert: "ts-mismatch",
			text: "A responder may take a part of the networks that it is asked for, which is called narrowing. What it leaves out has no " +
				"tunnel: such packets are dropped, and counted as wait_narrowed. Gateways that hold one pair of networks for each CHILD SA " +
				"(FortiGate, Cisco ASA, policy based ones in general) do so with every list; for those this gateway asks for the other " +
				"pairs in CHILD SAs of their own. A rekeying must not leave out what is in use.",
			fix: "configure the networks that were left out at the peer as well, or take them out of local_ts and remote_ts here.",
		}, true
	case CodeTSTaken:
		return info{
			title:    "another peer has these traffic selectors",
			peerVerb: "asks for", peerDefault: "asks for networks that another peer has",
			ourVerb: "keep", ourDefault: "keep the networks of the peer that has them",
			alert: "ts-mismatch",
			text: "Two peers with different identities ask for the same networks in one child of a connection that serves " +
				"many peers, and a packet for them can go to one only. The first one keeps them for as long as it is up; " +
				"the second is told TS_UNACCEPTABLE and gets them when the first has gone. Else it would take the traffic " +
				"of the first away, or have a tunnel through which nothing comes.",
			fix: "give each peer networks of its own; or, if the one is to take the other's place, the same identity.",
		}, true
	case CodeMode:
		return info{
			title:    "tunnel mode against transport mode",
			peerVerb: "wants", peerDefault: "wants the other mode",
			ourVerb: "want", ourVerbByPeer: "asked for", ourDefault: "want the configured mode",
			text: "Transport mode must be asked for and agreed to; a side that gets no agreement has tunnel mode. Here one " +
				"side insists.",
			fix: "set the same `mode` for the child on both sides; tunnel is the right one for networks.",
		}, true
	}
	return info{}, false
}
