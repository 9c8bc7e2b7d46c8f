package diag

// alertSilent is the VICI alert for a peer that does not answer.
const alertSilent = "retransmit-send-timeout"

// networkCatalog has the codes of reaching the peer.
var networkCatalog = []info{
	{
		code: CodeTimeoutInit, title: "the peer is silent",
		peerVerb: "sent", peerDefault: "sent nothing at all",
		ourVerb: "sent", ourDefault: "sent IKE_SA_INIT until the retransmissions ran out",
		alert:   "peer-init-unreachable",
		meaning: "No answer came to IKE_SA_INIT, not even an ICMP error. The gateway tries again.",
		seenBy:  "The side that calls. The other one has nothing in its log if the packets do not arrive.",
		causes: []string{
			"The peer, or its IKE daemon, is down.",
			"The address is wrong.",
			"A firewall drops UDP port 500 in one of the two directions.",
			"The peer ignores us: it has no connection for our address, which a NAT may have changed.",
		},
		lookAt: []string{"`tcpdump -ni any udp port 500 or udp port 4500` at the peer: whether our packets arrive, and whether it answers.", "The same here: whether answers arrive."},
		fix: "check that the peer runs and the address is right; then that UDP 500 and 4500 pass both ways (tcpdump at the " +
			"peer shows whether our packets arrive); then that the peer has a connection for our address.",
	},
	{
		code: CodeTimeoutAuth, title: "IKE_SA_INIT was answered, IKE_AUTH is not",
		peerVerb: "sent", peerDefault: "answered IKE_SA_INIT, then nothing more",
		ourVerb: "sent", ourDefault: "sent IKE_AUTH until the retransmissions ran out",
		alert: alertSilent,
		meaning: "The first exchange passed, the next one gets no answer. Between the two the port changes to 4500, and the " +
			"messages grow.",
		seenBy: "The side that calls. The other one shows E-HALF-OPEN.",
		causes: []string{
			"A firewall passes UDP port 500 and not 4500.",
			"The path loses large messages: IP fragments are dropped, and one of the two sides has no IKE fragmentation.",
			"The peer drops an IKE_AUTH silently that it cannot decrypt or accept.",
		},
		lookAt: []string{"`tcpdump -ni any udp port 4500` on both sides.", "The peer's log for this minute."},
		fix:    "let UDP 4500 pass both ways; keep `fragmentation` on at both ends; then read the peer's log.",
	},
	{
		code: CodeTimeout, title: "no answer to a request",
		peerVerb: "sent", peerDefault: "did not answer",
		ourVerb: "sent", ourDefault: "sent the request until the retransmissions ran out",
		alert: alertSilent,
		meaning: "A request on an established IKE SA was not answered in time. The IKE SA is given up with its CHILD SAs, as " +
			"IKEv2 demands. A connection that should be up is set up again.",
		seenBy: "The side that sent the request.",
		causes: []string{
			"The peer was restarted or switched off.",
			"The path was interrupted for longer than the retransmissions take (83 seconds by default).",
			"The path loses many packets.",
		},
		lookAt: []string{"The log of the peer, and of the devices between, at that time.", "`ipsec_retransmits_total`: it grows with the loss."},
		fix: "nothing, if the peer was restarted: the connection is set up again. If it recurs, look at loss on the path " +
			"and raise retransmit_tries or retransmit_timeout.",
	},
	{
		code: CodeHalfOpen, title: "the peer began and did not go on",
		peerVerb: "sent", peerDefault: "sent IKE_SA_INIT, then no IKE_AUTH",
		ourVerb: "waited", ourDefault: "waited for IKE_AUTH until half_open_timeout",
		alert:   "half-open-timeout",
		meaning: "This gateway answered IKE_SA_INIT, and no acceptable IKE_AUTH came within half_open_timeout.",
		seenBy:  "The side that is called. The peer may show a timeout, or a failure of its own.",
		causes: []string{
			"Our answer does not reach the peer, or the peer does not accept it.",
			"The IKE_AUTH is lost: UDP port 4500 is closed, or large messages do not pass.",
			"It is a scan from the Internet, or a forged address.",
		},
		lookAt: []string{"The peer's log for this minute.", "`tcpdump -ni any udp port 4500` on both sides."},
		fix:    "read the peer's log; let UDP 4500 pass both ways; a scan can be ignored.",
	},
	{
		code: CodeUnreachable, title: "the network refuses packets to the peer",
		peerVerb: "is", peerDefault: "cannot be reached",
		ourVerb: "got", ourDefault: "could not send to it",
		alert: "peer-init-unreachable",
		meaning: "An ICMP message came back, from the peer or from a router, or this system itself refused to send. The message says which, " +
			"and from whom. Anybody can forge ICMP, so the gateway tries again all the same.",
		seenBy: "The side that sends. The other one sees nothing.",
		causes: []string{
			"Port unreachable from the peer itself: the machine is there, but no IKE daemon listens, or its own firewall rejects the packets.",
			"Port unreachable or \"prohibited\" from another address: a firewall there rejects the packets.",
			"Host or network unreachable from a router: it has no route to the peer, or the peer's network is down.",
			"The same from this host: the next hop does not answer on the link, or there is no route at all, so that nothing was sent.",
			"Not permitted: a firewall rule of this machine forbids it.",
			"Message too long: the path is narrower than the message.",
		},
		lookAt: []string{"The error in the message.", "`ip route get ADDRESS` here.", "The firewalls of both machines."},
		fix:    "make possible what the cause names: the addresses of this host, its routes and its firewall.",
	},
	{
		code: CodeDPD, title: "the peer is dead",
		peerVerb: "was last heard", peerDefault: "no longer answers",
		ourVerb: "sent", ourDefault: "sent liveness checks until the retransmissions ran out",
		alert: alertSilent,
		meaning: "Nothing came from the peer for dpd_delay, and the liveness checks that followed were not answered. Its SAs " +
			"are removed. A connection that should be up is set up again.",
		seenBy: "The side that asked. The other one shows the same, if it still runs.",
		causes: []string{
			"The peer was switched off, restarted, or lost its uplink.",
			"The path was interrupted.",
			"A NAT or a stateful firewall has forgotten the connection.",
		},
		lookAt: []string{"When the peer was last heard, in the message.", "The log of the peer, and of the devices between, at that time.", "If it recurs after idle times: `keep_alive`, and the timers of the NAT."},
		fix:    "find out what happened to the peer or the path at that time; nothing needs to be done here.",
	},
	{
		code: CodeESPOneWay, title: "ESP goes out, none comes in",
		peerVerb: "answers IKE, and sent", peerDefault: "answers IKE, and sent no ESP that arrived",
		ourVerb: "sent", ourDefault: "sent packets that ask for an answer",
		meaning: "TCP connections were begun or pings sent through the tunnel, 8 at least and for ten seconds at least, and no ESP packet " +
			"has come in since, while the peer answers IKE. It takes 30, at four looks, where ESP has come in before. Traffic that goes one " +
			"way by nature (UDP) does not count. The tunnel stays up: it may be that only the hosts behind the peer do not answer. It is " +
			"looked at after each liveness check, of either side. It ends when ESP comes in, when the SA is replaced, and when nothing has " +
			"asked for three minutes.",
		seenBy: "Each side that sends such packets.",
		causes: []string{
			"Without UDP encapsulation: a firewall drops IP protocol 50 (ESP), in one direction or both.",
			"The hosts behind the peer do not answer, do not exist, or answer by another way.",
			"The peer does not forward what it has decrypted: its firewall, its routes, `ip_forward`.",
			"A device on the way passes IKE on UDP port 4500 and drops ESP there.",
		},
		lookAt: []string{
			"`tcpdump -ni any 'ip proto 50 or udp port 4500'` on both sides: where the packets end.",
			"The peer's counters: whether it has decrypted our packets, and sent any.",
		},
		fix: "let IP protocol 50 pass both ways, or set `encap = true`, which takes UDP 4500; then see whether the peer forwards and the " +
			"hosts behind it answer.",
	},
	{
		code: CodeDNS, title: "the peer's name cannot be resolved",
		peerVerb: "is", peerDefault: "has no known address",
		ourVerb: "asked", ourDefault: "asked the resolver",
		alert:   "peer-addr-failed",
		meaning: "A host name stands for the peer or for another gateway, and the resolver gives no address for it. The gateway tries again.",
		seenBy:  "The side that calls.",
		causes: []string{
			"The name is misspelt, or its entry was removed.",
			"The resolver of this machine cannot be reached, perhaps because it is behind the tunnel.",
		},
		lookAt: []string{"`getent hosts NAME` on this machine.", "`/etc/resolv.conf`."},
		fix:    "check the name and the resolver of this machine (`getent hosts NAME`), or configure an address.",
	},
	{
		code: CodeRedirectLoop, title: "gateways redirect in a circle",
		peerVerb: "sends us", peerDefault: "sends us to another gateway again",
		ourVerb: "followed", ourDefault: "followed redirects up to the limit",
		meaning: "A gateway sent this side to another one (RFC 5685), which did the same, and so on. More than five redirects " +
			"within five minutes are taken for a loop and not followed. What is up stays up; otherwise the next attempt " +
			"begins at the configured address. A redirect to an address of this host, or to the gateway that it comes from, is not followed either.",
		seenBy: "The side that is sent around.",
		causes: []string{
			"A gateway sends this side to its own address, or to that of this side.",
			"Two gateways have each other as `redirect_to`.",
			"A load balancer's policy has no gateway that keeps the peer.",
		},
		lookAt: []string{"The gateways that the log names, one line for each redirect.", "`redirect_to` at each of them."},
		fix: "see which gateways are named in the log, and let one of them serve the peer: its redirect_to (or the policy " +
			"of its load balancer) must not lead back.",
	},
	{
		code: CodeBind, title: "a local address or port is not available", local: true,
		peerVerb: "is", peerDefault: "cannot be called from here",
		ourVerb: "need", ourDefault: "need the configured address and port",
		meaning: "The UDP socket for IKE could not be opened, so that the gateway cannot start.",
		seenBy:  "This machine, at the start.",
		causes: []string{
			"Another IKE daemon (charon, pluto, another Esplanade) holds the port.",
			"An address in `local_addrs` is not one of this machine.",
			"Ports below 1024 are not permitted to this user.",
		},
		lookAt: []string{"`ss -ulpn 'sport = 500'`: which program holds the port.", "`ip address`: the addresses of this machine."},
		fix: "stop the other daemon (`ss -ulpn 'sport = 500'` names it), correct local_addrs, or give the program " +
			"CAP_NET_BIND_SERVICE or another port (`ike.port` or `ike.port_nat_t`, as the message says).",
	},
	{
		code: CodeNAT, title: "a NAT is in the way",
		peerVerb: "is seen as", peerDefault: "does not allow a NAT, and there is one",
		ourVerb: "sent from", ourDefault: "refuse messages whose addresses were changed",
		meaning: "One of the two sides does no NAT traversal, so the sender of a message says which addresses it has sent it " +
			"with (NO_NATS_ALLOWED, RFC 4555). The message has arrived with other addresses. The IKE SA, or its move to " +
			"another address, is refused: somebody may have sent the message on.",
		seenBy: "The side that received the message. The other one hears UNEXPECTED_NAT_DETECTED.",
		causes: []string{
			"A NAT stands between the two sides, and NAT traversal is off at the peer.",
			"A NAT was put in while the tunnel was up, or its address has changed.",
		},
		lookAt: []string{"The addresses in the message: compare them with those of the two machines.", "The devices between the two sides."},
		fix:    "switch NAT traversal on at the peer, and let UDP 4500 pass; or take the NAT out of the path.",
	},
	{
		code: CodeMTU, title: "large packets vanish on the path",
		peerVerb: "is behind", peerDefault: "is behind a path that drops large packets without an ICMP message",
		ourVerb: "send", ourDefault: "send smaller packets",
		meaning: "A TCP connection within the tunnel sent the same data again and again, until this gateway lowered the MTU of the " +
			"path: what is smaller gets through. Something on the path drops what is larger, and the ICMP message that would " +
			"say so does not arrive. The tunnel carries traffic all the same. More is tried again after a while.",
		seenBy: "The side that sends the large packets. The other one sees nothing.",
		causes: []string{
			"A firewall, here, at the peer or between, drops all ICMP messages.",
			"A link (PPPoE, another tunnel, a mobile network) takes less than 1500 bytes, and its router says nothing.",
			"A switch or a virtual network between the gateways has a smaller MTU than their interfaces.",
		},
		lookAt: []string{
			"`ping -M do -s 1472 PEER` and smaller sizes, on this machine (28 bytes are headers): from which size on no answer comes.",
			"`tracepath PEER`: where the MTU changes, if the router says so.", "The path's MTU in `esplanade status`, and `ipsec_child_path_mtu_bytes`.",
		},
		fix: "let ICMP type 3 code 4 (over IPv6, ICMPv6 type 2) pass in the firewalls on the path, or correct the MTU of the link that " +
			"drops large packets.",
	},
	{
		code: CodeAddress, title: "the local address is gone",
		peerVerb: "still knows", peerDefault: "does not know a new address of this host",
		ourVerb: "had", ourDefault: "had an address that does not exist any more",
		meaning: "The address that the IKE SA was made from is not on this host any more. Without MOBIKE it cannot move, and " +
			"ends. A connection that should be up is set up again from another address.",
		seenBy: "The side whose address is gone. The other one drops the old IKE SA when the new one comes (INITIAL_CONTACT).",
		causes: []string{
			"An interface went down, or its lease (DHCP, PPP) was renewed with another address.",
			"`mobike` is off here, or the peer does not offer it.",
		},
		lookAt: []string{"`ip address` and the log of the network's manager at that time.", "`esplanade status`: whether it shows \"mobike\"."},
		fix:    "set `mobike = true` at both ends, so that the tunnel moves along and nothing is interrupted.",
	},
}
