package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/pki/ca"
)

// acmeText is a configuration with ACME and a connection that uses it.
const acmeText = `[credentials.acme]
domains = ["VPN.example.org", "192.0.2.7"]
agree_to_terms = true
folder = "acme"
[credentials]
x509ca = "ca.pem"
[connections.rw]
remote_addrs = "192.0.2.9"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
local = { auth = "pubkey" }
remote = { auth = "pubkey", id = "peer.example" }
`

// newPair makes a CA, and a key with a certificate for a name in one file.
func newPair(t *testing.T, name string) (caPEM, pair []byte) {
	t.Helper()
	key, err := ca.GenerateKey(ca.KindP256)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ca.NewRoot(time.Now(), ca.Root{Validity: ca.Day, Name: "Test"}, key)
	if err != nil {
		t.Fatal(err)
	}
	r := ca.Request{CommonName: name, Key: key.Public(), Validity: time.Hour}
	if err := r.Names.Add(name); err != nil {
		t.Fatal(err)
	}
	c, err := a.Issue(time.Now(), r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := ca.EncodeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return ca.EncodeCertificate(a.Certificate), append(text, ca.EncodeCertificate(c)...)
}

// TestACMEBeforeAndAfter: a configuration whose certificate is still to be issued is in force, with the identity that it will have; when the
// certificate is there, it is taken up as any other file.
func TestACMEBeforeAndAfter(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, pair := newPair(t, "vpn.example.org")
	put("ca.pem", root)
	put("gw.toml", []byte(acmeText))
	conf, err := Load(filepath.Join(dir, "gw.toml"))
	if err != nil {
		t.Fatal(err)
	}
	a := &conf.Credentials.ACME
	if !a.Enabled() || a.File() != filepath.Join(dir, "acme", "vpn.example.org.pem") || a.ListenAddr() != ":80" || !slices.Equal(a.Domains, []string{"vpn.example.org", "192.0.2.7"}) {
		t.Errorf("%+v", a)
	}
	if n := conf.Connections[0]; n.Local.ID.String() != "vpn.example.org" || len(conf.Set.Own("rw", 0)) != 0 {
		t.Errorf("%s, %v", n.Local.ID, conf.Set.Own("rw", 0))
	}
	if !slices.ContainsFunc(conf.Warnings, func(p Problem) bool {
		return strings.Contains(p.String(), "connections.rw.local has no certificate yet: esplanade run asks the ACME server for it")
	}) {
		t.Error(conf.Warnings)
	}
	before := conf.CredentialState()
	put("acme/vpn.example.org.pem", pair)
	if conf.CredentialState() == before {
		t.Error("the certificate is not noticed")
	}
	fresh, changed, errs := conf.Renewed()
	if !changed || len(errs) > 0 || len(fresh.Set.Own("rw", 0)) != 1 || fresh.Connections[0].Local.ID.String() != "vpn.example.org" {
		t.Fatalf("%v, %v, %+v", changed, errs, fresh)
	}
	// The next start finds it there.
	conf, err = Load(filepath.Join(dir, "gw.toml"))
	if err != nil || len(conf.Set.Own("rw", 0)) != 1 || conf.Connections[0].Local.ID.String() != "vpn.example.org" {
		t.Error(err, conf)
	}
	// A connection that calls itself something else has no certificate to wait for.
	put("gw.toml", []byte(strings.Replace(acmeText, `local = { auth = "pubkey" }`, `local = { auth = "pubkey", id = "other.example" }`, 1)))
	if _, err := Load(filepath.Join(dir, "gw.toml")); err == nil || !strings.Contains(err.Error(), `no certificate with a private key for "other.example"`) {
		t.Error(err)
	}
	// A file that others can read is none.
	put("gw.toml", []byte(acmeText))
	if err := os.Chmod(a.File(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(filepath.Join(dir, "gw.toml")); err == nil || !strings.Contains(err.Error(), "credentials.acme") {
		t.Error(err)
	}
}

// TestACMERefuses: what no server would take is refused with what to write.
func TestACMERefuses(t *testing.T) {
	for old, tt := range map[string]struct{ fresh, want string }{
		"agree_to_terms = true":                      {"", "read the terms of the server, then write agree_to_terms = true"},
		`domains = ["VPN.example.org", "192.0.2.7"]`: {"", `write domains = "vpn.example.org"`},
		`"VPN.example.org"`:                          {`"*.example.org"`, "dns-01"},
		`"192.0.2.7"`:                                {`"intranet"`, "write a DNS name of this gateway"},
		`folder = "acme"`:                            {`folder = ""`, "write the name of a folder"},
		`folder = "acme" `:                           {`challenge = "dns-01"`, `write "http-01" (port 80) or "tls-alpn-01" (port 443)`},
		`folder = "acme"  `:                          {`directory = "http://ca.example/dir"`, "begins with https://"},
		`folder = "acme"   `:                         {`key = "rsa1024"`, `write "p256", "p384" or "rsa3072"`},
		`folder = "acme"    `:                        {`email = "a b@c"`, "write an address such as me@example.org"},
		`folder = "acme"     `:                       {`eab_key_id = "x"`, "write both"},
		`folder = "acme"      `:                      {`listen = "80"`, `write a port as ":80"`},
		`folder = "acme"       `:                     {`listen = ":0"`, `write a port as ":80"`},
	} {
		text := strings.Replace(acmeText, strings.TrimRight(old, " "), tt.fresh, 1)
		if _, err := Parse("gw.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s -> %s: %v", old, tt.fresh, err)
		}
	}
}
