package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smallstep/pkcs7"

	"esplanade/config/export"
)

// exported copies the configuration of the tests of exports, with its keys, to where nobody else can read it.
func exported(t *testing.T) (dir, file string) {
	t.Helper()
	const from = "../../config/export/testdata"
	dir = t.TempDir()
	for _, name := range []string{"gateway.toml", "gw.crt", "gw.key", "ca.crt", "alice.crt", "alice.key", "alice.p12"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, filepath.Join(dir, "gateway.toml")
}

// TestExport: a profile goes to standard output or into a file, for nobody else where there is a secret in it. Help names the formats.
func TestExport(t *testing.T) {
	_, gatewayConfig := exported(t)
	code, stdout, stderr := cli("export", "sswan", "phones", "alice@example.org", "-c", gatewayConfig)
	if code != exitOK || !strings.Contains(stdout, `"type": "ikev2-eap"`) || !strings.Contains(stderr, "warning: connections.phones.pools") || strings.Contains(stderr, "secret in it") {
		t.Errorf("%d, %s, %s", code, stdout, stderr)
	}
	for _, x := range []struct {
		format string
		flags  []string
		mode   os.FileMode
		says   bool
	}{
		{"swanctl", nil, 0o644, false}, {"swanctl", []string{"--with-secret"}, 0o600, true},
		// What reads these takes no file that others can read.
		{"networkmanager", nil, 0o600, false}, {"iked", []string{"--with-secret"}, 0o600, true},
	} {
		file := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(file, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := cli(append([]string{"export", x.format, "office", "-c", gatewayConfig, "-o", file}, x.flags...)...)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(string(data), "correct-horse"); code != exitOK || stdout != "" || info.Mode() != x.mode || has != x.says || strings.Contains(stderr, "there is a secret in it") != x.says {
			t.Errorf("%v: %d, %s, mode %v, %s, %s", x.flags, code, stdout, info.Mode(), stderr, data)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
	}
	_, help, _ := cli("export", "--help")
	for _, f := range export.Formats() {
		if !strings.Contains(help, f.Name) || !strings.Contains(help, f.For) {
			t.Errorf("help does not have %s", f.Name)
		}
	}
}

// TestExportSigns: a profile for Apple's systems is signed with the gateway's certificate unless that is not wanted, and it says so where there
// is none.
func TestExportSigns(t *testing.T) {
	dir, gatewayConfig := exported(t)
	code, stdout, stderr := cli("export", "mobileconfig", "phones", "alice@example.org", "-c", gatewayConfig)
	p, err := pkcs7.Parse([]byte(stdout))
	if code != exitOK || err != nil || !strings.HasPrefix(string(p.Content), "<?xml") || p.GetOnlySigner().Subject.CommonName != "vpn.example.org" {
		t.Fatalf("%d, %v, %s", code, err, stderr)
	}
	_, plain, _ := cli("export", "mobileconfig", "phones", "alice@example.org", "-c", gatewayConfig, "--no-sign")
	if plain != string(p.Content) {
		t.Error("without a signature it is another profile")
	}
	_, stdout, stderr = cli("export", "mobileconfig", "office", "-c", gatewayConfig)
	if !strings.HasPrefix(stdout, "<?xml") || !strings.Contains(stderr, "not signed, as the gateway has no certificate") {
		t.Errorf("%s, %s", stdout, stderr)
	}
	_, stdout, stderr = cli("export", "mobileconfig", "office", "-c", gatewayConfig, "--sign-cert", filepath.Join(dir, "alice.crt"), "--sign-key", filepath.Join(dir, "alice.key"))
	if p, err = pkcs7.Parse([]byte(stdout)); err != nil || p.GetOnlySigner().Subject.CommonName != "alice@example.org" {
		t.Errorf("%v, %s", err, stderr)
	}
}

// TestExportRefuses: what is wrong says what would be right, and writes nothing.
func TestExportRefuses(t *testing.T) {
	dir, gatewayConfig := exported(t)
	out := filepath.Join(t.TempDir(), "out")
	for _, x := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"mobileconfig"}, exitUsage, "needs a FORMAT and a CONNECTION"},
		{[]string{"mobilconfig", "phones"}, exitUsage, `there is no format "mobilconfig"; the formats are mobileconfig, powershell`},
		{[]string{"swanctl", "phones", "a", "b"}, exitUsage, "takes FORMAT, CONNECTION and USER"},
		{[]string{"swanctl", "fone"}, exitFailed, `has no connection "fone"; it has phones`},
		{[]string{"swanctl", "phones"}, exitFailed, "name the user"},
		{[]string{"iked", "phones", "alice@example.org"}, exitFailed, `iked: connections.phones.remote.auth: it is "eap-mschapv2", and iked is no client of EAP; use`},
		{[]string{"mobileconfig", "laptops", "alice@example.org"}, exitFailed, "esplanade pki client NAME --p12"},
		{[]string{"mobileconfig", "laptops", "alice@example.org", "--p12", filepath.Join(dir, "alice.p12")}, exitFailed, "use --p12-password-file"},
		{[]string{"mobileconfig", "laptops", "alice@example.org", "--p12", filepath.Join(dir, "alice.p12"), "--p12-password-file", filepath.Join(dir, "gateway.toml")}, exitFailed, "alice.p12 "},
		{[]string{"mobileconfig", "office", "--sign-cert", filepath.Join(dir, "alice.crt")}, exitFailed, "give both"},
		{[]string{"swanctl", "office", "--ca", filepath.Join(dir, "none.crt")}, exitFailed, "there is no such file"},
	} {
		args := append(append([]string{"export"}, x.args...), "-c", gatewayConfig, "-o", out)
		code, stdout, stderr := cli(args...)
		if code != x.code || stdout != "" || !strings.Contains(stderr, x.want) {
			t.Errorf("%v: %d, %s, %s, want %s", x.args, code, stdout, stderr, x.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%v: something was written", x.args)
		}
	}
}
