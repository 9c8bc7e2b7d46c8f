package diag

// authInfo describes the codes of authentication.
func authInfo(c Code) (info, bool) {
	const byUs, byThem = "peer-auth-failed", "local-auth-failed"
	switch c {
	case CodeAuthID:
		return info{
			title:    "the identity is not the expected one",
			peerVerb: "says it is", peerDefault: "showed another identity",
			ourVerb: "expect", ourVerbByPeer: "said we are", ourDefault: "expect the configured identity",
			alert: byUs, alertByPeer: byThem,
			text: "Before any key is looked at, the identity in IKE_AUTH must be the one configured for the connection, in " +
				"kind and in text: an address is not the name that resolves to it, and a gateway behind NAT that has no " +
				"id configured shows its private address.",
			fix: "set `remote.id` here to what the peer shows, or the peer's own id to what is expected here.",
			fixByPeer: "the peer does not accept our identity: set `local.id` here to what the peer expects of us, or the " +
				"peer's remote id to what we show.",
		}, true
	case CodeAuthPSK:
		return info{
			title:    "wrong pre-shared key",
			peerVerb: "authenticates with", peerDefault: "computed its AUTH value from another key",
			ourVerb: "use", ourVerbByPeer: "authenticated with", ourDefault: "use the key configured for these identities",
			alert: byUs, alertByPeer: byThem,
			text: "The AUTH value proves that its sender knows the pre-shared key; this one does not fit. The keys differ, or " +
				"the same identities select different keys on the two sides. Typical causes: a trailing newline or space " +
				"in one of the files, hex or base64 taken as text on one side (0x..., 0s...), a key stored for another " +
				"pair of identities.",
			fix: "enter the same key on both sides, for the same two identities; compare `sha256sum` of both files rather " +
				"than the text, and look for a trailing newline.",
			fixByPeer: "the peer refused our AUTH value and does not say why: most likely its key for us differs, or it has " +
				"none for the identity we show. Compare the key on both sides, then local.id here with the id the peer " +
				"expects.",
		}, true
	case CodeAuthMethod:
		return info{
			title:    "authentication method not accepted",
			peerVerb: "authenticates with", peerDefault: "authenticates in another way",
			ourVerb: "require", ourVerbByPeer: "authenticated with", ourDefault: "require the configured method",
			alert: byUs, alertByPeer: byThem,
			text: "One side proves its identity with a method (pre-shared key, signature, EAP) that the other side is not " +
				"configured to accept from it.",
			fix:       "set `remote.auth` here to what the peer uses, or change the peer to what is required here.",
			fixByPeer: "the peer wants another method from us: set `local.auth` here to what its configuration asks of us.",
		}, true
	case CodeAuthSig:
		return info{
			title:    "the signature does not verify",
			peerVerb: "signed with", peerDefault: "sent a signature that does not fit its certificate",
			ourVerb: "verify with", ourVerbByPeer: "signed with", ourDefault: "verify with the key of its certificate",
			alert: byUs, alertByPeer: byThem,
			text: "The signature over the exchange does not verify with the public key of the certificate: the private key " +
				"belongs to another certificate, the hash is not one that was agreed on, or the messages were altered.",
			fix:       "check at the peer that its private key belongs to the certificate it sends.",
			fixByPeer: "check that the private key configured here belongs to the certificate sent with it.",
		}, true
	case CodeAuthRefused:
		return info{
			title:    "the peer refuses our authentication",
			peerVerb: "says", peerDefault: "does not say why",
			ourVerb: "authenticated as", ourDefault: "authenticated as configured",
			alert: byThem,
			text: "The peer answered AUTHENTICATION_FAILED. It may not say more (the reason would help an attacker), so the " +
				"cause is in its log: an identity it does not expect, a certificate it does not trust, an unknown user.",
			fix: "read the peer's log for this minute; check local.id, and that the peer trusts our certificate's CA.",
		}, true
	case CodeAuthCertChain:
		return info{
			title:    "certificate not trusted",
			peerVerb: "sent", peerDefault: "sent a certificate without a trusted issuer",
			ourVerb: "trust", ourVerbByPeer: "sent", ourDefault: "trust none of its issuers",
			alert: "cert-no-issuer", alertByPeer: byThem,
			text: "From the peer's certificate no chain leads to a CA certificate that is trusted here for this connection. " +
				"Often only the intermediate certificate is missing: the peer must send it, or it must be installed here.",
			fix:       "add the issuing CA (or intermediate) to `credentials.x509ca` here, or let the peer send its whole chain.",
			fixByPeer: "install our CA certificate at the peer, or send the whole chain by giving fullchain.pem in `local.certs`.",
		}, true
	case CodeAuthCertExpired:
		return info{
			title:    "certificate outside its validity",
			peerVerb: "sent", peerDefault: "sent a certificate that is not valid now",
			ourVerb: "take the time to be", ourVerbByPeer: "sent", ourDefault: "compare with the clock of this machine",
			alert: "cert-expired", alertByPeer: byThem,
			text: "A certificate of the chain has expired or is not valid yet, by the clock of the side that checks it. A " +
				"wrong clock looks the same as an old certificate.",
			fix:       "check the clock here, then renew the certificate at the peer.",
			fixByPeer: "renew the certificate configured here; if it is valid, the peer's clock is wrong.",
		}, true
	case CodeAuthCertSAN:
		return info{
			title:    "the certificate is not for this identity",
			peerVerb: "has a certificate for", peerDefault: "has a certificate for other names",
			ourVerb: "expect", ourVerbByPeer: "showed", ourDefault: "expect its identity among the names",
			alert: byUs, alertByPeer: byThem,
			text: "The identity that was shown must be the subject or one of the subjectAltNames of the certificate, of the " +
				"same kind: a dNSName for a host name, an iPAddress for an address. Clients (Apple, Windows, Android) " +
				"insist that it is the very name or address they were told to connect to.",
			fix:       "set `remote.id` here to one of the names in the certificate, or issue a certificate with the expected name.",
			fixByPeer: "set `local.id` here to a subjectAltName of our certificate, and let it be the name the peer connects to.",
		}, true
	case CodeAuthCertRevoked:
		return info{
			title:    "certificate revoked or its status unknown",
			peerVerb: "sent", peerDefault: "sent a certificate that is revoked",
			ourVerb: "checked", ourVerbByPeer: "sent", ourDefault: "checked its status as `revocation` demands",
			alert: "cert-revoked", alertByPeer: byThem,
			text: "The issuer lists the certificate as revoked; or `revocation = \"strict\"` is set and neither CRL nor OCSP " +
				"could be had.",
			fix: "issue a new certificate for the peer; if it is not revoked, make the CRL or OCSP address reachable from " +
				"here or set `revocation = \"ifuri\"`.",
			fixByPeer: "get a new certificate for this gateway from its CA.",
		}, true
	case CodeNoSecret:
		return info{
			title:    "no secret for these identities",
			peerVerb: "is", peerDefault: "is known, but no key is stored for it",
			ourVerb: "looked for", ourDefault: "a secret that names the peer",
			alert: byUs, alertByPeer: byThem,
			text: "A connection was found, but no entry under `secrets` names the peer. An entry without `id` fits every peer; one " +
				"with ids must name this one, exactly as it is shown in IKE_AUTH, which behind NAT may be a private address. " +
				"That an entry names this gateway does not make it the key of a peer that it does not name: its other holders " +
				"could then pass for that peer.",
			fix: "add an entry [secrets.ike.NAME] with the peer's identity in `id` and a key of its own, or correct the `id` of its entry.",
		}, true
	case CodePPK:
		return info{
			title:    "no agreement on the post-quantum preshared key",
			peerVerb: "uses", peerDefault: "does not use the PPK",
			ourVerb: "use", ourDefault: "require a PPK",
			alert: byUs, alertByPeer: byThem,
			text: "A post-quantum preshared key (PPK, RFC 8784) is mixed into the keys when both sides know it by the same id. " +
				"One side insists on it (`ppk_required`, or an initiator without NO_PPK_AUTH), and the other has none, has it " +
				"under another id, is not to use it for this connection, or has another key under this id.",
			fix: "give both sides [secrets.ppk.NAME] with the same id and the same key, and `ppk_id` for the connection; or set " +
				"`ppk_required = false` where the PPK may be missing.",
		}, true
	case CodeEAP:
		return info{
			title:    "EAP authentication failed",
			peerVerb: "used", peerDefault: "did not complete the EAP method",
			ourVerb: "require", ourVerbByPeer: "used", ourDefault: "require the configured EAP method",
			alert: byUs, alertByPeer: byThem,
			text: "The EAP conversation ended in failure: an unknown user, a wrong password, a method that one side does not " +
				"do, or a client that did not trust the gateway's certificate and stopped.",
			fix:       "check user name and password under [secrets.eap.NAME], and that the client offers the configured method.",
			fixByPeer: "check the EAP identity and password configured here, and the peer's log for the user name it saw.",
		}, true
	case CodeRADIUS:
		return info{
			title:    "no RADIUS server answers",
			peerVerb: "waits as", peerDefault: "waits for its EAP answer",
			ourVerb: "asked", ourDefault: "asked the configured servers",
			alert: "radius-not-responding",
			text: "The peer authenticates with EAP, and the RADIUS servers that should decide did not answer. A wrong shared " +
				"secret looks the same: servers drop what they cannot verify.",
			fix: "check address, port and secret under [radius.servers.NAME], and that the server lists this gateway as client.",
		}, true
	}
	return info{}, false
}
