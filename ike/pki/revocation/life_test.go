package revocation

import (
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// TestRefreshAt: when something is fetched again.
func TestRefreshAt(t *testing.T) {
	for _, x := range []struct{ from, to, want time.Duration }{
		{0, 10 * time.Hour, 8 * time.Hour},
		{-time.Hour, 9 * time.Hour, 7 * time.Hour},
		{0, 365 * 24 * time.Hour, 24 * time.Hour},       // at least once a day
		{-9 * time.Hour, time.Hour, 30 * time.Minute},   // the server has no newer one yet
		{-9 * time.Hour, 90 * time.Second, time.Minute}, // no more often than that
		{-9 * time.Hour, 30 * time.Second, 0},           // it is not worth it
		{-9 * time.Hour, -time.Hour, 0},
	} {
		got := refreshAt(noon(), noon().Add(x.from), noon().Add(x.to))
		want := noon().Add(x.want)
		if x.want == 0 {
			want = time.Time{}
		}
		if !got.Equal(want) {
			t.Errorf("from %v to %v: %v, want %v", x.from, x.to, got, want)
		}
	}
}

// TestDue: what is used is fetched again before it ends, what is not used is not.
func TestDue(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyCRL)
	var s Store
	if due, next := s.Due(noon()); due != nil || !next.Equal(noon().Add(time.Hour)) {
		t.Errorf("of nothing: %v, %v", due, next)
	}
	n := need(t, &s, noon(), end, ca, Rules{}, CRL)
	if err := s.Take(noon(), n, crlOf(t, ca, 1, between(0, 40*time.Hour))); err != nil {
		t.Fatal(err)
	}
	at := noon().Add(24 * time.Hour)
	if due, next := s.Due(at.Add(-time.Minute)); due != nil || !next.Equal(at) {
		t.Errorf("before: %v, %v", due, next)
	}
	one(&s, at, end, ca, Rules{})
	due, next := s.Due(at)
	if len(due) != 1 || due[0].Key() != n.Key() || !next.Equal(at.Add(refreshLeast)) {
		t.Fatalf("then: %v, %v", due, next)
	}
	if due, _ := s.Due(at); due != nil {
		t.Errorf("again at once: %v", due)
	}
	s.Fail(at, due[0], errNobody)
	s.Fail(at, due[0], errNobody)
	s.Fail(at, due[0], errNobody)
	s.Fail(at, due[0], errNobody)
	if due, next := s.Due(at.Add(refreshLeast)); due != nil || !next.Equal(at.Add(2*time.Minute)) {
		t.Errorf("while it must not be asked: %v, %v", due, next)
	}
	// Nobody has used it for a day.
	at = at.Add(25 * time.Hour)
	if due, _ := s.Due(at); due != nil {
		t.Errorf("unused: %v", due)
	}
	one(&s, at, end, ca, Rules{})
	if due, _ := s.Due(at); len(due) != 1 {
		t.Error("used again, and not due")
	}
}

// TestOwn: an answer for this gateway's own certificate is fetched ahead, and is there to be sent.
func TestOwn(t *testing.T) {
	ca := newCA(t, nil, "ca")
	own, silent := newEnd(t, ca, func(c *x509.Certificate) { c.OCSPServer = append(c.OCSPServer, "http://other.example/") }), newEnd(t, ca, noSource)
	var s Store
	s.SetOwn(noon(), []Own{{own.Certificate, ca.Certificate, Rules{}}, {silent.Certificate, ca.Certificate, Rules{}}})
	staple := func(at time.Time) ([]byte, bool) {
		der, _, revoked := s.Staple(at, own.Certificate, ca.Certificate)
		return der, revoked
	}
	if der, _ := staple(noon()); der != nil {
		t.Error("there is one already")
	}
	due, next := s.Due(noon())
	if len(due) != 1 || due[0].Kind != OCSP || due[0].URI != ocspURI || next.After(noon().Add(time.Minute)) {
		t.Fatalf("due %v, %v", due, next)
	}
	s.Fail(noon(), due[0], errNobody)
	at := noon().Add(time.Minute)
	s.Fail(at, due[0], errNobody)
	if due, _ = s.Due(at); len(due) != 1 || due[0].URI != "http://other.example/" {
		t.Fatalf("the other responder is not asked: %v", due)
	}
	if err := s.Take(at, due[0], answerOf(t, own, ca, ca, lasts(0, 10*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if der, revoked := staple(at); der == nil || revoked {
		t.Error("there is none")
	} else if r, err := ocsp.ParseResponse(der, ca.Certificate); err != nil || r.SerialNumber.Cmp(own.SerialNumber) != 0 {
		t.Errorf("another reader says %v", err)
	}
	if due, next := s.Due(at); due != nil || !next.Equal(at.Add(time.Hour)) {
		t.Errorf("due again: %v, %v", due, next)
	}
	// It is fetched again before it ends, though nobody has asked for it for days.
	at = noon().Add(8 * time.Hour)
	if due, _ = s.Due(at); len(due) != 1 {
		t.Fatal("not due before it ends")
	}
	// Later it has ended: it is not sent, and looked for.
	at = noon().Add(72 * time.Hour)
	if der, _ := staple(at); der != nil {
		t.Error("one is sent that has ended")
	}
	if due, _ = s.Due(at); len(due) == 0 {
		t.Error("not due after its end")
	}
	if err := s.Take(at, due[0], answerOf(t, own, ca, ca, says(ocsp.Revoked), lasts(71*time.Hour, 80*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if der, revoked := staple(at); der != nil || !revoked {
		t.Error("nobody hears that it was revoked")
	}
}

// TestBounds: whatever comes, no more is kept than the bounds say, and what is used stays.
func TestBounds(t *testing.T) {
	ca := newCA(t, nil, "ca")
	used := newEnd(t, ca, onlyCRL)
	var s Store
	if err := s.Take(noon(), need(t, &s, noon(), used, ca, Rules{}, CRL), crlOf(t, ca, 1)); err != nil {
		t.Fatal(err)
	}
	der := crlOf(t, ca, 1)
	for i := range maxLists + 5 {
		now := noon().Add(time.Duration(i+1) * time.Second)
		n := Needed{Kind: CRL, URI: fmt.Sprint("http://x.example/", i), Certificate: used.Certificate, Issuer: ca.Certificate}
		if err := s.Take(now, n, der); err != nil {
			t.Fatal(err)
		}
	}
	answer := &answer{singleResponse: singleResponse{status: Good, this: noon()}, until: noon().Add(time.Hour), der: make([]byte, maxAnswerOctets)}
	for i := range maxOctets/maxAnswerOctets + 5 {
		c := *used.Certificate
		c.SerialNumber = serialOf(i + 1)
		s.keepAnswer(noon().Add(time.Hour), &c, ca.Certificate, answer, nil)
	}
	for i := range maxFailures + 5 {
		s.Fail(noon().Add(time.Duration(i)*time.Millisecond), Needed{URI: fmt.Sprint(i)}, errNobody)
	}
	st := s.Stats()
	if st.Lists > maxLists || st.Answers > maxHeldAnswers || st.Octets > maxOctets || st.Failures > maxFailures {
		t.Errorf("%+v", st)
	}
	if st.Failures < maxFailures || s.failed[fmt.Sprint(maxFailures+4)] == nil {
		t.Errorf("the last failure is not there: %+v", st)
	}
	// Everything that is forgotten is taken off the sum.
	sum := 0
	for _, h := range s.lists {
		sum += h.octets
	}
	for _, a := range s.answers {
		sum += a.octets
	}
	if sum != st.Octets {
		t.Errorf("%d octets, and the sum says %d", sum, st.Octets)
	}
}
