package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestExportedComesIn: the configuration that export writes for another Esplanade brings its user in. In front of it is what the lab needs of every
// node, and the one change is the port: the gateway of the lab is not at 500.
func TestExportedComesIn(t *testing.T) {
	l := newUsersLab(t, "alice = { password = \"alices \\\"Passwort\\\"\", groups = \"staff\" }\n", `auth = "eap-mschapv2"`+"\n"+`groups = "staff"`)
	out := l.path("people.toml")
	code, stdout, stderr := cli("export", "toml", "people", "alice", "-c", l.right.conf.File, "--gateway", "127.0.0.1", "--with-secret", "--ca", l.path("gw.pem"), "-o", out)
	if code != exitOK || stdout != "" {
		t.Fatalf("%d, %s, %s", code, stdout, stderr)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(l.path("gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	l.write("people-ca.crt", string(ca))
	// The writer puts the equals signs below each other.
	text := regexp.MustCompile(`(?m)^remote_addrs += .*$`).ReplaceAllString(string(data), fmt.Sprintf("remote_addrs = \"127.0.0.1\"\nlocal_addrs = \"127.0.0.1\"\nremote_port = %d", l.port))
	n := l.makeOf("alice", fmt.Sprintf(`
[control]
socket = %q
[metrics]
listen = "127.0.0.1:0"
[tun]
device = "netstack"
addresses = ["10.1.0.1/32"]
[ike]
retransmit_timeout = "200ms"
`, l.path("alice.vici"))+text)
	n.start(t, func(ctx context.Context) error { return n.run(ctx) })
	n.seen.await(t, "the tunnel of alice", func(w *watcher) bool { return w.up > 0 })
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	// A user whom the connection is not for has nothing to export.
	if code, _, stderr := cli("export", "toml", "people", "bob", "-c", l.right.conf.File); code != exitFailed || !strings.Contains(stderr, `has no user "bob"`) {
		t.Errorf("%d, %s", code, stderr)
	}
}
