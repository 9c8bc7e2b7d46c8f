package main

import (
	"os"
	"strings"
	"testing"

	"esplanade/config"
)

// TestUserCommands: users are added, given another password, listed and removed, and all other lines of the file stay as they are.
func TestUserCommands(t *testing.T) {
	l := newLab(t)
	file := l.path("users.toml")
	one, two := l.write("one", "pass \"w\\ord\n"), l.write("two", "clientPass\nmore\n")
	steps := []struct {
		args []string
		want string // the file, or what is said where it stays
		code int
	}{
		{[]string{"add", file, "alice", "--password-file", one}, "alice = \"pass \\\"w\\\\ord\"\n", exitOK},
		{[]string{"add", file, "bob@example.org", "--password-file", two, "--nt-hash", "--group", "staff", "--group", "ops"},
			"alice = \"pass \\\"w\\\\ord\"\n\"bob@example.org\" = { nt_hash = \"44ebba8d5312b8d611474411f56989ae\", groups = [\"staff\", \"ops\"] }\n", exitOK},
		{[]string{"add", file, "Alice", "--password-file", one}, "alice is there already, in line 1 of ", exitFailed},
		{[]string{"add", file, "a*", "--password-file", one}, "is no name, but a pattern", exitFailed},
		{[]string{"add", file}, "add needs FILE and NAME", exitUsage},
		{[]string{"passwd", file, "BOB@example.org", "--password-file", one},
			"alice = \"pass \\\"w\\\\ord\"\n\"bob@example.org\" = { password = \"pass \\\"w\\\\ord\", groups = [\"staff\", \"ops\"] }\n", exitOK},
		{[]string{"passwd", file, "carol", "--password-file", one}, "there is no user \"carol\" in ", exitFailed},
		{[]string{"passwd", file, "alice"}, "there is no terminal to ask for the password; name a file with it", exitFailed},
		{[]string{"remove", file, "alice"}, "\"bob@example.org\" = { password = \"pass \\\"w\\\\ord\", groups = [\"staff\", \"ops\"] }\n", exitOK},
		{[]string{"remove", file, "alice"}, "there is no user \"alice\" in ", exitFailed},
	}
	for _, x := range steps {
		before, _ := os.ReadFile(file)
		code, stdout, stderr := cli(append([]string{"user"}, x.args...)...)
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if code != x.code || stdout != "" || strings.Contains(stderr, "w\\ord") || strings.Contains(stderr, "clientPass") {
			t.Errorf("%q: %d, %s, %s", x.args, code, stdout, stderr)
		}
		if x.code == exitOK && string(after) != x.want || x.code != exitOK && (string(after) != string(before) || !strings.Contains(stderr, x.want)) {
			t.Errorf("%q: %s, and the file is\n%s\nwant\n%s", x.args, stderr, after, x.want)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("%q: %v, %v", x.args, info.Mode(), err)
		}
	}
	if left, err := os.ReadDir(l.dir); err != nil || len(left) != 3 {
		t.Errorf("%v, %v", left, err)
	}
	// Comments, line ends of Windows, and keys that no command sets.
	l.write("users.toml", "# ours\r\nerin = { password = \"x\", addresses = [\"10.30.0.7\"], groups = \"staff\", expired = true } # new\r\n\r\n[frank]\r\npassword = \"y\"\r\n")
	if err := os.Chmod(file, 0o400); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := cli("user", "list", file)
	if code != exitOK || stdout != "erin  groups staff  10.30.0.7  expired\nfrank\n" || stderr != "" {
		t.Errorf("%d, %q, %s", code, stdout, stderr)
	}
	if code, _, stderr = cli("user", "passwd", file, "erin", "--password-file", two); code != exitOK {
		t.Fatal(stderr)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# ours\nerin = { password = \"clientPass\", groups = [\"staff\"], addresses = [\"10.30.0.7\"] }\n\n[frank]\npassword = \"y\"\n"; string(data) != want {
		t.Errorf("%q, want %q", data, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o400 {
		t.Errorf("%v, %v", info, err)
	}
	if code, _, stderr = cli("user", "remove", file, "frank"); code != exitFailed || !strings.Contains(stderr, "frank has several lines in ") {
		t.Errorf("%d, %s", code, stderr)
	}
	if code, _, stderr = cli("user", "add", file, "heidi", "--password-file", two); code != exitOK {
		t.Errorf("%d, %s", code, stderr)
	}
	// What is wrong in it already is said, and stays.
	l.write("users.toml", "")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr = cli("user", "add", file, "x", "--password-file", two); code != exitFailed || !strings.Contains(stderr, "can be used by others than its owner") {
		t.Errorf("%d, %s", code, stderr)
	}
	// A link stays one.
	link := l.path("link.toml")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr = cli("user", "add", link, "grace", "--password-file", two); code != exitOK {
		t.Fatal(stderr)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
	f, err := config.OpenUsersFile(file)
	if data, _ := os.ReadFile(file); err != nil || f.Directory.Len() != 1 || string(data) != "grace = \"clientPass\"\n" {
		t.Errorf("%v, %q", err, data)
	}
}
