package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// matches holds lines to patterns, one each.
func matches(t *testing.T, what, text string, patterns ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(patterns) {
		t.Errorf("%s has %d lines, want %d:\n%s", what, len(lines), len(patterns), text)
		return
	}
	for i, p := range patterns {
		if !regexp.MustCompile("^(?:" + p + ")$").MatchString(lines[i]) {
			t.Errorf("%s, line %d is %q, want %q", what, i+1, lines[i], p)
		}
	}
}

// TestIPsecCommand: what scripts know of strongSwan's `ipsec` and of `ip xfrm` works against a gateway.
func TestIPsecCommand(t *testing.T) {
	left, _ := newLab(t).pair(nil)
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, stderr := cli(append(args, "--socket", left.socket)...)
		if code != want {
			t.Fatalf("%s: exit code %d, %s", strings.Join(args, " "), code, stderr)
		}
		return out + stderr
	}
	head := `         lab\[\d+\]: `
	child := `         net\{\d+\}:  `
	routed := []string{`Routed Connections:`, `         net\{1\}:  ROUTED, TUNNEL`, `         net\{1\}:   10\.1\.0\.1/32 === 10\.2\.0\.1/32`}
	sas := []string{
		`Security Associations \(1 up, 0 connecting\):`,
		head + `ESTABLISHED \d+ seconds? ago, 127\.0\.0\.1\[left\.example\]\.\.\.127\.0\.0\.1\[right\.example\]`,
		child + `INSTALLED, TUNNEL, reqid 1, ESP in UDP SPIs: [0-9a-f]{8}_i [0-9a-f]{8}_o`,
		child + ` 10\.1\.0\.1/32 === 10\.2\.0\.1/32`,
	}
	matches(t, "status", run(exitOK, "ipsec", "status"), append(routed, sas...)...)
	for _, name := range []string{"lab", "net"} {
		matches(t, "status "+name, run(exitOK, "ipsec", "status", name), append(routed, sas...)...)
	}
	matches(t, "status of nothing", run(exitOK, "ipsec", "status", "x"), sas[0], "  no match")
	matches(t, "statusall", run(exitOK, "ipsec", "statusall"),
		`Status of IKE charon daemon \(esplanade .*\):`, `  uptime: \d+ seconds?, since \w{3} \d\d .*`, `  worker threads: \d+ of \d+ idle, \d/\d/\d/\d working, job queue: \d/\d/\d/\d, scheduled: \d+`,
		`  loaded plugins: .+`, `Connections:`, `         lab:  127\.0\.0\.1\.\.\.127\.0\.0\.1  IKEv2, dpddelay=30s`, `         lab:   local:  \[left\.example\] uses pre-shared key authentication`,
		`         lab:   remote: \[right\.example\] uses pre-shared key authentication`, `         net:   child:  10\.1\.0\.1/32 === 10\.2\.0\.1/32 TUNNEL, dpdaction=\w+`,
		routed[0], routed[1], routed[2], sas[0], sas[1], head+`IKEv2 SPIs: [0-9a-f]{16}_i\* [0-9a-f]{16}_r, rekeying in \d+ \w+`, head+`IKE proposal: AES_GCM_16_256/PRF_HMAC_SHA2_384/CURVE_25519`, sas[2],
		child+`AES_GCM_16_128(/CURVE_25519)?, 0 bytes_i, 0 bytes_o, rekeying in \d+ minutes`, sas[3])

	direction := func(dir string) []string {
		context := []string{"\tanti-replay context: seq 0x0, oseq 0x0, bitmap 0x00000000"}
		if dir == "in" {
			context = []string{"\tanti-replay esn context:", "\t seq-hi 0x0, seq 0x0, oseq-hi 0x0, oseq 0x0", "\t replay_window 4096, bitmap-length 0"}
		}
		lines := []string{
			`src 127\.0\.0\.1 dst 127\.0\.0\.1`, "\tproto esp spi 0x[0-9a-f]{8} reqid 1 mode tunnel", "\treplay-window 0 flag af-unspec", "\taead rfc4106\\(gcm\\(aes\\)\\) KEY 128",
			"\tencap type espinudp sport \\d+ dport \\d+ addr 0\\.0\\.0\\.0",
		}
		return append(append(lines, context...), "\tdir "+dir)
	}
	key := func(text string, lines []string) (out []string) {
		for _, l := range lines {
			out = append(out, strings.ReplaceAll(l, "KEY", text))
		}
		return out
	}
	states := append(direction("out"), direction("in")...)
	matches(t, "xfrm state", run(exitOK, "xfrm", "state"), key("<<Keys hidden>>", states)...)
	if os.Getuid() == 0 {
		matches(t, "xfrm state --keys", run(exitOK, "xfrm", "state", "list", "--keys"), key("0x[0-9a-f]{40}", states)...)
	} else if out := run(exitFailed, "xfrm", "state", "--keys"); !strings.Contains(out, "keys are for root alone") {
		t.Errorf("keys for another user: %s", out)
	}
	var policies []string
	for _, dir := range []string{"out", "fwd", "in"} {
		src, dst, spi := `10\.2\.0\.1/32`, `10\.1\.0\.1/32`, ""
		if dir == "out" {
			src, dst, spi = dst, src, "spi 0x[0-9a-f]{8} "
		}
		policies = append(policies, "src "+src+" dst "+dst+" ", "\tdir "+dir+" priority 367231 ptype main ", `	tmpl src 127\.0\.0\.1 dst 127\.0\.0\.1`, "\t\tproto esp "+spi+"reqid 1 mode tunnel")
	}
	matches(t, "xfrm policy", run(exitOK, "xfrm", "policy"), policies...)

	if code, _, out := cli("ipsec", "restart"); code != exitUsage || !strings.Contains(out, "systemctl restart esplanade") {
		t.Error(out)
	}
	if out := run(exitUsage, "xfrm", "state", "flush"); !strings.Contains(out, "terminate") {
		t.Error(out)
	}
	if out := run(exitOK, "ipsec", "down", "net{*}"); !strings.Contains(out, "closing 'net{*}' successfully\n") {
		t.Error(out)
	}
	if out := run(exitOK, "ipsec", "up", "net"); !strings.Contains(out, "connection 'net' established successfully\n") {
		t.Error(out)
	}
	run(exitOK, "ipsec", "down", "lab")
	if out := run(exitFailed, "ipsec", "up", "nothing"); !strings.Contains(out, "establishing connection 'nothing' failed") {
		t.Error(out)
	}
	run(exitOK, "ipsec", "reload")
}

// TestBracketed: strongSwan's names of single SAs.
func TestBracketed(t *testing.T) {
	for in, want := range map[string][3]string{
		"net": {"net", "", ""}, "net{*}": {"net", "", "child"}, "net{7}": {"net", "7", "child"}, "gw[3]": {"gw", "3", "ike"}, "gw[*]": {"gw", "", "ike"}, "a[": {"a[", "", ""},
	} {
		if name, number, kind := bracketed(in); [3]string{name, number, kind} != want {
			t.Errorf("%s: %q %q %q", in, name, number, kind)
		}
	}
}
