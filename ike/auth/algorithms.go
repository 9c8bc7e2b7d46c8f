package auth

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/wire"
)

// The Authentication Data of a digital signature names its algorithm itself (RFC 7427 section 3):
//
//	length (1 octet) | AlgorithmIdentifier, DER | signature
//
// What is read here decides how a signature is judged, so it is read strictly: DER and nothing but DER, no octet left over, the
// parameters that the algorithm's own specification asks for, and a fixed set of algorithms. Of a lenient reader there is a CVE for
// each of these points.

// Scheme is an algorithm by which a signature is made, with its hash. The zero value is none. Schemes are compared with ==.
// A scheme is a family and, below it, the number of the hash.
type Scheme uint16

// family is a signature algorithm without its hash.
type family = Scheme

const (
	familyPKCS1   family = (iota + 1) << 8 // RSASSA-PKCS1-v1_5, RFC 4055 section 5
	familyPSS                              // RSASSA-PSS, RFC 4055 section 3
	familyECDSA                            // RFC 5758 section 3.2
	familyEd25519                          // RFC 8420
	familyEd448                            // RFC 8420
)

// The schemes that there are. SHA-1 is none of them: https://www.rfc-editor.org/rfc/rfc8247#section-3.2 says "MUST NOT".
const (
	RSASHA256   = familyPKCS1 | Scheme(wire.HashSHA2_256)
	RSASHA384   = familyPKCS1 | Scheme(wire.HashSHA2_384)
	RSASHA512   = familyPKCS1 | Scheme(wire.HashSHA2_512)
	PSSSHA256   = familyPSS | Scheme(wire.HashSHA2_256)
	PSSSHA384   = familyPSS | Scheme(wire.HashSHA2_384)
	PSSSHA512   = familyPSS | Scheme(wire.HashSHA2_512)
	ECDSASHA256 = familyECDSA | Scheme(wire.HashSHA2_256)
	ECDSASHA384 = familyECDSA | Scheme(wire.HashSHA2_384)
	ECDSASHA512 = familyECDSA | Scheme(wire.HashSHA2_512)
	Ed25519     = familyEd25519 | Scheme(wire.HashIdentity)
	Ed448       = familyEd448 | Scheme(wire.HashIdentity)
)

// Hash is the algorithm of SIGNATURE_HASH_ALGORITHMS that the scheme takes.
func (s Scheme) Hash() wire.HashAlgorithm { return wire.HashAlgorithm(s & 0xff) }

func (s Scheme) family() family { return s &^ 0xff }

// String is the name of the scheme, such as "RSA-PSS with SHA2_256" or "Ed25519".
func (s Scheme) String() string {
	switch s.family() {
	case familyPKCS1:
		return "RSA (PKCS#1 v1.5) with " + s.Hash().String()
	case familyPSS:
		return "RSA-PSS with " + s.Hash().String()
	case familyECDSA:
		return "ECDSA with " + s.Hash().String()
	case familyEd25519:
		return "Ed25519"
	case familyEd448:
		return "Ed448"
	}
	return "no signature"
}

// AlgorithmError: the peer's signature is by an algorithm that is not taken.
type AlgorithmError struct {
	// Name is the algorithm, for people; what the peer has written may be in it.
	Name string
	// Reason says what is wrong with it, as the rest of a sentence.
	Reason string
}

func (e *AlgorithmError) Error() string { return "auth: signature by " + e.Name + ": " + e.Reason }

// errSignatureSyntax is an Authentication Data whose parts have other lengths than it says, or that is not DER.
var errSignatureSyntax = errors.New("not a DER AlgorithmIdentifier")

// ParseSignature takes the Authentication Data of a digital signature apart. The signature is a part of data.
func ParseSignature(data []byte) (s Scheme, signature []byte, err error) {
	in := cryptobyte.String(data)
	var id cryptobyte.String
	if !in.ReadUint8LengthPrefixed(&id) {
		return 0, nil, malformed(errSignatureSyntax)
	}
	s, err = parseAlgorithm(id)
	return s, in, err
}

func malformed(err error) error {
	return &AlgorithmError{Name: "an unreadable algorithm", Reason: err.Error()}
}

// The object identifiers, as RFC 4055, 5758 and 8410 have them.
const (
	oidRSASHA1     = "1.2.840.113549.1.1.5"
	oidMGF1        = "1.2.840.113549.1.1.8"
	oidPSS         = "1.2.840.113549.1.1.10"
	oidRSASHA256   = "1.2.840.113549.1.1.11"
	oidRSASHA384   = "1.2.840.113549.1.1.12"
	oidRSASHA512   = "1.2.840.113549.1.1.13"
	oidECDSASHA1   = "1.2.840.10045.4.1"
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
	oidECDSASHA384 = "1.2.840.10045.4.3.3"
	oidECDSASHA512 = "1.2.840.10045.4.3.4"
	oidSHA1        = "1.3.14.3.2.26"
	oidSHA256      = "2.16.840.1.101.3.4.2.1"
	oidSHA384      = "2.16.840.1.101.3.4.2.2"
	oidSHA512      = "2.16.840.1.101.3.4.2.3"
	oidEd25519     = "1.3.101.112"
	oidEd448       = "1.3.101.113"
)

// parseAlgorithm reads an AlgorithmIdentifier that is all of der.
func parseAlgorithm(der cryptobyte.String) (Scheme, error) {
	oid, params, ok := readAlgorithm(&der)
	if !ok || !der.Empty() {
		return 0, malformed(errSignatureSyntax)
	}
	// "When any of these … identifiers appear as the algorithm field in an AlgorithmIdentifier, … parameters MUST be NULL.
	// Implementations MUST accept the parameters being absent as well as present." https://www.rfc-editor.org/rfc/rfc4055#section-5
	nullOrAbsent := params == nil || isNull(params)
	pick := func(s Scheme, fits bool) (Scheme, error) {
		if !fits {
			return 0, &AlgorithmError{Name: s.String(), Reason: "it has parameters that this algorithm does not have"}
		}
		return s, nil
	}
	switch oid {
	case oidRSASHA256:
		return pick(RSASHA256, nullOrAbsent)
	case oidRSASHA384:
		return pick(RSASHA384, nullOrAbsent)
	case oidRSASHA512:
		return pick(RSASHA512, nullOrAbsent)
	case oidPSS:
		return parsePSS(params)
	// "[T]he encoding MUST omit the parameters field." https://www.rfc-editor.org/rfc/rfc5758#section-3.2
	case oidECDSASHA256:
		return pick(ECDSASHA256, params == nil)
	case oidECDSASHA384:
		return pick(ECDSASHA384, params == nil)
	case oidECDSASHA512:
		return pick(ECDSASHA512, params == nil)
	// "[T]he parameters MUST be absent." https://www.rfc-editor.org/rfc/rfc8410#section-3
	case oidEd25519:
		return pick(Ed25519, params == nil)
	case oidEd448:
		return pick(Ed448, params == nil)
	case oidRSASHA1, oidECDSASHA1:
		return 0, errSHA1
	}
	return 0, &AlgorithmError{Name: oid, Reason: "it is not one of those that this side knows"}
}

// errSHA1: what two messages with one hash are good for is known for SHA-1 (and for MD5, which has no number in IKEv2).
var errSHA1 = &AlgorithmError{Name: "an algorithm with SHA1", Reason: "collisions of SHA-1 are made in practice"}

// parsePSS reads the parameters of RSASSA-PSS, which are never absent. A field that is left out has its default, SHA-1 or a part of
// that, so that hash and mask have to be there. The hash of the mask has to be that of the message, and the salt as long as it: so it
// is what https://www.rfc-editor.org/rfc/rfc4055#section-3.1 recommends and everybody makes; anything else is an attempt.
func parsePSS(params []byte) (Scheme, error) {
	refuse := func(reason string) (Scheme, error) { return 0, &AlgorithmError{Name: "RSA-PSS", Reason: reason} }
	in := cryptobyte.String(params)
	var fields, hash, mask, salt, trailer cryptobyte.String
	var hasHash, hasMask, hasSalt, hasTrailer bool
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	switch {
	case params == nil:
		return refuse("it has no parameters")
	case !in.ReadASN1(&fields, cbasn1.SEQUENCE) || !in.Empty(),
		!fields.ReadOptionalASN1(&hash, &hasHash, tag(0)), !fields.ReadOptionalASN1(&mask, &hasMask, tag(1)),
		!fields.ReadOptionalASN1(&salt, &hasSalt, tag(2)), !fields.ReadOptionalASN1(&trailer, &hasTrailer, tag(3)), !fields.Empty():
		return refuse("its parameters are not DER")
	case !hasHash || !hasMask:
		return 0, errSHA1
	}
	h, err := parseHash(&hash)
	if err != nil || !hash.Empty() {
		return refuse("its hash is not one of SHA-2")
	}
	oid, of, ok := readAlgorithm(&mask)
	if !ok || !mask.Empty() || oid != oidMGF1 {
		return refuse("its mask is not MGF1")
	}
	ofHash := cryptobyte.String(of)
	if m, err := parseHash(&ofHash); err != nil || !ofHash.Empty() || m != h {
		return refuse("its mask has another hash than the message")
	}
	s := familyPSS | Scheme(h)
	var saltLen uint64
	if !hasSalt || !salt.ReadASN1Integer(&saltLen) || !salt.Empty() || saltLen != uint64(s.cryptoHash().Size()) {
		return refuse("its salt is not as long as the hash")
	}
	// A trailer of 1 is the default, which DER leaves out and the example of RFC 7427 has in it.
	var one uint64
	if hasTrailer && (!trailer.ReadASN1Integer(&one) || !trailer.Empty() || one != 1) {
		return refuse("its trailer is not 1")
	}
	return s, nil
}

// parseHash reads the AlgorithmIdentifier of a hash. "All implementations MUST accept both NULL and absent parameters as legal and
// equivalent encodings." https://www.rfc-editor.org/rfc/rfc4055#section-2.1
func parseHash(in *cryptobyte.String) (wire.HashAlgorithm, error) {
	oid, params, ok := readAlgorithm(in)
	if !ok || params != nil && !isNull(params) {
		return 0, errSignatureSyntax
	}
	switch oid {
	case oidSHA256:
		return wire.HashSHA2_256, nil
	case oidSHA384:
		return wire.HashSHA2_384, nil
	case oidSHA512:
		return wire.HashSHA2_512, nil
	case oidSHA1:
		return 0, errSHA1
	}
	return 0, errors.New("hash " + oid)
}

// readAlgorithm reads an AlgorithmIdentifier. params is one DER element with its header, nil if there is none.
func readAlgorithm(in *cryptobyte.String) (oid string, params []byte, ok bool) {
	var seq, element cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&id) {
		return "", nil, false
	}
	if seq.Empty() {
		return id.String(), nil, true
	}
	var tag cbasn1.Tag
	if !seq.ReadAnyASN1Element(&element, &tag) || !seq.Empty() {
		return "", nil, false
	}
	return id.String(), element, true
}

func isNull(element []byte) bool { return bytes.Equal(element, []byte{5, 0}) }

// Identifier is the AlgorithmIdentifier of a scheme, in the form of RFC 7427 appendix A and RFC 8420 appendix A.
func (s Scheme) Identifier() []byte {
	var b cryptobyte.Builder
	null := func(b *cryptobyte.Builder) { b.AddASN1NULL() }
	switch s.family() {
	case familyPKCS1:
		addAlgorithm(&b, s.pick(oidRSASHA256, oidRSASHA384, oidRSASHA512), null)
	case familyPSS:
		hash := func(b *cryptobyte.Builder) { addAlgorithm(b, s.pick(oidSHA256, oidSHA384, oidSHA512), null) }
		addAlgorithm(&b, oidPSS, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for i, field := range []cryptobyte.BuilderContinuation{
					hash,
					func(b *cryptobyte.Builder) { addAlgorithm(b, oidMGF1, hash) },
					func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(s.cryptoHash().Size())) },
					func(b *cryptobyte.Builder) { b.AddASN1Int64(1) },
				} {
					b.AddASN1(cbasn1.Tag(i).ContextSpecific().Constructed(), field)
				}
			})
		})
	case familyECDSA:
		addAlgorithm(&b, s.pick(oidECDSASHA256, oidECDSASHA384, oidECDSASHA512), nil)
	case familyEd25519:
		addAlgorithm(&b, oidEd25519, nil)
	case familyEd448:
		addAlgorithm(&b, oidEd448, nil)
	}
	return b.BytesOrPanic()
}

// pick chooses by the hash of a scheme.
func (s Scheme) pick(sha256, sha384, sha512 string) string {
	switch s.Hash() {
	case wire.HashSHA2_384:
		return sha384
	case wire.HashSHA2_512:
		return sha512
	}
	return sha256
}

func addAlgorithm(b *cryptobyte.Builder, oid string, params cryptobyte.BuilderContinuation) {
	var id asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(oid, ".") {
		n, _ := strconv.Atoi(arc) // of a constant
		id = append(id, n)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		if params != nil {
			params(b)
		}
	})
}

// appendSignature is the Authentication Data of a digital signature.
func (s Scheme) appendSignature(signature []byte) []byte {
	id := s.Identifier()
	return append(append([]byte{uint8(len(id))}, id...), signature...)
}
