package eap

// mschap2ResponseLen is the length of an MS-CHAP2-Response (RFC 2548 section 2.3.2): Ident, Flags, Peer-Challenge, Reserved and Response.
const mschap2ResponseLen = 2 + mschapChallengeLen + 8 + ntResponseLen

// implicit is the challenge that neither side chooses (RFC 5281 section 11.1).
type implicit struct {
	challenge [mschapChallengeLen]byte
	ident     byte
}

// implicitChallenge derives it. RFC 9427 has the same label for TLS 1.3, without a context.
func (s *session) implicitChallenge() (implicit, *Failure) {
	b, err := s.conn.Export("ttls challenge", nil, mschapChallengeLen+1)
	if err != nil {
		return implicit{}, &Failure{Reason: ReasonTLS, Err: err}
	}
	return implicit{challenge: [mschapChallengeLen]byte(b), ident: b[mschapChallengeLen]}, nil
}
