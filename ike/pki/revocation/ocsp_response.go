package revocation

import (
	"crypto/x509"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// basicResponse is a BasicOCSPResponse, RFC 6960 section 4.2.1, of which nothing was verified. The package ocsp of x/crypto is not used
// for it: it finds the answer by the serial number alone, without the CA that the answer says it is for, and does not look at what a
// responder's certificate may be used for.
type basicResponse struct {
	signed, signature []byte
	algorithm         x509.SignatureAlgorithm
	// responderName is the DER of a Name, responderKey the SHA-1 of a key; one of them is there.
	responderName, responderKey []byte
	answers                     []singleResponse
	certs                       [][]byte
}

// singleResponse is what it says of one certificate.
type singleResponse struct {
	hash                      asn1.ObjectIdentifier
	nameHash, keyHash, serial []byte
	status                    Status // Unknown: the responder does not know the certificate
	at                        time.Time
	reason                    Reason
	this, next                time.Time // next is zero if there is none
}

const (
	// maxAnswerOctets bounds an OCSPResponse. With a certificate of a large RSA key it has about 3,000.
	maxAnswerOctets = 64 << 10
	// maxAnswers bounds the certificates that it has answers for, and maxResponders the certificates of responders in it.
	maxAnswers    = 64
	maxResponders = 8
)

var oidBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}

// responseStatus names the ones of an OCSPResponse that is not successful.
var responseStatus = map[int]string{
	1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized",
}

func readResponse(der []byte) (r basicResponse, p *Problem) {
	if len(der) > maxAnswerOctets {
		return r, problem(FaultSize, "it has %d bytes; %d is the most that is read", len(der), maxAnswerOctets)
	}
	wrong := problem(FaultSyntax, "it is not an OCSP response")
	in := cryptobyte.String(der)
	var outer, bytes, basic, octets cryptobyte.String
	var status int
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&status) {
		return r, wrong
	}
	if status != 0 {
		name := responseStatus[status]
		if name == "" {
			return r, wrong
		}
		return r, problem(FaultStatus, "the responder says %s", name)
	}
	var kind asn1.ObjectIdentifier
	if !outer.ReadASN1(&bytes, tagged(0).Constructed()) || !outer.Empty() || !bytes.ReadASN1(&basic, cbasn1.SEQUENCE) || !bytes.Empty() ||
		!basic.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidBasic) || !basic.ReadASN1(&octets, cbasn1.OCTET_STRING) || !basic.Empty() {
		return r, wrong
	}
	var fields, signed, algorithm, certs cryptobyte.String
	var signature asn1.BitString
	if !octets.ReadASN1(&fields, cbasn1.SEQUENCE) || !octets.Empty() || !fields.ReadASN1Element(&signed, cbasn1.SEQUENCE) ||
		!fields.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) || !fields.ReadASN1BitString(&signature) || signature.BitLength%8 != 0 {
		return r, wrong
	}
	r.signed, r.signature, r.algorithm = signed, signature.Bytes, algorithmOf(algorithm)
	if !fields.Empty() {
		if !fields.ReadASN1(&certs, tagged(0).Constructed()) || !fields.Empty() {
			return r, wrong
		}
		var list cryptobyte.String
		if !certs.ReadASN1(&list, cbasn1.SEQUENCE) || !certs.Empty() {
			return r, wrong
		}
		for !list.Empty() && len(r.certs) < maxResponders {
			var one cryptobyte.String
			if !list.ReadASN1Element(&one, cbasn1.SEQUENCE) {
				return r, wrong
			}
			r.certs = append(r.certs, one)
		}
	}
	if p := r.readData(signed); p != nil {
		return r, p
	}
	return r, nil
}

// readData reads ResponseData.
func (r *basicResponse) readData(in cryptobyte.String) *Problem {
	wrong := problem(FaultSyntax, "it is not an OCSP response of version 1")
	var data, id, list, produced cryptobyte.String
	// In DER, the version is not there, since it is the default one.
	if !in.ReadASN1(&data, cbasn1.SEQUENCE) || data.PeekASN1Tag(tagged(0).Constructed()) {
		return wrong
	}
	switch {
	case data.PeekASN1Tag(tagged(1).Constructed()):
		if !data.ReadASN1(&id, tagged(1).Constructed()) || id.Empty() {
			return wrong
		}
		r.responderName = id
	default:
		var key cryptobyte.String
		if !data.ReadASN1(&id, tagged(2).Constructed()) || !id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.Empty() || key.Empty() {
			return wrong
		}
		r.responderKey = key
	}
	if !data.ReadASN1(&produced, cbasn1.GeneralizedTime) || !data.ReadASN1(&list, cbasn1.SEQUENCE) {
		return wrong
	}
	for !list.Empty() {
		one, p := readSingle(&list)
		if p != nil {
			return p
		}
		if len(r.answers) == maxAnswers {
			return problem(FaultSize, "it has answers for more than %d certificates", maxAnswers)
		}
		r.answers = append(r.answers, one)
	}
	if p := readExtensions(&data, 1); p != nil {
		return p
	}
	if !data.Empty() {
		return wrong
	}
	return nil
}

// readSingle reads a SingleResponse.
func readSingle(in *cryptobyte.String) (s singleResponse, p *Problem) {
	wrong := problem(FaultSyntax, "one of its answers is malformed")
	var fields, id, alg, nameHash, keyHash, serial, v cryptobyte.String
	if !in.ReadASN1(&fields, cbasn1.SEQUENCE) || !fields.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!alg.ReadASN1ObjectIdentifier(&s.hash) || !id.ReadASN1(&nameHash, cbasn1.OCTET_STRING) || !id.ReadASN1(&keyHash, cbasn1.OCTET_STRING) ||
		!id.ReadASN1(&serial, cbasn1.INTEGER) || !id.Empty() {
		return s, wrong
	}
	s.nameHash, s.keyHash, s.serial = nameHash, keyHash, serial
	switch {
	case fields.PeekASN1Tag(tagged(0)):
		if !fields.ReadASN1(&v, tagged(0)) || !v.Empty() {
			return s, wrong
		}
		s.status = Good
	case fields.PeekASN1Tag(tagged(2)):
		if !fields.ReadASN1(&v, tagged(2)) || !v.Empty() {
			return s, wrong
		}
	default:
		s.status = Revoked
		var reason cryptobyte.String
		var given bool
		var n int
		if !fields.ReadASN1(&v, tagged(1).Constructed()) || !v.ReadASN1GeneralizedTime(&s.at) ||
			!v.ReadOptionalASN1(&reason, &given, tagged(0).Constructed()) || !v.Empty() ||
			given && (!reason.ReadASN1Enum(&n) || !reason.Empty() || n < 0 || n > 255 || !Reason(n).valid()) {
			return s, wrong
		}
		s.reason = Reason(n)
	}
	var next cryptobyte.String
	var ends bool
	if !fields.ReadASN1GeneralizedTime(&s.this) || !fields.ReadOptionalASN1(&next, &ends, tagged(0).Constructed()) ||
		ends && (!next.ReadASN1GeneralizedTime(&s.next) || !next.Empty()) {
		return s, wrong
	}
	if p := readExtensions(&fields, 1); p != nil {
		return s, p
	}
	if !fields.Empty() {
		return s, wrong
	}
	return s, nil
}

// readExtensions passes over optional extensions with an explicit tag, none of which is understood. RFC 6960 section 4.4: "Unrecognized
// extensions MUST be ignored (unless they have the critical flag set and are not understood)."
func readExtensions(in *cryptobyte.String, n cbasn1.Tag) *Problem {
	wrong := problem(FaultSyntax, "its extensions are malformed")
	var outer, list cryptobyte.String
	var there bool
	if !in.ReadOptionalASN1(&outer, &there, tagged(n).Constructed()) || !there {
		if there {
			return wrong
		}
		return nil
	}
	if !outer.ReadASN1(&list, cbasn1.SEQUENCE) || !outer.Empty() {
		return wrong
	}
	for !list.Empty() {
		var one cryptobyte.String
		var id asn1.ObjectIdentifier
		critical := false
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.SkipASN1(cbasn1.OCTET_STRING) || !one.Empty() {
			return wrong
		}
		if critical {
			return problem(FaultCritical, "it has the critical extension %s, which is not understood", id)
		}
	}
	return nil
}
