package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
)

// usersLab is a gateway with users in a file, at the right, and what its clients are made of.
type usersLab struct {
	*lab
	right *node
	port  uint16
}

// newUsersLab starts the gateway. remote are lines of its remote table.
func newUsersLab(t *testing.T, users, remote string) *usersLab {
	l := &usersLab{lab: newLab(t)}
	cert, key := certificate(t, newKey(t), nil)
	l.write("gw.pem", cert)
	l.write("gw.key", key)
	l.write("users.toml", users)
	l.right = l.makeOf("right", fmt.Sprintf(`
[control]
socket = %q
[metrics]
listen = "127.0.0.1:0"
[tun]
device = "netstack"
addresses = ["10.2.0.1/32"]
[ike]
retransmit_timeout = "200ms"
[users]
file = "users.toml"
[credentials]
x509 = "gw.pem"
private = "gw.key"
[connections.people]
local_addrs = "127.0.0.1"
local_ts = "10.2.0.1/32"
remote_ts = "10.1.0.0/24"
[connections.people.local]
id = "right.example"
[connections.people.remote]
%s
`, l.path("right.vici"), remote))
	l.right.certInterval = 5 * time.Millisecond
	l.right.start(t, func(ctx context.Context) error { return l.right.run(ctx) })
	l.port = l.right.natt()
	return l
}

// client starts somebody who comes in with a name and a password.
func (l *usersLab) client(who, name, password, method string) *node {
	l.t.Helper()
	n := l.makeOf(who, fmt.Sprintf(`
[control]
socket = %q
[metrics]
listen = "127.0.0.1:0"
[tun]
device = "netstack"
addresses = ["10.1.0.1/32"]
[ike]
retransmit_timeout = "200ms"
[credentials]
x509ca = "gw.pem"
[connections.gw]
local_addrs = "127.0.0.1"
remote_addrs = "127.0.0.1"
remote_port = %d
local_ts = "10.1.0.1/32"
remote_ts = "10.2.0.1/32"
[connections.gw.local]
auth = %q
id = "laptop"
eap_id = %q
[connections.gw.remote]
id = "right.example"
[secrets.eap.me]
id = %q
secret = %q
`, l.path(who+".vici"), l.port, method, name, name, password))
	n.start(l.t, func(ctx context.Context) error { return n.run(ctx) })
	return n
}

// failure waits for the first failure that a node tells of, other than that a peer which was up has gone: that may be late.
func (n *node) failure(t *testing.T) (f *diag.Failure) {
	t.Helper()
	n.seen.await(t, "a failure of "+n.conf.File, func(w *watcher) bool {
		i := slices.IndexFunc(w.failures, func(f *diag.Failure) bool { return f.Code != diag.CodeDeleted })
		if i >= 0 {
			f = w.failures[i]
		}
		return i >= 0
	})
	return f
}

// TestUsersComeIn: a user of the users file comes in with the right password; a wrong one, a name that is none and a user of another group do not, and each side says what it knows of that. No log has a password in it.
func TestUsersComeIn(t *testing.T) {
	l := newUsersLab(t, `
alice = { password = "alices Passwort", groups = "staff" }
bob = { nt_hash = "44ebba8d5312b8d611474411f56989ae", groups = ["guests", "staff"] }
carol = { password = "carols Passwort", groups = "guests" }
`, `auth = "eap-mschapv2"`+"\n"+`groups = ["staff", "ops"]`)
	for _, x := range []struct{ name, password string }{{"alice", "alices Passwort"}, {`EXAMPLE\Bob`, "clientPass"}} {
		n := l.client("left-"+strings.TrimPrefix(x.name, `EXAMPLE\`), x.name, x.password, "eap-mschapv2")
		n.seen.await(t, "the tunnel of "+x.name, func(w *watcher) bool { return w.up > 0 })
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		name, password string
		code           diag.Code
		says           []string
	}{
		{"alice", "bobs Passwort", diag.CodeEAPPassword, []string{"alice", "eap-mschapv2", "people"}},
		{"mallory", "x", diag.CodeEAPUser, []string{"mallory", "users file"}},
		{"carol", "carols Passwort", diag.CodeEAPAllowed, []string{"carol", "guests", "staff, ops"}},
	} {
		l.right.seen.note(func() { l.right.seen.failures = nil })
		n := l.client("no-"+x.name, x.name, x.password, "eap-mschapv2")
		if f := n.failure(t); f.Code != diag.CodeEAPRefused && f.Code != diag.CodeAuthRefused {
			t.Errorf("%s is told %s: %s", x.name, f.Code, f.Error())
		}
		f := l.right.failure(t)
		text := f.Error() + " " + f.Fix
		if f.Code != x.code {
			t.Errorf("%s: the gateway says %s, want %s: %s", x.name, f.Code, x.code, text)
		}
		for _, want := range x.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s\ndoes not have %q", x.name, text, want)
			}
		}
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
		if log := n.log.String(); strings.Contains(log, x.password) && x.password != "x" {
			t.Errorf("the client's log shows the password of %s", x.name)
		}
	}
	if log := l.right.log.String(); strings.Contains(log, "Passwort") || strings.Contains(log, "44ebba") {
		t.Error("the gateway's log shows a password")
	}
}

// TestUsersOnDisk: a running gateway takes another users file up, and goes on with the users that it has if a line of it is wrong. Who was removed
// or disabled is put out, and does not come in again.
func TestUsersOnDisk(t *testing.T) {
	l := newUsersLab(t, "alice = \"alices Passwort\"\n", `auth = "eap-mschapv2"`)
	put := func(text string) {
		l.write("users.tmp", text)
		if err := os.Rename(l.path("users.tmp"), l.path("users.toml")); err != nil {
			t.Fatal(err)
		}
	}
	await := func(what string) {
		t.Helper()
		for deadline := time.Now().Add(patience); !strings.Contains(l.right.log.String(), what); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q does not come\n%s", what, l.right.log)
			}
		}
	}
	alice := l.client("alice", "alice", "alices Passwort", "eap")
	alice.seen.await(t, "the tunnel of the first user", func(w *watcher) bool { return w.up > 0 })
	put("bob = \"bobs Passwort\"\nalice\n")
	await("users.toml:2:")
	if ups, downs := l.right.seen.children(); ups != 1 || downs != 0 {
		t.Errorf("a wrong line: %d up, %d down", ups, downs)
	}
	put("bob = \"bobs Passwort\"\ncarol = { password = \"carols Passwort\", disabled = true }\n")
	await("users have changed, and there are 2")
	alice.seen.await(t, "the end for a user who was removed", func(w *watcher) bool { return w.down > 0 })
	await("the user was removed")
	if err := alice.stop(); err != nil {
		t.Fatal(err)
	}
	n := l.client("left", "bob", "bobs Passwort", "eap")
	n.seen.await(t, "the tunnel of a new user", func(w *watcher) bool { return w.up > 0 })
	put("bob = { password = \"bobs Passwort\", disabled = true }\ncarol = { password = \"carols Passwort\", disabled = true }\n")
	n.seen.await(t, "the end for a user who was disabled", func(w *watcher) bool { return w.down > 0 })
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	l.right.seen.note(func() { l.right.seen.failures = nil })
	locked := l.client("locked", "carol", "carols Passwort", "eap")
	locked.failure(t)
	if f := l.right.failure(t); f.Code != diag.CodeEAPPassword || !strings.Contains(f.Error(), "carol") {
		t.Errorf("the gateway says of a user who is disabled: %s", f.Error())
	}
	if err := locked.stop(); err != nil {
		t.Fatal(err)
	}
	l.right.seen.note(func() { l.right.seen.failures = nil })
	gone := l.client("gone", "Alice", "alices Passwort", "eap")
	gone.failure(t)
	if f := l.right.failure(t); f.Code != diag.CodeEAPUser {
		t.Errorf("the gateway says of a user who was removed: %s", f.Error())
	}
}
