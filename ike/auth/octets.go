package auth

import "esplanade/ike/suite"

// SignedOctets are what one side authenticates (RFC 7296 section 2.15):
//
//	InitiatorSignedOctets = RealMessage1 | NonceRData | prf(SK_pi, RestOfInitIDPayload)
//	ResponderSignedOctets = RealMessage2 | NonceIData | prf(SK_pr, RestOfRespIDPayload)
//
// message is the side's own IKE_SA_INIT message in the form that was accepted, without a non-ESP marker; nonce is the
// other side's nonce; skp the side's own SK_p; idBody its ID payload without the generic header, as it was sent.
//
// With downgrade prevention message is what [FullTranscript] makes of both messages.
func SignedOctets(prf suite.PRF, message, nonce, skp, idBody []byte) []byte {
	out := make([]byte, 0, len(message)+len(nonce)+prf.Size())
	out = append(out, message...)
	out = append(out, nonce...)
	return append(out, prf.Sum(skp, idBody)...)
}

// zeroPrefix is what a full transcript begins with. An IKE_SA_INIT message begins with the SPI of the initiator, which is never
// zero, so that no octets that are authenticated without downgrade prevention can be taken for those with it.
const zeroPrefix = 8

// FullTranscript is what takes the place of a side's own IKE_SA_INIT message among its signed octets when both sides have sent
// IKE_SA_INIT_FULL_TRANSCRIPT_AUTH: eight octets of zero, the message that the side has received, and the one that it has sent.
//
//	InitiatorSignedOctets = ZeroPrefix | RealMessage2 | RealMessage1 | NonceRData | prf(SK_pi, RestOfInitIDPayload)
//	ResponderSignedOctets = ZeroPrefix | RealMessage1 | RealMessage2 | NonceIData | prf(SK_pr, RestOfRespIDPayload)
//
// draft-ietf-ipsecme-ikev2-downgrade-prevention-08.
func FullTranscript(received, sent []byte) []byte {
	out := make([]byte, zeroPrefix, zeroPrefix+len(received)+len(sent))
	return append(append(out, received...), sent...)
}
