package revocation

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// TestKnown: which certificates are known as revoked, by name, from each source.
func TestKnown(t *testing.T) {
	root := newCA(t, nil, "root")
	ca := newCA(t, root, "ca")
	end, neighbour := newEnd(t, ca), newEnd(t, ca)
	chain := func(c *holder) []*x509.Certificate {
		return []*x509.Certificate{c.Certificate, ca.Certificate, root.Certificate}
	}
	released := lasts(-30*time.Minute, time.Hour)
	for _, x := range []struct {
		what         string
		list, delta  []byte
		answer, file []byte
		want         string // a part of who says so; "" for nobody
	}{
		{what: "nothing"},
		{what: "a list", list: crlOf(t, ca, 1, listed(end, KeyCompromise)), want: "the CRL " + crlURI},
		{what: "a list of others", list: crlOf(t, ca, 1, listed(neighbour, KeyCompromise))},
		{what: "a list that has ended", list: crlOf(t, ca, 1, listed(end, KeyCompromise), between(-2*time.Hour, time.Minute)), want: "the CRL"},
		{what: "an answer", answer: answerOf(t, end, ca, ca, says(ocsp.Revoked)), want: "the OCSP answer"},
		{what: "an answer that it is good", answer: answerOf(t, end, ca, ca)},
		{what: "a list against an answer", list: crlOf(t, ca, 1, listed(end, KeyCompromise)), answer: answerOf(t, end, ca, ca, released), want: "the CRL"},
		{what: "a hold that has ended", list: crlOf(t, ca, 1, listed(end, CertificateHold)), answer: answerOf(t, end, ca, ca, released)},
		{what: "a hold that goes on", list: crlOf(t, ca, 1, listed(end, CertificateHold)), answer: answerOf(t, end, ca, ca, lasts(-2*time.Hour, time.Hour)), want: "the CRL"},
		{what: "a file", file: crlOf(t, ca, 1, listed(end, KeyCompromise)), want: "the CRL ca.crl"},
		{what: "a file of the CA above", file: crlOf(t, root, 1, listed(ca, CACompromise)), want: "the CRL ca.crl"},
		{what: "a file of somebody else", file: crlOf(t, newCA(t, nil, "ca"), 1, listed(end, KeyCompromise))},
	} {
		var s Store
		if s.Known(noon()).Revoked(noon(), Refs(chain(end))) != nil {
			t.Error("something is known before")
		}
		if x.list != nil {
			n := need(t, &s, noon(), end, ca, Rules{}, CRL)
			if err := s.Take(noon(), n, x.list); err != nil {
				t.Fatal(x.what, err)
			}
		}
		if x.answer != nil {
			s.Assess(noon(), chain(end), Rules{}, [][]byte{x.answer})
		}
		if x.file != nil {
			l, err := ReadList("ca.crl", x.file)
			if err != nil {
				t.Fatal(err)
			}
			s.SetFiles(noon(), []*List{l}, []*x509.Certificate{ca.Certificate, root.Certificate})
		}
		at := noon().Add(10 * time.Minute)
		k := s.Known(noon())
		w := k.Revoked(at, Refs(chain(end)))
		switch {
		case w == nil && x.want != "":
			t.Errorf("%s: it is not known", x.what)
		case w != nil && (x.want == "" || !strings.HasPrefix(w.By, x.want)):
			t.Errorf("%s: %v", x.what, w)
		case w != nil && (w.At.IsZero() || !strings.Contains(w.Error(), w.Number()) || !strings.Contains(w.Error(), "issued by \"CN="+w.Issuer[3:]) || w.Issuer == ""):
			t.Errorf("%s: %v", x.what, w)
		}
		if x.what != "a list of others" && x.what != "a file of the CA above" && k.Revoked(at, Refs(chain(neighbour))) != nil {
			t.Errorf("%s: the neighbour is revoked", x.what)
		}
		if s.Known(noon()) != k {
			t.Errorf("%s: it is made again without a cause", x.what)
		}
	}
}

// TestKnownOfNewLists: what comes later counts at once, and a file that is not configured any more does not count.
func TestKnownOfNewLists(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end := newEnd(t, ca, onlyCRL)
	refs := Refs([]*x509.Certificate{end.Certificate, ca.Certificate})
	var s Store
	n := need(t, &s, noon(), end, ca, Rules{}, CRL)
	for i, edits := range [][]func(*x509.RevocationList){nil, {listed(end, Superseded)}} {
		if err := s.Take(noon(), n, crlOf(t, ca, int64(i+1), edits...)); err != nil {
			t.Fatal(err)
		}
		if got := s.Known(noon()).Revoked(noon(), refs) != nil; got != (i == 1) {
			t.Errorf("list %d: revoked is %v", i+1, got)
		}
	}

	// The CA is met with a chain, before its list is there.
	s = Store{}
	one(&s, noon(), end, ca, Rules{})
	l, err := ReadList("ca.crl", crlOf(t, ca, 1, listed(end, Superseded)))
	if err != nil {
		t.Fatal(err)
	}
	for _, lists := range [][]*List{{l}, nil} {
		s.SetFiles(noon(), lists, nil)
		if got := s.Known(noon()).Revoked(noon(), refs) != nil; got != (lists != nil) {
			t.Errorf("%d files: revoked is %v", len(lists), got)
		}
	}
	for range 2 * maxIssuers {
		c := *ca.Certificate
		c.RawSubject = append(c.RawSubject, byte(len(s.issuers)), byte(len(s.issuers)>>8))
		s.meet(noon(), &c)
	}
	if len(s.issuers) > maxIssuers {
		t.Errorf("%d CAs are remembered", len(s.issuers))
	}
}

// TestUse: what peers are let in by is fetched again, however long that is ago.
func TestUse(t *testing.T) {
	ca := newCA(t, nil, "ca")
	end, other := newEnd(t, ca), newEnd(t, ca)
	at := noon().Add(2 * usedLately)
	for _, x := range []struct {
		what string
		kind Kind
		body []byte
		used *holder
		want int
	}{
		{"a list", CRL, crlOf(t, ca, 1, between(0, 100*time.Hour)), other, 1},
		{"a list that nobody uses", CRL, crlOf(t, ca, 1, between(0, 100*time.Hour)), nil, 0},
		{"an answer", OCSP, answerOf(t, end, ca, ca, lasts(0, 100*time.Hour)), end, 1},
		{"an answer for somebody else", OCSP, answerOf(t, end, ca, ca, lasts(0, 100*time.Hour)), other, 0},
	} {
		var s Store
		if err := s.Take(noon(), need(t, &s, noon(), end, ca, Rules{}, x.kind), x.body); err != nil {
			t.Fatal(err)
		}
		if x.used != nil {
			s.Use(at, map[Ref]struct{}{Refs([]*x509.Certificate{x.used.Certificate, ca.Certificate})[0]: {}})
		}
		if due, _ := s.Due(at); len(due) != x.want {
			t.Errorf("%s: %d are due, want %d", x.what, len(due), x.want)
		}
	}
}
