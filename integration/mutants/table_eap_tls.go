package main

// eapTLSMutants are mutants of the methods of EAP with TLS.
func eapTLSMutants() []Mutant {
	return []Mutant{
		{
			Name: "eap-tls-foreign", File: "ike/eap/tls.go", Tests: "^TestTLSForeign$",
			Old: `users != nil && user.Foreign == ""`, New: "users != nil",
			Why: "a partner's CA could name a user of this gateway, and get its groups",
		},
		{
			Name: "eap-tls-identity", File: "ike/eap/tls.go", Tests: "^TestTLSIdentityIsBound$",
			Old: "user := aaa.User{Name: m.peer.Name, Foreign: m.peer.Foreign}", New: "m.peer.Name = m.talk.identity\n	user := aaa.User{Name: m.peer.Name}",
			Why: "somebody with a certificate would be whoever it wants to be",
		},
		{
			Name: "eap-tls-nobody", File: "ike/eap/tls_session.go", Tests: "^TestTLSIdentityIsBound$",
			Old: "case v.Name == \"\":", New: "case false:",
			Why: "a certificate that is for nobody would let its owner in",
		},
		{
			Name: "eap-tls-protected-success", File: "ike/eap/tls.go", Tests: "^TestTLSEarlySuccess$|^TestTLS13ProtectedSuccess$",
			Old: "m.done = len(a.plain) > 0 || m.established() && !m.tls13()", New: "m.done = len(a.plain) > 0 || m.established()",
			Why: "a client of TLS 1.3 would believe a Success before the server has accepted its certificate",
		},
		{
			Name: "eap-tls-locked", File: "ike/eap/tls.go", Tests: "^TestTLSLocked$",
			Old: "			if secret.Locked {\n", New: "			if secret.Locked && secret.None() {\n",
			Why: "a user that is locked would come in with a certificate",
		},
		{
			Name: "tunnel-versions", File: "ike/eap/tunnel/config.go", Tests: "^TestOldVersionsAreRefused$",
			Old: "MinVersion: minVersion,", New: "MinVersion: tls.VersionTLS10,",
			Why: "TLS 1.0 would be spoken",
		},
		{
			Name: "tunnel-client-certificate", File: "ike/eap/tunnel/config.go", Tests: "^TestJudge$",
			Old: "		t.ClientCAs = c.CAs\n		t.VerifyConnection = func(s tls.ConnectionState) error { return conn.judge(judge, s) }\n", New: "		t.ClientCAs = c.CAs\n",
			Why: "everybody with a certificate of any CA would be let in",
		},
		{
			Name: "tunnel-server-judged", File: "ike/eap/tunnel/config.go", Tests: "^TestJudge$",
			Old: "	t.InsecureSkipVerify = true\n	t.VerifyConnection = func(s tls.ConnectionState) error { return conn.judge(judge, s) }\n", New: "	t.InsecureSkipVerify = true\n",
			Why: "a client would give its password to every server",
		},
		{
			Name: "tunnel-closed", File: "ike/eap/tunnel/conn.go", Tests: "^TestCloseDuringFeed$",
			Old: "	c.running = false\n	if c.closed {\n", New: "	c.running = false\n	if false {\n",
			Why: "the coroutine of a connection that was closed while it worked would be left behind",
		},
		{
			Name: "tunnel-plain", File: "ike/eap/tunnel/conn.go", Tests: "^TestPlainIsBounded$",
			Old: "		case len(plain) > MaxPlain:\n", New: "		case false:\n",
			Why: "what comes in a tunnel would have no bound of its own",
		},
		{
			Name: "tunnel-fragments", File: "ike/eap/tunnel/link.go", Tests: "^TestEndlessFragments$",
			Old: "	case l.count > MaxFragments:\n", New: "	case false:\n",
			Why: "a peer could send a message octet by octet",
		},
		{
			Name: "tunnel-message-size", File: "ike/eap/tunnel/link.go", Tests: "^TestHostileFragments$",
			Old: "		if n > MaxMessage {\n", New: "		if false {\n",
			Why: "a peer could announce, and send, four gigabytes",
		},
		{
			Name: "tunnel-lies", File: "ike/eap/tunnel/link.go", Tests: "^TestHostileFragments$",
			Old: "!more && total != l.declared || more", New: "more",
			Why: "a message would count that is shorter than it says",
		},
		{
			Name: "tunnel-ack", File: "ike/eap/tunnel/link.go", Tests: "^TestHostileFragments$",
			Old: "		if len(data) > 0 || flags&flagMore != 0 || l.open {\n", New: "		if false {\n",
			Why: "what a peer says out of turn would be lost as an acknowledgement",
		},
		{
			Name: "ttls-avp-length", File: "ike/eap/ttls_avp.go", Tests: "^TestAVPLengths$",
			Old: "if n < header || n > len(b) {", New: "if n > len(b) {",
			Why: "the length of the data would be negative",
		},
		{
			Name: "ttls-avp-mandatory", File: "ike/eap/ttls_avp.go", Tests: "^TestTTLSHostileClient$",
			Old: "			if a.mandatory {\n", New: "			if false {\n",
			Why: "what a client demands would be left out",
		},
		{
			Name: "ttls-challenge", File: "ike/eap/ttls_server.go", Tests: "^TestTTLSImplicitChallenge$",
			Old: "	if subtle.ConstantTimeCompare(challenge, want.challenge[:]) != 1 || response[0] != want.ident {\n", New: "	if false {\n",
			Why: "a response that was recorded elsewhere would be judged",
		},
		{
			Name: "ttls-server-proves", File: "ike/eap/ttls_client.go", Tests: "^TestTTLSHostileServer$",
			Old: "	if subtle.ConstantTimeCompare([]byte(got), []byte(m.x.authenticator(m.nt))) != 1 {\n", New: "	if subtle.ConstantTimeCompare([]byte(got), nil) == 2 {\n",
			Why: "a server that does not know the password would be believed",
		},
		{
			Name: "peap-result", File: "ike/eap/peap_server.go", Tests: "^TestPEAPCryptoBinding$",
			Old: "	case e.result != resultSuccess:\n", New: "	case false:\n",
			Why: "a client that refuses would be let in",
		},
		{
			Name: "peap-binding", File: "ike/eap/peap_tlv.go", Tests: "^TestPEAPBindingOfAnotherTunnel$",
			Old: "	case subtle.ConstantTimeCompare(c.mac(b), b[len(b)-sha1.Size:]) != 1:\n", New: "	case false:\n",
			Why: "a method could be relayed from another tunnel",
		},
		{
			Name: "tunnel-exporter-ecdhe", File: "ike/eap/tunnel/exporter.go", Tests: "^TestExporter$",
			Old: "!strings.HasPrefix(suite, \"TLS_ECDHE_\") || ", New: "",
			Why: "keys of a key exchange would be used whose outcome a server in between can choose",
		},
	}
}
