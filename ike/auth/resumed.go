package auth

// resumedValue is the content of AUTH in an IKE SA that was resumed: prf(SK_px, <message octets>), with the sender's SK_p of
// the new keys. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.3
func resumedValue(t *Transcript, _ Credential, own bool) []byte {
	if own {
		return t.PRF.Sum(t.skp(t.Initiator), t.OwnOctets())
	}
	return t.PRF.Sum(t.skp(!t.Initiator), t.PeerOctets())
}

// ProveResumed proves that this side has the keys of the IKE SA that is resumed. s is what was proved with then, and has to
// be there still.
func ProveResumed(s Secret) Authenticator { return &prover{secret: s, value: resumedValue} }

// CheckResumed has the peer prove the same.
func CheckResumed(s Secret) Authenticator { return &checker{secret: s, value: resumedValue} }
