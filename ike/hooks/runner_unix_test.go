//go:build unix

package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run runs a command and gives what was logged.
func run(t *testing.T, ctx context.Context, j Job) (string, error) {
	t.Helper()
	r, err := NewRunner("")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	j.Log, j.Name = slog.New(slog.NewTextHandler(&b, nil)), "x"
	err = r.Run(ctx, j)
	return b.String(), err
}

// TestRun: a command has its variables and no others, no input and a log for its output, and its result counts.
func TestRun(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DAEMON", "1")
	log, err := run(t, t.Context(), Job{Command: `env; echo "got: $A"; cat; pwd; echo last >&2; exit 3`, Env: []string{"PATH=" + path, "A=$(x) y"}})
	if err == nil || err.Error() != "exit status 3" {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{`msg="x: got: $(x) y"`, `msg="x: /"`, `msg="x: last"`} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in\n%s", want, log)
		}
	}
	if strings.Contains(log, "SECRET_OF") {
		t.Errorf("a variable of the daemon:\n%s", log)
	}
}

// TestRunPlain: a path alone is run without a shell; anything else is for a shell.
func TestRunPlain(t *testing.T) {
	for in, want := range map[string]string{
		"/usr/lib/ipsec/_updown": "/usr/lib/ipsec/_updown", "/etc/up down": "sh", "/etc/up;x": "sh", "updown": "sh", "A=/x/y": "sh", "/etc/$X": "sh", "/a-b_c.d@e": "/a-b_c.d@e",
	} {
		argv := arguments(in)
		if want == "sh" && (len(argv) != 3 || argv[0] != "/bin/sh" || argv[2] != in) || want != "sh" && (len(argv) != 1 || argv[0] != in) {
			t.Errorf("%q: %q", in, argv)
		}
	}
	script := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho called $#\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if log, err := run(t, t.Context(), Job{Command: script}); err != nil || !strings.Contains(log, "x: called 0") {
		t.Errorf("%v\n%s", err, log)
	}
}

// TestRunIsKilled: at its limit a command is killed with all that it has started, also what ignores signals.
func TestRunIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := run(t, ctx, Job{Command: fmt.Sprintf(`trap "" TERM INT HUP; sleep 1000 & echo $$ $! > %s.new; mv %s.new %s; wait`, file, file, file), Env: []string{"PATH=" + path}})
		done <- err
	}()
	var pids []string
	for len(pids) < 2 {
		b, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		pids = strings.Fields(string(b))
		select {
		case err := <-done:
			t.Fatalf("it has ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("no error")
	}
	for _, p := range pids {
		pid, err := strconv.Atoi(p)
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); alive(pid); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d is still alive", pid)
			}
		}
	}
}

// alive reports whether there is a process that runs; one whose parent has not asked for its end yet does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// TestRunInTheBackground: what a command leaves in the background with its output open keeps nobody waiting.
func TestRunInTheBackground(t *testing.T) {
	log, err := run(t, t.Context(), Job{Command: "sleep 5 & echo here", Env: []string{"PATH=" + path}})
	if err != nil || !strings.Contains(log, "x: here") {
		t.Errorf("%v\n%s", err, log)
	}
}

// TestOutputIsBounded: neither long lines nor many fill the log.
func TestOutputIsBounded(t *testing.T) {
	var b bytes.Buffer
	o := &output{log: slog.New(slog.NewTextHandler(&b, nil)), name: "x"}
	fmt.Fprint(o, strings.Repeat("a", 100000), "\n")
	for range 1000 {
		fmt.Fprint(o, "line\n")
	}
	fmt.Fprint(o, "rest\xff")
	o.end()
	if n := strings.Count(b.String(), "\n"); n != maxLines+1 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(b.String(), "lines=902") {
		t.Errorf("it does not say how many were left out: %s", b.String()[b.Len()-100:])
	}
	if b.Len() > maxLines*100+maxLineLen+200 {
		t.Errorf("%d bytes", b.Len())
	}
}

// TestRunAs: commands run as the user that is named, with its groups.
func TestRunAs(t *testing.T) {
	if _, err := NewRunner("nobody-has-this-name"); err == nil {
		t.Error("a user who does not exist")
	}
	if os.Getuid() != 0 {
		t.Skip("only root becomes another user")
	}
	r, err := NewRunner("nobody")
	if err != nil {
		t.Skip(err)
	}
	var b bytes.Buffer
	if err := r.Run(t.Context(), Job{Command: "id -un; grep ^CapEff /proc/self/status", Env: []string{"PATH=" + path}, Log: slog.New(slog.NewTextHandler(&b, nil)), Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "x: nobody") || !strings.Contains(b.String(), "0000000000000000") {
		t.Errorf("not as nobody:\n%s", b.String())
	}
}
