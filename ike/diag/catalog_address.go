package diag

// addressCatalog has the codes of the addresses within the tunnel that a gateway gives to its clients.
var addressCatalog = []info{
	{
		code: CodePoolEmpty, title: "no address is left for the client",
		alert:    "vip-failure",
		peerVerb: "asks for", peerDefault: "asks for an address",
		ourVerb: "have", ourVerbByPeer: "asked for", ourDefault: "have none left",
		meaning: "A client asked for an address, and all addresses of the pools of its connection are in use, or the connection has no pool of that " +
			"IP version. The IKE SA is up; the client gets no CHILD SA.",
		seenBy: "The gateway, which names the pools. The client is told INTERNAL_ADDRESS_FAILURE.",
		causes: []string{
			"There are more clients online than the pool has addresses.",
			"Clients went away without a word, and their addresses are held until their IKE SAs are found to be dead (`dpd_delay`).",
			"The client asks for IPv4 or IPv6 only, and the connection has pools of the other.",
		},
		lookAt: []string{
			"`swanctl --list-pools --leases`: who has the addresses.",
			"`esplanade status` for IKE SAs of clients that do not answer any more.",
		},
		fix: "make the pool larger, or add another one to `pools` of the connection.",
		fixByPeer: "the gateway has no address left for us: ask its operator for a larger pool; or ask for the other IP version in `vips`, if it " +
			"has only that.",
	},
	{
		code: CodePoolAddress, title: "the address of the client can't be given",
		alert:    "vip-failure",
		peerVerb: "is to have", peerDefault: "is to have an address of its own",
		ourVerb: "have", ourDefault: "are unable to give it",
		meaning: "The users file or the RADIUS server gives the client an address of its own, or names the pool for it. The address is in use by a " +
			"client with another identity, or there is no pool of that name. The IKE SA is up; the client gets no CHILD SA.",
		seenBy: "The gateway. The client is told INTERNAL_ADDRESS_FAILURE.",
		causes: []string{
			"Two users were given the same Framed-IP-Address or static address.",
			"The address is one of a pool, and was given to somebody else before the RADIUS server named it.",
			"Framed-Pool names a pool that is not configured here.",
		},
		lookAt: []string{"The address or the pool, and the other identity, in the message.", "`swanctl --list-pools --leases`."},
		fix:    "give each user an address of its own, outside of the pools or static in the users file; and write the names of pools as they are here.",
	},
	{
		code: CodePoolStore, title: "the lease could not be kept",
		alert:    "vip-failure",
		peerVerb: "asks for", peerDefault: "asks for an address",
		ourVerb: "have", ourDefault: "failed to write who has it",
		meaning: "An address is given only once it is written that it was, so that nobody else gets it after a restart. That could not be written, so " +
			"the client gets no address. Clients that come back to the address they had before need nothing written, and go on.",
		seenBy: "The gateway. The client is told INTERNAL_ADDRESS_FAILURE.",
		causes: []string{
			"The disk with `ike.lease_file` is full or read-only.",
			"The disk does not answer in time.",
		},
		lookAt: []string{"The error in the message.", "`df` for the directory of `ike.lease_file`, and the kernel's log for errors of the disk."},
		fix:    "make room on the disk with ike.lease_file, or repair it. Nothing has to be restarted.",
		local:  true,
	},
	{
		code: CodeCPRequired, title: "the client has not asked for an address",
		alert:    "vip-failure",
		peerVerb: "asks for", peerDefault: "asks for no address",
		ourVerb: "have", ourVerbByPeer: "asked for", ourDefault: "have an address for it, and children for nothing else",
		meaning: "The connection gives addresses to its clients (`pools`), and its children carry those. The peer has proved itself and asked for a " +
			"CHILD SA without asking for an address. The IKE SA is up; there is no CHILD SA.",
		seenBy: "The gateway. The peer is told FAILED_CP_REQUIRED.",
		causes: []string{
			"The client is not set up to ask for an address: `vips` here, a virtual IP or \"Request an IP address\" elsewhere.",
			"The peer is a gateway with a network of its own, and the connection is meant for single clients.",
		},
		lookAt: []string{"The settings of the client.", "`remote_ts` of the children: one that is written as networks needs no address."},
		fix: "have the client ask for an address; or, if it is a gateway with a network, write a connection for it with that network in remote_ts " +
			"and without pools.",
		fixByPeer: "the gateway wants us to ask for an address: add vips = \"0.0.0.0\" to the connection here.",
	},
}
