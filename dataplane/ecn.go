package dataplane

// The ECN field of TOS and traffic class, RFC 3168 section 5.
const (
	ecnMask   = 3
	ecnNotECT = 0
	ecnECT1   = 1
	ecnECT0   = 2
	ecnCE     = 3
)

// outerTOS is the TOS or traffic class of the outer header for a packet with this inner one.
//
// "In normal mode, an encapsulator compliant with this specification MUST construct the outer encapsulating IP header by copying the
// two-bit ECN field of the incoming IP header."
// https://www.rfc-editor.org/rfc/rfc6040#section-4.1
func outerTOS(inner uint8, copyDSCP bool) uint8 {
	if copyDSCP {
		return inner
	}
	return inner & ecnMask
}

// decapECN gives the ECN field of the forwarded packet from those of the inner and the outer header, and false when
// the packet is to be dropped: figure 4 of RFC 6040.
// https://www.rfc-editor.org/rfc/rfc6040#section-4.2
func decapECN(inner, outer uint8) (uint8, bool) {
	inner, outer = inner&ecnMask, outer&ecnMask
	switch {
	case inner == outer || outer == ecnNotECT || inner == ecnCE:
		return inner, true
	case inner == ecnNotECT:
		// Only CE can't be passed on: "if the inner ECN field is Not-ECT … the decapsulator MUST … drop the packet".
		return ecnNotECT, outer != ecnCE
	case outer == ecnCE:
		return ecnCE, true
	case inner == ecnECT0 && outer == ecnECT1:
		return ecnECT1, true
	}
	return inner, true // ECT(1) inside, ECT(0) outside
}

// setECN writes the ECN field of the IP packet b.
func setECN(b []byte, v6 bool, ecn uint8) {
	if v6 {
		b[1] = b[1]&^(ecnMask<<4) | ecn<<4
		return
	}
	old := be.Uint16(b)
	b[1] = b[1]&^ecnMask | ecn
	be.PutUint16(b[10:], updateChecksum(be.Uint16(b[10:]), old, be.Uint16(b)))
}
