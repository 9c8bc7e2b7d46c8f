package main

// signatures are mutants of signatures and of the certificates that come with them.
func signatures() []Mutant {
	return []Mutant{
		{
			Name: "signature-verified", File: "ike/auth/wants.go", Tests: "^TestCertificateFailures$", In: "ike/sa",
			Old: "if s.verify(peer.Key, j.Octets, signature) {", New: "if s.verify(peer.Key, j.Octets, signature) || true {",
			Why: "whoever has a certificate, which is public, would be its owner",
		},
		{
			Name: "signature-octets", File: "ike/auth/signature_check.go", Tests: "^TestSignaturesOfEveryKindOfKey$",
			Old: "Octets: t.PeerOctets(), Signature: a.Data}", New: "Octets: t.OwnOctets(), Signature: a.Data}",
			Why: "a signature would be of another side's octets",
		},
		{
			Name: "signature-hash-announced", File: "ike/auth/signature_check.go", Tests: "^TestHashThatWasNotAnnounced$", In: "ike/sa",
			Old: "if !slices.Contains(t.OwnHashes, s.Hash()) {", New: "if false {",
			Why: "a hash that this side does not take would be taken",
		},
		{
			Name: "signature-hash-of-peer", File: "ike/auth/signature.go", Tests: "^TestOldMethodsAndAnnouncedHashes$", In: "ike/sa",
			Old: "if slices.Contains(t.PeerHashes, s.Hash()) && (", New: "if (",
			Why: "this side would sign by what the peer does not take",
		},
		{
			Name: "signature-method-agreed", File: "ike/auth/signature_check.go", Tests: "^TestMethodThatWasNotAgreedOn$", In: "ike/sa",
			Old: "case (a.Method == wire.AuthDigitalSignature) != t.Digital() || ", New: "case ",
			Why: "who takes the announcement out of IKE_SA_INIT would bring the methods of before about, or one that was not agreed on be taken",
		},
		{
			Name: "signature-pss-hash", File: "ike/auth/algorithms.go", Tests: "^TestAlgorithmIdentifiersAreReadStrictly$",
			Old: "case !hasHash || !hasMask:", New: "case false:",
			Why: "parameters that are left out stand for SHA-1",
		},
		{
			Name: "signature-trailing-octets", File: "ike/auth/algorithms.go", Tests: "^TestAlgorithmIdentifiersAreReadStrictly$",
			Old: "if !ok || !der.Empty() {", New: "if !ok {",
			Why: "octets behind the algorithm would be passed over",
		},
		{
			Name: "signature-raw-length", File: "ike/auth/scheme.go", Tests: "^TestSignaturesOfZero$|^TestWycheproofSignatures$",
			Old: "if len(raw) != 2*size {", New: "if len(raw) < 2*size {",
			Why: "r and s would have any length",
		},
		{
			Name: "signature-sha1", File: "ike/sa/cert.go", Tests: "^TestRSAWithSHA1$",
			Old: "SHA1:  m.cfg.RSASHA1,", New: "SHA1:  true,",
			Why: "SHA-1 would be taken without having been asked for",
		},
		{
			Name: "certificate-encodings", File: "ike/auth/signature_check.go", Tests: "^TestCertPayloadsAsTheyCome$", In: "ike/sa",
			Old: "case c.Encoding == wire.CertX509Signature:", New: "case c.Encoding != wire.CertRawPublicKey:",
			Why: "a URL would count as a certificate",
		},
		{
			Name: "certificate-never-sent", File: "ike/auth/signature.go", Tests: "^TestWhenCertificatesAreSent$", In: "ike/sa",
			Old: "case p.s.Send == policy.SendCertNever:", New: "case false:",
			Why: "send_cert = never would send them to whoever asks",
		},
		{
			Name: "certreq-limit", File: "ike/sa/cert.go", Tests: "^TestCertReqStaysSmall$",
			Old: "if n > limit {", New: "if false {",
			Why: "IKE_SA_INIT, which is never fragmented, would outgrow the path",
		},
		{
			Name: "auth-comes-again", File: "ike/sa/auth_responder.go", Tests: "^TestRequestOfIKEAuthComesAgain$",
			Old: "	m.flow, m.best = nil, nil\n	m.unreceive(r, err)", New: "	m.unreceive(r, err)",
			Why: "a request that was taken for lost would come again as another round",
		},
		{
			Name: "connection-by-ca", File: "ike/sa/rounds.go", Tests: "^TestConnectionByCA$",
			Old: "return errors.As(err, &refusal) || ", New: "return ",
			Why: "of two connections with one pattern only the peers of the first would come in",
		},
		{
			Name: "strangers-signatures", File: "ike/gateway/budget.go", Tests: "^TestSignaturesOfStrangersAreBudgeted$",
			Old: "	case cost >= expensive:\n		return g.expensive.afford(now, from, cost)\n", New: "	case cost >= expensive:\n		return true\n",
			Why: "strangers could have any number of costly signatures verified",
		},
		{
			Name: "ticket-of-certificates", File: "ike/sa/auth_flow.go", Tests: "^TestCertificatesChangedSinceTheTicket$",
			Old: "	h.Write(signed[:])\n", New: "",
			Why: "a ticket would outlive the certificates and the trust that it was given for",
		},
		{
			Name: "ticket-ends-with-certificate", File: "ike/sa/resume_responder.go", Tests: "^TestTicketEndsWithTheCertificate$",
			Old: "	expires = earliest(expires, m.provedUntil())\n", New: "",
			Why: "a ticket would be good for longer than the certificate",
		},
	}
}
