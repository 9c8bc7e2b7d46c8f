package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// openssl runs OpenSSL, which shares no code with what is tested.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("NOT TESTED: there is no openssl here to look at what was made")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// typed runs a command that is to succeed.
func typed(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := cli(args...)
	if code != exitOK || stderr != "" {
		t.Fatalf("esplanade %s: %d, %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// certificateIn reads the first certificate of a file.
func certificateIn(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatalf("%s has no certificate", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPKI types what docs/certificates.md shows, with each kind of key, and has OpenSSL look at everything that was made.
func TestPKI(t *testing.T) {
	for _, kind := range []string{"p256", "p384", "rsa3072", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "pki")
			file := func(name string) string { return filepath.Join(dir, name) }
			if out := typed(t, "pki", "init", "--dir", dir, "--key", kind, "--crl-uri", "http://example.org/ca.crl"); !strings.Contains(out, "next: esplanade pki server NAME") {
				t.Error(out)
			}
			out := typed(t, "pki", "server", "--dir", dir, "--key", kind, "vpn.example.org", "192.0.2.1")
			if !strings.Contains(out, "vpn.example.org is issued, until ") || !strings.Contains(out, "key "+file("vpn.example.org.key")+" (for nobody else), CA "+file("ca.crt")) {
				t.Error(out)
			}
			typed(t, "pki", "client", "--dir", dir, "--key", kind, "alice@example.org", "--san", "alice.example.org")
			secret := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(secret, []byte("correct horse\r\nnot this\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			typed(t, "pki", "client", "--dir", dir, "--key", kind, "Bob B.", "--p12", "--password-file", secret)
			out = typed(t, "pki", "client", "--dir", dir, "--key", kind, "carol", "--p12", "--legacy", "--generate-password")
			_, generated, ok := strings.Cut(out, "its password, which is not shown again: ")
			if generated = strings.TrimSpace(generated); !ok || len(generated) != 29 {
				t.Error(out)
			}

			openssl(t, "verify", "-x509_strict", "-CAfile", file("ca.crt"), "-purpose", "sslserver", "-verify_hostname", "vpn.example.org", "-verify_ip", "192.0.2.1", file("vpn.example.org.crt"))
			openssl(t, "verify", "-x509_strict", "-CAfile", file("ca.crt"), "-purpose", "sslclient", "-verify_email", "alice@example.org", file("alice@example.org.crt"))
			openssl(t, "pkey", "-in", file("vpn.example.org.key"), "-check", "-noout")
			if public := openssl(t, "x509", "-in", file("vpn.example.org.crt"), "-noout", "-pubkey"); public != openssl(t, "pkey", "-in", file("vpn.example.org.key"), "-pubout") {
				t.Error("the key of vpn.example.org is not its certificate's")
			}
			for bundle, password := range map[string]string{"Bob_B..p12": "pass:correct horse", "carol.p12": "pass:" + generated} {
				info := openssl(t, "pkcs12", "-info", "-nodes", "-in", file(bundle), "-passin", password)
				for _, want := range []string{"PRIVATE KEY", "CERTIFICATE", "Esplanade CA"} {
					if !strings.Contains(info, want) {
						t.Errorf("%s has no %s: %s", bundle, want, info)
					}
				}
				if aes := strings.Contains(info, "AES-256-CBC"); aes != (bundle == "Bob_B..p12") {
					t.Errorf("%s: %s", bundle, info)
				}
			}

			out = typed(t, "pki", "revoke", "--dir", dir, "alice@example.org", "--reason", "key-compromise")
			if !strings.Contains(out, "revoked alice@example.org, serial number ") || !strings.Contains(out, "ca.crl is number 1, with 1 certificate, until ") {
				t.Error(out)
			}
			if text := openssl(t, "crl", "-inform", "DER", "-in", file("ca.crl"), "-noout", "-text", "-CAfile", file("ca.crt")); !strings.Contains(text, "verify OK") || !strings.Contains(text, "Key Compromise") {
				t.Error(text)
			}
			openssl(t, "crl", "-inform", "DER", "-in", file("ca.crl"), "-out", file("crl.pem"))
			openssl(t, "verify", "-CAfile", file("ca.crt"), "-CRLfile", file("crl.pem"), "-crl_check", file("vpn.example.org.crt"))
			list, err := os.ReadDir(file("revoked"))
			if err != nil || len(list) != 2 {
				t.Fatal(list, err)
			}
			if text, err := exec.Command("openssl", "verify", "-CAfile", file("ca.crt"), "-CRLfile", file("crl.pem"), "-crl_check", filepath.Join(file("revoked"), list[0].Name())).CombinedOutput(); err == nil || !strings.Contains(string(text), "certificate revoked") {
				t.Errorf("%v, %s", err, text)
			}
			if out := typed(t, "pki", "crl", "--dir", dir, "--days", "60"); !strings.Contains(out, "ca.crl is number 2, with 1 certificate, until ") {
				t.Error(out)
			}
			out = typed(t, "pki", "list", "--dir", dir)
			for _, want := range []string{"vpn.example.org    server  ", "alice@example.org  client  ", " (key-compromise)  ", "Bob B.             client  ", "  valid  "} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			// Renewed: another certificate for the same key.
			before := certificateIn(t, file("vpn.example.org.crt"))
			if out := typed(t, "pki", "server", "--dir", dir, "vpn.example.org", "192.0.2.1", "--renew", "--days", "30"); !strings.Contains(out, "issued for the key that was there") {
				t.Error(out)
			}
			if after := certificateIn(t, file("vpn.example.org.crt")); after.SerialNumber.Cmp(before.SerialNumber) == 0 || !slices.Equal(after.RawSubjectPublicKeyInfo, before.RawSubjectPublicKeyInfo) {
				t.Error("it is not renewed")
			}
			if out := typed(t, "pki", "list", "--dir", dir); !strings.Contains(out, "ends in 29 days") {
				t.Error(out)
			}
		})
	}
}

// TestPKIRefuses: what is wrong is said with what to do, and nothing is made.
func TestPKIRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	none := filepath.Join(t.TempDir(), "none")
	typed(t, "pki", "init", "--dir", dir, "--permit", "example.org", "--days", "400")
	typed(t, "pki", "server", "--dir", dir, "a.example.org")
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"pki nothing", exitUsage, `there is no command "nothing"; there are client, crl, init, list, revoke, server, show, verify`},
		{"pki init x", exitUsage, `init takes no argument, not "x"`},
		{"pki init --dir " + dir, exitFailed, dir + " has a CA already; name another folder with --dir, or issue with this one"},
		{"pki init --key dsa --dir " + none, exitUsage, `--key: "dsa" is no kind of key; write p256, p384, rsa3072, ed25519`},
		{"pki init --days 0 --dir " + none, exitUsage, "--days is 0; write 1 to 36500"},
		{"pki init --path-length -2 --dir " + none, exitUsage, "--path-length is -2; write how many CAs"},
		{"pki init --crl-uri ldap://x --dir " + none, exitUsage, `--crl-uri is "ldap://x"; write a URI such as http://example.org/ca.crl`},
		{"pki init --permit 10.1.0.0/8 --dir " + none, exitFailed, "write 10.0.0.0/8"},
		{"pki server", exitUsage, "server needs a NAME"},
		{"pki server --dir " + none + " a.example.org", exitFailed, "there is no CA in " + none + ": make one with `esplanade pki init`, or name its folder with --dir"},
		{"pki server --dir " + dir + " a_b..c", exitUsage, `"a_b..c" is no DNS name, no IP address`},
		{"pki server --dir " + dir + " a@example.org", exitUsage, `"a@example.org" is an e-mail address, which is for a client`},
		{"pki server --dir " + dir + " a.example.org", exitFailed, "a.example.org.crt is there already; --renew issues another certificate in its place, and `esplanade pki revoke a.example.org` ends it"},
		{"pki server --dir " + dir + " b.example.com", exitFailed, "may not issue that"},
		{"pki server --dir " + dir + " b.example.org --days 826", exitFailed, "Apple refuse the certificate of a server that is valid for more than 825 days; write at most 824"},
		{"pki server --dir " + dir + " b.example.org --days 500", exitFailed, "before this certificate would; write at most 399 days"},
		{"pki server --dir " + dir + " b.example.org --days -1", exitUsage, "--days is -1"},
		{"pki client --dir " + dir + " a@b@c", exitUsage, `"a@b@c" is no e-mail address`},
		{"pki client --dir " + dir + " a b", exitUsage, "client takes one NAME, not 2"},
		{"pki client --dir " + dir + " x --legacy", exitUsage, "add --p12"},
		{"pki client --dir " + dir + " x --p12", exitFailed, "there is no terminal to ask for it; use --password-file or --generate-password"},
		{"pki client --dir " + dir + " x --p12 --password-file /dev/null", exitFailed, "the first line of /dev/null is empty"},
		{"pki client --dir " + dir + " x --p12 --password-file " + none, exitFailed, "no such file"},
		{"pki client --dir " + dir + " x --p12 --password-file a --generate-password", exitUsage, "give one of them"},
		{"pki client --dir " + none + " x --p12", exitFailed, "there is no CA in"},
		{"pki revoke --dir " + dir + " nobody", exitFailed, `no certificate for "nobody" is valid and not revoked`},
		{"pki revoke --dir " + dir + " a.example.org --reason hold", exitUsage, `--reason: "hold" is no reason; write unspecified, key-compromise`},
		{"pki crl --dir " + none, exitFailed, "there is no CA in"},
		{"pki list --dir " + none, exitFailed, "there is no CA in"},
	} {
		code, stdout, stderr := cli(strings.Fields(tt.args)...)
		if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: %d, %q, %q; want %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("something was made")
	}
	if list, err := os.ReadDir(filepath.Join(dir, "issued")); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

// TestPKISaysWhatPeersLack: list warns where peers do not know what was revoked.
func TestPKISaysWhatPeersLack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	typed(t, "pki", "init", "--dir", dir)
	typed(t, "pki", "server", "--dir", dir, "a.example.org")
	typed(t, "pki", "revoke", "--dir", dir, "a.example.org", "--days", "3")
	if code, _, stderr := cli("pki", "list", "--dir", dir); code != exitOK || !strings.Contains(stderr, "ca.crl ends in 2 days; `esplanade pki crl` writes another one") {
		t.Error(code, stderr)
	}
	if err := os.Remove(filepath.Join(dir, "ca.crl")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := cli("pki", "list", "--dir", dir); code != exitOK || !strings.Contains(stderr, "ca.crl is not there, so that no peer knows what was revoked") {
		t.Error(code, stderr)
	}
	if code, out, _ := cli("pki", "revoke", "--dir", dir, certificateSerial(t, dir)); code != exitOK || !strings.Contains(out, "is revoked already\n") || !strings.Contains(out, "ca.crl is number 2") {
		t.Error(code, out)
	}
}

// certificateSerial is the serial number of the one certificate that was issued.
func certificateSerial(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, "issued"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return strings.TrimSuffix(list[0].Name(), ".crt")
}
