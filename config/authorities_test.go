package config

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/policy"
)

// TestAuthorities: a CA of a table is accepted, and what it says of revocations is a rule for every peer.
func TestAuthorities(t *testing.T) {
	w := newWorld(t)
	c := w.good(`
[connections.office]
remote_addrs = "198.51.100.20"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
local = { certs = "gw.pem", id = "gw.example" }
remote = { auth = "pubkey", id = "peer.example", revocation = "ifuri" }
[credentials]
private = "gw.key"
fetch_allow = ["10.9.0.0/16", "127.0.0.1"]
cache_dir = "kept"
[authorities.ours]
cacert = "ca.pem"
crl_uris = "http://10.9.0.1/ca.crl"
ocsp_uris = ["http://10.9.0.1:8080/ocsp", "https://ocsp.example"]
`)
	a := c.Set.Accepted("office", 0)
	if len(a.Trust.Anchors) != 1 || a.Trust.Anchors[0].Subject.CommonName != "Test CA" {
		t.Errorf("anchors: %v", a.Trust.Anchors)
	}
	if r := a.Rules; r.Policy != policy.RevocationIfURI || len(r.Authorities) != 1 || r.Authorities[0].Name != "ours" || r.Authorities[0].CA != a.Trust.Anchors[0] ||
		!slices.Equal(r.Authorities[0].CRLURIs, []string{"http://10.9.0.1/ca.crl"}) ||
		!slices.Equal(r.Authorities[0].OCSPURIs, []string{"http://10.9.0.1:8080/ocsp", "https://ocsp.example"}) {
		t.Errorf("rules: %+v", a.Rules)
	}
	if got := c.Set.Issued(); len(got) != 1 || got[0].Certificate.Subject.CommonName != "gw" || got[0].Issuer != a.Trust.Anchors[0] || len(got[0].Rules.Authorities) != 1 {
		t.Errorf("issued: %+v", got)
	}
	if want := []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("127.0.0.1/32")}; !slices.Equal(c.Credentials.FetchAllow, want) {
		t.Errorf("fetch_allow: %v", c.Credentials.FetchAllow)
	}
	if c.Credentials.CacheDir != filepath.Join(w.dir, "kept") {
		t.Errorf("cache_dir: %s", c.Credentials.CacheDir)
	}
}

// TestDirectoryAddresses: an address of LDAP is left out with a warning, and the others are used.
func TestDirectoryAddresses(t *testing.T) {
	w := newWorld(t)
	c := w.good(`
[connections.office]
remote_addrs = "198.51.100.20"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
local = { certs = "gw.pem", id = "gw.example" }
remote = { auth = "pubkey", id = "peer.example", revocation = "ifuri" }
[credentials]
private = "gw.key"
[authorities.ours]
cacert = "ca.pem"
crl_uris = ["ldap://user:word@dir.example/cn=ca?certificateRevocationList", "http://10.9.0.1/ca.crl"]
`)
	if got := c.Authorities[0].CRLURIs; !slices.Equal(got, []string{"http://10.9.0.1/ca.crl"}) {
		t.Errorf("%q", got)
	}
	if !slices.ContainsFunc(c.Warnings, func(p Problem) bool {
		return strings.Contains(p.Error(), "authorities.ours.crl_uris: nothing is fetched from \"ldap://user:xxxxx@dir.example/cn=ca") && p.Position.Line == 12
	}) {
		t.Errorf("%v", c.Warnings)
	}
}

// TestIssued: an answer is kept only for certificates of connections that send one.
func TestIssued(t *testing.T) {
	w := newWorld(t)
	for ocsp, want := range map[string]int{"reply": 1, "both": 1, "request": 0, "never": 0} {
		c := w.good(`
[connections.office]
remote_addrs = "198.51.100.20"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
ocsp = "` + ocsp + `"
local = { certs = "deep.pem", id = "deep.example" }
remote = { auth = "pubkey", id = "peer.example", cacerts = "ca.pem" }
[credentials]
private = "deep.key"
`)
		if got := c.Set.Issued(); len(got) != want || want == 1 && got[0].Issuer.Subject.CommonName != "Sub CA" {
			t.Errorf("%s: %+v", ocsp, got)
		}
	}
}
