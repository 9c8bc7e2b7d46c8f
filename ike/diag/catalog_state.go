package diag

// stateInfo describes the remaining codes: limits, protocol errors, ends of SAs, and this side's own troubles.
func stateInfo(c Code) (info, bool) {
	switch c {
	case CodePoolEmpty:
		return info{
			title:    "no virtual address is left",
			peerVerb: "asks for", peerDefault: "asks for a virtual address",
			ourVerb: "have", ourVerbByPeer: "asked for", ourDefault: "have none left in the pools of the connection",
			alert: "vip-failure",
			text:  "The client asks for an inner address, and every address of the connection's pools is leased.",
			fix:   "enlarge `addrs` of the pool, or add a pool to the connection's `pools`.",
			fixByPeer: "the peer has no address for us (INTERNAL_ADDRESS_FAILURE): enlarge its pool, or remove `vips` here if " +
				"no virtual address is wanted.",
		}, true
	case CodeLimit:
		return info{
			title:    "a limit is reached",
			peerVerb: "asks for", peerDefault: "asks for more",
			ourVerb: "allow", ourVerbByPeer: "asked for", ourDefault: "allow no more",
			text: "More was asked for than a limit allows: half-open or established IKE_SAs, CHILD_SAs of one IKE_SA, queued " +
				"requests. Limits keep one peer, or a flood with forged addresses, from using up the gateway.",
			fix:       "if the load is real, raise the limit that is named; if not, look for who floods.",
			fixByPeer: "the peer allows no more SAs: look for SAs it still holds for us, and at its limits.",
		}, true
	case CodeResume:
		return info{
			title:    "an IKE SA could not be resumed",
			peerVerb: "gave", peerDefault: "has to make a complete handshake",
			ourVerb: "did", ourVerbByPeer: "presented", ourDefault: "begin from scratch",
			text: "A session ticket (RFC 5723) was refused or not answered: it has expired or was used, the gateway that made it " +
				"was restarted, or the configuration has changed since. The IKE SA is set up from scratch, which takes longer " +
				"and nothing else.",
			fix: "nothing, if the tunnel is up; if it recurs, look for restarts of the gateway, or set `resumption = false`.",
		}, true
	case CodeClock:
		return info{
			title:    "a clock is wrong",
			peerVerb: "has", peerDefault: "takes it to be another time",
			ourVerb: "have", ourDefault: "take the time from this machine's clock",
			text: "Certificates, CRLs and tickets are judged by time, and the times of the two sides lie far apart: a machine " +
				"without a battery-backed clock that has not yet synchronised is the usual case.",
			fix: "set the clock (NTP) on the side that is wrong, and start the gateway after time synchronisation.",
		}, true
	case CodePeerError:
		return info{
			title:    "the peer reports an error",
			peerVerb: "reports", peerDefault: "reports an error",
			ourVerb: "sent", ourDefault: "sent a request that it refuses",
			text: "The peer refused a request with a notification that says no more than its name.",
			fix:  "read the peer's log for this minute; the notification's name is what to search for.",
		}, true
	case CodeSyntax:
		return info{
			title:    "malformed message",
			peerVerb: "sent", peerDefault: "sent a message that breaks the format",
			ourVerb: "expect", ourVerbByPeer: "sent", ourDefault: "drop what RFC 7296 does not allow",
			alert: "parse-error-body",
			text: "A message cannot be parsed, or breaks a rule of the protocol. If it was protected by the IKE_SA's keys, the " +
				"peer's software is wrong and the SA ends; if not, anyone may have sent it and it is dropped.",
			fix:       "update the peer; if it recurs, capture the exchange and report it to its vendor and to us.",
			fixByPeer: "the peer cannot read our message (INVALID_SYNTAX): update it, and report the pair of versions to us.",
		}, true
	case CodeVersion:
		return info{
			title:    "the other side speaks another IKE version",
			peerVerb: "speaks", peerDefault: "speaks another version",
			ourVerb: "speak", ourDefault: "speak IKEv2 only",
			alert: "parse-error-header",
			text: "The peer uses IKEv1, or a version newer than 2. IKEv1 is obsolete (RFC 9395) and this gateway does not " +
				"implement it.",
			fix: "configure the peer for IKEv2 (`keyexchange=ikev2`, `version = 2`, `ikev2=insist`).",
		}, true
	case CodeUnsupported:
		return info{
			title:    "a critical payload or option is not supported",
			peerVerb: "demands", peerDefault: "demands something unknown here",
			ourVerb: "support", ourVerbByPeer: "demanded", ourDefault: "do not know it",
			text: "One side marked something as critical that the other does not implement; the whole message is then refused.",
			fix:  "switch the extension off at the side that demands it, or update the other.",
		}, true
	case CodeSPI:
		return info{
			title:    "a message for an SA that does not exist",
			peerVerb: "uses", peerDefault: "uses an SPI that is unknown here",
			ourVerb: "know", ourVerbByPeer: "used", ourDefault: "have no such SA",
			alert: "invalid-ike-spi",
			text: "One side still uses an SA that the other no longer has, usually after a restart, or when two machines share " +
				"an address. It ends when the side that still has it notices (liveness checks).",
			fix: "set dpd_delay on both sides so that a restart is noticed; if it lasts, look for a second machine with the " +
				"same address.",
		}, true
	case CodeDeleted:
		return info{
			title:    "the peer deleted the SA",
			peerVerb: "deleted", peerDefault: "deleted the SA",
			ourVerb: "had", ourDefault: "took it down",
			text: "The peer ended the SA with a DELETE: an operator, its inactivity timer, its lifetime, or its shutdown. A " +
				"connection that should be up is set up again.",
			fix: "if it was not meant, read the peer's log; compare lifetimes and inactivity timers on both sides.",
		}, true
	case CodeExpired:
		return info{
			title:    "the SA expired before it was replaced",
			peerVerb: "sent", peerDefault: "did not complete a rekeying in time",
			ourVerb: "tried", ourDefault: "had no new SA when the hard limit came",
			alert: "ike-sa-expired",
			text: "Rekeying should replace an SA before its hard limit in time, bytes or packets. Here it did not, because the " +
				"exchange failed or because there was not enough time between the soft and the hard limit.",
			fix: "look for the failure of the rekeying before it in the log; leave more room between rekey_time and life_time " +
				"(or over_time); check PFS on both sides.",
		}, true
	case CodeReplaced:
		return info{
			title:    "the SA gave way to another of the same peer",
			peerVerb: "opened", peerDefault: "opened another IKE_SA",
			ourVerb: "keep", ourDefault: "keep one IKE_SA per identity, as `unique` says",
			alert: "unique-replace",
			text: "The same identity established a second IKE_SA, and the policy (`unique`, or INITIAL_CONTACT) removes the " +
				"first. Normal after a restart of the peer; if it repeats, two machines use one identity and throw each " +
				"other out.",
			fix: "give every peer an identity of its own, or set `unique = \"never\"` if sharing one is meant.",
		}, true
	case CodeCancelled:
		return info{
			title:    "stopped on request",
			peerVerb: "had", peerDefault: "was not the cause",
			ourVerb: "stopped for", ourDefault: "stopped on request of an operator",
			text: "An operator terminated it, a reload changed the connection, or the daemon ends.",
			fix:  "nothing; initiate the connection again when it is wanted.",
		}, true
	case CodeInstall:
		return info{
			title:    "the data plane cannot take the SA",
			peerVerb: "agreed to", peerDefault: "has agreed to the SA",
			ourVerb: "tried", ourDefault: "could not install it",
			alert: "install-child-sa-failed",
			text:  "The SA was negotiated, but installing it, its route or its addresses failed on this machine.",
			fix:   "read the cause; usually a privilege (CAP_NET_ADMIN), a route that exists already, or selectors of two children that overlap.",
		}, true
	case CodeConfig:
		return info{
			title: "the configuration does not provide for it", local: true,
			peerVerb: "is", peerDefault: "is not concerned",
			ourVerb: "have", ourDefault: "have no such connection or child",
			text: "A command or a message names something that the loaded configuration does not contain or does not allow.",
			fix:  "correct the name, or add it to the configuration and reload.",
		}, true
	case CodeInternal:
		return info{
			title:    "internal error",
			peerVerb: "sent", peerDefault: "did nothing wrong that we know of",
			ourVerb: "did", ourDefault: "ran into a defect of this program",
			text: "Something happened that the program does not provide for. The SA concerned is given up, the others go on.",
			fix:  "report it as a defect, with the log around it and the version.",
		}, true
	}
	return info{}, false
}
