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
