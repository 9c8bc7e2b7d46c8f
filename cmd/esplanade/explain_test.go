package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"esplanade/ike/diag"
)

// TestExplain: every code is explained in full, in any spelling, on lines that fit a terminal.
func TestExplain(t *testing.T) {
	for _, code := range diag.Codes() {
		x, _ := diag.Explain(code)
		var want string
		for _, arg := range []string{string(code), strings.ToLower(string(code)), code.Reason(), strings.TrimPrefix(string(code), "E-")} {
			var stdout, stderr bytes.Buffer
			if got := run([]string{"explain", arg}, &stdout, &stderr); got != exitOK || stderr.Len() > 0 {
				t.Fatalf("explain %s: exit code %d, %s", arg, got, stderr.String())
			}
			if want == "" {
				want = stdout.String()
			}
			if stdout.String() != want {
				t.Errorf("explain %s prints something else than explain %s", arg, code)
			}
		}
		flat := strings.Join(strings.Fields(want), " ")
		parts := append(append([]string{string(code) + ": " + x.Title, x.Meaning, x.SeenBy}, x.Causes...), x.LookAt...)
		for _, part := range append(parts, x.Fix[1:]) {
			if !strings.Contains(flat, part) {
				t.Errorf("explain %s lacks %q", code, part)
			}
		}
		if x.FixByPeer != "" && !strings.Contains(flat, x.FixByPeer[1:]) {
			t.Errorf("explain %s lacks the advice for what the peer reports", code)
		}
		for _, line := range strings.Split(want, "\n") {
			if len(line) > explainWidth && !strings.Contains(line, "`") {
				t.Errorf("explain %s: a line of %d: %q", code, len(line), line)
			}
		}
	}
}

// TestExplainLists: without an argument there is a line for each code.
func TestExplainLists(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if got := run([]string{"explain"}, &stdout, &stderr); got != exitOK || stderr.Len() > 0 {
		t.Fatalf("exit code %d, %s", got, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if len(lines) != len(diag.Codes()) {
		t.Fatalf("%d lines for %d codes", len(lines), len(diag.Codes()))
	}
	for i, code := range diag.Codes() {
		if x, _ := diag.Explain(code); !strings.HasPrefix(lines[i], string(code)+" ") || !strings.HasSuffix(lines[i], " "+x.Title) {
			t.Errorf("line %d is %q", i+1, lines[i])
		}
	}
}

// TestExplainCompletes: shell completion offers codes with their titles, in any case, and nothing behind them.
func TestExplainCompletes(t *testing.T) {
	complete := func(args ...string) string {
		var stdout bytes.Buffer
		if got := run(append([]string{"__complete", "explain"}, args...), &stdout, io.Discard); got != exitOK {
			t.Fatalf("__complete %q: exit code %d", args, got)
		}
		return stdout.String()
	}
	for _, typed := range []string{"E-TIMEOUT-", "e-timeout-"} {
		got := complete(typed)
		for _, want := range []string{"E-TIMEOUT-INIT\tthe peer is silent\n", "E-TIMEOUT-AUTH\t"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q completes to %q, without %q", typed, got, want)
			}
		}
		if strings.Contains(got, "E-DPD") {
			t.Errorf("%q completes to %q", typed, got)
		}
	}
	if got := complete(""); strings.Count(got, "\nE-")+1 != len(diag.Codes()) {
		t.Errorf("nothing completes to %q", got)
	}
	if got := complete("E-DPD", ""); strings.Contains(got, "E-") {
		t.Errorf("a second argument completes to %q", got)
	}
}
