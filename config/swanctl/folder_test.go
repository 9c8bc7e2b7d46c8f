package swanctl

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"esplanade/config"
	"esplanade/config/tree"
	"esplanade/ike/pki/files"
	"esplanade/ike/vici"
)

// sample has every kind of thing that swanctl sends, written in every way.
const sample = `
base { dpd_delay = 30s
  local { certs = gw.pem }
}
connections {
  site : base {
    local_addrs = 192.0.2.1
    remote_addrs = 192.0.2.2, peer.example ,
    proposals = aes256gcm16-prfsha384-modp3072, default
    pools = p4, p6
    vips = 0.0.0.0,::
    local {
      auth = pubkey
      id = "O=Test, CN=gw.example"
      cert_policy = 1.2.3
      cert-b { handle = 0123
        slot = 1
      }
    }
    remote-1 {
      auth = pubkey-sha256
      cacerts = ca.pem
      pubkeys = ABSOLUTE/pubkey/ed448.pub , ed448.pub
      groups = a, b, "'c, d' , \"e, f\"" , g'h, 'i
      cert_policy = "''"
      revocation = strict
    }
    children {
      net {
        local_ts = 10.1.0.0/16 , 10.2.0.0/16[tcp/80]
        remote_ts = dynamic
        esp_proposals = aes256gcm16
        updown = /bin/a, b
        start_action = trap
      }
    }
  }
  other { remote { auth = psk
    } }
}
pools {
  p4 { addrs = 10.9.0.0/24
    dns = 1.1.1.1 , 2.2.2.2
    25 = 1,2 }
  p6 { addrs = fd00::/64 }
}
authorities {
  a1 { cacert = ca.pem
    crl_uris = http://x , http://y
    ocsp_uris = http://o
    cert_uri_base = http://b/ }
}
secrets {
  ike-1 { id = a@b
    id-2 = %any
    idx = c
    ID = d
    secret = "pass # phrase" }
  ike-2 { secret = 0x01:02:ff
    id = x }
  ike-odd { secret = 0X102 }
  ike-3 { secret = 0sAQID
    id = x }
  ike-4 { secret = 0SAQIDBA==
    id = x }
  ike { secret = plain }
  eap-bob { id = bob
    secret = bobpw }
  ntlm-d { id = d
    secret = 0x00112233445566778899aabbccddeeff }
  ppk-e { id = e
    secret = 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }
  private-1 { file = ec.pem
    secret = secret }
  pkcs8-1 { file = enc8.pem
    secret = secret }
  rsa-1 { file = rsa.pem
    secret = secret }
  pkcs12-1 { file = gw.p12
    secret = secret }
}
`

// sampleFolder writes a folder with the sample.
func sampleFolder(t *testing.T) string {
	dir := t.TempDir()
	for name, from := range map[string]string{
		"x509/gw.pem": "gw.pem", "x509ca/ca.pem": "ca.pem", "pubkey/ed448.pub": "ed448.pub", "private/ec.pem": "ec-sha512.pem",
		"rsa/rsa.pem": "rsa-legacy.pem", "pkcs8/enc8.pem": "ec-sha512.pem", "pkcs12/gw.p12": "gw.p12", "ecdsa/params.pem": "ec-params.pem",
	} {
		data, err := os.ReadFile(filepath.Join("../../ike/pki/files/testdata", from))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name), string(data))
	}
	writeFile(t, filepath.Join(dir, "swanctl.conf"), "include conf.d/*.conf\n")
	writeFile(t, filepath.Join(dir, "conf.d/sample.conf"), strings.ReplaceAll(sample, "ABSOLUTE", dir))
	return dir
}

// sent are things in the words of VICI, a line each.
type sent []string

// line adds one.
func (s *sent) line(format string, args ...any) error {
	*s = append(*s, fmt.Sprintf(format, args...))
	return nil
}

// sum stands for what is in a file, whether in PEM or DER.
func sum(data []byte) string {
	if b, _ := pem.Decode(data); b != nil {
		data = b.Bytes
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))[:16]
}

func (s *sent) certificate(c config.Certificate) error {
	return s.line("load-cert %s %s %s", c.Type, c.Flag, sum(c.Data))
}

func (s *sent) key(data, passphrase []byte, _ tree.Position) error {
	signer, err := files.PrivateKey(data, passphrase)
	if err != nil {
		return err
	}
	id, err := config.KeyID(signer.Public())
	if err != nil {
		return err
	}
	return s.line("load-key %s", id)
}

func (s *sent) bundle(data, passphrase []byte, _ tree.Position) error {
	b, err := files.PKCS12(data, passphrase)
	if err != nil {
		return err
	}
	for _, c := range b.Certs {
		_ = s.line("load-cert X509 NONE %s", sum(c.Raw))
	}
	id, err := config.KeyID(b.Key.Public())
	if err != nil {
		return err
	}
	return s.line("load-key %s", id)
}

func (s *sent) shared(x config.Shared) error {
	return s.line("load-shared %s %s %x %q", x.ID, x.Kind, x.Data.Bytes(), x.Owners)
}

func (s *sent) connection(x config.Section) error { return s.section("load-conn", x) }
func (s *sent) authority(x config.Section) error  { return s.section("load-authority", x) }
func (s *sent) pool(x config.Section) error       { return s.section("load-pool", x) }

func (s *sent) section(command string, x config.Section) error {
	return s.line("%s %s { %s }", command, x.Name, dumpSent(x.Table))
}

// dumpSent is dump for values that are lists or files as well.
func dumpSent(t *tree.Table) string {
	var parts []string
	for e := range t.All() {
		switch v := e.Value.Data.(type) {
		case *tree.Table:
			parts = append(parts, e.Name+" {", dumpSent(v), "}")
		case tree.List:
			var list []string
			for _, item := range v {
				list = append(list, string(item.Data.(tree.Text)))
			}
			parts = append(parts, fmt.Sprintf("%s=%q", e.Name, list))
		case tree.Text:
			parts = append(parts, fmt.Sprintf("%s=%q", e.Name, string(v)))
		}
	}
	return strings.Join(parts, " ")
}

// dumpReceived is dumpSent for a message.
func dumpReceived(m *vici.Message) string {
	var parts []string
	for e := range m.All() {
		switch e.Kind {
		case vici.KindSection:
			parts = append(parts, e.Name+" {", dumpReceived(e.Section), "}")
		case vici.KindList:
			parts = append(parts, fmt.Sprintf("%s=%q", e.Name, e.List))
		default:
			parts = append(parts, fmt.Sprintf("%s=%q", e.Name, e.Value))
		}
	}
	return strings.Join(parts, " ")
}

// received are the requests of swanctl as sent has them.
func received(t *testing.T, requests []vici.Packet) (s sent) {
	for _, p := range requests {
		m := p.Message
		switch p.Name {
		case "load-cert":
			flag := m.Get("flag")
			if flag == "" {
				flag = "NONE"
			}
			_ = s.line("load-cert %s %s %s", m.Get("type"), flag, sum([]byte(m.Get("data"))))
		case "load-key":
			if err := s.key([]byte(m.Get("data")), nil, tree.Position{}); err != nil {
				t.Error(err)
			}
		case "load-shared":
			_ = s.line("load-shared %s %s %x %q", m.Get("id"), m.Get("type"), m.Get("data"), m.List("owners"))
		case "load-conn", "load-authority", "load-pool":
			for name, section := range m.Sections() {
				_ = s.line("%s %s { %s }", p.Name, name, dumpReceived(section))
			}
		case "get-keys", "get-shared", "get-conns", "get-authorities", "get-pools":
		default:
			t.Errorf("swanctl asks for %s", p.Name)
		}
	}
	return s
}

// TestFolderIsWhatSwanctlSends: for a folder, what is loaded is what Debian's `swanctl --load-all` sends. It has no order for the files of a folder.
func TestFolderIsWhatSwanctlSends(t *testing.T) {
	needSwanctl(t)
	dir := sampleFolder(t)
	requests, output, err := record(t, dir, "--load-all", "--noprompt")
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var s sent
	f, err := readFolder(dir, &s)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range f.Warnings {
		t.Error(w)
	}
	want := received(t, requests)
	slices.Sort(s)
	slices.Sort(want)
	if !slices.Equal(s, want) {
		t.Errorf("swanctl sends\n%s\nand the folder has\n%s\n%s", strings.Join(want, "\n"), strings.Join(s, "\n"), output)
	}
}

// TestReadFolder: everything gets where it belongs, and knows where it is written.
func TestReadFolder(t *testing.T) {
	dir := sampleFolder(t)
	writeFile(t, filepath.Join(dir, "pubkey/ed448.pub"), "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n")
	f, err := ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := f.Loaded
	if got := l.Connections(); !slices.Equal(got, []string{"site", "other"}) {
		t.Errorf("connections: %q", got)
	}
	if got := l.Pools(); !slices.Equal(got, []string{"p4", "p6"}) {
		t.Errorf("pools: %q", got)
	}
	if got := l.Authorities(); !slices.Equal(got, []string{"a1"}) {
		t.Errorf("authorities: %q", got)
	}
	if got := l.SharedIDs(); !slices.Equal(got, []string{"ike-1", "ike-2", "ike-odd", "ike-3", "ike-4", "ike", "eap-bob", "ntlm-d", "ppk-e"}) {
		t.Errorf("secrets: %q", got)
	}
	if got := l.KeyIDs(); len(got) != 2 {
		t.Errorf("keys: %q", got)
	}
	site := l.Connection("site")
	if want := filepath.Join(dir, "conf.d/sample.conf") + ":6:3"; site.At.String() != want {
		t.Errorf("site is at %s, want %s", site.At, want)
	}
}

// TestItems: what Debian's swanctl makes of lists; TestFolderIsWhatSwanctlSends has some of them in a folder.
func TestItems(t *testing.T) {
	for list, want := range map[string][]string{
		"":                      nil,
		" , ":                   nil,
		"a":                     {"a"},
		" a b ,, c\t,":          {"a b", "c"},
		"'a, b', c , d'e, f'":   {"a, b", "c", "d'e", "f'"},
		"'a' 'b'c, d":           {"a", "b", "c", "d"},
		"'', x":                 {"", "x"},
		"'k , l":                {"'k", "l"},
		"'a'', b', c":           {"a", ", b", "c"},
		`"a, b", c`:             {"a, b", "c"},
		`"a' , 'b", c`:          {"a' , 'b", "c"},
		`'a, "b', "c`:           {`a, "b`, `"c`},
		"a 'b, c' , d, ' e  ' ": {"a 'b", "c'", "d", " e  "},
	} {
		if got := Items(list); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", list, got, want)
		}
	}
}

// TestUnusedSections: a section that is misspelt is said, one that is inherited from is not.
func TestUnusedSections(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "swanctl.conf"), "connection {\n}\nbase {\n deep {\n }\n}\nother {\n}\nconnections {\n a : base.deep {\n }\n}\npools {\n}\n")
	f, err := ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range f.Warnings {
		got = append(got, strings.TrimPrefix(w.Position.String(), dir)+" "+w.What)
	}
	if want := []string{`/swanctl.conf:1:1 the section "connection" has no effect`, `/swanctl.conf:7:1 the section "other" has no effect`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFolderProblems: what is wrong is named with its place, all of it; what is left out is a warning; and nothing has any of a secret.
func TestFolderProblems(t *testing.T) {
	const secret = "zRkW7qv"
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "swanctl.conf"), `connections {
  a { local { certs = nosuch.pem }
    remote { cacerts = /nosuch/ca.pem
    } }
}
authorities { b { cacert = none.pem
  } }
secrets {
  ike-1 { secret = 0x`+secret+`
  }
  ike-2 { secret = "0s`+secret+`!"
  }
  other { secret = `+secret+`
  }
  ike-3 { id = x
  }
  token-1 { handle = 01
    pin = `+secret+`
  }
  xauth-1 { secret = `+secret+`
  }
  key = `+secret+`
}
`)
	if err := os.Chmod(filepath.Join(dir, "swanctl.conf"), 0o644); err != nil {
		t.Fatal(err)
	}
	encrypted, err := os.ReadFile("../../ike/pki/files/testdata/ec-sha512.pem")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "x509/README"), "none\n")
	writeFile(t, filepath.Join(dir, "x509/below/x.pem"), "none\n")
	writeFile(t, filepath.Join(dir, "private/key.pem"), string(encrypted))
	writeFile(t, filepath.Join(dir, "bliss/key.pem"), "none\n")
	plain, err := os.ReadFile("../../ike/pki/files/testdata/ec-params.pem")
	if err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "ecdsa/open.pem")
	writeFile(t, open, string(plain))
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	var s sent
	f, err := readFolder(dir, &s)
	list, ok := err.(config.Errors)
	if !ok {
		t.Fatalf("%v", err)
	}
	var got []string
	for _, p := range list {
		got = append(got, strings.ReplaceAll(p.String(), dir, ""))
	}
	want := []string{
		"/swanctl.conf:9:20: the secret begins with 0x, and what follows are no hexadecimal digits; write the text itself, 0x and hexadecimal digits, or 0s and Base64",
		"/swanctl.conf:11:20: the secret begins with 0s, and what follows is no Base64; write the text itself, 0x and hexadecimal digits, or 0s and Base64",
		"/swanctl.conf:6:28: cannot read /x509ca/none.pem: no such file or directory; put the file there, or name another one",
		"/swanctl.conf:2:23: cannot read /x509/nosuch.pem: no such file or directory; put the file there, or name another one",
		"/swanctl.conf:3:24: cannot read /nosuch/ca.pem: no such file or directory; put the file there, or name another one",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the errors are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	_ = f
	var to loading
	r := &folderReader{dir: dir, to: &to, looked: map[string]bool{}}
	d, err := Parse(filepath.Join(dir, "swanctl.conf"), Disk{})
	if err != nil {
		t.Fatal(err)
	}
	secrets := r.section(d.Root, "secrets")
	r.credentials(secrets)
	r.shared(secrets)
	got = nil
	for _, w := range r.Warnings {
		got = append(got, strings.ReplaceAll(w.String(), dir, ""))
	}
	for _, part := range []string{
		"/x509/README: this file is left out: it ",
		"/private/key.pem: this file is left out: it is encrypted",
		"/bliss/key.pem: BLISS keys",
		"/ecdsa/open.pem: \"/ecdsa/open.pem\" can be used by others than its owner (mode 0644)",
		"/swanctl.conf:9:11: this secret stands in a file that others can use",
		"/swanctl.conf:13:3: this section is left out: its name",
		"/swanctl.conf:15:3: this section has no secret",
		"/swanctl.conf:17:3: keys on tokens are not supported",
		"/swanctl.conf:20:3: this secret is left out: ",
		"/swanctl.conf:22:3: this key is left out",
	} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, part) }) {
			t.Errorf("there is no %q in\n%s", part, strings.Join(got, "\n"))
		}
	}
	if len(got) != 10 {
		t.Errorf("%d warnings: %s", len(got), strings.Join(got, "\n"))
	}
	if all := fmt.Sprint(list, got); bytes.Contains([]byte(all), []byte(secret)) {
		t.Errorf("a secret is shown: %s", all)
	}
}

// TestUnreadableFileIsLeftOut: the system's own words are part of a sentence.
func TestUnreadableFileIsLeftOut(t *testing.T) {
	r := &folderReader{}
	r.leftOut(tree.Position{File: "/private/moon.key"}, &fs.PathError{Op: "open", Path: "/private/moon.key", Err: syscall.EACCES})
	const want = "/private/moon.key: this file is left out: it cannot be read (permission denied); take the file away, or put another one in its place"
	if len(r.Warnings) != 1 || r.Warnings[0].String() != want {
		t.Errorf("%v, want %s", r.Warnings, want)
	}
}
