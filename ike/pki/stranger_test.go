package pki

import (
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestStrangersAreCheap counts the signatures that somebody without a certificate of a trusted CA can make this side
// verify: one by each trusted CA for each of its certificates up to a bound, those that crypto/x509 tries with at most two
// certificates of its, and those that find out why. That is far from the hundred that crypto/x509 allows itself.
func TestStrangersAreCheap(t *testing.T) {
	trust, all := strangers(t)
	for name, p := range all {
		j := trust.judgement(noon(), id(t, "site-b.example"))
		end, err := Parse(p.Certs[0])
		if err != nil {
			t.Fatal(err)
		}
		var others candidates
		for _, der := range p.Certs[1:] {
			c, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			others.unknown = append(others.unknown, c)
		}
		reached := trust.reach(end, others.unknown)
		if len(reached.unknown) != len(p.Certs)-1 {
			t.Errorf("%s: %d of %d certificates are reached", name, len(reached.unknown), len(p.Certs)-1)
		}
		use := manageable(reached)
		if len(use.unknown) > maxUnvouched || len(use.between) > 0 {
			t.Errorf("%s: %d certificates are tried that nobody has vouched for, and %d are vouched for", name, len(use.unknown), len(use.between))
		}
		e := explanation{j: j, all: use, budget: maxExplaining}
		if r, complete := e.from([]*x509.Certificate{end}); r == nil || complete != nil || e.budget < 0 {
			t.Errorf("%s: %v, %d more than allowed", name, r, -e.budget)
		}
		refused(t, trust, p, BadSignature)
	}
}

// TestVouching has long chains that are right, in any order and with certificates of the same names around them.
func TestVouching(t *testing.T) {
	ca := root(t, "CA")
	chain := []*holder{ca}
	for i := range 5 {
		chain = append([]*holder{issue(t, chain[0], caTemplate(fmt.Sprint("Between ", i)), nil)}, chain...)
	}
	end := issue(t, chain[0], endTemplate(), nil)
	whole := append([]*holder{end}, chain...)
	wantChain(t, accepted(t, trustIn(ca), present(whole...)), whole...)
	wantChain(t, accepted(t, trustIn(root(t, "CA"), ca), present(whole...)), whole...) // the second CA of the name has signed
	decoys := []*holder{end}
	for i, c := range slices.Backward(chain[:5]) {
		decoys = append(decoys, issue(t, nil, caTemplate(fmt.Sprint("Between ", 4-i)), nil), c)
	}
	wantChain(t, accepted(t, trustIn(ca), present(decoys...)), whole...)
	// What is wrong is still found out.
	late := caTemplate("CA")
	late.NotAfter = noon().Add(-time.Hour)
	if r := refused(t, trustIn(issue(t, nil, late, ca.key)), present(whole[:6]...), Expired); r.Role != Anchor {
		t.Errorf("said of the %v", r.Role)
	}
	// One name for all of them makes more combinations than the bound allows, unless nothing else is sent.
	same := []*holder{ca}
	for range 5 {
		same = append([]*holder{issue(t, same[0], caTemplate("CA"), nil)}, same...)
	}
	end = issue(t, same[0], endTemplate(), nil)
	for range 5 {
		same = append([]*holder{root(t, "CA")}, same...)
	}
	refused(t, trustIn(ca), present(append([]*holder{end}, same...)...), BadSignature)
}
