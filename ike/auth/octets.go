package auth

import "esplanade/ike/suite"

// SignedOctets are what one side authenticates (RFC 7296 section 2.15):
//
//	InitiatorSignedOctets = RealMessage1 | NonceRData | prf(SK_pi, RestOfInitIDPayload)
//	ResponderSignedOctets = RealMessage2 | NonceIData | prf(SK_pr, RestOfRespIDPayload)
//
// message is the side's own IKE_SA_INIT message in the form that was accepted, without a non-ESP marker; nonce is the
// other side's nonce; skp the side's own SK_p; idBody its ID payload without the generic header, as it was sent.
func SignedOctets(prf suite.PRF, message, nonce, skp, idBody []byte) []byte {
	out := make([]byte, 0, len(message)+len(nonce)+prf.Size())
	out = append(out, message...)
	out = append(out, nonce...)
	return append(out, prf.Sum(skp, idBody)...)
}
