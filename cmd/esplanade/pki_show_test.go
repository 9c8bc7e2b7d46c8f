package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestPKIShow: what openssl would be asked for, of everything that the other commands make.
func TestPKIShow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	file := func(name string) string { return filepath.Join(dir, name) }
	typed(t, "pki", "init", "--dir", dir, "--name", "Our CA", "--permit", "example.org", "--permit", "192.0.2.0/24", "--crl-uri", "http://example.org/ca.crl")
	typed(t, "pki", "server", "--dir", dir, "vpn.example.org", "192.0.2.1")
	typed(t, "pki", "client", "--dir", dir, "alice.example.org", "--key", "rsa3072")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	typed(t, "pki", "client", "--dir", dir, "bob.example.org", "--p12", "--password-file", secret)
	serial := certificateIn(t, file("alice.example.org.crt")).SerialNumber.Text(16)
	typed(t, "pki", "client", "--dir", dir, "gone.example.org")
	gone := certificateIn(t, file("gone.example.org.crt")).SerialNumber.Text(16)
	typed(t, "pki", "revoke", "--dir", dir, "gone.example.org", "--reason", "superseded")

	for _, tt := range []struct {
		args string
		want []string
	}{
		{file("ca.crt"), []string{"CA certificate      CN=Our CA\nissuer              itself\n", "key usage           keyCertSign, cRLSign\n", "basic constraints   CA, 0 CAs below it\n",
			"permitted names     example.org, 192.0.2.0/24\n", "3649 days left\n"}},
		{file("vpn.example.org.crt"), []string{"certificate         CN=vpn.example.org\nissuer              CN=Our CA\n", "DNS names           vpn.example.org\n", "IP addresses        192.0.2.1\n",
			"key                 ECDSA on P-256\nsigned with         ECDSA-SHA256\n", "extended key usage  serverAuth, ipsecIKE, ikeIntermediate\n", "revocation lists    http://example.org/ca.crl\n",
			"  iOS, iPadOS and macOS  accepts it\n  Windows                accepts it\n  Android                refuses it: its key is not RSA"}},
		{file("alice.example.org.crt"), []string{"serial number       " + serial + "\n", "key                 RSA of 3072 bits, exponent 65537\n",
			"  iOS, iPadOS and macOS  refuses it: its extended key usage has no serverAuth\n", "  Windows                refuses it: its extended key usage has no serverAuth\n", "  Android                accepts it\n"}},
		{file("alice.example.org.key"), []string{"private key         RSA of 3072 bits, exponent 65537\nkey, SHA-256        "}},
		{file("bob.example.org.p12") + " --password-file " + secret, []string{"private key         ECDSA on P-256, that of the first certificate\ncertificate         CN=bob.example.org\n", "\nCA certificate      CN=Our CA\n"}},
		{file("ca.crl"), []string{"revocation list     of CN=Our CA\nnumber              1\n", "29 days left\n", "revoked             1 certificate\n  " + gone + "  ", "  superseded\n"}},
		{file("ca.crt") + " " + file("ca.crl"), []string{"==== " + file("ca.crt") + "\nCA certificate", "\n\n==== " + file("ca.crl") + "\nrevocation list"}},
	} {
		code, out, stderr := cli(append([]string{"pki", "show"}, strings.Fields(tt.args)...)...)
		if code != exitOK || stderr != "" {
			t.Errorf("%s: %d, %s", tt.args, code, stderr)
		}
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", tt.args, want, out)
			}
		}
	}
	// Fingerprints are those of OpenSSL, and nothing of a private key is shown.
	_, out, _ := cli("pki", "show", file("vpn.example.org.crt"))
	for _, hash := range []string{"-sha256", "-sha1"} {
		_, want, _ := strings.Cut(strings.TrimSpace(openssl(t, "x509", "-in", file("vpn.example.org.crt"), "-noout", "-fingerprint", hash)), "=")
		if want == "" || !strings.Contains(out, want) {
			t.Errorf("%s is not %s:\n%s", hash, want, out)
		}
	}

	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{junk, "show knows certificates, keys, bundles and revocation lists"},
		{dir, "is a directory"},
		{"/nonexistent", "/nonexistent: no such file or directory"},
		{file("bob.example.org.p12"), "it needs a password, and there is no terminal to ask for it; use --password-file"},
		{file("bob.example.org.p12") + " --password-file " + wrong, "bob.example.org.p12: "},
	} {
		if code, _, stderr := cli(append([]string{"pki", "show"}, strings.Fields(tt.args)...)...); code != exitFailed || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: %d, %q; want %q", tt.args, code, stderr, tt.want)
		}
	}
}

// TestPKIShowHostile: whatever bytes a certificate has, nothing reaches the terminal but printable characters and ends of lines, and not
// without bounds.
func TestPKIShowHostile(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	evil := "a\x1b[2J\nissuer              itself\r\t\u202e\x00b"
	tm := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: evil, Organization: []string{strings.Repeat("long ", 500)}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * 24 * time.Hour),
		CRLDistributionPoints: []string{"http://x/\x1b]0;owned\x07"}, OCSPServer: []string{"http://x/\n\n"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte("\x1b[31m")}},
	}
	// The library refuses such names itself when it writes them; so they are written by hand.
	var names []asn1.RawValue
	for range 600 {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("x\x1b[2J\nb")})
	}
	names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte("m\x1b[2J@b")})
	san, err := asn1.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	tm.ExtraExtensions = append(tm.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san})
	der, err := x509.CreateCertificate(rand.Reader, tm, tm, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "evil\x1b[2J.crt")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := cli("pki", "show", path, path)
	if code != exitOK {
		t.Fatal(code, stderr)
	}
	for _, text := range []string{out, stderr} {
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q reaches the terminal:\n%q", r, text)
			}
		}
	}
	if len(out) > 20000 || strings.Count(out, "issuer              itself\n") != 2 {
		t.Errorf("%d bytes:\n%s", len(out), out)
	}
	for _, want := range []string{`\u{1b}[2J`, "and 500 more", "1.2.3.4 (5 bytes, CRITICAL)", "refuses it: it has a critical extension that nobody knows", "it is valid for 1000 days, and 825 is the most"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	_, out, stderr = cli("pki", "verify", path, "--ca", path, "--id", "x")
	for _, r := range out + stderr {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%q reaches the terminal", r)
		}
	}
}

// TestPKIVerify: what verify says is what the gateway would say, of good and bad certificates.
func TestPKIVerify(t *testing.T) {
	dir, other := filepath.Join(t.TempDir(), "pki"), filepath.Join(t.TempDir(), "other")
	file := func(name string) string { return filepath.Join(dir, name) }
	typed(t, "pki", "init", "--dir", dir, "--name", "Our CA")
	typed(t, "pki", "init", "--dir", other, "--name", "Other CA")
	typed(t, "pki", "server", "--dir", dir, "vpn.example.org")
	typed(t, "pki", "client", "--dir", dir, "Alice A.")
	typed(t, "pki", "server", "--dir", other, "else.example.org")
	typed(t, "pki", "server", "--dir", dir, "gone.example.org")
	gone := filepath.Join(t.TempDir(), "gone.crt")
	data, err := os.ReadFile(file("gone.example.org.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(gone, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := typed(t, "pki", "verify", "--dir", dir, gone); !strings.Contains(out, "; no revocation list was looked at\n") {
		t.Error(out)
	}
	typed(t, "pki", "revoke", "--dir", dir, "gone.example.org", "--reason", "key-compromise")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{file("vpn.example.org.crt")}, exitOK, ": accepted: it proves vpn.example.org until "},
		{[]string{file("vpn.example.org.crt")}, exitOK, "; issued by CN=Our CA; not revoked\n"},
		{[]string{file("vpn.example.org.crt"), "--id", "vpn.example.org", "--ca", file("ca.crt"), "--crl", file("ca.crl")}, exitOK, "; not revoked\n"},
		{[]string{file("Alice_A..crt")}, exitOK, "it proves CN=Alice A. until "},
		{[]string{gone}, exitFailed, "revoked"},
		{[]string{file("vpn.example.org.crt"), "--id", "www.example.org"}, exitFailed, "www.example.org"},
		{[]string{file("vpn.example.org.crt"), "--at", "2020-01-01"}, exitFailed, "2020-01-01 00:00:00"},
		{[]string{file("vpn.example.org.crt"), "--at", "2099-01-01T00:00:00Z"}, exitFailed, "2099-01-01 00:00:00"},
		{[]string{filepath.Join(other, "else.example.org.crt")}, exitFailed, "Other CA"},
		{[]string{filepath.Join(other, "else.example.org.crt"), "--ca", filepath.Join(other, "ca.crt"), "--crl", file("ca.crl")}, exitFailed, "refused: "},
		{[]string{file("ca.crl")}, exitFailed, "revocation list"},
		{[]string{file("nothing.crt")}, exitFailed, "there is no such file"},
		{[]string{file("vpn.example.org.crt"), "--ca", file("nothing.crt")}, exitFailed, "there is no such file"},
		{[]string{file("vpn.example.org.crt"), "--id", "*.example.org"}, exitUsage, "--id is the pattern *.example.org; write one identity"},
		{[]string{file("vpn.example.org.crt"), "--at", "soon"}, exitUsage, `--at is "soon"; write a time such as`},
	} {
		code, out, stderr := cli(append([]string{"pki", "verify", "--dir", dir}, tt.args...)...)
		if code != tt.code || !strings.Contains(out+stderr, tt.want) || (code == exitOK) != (stderr == "") {
			t.Errorf("%q: %d, %q, %q; want %q", tt.args, code, out, stderr, tt.want)
		}
	}
	if code, _, stderr := cli("pki", "verify", "--dir", filepath.Join(dir, "none"), file("vpn.example.org.crt")); code != exitFailed || !strings.Contains(stderr, "no --ca is given, and there is no CA in") {
		t.Error(code, stderr)
	}
}

// TestPKIVerifyByConnection: what a connection accepts is what verify accepts.
func TestPKIVerifyByConnection(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	typed(t, "pair", "--certs", "--out", dir, "--here", "203.0.113.10=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24")
	conf := filepath.Join(dir, "here", "esplanade.toml")
	own, peer := filepath.Join(dir, "here", "tunnel.crt"), filepath.Join(dir, "there", "tunnel.crt")
	psk := filepath.Join(t.TempDir(), "psk")
	typed(t, "pair", "--out", psk, "--here", "203.0.113.10=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{peer, "-c", conf, "--connection", "tunnel"}, exitOK, "accepted: it proves 198.51.100.20 until "},
		{[]string{own, "-c", conf, "--connection", "tunnel"}, exitFailed, "198.51.100.20"},
		{[]string{peer, "-c", conf, "--connection", "tunnel", "--id", "198.51.100.20"}, exitOK, "accepted"},
		{[]string{peer, "-c", conf, "--connection", "tunnel", "--id", "203.0.113.10"}, exitFailed, "is for 198.51.100.20, and --id is 203.0.113.10"},
		{[]string{peer, "-c", conf, "--connection", "other"}, exitFailed, `has no connection "other"`},
		{[]string{peer, "-c", conf}, exitUsage, "-c needs --connection NAME"},
		{[]string{peer, "-c", conf, "--connection", "tunnel", "--ca", own}, exitUsage, "--connection has its own CAs"},
		{[]string{peer, "-c", filepath.Join(psk, "here", "esplanade.toml"), "--connection", "tunnel"}, exitFailed, "does not accept certificates"},
		{[]string{peer, "-c", filepath.Join(psk, "none.toml"), "--connection", "tunnel"}, exitFailed, "no such file or directory"},
	} {
		code, out, stderr := cli(append([]string{"pki", "verify"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out+stderr, tt.want) {
			t.Errorf("%q: %d, %q, %q; want %q", tt.args, code, out, stderr, tt.want)
		}
	}
}
