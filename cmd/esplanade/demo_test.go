package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemo plays a short demonstration: a ladder, data both ways, new keys meanwhile, and counters that agree.
func TestDemo(t *testing.T) {
	code, stdout, stderr := cli("demo", "--duration", "900ms")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d, stderr %q\n%s", code, stderr, stdout)
	}
	rest := stdout
	for _, want := range []string{
		`left  127\.0\.0\.1:\d+ +behind it 10\.1\.0\.1`,
		`right 127\.0\.0\.1:\d+ +behind it 10\.2\.0\.1`,
		`left ----> right  IKE_SA_INIT request 0 \[ SA KE No .*\], \d+ octets`,
		`left <---- right  IKE_SA_INIT response 0 \[ SA KE No .*\], \d+ octets, `,
		`left ----> right  IKE_AUTH request 1 \[ IDi .*AUTH .*SA TSi TSr N\(MOBIKE_SUP\).* \]`,
		`left <---- right  IKE_AUTH response 1 \[ IDr AUTH .*SA TSi TSr N\(MOBIKE_SUP\).* \]`,
		`The tunnel is up\. Data flows both ways for 900ms`,
		`left ----> right  CREATE_CHILD_SA request 2 \[ N\(REKEY_SA\) SA No KE TSi TSr \]`,
		`CHILD SA [0-9a-f]{8} replaces [0-9a-f]{8}`,
		`left <---- right  CREATE_CHILD_SA request 0 \[ SA No KE \]`,
		`IKE SA [0-9a-f]{16} replaces [0-9a-f]{16}`,
		`data ====  --> [\d.]+ [kMG]?B at \d+ Mbit/s   <-- [\d.]+ [kMG]?B at \d+ Mbit/s, all in all`,
		`left to right  [\d.]+ [kMG]?B in .*; SHA-256 [0-9a-f]{8}… at both ends: the same`,
		`right to left  [\d.]+ [kMG]?B in .*; SHA-256 [0-9a-f]{8}… at both ends: the same`,
		`The faster direction carried \d+\.\d times what the other did\.`,
		`left to right  \d+ ESP packets sealed, \d+ opened`,
		`right to left  \d+ ESP packets sealed, \d+ opened`,
		`Nothing was lost(, and every| for good: .* Every) key was replaced on the way\.`,
		`Both gateways have deleted their SAs and ended\.\n$`,
	} {
		at := regexp.MustCompile(want).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %s, or not in this order, in\n%s", want, stdout)
		}
		rest = rest[at[1]:]
	}
	if strings.ContainsAny(stdout, "\r\x1b") {
		t.Error("control characters without a terminal")
	}
	for _, m := range regexp.MustCompile(`(\d+) ESP packets sealed, (\d+) opened(.*)`).FindAllStringSubmatch(stdout, -1) {
		if m[1] != m[2] && !strings.Contains(m[3], "a full socket buffer dropped") || m[1] == "0" {
			t.Errorf("the counters differ without a word: %s", m[0])
		}
	}
}

// TestDemoFails: a demonstration whose gateways can't agree ends with the failure value.
func TestDemoFails(t *testing.T) {
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	d := &demo{events: newDemoEvents(&out)}
	if err := d.setUp(demoOptions{duration: time.Second, ike: "aes128-sha256-x25519", esp: "aes128gcm16"}); err != nil {
		t.Fatal(err)
	}
	// Only one of the two runs: the other never answers.
	d.right.close()
	done := make(chan error, 1)
	runCtx, stop := context.WithCancel(t.Context())
	go func() { done <- d.left.run(runCtx) }()
	err := d.show(ctx, demoOptions{duration: time.Second})
	if err == nil || !strings.Contains(err.Error(), "the tunnel did not come about") {
		t.Errorf("%v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLineWriter: on a terminal a status is overwritten by what comes next; elsewhere there is none.
func TestLineWriter(t *testing.T) {
	var b bytes.Buffer
	l := lineWriter{w: &b, terminal: true}
	l.line("one")
	l.status("50 %")
	l.status("→ 100 %")
	l.line("two")
	l.line("three")
	if want := "one\n50 %\r    \r→ 100 %\r       \rtwo\nthree\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	b.Reset()
	l = lineWriter{w: &b}
	l.status("50 %")
	l.line("one")
	if b.String() != "one\n" || isTerminal(&b) {
		t.Errorf("%q", b.String())
	}
}
