package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/ike/identity"
)

const testKey = "kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u"

func TestSecretIsNeverPrinted(t *testing.T) {
	s := NewSecret([]byte(testKey))
	holder := struct {
		Secret Secret
		P      *Secret
		List   []Secret
		Key    IKESecret
	}{s, &s, []Secret{s}, IKESecret{Name: "x", Key: s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%20s"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", holder)
		fmt.Fprintf(&out, verb+"\n", &holder)
	}
	fmt.Fprintln(&out, s, s.String(), s.GoString())
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("m", "secret", s, "pointer", &s, "holder", holder, "list", []Secret{s})
	}
	if b, err := json.Marshal(holder); err != nil {
		t.Error(err)
	} else {
		out.Write(b)
	}
	if b, err := s.MarshalText(); err != nil || string(b) != redacted {
		t.Errorf("%q, %v", b, err)
	}
	text := strings.ToLower(out.String())
	hex := fmt.Sprintf("%x", testKey)
	decimal := strings.Trim(fmt.Sprint([]byte(testKey[:4])), "[]")
	for _, leak := range []string{testKey, testKey[:8], hex[:16], decimal, strings.ReplaceAll(decimal, " ", ", ")} {
		if strings.Contains(text, strings.ToLower(leak)) {
			t.Errorf("%q is in the output", leak)
		}
	}
	if n := strings.Count(text, redacted); n < 100 {
		t.Errorf("the placeholder is there %d times only", n)
	}
}

func TestSecretBytes(t *testing.T) {
	in := []byte("key")
	s := NewSecret(in)
	in[0] = 'x'
	out := s.Bytes()
	out[1] = 'x'
	if string(s.Bytes()) != "key" || s.Len() != 3 {
		t.Error("the secret can be changed from outside")
	}
	if (Secret{}).Bytes() != nil || (Secret{}).Len() != 0 || (Secret{}).String() != redacted {
		t.Error("the zero secret is not empty")
	}
}

func TestDecodeSecret(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		ok         bool
	}{
		{"plain text", "plain text", true},
		{"0x616263", "abc", true},
		{"0X4A4b", "JK", true},
		{"0sYWJj", "abc", true},
		{"0SYWJjZA==", "abcd", true},
		{"0sYWJjZA", "", false}, // "abc" for strongSwan
		{"0x", "", false},
		{"0x6", "\x06", true},
		{"0x616", "\x06\x16", true},
		{"0x61:62:63", "abc", true},
		{"0x6:16", "\x06\x16", true},
		{"0xAbCd", "\xab\xcd", true},
		{"0x61::62", "", false},
		{"0x:61", "", false},
		{"0x61:", "", false},
		{"0x61:6", "", false},
		{"0x6 1", "", false},
		{"0x61 ", "", false},
		{"0x0x61", "", false},
		{"0xtra-secret", "", false},
		{" 0x61", " 0x61", true},
		{"0s+/A=", "\xfb\xf0", true},
		{"0s-_A=", "\xfb\xf0", true},
		{"0sYWJj====", "", false},
		{"0sYW=Jj", "", false},
		{"0sYWJj YWJj", "", false},
		{"0sYWJj\nYWJj", "", false},
		{"0sYWJjZB==", "abcd", true}, // bits beyond the last octet mean nothing
		{"0super-secret", "", false},
		{"0super secrets", "", false},
		{"0stext", "\xb5\xec\x6d", true},
		{"'quoted'", "'quoted'", true},
		{"0xzz", "", false},
		{"0s", "", false},
		{"0s*", "", false},
		{"", "", false},
		{"0", "0", true},
		{"x0x61", "x0x61", true},
		{"\x00\xff", "\x00\xff", true},
	} {
		s, err := decodeSecret([]byte(tt.text))
		if (err == nil) != tt.ok || string(s.Bytes()) != tt.want {
			t.Errorf("%q: %q, %v", tt.text, s.Bytes(), err)
		}
	}
}

// conf is a configuration around a [secrets.ike.x] table.
func conf(secret string) string {
	return `[connections.a]
remote_addrs = ["198.51.100.20"]
[connections.a.local]
auth = "psk"
id = "a.example"
[connections.a.remote]
auth = "psk"
id = "b.example"
[connections.a.children.net]
local_ts = ["10.1.0.0/24"]
remote_ts = ["10.2.0.0/24"]
[secrets.ike.x]
` + secret + "\n"
}

func write(t *testing.T, name, data string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return name
}

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	for i, tt := range []struct {
		data, want string
		mode       os.FileMode
		err        string // in the message
	}{
		{testKey + "\n", testKey, 0o600, ""},
		{testKey + "\r\n", testKey, 0o400, ""},
		{testKey, testKey, 0o600, ""},
		{testKey + "\n\n", testKey + "\n", 0o600, ""},
		{"0x616263\n", "abc", 0o600, ""},
		{"0sYWJj\n", "abc", 0o600, ""},
		{"\xff\x00\x01", "\xff\x00\x01", 0o600, ""},
		{testKey, "", 0o640, "mode 0640"},
		{testKey, "", 0o604, "mode 0604"},
		{testKey, "", 0o620, "mode 0620"},
		{testKey, "", 0o610, "mode 0610"},
		{"", "", 0o600, "is empty"},
		{"\n", "", 0o600, "it is empty"},
		{"0xq\n", "", 0o600, "after 0x"},
		{strings.Repeat("k", maxSecret), strings.Repeat("k", maxSecret), 0o600, ""},
		{strings.Repeat("k", maxSecret+1), "", 0o600, "bytes"},
		{"0x" + strings.Repeat("61", maxSecret), strings.Repeat("a", maxSecret), 0o600, ""},
		{strings.Repeat("k", 1<<20), "", 0o600, "too large"},
	} {
		name := fmt.Sprintf("%d.psk", i)
		write(t, filepath.Join(dir, name), tt.data, tt.mode)
		file := write(t, filepath.Join(dir, fmt.Sprintf("%d.toml", i)), conf(fmt.Sprintf("secret_file = %q", name)), 0o644)
		c, err := Load(file)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), ":13:15: ") {
				t.Errorf("%d: %v; want %q in it", i, err, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), testKey) {
				t.Errorf("%d: the message has the key in it", i)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		s := c.Secrets.IKE[0]
		if got := string(s.Key.Bytes()); got != tt.want || s.File != filepath.Join(dir, name) {
			t.Errorf("%d: %q of %s", i, got, s.File)
		}
	}
}

// What would be another key in swanctl.conf is refused, or there is a warning.
func TestSecretsLikeSwanctl(t *testing.T) {
	for text, want := range map[string]string{
		`"a\tb-correct-horse-battery"`:    "",
		`"a\bcorrect-horse-battery-1"`:    "control character",
		`"a\fcorrect-horse-battery-1"`:    "control character",
		`"'correct-horse-battery-'"`:      "between quotes",
		`'"correct-horse-battery-"'`:      "between quotes",
		`"'correct-horse-battery-1"`:      "",
		`" correct-horse-battery-staple"`: "white space",
	} {
		c, errs := diagnose(t, conf("secret = "+text))
		var got []string
		for _, p := range append(errs, c.Warnings...) {
			got = append(got, p.String())
		}
		if all := strings.Join(got, "; "); (want == "") != (all == "") || !strings.Contains(all, want) {
			t.Errorf("%s: %q, want %q", text, all, want)
		}
	}
}

// diagnose reads a configuration that nobody else can.
func diagnose(t *testing.T, text string) (*Config, []Problem) {
	t.Helper()
	c, errs, err := Diagnose(write(t, filepath.Join(t.TempDir(), "x.toml"), text, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return c, errs
}

func TestSecretFileOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "x.psk"), testKey, 0o600)
	if err := os.Chown(name, 12345, -1); err != nil {
		t.Fatal(err)
	}
	_, err := Parse(filepath.Join(dir, "x.toml"), []byte(conf(`secret_file = "x.psk"`)))
	if err == nil || !strings.Contains(err.Error(), "belongs to another user (id 12345)") {
		t.Errorf("%v", err)
	}
}

// TestSecretFileKinds: what is no regular file is not opened, or the daemon would wait for a pipe's writer.
func TestSecretFileKinds(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"/dev/null", "/dev/zero", dir} {
		if _, reason, _ := readPrivate(name); !strings.Contains(reason, "not a regular file") {
			t.Errorf("%s: %q", name, reason)
		}
	}
	target := write(t, filepath.Join(dir, "target"), testKey, 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if data, reason, _ := readPrivate(link); reason != "" || string(data) != testKey {
		t.Errorf("by a symbolic link: %q", reason)
	}
}

// TestReadableConfiguration: a key in the file itself is a warning when others can read the file.
func TestReadableConfiguration(t *testing.T) {
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o644: 1, 0o640: 1} {
		file := write(t, filepath.Join(dir, fmt.Sprintf("%o.toml", mode)), conf("secret = \""+testKey+"\""), mode)
		c, errs, err := Diagnose(file)
		if err != nil || len(errs) > 0 {
			t.Fatal(err, errs)
		}
		if len(c.Warnings) != want {
			t.Errorf("mode %o: %v", mode, c.Warnings)
		}
		if want > 0 && (c.Warnings[0].Position.Line != 13 || !strings.Contains(c.Warnings[0].String(), "chmod 600")) {
			t.Errorf("mode %o: %v", mode, c.Warnings)
		}
	}
}

func TestPSKLookup(t *testing.T) {
	c, err := Parse("x.toml", []byte(`
[secrets.ike.everybody]
secret = "`+testKey+`"
[secrets.ike.second-everybody]
secret = "`+testKey+`"
[secrets.ike.mine]
id = ["gw.example"]
secret = "`+testKey+`"
[secrets.ike.branches]
id = ["*.branch.example"]
secret = "`+testKey+`"
[secrets.ike.seven]
id = ["seven.branch.example"]
secret = "`+testKey+`"
[secrets.ike.seven-and-me]
id = ["gw.example", "seven.branch.example"]
secret = "`+testKey+`"
[secrets.ike.net]
id = ["192.0.2.0/24"]
secret = "`+testKey+`"
[secrets.ike.any]
id = ["%any", "other.example"]
secret = "`+testKey+`"
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ local, remote, want string }{
		{"gw.example", "seven.branch.example", "seven-and-me"},
		{"gw2.example", "seven.branch.example", "seven"},
		{"gw2.example", "SEVEN.branch.example", "seven"},
		{"gw.example", "eight.branch.example", "branches"},
		{"gw.example", "192.0.2.7", "net"},
		{"gw.example", "peer.example", "any"}, // "mine" names only this gateway
		{"other.example", "peer.example", "any"},
	} {
		l, _ := identity.Parse(tt.local)
		r, _ := identity.Parse(tt.remote)
		s, ok := c.PSK(l, r)
		if !ok || s.Name != tt.want {
			t.Errorf("%s with %s: %v, want %s", tt.local, tt.remote, s.Name, tt.want)
		}
	}
	// Without the keys that fit, those for everybody are left, and the first of them.
	c.Secrets.IKE = c.Secrets.IKE[:2]
	c.psks = newPSKIndex(c.Secrets.IKE)
	if s, ok := c.PSK(identity.Identity{Type: identity.FQDN, Data: []byte("a")}, identity.Identity{Type: identity.FQDN, Data: []byte("b")}); !ok || s.Name != "everybody" {
		t.Errorf("%v, %v", s, ok)
	}
	c.Secrets.IKE, c.psks = nil, pskIndex{}
	if s, ok := c.PSK(identity.Identity{}, identity.Identity{}); ok || s != nil {
		t.Errorf("%v, %v", s, ok)
	}
}

func TestStrength(t *testing.T) {
	for _, tt := range []struct {
		key  string
		weak bool
	}{
		{"secret", true}, {"password123", true}, {"correct horse battery", false}, {"12345678901234567890", true},
		{strings.Repeat("a", 100), true}, {strings.Repeat("ab", 50), true}, {testKey, false},
		{"AbCdEfGh.12345_6", true}, {"", true},
		{"\x8f\x02\xe1\x7c\x55\xa9\x30\x44\xbb\x9d\x17\xf2\x6a\xc8\x01\xde", false},
	} {
		if n := strength([]byte(tt.key)); (n < minSecretBits) != tt.weak {
			t.Errorf("%q has %d bits", tt.key, n)
		}
	}
}
