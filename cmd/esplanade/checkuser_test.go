//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asUser names the variable with the arguments of a run of this test as another process, which becomes another user.
const asUser = "ESPLANADE_TEST_CHECK_AS"

// TestCheckAsUser: root checks the files of the user that the service runs as, which belong to that user and would be refused to root.
func TestCheckAsUser(t *testing.T) {
	if args := os.Getenv(asUser); args != "" {
		code, stdout, stderr := cli(strings.Fields(args)...)
		os.Stdout.WriteString(stdout + stderr)
		os.Exit(code)
	}
	if _, _, stderr := cli("check", "--user", "no-such-user", "x.toml"); !strings.Contains(stderr, "--user: ") {
		t.Errorf("a user that does not exist: %s", stderr)
	}
	if os.Geteuid() != 0 {
		t.Skipf("SKIPPED: needs root to become another user, runs as uid %d", os.Geteuid())
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	file, key := filepath.Join(dir, "gw.toml"), filepath.Join(dir, "office.psk")
	text := "[connections.office]\nremote_addrs = [\"192.0.2.2\"]\nlocal = {auth = \"psk\", id = \"a.example\"}\nremote = {auth = \"psk\", id = \"b.example\"}\n" +
		"children.net = {local_ts = [\"10.1.0.0/24\"], remote_ts = [\"10.2.0.0/24\"]}\n" +
		"[secrets.ike.office]\nid = [\"a.example\", \"b.example\"]\nsecret_file = \"office.psk\"\n"
	for name, content := range map[string]string{file: text, key: "Ahth3ohreiv7eiBo1shaeng2ohqu"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, stderr := cli("check", file); code != exitFailed || !strings.Contains(stderr, "check --user") {
		t.Errorf("as root: %d, %s", code, stderr)
	}
	run := func() (string, error) {
		c := exec.Command(os.Args[0], "-test.run=^TestCheckAsUser$")
		c.Env = append(os.Environ(), asUser+"=check --user 65534 "+file)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err != nil || !strings.Contains(out, "is valid") {
		t.Errorf("as the service's user: %v\n%s", err, out)
	}
	// What that user cannot read is an error, although root can.
	if err := os.Chown(key, 0, 0); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err == nil || !strings.Contains(out, "permission denied") {
		t.Errorf("a key of root's: %v\n%s", err, out)
	}
}
