package export

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smallstep/pkcs7"

	"esplanade/config"
	"esplanade/ike/pki/files"
)

// TestWhatIsMissing: what the configuration does not say is an error that names the key, or what to give.
func TestWhatIsMissing(t *testing.T) {
	c := gateway(t)
	for _, x := range []struct {
		o    Options
		want string
	}{
		{Options{Connection: "fone"}, `has no connection "fone"; it has phones, tls, laptops, office, both`},
		{Options{Connection: "phones"}, `connections.phones.remote.auth is "eap-mschapv2": name the user`},
		{Options{Connection: "phones", User: "bob"}, `has no user "bob"`},
		{Options{Connection: "phones", User: "a\x07"}, "control characters"},
		{Options{Connection: "phones", User: "alice@example.org", Gateway: "10.0.0.0/8 or so"}, "neither an address nor a DNS name"},
	} {
		if _, err := New(c, x.o); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%+v: %v, want %q", x.o, err, x.want)
		}
	}
}

// TestUnsupported: what a format has no words for is an error with the key, and with what would be right.
func TestUnsupported(t *testing.T) {
	dir := folder(t)
	const head = "[connections.x]\nlocal = {id = \"vpn.example.org\", certs = \"gw.crt\"}\nremote = {auth = \"eap-mschapv2\", eap_id = \"%any\"}\nlocal_ts = \"10.0.0.0/8\"\n"
	const tail = "\n[credentials]\nprivate = \"gw.key\"\n[secrets.eap.bob]\nid = \"bob\"\nsecret = \"quite-a-secret\"\n[secrets.ppk.q]\nid = \"q\"\nsecret = \"quite-a-quantum-secret-of-32-bytes\"\n"
	for _, x := range []struct{ more, format, key string }{
		{"proposals = \"aes192-sha256-modp2048\"", "mobileconfig", "connections.x.proposals"},
		{"proposals = \"aes256gcm16-prfsha256-x25519\"", "powershell", "connections.x.proposals"},
		{"proposals = \"aes192ctr-sha256-modp6144\"", "libreswan", ""}, // EAP comes first
		{"proposals = \"aes256gcm16-prfsha384-ecp384-ke1_mlkem768\"", "powershell", "connections.x.proposals"},
		{"esp_proposals = \"aes256gcm16-ecp384-esn\"", "mobileconfig", "connections.x.esp_proposals"},
		{"esp_proposals = \"aes256gcm16-ecp384-esn\"", "profilexml", "connections.x.proposals"},
		{"ppk_id = \"q\"\nppk_required = true", "powershell", "connections.x.ppk_required"},
		{"ppk_id = \"q\"\nppk_required = true", "sswan", "connections.x.ppk_required"},
		{"ppk_id = \"q\"\nppk_required = true", "networkmanager", "connections.x.ppk_required"},
		{"ppk_id = \"q\"\nppk_required = true", "mobileconfig", "connections.x.ppk_required"}, // without its secret
		{"local_port = 4500", "mobileconfig", "connections.x.local_port"},
		{"local_port = 4500", "powershell", "connections.x.local_port"},
	} {
		c, err := config.Parse(filepath.Join(dir, "x.toml"), []byte(head+x.more+tail))
		if err != nil {
			t.Fatalf("%s: %v", x.more, err)
		}
		p, err := New(c, Options{Connection: "x", User: "bob"})
		if err != nil {
			t.Fatalf("%s: %v", x.more, err)
		}
		f, _ := FormatOf(x.format)
		_, err = f.Write(p)
		no := (*Unsupported)(nil)
		if !errors.As(err, &no) || x.key != "" && no.Key != x.key || no.Want == "" {
			t.Errorf("%s as %s: %v, want %s", x.more, x.format, err, x.key)
		}
	}
	// Windows looks for the address that it calls in the certificate.
	c, err := config.Parse(filepath.Join(dir, "x.toml"), []byte(head+tail))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(c, Options{Connection: "x", User: "bob", Gateway: "203.0.113.5"})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := FormatOf("powershell")
	if _, err := f.Write(p); err == nil || !strings.Contains(err.Error(), "connections.x.local.id") {
		t.Errorf("another address than the certificate's: %v", err)
	}
}

// TestClients: where this side is the client there is nothing to export.
func TestClients(t *testing.T) {
	c, err := config.Parse(filepath.Join(folder(t), "x.toml"), []byte("[connections.x]\nremote_addrs = \"vpn.example.org\"\nvips = \"0.0.0.0\"\nlocal = {auth = \"eap-mschapv2\", id = \"alice\"}\n"+
		"remote = {auth = \"pubkey\", cacerts = \"ca.crt\"}\nremote_ts = \"10.0.0.0/8\"\n[secrets.eap.alice]\nid = \"alice\"\nsecret = \"quite-a-secret\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(c, Options{Connection: "x"}); err == nil || !strings.Contains(err.Error(), "connections.x.local says that this side is the client of vpn.example.org") {
		t.Errorf("%v", err)
	}
}

// TestGroups: a user who may not use the connection gets no profile for it.
func TestGroups(t *testing.T) {
	dir := folder(t)
	text := strings.Replace(readText(t, "testdata/gateway.toml"), `eap_id = "%any" }`, `eap_id = "%any", groups = "staff" }`, 1)
	c, err := config.Parse(filepath.Join(dir, "x.toml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(c, Options{Connection: "phones", User: "alice@example.org"}); err == nil || !strings.Contains(err.Error(), "connections.phones.remote.groups is staff") {
		t.Errorf("a user of no group: %v", err)
	}
}

// TestSign: a signed profile has the profile in it, and verifies under the CA of the signer, here and with OpenSSL.
func TestSign(t *testing.T) {
	profile := []byte("<plist>…</plist>")
	read := func(name string) []*x509.Certificate {
		list, err := files.Certificates([]byte(readText(t, "testdata/"+name)))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	chain := append(read("gw.crt"), read("ca.crt")...)
	key, err := files.PrivateKey([]byte(readText(t, "testdata/gw.key")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !CanSign(chain[0]) {
		t.Fatal("it can't be signed")
	}
	signed, err := Sign(profile, chain, key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pkcs7.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(chain[1])
	if err := p.VerifyWithChainAtTime(roots, chain[0].NotBefore); err != nil || !bytes.Equal(p.Content, profile) || len(p.Certificates) != 2 {
		t.Errorf("%v, %d certificates, %q", err, len(p.Certificates), p.Content)
	}
	if alg := p.Signers[0].DigestAlgorithm.Algorithm; !alg.Equal(pkcs7.OIDDigestAlgorithmSHA256) {
		t.Errorf("the digest is %v", alg)
	}
	other, err := files.PrivateKey([]byte(readText(t, "testdata/alice.key")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Sign(profile, chain, other); err == nil {
		if p, err := pkcs7.Parse(s); err == nil && p.VerifyWithChainAtTime(roots, chain[0].NotBefore) == nil {
			t.Error("a signature with another key verifies")
		}
	}
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		return
	}
	file := filepath.Join(t.TempDir(), "signed")
	if err := os.WriteFile(file, signed, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", file, "-CAfile", "testdata/ca.crt", "-purpose", "any", "-no_check_time").Output()
	if err != nil || !bytes.Equal(out, profile) {
		t.Errorf("openssl cms: %v, %q", err, out)
	}
}
