package diag

// networkInfo describes the codes of reaching the peer.
func networkInfo(c Code) (info, bool) {
	const silent = "retransmit-send-timeout"
	switch c {
	case CodeTimeoutInit:
		return info{
			title:    "the peer is silent",
			peerVerb: "sent", peerDefault: "sent nothing at all",
			ourVerb: "sent", ourDefault: "sent IKE_SA_INIT until the retransmissions ran out",
			alert: "peer-init-unreachable",
			text: "No answer to IKE_SA_INIT, not even an ICMP error. The peer is down, the address is wrong, a firewall drops " +
				"UDP 500 in one of the two directions, or the peer ignores us on purpose because it has no connection for " +
				"our address.",
			fix: "check that the peer runs and the address is right; then that UDP 500 and 4500 pass both ways (tcpdump at the " +
				"peer shows whether our packets arrive); then that the peer has a connection for our address.",
		}, true
	case CodeTimeoutAuth:
		return info{
			title:    "IKE_SA_INIT was answered, IKE_AUTH is not",
			peerVerb: "sent", peerDefault: "answered IKE_SA_INIT, then nothing more",
			ourVerb: "sent", ourDefault: "sent IKE_AUTH until the retransmissions ran out",
			alert: silent,
			text: "The first exchange passed, the second gets no answer. Between the two the port changes to 4500 when there " +
				"is a NAT, and messages grow: a firewall that only passes UDP 500, or a path that loses IP fragments, " +
				"shows exactly here. Some peers also drop an IKE_AUTH silently that they cannot decrypt or accept.",
			fix: "let UDP 4500 pass both ways; keep `fragmentation` on at both ends; then read the peer's log.",
		}, true
	case CodeTimeout:
		return info{
			title:    "no answer to a request",
			peerVerb: "sent", peerDefault: "did not answer",
			ourVerb: "sent", ourDefault: "sent the request until the retransmissions ran out",
			alert: silent,
			text: "A request on an established IKE_SA was not answered in time. The SA is given up, as IKEv2 demands, since " +
				"the peer can no longer be there in the same state.",
			fix: "nothing, if the peer was restarted: the connection is set up again. If it recurs, look at loss on the path " +
				"and raise retransmit_tries or retransmit_timeout.",
		}, true
	case CodeHalfOpen:
		return info{
			title:    "the peer began and did not go on",
			peerVerb: "sent", peerDefault: "sent IKE_SA_INIT, then no IKE_AUTH",
			ourVerb: "waited", ourDefault: "waited for IKE_AUTH until half_open_timeout",
			alert: "half-open-timeout",
			text: "We answered IKE_SA_INIT, and no acceptable IKE_AUTH came. Our answer may not reach the peer, the peer may " +
				"not accept it, its IKE_AUTH may be lost (UDP 4500, fragments), or it was a port scan.",
			fix: "read the peer's log; let UDP 4500 pass both ways; a scan can be ignored.",
		}, true
	case CodeUnreachable:
		return info{
			title:    "the network refuses packets to the peer",
			peerVerb: "is behind", peerDefault: "cannot be reached",
			ourVerb: "got", ourDefault: "got an ICMP error for our packets",
			alert: "peer-init-unreachable",
			text: "An ICMP error came back, or the local system refused to send. Port unreachable: the machine is there, but " +
				"nothing listens on the port, or a firewall rejects it. Host or network unreachable: there is no route. Not " +
				"permitted: a rule on this machine blocks it.",
			fix: "port unreachable: start the IKE daemon at the peer, or open UDP 500 and 4500 in its firewall. Host or network " +
				"unreachable: check routes. Not permitted: check the firewall of this machine.",
		}, true
	case CodeDPD:
		return info{
			title:    "the peer is dead",
			peerVerb: "was last heard", peerDefault: "no longer answers",
			ourVerb: "checked", ourDefault: "sent liveness checks until the retransmissions ran out",
			alert: silent,
			text: "Nothing came from the peer for dpd_delay, and the liveness checks that followed were not answered. Its SAs " +
				"are removed; a connection that should be up is set up again.",
			fix: "find out what happened to the peer or the path at that time; nothing needs to be done here.",
		}, true
	case CodeDNS:
		return info{
			title:    "the peer's name cannot be resolved",
			peerVerb: "is", peerDefault: "has no known address",
			ourVerb: "asked for", ourDefault: "asked the resolver",
			alert: "peer-addr-failed",
			text:  "remote_addrs has a host name, and the resolver gives no address for it.",
			fix:   "check the name and the resolver of this machine (`getent hosts NAME`), or configure an address.",
		}, true
	case CodeRedirectLoop:
		return info{
			title:    "gateways redirect in a circle",
			peerVerb: "sends us", peerDefault: "sends us to another gateway again",
			ourVerb: "followed", ourDefault: "followed redirects up to the limit",
			text: "A gateway sent this side to another one (RFC 5685), which did the same, and so on. More than five redirects " +
				"within five minutes are taken for a loop and not followed. What is up stays up; otherwise the next attempt " +
				"begins at the configured address.",
			fix: "see which gateways are named in the log, and let one of them serve the peer: its redirect_to (or the policy " +
				"of its load balancer) must not lead back.",
		}, true
	case CodeBind:
		return info{
			title: "a local address or port is not available", local: true,
			peerVerb: "is", peerDefault: "cannot be called from here",
			ourVerb: "need", ourDefault: "need the configured address and port",
			text: "The UDP socket could not be opened: another program (charon, pluto) holds the port, the address is not on " +
				"this machine, or ports below 1024 are not permitted to this user.",
			fix: "stop the other daemon (`ss -ulpn 'sport = 500'` names it), correct local_addrs, or give the program " +
				"CAP_NET_BIND_SERVICE or other ports (`ike.port`, `ike.port_nat_t`).",
		}, true
	case CodeFrag:
		return info{
			title:    "large messages get lost",
			peerVerb: "got", peerDefault: "answers small messages only",
			ourVerb: "sent", ourDefault: "sent messages larger than the path passes",
			text: "Small IKE messages pass and large ones do not: a device on the path drops IP fragments. IKE has its own " +
				"fragmentation (RFC 7383) against this, if both sides have it on.",
			fix: "set `fragmentation = true` at both ends, and lower `ike.fragment_size` to 1200 or less.",
		}, true
	case CodeNAT:
		return info{
			title:    "a NAT is in the way",
			peerVerb: "is seen as", peerDefault: "is behind a NAT, or we are",
			ourVerb: "have", ourDefault: "are configured for a path without NAT",
			text: "A NAT changes addresses and ports between the sides. ESP then must travel in UDP on port 4500, and the side " +
				"behind the NAT must be the one that calls.",
			fix: "set `encap = true`, let UDP 4500 pass, and let the side behind the NAT initiate (or forward 500 and 4500 to it).",
		}, true
	case CodeAddress:
		return info{
			title:    "the local address is gone",
			peerVerb: "still knows", peerDefault: "does not know a new address of this host",
			ourVerb: "had", ourDefault: "had an address that does not exist any more",
			text: "The address that the SA was made from is not on this host any more, and without MOBIKE an SA stays where it " +
				"was made. A connection that should be up is set up again from another address.",
			fix: "set `mobike = true` at both ends, so that the tunnel moves along and nothing is interrupted.",
		}, true
	case CodeMTU:
		return info{
			title:    "large packets do not pass the tunnel",
			peerVerb: "gets", peerDefault: "gets only small packets",
			ourVerb: "send", ourDefault: "send packets larger than the path passes",
			text: "The tunnel is up and small packets pass, but the path is too narrow for the encapsulated large ones, and " +
				"the ICMP messages that should say so are filtered. Connections open and then hang.",
			fix: "lower `tun.mtu` (1280 always passes) and leave MSS clamping on; let ICMP type 3 code 4 and ICMPv6 type 2 pass.",
		}, true
	}
	return info{}, false
}
