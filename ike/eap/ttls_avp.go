package eap

import (
	"encoding/binary"
	"fmt"
)

// avp is an attribute-value pair, as what is said within TTLS consists of (RFC 5281 section 10). It may hold a password, and prints as a
// placeholder.
type avp struct {
	redacted
	vendor, code uint32
	mandatory    bool
	data         []byte
}

// The AVPs that are known here. Codes below 256 are those of RADIUS, and those of Microsoft are of RFC 2548.
const (
	avpUserName     = 1
	avpUserPassword = 2
	avpEAPMessage   = 79

	vendorMicrosoft    = 311
	avpMSCHAPChallenge = 11
	avpMSCHAP2Response = 25
	avpMSCHAP2Success  = 26
	avpMSCHAPError     = 2
)

const (
	avpHeader     = 8
	avpVendorID   = 4
	avpFlagVendor = 0x80
	avpFlagMust   = 0x40
	// maxAVPs is how many one message may have.
	maxAVPs = 32
)

// parseAVPs takes a sequence apart. The error says what is wrong with it, for people.
//
// "Each AVP must begin on a four-octet boundary relative to the first AVP in the sequence." https://www.rfc-editor.org/rfc/rfc5281#section-10.2
// The padding of the last one may be missing.
func parseAVPs(b []byte) ([]avp, error) {
	var all []avp
	for len(b) > 0 {
		if len(all) == maxAVPs {
			return nil, fmt.Errorf("more than %d AVPs", maxAVPs)
		}
		if len(b) < avpHeader {
			return nil, fmt.Errorf("an AVP of %d bytes", len(b))
		}
		a := avp{code: binary.BigEndian.Uint32(b), mandatory: b[4]&avpFlagMust != 0}
		header := avpHeader
		if b[4]&avpFlagVendor != 0 {
			header += avpVendorID
		}
		n := int(binary.BigEndian.Uint32(b[4:]) & 0xffffff)
		// A length below that of the header would end in a negative one: that of the data.
		if n < header || n > len(b) {
			return nil, fmt.Errorf("AVP %d with length %d, whose header takes %d, in %d bytes", a.code, n, header, len(b))
		}
		if header > avpHeader {
			a.vendor = binary.BigEndian.Uint32(b[avpHeader:])
		}
		a.data = b[header:n]
		all = append(all, a)
		b = b[min((n+3)&^3, len(b)):]
	}
	return all, nil
}

// appendAVP appends an AVP and its padding. "Avoid the use of the 'M' bit" is for what others may not know; without these nobody authenticates.
func appendAVP(b []byte, vendor, code uint32, data []byte) []byte {
	header, flags := avpHeader, uint32(avpFlagMust)
	if vendor != 0 {
		header, flags = avpHeader+avpVendorID, avpFlagMust|avpFlagVendor
	}
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint32(b, flags<<24|uint32(header+len(data)))
	if vendor != 0 {
		b = binary.BigEndian.AppendUint32(b, vendor)
	}
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

// avps are those of one message, each at most once.
type avps map[[2]uint32][]byte

func (a avps) get(vendor, code uint32) ([]byte, bool) {
	d, ok := a[[2]uint32{vendor, code}]
	return d, ok
}

// knownAVPs reads the AVPs of a message. One that is not known and says that it must be fails the conversation: "the receiving party MUST fail
// the negotiation if it does not understand the AVP". https://www.rfc-editor.org/rfc/rfc5281#section-10.1
func knownAVPs(b []byte) (avps, *Failure) {
	list, err := parseAVPs(b)
	if err != nil {
		return nil, protocolError("%v", err)
	}
	known := avps{}
	for _, a := range list {
		switch [2]uint32{a.vendor, a.code} {
		case [2]uint32{0, avpUserName}, [2]uint32{0, avpUserPassword}, [2]uint32{0, avpEAPMessage},
			[2]uint32{vendorMicrosoft, avpMSCHAPChallenge}, [2]uint32{vendorMicrosoft, avpMSCHAP2Response},
			[2]uint32{vendorMicrosoft, avpMSCHAP2Success}, [2]uint32{vendorMicrosoft, avpMSCHAPError}:
		default:
			if a.mandatory {
				return nil, protocolError("AVP %d of vendor %d, which is mandatory and not known here", a.code, a.vendor)
			}
			continue
		}
		if _, twice := known.get(a.vendor, a.code); twice {
			// "a tunneled EAP packet within a single EAP-TTLS message MUST be contained in a single EAP-Message AVP", and nobody has two
			// names. https://www.rfc-editor.org/rfc/rfc5281#section-11.2.1
			return nil, protocolError("AVP %d of vendor %d twice", a.code, a.vendor)
		}
		known[[2]uint32{a.vendor, a.code}] = a.data
	}
	return known, nil
}
