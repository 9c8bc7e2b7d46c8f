package main

import (
	"os"
	"strings"
	"testing"
)

// TestCheckSaysEverythingAtOnce compares the whole output for a file with many mistakes; testdata/wrong.want has it.
func TestCheckSaysEverythingAtOnce(t *testing.T) {
	t.Chdir("testdata")
	code, stdout, stderr := cli("check", "wrong.toml")
	if code != exitFailed || stdout != "" {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
	want, err := os.ReadFile("wrong.want")
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(stderr, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(wanted) {
			w = wanted[i]
		}
		if g != w {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, g, w)
		}
	}
}

// TestCheckExplains: every key has its value, and where that comes from.
func TestCheckExplains(t *testing.T) {
	l := newLab(t)
	file := l.write("gw.toml", "[connections.office]\nremote_addrs = \"198.51.100.1\"\nlocal_ts = \"10.1.0.0/24\"\nremote_ts = \"10.2.0.0/24\"\nsecret = \""+testPSK+"\"\n")
	code, stdout, stderr := cli("check", "--explain", file)
	if code != exitOK || strings.Contains(stdout+stderr, testPSK) {
		t.Fatalf("%d, %s, %s", code, stdout, stderr)
	}
	for _, want := range []string{"\n[connections.office]\n", "\ndpd_delay = \"30s\"                                  # default\n", "\nremote_addrs = [\"198.51.100.1\"]                    # " + file + ":2\n",
		"\nauth = \"psk\"                                       # inferred\n", "\n[connections.office.children.office]\n", "\n\n" + file + " is valid: office/office (start)\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if _, plain, _ := cli("check", file); strings.Contains(plain, "dpd_delay") {
		t.Errorf("without --explain: %s", plain)
	}
}

// TestCheckWarns: a warning is shown and is no error.
func TestCheckWarns(t *testing.T) {
	l := newLab(t)
	file := l.write("warn.toml", strings.Replace(l.text(leftSide(500)), "[connections.lab.local]", "rekey_time = \"0s\"\n[connections.lab.local]", 1))
	code, stdout, stderr := cli("check", file)
	if code != exitOK || !strings.Contains(stdout, "is valid") || !strings.HasPrefix(stderr, "warning: "+file+":") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = cli("check", l.write("empty.toml", ""))
	if code != exitOK || !strings.HasSuffix(stdout, "is valid: no connection\n") || !strings.Contains(stderr, "there is no connection") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
