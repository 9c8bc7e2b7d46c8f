package diag

// stateCatalog has the remaining codes: limits, protocol errors, ends of SAs, and this side's own troubles.
var stateCatalog = []info{
	{
		code: CodeLimit, title: "a limit is reached",
		peerVerb: "asks for", peerDefault: "asks for more",
		ourVerb: "allow", ourVerbByPeer: "asked for", ourDefault: "allow no more",
		meaning: "More was asked for than a limit allows: IKE SAs of one identity or of all, CHILD SAs, or traffic selectors. " +
			"The request is refused, and what is up stays up. A limit keeps one peer from using up the gateway.",
		seenBy: "The side that refuses names the limit. The other one hears NO_ADDITIONAL_SAS, AUTHENTICATION_FAILED or TS_UNACCEPTABLE.",
		causes: []string{
			"There are more peers, or more networks, than the limit was made for.",
			"Many peers use one identity.",
			"A peer sets up one SA after the other and does not delete the old ones.",
			"`unique = \"keep\"` is set, and the peer has lost the IKE SA that this side still has.",
		},
		lookAt:    []string{"The limit in the message.", "`esplanade status` and `swanctl --list-sas`: how many SAs each peer has."},
		fix:       "if the load is real, raise the limit that is named; if not, look for the peer that has so many SAs.",
		fixByPeer: "the peer takes no further SA: look for SAs it still holds for us, at its limits, and whether the child was terminated there by a command.",
	},
	{
		code: CodeBusy, title: "this gateway had no time",
		peerVerb: "asks for", peerDefault: "did nothing wrong that we know of",
		ourVerb: "gave up", ourDefault: "could not carry out in time what a message needs",
		meaning: "What takes long, such as a key exchange with a large group, waits for its turn. It waited too long, or too " +
			"many others waited. It is tried again.",
		seenBy: "This gateway. The other side hears TEMPORARY_FAILURE, or waits for an answer.",
		causes: []string{
			"Many peers come at once, and their groups are expensive.",
			"The machine has too few cores, or something else uses them.",
		},
		lookAt: []string{"What was wanted, in the cause in the message.", "The load of the machine."},
		fix: "nothing, if it is rare; if not, prefer groups that cost less (`ecp256`, `curve25519`, `mlkem768`) to large " +
			"`modp` groups, or give the machine more cores.",
	},
	{
		code: CodeResume, title: "an IKE SA could not be resumed",
		peerVerb: "gave", peerDefault: "has to make a complete handshake",
		ourVerb: "presented", ourDefault: "begin from scratch",
		meaning: "A session ticket (RFC 5723) was refused or not answered. The IKE SA is set up from scratch, which takes longer. " +
			"Nothing else is lost.",
		seenBy: "Both sides, if the gateway refuses; otherwise the side that presents the ticket.",
		causes: []string{
			"The gateway that made the ticket was restarted: its tickets end with it.",
			"The ticket has expired, or was used.",
			"The configuration or the key has changed since.",
			"The peer does not answer at all.",
		},
		lookAt: []string{"The cause in the message.", "The start time of the gateway: `ipsec_start_time_seconds`."},
		fix:    "nothing, if the tunnel is up; if it recurs, look for restarts of the gateway, or set `resumption = false`.",
	},
	{
		code: CodePeerError, title: "the peer reports an error",
		peerVerb: "reports", peerDefault: "reports an error",
		ourVerb: "sent", ourDefault: "sent a request that it refuses",
		meaning: "The peer refused a request with a notification that has no code of its own here, and that says no more than its name.",
		seenBy:  "The side that sent the request. The reason is in the log of the other one.",
		causes: []string{
			"TEMPORARY_FAILURE: an exchange of the peer crosses ours. It is repeated, and means nothing unless it lasts.",
			"TEMPORARY_FAILURE in IKE_AUTH: the peer does not want the connection for now. An operator of an Esplanade has terminated it there.",
			"UNACCEPTABLE_ADDRESSES: the peer does not take the address that this side has moved to.",
			"Another name: the peer's configuration or software.",
		},
		lookAt: []string{"The name of the notification in the message.", "The peer's log for this minute."},
		fix:    "read the peer's log for this minute; the notification's name is what to search for.",
	},
	{
		code: CodeSyntax, title: "malformed message",
		peerVerb: "sent", peerDefault: "sent a message that breaks the format",
		ourVerb: "expect", ourVerbByPeer: "sent", ourDefault: "drop what RFC 7296 does not allow",
		alert: "parse-error-body",
		meaning: "A message cannot be parsed, or breaks a rule of the protocol. If the keys of the IKE SA protect it, the peer's software is " +
			"wrong, and in most cases the IKE SA ends. If not, anyone may have sent it.",
		seenBy:    "The side that received the message. The other one hears INVALID_SYNTAX, if it hears anything.",
		causes:    []string{"A defect of the software of one side.", "An extension that the two sides understand differently."},
		lookAt:    []string{"The cause, or what was sent, in the message.", "The versions of both sides.", "A capture with keys: `save_keys` in [debug]."},
		fix:       "update the peer; if it recurs, capture the exchange and report it to its vendor and to us.",
		fixByPeer: "the peer cannot read our message (INVALID_SYNTAX): update it, and report the pair of versions to us.",
	},
	{
		code: CodeVersion, title: "the other side speaks another IKE version",
		peerVerb: "speaks", peerDefault: "speaks another version",
		ourVerb: "speak", ourDefault: "speak IKEv2 only",
		alert:   "parse-error-header",
		meaning: "The peer uses IKEv1, or a version newer than 2. IKEv1 is obsolete (RFC 9395), and this gateway does not implement it.",
		seenBy:  "The side that is called by the other version, or whose call is answered with it.",
		causes:  []string{"The peer is configured for IKEv1.", "It is a scan from the Internet."},
		lookAt:  []string{"The version in the message.", "The IKE version of the connection at the peer."},
		fix:     "configure the peer for IKEv2 (`keyexchange=ikev2`, `version = 2`, `ikev2=insist`).",
	},
	{
		code: CodeUnsupported, title: "one side insists on what the other cannot do",
		peerVerb: "offers", peerDefault: "does not do it",
		ourVerb: "want", ourVerbByPeer: "sent", ourDefault: "cannot do without it",
		meaning: "One side needs an extension or a payload that the other does not know, or does not use.",
		seenBy:  "The side that insists, or the one whose message was refused with UNSUPPORTED_CRITICAL_PAYLOAD.",
		causes: []string{
			"`childless = \"force\"` is set here, and the peer does not do RFC 6023.",
			"Peers that cannot be redirected were to be redirected.",
			"The peer refuses a payload that is marked as critical.",
		},
		lookAt: []string{"What the message names on each side.", "The setting for it in the connection."},
		fix:    "switch the extension off at the side that insists on it, or update the other.",
	},
	{
		code: CodeSPI, title: "a message for an SA that does not exist",
		peerVerb: "uses", peerDefault: "uses an SPI that is unknown here",
		ourVerb: "know", ourVerbByPeer: "used", ourDefault: "have no such SA",
		alert: "invalid-ike-spi",
		meaning: "One side still uses an SA that the other no longer has. The side that has it replaces it, or notices with its " +
			"liveness checks.",
		seenBy: "The side that still has the SA: the other one says so (INVALID_SPI, CHILD_SA_NOT_FOUND).",
		causes: []string{
			"The peer was restarted.",
			"The peer has deleted the SA, and its DELETE was lost.",
			"Two machines share one address.",
		},
		lookAt: []string{"Whether the peer was restarted at that time.", "Whether it recurs: then look for a second machine."},
		fix: "set dpd_delay on both sides so that a restart is noticed; if it lasts, look for a second machine with the " +
			"same address.",
	},
	{
		code: CodeDeleted, title: "the peer deleted the SA",
		peerVerb: "deleted", peerDefault: "deleted the SA",
		ourVerb: "had", ourDefault: "took it down",
		meaning: "The peer ended the SA with a DELETE. A connection that should be up is set up again.",
		seenBy:  "The side that received the DELETE.",
		causes: []string{
			"An operator or a shutdown at the peer.",
			"The inactivity timer or the lifetime of the peer.",
			"The peer refuses the SA after all. Its log says why.",
		},
		lookAt: []string{"The peer's log for this minute.", "If it recurs at equal intervals: the lifetimes of both sides."},
		fix:    "if it was not meant, read the peer's log; compare lifetimes and inactivity timers on both sides.",
	},
	{
		code: CodeExpired, title: "the SA expired before it was replaced",
		peerVerb: "sent", peerDefault: "did not complete a rekeying in time",
		ourVerb: "had", ourDefault: "had no new SA when the hard limit came",
		alert: "ike-sa-expired",
		meaning: "An SA has to be replaced before its hard limit in time, bytes or packets. Here it was not, and it is removed. " +
			"A connection that should be up is set up again.",
		seenBy: "The side whose limit comes first.",
		causes: []string{
			"The rekeying failed: often only one side has PFS.",
			"The peer refuses or delays every rekeying.",
			"There is not enough time between rekey_time and life_time (or over_time).",
		},
		lookAt: []string{"The failure of the rekeying before it, in the log.", "The lifetimes of both sides."},
		fix: "look for the failure of the rekeying before it in the log; leave more room between rekey_time and life_time " +
			"(or over_time); check PFS on both sides.",
	},
	{
		code: CodeTerminated, title: "kept down by a command",
		peerVerb: "asks for", peerDefault: "asks for it",
		ourVerb: "refuse", ourDefault: "refuse it until it is initiated here",
		meaning: "`esplanade terminate` took the connection or the child down, and keeps it down until somebody initiates it here. " +
			"A peer that asks for it meanwhile is refused, and told to wait. Nothing is wrong.",
		seenBy: "This side. The other one hears TEMPORARY_FAILURE for the connection, and NO_ADDITIONAL_SAS for a child of one that is up; " +
			"it goes on asking, about once a minute if it is an Esplanade.",
		causes: []string{"An operator terminated it here, and the peer is configured to keep it up."},
		lookAt: []string{"`esplanade status`: what is terminated by a command."},
		fix:    "`esplanade initiate NAME` when it is wanted again. To end one SA only, which may come up again: `swanctl --terminate --ike-id` or `--child-id`.",
	},
	{
		code: CodeCancelled, title: "stopped on request",
		peerVerb: "had", peerDefault: "was not the cause",
		ourVerb: "stopped it:", ourDefault: "stopped on request of an operator",
		meaning: "This side stopped what was under way, because somebody wanted it. Nothing is wrong.",
		seenBy:  "This side, where somebody waits for the result.",
		causes:  []string{"A command terminated it.", "A reload changed or removed the connection.", "The daemon ends."},
		lookAt:  []string{"The reason in the message."},
		fix:     "nothing; initiate the connection again when it is wanted.",
	},
	{
		code: CodeInstall, title: "the data plane cannot take the SA",
		peerVerb: "agreed to", peerDefault: "has agreed to the SA",
		ourVerb: "tried", ourDefault: "could not install it",
		alert: "install-child-sa-failed",
		meaning: "The SA was negotiated, but something that belongs to it could not be set up on this machine: the SA itself, " +
			"or the routes to its networks.",
		seenBy: "This machine. The peer sees a DELETE or an error, or, with a missing route, nothing.",
		causes: []string{
			"The process lacks a privilege (CAP_NET_ADMIN).",
			"A route that exists already is in the way.",
			"An IP version is turned off on this host, and remote_ts has networks of it.",
		},
		lookAt: []string{"The cause in the message.", "`ip route show table all` and `ip rule` on Linux.", "The metric `ipsec_routing_restored_total`: whether something changes routes."},
		fix:    "read the cause; usually a privilege (CAP_NET_ADMIN), a route that exists already, or an IP version that is turned off.",
	},
	{
		code: CodeConfig, title: "the configuration does not provide for it", local: true,
		peerVerb: "is", peerDefault: "is not concerned",
		ourVerb: "have", ourDefault: "have no such connection or child",
		meaning: "A command names something that the loaded configuration does not contain, or a connection cannot do what is " +
			"asked of it.",
		seenBy: "This gateway.",
		causes: []string{
			"The name is misspelt.",
			"The configuration was changed and not reloaded.",
			"The SA is not up.",
			"A connection is to start, and `remote_addrs` has no single address.",
			"A peer is to be redirected to its own address, or to the one that it uses here.",
		},
		lookAt: []string{"`esplanade status`: the names of connections and children.", "`esplanade check FILE`."},
		fix:    "correct the name, or add it to the configuration and reload.",
	},
	{
		code: CodeInternal, title: "internal error",
		peerVerb: "sent", peerDefault: "did nothing wrong that we know of",
		ourVerb: "did", ourDefault: "ran into a defect of this program",
		meaning: "Something happened that the program does not provide for. The SA concerned is given up, the others go on.",
		seenBy:  "This gateway.",
		causes:  []string{"A defect of this program.", "The system is out of memory or of random numbers."},
		lookAt:  []string{"The cause in the message.", "The log around it."},
		fix:     "report it as a defect, with the log around it and the version.",
	},
}
