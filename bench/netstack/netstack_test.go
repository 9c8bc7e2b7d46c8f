package netstack

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
	"esplanade/bench/proof"
)

// Every contestant gets through every pattern, and carries data only where it is asked to. How much is no matter of a test.
func TestNetstackMeasure(t *testing.T) {
	o := &Options{runs: 1, duration: 200 * time.Millisecond}
	r := results{Runs: o.runs, Seconds: o.duration.Seconds()}
	for _, w := range patterns {
		for _, x := range contestants {
			if raceEnabled && !x.ours {
				continue // wireguard-go has races of its own
			}
			m, err := measure(t.Context(), x, w, o.duration)
			if err != nil {
				t.Fatalf("%s, %s: %v", x.name, w.name, err)
			}
			if !w.forth && m.Forth > 0 || !w.back && m.Back > 0 {
				t.Errorf("%+v", m)
			}
			r.Measured = append(r.Measured, m)
		}
	}
	if raceEnabled {
		return // the table needs all of them
	}
	o.Out = t.TempDir()
	if err := write(o, r, proof.Conditions{}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.Out + "/netstack.md")
	if err != nil || !strings.Contains(string(b), "| Esplanade, aes128gcm16 |") || !strings.Contains(string(b), "| wireguard-go, chacha20poly1305 |") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		m    measured
		want string
	}{
		"well":           {measured{Ours: true, Pattern: both, Forth: 100, Back: 190}, ""},
		"lopsided":       {measured{Ours: true, Pattern: both, Forth: 100, Back: 210}, "2.1 times"},
		"one starved":    {measured{Ours: true, Pattern: both, Forth: 100}, "times"},
		"one way":        {measured{Ours: true, Pattern: patterns[0].name, Forth: 100}, ""},
		"theirs":         {measured{Pattern: both, Forth: 1, Back: 100}, ""},
		"nothing at all": {measured{Pattern: both}, "nothing was carried"},
	} {
		err := (&results{Measured: []measured{c.m}}).judge()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--runs 2 --duration 300ms --out x")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, runs: 2, duration: 300 * time.Millisecond}); *o != want {
		t.Errorf("%+v", o)
	}
	for _, args := range []string{"--runs 0", "--duration 1ms", "surplus", "--unknown"} {
		if _, err := commandtest.Parse(Command, args); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
