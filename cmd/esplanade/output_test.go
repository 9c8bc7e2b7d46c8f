package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"esplanade/config"
)

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestLostOutput: no command succeeds whose output cannot be written.
func TestLostOutput(t *testing.T) {
	l := newLab(t)
	good := l.write("good.toml", strings.Replace(l.text(leftSide(500)), "127.0.0.1:0", "127.0.0.1:9700", 1))
	n := l.start(rightSide())
	for _, args := range []string{
		"version", "--version", "--help", "help run", "explain", "explain E-TS", "check " + good, "completion bash", "status --socket " + n.socket,
		"status --json --socket " + n.socket, "reload --socket " + n.socket,
	} {
		var stderr bytes.Buffer
		if code := run(strings.Fields(args), full{}, &stderr); code != exitFailed || !strings.Contains(stderr.String(), "esplanade: cannot write the output: no space left on device\n") {
			t.Errorf("%s: exit code %d, stderr %q", args, code, stderr.String())
		}
	}
}

// TestReloadCommand: it says what has changed, or every error where it is, and then the exit code is 1.
func TestReloadCommand(t *testing.T) {
	l := newLab(t)
	n := l.start(rightSide())
	t.Setenv(socketVariable, n.socket) // in place of --socket
	code, stdout, stderr := cli("reload")
	if code != exitOK || !strings.HasPrefix(stdout, "1 connection unchanged\n") || stderr != "" {
		t.Errorf("nothing has changed: %d, %q, %q", code, stdout, stderr)
	}
	text := l.text(rightSide())
	l.write("right.toml", strings.ReplaceAll(text, "connections.lab", "connections.other"))
	code, stdout, stderr = cli("reload")
	if code != exitOK || !strings.Contains(stdout, "added other\n") || !strings.Contains(stdout, "removed lab\n") || !strings.Contains(stdout, "0 connections unchanged\n") || stderr != "" {
		t.Errorf("another connection: %d, %q, %q", code, stdout, stderr)
	}
	l.write("right.toml", strings.Replace(text, "[connections.lab]", "[connections.lab]\nencap = 1\ndpd_delay = 2", 1))
	code, stdout, stderr = cli("reload")
	lines := strings.Split(stderr, "\n")
	if code != exitFailed || stdout != "" || len(lines) != 4 || !strings.Contains(lines[0], "right.toml:14:") || !strings.Contains(lines[1], "right.toml:15:") ||
		lines[2] != "esplanade: the old configuration stays in force" {
		t.Errorf("two errors: %d, %q, %q", code, stdout, stderr)
	}
	if err := os.Remove(l.path("right.toml")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr = cli("reload"); code != exitFailed || !strings.Contains(stderr, "no such file or directory; write one") {
		t.Errorf("no file: %d, %q", code, stderr)
	}
}

// TestDefaultConfig: check reads the file that run would read.
func TestDefaultConfig(t *testing.T) {
	if _, err := os.Lstat(defaultConfig); err == nil {
		t.Skip(defaultConfig + " is there")
	}
	if code, _, stderr := cli("check"); code != exitFailed || !strings.HasPrefix(stderr, "esplanade: cannot read the configuration "+defaultConfig+": no such file or directory") {
		t.Errorf("%d, %q", code, stderr)
	}
}

// TestChildrenOf: a line about a configuration is short, however much is configured.
func TestChildrenOf(t *testing.T) {
	l := newLab(t)
	text := l.text(leftSide(500))
	head, tail, _ := strings.Cut(text, "[connections.lab.children.net]")
	var b strings.Builder
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		b.WriteString(strings.NewReplacer("children.net", "children."+name, "10.2.0.1/32", "10.3.0."+string('0'+name[0]-'a'+1)+"/32").Replace("[connections.lab.children.net]" + tail[:strings.Index(tail, "[secrets")]))
	}
	conf, err := config.Load(l.write("many.toml", head+strings.Replace(b.String(), `"start"`, `"trap"`, 1)+tail[strings.Index(tail, "[secrets"):]))
	if err != nil {
		t.Fatal(err)
	}
	if got := childrenOf(conf); got != "1 connection, 6 children (5 start, 1 trap)" {
		t.Error(got)
	}
	conf.Connections[0].Children = nil
	if got := childrenOf(conf); got != "1 connection without children" {
		t.Error(got)
	}
}

// TestErrorLines: on a terminal the fix stands on lines of its own; elsewhere an error is one line.
func TestErrorLines(t *testing.T) {
	var b bytes.Buffer
	err := errors.New("E-TS office: no common selectors: " + strings.Repeat("word ", 40) + "Fix: write the same on both sides.")
	printError(&b, err)
	if got := b.String(); strings.Count(got, "\n") != 1 || got != "esplanade: "+err.Error()+"\n" {
		t.Errorf("%q", got)
	}
	lines := errorLines(err, screen{width: 80})
	if len(lines) < 4 || lines[len(lines)-1] != "  Fix: write the same on both sides." {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if columns(l) > 80 {
			t.Errorf("%q", l)
		}
	}
}
