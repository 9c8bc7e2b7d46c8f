//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/hooks"
)

// TestHooks: a gateway calls the updown command of its child, tells what happens to a command and to readers of its socket, and does all of
// it once more for its end.
func TestHooks(t *testing.T) {
	l := newLab(t)
	right := l.start(rightSide())
	s := leftSide(right.natt())
	s.top = fmt.Sprintf("[events]\ncommand = \"cat > %s\"\nsocket = %q\n", l.path("lines"), l.path("events"))
	text := strings.Replace(l.text(s), "start_action =", fmt.Sprintf("updown = \"echo $PLUTO_VERB $PLUTO_CONNECTION $PLUTO_PEER_ID $PLUTO_INTERFACE >> %s\"\nstart_action =", l.path("calls")), 1)
	left := l.makeOf("left", text)
	conn, err := net.Dial("unix", l.path("events"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	lines := bufio.NewScanner(conn)
	if !lines.Scan() { // from then on nothing is missed
		t.Fatal(lines.Err())
	}
	fromSocket := []string{eventOf(t, lines.Bytes())}
	left.start(t, func(ctx context.Context) error { return left.run(ctx) })
	left.seen.await(t, "the tunnel", func(w *watcher) bool { return w.up > 0 })
	if _, err := left.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := left.stop(); err != nil {
		t.Fatal(err)
	}
	wants := []string{hooks.EventHello, hooks.EventIKEUp, hooks.EventChildUp, hooks.EventReloaded, hooks.EventChildDown, hooks.EventIKEDown}
	for lines.Scan() {
		fromSocket = append(fromSocket, eventOf(t, lines.Bytes()))
	}
	b, err := os.ReadFile(l.path("lines"))
	if err != nil {
		t.Fatal(err)
	}
	var fromCommand []string
	for line := range strings.Lines(string(b)) {
		fromCommand = append(fromCommand, eventOf(t, []byte(line)))
	}
	for who, got := range map[string][]string{"the socket": fromSocket, "the command": fromCommand} {
		if !slices.Equal(got, wants) {
			t.Errorf("%s got %q, want %q", who, got, wants)
		}
	}
	if b, err := os.ReadFile(l.path("calls")); err != nil || string(b) != "up-client net right.example unknown\ndown-client net right.example unknown\n" {
		t.Errorf("updown: %q, %v", b, err)
	}
}

// eventOf is the event of a line.
func eventOf(t *testing.T, line []byte) string {
	t.Helper()
	var r hooks.Record
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return r.Event
}

// TestHookRemarks: what cannot be run on this host is said before it is to be run; a shell's text is not looked at.
func TestHookRemarks(t *testing.T) {
	l := newLab(t)
	script := l.write("script", "#!/bin/sh\n")
	s := leftSide(500)
	s.top = "[hooks]\nuser = \"no-such-user-here\"\n[events]\ncommand = \"/no/such/program\"\n"
	for command, want := range map[string]string{script: "it cannot be executed", "/no/such/script": "there is no such file", "/no/such/script with": "", "/bin/sh": ""} {
		conf, err := config.Load(l.write("left.toml", strings.Replace(l.text(s), "start_action =", fmt.Sprintf("updown = %q\nstart_action =", command), 1)))
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, r := range hookRemarks(conf) {
			texts = append(texts, r.String())
		}
		if len(texts) < 2 || !strings.Contains(texts[0], "no-such-user-here") || !strings.Contains(texts[1], `events.command "/no/such/program": there is no such file`) {
			t.Errorf("%q", texts)
		}
		switch found := len(texts) > 2; {
		case found != (want != ""):
			t.Errorf("%s: %q", command, texts)
		case found && (!strings.Contains(texts[2], fmt.Sprintf("left.toml:%d:", 1+strings.Count(l.text(s)[:strings.Index(l.text(s), "start_action =")], "\n"))) || !strings.Contains(texts[2], want)):
			t.Errorf("%s: %q", command, texts[2])
		}
	}
}
