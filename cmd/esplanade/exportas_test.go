package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportAsSwanctl: the whole configuration goes to a folder that import reads again.
func TestExportAsSwanctl(t *testing.T) {
	dir := t.TempDir()
	conf := imported(t, dir, "x.toml", "[connections.office]\nremote_addrs = \"192.0.2.1\"\nremote.id = \"b.example\"\nlocal_ts = \"10.1.0.0/16\"\nremote_ts = \"10.2.0.0/16\"\n"+
		"secret = \"8b1a9953c4611296a827abf8c47804d78b1a9953c4611296\"\n[ike]\nport_nat_t = 4501\n")
	odd := imported(t, dir, "odd.toml", "[connections.office]\nremote_addrs = \"192.0.2.1\"\nremote.id = \"b.example\"\nresumption = true\nsecret = \"8b1a9953c4611296a827abf8c47804d78b1a9953c4611296\"\n")
	folder := filepath.Join(dir, "swanctl")
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"--as", "toml"}, exitUsage, "", `--as is "toml"; the form is swanctl`},
		{[]string{"--as", "swanctl", "office"}, exitUsage, "", `takes no argument, not "office": name its file with --config`},
		{[]string{"--as", "swanctl", "-c", conf}, exitPartly, "remote_ts = 10.2.0.0/16", conf + ":6: connections.office.secret: secrets are written with --with-secret only"},
		{[]string{"--as", "swanctl", "-c", conf, "--with-secret"}, exitPartly, "secret = 8b1a", "not written: strongswan.conf"},
		{[]string{"--as", "swanctl", "-c", conf, "--with-secret", "-o", folder}, exitOK, "", "written: " + folder + "/strongswan.conf"},
		{[]string{"--as", "swanctl", "-c", conf, "--with-secret", "-o", folder}, exitFailed, "", "it is there already"},
		{[]string{"--as", "swanctl", "-c", conf, "-o", conf}, exitFailed, "", "it is a file; name a folder"},
		{[]string{"--as", "swanctl", "-c", odd, "--with-secret"}, exitPartly, "version = 2", odd + ":4: connections.office.resumption: swanctl.conf has no such key"},
	} {
		code, stdout, stderr := cli(append([]string{"export"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || c.stdout == "" && stdout != "" || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%q: %d\n%s\n%s", c.args, code, stdout, stderr)
		}
	}
	if info, err := os.Stat(filepath.Join(folder, "swanctl.conf")); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	code, stdout, stderr := cli("import", folder, filepath.Join(folder, "strongswan.conf"), "--inline-secrets")
	if code != exitOK || !strings.Contains(stdout, "port_nat_t = 4501") || !strings.Contains(stderr, "esplanade.toml is valid: office/office (start)") {
		t.Errorf("%d\n%s\n%s", code, stdout, stderr)
	}
}
