package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// reasonSet is a set of reasons, ReasonFlags of RFC 5280 section 4.2.1.13. Bit i is that of the RFC.
type reasonSet uint16

const allReasons reasonSet = 0x1fe // 1 to 8

// scope is what a list is about, the extension issuingDistributionPoint of RFC 5280 section 5.2.5. The zero value is that of a list
// without it: everything.
type scope struct {
	raw        []byte   // the value of the extension, nil if there is none
	names      [][]byte // GeneralNames of the distribution point, in DER
	relative   bool     // there is a name, relative to that of the issuer
	users, cas bool
	some       reasonSet // 0: all
	indirect   bool
	attributes bool
}

// point is a DistributionPoint of a certificate, or of the extension freshestCRL, RFC 5280 section 4.2.1.13.
type point struct {
	names    [][]byte
	uris     []string
	relative bool
	some     reasonSet // 0: all
	indirect bool      // it names another CRL issuer
}

// maxPoints bounds the distribution points of a certificate, and maxNames the names of one, that are looked at.
const (
	maxPoints = 8
	maxNames  = 8
)

func tagged(n cbasn1.Tag) cbasn1.Tag { return n.ContextSpecific() }

func readScope(value []byte) (s scope, ok bool) {
	in := cryptobyte.String(value)
	var fields, name cryptobyte.String
	if !in.ReadASN1(&fields, cbasn1.SEQUENCE) || !in.Empty() {
		return s, false
	}
	s.raw = value
	var named bool
	if !fields.ReadOptionalASN1(&name, &named, tagged(0).Constructed()) {
		return s, false
	}
	if named {
		if s.names, _, s.relative, ok = readPointName(name); !ok {
			return s, false
		}
	}
	if !readFlag(&fields, &s.users, 1) || !readFlag(&fields, &s.cas, 2) || !readReasons(&fields, &s.some, 3) ||
		!readFlag(&fields, &s.indirect, 4) || !readFlag(&fields, &s.attributes, 5) || !fields.Empty() {
		return s, false
	}
	// "at most one of onlyContainsUserCerts, onlyContainsCACerts, and onlyContainsAttributeCerts may be set to TRUE"
	return s, !(s.users && s.cas) && !(s.attributes && (s.users || s.cas))
}

func readPoints(value []byte) (list []point, ok bool) {
	in := cryptobyte.String(value)
	var all cryptobyte.String
	if !in.ReadASN1(&all, cbasn1.SEQUENCE) || !in.Empty() || all.Empty() {
		return nil, false
	}
	for !all.Empty() {
		var fields, name, issuer cryptobyte.String
		var named bool
		var p point
		if !all.ReadASN1(&fields, cbasn1.SEQUENCE) || !fields.ReadOptionalASN1(&name, &named, tagged(0).Constructed()) {
			return nil, false
		}
		if named {
			if p.names, p.uris, p.relative, ok = readPointName(name); !ok {
				return nil, false
			}
		}
		if !readReasons(&fields, &p.some, 1) || !fields.ReadOptionalASN1(&issuer, &p.indirect, tagged(2).Constructed()) || !fields.Empty() {
			return nil, false
		}
		if len(list) < maxPoints {
			list = append(list, p)
		}
	}
	return list, true
}

// readPointName reads a DistributionPointName.
func readPointName(in cryptobyte.String) (names [][]byte, uris []string, relative, ok bool) {
	if in.PeekASN1Tag(tagged(1).Constructed()) {
		return nil, nil, true, in.SkipASN1(tagged(1).Constructed()) && in.Empty()
	}
	var full cryptobyte.String
	if !in.ReadASN1(&full, tagged(0).Constructed()) || !in.Empty() || full.Empty() {
		return nil, nil, false, false
	}
	for !full.Empty() {
		var whole, value cryptobyte.String
		var tag cbasn1.Tag
		if !full.ReadAnyASN1Element(&whole, &tag) {
			return nil, nil, false, false
		}
		if len(names) == maxNames {
			continue
		}
		names = append(names, whole)
		if tag == tagged(6) { // uniformResourceIdentifier
			if w := whole; w.ReadASN1(&value, tag) {
				uris = append(uris, string(value))
			}
		}
	}
	return names, uris, false, true
}

// readFlag reads an implicitly tagged BOOLEAN DEFAULT FALSE. In DER, what has its default is not there, and TRUE is 255.
func readFlag(in *cryptobyte.String, out *bool, n cbasn1.Tag) bool {
	var v cryptobyte.String
	var there bool
	if !in.ReadOptionalASN1(&v, &there, tagged(n)) {
		return false
	}
	*out = there
	return !there || len(v) == 1 && v[0] == 0xff
}

// readReasons reads implicitly tagged ReasonFlags.
func readReasons(in *cryptobyte.String, out *reasonSet, n cbasn1.Tag) bool {
	var v cryptobyte.String
	var there bool
	if !in.ReadOptionalASN1(&v, &there, tagged(n)) || !there {
		return !there
	}
	if len(v) < 2 || len(v) > 3 || v[0] > 7 {
		return false
	}
	bits := asn1.BitString{Bytes: v[1:], BitLength: (len(v)-1)*8 - int(v[0])}
	for i := range 9 {
		if i > 0 && bits.At(i) == 1 {
			*out |= 1 << i
		}
	}
	return *out != 0
}

func (r reasonSet) orAll() reasonSet {
	if r == 0 {
		return allReasons
	}
	return r
}

// covers says which reasons of revocation of a certificate a list covers, none if it is not about it: steps (b) and (d) of RFC 5280
// section 6.3.3. points are the distribution points of the certificate. named: the operator says that the list is for this CA.
func (s *scope) covers(c *x509.Certificate, points []point, named bool) reasonSet {
	isCA := c.BasicConstraintsValid && c.IsCA
	if s.users && isCA || s.cas && !isCA || s.attributes || s.indirect || s.relative {
		return 0
	}
	mine := s.some.orAll()
	if len(s.names) == 0 {
		return mine
	}
	var covered reasonSet
	hasNames := false
	for _, p := range points {
		hasNames = hasNames || len(p.names) > 0 || p.relative
		if !p.indirect && overlap(s.names, p.names) {
			covered |= mine & p.some.orAll()
		}
	}
	// "assume a DP with both the reasons and the cRLIssuer fields omitted and a distribution point name of the certificate issuer"
	if overlap(s.names, [][]byte{directoryName(c.RawIssuer)}) {
		covered |= mine
	}
	// A certificate that names no point can be in any part of a CA's CRLs: which one it is, the operator has said.
	if named && !hasNames {
		covered |= mine
	}
	return covered
}

func overlap(a, b [][]byte) bool {
	for _, x := range a {
		for _, y := range b {
			if bytes.Equal(x, y) {
				return true
			}
		}
	}
	return false
}

// directoryName is a Name as a GeneralName: [4], explicit since Name is a CHOICE.
func directoryName(name []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tagged(4).Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(name) })
	return b.BytesOrPanic()
}

// pointsOf returns the distribution points that an extension of a certificate has: [oidPoints] or [oidFreshest].
func pointsOf(c *x509.Certificate, id asn1.ObjectIdentifier) []point {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			list, _ := readPoints(e.Value)
			return list
		}
	}
	return nil
}
