package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/pki"
)

// TestPairCerts: what pair --certs writes are two ends that prove themselves to each other by certificates of one CA, which goes on issuing.
func TestPairCerts(t *testing.T) {
	for _, flags := range [][]string{
		{"--here", "203.0.113.10=10.10.0.1/24", "--there", "198.51.100.20=10.20.0.1/24"},
		{"--here", "a.example.org=fd10::/64", "--there", "2001:db8::2=fd20::/64", "--name", "v6"},
	} {
		dir := filepath.Join(t.TempDir(), "new")
		out := typed(t, append([]string{"pair", "--certs", "--out", dir}, flags...)...)
		if !strings.Contains(out, filepath.Join(dir, "there", "ca.crt")+" -> there: /etc/esplanade/ca.crt\n") || !strings.Contains(out, "then, on both hosts: esplanade run\n") {
			t.Error(out)
		}
		var ends []*config.Connection
		var sets []*config.Config
		for _, end := range []string{"here", "there"} {
			file := filepath.Join(dir, end, "esplanade.toml")
			c, err := config.Load(file)
			if err != nil || len(c.Warnings) > 0 || len(c.CertificateRemarks(time.Now())) > 0 {
				t.Fatal(err, c.Warnings)
			}
			ends, sets = append(ends, c.Connections[0]), append(sets, c)
		}
		for i, self := range ends {
			other, name := sets[1-i], self.Name
			if self.Local.ID.String() != ends[1-i].Remote.ID.String() {
				t.Errorf("%s is not %s", self.Local.ID, ends[1-i].Remote.ID)
			}
			own := sets[i].Set.Own(name, 0)
			if len(own) != 1 {
				t.Fatal(own)
			}
			peer, err := other.Set.Accepted(name, 0).Trust.Judge(time.Now(), self.Local.ID, pki.Presented{Certs: [][]byte{own[0].Chain[0].Raw}})
			if err != nil || !pki.SameKey(peer.Key, own[0].Key) {
				t.Error(err)
			}
		}
		if info, err := os.Stat(filepath.Join(dir, "here", ends[0].Name+".key")); err != nil || info.Mode() != 0o600 {
			t.Error(info, err)
		}
		typed(t, "pki", "server", "--dir", filepath.Join(dir, "pki"), "third.example.org")
		if code, _, stderr := cli(append([]string{"pair", "--certs", "--out", dir}, flags...)...); code != exitFailed || !strings.Contains(stderr, "is there already") {
			t.Error(code, stderr)
		}
	}
	if code, _, stderr := cli("pair", "--certs", "--here", "203.0.113.10=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24"); code != exitUsage || !strings.Contains(stderr, "pair --certs needs --out DIR") {
		t.Error(code, stderr)
	}
}

// TestPairCertsStrongSwan: the other end is a swanctl.conf with the places where strongSwan looks for files.
func TestPairCertsStrongSwan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	out := typed(t, "pair", "--certs", "--out", dir, "--here", "203.0.113.10=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24", "--peer", "strongswan")
	for _, want := range []string{"there: /etc/swanctl/x509/tunnel.crt\n", "there: /etc/swanctl/x509ca/tunnel-ca.crt\n", "there: /etc/swanctl/private/tunnel.key\n", "there: /etc/swanctl/conf.d/tunnel.conf\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "there", "tunnel.conf"))
	if err != nil || strings.Count(string(text), "      auth = pubkey\n") != 2 || !strings.Contains(string(text), "      certs = tunnel.crt\n") || !strings.Contains(string(text), "      cacerts = tunnel-ca.crt\n") ||
		strings.Contains(string(text), "secret") {
		t.Errorf("%s, %v", text, err)
	}
	if c, err := config.Load(filepath.Join(dir, "here", "esplanade.toml")); err != nil || c.Connections[0].Local.ID.String() != "203.0.113.10" {
		t.Error(err)
	}
}
