package soak

import (
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--for 1m --interval 2s --streams 2 --out x --binary y")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, length: time.Minute, interval: 2 * time.Second, streams: 2, binary: "y"}); *o != want {
		t.Errorf("%+v", o)
	}
	if o, err := commandtest.Parse(Command, ""); err != nil || o.length != 10*time.Minute {
		t.Errorf("%+v, %v", o, err)
	}
	commandtest.Refused(t, Command, "--for 40s", "--interval 10ms", "--streams 1", "--streams 65", "surplus", "--unknown")
}
