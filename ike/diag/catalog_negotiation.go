package diag

// negotiationCatalog has the codes of negotiating: which connection, proposals, key exchange, selectors.
var negotiationCatalog = []info{
	{
		code: CodeConnNone, title: "no connection matches the peer",
		peerVerb: "asks for", peerDefault: "asks for an IKE SA",
		ourVerb: "have", ourVerbByPeer: "asked with", ourDefault: "have no connection for it",
		alertByPeer: "local-auth-failed",
		meaning: "A peer asked for an IKE SA, and no configured connection is for its address (in IKE_SA_INIT) or for its " +
			"identity (in IKE_AUTH). Proposals and keys were not looked at.",
		seenBy: "The side that is called. The peer sees NO_PROPOSAL_CHOSEN (E-INIT-REFUSED) or AUTHENTICATION_FAILED (E-AUTH-REFUSED), which leave it open.",
		causes: []string{
			"The peer's address is not in `remote_addrs` of any connection. A NAT may have changed it.",
			"The peer called an address of this gateway that is not in `local_addrs`.",
			"The peer shows an identity that no `remote.id` matches, or asks for one that no connection has as `local.id`.",
			"It is a scan from the Internet.",
		},
		lookAt: []string{
			"The addresses and identities in the message: compare them with those of the connection that is meant.",
			"`esplanade status`, under \"peers that belong to no connection\".",
		},
		fix: "add a connection whose remote_addrs (and remote id) include this peer and whose local_addrs include the " +
			"address it called; or, if the peer should not call here, block it in the firewall.",
		fixByPeer: "the peer has no connection for our address and identity: compare its configured address of this " +
			"gateway with the one we send from (NAT changes it), and its expected id with local.id here.",
	},
	{
		code: CodeVIP, title: "no usable address from the gateway",
		alert:    "vip-failure",
		peerVerb: "gives", peerDefault: "gives no address",
		ourVerb: "need", ourVerbByPeer: "asked for", ourDefault: "need an address of its networks (vips)",
		meaning: "The connection has `vips`: it is the client of a gateway, which is to give it an address within the tunnel. The two sides have " +
			"authenticated each other, and the gateway gave no address, or one that this host can't have. The IKE SA is deleted, since all that " +
			"it could carry would have the wrong address, and is tried again.",
		seenBy: "The client. The gateway logs that it had no address, where it is an Esplanade or a strongSwan.",
		causes: []string{
			"The gateway has no pool for this connection or this user, or its pool is used up.",
			"The gateway has no addresses of the IP version that `vips` asks for.",
			"The pool overlaps with the network that this host is in, or has the gateway's own address.",
		},
		lookAt: []string{
			"The gateway's log for this minute; with strongSwan `swanctl --list-pools --leases`.",
			"`vips` here: `\"0.0.0.0\"` asks for an IPv4 address, `\"::\"` for an IPv6 one.",
		},
		fix:       "give the connection a pool of free addresses at the gateway.",
		fixByPeer: "let the gateway's log say why it has no address for this side, and give the connection a pool there.",
	},
	{
		code: CodeInitRefused, title: "the peer refuses to begin an IKE SA",
		peerVerb: "says", peerDefault: "does not take our IKE_SA_INIT",
		ourVerb: "offered", ourDefault: "offered the configured proposals",
		alert: "proposal-mismatch-ike",
		meaning: "The peer answered IKE_SA_INIT with NO_PROPOSAL_CHOSEN. Peers answer this to two things, and do not say to which: they have " +
			"no connection for the address that they see us at, or none of our IKE proposals. Whether there is a NAT, which shows " +
			"the peer another address than ours, is not known here before its answer.",
		seenBy: "The side that calls. The other one knows which it is: an Esplanade logs E-CONN-NONE or E-PROPOSAL-IKE, a strongSwan \"no IKE " +
			"config found\" or \"received proposals unacceptable\".",
		causes: []string{
			"The peer has no connection for our address. Behind a NAT it sees the address of the NAT.",
			"The peer has a connection for our address, for another one of its own.",
			"The IKE proposals of the two sides have nothing in common.",
		},
		lookAt: []string{
			"The peer's log for this minute: it names the address that it sees us at, and the reason.",
			"`local_addrs` and `proposals` here, and the remote address and the IKE (phase 1) proposals at the peer.",
		},
		fix: "let the peer's log say which of the two it is: then give its connection the address that it sees us at (that of a NAT, if " +
			"there is one), or both sides one common proposal.",
	},
	{
		code: CodeProposalIKE, title: "no common IKE proposal",
		peerVerb: "offers", peerDefault: "does not say what it would accept",
		ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "offered the configured proposals",
		alert: "proposal-mismatch-ike",
		meaning: "The two sides have no cipher, integrity algorithm, PRF and key exchange method in common for the IKE SA. " +
			"One proposal must match in every part: a single part that differs refuses all of it.",
		seenBy: "The side that is called, which knows both lists and names the difference. The side that calls only hears " +
			"NO_PROPOSAL_CHOSEN, which shows there as E-INIT-REFUSED.",
		causes: []string{
			"The key exchange group differs.",
			"One side wants an AEAD cipher (GCM), the other CBC with an integrity algorithm.",
			"The peer is a Windows client with its default settings, which has only the 1024-bit group.",
		},
		lookAt: []string{
			"The message at the side that is called: \"closest\" and \"differs in\".",
			"`proposals` here, and the IKE (phase 1) proposals of the peer.",
		},
		fix: "put one and the same proposal into `proposals` on both sides; if one is weaker, raise that one.",
		fixByPeer: "the peer refused all we offered and does not say what it wants: read its log or its configuration, " +
			"and put one of its IKE proposals into `proposals` here.",
	},
	{
		code: CodeProposalChild, title: "no common ESP proposal",
		peerVerb: "offers", peerDefault: "does not say what it would accept",
		ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "offered the configured ESP proposals",
		alert: "proposal-mismatch-child",
		meaning: "The IKE SA is up, but the two sides have no ESP cipher, integrity algorithm, key exchange group (PFS) and " +
			"sequence number size in common. The CHILD SA is not made, and no traffic flows.",
		seenBy: "Both sides. The side that is asked knows both lists and names the difference. The side that asks only hears " +
			"NO_PROPOSAL_CHOSEN.",
		causes: []string{
			"The ESP ciphers differ.",
			"Only one side has a group for PFS. It shows at the first rekeying: the first CHILD SA has no key exchange of its own.",
			"Only one side has extended sequence numbers: `esn` without `noesn` demands them, and kernel-libipsec has none.",
			"The peer accepts a proposal and cannot install the SA, because its kernel or plugin lacks an algorithm: strongSwan then answers " +
				"NO_PROPOSAL_CHOSEN as well, and its log says so.",
		},
		lookAt: []string{
			"The exchange in the message: IKE_AUTH (the first CHILD SA) or CREATE_CHILD_SA (a rekeying, so look at PFS).",
			"`esp_proposals` of the child here, and the ESP (phase 2) proposals of the peer.",
		},
		fix: "put one and the same proposal into the child's `esp_proposals` on both sides, with PFS on both or on neither.",
		fixByPeer: "the peer refused all ESP proposals we offered: read its log, and put one of its phase 2 / ESP " +
			"proposals into `esp_proposals` here; check PFS first if it fails only at rekeying.",
	},
	{
		code: CodeKEGroup, title: "no agreement on the key exchange group",
		peerVerb: "wants", peerDefault: "wants a group it does not name",
		ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "did not offer the group",
		alert: "proposal-mismatch-ike",
		meaning: "The side that calls has to guess a key exchange group, and may be told to use another one " +
			"(INVALID_KE_PAYLOAD). Here that led nowhere: the group asked for was not offered, or a message has a value for " +
			"another group than was agreed on. The gateway does not follow, because a downgrade would be tried like this.",
		seenBy: "The side that calls, or the side that gets a value for the wrong group.",
		causes: []string{
			"The peer asks for a group that is not in `proposals` here.",
			"The peer refuses one group after the other.",
			"Somebody between the two forges the answer. It is not protected in IKE_SA_INIT.",
		},
		lookAt: []string{"The group that the peer wants, in the message.", "The groups in the proposals of both sides."},
		fix:    "configure the same key exchange group (such as ecp384 or x25519) in the proposals of both sides.",
	},
	{
		code: CodeKEValue, title: "bad key exchange value",
		peerVerb: "sent", peerDefault: "sent a value that is not allowed",
		ourVerb: "require", ourVerbByPeer: "sent", ourDefault: "refuse values that would give the key away",
		meaning: "The public value of the key exchange has the wrong length, is not on the curve, or makes the shared secret " +
			"known to others (RFC 6989). It is refused. Correct software never sends one.",
		seenBy: "The side that received the value.",
		causes: []string{"A defect of the peer's software.", "A device on the path, or an attacker, that changes messages."},
		lookAt: []string{"The cause in the message.", "The peer's version, and whether another group works."},
		fix:    "update the peer's software, or use another key exchange group until it is repaired.",
	},
	{
		code: CodeInitLoop, title: "the peer keeps postponing IKE_SA_INIT",
		peerVerb: "answered", peerDefault: "answered COOKIE again and again",
		ourVerb: "sent", ourDefault: "repeated IKE_SA_INIT as asked, up to the limit",
		meaning: "A gateway under load asks for a cookie, once. This one answers each request with another cookie, so that no " +
			"IKE SA begins.",
		seenBy: "The side that calls.",
		causes: []string{
			"Several machines answer behind one address and do not share their cookie secret.",
			"The peer is overloaded, or changes its cookie secret too fast.",
			"A NAT gives each request another source port or address.",
		},
		lookAt: []string{"The load of the peer.", "A load balancer or a NAT between the two sides."},
		fix:    "look at the load of the peer and at a load balancer in front of it: one peer must always reach one machine.",
	},
	{
		code: CodeTS, title: "the traffic selectors have nothing in common",
		peerVerb: "offers", peerDefault: "does not say what it would accept",
		ourVerb: "accept", ourVerbByPeer: "offered", ourDefault: "offered the configured selectors",
		alert: "ts-mismatch",
		meaning: "Each side says for which networks the tunnel is, seen from its own end. Our local_ts must overlap with the " +
			"peer's remote network, and our remote_ts with its local one. Here one of the two does not, so no packet could " +
			"ever pass. The IKE SA stays; the CHILD SA is not made.",
		seenBy: "Both sides. The side that is asked knows both lists. The side that asks only hears TS_UNACCEPTABLE.",
		causes: []string{
			"Local and remote network are exchanged at one end.",
			"A network or a mask differs.",
			"One side leaves a network out, or has the default (its own address).",
			"The peer takes one pair of networks in each CHILD SA only.",
		},
		lookAt: []string{"Both lists in the message: ours stand first on each side of ===.", "`local_ts` and `remote_ts` of the child here, and the networks at the peer."},
		fix:    "make local_ts here the remote network there, and remote_ts here the local network there.",
		fixByPeer: "the peer refuses our networks: compare local_ts and remote_ts here with the remote and local network " +
			"configured at the peer, which must mirror them.",
	},
	{
		code: CodeNarrowed, title: "not all of the traffic selectors were taken",
		peerVerb: "takes", peerDefault: "takes a part of them",
		ourVerb: "want", ourVerbByPeer: "asked for", ourDefault: "want all that is configured",
		alert: "ts-narrowed",
		meaning: "The side that is asked may take a part of the networks, which is called narrowing. What it leaves out has no " +
			"tunnel: such packets are dropped, and counted as wait_narrowed. A rekeying must not leave out what is in use.",
		seenBy: "The side that asked for the networks; with a rekeying, the side that would lose some of them.",
		causes: []string{
			"The peer has fewer networks configured than this side.",
			"The peer takes one pair of networks in each CHILD SA (FortiGate, Cisco ASA, policy based gateways in general), and has no " +
				"entry for some pair. This gateway asks for the other pairs in CHILD SAs of their own.",
			"The networks of one side were changed while the tunnel was up.",
		},
		lookAt: []string{"\"What it leaves out\" in the message.", "`esplanade status`: the networks of each CHILD SA.", "The networks (proxy ids, encryption domain) at the peer."},
		fix:    "configure the networks that were left out at the peer as well, or take them out of local_ts and remote_ts here.",
	},
	{
		code: CodeTSTaken, title: "another peer has these traffic selectors",
		peerVerb: "asks for", peerDefault: "asks for networks that another peer has",
		ourVerb: "keep", ourDefault: "keep the networks of the peer that has them",
		alert: "ts-mismatch",
		meaning: "Two peers with different identities ask for the same networks in one child of a connection that serves many " +
			"peers. A packet for them can go to one only. The first peer keeps the networks for as long as it is up; the second " +
			"is told TS_UNACCEPTABLE, and gets them when the first has gone.",
		seenBy: "The side that serves the peers. The second peer sees E-TS.",
		causes: []string{
			"Two sites use the same private network.",
			"The configuration of one peer was copied to another.",
			"A peer was replaced by one with a new identity, and the old one is still taken to be up.",
		},
		lookAt: []string{"Both identities in the message.", "`esplanade status` for the peer that has the networks."},
		fix: "give each peer networks of its own; or, if the one is to take the other's place, the same identity. The second gets them " +
			"when the first has gone.",
	},
}
