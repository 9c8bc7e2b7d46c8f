package rekey

import (
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--rounds 1 --phase 5s --every 500ms --streams 2 --out x --binary y")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, rounds: 1, streams: 2, phase: 5 * time.Second, every: 500 * time.Millisecond, binary: "y"}); *o != want {
		t.Errorf("%+v", o)
	}
	commandtest.Refused(t, Command, "--rounds 0", "--rounds 101", "--phase 1s", "--every 100ms", "--every 21s", "--streams 1", "--streams 65", "surplus", "--unknown")
}
