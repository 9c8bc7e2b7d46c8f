package flood

import (
	"errors"
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--rate 10 --for 2s --out x")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, rate: 10, duration: 2 * time.Second}); *o != want {
		t.Errorf("%+v", o)
	}
	for _, args := range []string{"--rate 0", "--rate 10000001", "--for 1ms", "surplus", "--unknown"} {
		if _, err := commandtest.Parse(Command, args); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
