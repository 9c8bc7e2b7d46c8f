package wire

import "encoding/binary"

// Payload is one payload of a message. It is implemented by pointers: *SA, *KE,
// *ID, *Cert, *CertReq, *Auth, *Nonce, *Notify, *Delete, *VendorID, *TS, *CP,
// *EAP and *Unknown.
type Payload interface {
	// Type is the payload's type.
	Type() PayloadType
	// AppendBody appends the payload without its generic header.
	AppendBody(b []byte) []byte
}

// genericHeaderLen is the length of the generic payload header in octets:
//
//	| Next Payload  |C|  RESERVED   |         Payload Length        |
//
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.2).
const genericHeaderLen = 4

// MaxBodyLen is how many octets the body of a payload can have: its length,
// generic header included, is 16 bits.
const MaxBodyLen = 0xffff - genericHeaderLen

// criticalBit is the C bit of a generic header.
const criticalBit = 0x80

// How many payloads of a type one chain may have. The limits are far above what
// peers send and keep later stages from being flooded; types that aren't listed
// and known to us may occur once.
const (
	MaxCerts      = 24
	MaxCertReqs   = 32
	MaxNotifies   = 64
	MaxDeletes    = 32
	MaxVendorIDs  = 64
	MaxUnknown    = 32 // all types that aren't understood together
	maxSinglePart = 1
)

// maxPayloads is how many payloads of a type one chain may have.
func maxPayloads(t PayloadType) int {
	switch t {
	case PayloadCERT:
		return MaxCerts
	case PayloadCERTREQ:
		return MaxCertReqs
	case PayloadNotify:
		return MaxNotifies
	case PayloadDelete:
		return MaxDeletes
	case PayloadVendorID:
		return MaxVendorIDs
	}
	if !understood(t) {
		return MaxUnknown
	}
	return maxSinglePart
}

// understood reports whether this package has a type for the payload.
func understood(t PayloadType) bool {
	switch t {
	case PayloadSA, PayloadKE, PayloadIDi, PayloadIDr, PayloadCERT, PayloadCERTREQ,
		PayloadAUTH, PayloadNonce, PayloadNotify, PayloadDelete, PayloadVendorID,
		PayloadTSi, PayloadTSr, PayloadCP, PayloadEAP, PayloadSK, PayloadSKF:
		return true
	}
	return false
}

// FirstType is the type of the first payload, PayloadNone if there is none: the
// Next Payload field in front of the chain.
func FirstType(ps []Payload) PayloadType {
	if len(ps) == 0 {
		return PayloadNone
	}
	return ps[0].Type()
}

// AppendPayloads appends the payloads, each with its generic header; FirstType
// gives the Next Payload field for what comes before them.
//
// The body of a payload must not be longer than MaxBodyLen: no payload that was
// parsed is, and whoever makes one of local data, such as a certificate, checks
// it first. AppendPayloads panics otherwise, since there is no way to send it.
func AppendPayloads(b []byte, ps []Payload) []byte {
	for i, p := range ps {
		next := FirstType(ps[i+1:])
		var flags uint8
		if u, ok := p.(*Unknown); ok && u.Critical {
			// "[The critical bit] MUST be set to zero for payload types defined in
			// this document."
			// https://www.rfc-editor.org/rfc/rfc7296#section-3.2
			flags = criticalBit
		}
		start := len(b)
		b = append(b, uint8(next), flags, 0, 0)
		b = p.AppendBody(b)
		putLength(b[start:], p.Type())
	}
	return b
}

// putLength writes the length of the payload into its generic header.
func putLength(payload []byte, t PayloadType) {
	if len(payload) > genericHeaderLen+MaxBodyLen {
		panic("wire: BUG: " + t.String() + " payload is too long to be sent")
	}
	binary.BigEndian.PutUint16(payload[2:], uint16(len(payload)))
}

// parseBody parses the body b of a payload, which starts at offset base.
func parseBody(t PayloadType, critical bool, b []byte, base int) (Payload, error) {
	switch t {
	case PayloadSA:
		return result(parseSA(b, base))
	case PayloadKE:
		return result(parseKE(b, base))
	case PayloadIDi, PayloadIDr:
		return result(parseID(t, b, base))
	case PayloadCERT:
		return result(parseCert(b, base))
	case PayloadCERTREQ:
		return result(parseCertReq(b, base))
	case PayloadAUTH:
		return result(parseAuth(b, base))
	case PayloadNonce:
		return result(parseNonce(b, base))
	case PayloadNotify:
		return result(parseNotify(b, base))
	case PayloadDelete:
		return result(parseDelete(b, base))
	case PayloadVendorID:
		return &VendorID{Data: b}, nil
	case PayloadTSi, PayloadTSr:
		return result(parseTS(t, b, base))
	case PayloadCP:
		return result(parseCP(b, base))
	case PayloadEAP:
		return result(parseEAP(b, base))
	}
	if critical {
		return nil, &CriticalError{Payload: t, Offset: base - genericHeaderLen}
	}
	return &Unknown{PayloadType: t, Body: b}, nil
}

// result keeps a nil pointer of a concrete type from becoming a Payload that
// isn't nil.
func result[P Payload](p P, err error) (Payload, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}
