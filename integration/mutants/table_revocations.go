package main

// revocations are mutants of what is believed about certificates that were revoked, and of where that is fetched from.
func revocations() []Mutant {
	return []Mutant{
		{
			Name: "crl-signature", File: "ike/pki/revocation/list.go", Tests: "^TestList$",
			Old: "if err := checkSignature(ca, l.head.SignatureAlgorithm, l.head.RawTBSRevocationList, l.head.Signature); err != nil {", New: "if err := error(nil); err != nil {",
			Why: "anybody could say that nothing was revoked",
		},
		{
			Name: "crl-stale", File: "ike/pki/revocation/held.go", Tests: "^TestList$",
			Old: "if now.After(until) {", New: "if false {",
			Why: "a list from before the revocation would count for ever",
		},
		{
			Name: "crl-number", File: "ike/pki/revocation/lists.go", Tests: "^TestNumber$",
			Old: "if o.same(h) && h.older(o) &&", New: "if false && h.older(o) &&",
			Why: "an old list could take the place of a newer one",
		},
		{
			Name: "crl-released", File: "ike/pki/revocation/store.go", Tests: "^TestReleased$",
			Old: "if f.reason != CertificateHold || now.Before(f.until) {", New: "if true {",
			Why: "a certificate whose hold was taken back would be refused for as long as the daemon runs",
		},
		{
			Name: "crl-scope", File: "ike/pki/revocation/scope.go", Tests: "^TestList$",
			Old: "if len(s.names) == 0 {", New: "if true {",
			Why: "the list of another part of the CA's certificates would say that this one is good",
		},
		{
			Name: "crl-delta-base", File: "ike/pki/revocation/held.go", Tests: "^TestDelta$",
			Old: "base.head.Number.Cmp(h.List.base) >= 0", New: "true",
			Why: "a delta of a newer list would hide what was revoked between the two",
		},
		{
			Name: "ocsp-other-ca", File: "ike/pki/revocation/ocsp_answer.go", Tests: "^TestOCSP$",
			Old: "return bytes.Equal(s.nameHash, name.Sum(nil)) && bytes.Equal(s.keyHash, key.Sum(nil))", New: "return true",
			Why: "an answer for a certificate of another CA with the same number would count",
		},
		{
			Name: "ocsp-delegated", File: "ike/pki/revocation/ocsp_answer.go", Tests: "^TestOCSP$",
			Old: "case !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):", New: "case false:",
			Why: "every holder of a certificate could answer for all the others",
		},
		{
			Name: "ocsp-trusted-rules", File: "ike/pki/revocation/answers.go", Tests: "^TestTrustedResponder$",
			Old: "return answerKey{caOf(issuer), string(serialOctets(c)), responder}", New: "return answerKey{caOf(issuer), string(serialOctets(c)), [sha256.Size]byte{}}",
			Why: "a responder that one connection trusts would count for all of them",
		},
		{
			Name: "revocation-ignored", File: "ike/auth/signature_check.go", Tests: "^TestRevoked$", In: "ike/sa",
			Old: "			return Step{}, answer.Err\n		}\n		t.PeerGoodUntil", New: "			answer.Value = revocation.Verdict{}\n		}\n		t.PeerGoodUntil",
			Why: "a peer whose certificate was revoked would be let in",
		},
		{
			Name: "revoked-and-resumed", File: "ike/auth/signature_check.go", Tests: "^TestTicketEndsWithWhatIsKnownOfRevocations$", In: "ike/sa",
			Old: "t.PeerGoodUntil = earlier(t.PeerGoodUntil, answer.Value.(revocation.Verdict).Until)", New: "_ = earlier",
			Why: "a peer whose certificate was revoked would come back with one ticket after the other for as long as the certificate lasts",
		},
		{
			Name: "listed-and-resumed", File: "ike/credential/credential.go", Tests: "^TestMark$",
			Old: "			part(h, 11, sum[:])\n", New: "			_ = sum\n",
			Why: "a peer would be taken up again that a file with a list has as revoked since",
		},
		{
			Name: "fetch-guard", File: "ike/pki/fetch/client.go", Tests: "^TestForbidden$|^TestNames$",
			Old: "return c.Guard.Check(ap.Addr(), configured && addr == first)", New: "c.Guard.Check(ap.Addr(), addr == first)\n				return nil",
			Why: "a certificate could have this gateway ask servers inside its network",
		},
		{
			Name: "fetch-redirect-configured", File: "ike/pki/fetch/client.go", Tests: "^TestFetch$",
			Old: "configured && addr == first)", New: "configured && (addr == first || true))",
			Why: "a server that the operator has named could send this gateway to any private address",
		},
		{
			Name: "fetch-size", File: "ike/pki/fetch/client.go", Tests: "^TestFetch$",
			Old: "case len(out) > most:", New: "case len(out) > most*1000:",
			Why: "an endless answer would take all memory",
		},
		{
			Name: "fetch-forbidden-to-all", File: "ike/pki/revocation/needed.go", Tests: "^TestSameAddress$",
			Old: "	if n.Configured {\n", New: "	if false {\n",
			Why: "a certificate that names the operator's address in a private network would have nobody asked there",
		},
		{
			Name: "fetch-crowded-out", File: "ike/pki/fetch/client.go", Tests: "^TestBusy$",
			Old: "max(int64(cap(grown))-freeOctets, 0) - taken", New: "int64(cap(grown)) - taken",
			Why: "a few servers that send much and slowly would keep all others from being heard",
		},
		{
			Name: "crl-disk-older", File: "ike/fetchers.go", Tests: "^TestOlderThanOnDisk$",
			Old: "(time.Now(), n, body), \"ok\"); err == nil && r.cache != nil {", New: "(time.Now(), n, body), \"ok\"); r.cache != nil {",
			Why: "an old list that was refused would be believed after a restart",
		},
		{
			Name: "revocation-one-for-all", File: "ike/revocations.go", Tests: "^TestTooManyOfOne$",
			Old: " || r.held[q.holder] >= maxInquiriesOfHolder {", New: " {",
			Why: "the holder of one certificate would keep out all others of a connection",
		},
		{
			Name: "fetch-nat64", File: "ike/pki/fetch/guard.go", Tests: "^TestGuard$",
			Old: "		return g.Check(netip.AddrFrom4([4]byte(b[12:])), configured)\n", New: "		_ = b\n		return nil\n",
			Why: "an address of NAT64 would lead to a private one of IPv4",
		},
		{
			Name: "fetch-redirect-scheme", File: "ike/pki/fetch/client.go", Tests: "^TestFetch$",
			Old: "	case req.URL.Scheme != first.URL.Scheme:\n", New: "	case false:\n",
			Why: "a redirection could change from one scheme to another",
		},
		{
			Name: "ocsp-responder-ended", File: "ike/pki/revocation/ocsp_answer.go", Tests: "^TestOCSP$",
			Old: "	case outside(now, c):\n", New: "	case false:\n",
			Why: "whoever has the key of a responder of years ago could answer",
		},
		{
			Name: "fetch-shared", File: "ike/fetchers.go", Tests: "^TestShared$",
			Old: "		r.byKey[key] = f\n", New: "",
			Why: "each of many peers would have the same list fetched",
		},
		{
			Name: "revoked-while-up", File: "ike/sa/withdrawn.go", Tests: "^TestRevokedWhileUp$",
			Old: "	for _, c := range slices.Clone(m.children) {\n		m.removeChild(c, reason, false)\n	}\n", New: "",
			Why: "a peer whose certificate is revoked could go on sending by not answering the DELETE",
		},
		{
			Name: "revoked-while-waiting", File: "ike/sa/withdrawn.go", Tests: "^TestRevokedWhileWaiting$",
			Old: "	if m.pending != nil {", New: "	if false {",
			Why: "a peer whose certificate is revoked could stay by not answering whatever it is asked",
		},
		{
			Name: "revoked-since-ticket", File: "ike/sa/resume_responder.go", Tests: "^TestRevokedSinceTheTicket$",
			Old: "if w := m.withdrawn(now, certs); w != nil {", New: "if w := m.withdrawn(now, certs); w != nil && false {",
			Why: "a ticket would bring back a peer whose certificate was revoked since",
		},
		{
			Name: "revoked-since-session", File: "ike/sa/resume_initiator.go", Tests: "^TestRevokedSinceTheTicket$",
			Old: "if w := m.withdrawn(now, s.Certs); w != nil {", New: "if w := m.withdrawn(now, s.Certs); w != nil && false {",
			Why: "a client would go back to a gateway whose certificate was revoked since",
		},
		{
			Name: "revoked-ticket-names-none", File: "ike/sa/resume_responder.go", Tests: "^TestRevokedSinceTheTicket$",
			Old: "Certs: certNames(m.auth.certs),", New: "Certs: certNames(nil),",
			Why: "a ticket would bring back a peer whose certificate was revoked since",
		},
		{
			Name: "revoked-unused", File: "ike/pki/revocation/known.go", Tests: "^TestUse$",
			Old: "		if cas[h.ca] {\n			h.used = now\n		}\n", New: "		_ = h\n",
			Why: "the list of a CA whose peers stay for long would not be fetched any more",
		},
		{
			Name: "revoked-file-gone", File: "ike/pki/revocation/known.go", Tests: "^TestKnownOfNewLists$",
			Old: "s.configured[key.sum] != nil &&", New: "",
			Why: "a list that the operator has taken away would put peers out",
		},
	}
}
