package revocation

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"esplanade/ike/policy"
)

// TestOrder: the responder is asked first, the CRL when that has failed, the operator's addresses before those in the certificate.
func TestOrder(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "other")
	end := newEnd(t, ca, func(c *x509.Certificate) {
		c.OCSPServer = []string{"ldap://x.example/", ocspURI, "http://user:word@x.example/"}
		c.CRLDistributionPoints = append(c.CRLDistributionPoints, "file:///etc/passwd")
	})
	r := Rules{Authorities: []*Authority{
		{Name: "other", CA: other.Certificate, OCSPURIs: []string{"http://wrong.example/"}},
		{Name: "ca", CA: ca.Certificate, OCSPURIs: []string{"http://10.0.0.1/"}, CRLURIs: []string{"http://10.0.0.1/crl"}},
	}}
	var s Store
	var got []string
	for {
		state, needed := one(&s, noon(), end, ca, r)
		if len(needed) == 0 {
			if len(state.Problems) != 4 {
				t.Errorf("at the end: %v", state.Problems)
			}
			break
		}
		got = append(got, fmt.Sprint(needed[0].Kind, " ", needed[0].URI, " ", needed[0].Configured))
		s.Fail(noon(), needed[0], errNobody)
	}
	want := "OCSP http://10.0.0.1/ true, OCSP " + ocspURI + " false, CRL http://10.0.0.1/crl true, CRL " + crlURI + " false"
	if strings.Join(got, ", ") != want {
		t.Errorf("asked %v, want %s", got, want)
	}
}

// TestChain: every certificate but the anchor is looked up, each with its issuer.
func TestChain(t *testing.T) {
	root := newCA(t, nil, "root")
	ca := issue(t, root, &x509.Certificate{Subject: name("ca"), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign, CRLDistributionPoints: []string{"http://root.example/crl"}}, nil)
	end := newEnd(t, ca, onlyCRL)
	chain := []*x509.Certificate{end.Certificate, ca.Certificate, root.Certificate}
	var s Store
	v := s.Assess(noon(), chain, Rules{Policy: policy.RevocationStrict}, nil)
	if len(v.States) != 2 || len(v.Needed) != 2 || v.Needed[1].URI != "http://root.example/crl" || v.Refused == nil {
		t.Fatalf("%+v", v)
	}
	if err := s.Take(noon(), v.Needed[0], crlOf(t, ca, 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Take(noon(), v.Needed[1], crlOf(t, root, 1, listed(ca, CACompromise))); err != nil {
		t.Fatal(err)
	}
	v = s.Assess(noon(), chain, Rules{}, nil)
	if v.Refused == nil || v.Refused.Certificate != ca.Certificate || v.Refused.Reason != CACompromise || v.Needed != nil {
		t.Errorf("%+v", v)
	}
	for n := range 2 { // an anchor alone, or a key without a chain
		if v := s.Assess(noon(), chain[2:2+n%2], Rules{Policy: policy.RevocationStrict}, nil); v.Err() != nil || v.States != nil {
			t.Errorf("%d certificates: %+v", n, v)
		}
	}
}

// TestSources: what two sources say together.
func TestSources(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca)
	for _, x := range []struct {
		what   string
		answer []byte
		crl    []byte
		want   Status
	}{
		{"both good", answerOf(t, end, ca, ca), crlOf(t, ca, 1), Good},
		{"in the CRL only", answerOf(t, end, ca, ca), crlOf(t, ca, 1, listed(end, KeyCompromise)), Revoked},
		{"in an older CRL", answerOf(t, end, ca, ca), crlOf(t, ca, 1, between(-2*time.Hour, time.Hour), listed(end, KeyCompromise)), Revoked},
		{"on hold in an older CRL", answerOf(t, end, ca, ca), crlOf(t, ca, 1, between(-2*time.Hour, time.Hour), listed(end, CertificateHold)), Good},
		{"on hold in a newer CRL", answerOf(t, end, ca, ca), crlOf(t, ca, 1, between(-time.Minute, time.Hour), listed(end, CertificateHold)), Revoked},
		{"revoked by the responder only", answerOf(t, end, ca, ca, says(ocsp.Revoked)), crlOf(t, ca, 1), Revoked},
		{"on hold by an older responder", answerOf(t, end, ca, ca, says(ocsp.Revoked), lasts(-3*time.Hour, time.Hour),
			func(r *ocsp.Response) { r.RevocationReason = int(CertificateHold) }), crlOf(t, ca, 1), Good},
	} {
		l, err := ReadList("file", x.crl)
		if err != nil {
			t.Fatal(err)
		}
		r := Rules{Lists: []*List{l}}
		var s Store
		if state, _ := one(&s, noon(), end, ca, r, x.answer); state.Status != x.want {
			t.Errorf("%s: %s, %v", x.what, state.Status, state.Problems)
		}
		// The answer stays known when the peer leaves it out.
		if state, _ := one(&s, noon(), end, ca, r); state.Status != x.want {
			t.Errorf("%s, without the answer: %s, %v", x.what, state.Status, state.Problems)
		}
	}
}

// TestStaple: what a peer sends counts as long as nothing newer is known, and is asked for no more.
func TestStaple(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca)
	var s Store
	state, needed := one(&s, noon(), end, ca, Rules{}, []byte("x"), answerOf(t, end, ca, newCA(t, nil, "other")))
	if state.Status != Unknown || len(needed) != 1 || len(state.Problems) != 2 || !strings.HasPrefix(state.Problems[0].Error(), "OCSP of the peer: ") {
		t.Errorf("wrong ones: %+v, %v", state, needed)
	}
	state, needed = one(&s, noon(), end, ca, Rules{}, answerOf(t, end, ca, ca))
	if state.Status != Good || needed != nil || !strings.Contains(state.By, "that the peer has sent") {
		t.Errorf("a good one: %+v, %v", state, needed)
	}
	// An old one from before the revocation does not undo what is known.
	if err := s.Take(noon(), need(t, new(Store), noon(), end, ca, Rules{}, OCSP), answerOf(t, end, ca, ca, says(ocsp.Revoked), lasts(-time.Minute, time.Hour))); err != nil {
		t.Fatal(err)
	}
	if state, _ = one(&s, noon(), end, ca, Rules{}, answerOf(t, end, ca, ca)); state.Status != Revoked {
		t.Errorf("an old staple: %s by %s", state.Status, state.By)
	}
	// More than there can be certificates are not looked at.
	many := make([][]byte, maxStaples+1)
	many[maxStaples] = answerOf(t, end, ca, ca)
	if state, _ = one(new(Store), noon(), end, ca, Rules{}, many...); state.Status != Unknown || len(state.Problems) != maxStaples {
		t.Errorf("%d staples: %s, %d problems", len(many), state.Status, len(state.Problems))
	}
}

// TestBackOff: what has failed is left alone for longer and longer, whoever needs it; what is wrong with one certificate is no reason not
// to ask for another.
func TestBackOff(t *testing.T) {
	ca := newCA(t, nil, "ca")
	a, b := newEnd(t, ca, onlyOCSP), newEnd(t, ca, onlyOCSP)
	var s Store
	now := noon()
	var pauses []time.Duration
	for range 7 {
		_, needed := one(&s, now, a, ca, Rules{})
		if len(needed) != 1 {
			t.Fatalf("nothing is needed at %v", now)
		}
		s.Fail(now, needed[0], errNobody)
		begin := now
		for {
			state, needed := one(&s, now, b, ca, Rules{})
			if len(needed) > 0 {
				break
			}
			if why := state.Why(); !strings.Contains(why, "connection refused (asked at ") || !state.Expected {
				t.Fatalf("says %q", why)
			}
			now = now.Add(time.Second)
		}
		pauses = append(pauses, now.Sub(begin))
	}
	if got := fmt.Sprint(pauses); got != "[15s 30s 1m0s 2m0s 4m0s 5m0s 5m0s]" {
		t.Errorf("pauses %v", got)
	}
	// An answer ends it.
	n := need(t, &s, now, a, ca, Rules{}, OCSP)
	if err := s.Take(now, n, answerOf(t, a, ca, ca)); err != nil {
		t.Fatal(err)
	}
	s.Fail(now, n, errNobody)
	if _, needed := one(&s, now.Add(firstPause), b, ca, Rules{}); len(needed) != 1 {
		t.Error("the failures from before the answer count")
	}
	// The responder does not know one certificate: that of another peer is asked for.
	now = now.Add(time.Hour)
	if err := s.Take(now, need(t, &s, now, b, ca, Rules{}, OCSP), answerOf(t, b, ca, ca, says(ocsp.Unknown))); err == nil {
		t.Fatal("taken")
	}
	if _, needed := one(&s, now, b, ca, Rules{}); needed != nil {
		t.Errorf("needed again at once: %v", needed)
	}
	if _, needed := one(&s, now, newEnd(t, ca, onlyOCSP), ca, Rules{}); len(needed) != 1 {
		t.Error("another certificate is not asked for")
	}
}

// TestReleased: a certificate that is on hold by what has ended is refused, and asked for again: it may have been released. One that was
// revoked for good is not.
func TestReleased(t *testing.T) {
	ca := newCA(t, nil, "ca")
	later := noon().Add(25 * time.Hour)
	for _, reason := range []Reason{CertificateHold, KeyCompromise} {
		hold := func(r *ocsp.Response) { r.RevocationReason = int(reason) }
		for _, x := range []struct {
			kind     Kind
			c        *holder
			old, new func(*holder) []byte
		}{
			{CRL, newEnd(t, ca, onlyCRL), func(c *holder) []byte { return crlOf(t, ca, 1, listed(c, reason)) }, func(*holder) []byte { return crlOf(t, ca, 2, between(24*time.Hour, 48*time.Hour)) }},
			{OCSP, newEnd(t, ca, onlyOCSP), func(c *holder) []byte { return answerOf(t, c, ca, ca, says(ocsp.Revoked), hold) },
				func(c *holder) []byte { return answerOf(t, c, ca, ca, lasts(24*time.Hour, 48*time.Hour)) }},
		} {
			var s Store
			n := need(t, &s, noon(), x.c, ca, Rules{}, x.kind)
			if err := s.Take(noon(), n, x.old(x.c)); err != nil {
				t.Fatal(err)
			}
			for at, asks := range map[time.Time]bool{noon(): false, later: reason == CertificateHold} {
				v := s.Assess(at, []*x509.Certificate{x.c.Certificate, ca.Certificate}, Rules{}, nil)
				if v.Refused == nil || v.States[0].Status != Revoked || (len(v.Needed) == 1) != asks || len(v.Needed) > 1 {
					t.Errorf("%s, %s, at %v: %+v", x.kind, reason, at, v)
				}
			}
			if reason != CertificateHold {
				continue
			}
			if err := s.Take(later, n, x.new(x.c)); err != nil {
				t.Error(err)
			}
			if state, _ := one(&s, later, x.c, ca, Rules{}); state.Status != Good {
				t.Errorf("%s: released: %+v", x.kind, state)
			}
		}
	}
}

// TestSameAddress: that a certificate may not lead to an address says nothing of the operator's same address.
func TestSameAddress(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "other")
	c, hostile := newEnd(t, ca, noSource), newEnd(t, other, onlyCRL)
	r := Rules{Authorities: []*Authority{{CA: ca.Certificate, CRLURIs: []string{crlURI}}}}
	var s Store
	s.Fail(noon(), need(t, &s, noon(), hostile, other, r, CRL), errNobody)
	if _, needed := one(&s, noon(), hostile, other, r); len(needed) != 0 {
		t.Errorf("the certificate's address is asked again at once: %v", needed)
	}
	n := need(t, &s, noon(), c, ca, r, CRL)
	if !n.Configured || n.URI != crlURI {
		t.Fatalf("%+v", n)
	}
	if err := s.Take(noon(), n, crlOf(t, ca, 1)); err != nil {
		t.Error(err)
	}
	if state, _ := one(&s, noon(), c, ca, r); state.Status != Good {
		t.Errorf("%+v", state)
	}
	// And the other way round.
	var second Store
	second.Fail(noon(), n, errNobody)
	need(t, &second, noon(), hostile, other, r, CRL)
	if _, needed := one(&second, noon(), c, ca, r); len(needed) != 0 {
		t.Errorf("the operator's address is asked again at once: %v", needed)
	}
}

// TestNumber: a list with a lower number is refused while the other one counts, and after that unless it is of a later time.
func TestNumber(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyCRL)
	for _, x := range []struct {
		what   string
		number int64
		from   time.Duration
		at     time.Duration // of the second
		ok     bool
	}{
		{"newer", 8, 0, time.Minute, true},
		{"the same", 7, -time.Hour, time.Minute, true},
		{"older", 6, -2 * time.Hour, time.Minute, false},
		{"lower number, later", 6, 0, time.Minute, false},
		{"lower number, later, when the other has ended", 6, 25 * time.Hour, 26 * time.Hour, true},
		{"older, when the other has ended", 6, -2 * time.Hour, 26 * time.Hour, false},
		{"same number, older", 7, -2 * time.Hour, time.Minute, false},
	} {
		var s Store
		n := need(t, &s, noon(), end, ca, Rules{}, CRL)
		if err := s.Take(noon(), n, crlOf(t, ca, 7)); err != nil {
			t.Fatal(err)
		}
		err := s.Take(noon().Add(x.at), n, crlOf(t, ca, x.number, between(x.from, 48*time.Hour)))
		if (err == nil) != x.ok || err != nil && FaultOf(err) != FaultOlder {
			t.Errorf("%s: %v", x.what, err)
		}
	}
}

// TestDelta: a delta makes its base complete, and no other one.
func TestDelta(t *testing.T) {
	const uri = "http://pki.example/delta.crl"
	freshest := extension(oidFreshest, false, "\x30"+string(rune(6+len(uri)+2))+"\x30"+string(rune(6+len(uri)))+"\xa0"+string(rune(4+len(uri)))+"\xa0"+string(rune(2+len(uri)))+"\x86"+string(rune(len(uri)))+uri)
	ofBase := func(n string) func(*x509.RevocationList) { return extension(oidDelta, true, "\x02\x01"+n) }
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyCRL)
	for _, x := range []struct {
		what  string
		base  []byte
		delta []byte
		want  Status
		until time.Duration
		taken bool
	}{
		{"it adds nothing", crlOf(t, ca, 5, freshest), crlOf(t, ca, 6, ofBase("\x05"), between(0, time.Hour)), Good, time.Hour, true},
		{"it adds the certificate", crlOf(t, ca, 5, freshest), crlOf(t, ca, 6, ofBase("\x05"), listed(end, KeyCompromise)), Revoked, 0, true},
		{"it removes the certificate", crlOf(t, ca, 5, freshest, listed(end, CertificateHold)), crlOf(t, ca, 6, ofBase("\x05"), listed(end, RemoveFromCRL)), Revoked, 0, true},
		{"it is of an older base", crlOf(t, ca, 5, freshest), crlOf(t, ca, 6, ofBase("\x03"), listed(end, KeyCompromise)), Revoked, 0, true},
		{"it is of a newer base", crlOf(t, ca, 5, freshest), crlOf(t, ca, 9, ofBase("\x06"), listed(end, KeyCompromise)), Good, 24 * time.Hour, true},
		{"it is older than the base", crlOf(t, ca, 5, freshest), crlOf(t, ca, 4, ofBase("\x03"), listed(end, KeyCompromise)), Good, 24 * time.Hour, true},
		{"it has ended", crlOf(t, ca, 5, freshest), crlOf(t, ca, 6, ofBase("\x05"), between(-time.Hour, -time.Minute), listed(end, KeyCompromise)), Good, 24 * time.Hour, false},
		{"it is no delta", crlOf(t, ca, 5, freshest), crlOf(t, ca, 6), Good, 24 * time.Hour, false},
		{"it has another scope", crlOf(t, ca, 5, freshest), crlOf(t, ca, 6, ofBase("\x05"), extension(oidScope, true, usersOnly), listed(end, KeyCompromise)), Good, 24 * time.Hour, true},
	} {
		var s Store
		if err := s.Take(noon(), need(t, &s, noon(), end, ca, Rules{}, CRL), x.base); err != nil {
			t.Fatal(err)
		}
		state, needed := one(&s, noon(), end, ca, Rules{})
		if state.Status == Good {
			if len(needed) != 1 || needed[0].URI != uri || needed[0].Kind != CRL {
				t.Fatalf("%s: no delta is needed: %v", x.what, needed)
			}
			if err := s.Take(noon(), needed[0], x.delta); (err == nil) != x.taken {
				t.Errorf("%s: %v", x.what, err)
			}
			state, needed = one(&s, noon(), end, ca, Rules{})
			if needed != nil {
				t.Errorf("%s: needed again: %v", x.what, needed)
			}
		}
		if state.Status != x.want || state.Status == Good && !state.Until.Equal(noon().Add(x.until)) {
			t.Errorf("%s: %s until %v, %v", x.what, state.Status, state.Until, state.Problems)
		}
	}
	// A base that has ended counts with a delta that has not, and what the delta releases is good.
	var s Store
	n := need(t, &s, noon(), end, ca, Rules{}, CRL)
	s.Take(noon(), n, crlOf(t, ca, 5, freshest, between(-time.Hour, time.Minute), listed(end, CertificateHold)))
	d := n
	d.URI, d.delta = uri, true
	if err := s.Take(noon(), d, crlOf(t, ca, 6, ofBase("\x05"), listed(end, RemoveFromCRL))); err != nil {
		t.Fatal(err)
	}
	if state, _ := one(&s, noon().Add(time.Hour), end, ca, Rules{}); state.Status != Good || !strings.Contains(state.By, "the delta CRL") {
		t.Errorf("released: %+v", state)
	}
}

// TestPoisonedList: what a server answers for one CA is never used for another one.
func TestPoisonedList(t *testing.T) {
	a, b := newCA(t, nil, "ca"), newCA(t, nil, "ca")
	endA, endB := newEnd(t, a, onlyCRL), newEnd(t, b, onlyCRL)
	var s Store
	if err := s.Take(noon(), need(t, &s, noon(), endA, a, Rules{}, CRL), crlOf(t, a, 1)); err != nil {
		t.Fatal(err)
	}
	if state, needed := one(&s, noon(), endB, b, Rules{}); state.Status != Unknown || len(needed) != 1 {
		t.Errorf("%s by %s", state.Status, state.By)
	}
}
