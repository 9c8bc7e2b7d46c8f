//go:build linux

package integration

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// tlsPlugins are what strongSwan needs for methods with TLS, in both roles, but for eap-peap, which Debian has no package of.
var tlsPlugins = []string{"md5", "eap-identity", "eap-md5", "eap-mschapv2", "eap-tls", "eap-ttls"}

// Users of the tests with TLS: annas certificate is for an e-mail address, and uwe has a password.
const (
	tlsUser      = "anna@example.org"
	strangeUser  = "olga@example.org"
	tunnelUser   = "uwe"
	tunnelSecret = "through the tunnel"
	// tunnelStranger is known to strongSwan alone.
	tunnelStranger = "udo"
)

// needsPEAP skips what strongSwan needs its plugin for.
func needsPEAP(t *testing.T, name string, there bool) {
	if strings.HasSuffix(name, "-peap") && !there {
		t.Skip("TEST NOT RUN: strongSwan's plugin for EAP-PEAP could not be made (integration/deps/peap)")
	}
}

// TestUsersWithTLS: users come in by EAP-TLS, EAP-TTLS and EAP-PEAP, to Esplanade and to strongSwan, with traffic; with a certificate of the gateway in IKE,
// and by EAP alone. Whoever must not come in is named to the operator.
func TestUsersWithTLS(t *testing.T) {
	t.Parallel()
	w := newCertWorld(t).lay()
	w.b.Plugins = tlsPlugins
	plugin, peap := peer.PEAPPlugin()
	if peap {
		w.b.Plugins, w.b.Made = append(slices.Clone(tlsPlugins), "eap-peap"), []string{plugin}
	}
	email := func(c *x509.Certificate) { c.DNSNames, c.EmailAddresses = nil, []string{tlsUser} }
	anna := w.root.issue("anna", "p256", email)
	stranger := w.other.issue("olga", "p256", func(c *x509.Certificate) { c.DNSNames, c.EmailAddresses = nil, []string{strangeUser} })
	annaOn := func(g *peer.Gateway, method, name string, l leaf, user string) peer.Auth {
		a := w.showing(g, name, l)
		a.Method, a.Extra = method, map[string]string{"eap_id": user}
		return a
	}
	wants := func(method string) peer.Auth {
		return peer.Auth{Method: method, CACerts: []string{"root.pem"}, Extra: map[string]string{"eap_id": "%any"}}
	}
	password := func(method string) peer.Auth {
		return peer.Auth{Method: method, Extra: map[string]string{"eap_id": tunnelUser}}
	}
	w.add(way{name: "in-tls", bShows: annaOn(&w.b, "eap-tls", "in-tls-user", anna, tlsUser), aWants: wants("eap-tls")})
	w.add(way{name: "out-tls", aShows: annaOn(&w.a, "eap-tls", "out-tls-user", anna, tlsUser), bWants: wants("eap-tls")})
	w.add(way{name: "in-ttls", bShows: password("eap-ttls"), aWants: peer.Auth{Method: "eap-ttls"}})
	w.add(way{name: "out-ttls", aShows: password("eap-ttls"), bWants: peer.Auth{Method: "eap-ttls", Extra: map[string]string{"eap_id": "%any"}}})
	w.add(way{name: "in-peap", bShows: password("eap-peap"), aWants: peer.Auth{Method: "eap-peap"}})
	w.add(way{name: "out-peap", aShows: password("eap-peap"), bWants: peer.Auth{Method: "eap-peap", Extra: map[string]string{"eap_id": "%any"}}})
	w.add(way{name: "no-peap", bShows: peer.Auth{Method: "eap-peap", Extra: map[string]string{"eap_id": tunnelStranger}}, aWants: peer.Auth{Method: "eap-peap"}})
	alone := func(g *peer.Gateway, name, id string) peer.Auth {
		a := w.showing(g, name, w.root.issue(id, "p256"))
		a.Method = "eap-tls"
		return a
	}
	w.add(way{name: "in-alone", bShows: annaOn(&w.b, "eap-tls", "in-alone-user", anna, tlsUser), aWants: wants("eap-tls"),
		aShows: alone(&w.a, "in-alone-gw", "in-alone.a.example"), bWants: peer.Auth{Method: "eap-tls"}})
	w.add(way{name: "out-alone", aShows: annaOn(&w.a, "eap-tls", "out-alone-user", anna, tlsUser), aWants: peer.Auth{Method: "eap-tls", CACerts: []string{"root.pem"}},
		bShows: alone(&w.b, "out-alone-gw", "out-alone.b.example"), bWants: peer.Auth{Method: "eap-tls", Extra: map[string]string{"eap_id": "%any"}}})
	w.add(way{name: "no-name", bShows: annaOn(&w.b, "eap-tls", "no-name-user", anna, "bert@example.org"), aWants: wants("eap-tls")})
	w.add(way{name: "no-ca", bShows: annaOn(&w.b, "eap-tls", "no-ca-user", stranger, strangeUser), aWants: wants("eap-tls")})
	w.b.More = "secrets {\n  eap-uwe {\n    id = \"" + tunnelUser + "\"\n    secret = \"" + tunnelSecret + "\"\n  }\n" +
		"  eap-udo {\n    id = \"" + tunnelStranger + "\"\n    secret = \"" + tunnelSecret + "\"\n  }\n}\n"
	w.a.Files = append(w.a.Files, peer.File{Kind: "users", Name: "users.toml", Data: []byte(tunnelUser + " = \"" + tunnelSecret + "\"\n")})
	w.a.More = "[users]\nfile = \"users/users.toml\"\n[secrets.eap.uwe]\nid = \"" + tunnelUser + "\"\nsecret = \"" + tunnelSecret + "\"\n"
	w.run()
	e := w.p.a.(*peer.Esplanade)
	for _, c := range []struct {
		name string
		from peer.Peer
		want string // in strongSwan's log
	}{
		{"in-tls", w.p.b, `EAP method EAP_TLS succeeded, MSK established`},
		{"in-ttls", w.p.b, `EAP method EAP_TTLS succeeded, MSK established`},
		{"in-peap", w.p.b, `EAP method EAP_PEAP succeeded, MSK established`},
		{"out-peap", w.p.a, `authentication of 'out-peap.a.example' with EAP successful`},
		{"in-alone", w.p.b, `EAP method EAP_TLS succeeded, MSK established`},
		{"out-tls", w.p.a, `authentication of 'out-tls.a.example' with EAP successful`},
		{"out-alone", w.p.a, `authentication of 'out-alone.a.example' with EAP successful`},
		{"out-ttls", w.p.a, `authentication of 'out-ttls.a.example' with EAP successful`},
	} {
		t.Run(c.name, func(t *testing.T) {
			needsPEAP(t, c.name, peap)
			logged := since(e)
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(logged())
				}
			})
			w.up(t, c.name, c.from, nil, []string{c.want})
		})
	}
	for _, c := range []struct {
		name  string
		words []string
	}{
		{"no-name", []string{"E-EAP-TLS", "bert@example.org", "provide a certificate"}},
		{"no-peap", []string{"E-EAP-USER", tunnelStranger, "eap-peap (mschapv2)"}},
		{"no-ca", []string{"E-CERT-CA", "Other Root", "olga"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			needsPEAP(t, c.name, peap)
			logged := since(e)
			if out, err := peer.Initiate(w.p.b, c.name); err == nil {
				t.Fatalf("the tunnel came up:\n%s", out)
			}
			for _, word := range c.words {
				lab.Eventually(t, 5*time.Second, "Esplanade says why", func() (bool, string) { return strings.Contains(logged(), word), word + " is missing in:\n" + logged() })
			}
			w.p.wantNoState(t, 10*time.Second)
		})
	}
	for _, end := range []peer.Peer{w.p.a, w.p.b} {
		if strings.Contains(end.Log(), tunnelSecret) {
			t.Errorf("the log of %s has the password", end.Kind())
		}
	}
}
