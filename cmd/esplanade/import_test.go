package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const importedConf = `# The office.
connections {
  office {  # in Bern
    remote_addrs = 198.51.100.20
    local { auth = psk }
    remote { auth = psk
      id = office.example }
    children { net { remote_ts = 10.20.0.0/24 } }
  }
}
secrets {
  ike-office { id = office.example
    secret = 0x8b1a9953c4611296a827abf8c47804d78b1a9953c4611296a827abf8c47804d7 }
}
`

// imported writes a file that only its owner can read.
func imported(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestImportReplaces: with --force a file behind a link is replaced as a whole, and a secret is not left where others can read it.
func TestImportReplaces(t *testing.T) {
	dir := t.TempDir()
	conf := imported(t, dir, "swanctl/swanctl.conf", importedConf)
	for name, mode := range map[string]os.FileMode{"esplanade.toml": 0o644, "office.psk": 0o644} {
		old := imported(t, dir, "real/"+name, strings.Repeat("# old\n", 1000))
		if err := os.Chmod(old, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, "out"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(old, filepath.Join(dir, "out", name)); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out", "esplanade.toml")
	if code, _, stderr := cli("import", conf, "-o", out, "--force"); code != exitOK {
		t.Fatal(code, stderr)
	}
	if info, err := os.Stat(filepath.Join(dir, "real", "office.psk")); err != nil || info.Mode().Perm() != 0o600 || info.Size() > 200 {
		t.Errorf("the secret: %v, %v", info, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "real", "esplanade.toml")); err != nil || strings.Contains(string(text), "# old") || !strings.Contains(string(text), "[connections.office]") {
		t.Errorf("%s, %v", text, err)
	}
	if info, err := os.Lstat(out); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}

func TestImport(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	conf := imported(t, dir, "swanctl/swanctl.conf", importedConf)
	odd := imported(t, dir, "odd.conf", strings.Replace(importedConf, "remote_addrs", "colour = red\n remote_addrs", 1))
	open := imported(t, dir, "open.conf", importedConf)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	wrong := imported(t, dir, "wrong.conf", "connections {\n a { remote_addrs = 192.0.2.1\n local { auth = psk }\n remote { auth = psk } } }")
	torn := imported(t, dir, "torn.conf", "connections {\n a {")
	other := imported(t, dir, "other.txt", "nothing of that kind\n")
	ours := imported(t, dir, "ours.toml", "[connections.a]\n")
	there := imported(t, dir, "there.toml", "there\n")
	keyThere := filepath.Join(dir, "keys", "office.psk")
	imported(t, dir, "keys/office.psk", "there\n")
	lost := imported(t, dir, "lost.conf", "include nowhere.conf\n"+importedConf)
	bsd := imported(t, dir, "iked.conf", "# B\nikev2 \"b\" active from 10.1.0.0/16 to 10.2.0.0/16 peer 192.0.2.1 srcid a.example psk 0x8b1a9953c4611296a827abf8c47804d78b1a9953c4611296\n")
	torn2 := imported(t, dir, "torn2.conf", "ikev2 \"b\" from\n")
	wg := []string{imported(t, dir, "a/wg0.conf", "[Interface]\nAddress = 10.9.0.1/24\nPrivateKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"+
		"[Peer]\nPublicKey = zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk=\nEndpoint = 192.0.2.2:51820\nAllowedIPs = 10.9.0.2\n"),
		imported(t, dir, "b/wg0.conf", "[Interface]\nAddress = 10.9.0.2/24\nPrivateKey = AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n"+
			"[Peer]\nPublicKey = pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=\nAllowedIPs = 10.9.0.1\n")}
	for _, c := range []struct {
		args   []string
		code   int
		stdout string // a part of it; "" is nothing at all
		stderr string // parts of it, separated by "|"
	}{
		{nil, exitUsage, "", "import needs a FILE"},
		{[]string{""}, exitUsage, "", "not an empty one"},
		{[]string{filepath.Dir(conf), "-o", filepath.Join(dir, "a.toml")}, exitOK, "", "written: " + dir + "/office.psk|a.toml is valid: office/net (none)"},
		{[]string{conf, "--inline-secrets", "-o", filepath.Join(dir, "inline.toml")}, exitOK, "", "inline.toml is valid"},
		{[]string{conf}, exitPartly, `secret_file = "office.psk"`, "not written: office.psk|esplanade.toml is valid"},
		{[]string{conf, "--inline-secrets"}, exitOK, `secret = "0x8b1a`, "esplanade.toml is valid"},
		{[]string{odd, "--inline-secrets"}, exitPartly, "# not carried over: colour = red (" + odd + ":4)", "not carried over: " + odd + ":4: colour = red: swanctl.conf has no such key|valid"},
		{[]string{lost, "--inline-secrets"}, exitPartly, "[connections.office]", "not carried over: " + lost + ":1: include: there is no file"},
		{[]string{open, "--inline-secrets"}, exitOK, "[connections.office]", "warning: others can read or change " + open},
		{[]string{wrong}, exitFailed, "[connections.a]", "there is no secret for connections.a|esplanade.toml is not valid"},
		{[]string{torn}, exitFailed, "", torn + ":2:2: this section is never closed"},
		{[]string{other}, exitFailed, "", "does not look like any of swanctl, iked, wg-quick, strongswan-ipsec, libreswan; say what"},
		{[]string{other, "--from", "swanctl"}, exitFailed, "", other + ":1:9: "},
		{[]string{ours}, exitFailed, "", "is a configuration of Esplanade already"},
		{[]string{conf, "--from", "nothing"}, exitUsage, "", `--from is "nothing"; the kinds are swanctl, iked, wg-quick, strongswan-ipsec, libreswan;`},
		{[]string{filepath.Join(dir, "nowhere")}, exitFailed, "", "cannot import: " + dir + "/nowhere: no such file"},
		{[]string{dir}, exitFailed, "", "there is no swanctl.conf in the folder"},
		{[]string{conf, "-o", there}, exitFailed, "", "it is there already"},
		{[]string{conf, "-o", filepath.Join(dir, "keys", "b.toml")}, exitFailed, "", keyThere + ": it is there already"},
		{[]string{conf, "-o", dir}, exitUsage, "", "a folder; name the file"},
		{[]string{conf, "-o", filepath.Join(dir, "no", "b.toml")}, exitFailed, "", "cannot write " + dir + "/no/b.toml: there is no folder " + dir + "/no"},
		{[]string{conf, odd, odd}, exitFailed, "", "not 3 files"},
		{[]string{conf, odd}, exitFailed, "", odd + " is a swanctl.conf; one is read"},
		{[]string{conf, filepath.Join(dir, "nowhere")}, exitFailed, "", "nowhere: no such file"},
		{[]string{bsd, odd}, exitFailed, "", "one file is read"},
		{[]string{bsd, "-o", filepath.Join(dir, "bsd.toml")}, exitOK, "", "bsd.toml is valid: b/b (start)"},
		{[]string{torn2}, exitFailed, "", torn2 + ":1:11: behind from there must be a value"},
		{append(slices.Clone(wg), "-o", filepath.Join(dir, "ends")), exitOK, "", "ends/wg0-1/esplanade.toml is valid: wg0-2/wg0-2 (start)|ends/wg0-2/esplanade.toml is valid: wg0-1/wg0-1 (none)"},
		{append(slices.Clone(wg), "--inline-secrets"), exitOK, "#### wg0-2\n", "valid"},
		{append(slices.Clone(wg), "-o", there), exitUsage, "", "name a folder, as there are 2 configurations"},
		{append(slices.Clone(wg), "-o", filepath.Join(dir, "ends")), exitFailed, "", "it is there already"},
		{[]string{conf, "-o", there, "--force"}, exitOK, "", "there.toml is valid"},
	} {
		code, stdout, stderr := cli(append([]string{"import"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || c.stdout == "" && stdout != "" {
			t.Errorf("%q: %d\n%s\n%s", c.args, code, stdout, stderr)
		}
		for part := range strings.SplitSeq(c.stderr, "|") {
			if !strings.Contains(stderr, part) {
				t.Errorf("%q: no %q in\n%s", c.args, part, stderr)
			}
		}
	}
	for name, mode := range map[string]os.FileMode{"a.toml": 0o644, "office.psk": 0o600, "inline.toml": 0o600, "there.toml": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want %v", name, info, err, mode)
		}
	}
	if data, _ := os.ReadFile(keyThere); string(data) != "there\n" {
		t.Errorf("the key is now %q", data)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "esplanade-import-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "a.toml")); !strings.HasPrefix(string(data), "# The office.\n\n[connections.office]  # in Bern\nremote_addrs = \"198.51.100.20\"\nencap        = false\n") {
		t.Errorf("%s", data)
	}
}

// Both ipsec.conf are told apart by their keywords, --here says which side is ours, and secrets may be in another place.
func TestImportIPsecConf(t *testing.T) {
	dir := t.TempDir()
	const keys = "192.0.2.1 192.0.2.2 : PSK \"8b1a9953c4611296a827abf8c47804d7\"\n"
	conf := imported(t, dir, "ipsec.conf", "conn office\n\tleft=192.0.2.1\n\tleftcert=me.pem\n\tright=192.0.2.2\n\trightauth=psk\n\tleftauth=psk\n\tkeyexchange=ikev2\n\tauto=start\n")
	imported(t, dir, "ipsec.secrets", keys)
	libre := imported(t, dir, "libre/ipsec.conf", "conn office\n\tleft=192.0.2.1\n\tright=192.0.2.2\n\tauthby=secret\n\tike=aes_gcm256-sha2;dh19\n\tikev2=insist\n\tauto=start\n")
	secrets := imported(t, dir, "other.secrets", keys)
	torn := imported(t, dir, "torn.conf", "conn office\nleft=192.0.2.1\n")
	for _, c := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{conf}, exitOK, "remote_addrs = \"192.0.2.2\"", "left is taken for this host"},
		{[]string{conf, "--here", "192.0.2.2"}, exitOK, "remote_addrs = \"192.0.2.1\"", "is valid"},
		{[]string{libre, secrets}, exitOK, "proposals    = \"aes256gcm16-prfsha256-ecp256\"", "is valid"},
		{[]string{libre, secrets, "--from", "libreswan"}, exitOK, "rekey_time   = \"471m\"", "is valid"},
		{[]string{conf, "--from", "strongswan-ipsec"}, exitOK, "reauth_time  = \"171m\"", "is valid"},
		{[]string{libre, secrets, "--from", "strongswan-ipsec"}, exitPartly, "proposals    = \"default\"", "ikev2=insist: strongSwan has no such keyword"},
		{[]string{torn}, exitFailed, "", torn + ":2:1: a setting must be indented"},
	} {
		code, stdout, stderr := cli(append([]string{"import", "--inline-secrets"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%q: %d\n%s\n%s", c.args, code, stdout, stderr)
		}
	}
}
