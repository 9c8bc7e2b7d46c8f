package diag

// radiusCatalog has the codes of RADIUS servers.
var radiusCatalog = []info{
	{
		code: CodeRADIUSSilent, title: "the RADIUS server does not answer",
		alertCause: "radius-not-responding",
		peerVerb:   "is", peerDefault: "is a user whom a RADIUS server was asked about",
		ourVerb: "heard", ourDefault: "heard nothing from the RADIUS server",
		alert:   alertPeerAuth,
		meaning: "The connection has its users checked by RADIUS, and none of the servers has answered in time.",
		seenBy:  "The gateway. The client hears EAP-Failure.",
		causes: []string{
			"The server is down, or a firewall is in between.",
			"The server does not know this gateway's address as that of a client: it does not answer then.",
			"The secret differs: many servers do not answer then.",
			"The server waits for something itself: a directory, a database, another server.",
			"The server answers from another address than the one it was asked at; the log says so.",
		},
		lookAt: []string{"`esplanade status`, which has the state of each server.", "The server's log for the same minute.", "What tcpdump shows on the port of the server, on both hosts."},
		fix:    "compare address and port with those of the server, and let it know this gateway as a client.",
	},
	{
		code: CodeRADIUSLying, title: "an answer of the RADIUS server that can't be believed",
		peerVerb: "is", peerDefault: "is a user whom a RADIUS server was asked about",
		ourVerb: "have", ourDefault: "have no answer that can be believed",
		alert: alertPeerAuth,
		meaning: "Answers came, and do not prove that they are from the server: their authenticator is wrong, or they have no Message-Authenticator. They are ignored, and the " +
			"right one was waited for in vain.",
		seenBy: "The gateway. The client hears EAP-Failure. The log has each kind of wrong answer once a minute.",
		causes: []string{
			"The secret differs on the two sides: a space or a newline at its end, or one that was changed on one side.",
			"The server sends no Message-Authenticator (CVE-2024-3596): for EAP it must.",
			"A proxy in between changes the packets.",
			"Somebody forges answers.",
		},
		lookAt: []string{"What was wrong, in the message.", "The secret on both sides, byte by byte.", "`require_message_authenticator` and its like at the server."},
		fix:    "set the same secret on both sides, and have the server send Message-Authenticator.",
	},
	{
		code: CodeRADIUSReject, title: "the RADIUS server rejects the user",
		peerVerb: "is", peerDefault: "is a user whom the RADIUS server rejects",
		ourVerb: "have", ourDefault: "have an Access-Reject",
		alert: alertPeerAuth,
		meaning: "The RADIUS server has said no. It says why in its own log; what it has put into Reply-Message is in this message. The client learns nothing of it here: its method of EAP " +
			"may have told it.",
		seenBy: "The gateway. The client hears EAP-Failure.",
		causes: []string{
			"The password is wrong, or nobody has the name.",
			"The user may not come in from this gateway, or not at this time.",
			"The client and the server have no method of EAP in common.",
			"The client does not trust the certificate of the server, and has given up.",
		},
		lookAt: []string{"The server's log: with FreeRADIUS, `radiusd -X` shows everything."},
		fix:    "look into the log of the server: it knows why.",
	},
	{
		code: CodeRADIUSAnswer, title: "an answer of the RADIUS server that makes no sense",
		peerVerb: "is", peerDefault: "is a user whom a RADIUS server was asked about",
		ourVerb: "have", ourDefault: "have an answer that makes no sense",
		alert: alertPeerAuth,
		meaning: "The answer is from the server, and nothing can be done with it: an Access-Accept without EAP-Success or without the keys of its method, an address that is none, an " +
			"attribute that is malformed.",
		seenBy: "The gateway. The client hears EAP-Failure.",
		causes: []string{
			"The server accepts the user by something else than EAP (Auth-Type := Accept).",
			"A proxy or a policy of the server takes attributes away, such as the MS-MPPE keys.",
			"The secret between a proxy and the server differs, so that the keys are garbage.",
			"An attribute of the user is wrong at the server.",
		},
		lookAt: []string{"What is wrong, in the message.", "What the server sends: with FreeRADIUS, `radiusd -X`."},
		fix:    "correct what the server sends for the user: keys, EAP and addresses.",
	},
}
