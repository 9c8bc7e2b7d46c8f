package pki

import (
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"
)

func wantChain(t *testing.T, p Peer, want ...*holder) {
	t.Helper()
	if len(p.Chain) != len(want) {
		t.Fatalf("the chain has %d certificates, want %d", len(p.Chain), len(want))
	}
	for i, c := range want {
		if !p.Chain[i].Equal(c.Certificate) {
			t.Errorf("place %d of the chain is of %s, want %s", i, Subject(p.Chain[i]), Subject(c.Certificate))
		}
	}
	if !SameKey(p.Key, want[0].PublicKey) {
		t.Error("the key is not that of the certificate")
	}
}

func TestChainOfTwo(t *testing.T) {
	ca := root(t, "CA")
	end := issue(t, ca, endTemplate(), nil)
	peer := accepted(t, trustIn(ca), present(end))
	wantChain(t, peer, end, ca)
	if !peer.Until.Equal(end.NotAfter) || peer.Pinned {
		t.Errorf("until %v, pinned %v", peer.Until, peer.Pinned)
	}
}

// TestIntermediates has two CAs between: sent in any order with others around, taken from the store, or missing.
func TestIntermediates(t *testing.T) {
	ca, other := root(t, "CA"), root(t, "Other")
	soon := caTemplate("Between 1")
	soon.NotAfter = noon().Add(time.Hour)
	one := issue(t, ca, soon, nil)
	two := issue(t, one, caTemplate("Between 2"), nil)
	end := issue(t, two, endTemplate(), nil)

	for name, p := range map[string]Presented{
		"in order":                 present(end, two, one),
		"the other way round":      present(end, one, two),
		"with the root":            present(end, two, one, ca),
		"twice":                    present(end, one, two, end, one, two),
		"among those of strangers": present(end, other, one, root(t, "CA"), two, root(t, "Between 1"), root(t, "Between 2")),
		"with what can't be read":  {Certs: [][]byte{end.Raw, {1, 2, 3}, one.Raw, nil, two.Raw}},
		"with another end's first": present(end, issue(t, two, endTemplate(), nil), one, two),
	} {
		t.Run(name, func(t *testing.T) {
			peer := accepted(t, trustIn(other, ca), p)
			wantChain(t, peer, end, two, one, ca)
			if !peer.Until.Equal(one.NotAfter) {
				t.Errorf("until %v, want %v", peer.Until, one.NotAfter)
			}
		})
	}
	t.Run("from the store", func(t *testing.T) {
		trust := trustIn(ca)
		trust.Intermediates = []*x509.Certificate{one.Certificate, two.Certificate}
		wantChain(t, accepted(t, trust, present(end)), end, two, one, ca)
	})
	t.Run("one sent, one from the store", func(t *testing.T) {
		trust := trustIn(ca)
		trust.Intermediates = []*x509.Certificate{one.Certificate}
		wantChain(t, accepted(t, trust, present(end, two)), end, two, one, ca)
	})
	t.Run("missing", func(t *testing.T) {
		r := refused(t, trustIn(ca), present(end, two), UnknownCA)
		if !r.Cert.Equal(two.Certificate) || r.Role != Intermediate || r.CA != Subject(one.Certificate) {
			t.Errorf("said of %v: %v", r.Role, r)
		}
	})
	t.Run("an anchor that is no root", func(t *testing.T) {
		wantChain(t, accepted(t, trustIn(two), present(end, one, two, ca)), end, two)
	})
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	ca := root(t, "CA")
	end := issue(t, ca, endTemplate(), nil)
	refused(t, &Trust{}, present(end, ca), UnknownCA)
	refused(t, &Trust{Intermediates: []*x509.Certificate{ca.Certificate}}, present(end), UnknownCA)
	refused(t, &Trust{}, Presented{}, NoCertificate)
	refused(t, &Trust{}, Presented{Key: end.RawSubjectPublicKeyInfo}, UnknownKey)
}

func TestPinned(t *testing.T) {
	ca := root(t, "CA")
	self := issue(t, nil, endTemplate(), nil)
	of := issue(t, ca, endTemplate(), nil)
	twin := issue(t, ca, endTemplate(), of.key)
	late := endTemplate()
	late.NotAfter = noon().Add(-time.Hour)
	expired := issue(t, ca, late, nil)
	trust := &Trust{Pinned: []*x509.Certificate{self.Certificate, of.Certificate, expired.Certificate}}
	for _, h := range []*holder{self, of} {
		peer := accepted(t, trust, present(h, ca))
		wantChain(t, peer, h)
		if !peer.Pinned || !peer.Until.Equal(h.NotAfter) {
			t.Errorf("pinned %v, until %v", peer.Pinned, peer.Until)
		}
	}
	refused(t, trust, present(expired), Expired)
	refused(t, trust, present(twin), NotPinned)
	trust.Anchors = []*x509.Certificate{ca.Certificate}
	refused(t, trust, present(twin), NotPinned) // a CA is no way around
	refusedAs(t, trust, noon(), id(t, "site-c.example"), present(self), NotItsIdentity)
	refused(t, trustIn(ca), present(self), SelfSigned)
	wantChain(t, accepted(t, trustIn(self), present(self)), self) // as a CA of the configuration
}

// TestKnown has peers that send nothing.
func TestKnown(t *testing.T) {
	old, fresh := endTemplate(), endTemplate()
	old.NotAfter = noon().Add(time.Hour)
	a, b := issue(t, nil, old, nil), issue(t, nil, fresh, nil)
	elsewhere := endTemplate()
	elsewhere.DNSNames = []string{"site-c.example"}
	c := issue(t, nil, elsewhere, nil)
	key := newKey(t).Public()
	trust := &Trust{Pinned: []*x509.Certificate{c.Certificate, a.Certificate, b.Certificate}, Keys: []crypto.PublicKey{key}}
	wantChain(t, accepted(t, trust, Presented{}), b)
	all, err := trust.Known(noon(), id(t, "site-b.example"))
	if err != nil || len(all) != 3 {
		t.Fatalf("%d known, %v", len(all), err)
	}
	if !SameKey(all[0].Key, b.PublicKey) || !SameKey(all[1].Key, a.PublicKey) || !SameKey(all[2].Key, key) || all[2].Chain != nil {
		t.Error("not those expected, or in another order")
	}
	late := noon().Add(48 * time.Hour)
	trust.Keys = nil
	r := refusedAs(t, trust, late, id(t, "site-b.example"), Presented{}, Expired)
	if r.Cert == nil || r.Apart() < 24*time.Hour {
		t.Errorf("refused without the certificate: %v", r)
	}
	for range 2 * MaxKnown {
		trust.Keys = append(trust.Keys, newKey(t).Public())
	}
	if all, err = trust.Known(noon(), id(t, "nobody.example")); err != nil || len(all) != MaxKnown {
		t.Errorf("%d known, %v", len(all), err)
	}
}

func TestRawKeys(t *testing.T) {
	mine, other := newKey(t), newKey(t)
	trust := &Trust{Keys: []crypto.PublicKey{mine.Public()}}
	spki, err := x509.MarshalPKIXPublicKey(mine.Public())
	if err != nil {
		t.Fatal(err)
	}
	peer := accepted(t, trust, Presented{Key: spki})
	if !SameKey(peer.Key, mine.Public()) || peer.Chain != nil || !peer.Until.IsZero() {
		t.Errorf("accepted as %+v", peer)
	}
	foreign, err := x509.MarshalPKIXPublicKey(other.Public())
	if err != nil {
		t.Fatal(err)
	}
	refused(t, trust, Presented{Key: foreign}, UnknownKey)
	refused(t, trust, Presented{Key: append(slices.Clone(spki), 0)}, Unreadable)
	// A certificate around the key that is trusted says nothing more.
	if peer := accepted(t, trust, present(issue(t, nil, endTemplate(), mine))); !SameKey(peer.Key, mine.Public()) || peer.Chain != nil {
		t.Errorf("accepted as %+v", peer)
	}
}

func TestDemandedCA(t *testing.T) {
	ca := root(t, "CA")
	named := caTemplate("Department")
	named.DNSNames = []string{"department.example"}
	between := issue(t, ca, named, nil)
	end := issue(t, between, endTemplate(), nil)
	for text, ok := range map[string]bool{
		"O=Example, CN=CA": true, "O=Example, CN=Department": true, "O=Example, CN=*": true, "department.example": true,
		"O=Example, CN=Other": false, "C=DE, O=Example, CN=site-b": false, "site-b.example": false, "O=Example": false,
	} {
		trust := trustIn(ca)
		trust.CA = id(t, text)
		if ok {
			wantChain(t, accepted(t, trust, present(end, between)), end, between, ca)
		} else if r := refused(t, trust, present(end, between), WrongCA); !strings.Contains(r.Error(), text) {
			t.Errorf("said without the CA: %v", r)
		}
	}
}

func TestTooMuch(t *testing.T) {
	ca := root(t, "CA")
	end := issue(t, ca, endTemplate(), nil)
	p := present(end)
	for range MaxPresented - 1 {
		p.Certs = append(p.Certs, ca.Raw)
	}
	accepted(t, trustIn(ca), p)
	refused(t, trustIn(ca), Presented{Certs: append(p.Certs, ca.Raw)}, TooMuch)
	rest := make([]byte, MaxPresentedBytes-len(end.Raw)+1)
	accepted(t, trustIn(ca), Presented{Certs: [][]byte{end.Raw, rest[1:]}})
	refused(t, trustIn(ca), Presented{Certs: [][]byte{end.Raw, rest}}, TooMuch)
}

// TestBestChain has several chains that are all valid: the shortest is taken, and of these the one that is valid longest.
func TestBestChain(t *testing.T) {
	top := root(t, "Top")
	key := newKey(t)
	short := caTemplate("CA")
	short.NotAfter = noon().Add(time.Hour)
	soon, late, cross := issue(t, nil, short, key), issue(t, nil, caTemplate("CA"), key), issue(t, top, caTemplate("CA"), key)
	end := issue(t, late, endTemplate(), nil)
	for _, trust := range []*Trust{trustIn(top, soon, late), trustIn(late, soon, top)} {
		wantChain(t, accepted(t, trust, present(end, cross)), end, late)
	}
	wantChain(t, accepted(t, trustIn(top, soon), present(end, cross)), end, soon)
	wantChain(t, accepted(t, trustIn(top), present(end, soon, cross)), end, cross, top)
	// The best of those that have the CA demanded.
	trust := trustIn(top, late)
	trust.CA = id(t, "O=Example, CN=Top")
	wantChain(t, accepted(t, trust, present(end, cross)), end, cross, top)
}

// TestReach leaves out what no name leads to, and what is there twice.
func TestReach(t *testing.T) {
	ca, other := root(t, "CA"), root(t, "Other")
	between, stray := issue(t, ca, caTemplate("Between"), nil), issue(t, other, caTemplate("Stray"), nil)
	end := issue(t, between, endTemplate(), nil)
	list := func(all ...*holder) (out []*x509.Certificate) {
		for _, h := range all {
			out = append(out, h.Certificate)
		}
		return out
	}
	for _, tt := range []struct {
		stored, sent              []*x509.Certificate
		anchors, between, unknown int
	}{
		{nil, list(between, stray, ca, other, end), 1, 0, 1},
		{nil, list(between, between, ca), 1, 0, 1},
		{list(between, stray, ca), list(between, stray, ca), 1, 1, 0},
		{list(between, between), nil, 1, 1, 0},
		{list(stray), nil, 0, 0, 0},
	} {
		trust := trustIn(other, ca, ca)
		trust.Intermediates = tt.stored
		got := trust.reach(end.Certificate, tt.sent)
		if len(got.anchors) != tt.anchors || len(got.between) != tt.between || len(got.unknown) != tt.unknown {
			t.Errorf("%d anchors, %d between, %d unknown; want %+v", len(got.anchors), len(got.between), len(got.unknown), tt)
		}
	}
	if got := trustIn(between).reach(between.Certificate, nil); len(got.anchors) != 1 {
		t.Error("an anchor that is the end is not reached")
	}
}
