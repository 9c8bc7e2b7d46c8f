package diag

// The VICI alerts of authentication: the peer could not prove who it is, or we could not.
const (
	alertPeerAuth  = "peer-auth-failed"
	alertLocalAuth = "local-auth-failed"
)

// authCatalog has the codes of authentication.
var authCatalog = []info{
	{
		code: CodeAuthID, title: "the identity is not the expected one",
		peerVerb: "says it is", peerDefault: "showed another identity",
		ourVerb: "expect", ourVerbByPeer: "said we are", ourDefault: "expect the configured identity",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "Before any key is looked at, the identity in IKE_AUTH must be the one configured for the connection, in kind " +
			"and in text. An address is not the name that resolves to it.",
		seenBy: "The side that checks. The other one hears AUTHENTICATION_FAILED, which shows there as E-AUTH-REFUSED.",
		causes: []string{
			"The peer has no id configured and shows its address. Behind a NAT that is its private address.",
			"The id is written differently on the two sides: a name against an address, another domain, a typing error.",
			"The peer asks for another identity than this gateway has.",
		},
		lookAt: []string{"Both identities in the message.", "`remote.id` and `local.id` here, and the ids (leftid, rightid, local and remote id) at the peer."},
		fix:    "set `remote.id` here to what the peer shows, or the peer's own id to what is expected here.",
	},
	{
		code: CodeAuthPSK, title: "wrong pre-shared key",
		peerVerb: "authenticates with", peerDefault: "computed its AUTH value from another key",
		ourVerb: "use", ourDefault: "use the key configured for these identities",
		alert: alertPeerAuth,
		meaning: "The AUTH value proves that its sender knows the pre-shared key; the peer's does not fit. The keys differ, or " +
			"the same identities select different keys on the two sides.",
		seenBy: "The side that checks, which names its key. The other one hears AUTHENTICATION_FAILED, which shows there as E-AUTH-REFUSED.",
		causes: []string{
			"The key was not entered the same on both sides.",
			"A space or a second newline stands at the end of one of the files.",
			"One side reads the key as text, the other as hexadecimal or Base64 (0x..., 0s...).",
			"The key is stored for another pair of identities, so that this pair has selected another entry.",
			"Somebody on the way has changed IKE_SA_INIT, which AUTH covers as well.",
		},
		lookAt: []string{"`sha256sum` of the key's file on both sides.", "The two identities in the message, and `id` of the entry that it names."},
		fix: "enter the same key on both sides, for the same two identities; compare `sha256sum` of both files rather " +
			"than the text, and look for a trailing newline.",
	},
	{
		code: CodeAuthRefused, title: "the peer refuses our authentication",
		peerVerb: "says", peerDefault: "does not accept our proof",
		ourVerb: "authenticated with", ourDefault: "authenticated with the key configured for these identities",
		alert: alertLocalAuth,
		meaning: "The peer answered AUTHENTICATION_FAILED instead of a proof of its own. On purpose it does not say why, since it does not " +
			"know yet whom it talks to: its key for us is another one, it does not expect the identity that we show, or it does not have " +
			"the identity that we ask for. It has shown no identity itself.",
		seenBy: "The side that was refused. The other one knows the reason: E-AUTH-PSK, E-AUTH-ID, E-CONN-NONE, E-NO-SECRET, E-PPK, E-SIGNATURE or one that begins with " +
			"E-CERT in the log of an Esplanade, its own words in that of another peer.",
		causes: []string{
			"The key for this pair of identities differs, or the peer has none.",
			"The peer expects another identity than `local.id`. Without `local.id` that is our address, which a NAT does not change.",
			"The peer has another identity than `remote.id`, which is what we ask for.",
			"The peer does not know the CA of our certificate or one between, has it as ended or revoked by its clock, or does not find our identity in it.",
			"The peer expects another method (pre-shared key, certificate, EAP), or insists on a PPK.",
			"The peer keeps an IKE SA that it has with this identity already, and takes no second one (`unique = \"keep\"`).",
		},
		lookAt: []string{
			"The peer's log for this minute: it names the reason.", "`sha256sum` of the key's file on both sides.",
			"The identities in the message, and the ids (leftid, rightid, local and remote id) at the peer.",
		},
		fix: "compare, in this order: the key for this pair of identities, or whether the peer knows the CA of our certificate; local.id with what the peer expects of us; remote.id with the " +
			"peer's own id.",
	},
	{
		code: CodeAuthMethod, title: "authentication method not accepted",
		peerVerb: "authenticates with", peerDefault: "authenticates in another way",
		ourVerb: "require", ourVerbByPeer: "authenticated with", ourDefault: "require the configured method",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "One side proves its identity with a method (pre-shared key, signature, EAP) that the other side is not " +
			"configured to accept from it. This version has pre-shared keys and signatures.",
		seenBy: "The side that checks. The other one hears AUTHENTICATION_FAILED, which shows there as E-AUTH-REFUSED.",
		causes: []string{
			"One side is configured for a certificate, the other one for a pre-shared key.",
			"The peer is a client for user names and passwords (EAP).",
		},
		lookAt: []string{"The method in the message.", "The authentication settings of the peer."},
		fix:    "let both sides name the same method, pre-shared key or certificate: `auth` of the local table here is that of the remote one there.",
	},
	{
		code: CodeAuthRounds, title: "another number of rounds of authentication",
		peerVerb: "authenticates in", peerDefault: "authenticates in another number of rounds",
		ourVerb: "require", ourDefault: "require the configured number of rounds",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "With RFC 4739 a side proves several identities one after another, such as that of a machine and that of its user. Both sides " +
			"have to be configured for the same rounds, and both have to know the RFC.",
		seenBy: "The side that checks. The other one hears AUTHENTICATION_FAILED, which shows there as E-AUTH-REFUSED, or nothing if this side calls.",
		causes: []string{
			"The peer is configured for fewer rounds, or for more.",
			"The peer does not know RFC 4739 (most gateways do not), or it is switched off there.",
		},
		lookAt: []string{"The tables `local-…` and `remote-…` of the connection.", "The rounds of the peer's connection for this gateway."},
		fix:    "configure the same rounds on both sides.",
	},
	{
		code: CodeNoSecret, title: "no secret for these identities",
		peerVerb: "is", peerDefault: "is known, but no key is stored for it",
		ourVerb: "looked for", ourDefault: "a secret that names the peer",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "A connection was found, but no entry under `secrets` names the peer. An entry without `id` fits every peer; " +
			"one with ids must name this one. That an entry names this gateway does not make it the key of a peer that it does " +
			"not name: its other holders could then pass for that peer.",
		seenBy: "The side that has no key. The other one hears AUTHENTICATION_FAILED, or nothing if this side calls.",
		causes: []string{
			"There is no [secrets.ike.NAME] for the peer, and no `secret_file` in its connection.",
			"Its `id` is written differently from what the peer shows in IKE_AUTH. Behind a NAT that may be a private address.",
		},
		lookAt: []string{"The identities in the message.", "`id` of the entries under `secrets.ike`, and `secret_file` of the connection."},
		fix: "set `secret_file` in the connection, or add an entry [secrets.ike.NAME] with the peer's identity in `id` and a key of its own, or " +
			"correct the `id` of its entry.",
	},
	{
		code: CodePPK, title: "no agreement on the post-quantum preshared key",
		peerVerb: "uses", peerDefault: "does not use the PPK",
		ourVerb: "use", ourDefault: "require a PPK",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "A post-quantum preshared key (PPK, RFC 8784) is mixed into the keys when both sides know it by the same id. " +
			"One side insists on it, and the other does not use it, or uses another one.",
		seenBy: "The side that insists, or that finds the PPK to be another.",
		causes: []string{
			"The peer has no PPK, or none for this connection.",
			"The two sides have it under different ids.",
			"The key under this id differs.",
			"`ppk_required` is set here, and the peer cannot do RFC 8784.",
		},
		lookAt: []string{"The id of the PPK in the message.", "`ppk_id` and `ppk_required` of the connection, and [secrets.ppk.NAME], on both sides."},
		fix: "give both sides [secrets.ppk.NAME] with the same id and the same key, and `ppk_id` for the connection; or set " +
			"`ppk_required = false` where the PPK may be missing.",
	},
	{
		code: CodeDowngrade, title: "downgrade prevention",
		peerVerb: "authenticates", peerDefault: "does not authenticate the whole IKE_SA_INIT exchange",
		ourVerb: "require", ourDefault: "require that both sides authenticate the whole IKE_SA_INIT exchange",
		alert: alertPeerAuth, alertByPeer: alertLocalAuth,
		meaning: "With downgrade prevention the proofs of both sides cover both IKE_SA_INIT messages, so that somebody on the way cannot " +
			"have them agree on the weakest algorithms that both know. Either the connection insists on it and the peer does not do it, or " +
			"both have announced it and the peer's proof does not cover both messages.",
		seenBy: "The side that checks. The other one hears AUTHENTICATION_FAILED, which shows there as E-AUTH-REFUSED, or nothing if this side calls.",
		causes: []string{
			"The peer does not have the extension, and `downgrade_prevention = \"required\"` stands here.",
			"Somebody on the way takes the notification out of IKE_SA_INIT: a firewall that removes what it does not know, or an attack.",
			"The peer follows another version of the draft.",
		},
		lookAt: []string{"`downgrade_prevention` of the connection, and in [ike].",
			"IKE_SA_INIT as both sides have logged it, or in a capture on both sides: the messages have to be the same."},
		fix: "find out who changes IKE_SA_INIT on the way. If it is the peer that does otherwise, set downgrade_prevention = \"no\" in the connection.",
	},
}
