package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"esplanade/config"
	"esplanade/ike/diag"
)

// TestOneLineForEachExchange: each exchange has exactly one line in the log of either side, which names it, the peer and
// what was in it.
func TestOneLineForEachExchange(t *testing.T) {
	l := newLab(t)
	left, right := l.pair(nil)
	for _, name := range []string{"net", "lab"} {
		before := left.seen.count()
		if code, _, stderr := cli("rekey", name, "--socket", left.socket); code != exitOK {
			t.Fatal(stderr)
		}
		left.seen.await(t, "the rekeying of "+name, func(w *watcher) bool { return w.childRekeys+w.ikeRekeys > before })
	}
	for _, n := range []*node{left, right} {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	}
	for _, n := range []*node{left, right} {
		lines := n.log.lines()
		n.seen.mu.Lock()
		exchanges := n.seen.exchanges
		n.seen.mu.Unlock()
		if len(exchanges) < 6 { // IKE_SA_INIT, IKE_AUTH, two CREATE_CHILD_SA, the old SAs' two INFORMATIONAL
			t.Errorf("%d exchanges", len(exchanges))
		}
		for _, x := range exchanges {
			found := 0
			for _, line := range lines {
				if strings.Contains(line, fmt.Sprintf("request=%q", x.Request)) && strings.Contains(line, fmt.Sprintf("response=%q", x.Response)) &&
					strings.Contains(line, "peer="+x.Path.Remote.String()) && strings.Contains(line, " connection=lab ") &&
					strings.Contains(line, "exchange="+x.Exchange.String()) {
					found++
				}
			}
			same := 0 // exchanges of successive IKE SAs can be the same in every word
			for _, y := range exchanges {
				if y.Request == x.Request && y.Response == x.Response {
					same++
				}
			}
			if found != same {
				t.Errorf("%s has %d lines, want %d", x.Request, found, same)
			}
		}
	}
}

// TestLogHandler: format and level are those of the configuration, and the level can be changed afterwards.
func TestLogHandler(t *testing.T) {
	for _, c := range []struct {
		conf config.Log
		want func(string) bool
	}{
		{config.Log{Level: slog.LevelWarn, Format: config.LogText}, func(s string) bool { return strings.Contains(s, ` level=WARN msg="a warning" k=v`) }},
		{config.Log{Level: slog.LevelWarn, Format: config.LogJSON}, func(s string) bool {
			var m map[string]any
			return json.Unmarshal([]byte(s), &m) == nil && m["msg"] == "a warning" && m["level"] == "WARN" && m["k"] == "v"
		}},
	} {
		var b bytes.Buffer
		h, level := newLogHandler(&b, c.conf)
		log := slog.New(h)
		log.Info("too much")
		log.Warn("a warning", "k", "v")
		if !c.want(b.String()) || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%v: %s", c.conf, b.String())
		}
		b.Reset()
		level.Set(slog.LevelDebug)
		log.Debug("all")
		if !strings.Contains(b.String(), "all") {
			t.Errorf("%v: nothing after the level was changed", c.conf)
		}
	}
}

// maxInfoLine is how long a line at level info may be with names of ordinary lengths, in characters.
const maxInfoLine = 300

// TestLogIsShort: a tunnel that comes up takes a handful of short lines, and one that fails says so once, with its fix.
func TestLogIsShort(t *testing.T) {
	l := newLab(t)
	plain := func(s side) *node {
		n := l.make(s)
		n.close()
		n = &node{seen: newWatcher(), log: &logBuffer{}, socket: n.socket}
		conf, err := config.Load(l.path(s.name + ".toml"))
		if err != nil {
			t.Fatal(err)
		}
		h, level := newLogHandler(n.log, conf.Log)
		if n.gateway, err = newGateway(conf, gatewayOptions{log: h, level: level, observer: n.seen, ephemeral: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.close)
		n.start(t, n.run)
		return n
	}
	right := plain(rightSide())
	left := plain(leftSide(right.natt()))
	for _, n := range []*node{left, right} {
		n.seen.await(t, "the tunnel", func(w *watcher) bool { return w.up > 0 })
	}
	lines := left.log.lines()
	up := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, "child net is up") })
	if up < 0 || up > 6 { // what runs, its warning, connecting, two exchanges, established
		t.Errorf("line %d of\n%s", up+1, left.log)
	}
	for _, name := range []string{"net", "lab"} {
		before := left.seen.count()
		if code, _, stderr := cli("rekey", name, "--socket", left.socket); code != exitOK {
			t.Fatal(stderr)
		}
		left.seen.await(t, "the rekeying of "+name, func(w *watcher) bool { return w.childRekeys+w.ikeRekeys > before })
	}
	cli("terminate", "lab", "--socket", left.socket)
	if err := right.stop(); err != nil {
		t.Error(err)
	}
	cli("initiate", "lab", "--socket", left.socket) // nobody is there
	for _, n := range []*node{left, right} {
		for _, line := range n.log.lines() {
			if n := utf8.RuneCountInString(line); strings.Contains(line, "level=INFO") && n > maxInfoLine {
				t.Errorf("%d characters: %s", n, line)
			}
			if strings.Contains(line, "failure.") || strings.Contains(line, "msg=E-") && !strings.Contains(line, " fix=") {
				t.Errorf("a failure is repeated, or has no fix: %s", line)
			}
		}
	}
	if !strings.Contains(left.log.String(), `msg="E-`) {
		t.Errorf("nothing has failed\n%s", left.log)
	}
}

// TestPlainHandler: what is left out of a line for people is there for programs, and for those who look closer.
func TestPlainHandler(t *testing.T) {
	f := diag.Unreachable(diag.Where{Connection: "office"}, errors.New("network is unreachable"))
	for _, c := range []struct {
		conf       config.Log
		has, hasnt []string
	}{
		{config.Log{Format: config.LogText}, []string{`fix="`, "took=3ms", "k=v", "selectors=\"" + strings.Repeat("x ", 40)},
			[]string{"failure", "request", "octets", "retransmits", strings.Repeat("x ", 60)}},
		{config.Log{Format: config.LogText, Level: slog.LevelDebug}, []string{`fix="`, "request=", "octets=1", "retransmits=0"}, []string{"failure."}},
		{config.Log{Format: config.LogJSON}, []string{`"failure":{"code":"E-UNREACHABLE"`, `"request"`, `"retransmits":0`, strings.Repeat("x ", 150)}, nil},
	} {
		var b bytes.Buffer
		h, _ := newLogHandler(&b, c.conf)
		log := slog.New(h).With("k", "v")
		log.Info("made IKE_AUTH 1", "exchange", "IKE_AUTH", "request", "[ IDi ]", "octets", 1, "retransmits", 0, "took", 3*time.Millisecond)
		log.Warn(f.Summary(), "failure", f)
		log.Warn(f.Summary(), "failure", f.Brief())
		log.Info("child net is up", "selectors", strings.Repeat("x ", 150))
		for _, want := range c.has {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%+v: no %q in\n%s", c.conf, want, b.String())
			}
		}
		for _, not := range c.hasnt {
			if strings.Contains(b.String(), not) {
				t.Errorf("%+v: %q is in\n%s", c.conf, not, b.String())
			}
		}
		if c.conf.Format == config.LogText && strings.Count(b.String(), "fix=") != 2 {
			t.Errorf("a failure without its fix:\n%s", b.String())
		}
	}
}
