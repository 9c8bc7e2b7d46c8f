package pki

import (
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path"
	"slices"
	"testing"
	"time"

	"esplanade/ike/identity"
)

// limboSuite is testdata/limbo.json.gz, which testdata/extract.go makes of x509-limbo and BetterTLS.
type limboSuite struct {
	Certs [][]byte    `json:"certs"`
	Cases []limboCase `json:"cases"`
}

type limboCase struct {
	ID            string    `json:"id"`
	Anchors       []int     `json:"anchors"`
	Intermediates []int     `json:"between"`
	End           int       `json:"end"`
	Time          time.Time `json:"time"`
	Names         []struct {
		Kind, Value string
	} `json:"names"`
	Accept   bool     `json:"accept"`
	Features []string `json:"features"`
	CRLs     [][]byte `json:"crls"`
}

func readLimbo(t testing.TB) *limboSuite {
	t.Helper()
	var s limboSuite
	readJSON(t, "testdata/limbo.json.gz", &s)
	return &s
}

// readJSON reads a compressed file of JSON into v.
func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// trust are the anchors as a configuration would give them: what can't be read is none.
func (s *limboSuite) trust(c *limboCase) *Trust {
	trust := &Trust{}
	for _, i := range c.Anchors {
		if a, err := Parse(s.Certs[i]); err == nil {
			trust.Anchors = append(trust.Anchors, a)
		}
	}
	return trust
}

func (s *limboSuite) presented(c *limboCase) Presented {
	p := Presented{Certs: [][]byte{s.Certs[c.End]}}
	for _, i := range c.Intermediates {
		p.Certs = append(p.Certs, s.Certs[i])
	}
	return p
}

// when is the time of the case. Where it has none, BetterTLS means the time of its making, or a time after the end of
// what has expired.
func (c *limboCase) when(end *x509.Certificate) time.Time {
	switch {
	case !c.Time.IsZero() || end == nil:
		return c.Time
	case !c.Accept && slices.Contains(c.Features, "INVALID_REASON_EXPIRED"):
		return end.NotAfter.Add(time.Second)
	}
	return end.NotBefore.Add(time.Second)
}

// identities are those that the end is to be accepted for: the names of the case, or the first that it speaks for.
func (c *limboCase) identities(end *x509.Certificate) []identity.Identity {
	var all []identity.Identity
	for _, n := range c.Names {
		switch a, err := netip.ParseAddr(n.Value); {
		case n.Kind == "IP" && err == nil:
			all = append(all, identity.FromAddr(a))
		case n.Kind == "RFC822":
			all = append(all, identity.Identity{Type: identity.RFC822Addr, Data: []byte(n.Value)})
		default:
			all = append(all, identity.Identity{Type: identity.FQDN, Data: []byte(n.Value)})
		}
	}
	if len(all) == 0 && end != nil {
		switch {
		case len(end.DNSNames) > 0:
			all = append(all, identity.Identity{Type: identity.FQDN, Data: []byte(end.DNSNames[0])})
		default:
			all = append(all, subjectOf(end))
		}
	}
	return all
}

// TestLimbo runs x509-limbo and BetterTLS. What is said of a case is right: it is accepted for all its names, or
// refused. deviations has the exceptions.
func TestLimbo(t *testing.T) {
	s := readLimbo(t)
	if len(s.Cases) < 500 {
		t.Fatalf("the suite has %d cases", len(s.Cases))
	}
	met := map[string]bool{}
	for i := range s.Cases {
		c := &s.Cases[i]
		if slices.Contains(c.Features, "either") {
			continue // "failureIsWarning" of BetterTLS: both answers are right
		}
		end, _ := Parse(s.Certs[c.End])
		ids := c.identities(end)
		if len(ids) == 0 {
			ids = []identity.Identity{{Type: identity.FQDN, Data: []byte("example.com")}}
		}
		var err error
		for _, id := range ids {
			if _, e := s.trust(c).Judge(c.when(end), id, s.presented(c)); e != nil {
				err = e
			}
		}
		if r := (*Refusal)(nil); err != nil && !errors.As(err, &r) {
			t.Errorf("%s: the error is no refusal: %v", c.ID, err)
		}
		d, deviates := deviationOf(t, c.ID)
		if deviates {
			met[d] = true
		}
		if accepted := err == nil; accepted == c.Accept == deviates {
			t.Errorf("%s: accepted %v, the suite says %v; known as a deviation: %v: %v", c.ID, accepted, c.Accept, deviates, err)
		}
	}
	for d := range deviations() {
		if !met[d] {
			t.Errorf("no case is %s", d)
		}
	}
}

// deviationOf finds the key of deviations for a case.
func deviationOf(t *testing.T, id string) (string, bool) {
	t.Helper()
	for d := range deviations() {
		if ok, err := path.Match(d, id); err != nil {
			t.Fatal(err)
		} else if ok {
			return d, true
		}
	}
	return "", false
}
