package diag

// eapCatalog has the codes of users: EAP and what stands behind it.
var eapCatalog = []info{
	{
		code: CodeEAPUser, title: "unknown user",
		peerVerb: "is", peerDefault: "gave the name of a user",
		ourVerb: "know", ourDefault: "know no user of that name",
		alert: alertPeerAuth,
		meaning: "The client has given the name of a user in EAP, and there is none of that name. The client learns no more than that it failed: to it, a wrong " +
			"password looks the same.",
		seenBy: "The gateway. The client hears EAP-Failure.",
		causes: []string{
			"The name is misspelt, or the client puts a domain before it or behind it.",
			"The user was not added here, or was taken away.",
			"Somebody tries names.",
		},
		lookAt: []string{"The name in the message.", "[secrets.eap.NAME] and the users file; for eap-radius, the log of the RADIUS server."},
		fix:    "add the user with the name that the client shows, or let the client use the name that there is.",
	},
	{
		code: CodeEAPPassword, title: "the user has not proved itself",
		peerVerb: "is", peerDefault: "gave another password",
		ourVerb: "have", ourDefault: "have another secret for the user",
		alert:   alertPeerAuth,
		meaning: "There is such a user, and what was shown is not its password, or the account may not be used: it is locked, or the password has expired.",
		seenBy:  "The gateway. The client hears it if its method says so, as MSCHAPv2 does, and shows it as E-EAP-REFUSED.",
		causes: []string{
			"The password is mistyped, or stored wrong in the client.",
			"The password was changed on one side.",
			"The account is locked, or its password has expired.",
			"Somebody tries passwords.",
		},
		lookAt: []string{"The reason in the message.", "The secret of the user: [secrets.eap.NAME], the users file."},
		fix:    "type the password again at the client, or set it again here.",
	},
	{
		code: CodeEAPPaused, title: "too many wrong passwords",
		peerVerb: "is", peerDefault: "gave a password that was not compared",
		ourVerb: "make", ourDefault: "make a pause after wrong passwords",
		alert: alertPeerAuth,
		meaning: "Too many wrong passwords came before: of the user from this source, of the user from everywhere, or of all users from this source. No password is compared during the pause, which " +
			"is a minute at most; the right one is refused as well. The client hears what it hears after a wrong password, whether or not there is such a user.",
		seenBy: "The gateway. The client hears EAP-Failure, or what its method says of a wrong password.",
		causes: []string{
			"A client has an old password stored, and tries it again and again.",
			"Somebody guesses passwords.",
		},
		lookAt: []string{"Whose wrong passwords count, in the message.", "`esplanade status`, which has the pauses, and the metric ipsec_eap_passwords_total."},
		fix:    "set the right password at the client and wait a minute; if it is none of yours, block its address.",
	},
	{
		code: CodeEAPMethod, title: "no common method of EAP",
		peerVerb: "wants", peerDefault: "has none of the methods that are allowed",
		ourVerb: "have", ourDefault: "have the configured methods",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "The client and the gateway have no method of EAP in common, or none that may be used: where the gateway has no certificate, the method has to prove " +
			"the gateway as well (RFC 5998); and where only the hash of a password is known, not every method can be.",
		seenBy: "The gateway, or the client.",
		causes: []string{
			"The client is set to another method.",
			"Only the NT hash of the password is known, and the method needs the password.",
			"The gateway has no certificate (`local.auth`), and the method does not prove it.",
		},
		lookAt: []string{"Both lists in the message.", "`auth` of the remote table, and the method in the client's profile."},
		fix:    "set `auth` of the remote table to a method of the client, or the client to one of the gateway.",
	},
	{
		code: CodeEAPRefused, title: "the gateway refuses the user",
		peerVerb: "says", peerDefault: "refuses us by EAP-Failure",
		ourVerb: "came as", ourDefault: "came as the configured user",
		alert:   alertLocalAuth,
		meaning: "This side is the client, and the gateway, or the RADIUS server behind it, has ended EAP with EAP-Failure. It does not say why.",
		seenBy:  "The client. The gateway knows the reason: another code of E-EAP in the log of an Esplanade, its own words in that of another one.",
		causes: []string{
			"The gateway does not know the user by that name.",
			"The password is wrong, or the account is locked.",
			"The user may not use that gateway, or none of its connections.",
		},
		lookAt: []string{"The gateway's log, and that of its RADIUS server.", "`eap_id` of the local table, and the secret in [secrets.eap.NAME]."},
		fix:    "compare the name and the secret with those at the gateway.",
	},
	{
		code: CodeEAPAllowed, title: "no connection is for the user",
		peerVerb: "is", peerDefault: "is a user who may not come in",
		ourVerb: "tried", ourDefault: "have no connection for the user",
		alert:   alertPeerAuth,
		meaning: "EAP has proved who the user is, and no connection lets it in: its name does not fit `eap_id`, or it is in none of the `groups`. All connections that were tried are named.",
		seenBy:  "The gateway. The client hears EAP-Failure.",
		causes: []string{
			"The user is not in the group, or the RADIUS server sends no Class or Filter-Id that says so.",
			"`eap_id` is written without the domain that the name has, or with one that it does not have.",
		},
		lookAt: []string{"The groups and the connections in the message.", "The groups of the user: the users file, or the reply of the RADIUS server."},
		fix:    "put the user into the group, or change `groups` or `eap_id` of the connection.",
	},
	{
		code: CodeEAPTLS, title: "TLS within EAP failed",
		peerVerb: "is", peerDefault: "did not complete the handshake",
		ourVerb: "came as", ourDefault: "did not complete the handshake",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "EAP-TLS, EAP-TTLS and PEAP begin with a handshake of TLS, in which the server, and in EAP-TLS the user, shows a certificate. One side does not accept what the other shows, " +
			"or they have no version or cipher in common.",
		seenBy: "Both sides; the one that refuses knows why.",
		causes: []string{
			"The client does not trust the CA of the server's certificate, or expects another name in it.",
			"The user's certificate is not of a CA that is trusted here, or has expired.",
			"One side has TLS 1.0 or 1.1 alone.",
		},
		lookAt: []string{"The reason in the message.", "The certificate of the local table, `cacerts` of the remote one, and what the client trusts."},
		fix:    "let each side trust the CA of the other's certificate, and expect the name that is in it.",
	},
	{
		code: CodeEAPServer, title: "no RADIUS server could be asked",
		peerVerb: "is", peerDefault: "is a user whom nobody could be asked about",
		ourVerb: "have", ourDefault: "have no RADIUS server to ask now",
		alert: alertPeerAuth,
		meaning: "The connection has its users checked by RADIUS, and no server was asked: there is none that knows users, the one of the conversation was taken out of the " +
			"configuration, or too many others wait.",
		seenBy: "The gateway. The client hears EAP-Failure.",
		causes: []string{
			"[radius.servers] has no server with an auth_port, or a reload has taken it away meanwhile.",
			"Very many users come at a time, and the servers are slow, or silent.",
		},
		lookAt: []string{"`esplanade status`, which has the state of each server.", "The metrics ipsec_radius_outstanding and ipsec_radius_timeouts_total."},
		fix:    "add a table [radius.servers.NAME]; if there is one, more users come at a time than servers answer.",
	},
	{
		code: CodeEAPProtocol, title: "EAP went wrong",
		peerVerb: "sent", peerDefault: "did not keep to the protocol",
		ourVerb: "wait for", ourDefault: "wait for what the protocol has next",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "What came in the place of the next message of EAP can't be there: Success before the method has come to its end, a message of another method, AUTH with another key. " +
			"It is a defect of the other side, or somebody who tries to come in without proving anything.",
		seenBy: "The side that checks.",
		causes: []string{
			"A defect of the client, the gateway or the RADIUS server.",
			"The RADIUS server hides the keys with another secret.",
			"An attack.",
		},
		lookAt: []string{"What came, in the message.", "The other side's log for the same minute."},
		fix:    "report it to the vendor of the other side; if that is unknown, do nothing: nobody was let in.",
	},
}
