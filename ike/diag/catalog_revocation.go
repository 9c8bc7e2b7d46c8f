package diag

// revocationCatalog has the codes of revocations.
var revocationCatalog = []info{
	{
		code: CodeCertRevoked, title: "a certificate was revoked",
		alertCause: "cert-revoked",
		peerVerb:   "shows", peerDefault: "shows a certificate that was revoked",
		ourVerb: "know that from", ourDefault: "know that from its CA",
		alert: alertPeerAuth,
		meaning: "The CA has revoked the peer's certificate, or that of a CA between: it must not be believed any more, although it has not expired. " +
			"Each policy of `revocation` refuses it.",
		seenBy: seenByChecker,
		causes: []string{
			"The key was lost or the peer was retired, and the certificate was revoked on purpose.",
			"The certificate was replaced, and the peer still has the old one.",
			"The certificate is on hold (certificateHold), which its CA can undo.",
		},
		lookAt: []string{"The serial number, the time and the reason in the message, and which CRL or OCSP answer says so.", "`esplanade pki show` of the CRL."},
		fix:    "have a new certificate issued for the peer; if the old one was revoked by mistake, only a new one helps, unless it is on hold.",
	},
	{
		code: CodeCertStatus, title: "it is not known whether a certificate was revoked",
		alertCause: "cert-validation-failed",
		peerVerb:   "shows", peerDefault: "shows a certificate of which it is not known",
		ourVerb: "want", ourDefault: "want to know whether it was revoked",
		alert: alertPeerAuth,
		meaning: "The policy (`revocation` of the remote table) wants to know that a certificate was not revoked, and neither a CRL nor an OCSP " +
			"responder says so: `strict` always wants that, `ifuri` where there is an address to ask at or a CRL.",
		seenBy: seenByChecker,
		causes: []string{
			"The server with the CRL, or the OCSP responder, is down, or this host does not reach it: a firewall, no DNS, a route through the tunnel that is to come up.",
			"Its address is a private one and comes from the certificate: `fetch_allow` of `[credentials]` does not name it.",
			"The CRL is out of date: its CA has made no new one.",
			"The answer is not signed by the CA, nor by a responder that it has authorized.",
			"The clock of this host is wrong.",
		},
		lookAt: []string{"The message: it has a reason for each source that was tried.", "`curl` of the address from this host.", "`date`."},
		fix:    "look at each source that is named: whether the server answers, whether the CRL is out of date, whether the clock here is right.",
	},
}
