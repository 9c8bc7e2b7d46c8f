package revocation

import (
	"bytes"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// TestFetched: what was fetched can be shown as it was, but for a list that is too long.
func TestFetched(t *testing.T) {
	ca, other := newCA(t, nil, "ca"), newCA(t, nil, "other")
	end := newEnd(t, ca, onlyCRL)
	asked := newEnd(t, ca, onlyOCSP)
	long := newEnd(t, other, onlyCRL)
	var s Store
	if lists, answers := s.Fetched(); lists != nil || answers != nil {
		t.Errorf("of nothing: %d, %d", len(lists), len(answers))
	}
	crl := crlOf(t, ca, 1, between(0, time.Hour))
	if err := s.Take(noon(), need(t, &s, noon(), end, ca, Rules{}, CRL), crl); err != nil {
		t.Fatal(err)
	}
	answer := answerOf(t, asked, ca, ca, says(ocsp.Good), lasts(0, time.Hour))
	if err := s.Take(noon(), need(t, &s, noon(), asked, ca, Rules{}, OCSP), answer); err != nil {
		t.Fatal(err)
	}
	many := crlOf(t, other, 1, between(0, time.Hour), func(l *x509.RevocationList) {
		for i := range 4000 {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serialOf(i + 1), RevocationTime: noon()})
		}
	})
	if len(many) <= maxShown {
		t.Fatalf("the long list has %d octets", len(many))
	}
	if err := s.Take(noon(), need(t, &s, noon(), long, other, Rules{}, CRL), many); err != nil {
		t.Fatal(err)
	}
	lists, answers := s.Fetched()
	if !slices.EqualFunc(lists, [][]byte{crl}, bytes.Equal) || !slices.EqualFunc(answers, [][]byte{answer}, bytes.Equal) {
		t.Errorf("%d lists, %d answers", len(lists), len(answers))
	}
	l, err := ReadList("x", crl)
	if err != nil || !bytes.Equal(l.DER(), crl) {
		t.Errorf("a list of a file: %v", err)
	}
}

// TestFlush: what was fetched is forgotten by kinds, and needed again at once.
func TestFlush(t *testing.T) {
	ca := newCA(t, nil, "ca")
	byList, byAnswer := newEnd(t, ca, onlyCRL), newEnd(t, ca, onlyOCSP)
	var s Store
	fill := func() {
		t.Helper()
		if err := s.Take(noon(), need(t, &s, noon(), byList, ca, Rules{}, CRL), crlOf(t, ca, 1, between(0, time.Hour))); err != nil {
			t.Fatal(err)
		}
		if err := s.Take(noon(), need(t, &s, noon(), byAnswer, ca, Rules{}, OCSP), answerOf(t, byAnswer, ca, ca, says(ocsp.Good), lasts(0, time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct{ lists, answers bool }{{true, false}, {false, true}, {true, true}, {false, false}} {
		s = Store{}
		fill()
		s.Fail(noon(), Needed{Kind: CRL, URI: "http://pki.example/gone.crl"}, errNobody)
		keys := s.Flush(x.lists, x.answers)
		st := s.Stats()
		if (st.Lists == 0) != x.lists || (st.Answers == 0) != x.answers || st.Failures != 0 {
			t.Errorf("%+v: %+v", x, st)
		}
		if want := map[bool]int{true: 1}; len(keys) != want[x.lists]+want[x.answers] {
			t.Errorf("%+v: the keys %q", x, keys)
		}
		if x.lists && x.answers && st.Octets != 0 {
			t.Errorf("%d octets of nothing", st.Octets)
		}
		if _, needed := one(&s, noon(), byList, ca, Rules{}); (len(needed) > 0) != x.lists {
			t.Errorf("%+v: needed are %d lists", x, len(needed))
		}
	}
}
