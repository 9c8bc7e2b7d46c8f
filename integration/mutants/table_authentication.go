package main

// authentication are mutants of how the two sides prove who they are.
func authentication() []Mutant {
	return []Mutant{
		{
			Name: "auth-value", File: "ike/auth/psk.go", Tests: "^TestWrongPSK$", In: "ike/sa",
			Old: "if !hmac.Equal(c.value(t, cred, false), a.Data) {", New: "if !hmac.Equal(c.value(t, cred, false), a.Data) && false {",
			Why: "anybody would be anybody",
		},
		{
			Name: "auth-method", File: "ike/auth/psk.go", Tests: "^TestAuthMethod$", In: "ike/sa",
			Old: "case a.Method != wire.AuthSharedKey:", New: "case false:",
			Why: "an AUTH payload that claims to be a signature would count as one of a key",
		},
		{
			Name: "auth-identity", File: "ike/sa/auth_flow.go", Tests: "^TestResponderHasAnotherIdentity$",
			Old: "if _, ok := got.Matches(want); !ok {", New: "if false {",
			Why: "whoever has any key could answer for any peer",
		},
		{
			Name: "auth-identity-octets", File: "ike/auth/transcript.go", Tests: "^TestReservedOctetsOfID$", In: "ike/sa",
			Old: "t.skp(initiator), id.AppendBody(nil))", New: "t.skp(initiator), (&wire.ID{Responder: id.Responder, IDType: id.IDType}).AppendBody(nil))",
			Why: "AUTH would not cover the identity that it is for",
		},
		{
			Name: "auth-message-octets", File: "ike/auth/transcript.go", Tests: "^TestReservedOctetsOfID$", In: "ike/sa",
			Old: "SignedOctets(t.PRF, message, nonce,", New: "SignedOctets(t.PRF, message[:0], nonce,",
			Why: "what was negotiated in the clear could have been changed on the way",
		},
		{
			Name: "downgrade-octets", File: "ike/auth/transcript.go", Tests: "^TestDowngradeWithAStolenKey$", In: "ike/sa",
			Old: "message = FullTranscript(received, message)", New: "message = FullTranscript(received[:0], message)",
			Why: "with the key of one side somebody on the way could choose the algorithms of both",
		},
		{
			Name: "downgrade-announced", File: "ike/sa/downgrade.go", Tests: "^TestResponderAnnouncesItInAnyCase$",
			Old: "if m.initiator && m.cfg.Downgrade == policy.DowngradeNo {", New: "if m.cfg.Downgrade == policy.DowngradeNo || !m.initiator {",
			Why: "the announcement of an initiator could be taken out, and nobody would know",
		},
		{
			Name: "downgrade-required", File: "ike/sa/downgrade.go", Tests: "^TestDowngradePrevention$",
			Old: "return refused(m.noTranscript(w))", New: "_ = w\n\treturn nil",
			Why: "a peer without downgrade prevention would be let in where it is required",
		},
		{
			Name: "rounds-fewer", File: "ike/auth/rounds.go", Tests: "^TestRoundFails$", In: "ike/sa",
			Old: "findAuth(in) != nil && more == r.last() {", New: "findAuth(in) != nil && more && r.last() {",
			Why: "a peer would wait for a proof that it has not announced",
		},
		{
			Name: "proved-is-no-stranger", File: "ike/sa/auth_wait.go", Tests: "^TestProvedIsNoStranger$",
			Old: "Proved: m.known()}", New: "Proved: m.flow.t.PeerProved}",
			Why: "with several rounds a key that takes long would never sign, for it costs more than strangers may have",
		},
		{
			Name: "many-connections-judge", File: "ike/sa/auth_responder.go", Tests: "^TestStrangerIsJudgedByFewConnections$",
			Old: "m.best.judged == maxTrusts {", New: "m.best.judged < 0 {",
			Why: "a stranger could have its certificate judged by a thousand connections",
		},
		{
			Name: "rounds-for-nobody", File: "ike/auth/rounds.go", Tests: "^TestNoSecondProofForNobody$", In: "ike/sa",
			Old: "if r.own && t.Initiator && !r.last() &&", New: "if false && !r.last() &&",
			Why: "whoever answers a call would be shown all of this side's proofs, to try passwords on",
		},
		{
			Name: "rounds-identity", File: "ike/sa/rounds.go", Tests: "^TestRoundFails$",
			Old: "if f := m.peerIs(round, id); f != nil {", New: "if f := m.peerIs(round, id); f != nil && round == 0 {",
			Why: "whoever has any key could be anybody in a later round",
		},
		{
			Name: "rounds-early", File: "ike/auth/rounds.go", Tests: "^TestRounds$", In: "ike/sa",
			Old: "if r.done && r.last() {", New: "if r.done {",
			Why: "who has proved the first identity would have proved all of them",
		},
		{
			Name: "rounds-rejection", File: "ike/sa/auth_responder.go", Tests: "^TestRoundFails$",
			Old: "return m.flow != nil && (m.flow.t.PeerProved || m.flow.t.PeerRounds > 0)", New: "return false",
			Why: "a responder would not hear that what it has shown is not accepted",
		},
		{
			Name: "judge-cost-of-ca", File: "ike/auth/cost.go", Tests: "^TestCostOfJudging$",
			Old: "c > cost && bytes.Contains(der, ca.RawSubject)", New: "c > cost && bytes.Contains(der, ca.Raw)",
			Why: "strangers could keep the event loop busy with signatures that a slow key is said to have made",
		},
		{
			Name: "judge-cost-of-known", File: "ike/auth/cost.go", Tests: "^TestCostOfJudging$",
			Old: "return slowest * time.Duration(n*len(j.Schemes))", New: "return slowest * time.Duration(min(n, 1))",
			Why: "strangers could have all known keys tried for the price of one",
		},
		{
			Name: "self-issued", File: "ike/auth/signature.go", Tests: "^TestSelfIssuedCertificatesAreSent$",
			Old: "return bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId)", New: "return true",
			Why: "who trusts the old key of a CA would not get the certificate of its new one",
		},
		{
			Name: "verdict-of-other-rules", File: "ike/auth/revocation.go", Tests: "^TestVerdictOfOtherRules$",
			Old: "u.Rules.Same(&o.Rules)", New: "u.Rules.Policy == o.Rules.Policy",
			Why: "a list that revokes a certificate would not count for a proof that is under way",
		},
		{
			Name: "raw-key-first", File: "ike/auth/signature_check.go", Tests: "^TestRawPublicKeyIsRefused$", In: "ike/sa",
			Old: "p.Key = c.Data\n", New: "_ = c.Data\n",
			Why: "a key that is shown would not be the one that the signature is judged by",
		},
		{
			Name: "methods-link", File: "ike/auth/announce.go", Tests: "^TestAnnouncedMethods$",
			Old: "return slices.Contains(pair.Authorities(), hashes[n-1])", New: "return true",
			Why: "a certificate of the wrong CA would be shown",
		},
		{
			Name: "auth-key-of-nobody", File: "ike/sa/select_connection.go", Tests: "^TestConnectionOfThePeer$",
			Old: "score, known := peer.Matches(c.RemoteID)", New: "score, known := 1<<30, true",
			Why: "a connection would be taken whose peer is another one",
		},
		{
			Name: "auth-weaker-connection", File: "ike/sa/select_connection.go", Tests: "^TestConnectionOfItsOwn$",
			Old: "return c.score < closest", New: "return c.score > closest",
			Why: "who may come in as somebody would come in as a peer that has a connection of its own",
		},
		{
			Name: "idr-of-request", File: "ike/sa/select_connection.go", Tests: "^TestIdentityThatIsAskedFor$",
			Old: "called := idr == nil || hint.Equal(m.localOf(c))", New: "called := true",
			Why: "a peer that asks for one identity would be answered by another",
		},
		{
			Name: "auth-shown-by-nobody", File: "ike/sa/where.go", Tests: "^TestWrongPSK$",
			Old: "	if m.proved() && !m.remoteID.Any() {", New: "	if !m.remoteID.Any() {",
			Why: "an identity that the peer has never shown would be called the peer's",
		},
		{
			Name: "auth-without-auth", File: "ike/auth/psk.go", Tests: "^TestAuthLeftOut$", In: "ike/sa",
			Old: "	case a == nil:\n		return Step{}, &MethodError{Want: wire.AuthSharedKey, Missing: true}\n", New: "	case a == nil:\n		return Step{Status: Done}, nil\n",
			Why: "a request without AUTH asks for EAP, which there is not",
		},
		{
			Name: "auth-one-guess", File: "ike/sa/auth_responder.go", Tests: "^TestOneGuessForEachRequest$",
			Old: "for otherConnection(err) && m.flow.rounds == 1", New: "for err != nil && m.flow.rounds == 1",
			Why: "one AUTH value would be tried with the keys of all connections",
		},
		{
			Name: "auth-shown-first", File: "ike/auth/psk.go", Tests: "^TestResponderProvesLast$",
			Old: "if !p.first && !t.Initiator && !t.PeerProved && t.PeerRounds == 0 {", New: "if false {",
			Why: "a responder would show what it makes with its key to anybody who asks, to try passwords on",
		},
		{
			Name: "auth-admitted-unproved", File: "ike/sa/auth_responder.go", Tests: "^TestAdmittedWhenProved$",
			Old: "if !f.t.PeerProved || f.admitted {", New: "if f.admitted {",
			Why: "the IKE SAs of a peer would be counted, and its ticket spent, for anybody who claims its name",
		},
		{
			Name: "auth-rounds", File: "ike/sa/auth_flow.go", Tests: "^TestAuthHasAnEnd$",
			Old: "if f.rounds >= maxAuthRounds {", New: "if false {",
			Why: "a peer could go on with IKE_AUTH for ever",
		},
		{
			Name: "auth-held", File: "ike/sa/auth_flow.go", Tests: "^TestHalfOpenBetweenRounds$",
			Old: "return f.kept + f.pair.Held()", New: "return f.kept",
			Why: "what strangers have this side keep between the rounds would not count",
		},
		{
			Name: "auth-before-intermediate", File: "ike/sa/auth_responder.go", Tests: "^TestIntermediateRefused$",
			Old: "if f := m.premature(); f != nil {", New: "if f := m.premature(); false {",
			Why: "the additional key exchanges that were agreed on could be left out",
		},
		{
			Name: "auth-unique-keep", File: "ike/sa/auth_responder.go", Tests: "^TestOneIKESAIsKept$",
			Old: "	return refused(m.oneTooMany(now, notify(m.flow.first.payloads, wire.NotifyInitialContact) != nil))\n", New: "	return nil\n",
			Why: "a peer whose IKE SA is to be kept would get another one",
		},
		{
			Name: "auth-room-meanwhile", File: "ike/sa/auth_responder.go", Tests: "^TestRoomIsGoneMeanwhile$",
			Old: "	if before {", New: "	if before && false {",
			Why: "a peer that begins several IKE SAs before one is up would get more of them than there may be",
		},
		{
			Name: "auth-state", File: "ike/sa/receive.go", Tests: "^TestRequestsBeforeAuth$",
			Old: "return !m.initiator && (x == wire.ExchangeIKEAuth || m.allowsIntermediate(x) || x == wire.ExchangeInformational && m.provesOn())", New: "return !m.initiator",
			Why: "a peer that has not authenticated could make CHILD SAs (pitfall M1)",
		},
		{
			Name: "auth-state-initiator", File: "ike/sa/receive.go", Tests: "^TestAuthOutOfPlace$",
			Old: "return !m.initiator && (x == wire", New: "return (x == wire",
			Why: "a responder that has not authenticated could be spoken to",
		},
		{
			Name: "auth-again", File: "ike/sa/receive.go", Tests: "^TestAuthOutOfPlace$",
			Old: "return x == wire.ExchangeCreateChildSA ||", New: "return x == wire.ExchangeIKEAuth || x == wire.ExchangeCreateChildSA ||",
			Why: "an IKE SA could get another identity later on",
		},
		{
			Name: "auth-int-octets", File: "ike/auth/transcript.go", Tests: "^TestIntermediateIsAuthenticated$", In: "ike/sa",
			Old: "id.AppendBody(nil)), t.IntAuth...)", New: "id.AppendBody(nil)), t.IntAuth[:0]...)",
			Why: "IKE_INTERMEDIATE exchanges would not be covered by AUTH",
		},
		{
			Name: "initial-contact-never", File: "ike/gateway/unique.go", Tests: "^TestInitialContactBesideNever$",
			Old: "|| x.conn != nil && x.conn.conf.Unique == policy.UniqueNever {", New: "{",
			Why: "several peers with one identity would throw each other out",
		},
		{
			Name: "initial-contact-of-others", File: "ike/gateway/unique.go", Tests: "^TestInitialContactOfAnotherPeer$",
			Old: "others := g.table.peers[e.peer].sorted()", New: "others := g.table.all()",
			Why: "one peer could end the IKE SAs of all",
		},
		{
			Name: "ppk-required-initiator", File: "ike/sa/ppk.go", Tests: "^TestPPK",
			Old: "if !m.ppk.agreed && m.cfg.PPKRequired {", New: "if false {",
			Why: "leaving USE_PPK out on the way would take the protection away",
		},
		{
			Name: "ppk-required-confirmed", File: "ike/auth/ppk.go", Tests: "^TestPPK", In: "ike/sa",
			Old: "		case p.key.Required:\n			return Step{}", New: "		case false:\n			return Step{}",
			Why: "a responder could leave out the PPK that is mandatory here",
		},
		{
			Name: "ppk-required-responder", File: "ike/auth/ppk.go", Tests: "^TestPPK", In: "ike/sa",
			Old: "	case p.policy.Required:\n", New: "	case false:\n",
			Why: "an initiator could leave out the PPK that is mandatory here",
		},
		{
			Name: "ppk-required-unknown", File: "ike/auth/ppk.go", Tests: "^TestPPK", In: "ike/sa",
			Old: "if p.policy.Required || without == nil {", New: "if without == nil {",
			Why: "an initiator could name a PPK that nobody has and go on without",
		},
		{
			Name: "ppk-no-ppk-auth", File: "ike/auth/ppk.go", Tests: "^TestPPK", In: "ike/sa",
			Old: "if !p.key.Required {", New: "if true {",
			Why: "an initiator for which the PPK is mandatory would offer to do without",
		},
		{
			Name: "ppk-of-another-connection", File: "ike/sa/ppk.go", Tests: "^TestPPK$",
			Old: "		return c.PPKID == id\n", New: "		return true\n",
			Why: "the PPK of another connection would do",
		},
		{
			Name: "psk-borrowed", File: "config/psk.go", Tests: "^TestKeyIsThePeers$",
			Old: "return r*fitPeer + l, r > 0 || s.swanctl && l > 0", New: "return r*fitPeer + l, r > 0 || l > 0",
			Why: "a key that names this gateway would be used for a peer that it does not name",
		},
		{
			Name: "psk-most-specific", File: "config/pskindex.go", Tests: "^TestKeyIsThePeers$",
			Old: "ok && (n > top || ", New: "ok && (top < 0 || ",
			Why: "the first key would be used in place of the one that fits best",
		},
		{
			Name: "psk-own-name", File: "config/psk.go", Tests: "^TestKeyIsThePeers$",
			Old: "	if remote.Equal(local) && slices", New: "	if false && slices",
			Why: "a peer that claims this gateway's name would get in with another peer's key",
		},
		{
			Name: "psk-pattern-answers", File: "config/psk.go", Tests: "^TestOfferedKey$",
			Old: "	if remote.Concrete() {\n		return k.psk(local, remote)\n	}\n", New: "",
			Why: "a key that only may be the peer's would be offered to a peer that is known",
		},
		{
			Name: "psk-own-key", File: "config/psk.go", Tests: "^(TestOwnKey|TestShortForm)$",
			Old: "if n != nil && n.HasOwnKey() {", New: "if n != nil && n.HasOwnKey() && guess {",
			Why: "the peer of a connection with a key of its own could get in with another one",
		},
		{
			Name: "siblings-of-another-CA", File: "ike/gateway/siblings.go", Tests: "^TestSiblingsAcceptTheSame$",
			Old: "g.credentials.AcceptedMark(x.conf.Name) == accepts {", New: "accepts == accepts {",
			Why: "whoever one CA lets in would get what is for those of another one",
		},
		{
			Name: "vouched-identities", File: "ike/gateway/unique.go", Tests: "^TestSameNameFromAnotherCA$",
			Old: ", vouched: c.Vouched}", New: "}",
			Why: "a peer with a name by one CA would end what somebody with that name by another CA has",
		},
		{
			Name: "own-key-identities", File: "ike/gateway/unique.go", Tests: "^TestOwnKeysKeepPeersApart$",
			Old: "c.OwnKey {\n", New: "false && c.OwnKey {\n",
			Why: "a peer that calls itself as the peer of another connection does would end what that has",
		},
		{
			Name: "initial-contact-of-never", File: "ike/gateway/unique.go", Tests: "^TestInitialContactBesideNever$",
			Old: "	if e.conn != nil && e.conn.conf.Unique == policy.UniqueNever {\n		return\n	}\n	others", New: "	others",
			Why: "one of several peers with one identity would throw the others out",
		},
		{
			Name: "signature-hashes-unsaid", File: "ike/sa/cert.go", Tests: "^TestPeerWithACertificateSaysWhoItIs$",
			Old: "	if m.sig.peer = announcedHashes(request); m.sig.peer != nil {\n",
			New: "	if m.sig.peer = announcedHashes(request); m.sig.peer != nil && slices.ContainsFunc(m.candidates, (*Config).signs) {\n",
			Why: "a peer with a certificate that has moved would not be found again before the next look-up of its name",
		},
	}
}
