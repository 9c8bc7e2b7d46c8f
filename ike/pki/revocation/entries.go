package revocation

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// entries are those of a list, as little of them as is needed to find one: a million of them with serial numbers of 20 octets have
// 32,000,000 octets. They are immutable.
type entries struct {
	records []byte   // each: the length of the serial number, itself, seconds since 1970 in 5 octets, the reason
	order   []uint32 // where records begin, by serial number
}

// entry is what a list says of a certificate.
type entry struct {
	at     time.Time
	reason Reason
}

const (
	maxSerialOctets = 64
	recordRest      = 6 // of a record, after the serial number
)

var (
	oidReasonCode     = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidEntryIssuer    = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// readEntries reads revokedCertificates. Call it for a list whose signature was verified.
func readEntries(der []byte) (e entries, p *Problem) {
	wrong := func() (entries, *Problem) { return entries{}, problem(FaultSyntax, "an entry of it is malformed") }
	in := cryptobyte.String(der)
	// Once over it for the size, so that nothing is allocated twice.
	n, size := 0, 0
	for scan := in; !scan.Empty(); n++ {
		var one, serial cryptobyte.String
		if !scan.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&serial, cbasn1.INTEGER) {
			return wrong()
		}
		size += 1 + len(serial) + recordRest
	}
	e.records, e.order = make([]byte, 0, size), make([]uint32, 0, n)
	for !in.Empty() {
		var one, serial, extensions cryptobyte.String
		var at time.Time
		var extended bool
		if !in.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&serial, cbasn1.INTEGER) || !minimal(serial) || !readTime(&one, &at) ||
			!one.ReadOptionalASN1(&extensions, &extended, cbasn1.SEQUENCE) || !one.Empty() {
			return wrong()
		}
		reason := Unspecified
		if extended {
			if reason, p = readEntryExtensions(extensions); p != nil {
				return entries{}, p
			}
		}
		e.order = append(e.order, uint32(len(e.records)))
		e.records = append(e.records, byte(len(serial)))
		e.records = append(e.records, serial...)
		s := uint64(max(at.Unix(), 0))
		e.records = append(e.records, byte(s>>32), byte(s>>24), byte(s>>16), byte(s>>8), byte(s), byte(reason))
	}
	// A serial number that is there twice: the first one counts.
	slices.SortStableFunc(e.order, func(a, b uint32) int { return bytes.Compare(e.serial(a), e.serial(b)) })
	return e, nil
}

func readTime(in *cryptobyte.String, out *time.Time) bool {
	if in.PeekASN1Tag(cbasn1.UTCTime) {
		return in.ReadASN1UTCTime(out)
	}
	return in.ReadASN1GeneralizedTime(out)
}

// readEntryExtensions reads those of an entry. https://www.rfc-editor.org/rfc/rfc5280#section-5.3: "If a CRL contains a critical CRL
// entry extension that the application cannot process, then the application MUST NOT use that CRL to determine the status of any
// certificates."
func readEntryExtensions(in cryptobyte.String) (reason Reason, p *Problem) {
	for !in.Empty() {
		var one, value cryptobyte.String
		var id asn1.ObjectIdentifier
		critical := false
		if !in.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return 0, problem(FaultSyntax, "an extension of an entry is malformed")
		}
		switch {
		case id.Equal(oidReasonCode):
			var n int
			if !value.ReadASN1Enum(&n) || !value.Empty() || n < 0 || n > 255 || !Reason(n).valid() {
				return 0, problem(FaultSyntax, "the reason of an entry is malformed")
			}
			reason = Reason(n)
		case id.Equal(oidInvalidityDate):
		case id.Equal(oidEntryIssuer):
			return 0, problem(FaultCritical, "it has entries of other CAs (certificateIssuer), which are not understood")
		case critical:
			return 0, problem(FaultCritical, "an entry of it has the critical extension %s, which is not understood", id)
		}
	}
	return reason, nil
}

// minimal reports whether the content of an INTEGER is as DER wants it, and a length that is kept.
func minimal(b []byte) bool {
	return len(b) > 0 && len(b) <= maxSerialOctets && (len(b) == 1 || !(b[0] == 0 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80))
}

func (e *entries) serial(at uint32) []byte { return e.records[at+1:][:e.records[at]] }

// find looks for a serial number: the content of its INTEGER.
func (e *entries) find(serial []byte) (entry, bool) {
	i, ok := slices.BinarySearchFunc(e.order, serial, func(at uint32, s []byte) int { return bytes.Compare(e.serial(at), s) })
	if !ok {
		return entry{}, false
	}
	at := e.order[i]
	rest := e.records[at+1+uint32(e.records[at]):][:recordRest]
	seconds := int64(rest[0])<<32 | int64(rest[1])<<24 | int64(rest[2])<<16 | int64(rest[3])<<8 | int64(rest[4])
	return entry{time.Unix(seconds, 0).UTC(), Reason(rest[5])}, true
}

// size is about how many octets of memory they take.
func (e *entries) size() int { return len(e.records) + 4*len(e.order) }
