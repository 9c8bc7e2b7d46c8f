package revocation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// takeOCSP has an answer fetched and taken, and says what is known then.
func takeOCSP(t *testing.T, c, ca *holder, r Rules, der []byte) (State, error) {
	t.Helper()
	var s Store
	n := need(t, &s, noon(), c, ca, r, OCSP)
	err := s.Take(noon(), n, der)
	state, _ := one(&s, noon(), c, ca, r)
	return state, err
}

// TestOCSP: what each answer says of a certificate, and what is wrong with it.
func TestOCSP(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "other")
	sub := newCA(t, ca, "sub")
	end, end2 := newEnd(t, ca, onlyOCSP), newEnd(t, ca, onlyOCSP)
	twin := newEnd(t, other, onlyOCSP, func(c *x509.Certificate) { c.SerialNumber = end.SerialNumber })
	fault := func(f Fault) *Fault { return &f }
	key := newKey(t)
	// A responder that has the same key for two CAs.
	both := issue(t, ca, newResponder(t, other).Certificate, key)
	twins := answerOf(t, twin, other, both)
	usage := func(u x509.KeyUsage) func(*x509.Certificate) { return func(c *x509.Certificate) { c.KeyUsage = u } }
	valid := func(from, to time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon().Add(from), noon().Add(to) }
	}
	eku := func(list ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = list }
	}
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
	}
	answerExtension := func(id []int, critical bool) func(*ocsp.Response) {
		return func(r *ocsp.Response) {
			r.ExtraExtensions = append(r.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: []byte{5, 0}})
		}
	}
	stranger := newResponder(t, other)
	for _, x := range []struct {
		what  string
		der   []byte
		want  Status
		fault *Fault
	}{
		{"good, of the CA", answerOf(t, end, ca, ca), Good, nil},
		{"revoked, of the CA", answerOf(t, end, ca, ca, says(ocsp.Revoked)), Revoked, nil},
		{"unknown", answerOf(t, end, ca, ca, says(ocsp.Unknown)), Unknown, fault(FaultUnknown)},
		{"SHA-256 in the CertID", answerOf(t, end, ca, ca, func(r *ocsp.Response) { r.IssuerHash = crypto.SHA256 }), Good, nil},
		{"SHA-512 in the CertID", answerOf(t, end, ca, ca, func(r *ocsp.Response) { r.IssuerHash = crypto.SHA512 }), Good, nil},
		{"about another certificate", answerOf(t, end2, ca, ca), Unknown, fault(FaultOther)},
		{"about the same number of another CA", answerOf(t, twin, other, other), Unknown, fault(FaultOther)},
		{"the same, of a responder for both", twins, Unknown, fault(FaultOther)},
		{"of another CA", answerOf(t, end, ca, other), Unknown, fault(FaultSigner)},
		{"of the future", answerOf(t, end, ca, ca, lasts(6*time.Minute, time.Hour)), Unknown, fault(FaultFuture)},
		{"of a clock that is ahead", answerOf(t, end, ca, ca, lasts(4*time.Minute, time.Hour)), Good, nil},
		{"ended", answerOf(t, end, ca, ca, lasts(-48*time.Hour, -time.Second)), Unknown, fault(FaultStale)},
		{"ended, and revoked", answerOf(t, end, ca, ca, lasts(-48*time.Hour, -time.Second), says(ocsp.Revoked)), Revoked, nil},
		{"without an end", answerOf(t, end, ca, ca, lasts(-time.Minute, 0)), Good, nil},
		{"without an end, and old", answerOf(t, end, ca, ca, lasts(-freshWithoutEnd, 0)), Unknown, fault(FaultStale)},
		{"ends before it begins", answerOf(t, end, ca, ca, lasts(2*time.Minute, time.Minute)), Unknown, fault(FaultSyntax)},
		{"an extension", answerOf(t, end, ca, ca, answerExtension([]int{1, 2, 3}, false)), Good, nil},
		{"a critical extension", answerOf(t, end, ca, ca, answerExtension([]int{1, 2, 3}, true)), Unknown, fault(FaultCritical)},
		{"signed with SHA-1", answerOf(t, end, ca, ca, func(r *ocsp.Response) { r.SignatureAlgorithm = x509.ECDSAWithSHA1 }), Unknown, fault(FaultSignature)},
		{"signed with SHA-512", answerOf(t, end, ca, ca, func(r *ocsp.Response) { r.SignatureAlgorithm = x509.ECDSAWithSHA512 }), Good, nil},

		{"of a responder", answerOf(t, end, ca, newResponder(t, ca)), Good, nil},
		{"revoked, of a responder", answerOf(t, end, ca, newResponder(t, ca), says(ocsp.Revoked)), Revoked, nil},
		{"of a responder without usage", answerOf(t, end, ca, newResponder(t, ca, usage(0))), Good, nil},
		{"of a responder of another CA", answerOf(t, end, ca, stranger), Unknown, fault(FaultSigner)},
		{"of a responder of a CA below", answerOf(t, end, ca, newResponder(t, sub)), Unknown, fault(FaultSigner)},
		{"of a certificate that is none of a responder", answerOf(t, end, ca, newResponder(t, ca, eku())), Unknown, fault(FaultSigner)},
		{"of a server", answerOf(t, end, ca, newResponder(t, ca, eku(x509.ExtKeyUsageServerAuth))), Unknown, fault(FaultSigner)},
		{"of a certificate for everything", answerOf(t, end, ca, newResponder(t, ca, eku(x509.ExtKeyUsageAny))), Unknown, fault(FaultSigner)},
		{"of the certificate itself", answerOf(t, end, ca, end), Unknown, fault(FaultSigner)},
		{"of a responder that must not sign", answerOf(t, end, ca, newResponder(t, ca, usage(x509.KeyUsageKeyEncipherment))), Unknown, fault(FaultSigner)},
		{"of a responder that has ended", answerOf(t, end, ca, newResponder(t, ca, valid(-48*time.Hour, -time.Second))), Unknown, fault(FaultSigner)},
		{"of a responder that is to come", answerOf(t, end, ca, newResponder(t, ca, valid(time.Second, 48*time.Hour))), Unknown, fault(FaultSigner)},
		{"of a responder with a critical extension", answerOf(t, end, ca, newResponder(t, ca, critical)), Unknown, fault(FaultSigner)},

		{"try later", []byte("\x30\x03\x0a\x01\x03"), Unknown, fault(FaultStatus)},
		{"unauthorized", []byte("\x30\x03\x0a\x01\x06"), Unknown, fault(FaultStatus)},
		{"a status that there is not", []byte("\x30\x03\x0a\x01\x04"), Unknown, fault(FaultSyntax)},
		{"a success without an answer", []byte("\x30\x03\x0a\x01\x00"), Unknown, fault(FaultSyntax)},
		{"nothing", nil, Unknown, fault(FaultSyntax)},
		{"HTML", []byte("<html>login"), Unknown, fault(FaultSyntax)},
		{"octets after it", append(answerOf(t, end, ca, ca), 0), Unknown, fault(FaultSyntax)},
		{"too large", make([]byte, maxAnswerOctets+1), Unknown, fault(FaultSize)},
	} {
		state, err := takeOCSP(t, end, ca, Rules{}, x.der)
		if state.Status != x.want {
			t.Errorf("%s: the certificate is %s, want %s (%v)", x.what, state.Status, x.want, state.Problems)
		}
		if (err != nil) != (x.fault != nil) || err != nil && FaultOf(err) != *x.fault {
			t.Errorf("%s: taken: %v", x.what, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "OCSP "+ocspURI+": ") {
			t.Errorf("%s: does not name its source: %v", x.what, err)
		}
		if state.Status == Unknown && len(state.Problems) == 0 {
			t.Errorf("%s: nothing says why", x.what)
		}
	}
}

// TestOCSPBitFlips: an answer with one octet changed is not taken as good, whichever it is.
func TestOCSPBitFlips(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end, responder := newEnd(t, ca, onlyOCSP), newResponder(t, ca)
	der := answerOf(t, end, ca, responder)
	for i := range der {
		changed := bytes.Clone(der)
		changed[i] ^= 0x01
		if s, err := takeOCSP(t, end, ca, Rules{}, changed); err == nil || s.Status != Unknown {
			t.Fatalf("octet %d of %d: %s, %v", i, len(der), s.Status, err)
		}
		if s, err := takeOCSP(t, end, ca, Rules{}, der[:i]); err == nil || s.Status != Unknown {
			t.Fatalf("the first %d octets: %s, %v", i, s.Status, err)
		}
	}
}

// TestTrustedResponder: a responder that only the configuration trusts counts under rules that name it, and under no others.
func TestTrustedResponder(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "other")
	end, responder := newEnd(t, ca, onlyOCSP), newResponder(t, other)
	der := answerOf(t, end, ca, responder)
	rules := Rules{Responders: []*x509.Certificate{responder.Certificate}}
	var s Store
	n := need(t, &s, noon(), end, ca, rules, OCSP)
	if err := s.Take(noon(), n, der); err != nil {
		t.Fatal(err)
	}
	if state, _ := one(&s, noon(), end, ca, rules); state.Status != Good {
		t.Errorf("with the rules: %s, %v", state.Status, state.Problems)
	}
	if state, _ := one(&s, noon(), end, ca, Rules{}); state.Status != Unknown {
		t.Errorf("without them: %s by %s", state.Status, state.By)
	}
	if state, _ := one(new(Store), noon(), end, ca, rules, der); state.Status != Good {
		t.Errorf("as a staple: %s, %v", state.Status, state.Problems)
	}
	ended := Rules{Responders: []*x509.Certificate{newResponder(t, other, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = noon().Add(-2*time.Hour), noon().Add(-time.Hour)
	}).Certificate}}
	if state, _ := one(new(Store), noon(), end, ca, ended, der); state.Status != Unknown {
		t.Errorf("with another one that has ended: %s", state.Status)
	}
}

// TestResponderRevoked: a responder whose certificate is in the CRL of its CA is not believed, unless the CA says not to look.
func TestResponderRevoked(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyOCSP)
	for _, noCheck := range []bool{false, true} {
		responder := newResponder(t, ca, func(c *x509.Certificate) {
			if !noCheck {
				c.ExtraExtensions = nil
			}
		})
		l, err := ReadList("x.crl", crlOf(t, ca, 1, listed(responder, KeyCompromise)))
		if err != nil {
			t.Fatal(err)
		}
		rules := Rules{Lists: []*List{l}}
		der := answerOf(t, end, ca, responder, says(ocsp.Revoked)) // the list says that it is good
		want := Good
		if noCheck {
			want = Revoked
		}
		if state, _ := one(new(Store), noon(), end, ca, rules, der); state.Status != want {
			t.Errorf("nocheck %v: %s, %v", noCheck, state.Status, state.Problems)
		}
		// The same when the answer is fetched, and the list as well.
		var s Store
		s.keepListForTest(t, ca, crlOf(t, ca, 1, listed(responder, KeyCompromise)))
		err = s.Take(noon(), need(t, &s, noon(), end, ca, Rules{}, OCSP), der)
		if (err == nil) != noCheck {
			t.Errorf("nocheck %v: taken: %v", noCheck, err)
		}
	}
}

func (s *Store) keepListForTest(t *testing.T, ca *holder, der []byte) {
	t.Helper()
	c := newEnd(t, ca, onlyCRL)
	if err := s.Take(noon(), need(t, s, noon(), c, ca, Rules{}, CRL), der); err != nil {
		t.Fatal(err)
	}
}

// TestUntilEndOfResponder: an answer counts no longer than the certificate of its responder.
func TestUntilEndOfResponder(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyOCSP)
	ends := noon().Add(time.Hour)
	responder := newResponder(t, ca, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon().Add(-time.Hour), ends })
	if s, err := takeOCSP(t, end, ca, Rules{}, answerOf(t, end, ca, responder)); err != nil || !s.Until.Equal(ends) {
		t.Errorf("until %v: %v", s.Until, err)
	}
}

// TestRequest: what a responder is asked, as another reader understands it.
func TestRequest(t *testing.T) {
	ca := newCA(t, nil, "ca")
	for _, serial := range [][]byte{{0x7f}, {0x80}, {0xff, 1}} {
		end := newEnd(t, ca, onlyOCSP, func(c *x509.Certificate) { c.SerialNumber = new(big.Int).SetBytes(serial) })
		n := need(t, new(Store), noon(), end, ca, Rules{}, OCSP)
		r, err := ocsp.ParseRequest(n.Request)
		if err != nil || r.SerialNumber.Cmp(end.SerialNumber) != 0 || r.HashAlgorithm != crypto.SHA1 {
			t.Errorf("%x: %+v, %v", serial, r, err)
		}
		if s, err := takeOCSP(t, end, ca, Rules{}, answerOf(t, end, ca, ca)); s.Status != Good {
			t.Errorf("%x: %v, %v", serial, s.Status, err)
		}
	}
}

// TestWeakResponder: a key that is refused in a chain is refused here.
func TestWeakResponder(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyOCSP)
	weak := &holder{key: weakKey(t)}
	weak = issue(t, ca, newResponder(t, ca).Certificate, weak.key)
	der := answerOf(t, end, ca, weak)
	if s, err := takeOCSP(t, end, ca, Rules{}, der); FaultOf(err) != FaultSignature || s.Status != Unknown {
		t.Errorf("%s, %v", s.Status, err)
	}
}
