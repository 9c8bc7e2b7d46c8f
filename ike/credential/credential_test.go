package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

func certificate(t *testing.T, name string, serial int64) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1e9, 0)}, &x509.Certificate{Subject: pkix.Name{CommonName: name}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// TestSet: what a connection has is found by its name and the number of its table, and nothing else is.
func TestSet(t *testing.T) {
	own, key := certificate(t, "gw", 1)
	ca, _ := certificate(t, "ca", 2)
	pair := Pair{Chain: []*x509.Certificate{own, ca}, Signer: key, Key: key.Public(), Name: "gw.pem", Line: "gw.toml:3"}
	trust := &pki.Trust{Anchors: []*x509.Certificate{ca}}
	s := NewSet(map[string]Connection{"a": {Own: [][]Pair{{pair}}, Accept: []Accepted{{Trust: trust}}}, "psk": {}})
	if own := s.Own("a", 0); len(own) != 1 || own[0].Name != "gw.pem" {
		t.Errorf("a has %d pairs", len(own))
	}
	if s.Accepted("a", 0).Trust != trust {
		t.Error("a accepts something else")
	}
	for _, x := range []struct {
		name  string
		index int
	}{{"a", 1}, {"psk", 0}, {"b", 0}} {
		if s.Own(x.name, x.index) != nil || s.Accepted(x.name, x.index).Trust != nil {
			t.Errorf("%s %d has something", x.name, x.index)
		}
	}
	var none *Set
	if none.Own("a", 0) != nil || none.Accepted("a", 0).Trust != nil || none.Mark("a") != none.Mark("b") {
		t.Error("no set has something")
	}
	if list := pair.Authorities(); len(list) != 1 || list[0] != pki.KeyHash(ca) {
		t.Error("the authorities of a pair are those of its chain without its own certificate")
	}
}

// TestListsOfAll: the lists and CAs of all connections, each once.
func TestListsOfAll(t *testing.T) {
	ca, _ := certificate(t, "ca", 2)
	sub, _ := certificate(t, "sub", 3)
	l, o := new(revocation.List), new(revocation.List)
	accept := func(lists ...*revocation.List) Connection {
		return Connection{Accept: []Accepted{{}, {Trust: &pki.Trust{Anchors: []*x509.Certificate{ca}, Intermediates: []*x509.Certificate{sub}}, Rules: revocation.Rules{Lists: lists}}}}
	}
	s := NewSet(map[string]Connection{"a": accept(l), "b": accept(l, o)})
	if n, m := len(s.Lists()), len(s.Authorities()); n != 2 || m != 2 {
		t.Errorf("%d lists, %d CAs", n, m)
	}
	s = nil
	if s.Lists() != nil || s.Authorities() != nil {
		t.Error("nothing has something")
	}
}

// TestMark: everything that decides what a proof is worth changes the mark, and nothing else does.
func TestMark(t *testing.T) {
	own, key := certificate(t, "gw", 1)
	renewed, _ := certificate(t, "gw", 3)
	ca, other := certificate(t, "ca", 2)
	base := func() Connection {
		return Connection{Own: [][]Pair{{{Chain: []*x509.Certificate{own}, Signer: key, Key: key.Public(), Name: "gw.pem", Line: "1"}}},
			Accept: []Accepted{{Trust: &pki.Trust{Anchors: []*x509.Certificate{ca}}}}}
	}
	mark := func(change func(*Connection)) [sha256.Size]byte {
		c := base()
		change(&c)
		return NewSet(map[string]Connection{"a": c}).Mark("a")
	}
	same := mark(func(*Connection) {})
	if same != mark(func(c *Connection) { c.Own[0][0].Name, c.Own[0][0].Line = "other", "2" }) {
		t.Error("where something stands changes the mark")
	}
	for what, change := range map[string]func(*Connection){
		"another certificate": func(c *Connection) { c.Own[0][0].Chain = []*x509.Certificate{renewed} },
		"another key":         func(c *Connection) { c.Own[0][0].Key = other.Public() },
		"no pair":             func(c *Connection) { c.Own[0] = nil },
		"a CA more":           func(c *Connection) { c.Accept[0].Trust.Anchors = append(c.Accept[0].Trust.Anchors, own) },
		"a CA that is between": func(c *Connection) {
			c.Accept[0].Trust.Intermediates, c.Accept[0].Trust.Anchors = c.Accept[0].Trust.Anchors, nil
		},
		"a pinned certificate": func(c *Connection) { c.Accept[0].Trust.Pinned = []*x509.Certificate{own} },
		"a raw key":            func(c *Connection) { c.Accept[0].Trust.Keys = append(c.Accept[0].Trust.Keys, key.Public()) },
		"another policy":       func(c *Connection) { c.Accept[0].Rules = revocation.Rules{Policy: policy.RevocationStrict} },
		"a revocation list":    func(c *Connection) { c.Accept[0].Rules.Lists = []*revocation.List{list(t, 1)} },
		"a responder":          func(c *Connection) { c.Accept[0].Rules.Responders = []*x509.Certificate{own} },
	} {
		if mark(change) == same {
			t.Errorf("%s does not change the mark", what)
		}
		// What peers have to show has a mark of its own, which is not changed by what this side shows.
		c := base()
		before := NewSet(map[string]Connection{"a": c}).AcceptedMark("a")
		change(&c)
		ownOnly := slices.Contains([]string{"another certificate", "another key", "no pair"}, what)
		if after := NewSet(map[string]Connection{"a": c}).AcceptedMark("a"); (after == before) != ownOnly {
			t.Errorf("%s: the mark of what peers have to show stays the same: %v", what, after == before)
		}
	}
	lists := func(all ...*revocation.List) [sha256.Size]byte {
		return mark(func(c *Connection) { c.Accept[0].Rules.Lists = all })
	}
	one, two := list(t, 1), list(t, 2)
	if first, again := lists(one), lists(one); first != again || first == lists(two) {
		t.Error("another edition of a list does not change the mark, or the same does")
	}
}

// list is a revocation list with a number.
func list(t *testing.T, number int64) *revocation.List {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	now := time.Now()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := revocation.ReadList("ca.crl", der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestPairPrintsNothing: no verb shows a private key.
func TestPairPrintsNothing(t *testing.T) {
	_, key := certificate(t, "gw", 1)
	secret, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p := Pair{Signer: key, Key: key.Public(), Name: "gw.pem"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if s := fmt.Sprintf(verb, p); strings.Contains(s, new(big.Int).SetBytes(secret).String()) || s != redactedText {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}
