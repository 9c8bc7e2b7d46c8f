package revocation

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

var errNobody = errors.New("connection refused")

// takeCRL has a CRL fetched and taken, and says what is known then.
func takeCRL(t *testing.T, c, ca *holder, der []byte) (State, error) {
	t.Helper()
	var s Store
	n := need(t, &s, noon(), c, ca, Rules{}, CRL)
	err := s.Take(noon(), n, der)
	state, _ := one(&s, noon(), c, ca, Rules{})
	return state, err
}

// The issuingDistributionPoint extensions of the tests, in DER.
var (
	usersOnly      = "\x30\x03\x81\x01\xff"
	casOnly        = "\x30\x03\x82\x01\xff"
	attributesOnly = "\x30\x03\x85\x01\xff"
	indirect       = "\x30\x03\x84\x01\xff"
	someReasons    = "\x30\x04\x83\x02\x06\x40" // keyCompromise
	otherReasons   = "\x30\x05\x83\x03\x07\x3f\x80"
	relativeName   = "\x30\x04\xa0\x02\xa1\x00"
)

func pointName(uri string) string {
	name := "\x86" + string(rune(len(uri))) + uri
	full := "\xa0" + string(rune(len(name))) + name
	point := "\xa0" + string(rune(len(full))) + full
	return "\x30" + string(rune(len(point))) + point
}

// TestList: what each CRL says of a certificate of an end, and what is wrong with it.
func TestList(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "other")
	impostor := issue(t, nil, &x509.Certificate{Subject: name("ca"), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: ca.SubjectKeyId}, nil)
	end := newEnd(t, ca, onlyCRL)
	fault := func(f Fault) *Fault { return &f }
	entryWith := func(id []int, critical bool) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(5), RevocationTime: noon(),
				ExtraExtensions: []pkix.Extension{{Id: id, Critical: critical, Value: []byte("\x30\x00")}}})
		}
	}
	for _, x := range []struct {
		what string
		crl  []byte
		want Status
		// fault is that of Take, and of the verdict if Take takes it.
		fault *Fault
	}{
		{"an empty one", crlOf(t, ca, 1), Good, nil},
		{"with another entry", crlOf(t, ca, 1, listed(other, Unspecified)), Good, nil},
		{"with the certificate", crlOf(t, ca, 1, listed(other, Unspecified), listed(end, KeyCompromise)), Revoked, nil},
		{"in PEM", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crlOf(t, ca, 1, listed(end, 0))}), Revoked, nil},
		{"a certificate in PEM", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: end.Raw}), Unknown, fault(FaultSyntax)},
		{"of another CA", crlOf(t, other, 1), Unknown, fault(FaultOther)},
		{"of another key", crlOf(t, impostor, 1), Unknown, fault(FaultSignature)},
		{"ended", crlOf(t, ca, 1, between(-48*time.Hour, -time.Second)), Unknown, fault(FaultStale)},
		{"ended, with the certificate", crlOf(t, ca, 1, between(-48*time.Hour, -time.Second), listed(end, 0)), Revoked, fault(FaultStale)},
		{"ends now", crlOf(t, ca, 1, between(-48*time.Hour, 0)), Good, nil},
		{"of the future", crlOf(t, ca, 1, between(6*time.Minute, time.Hour)), Unknown, fault(FaultFuture)},
		{"of a clock that is ahead", crlOf(t, ca, 1, between(4*time.Minute, time.Hour)), Good, nil},
		{"unknown extension", crlOf(t, ca, 1, extension([]int{1, 2, 3}, false, "x")), Good, nil},
		{"unknown critical extension", crlOf(t, ca, 1, extension([]int{1, 2, 3}, true, "x"), listed(end, 0)), Unknown, fault(FaultCritical)},
		{"critical extension of an entry", crlOf(t, ca, 1, entryWith([]int{1, 2, 3}, true)), Unknown, fault(FaultCritical)},
		{"extension of an entry", crlOf(t, ca, 1, entryWith([]int{1, 2, 3}, false)), Good, nil},
		{"entry of another CA", crlOf(t, ca, 1, entryWith(oidEntryIssuer, true)), Unknown, fault(FaultCritical)},
		{"indirect", crlOf(t, ca, 1, extension(oidScope, true, indirect)), Unknown, fault(FaultCritical)},
		{"of attribute certificates", crlOf(t, ca, 1, extension(oidScope, true, attributesOnly)), Unknown, fault(FaultScope)},
		{"of ends", crlOf(t, ca, 1, extension(oidScope, true, usersOnly), listed(end, 0)), Revoked, nil},
		{"of CAs", crlOf(t, ca, 1, extension(oidScope, true, casOnly), listed(end, 0)), Unknown, nil},
		{"of some reasons", crlOf(t, ca, 1, extension(oidScope, true, someReasons)), Unknown, nil},
		{"of some reasons, with the certificate", crlOf(t, ca, 1, extension(oidScope, true, someReasons), listed(end, KeyCompromise)), Revoked, nil},
		{"of its distribution point", crlOf(t, ca, 1, extension(oidScope, true, pointName(crlURI))), Good, nil},
		{"of another distribution point", crlOf(t, ca, 1, extension(oidScope, true, pointName("http://x.example/"))), Unknown, nil},
		{"of a relative name", crlOf(t, ca, 1, extension(oidScope, true, relativeName)), Unknown, nil},
		{"malformed scope", crlOf(t, ca, 1, extension(oidScope, true, "\x30\x03\x81\x01\x01")), Unknown, fault(FaultSyntax)},
		{"two scopes in one", crlOf(t, ca, 1, extension(oidScope, true, "\x30\x06\x81\x01\xff\x82\x01\xff")), Unknown, fault(FaultSyntax)},
		{"an extension twice", crlOf(t, ca, 1, extension(oidScope, true, usersOnly), extension(oidScope, true, usersOnly)), Unknown, fault(FaultSyntax)},
		{"a delta", crlOf(t, ca, 2, extension(oidDelta, true, "\x02\x01\x01")), Unknown, fault(FaultScope)},
		{"the reason removeFromCRL in a base", crlOf(t, ca, 1, listed(end, RemoveFromCRL)), Good, nil},
		{"nothing", nil, Unknown, fault(FaultSyntax)},
		{"HTML", []byte("<html>moved"), Unknown, fault(FaultSyntax)},
		{"octets after it", append(crlOf(t, ca, 1), 0), Unknown, fault(FaultSyntax)},
		{"too large", make([]byte, maxListOctets+1), Unknown, fault(FaultSize)},
	} {
		state, err := takeCRL(t, end, ca, x.crl)
		if state.Status != x.want {
			t.Errorf("%s: the certificate is %s, want %s (%v)", x.what, state.Status, x.want, state.Problems)
		}
		if (err != nil) != (x.fault != nil) || err != nil && FaultOf(err) != *x.fault {
			t.Errorf("%s: taken: %v", x.what, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "CRL "+crlURI+": ") {
			t.Errorf("%s: does not name its source: %v", x.what, err)
		}
		if state.Status == Unknown && len(state.Problems) == 0 {
			t.Errorf("%s: nothing says why", x.what)
		}
	}
}

// TestListByCAKeyUsage: a CA that must not sign CRLs does not.
func TestListByCAKeyUsage(t *testing.T) {
	key := newKey(t)
	ca := issue(t, nil, &x509.Certificate{Subject: name("ca"), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, key)
	may := issue(t, nil, &x509.Certificate{Subject: name("ca"), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign}, key)
	end := newEnd(t, ca, onlyCRL)
	if _, err := takeCRL(t, end, ca, crlOf(t, may, 1)); FaultOf(err) != FaultSigner || err == nil {
		t.Errorf("the list of a CA that must not sign any: %v", err)
	}
}

// TestListScopeOfCA: what is about ends says nothing of a CA.
func TestListScopeOfCA(t *testing.T) {
	root := newCA(t, nil, "root")
	for scope, want := range map[string]Status{usersOnly: Unknown, casOnly: Good} {
		ca := issue(t, root, &x509.Certificate{Subject: name("ca"), BasicConstraintsValid: true, IsCA: true, CRLDistributionPoints: []string{crlURI}}, nil)
		if s, err := takeCRL(t, ca, root, crlOf(t, root, 1, extension(oidScope, true, scope))); s.Status != want {
			t.Errorf("%x: %s, %v", scope, s.Status, err)
		}
	}
}

// TestListBitFlips: a list with one octet changed is not taken, whichever it is.
func TestListBitFlips(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyCRL)
	der := crlOf(t, ca, 1, listed(end, KeyCompromise), extension(oidScope, true, usersOnly))
	for i := range der {
		changed := bytes.Clone(der)
		changed[i] ^= 0x01
		if s, err := takeCRL(t, end, ca, changed); err == nil || s.Status != Unknown {
			t.Fatalf("octet %d: %s, %v", i, s.Status, err)
		}
		if s, err := takeCRL(t, end, ca, der[:i]); err == nil || s.Status != Unknown {
			t.Fatalf("the first %d octets: %s, %v", i, s.Status, err)
		}
	}
}

// TestReasonsInParts: two lists that cover some reasons each cover all of them together.
func TestReasonsInParts(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, noSource)
	read := func(name string, edits ...func(*x509.RevocationList)) *List {
		l, err := ReadList(name, crlOf(t, ca, 1, edits...))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b := read("a.crl", extension(oidScope, true, someReasons)), read("b.crl", extension(oidScope, true, otherReasons), between(-time.Hour, time.Minute))
	for _, x := range []struct {
		lists []*List
		want  Status
	}{{[]*List{a}, Unknown}, {[]*List{b}, Unknown}, {[]*List{a, b}, Good}} {
		s, _ := one(new(Store), noon(), end, ca, Rules{Lists: x.lists})
		if s.Status != x.want {
			t.Errorf("%d lists: %s %v", len(x.lists), s.Status, s.Problems)
		}
		if s.Status == Good && !s.Until.Equal(noon().Add(time.Minute)) {
			t.Errorf("good until %v, not as long as the shorter one", s.Until)
		}
	}
}

// TestFiles: lists of files, for certificates that name no source.
func TestFiles(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "ca")
	end := newEnd(t, ca, noSource)
	file := func(signer *holder, number int64, edits ...func(*x509.RevocationList)) *List {
		l, err := ReadList(fmt.Sprintf("file %d", number), crlOf(t, signer, number, edits...))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, x := range []struct {
		what  string
		lists []*List
		want  Status
		says  string
	}{
		{"none", nil, Unknown, "says where to ask"},
		{"one", []*List{file(ca, 1)}, Good, ""},
		{"it is listed", []*List{file(ca, 1, listed(end, 0))}, Revoked, ""},
		{"an older edition listed it", []*List{file(ca, 2), file(ca, 1, listed(end, CertificateHold))}, Good, ""},
		{"the newer edition is first", []*List{file(ca, 1), file(ca, 2, listed(end, 0))}, Revoked, ""},
		{"ended", []*List{file(ca, 1, between(-48*time.Hour, -49*time.Minute))}, Unknown, "CRL file 1: it has ended at 2026-11-29 11:11:00Z, 49m0s ago: it is 2026-11-29 12:00:00Z here"},
		{"of the future", []*List{file(ca, 1, between(time.Hour, 2*time.Hour))}, Unknown, "CRL file 1: it is of 2026-11-29 13:00:00Z, which is in the future"},
		{"of another key with the name of the CA", []*List{file(other, 1)}, Unknown, "says where to ask"},
		{"of a part, which the operator has chosen", []*List{file(ca, 1, extension(oidScope, true, pointName("http://x.example/")))}, Good, ""},
	} {
		var s Store
		for range 2 { // the second time from memory
			state, needed := one(&s, noon(), end, ca, Rules{Lists: x.lists})
			if state.Status != x.want || needed != nil {
				t.Errorf("%s: %s, %v, needed %v", x.what, state.Status, state.Problems, needed)
			}
			if !strings.Contains(state.Why(), x.says) {
				t.Errorf("%s: says %q", x.what, state.Why())
			}
		}
	}
	// A certificate that names its distribution point wants the list of that, file or not.
	named := newEnd(t, ca, onlyCRL)
	part := file(ca, 1, extension(oidScope, true, pointName("http://x.example/")))
	if s, _ := one(new(Store), noon(), named, ca, Rules{Lists: []*List{part}}); s.Status != Unknown {
		t.Errorf("the list of another distribution point says %s", s.Status)
	}
}

// TestEntries: many entries, in any order, are found, and nothing else is.
func TestEntries(t *testing.T) {
	ca := newCA(t, nil, "ca")
	der := crlOf(t, ca, 1, func(l *x509.RevocationList) {
		for i := range int64(2000) {
			n := i * 7919 % 2000
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(n*3 + 1), RevocationTime: noon().Add(-time.Duration(n) * time.Minute), ReasonCode: int(KeyCompromise)})
		}
	})
	l, err := ReadList("x", der)
	if err != nil {
		t.Fatal(err)
	}
	e, p := readEntries(l.entries)
	if p != nil {
		t.Fatal(p)
	}
	for n := range int64(6000) {
		got, ok := e.find(serialOctets(&x509.Certificate{SerialNumber: big.NewInt(n)}))
		if ok != (n%3 == 1) {
			t.Fatalf("%d: found %v", n, ok)
		}
		if ok && (!got.at.Equal(noon().Add(-time.Duration(n/3)*time.Minute)) || got.reason != KeyCompromise) {
			t.Fatalf("%d: %v", n, got)
		}
	}
	if most := 2000 * (1 + 2 + recordRest + 4); e.size() > most {
		t.Errorf("takes %d octets, more than %d", e.size(), most)
	}
}
