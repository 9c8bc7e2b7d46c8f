package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esplanade/config"
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
