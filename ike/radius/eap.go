package radius

import "slices"

// addEAP appends an EAP packet, in as many attributes as it takes (RFC 3579 section 3.1).
func (p *Packet) addEAP(eap []byte) {
	for part := range slices.Chunk(eap, maxValue) {
		p.add(Attribute{EAPMessage, part})
	}
}

// EAP is the EAP packet in a packet, nil if there is none.
//
// "If multiple EAP-Message attributes are contained within an Access-Request or Access-Challenge packet, they MUST be in order and they MUST be
// consecutive attributes" (RFC 3579 section 3.1).
func (p *Packet) EAP() ([]byte, error) {
	var eap []byte
	last := -1
	for i, a := range p.Attributes {
		if a.Type != EAPMessage {
			continue
		}
		if last >= 0 && last != i-1 {
			return nil, malformed(EAPMessage, "its parts are not consecutive")
		}
		eap, last = append(eap, a.Value...), i
	}
	return eap, nil
}
