package strangers

import (
	"errors"
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--refused 600 --expensive 3 --for 2s --out x")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, refused: 600, expensive: 3, duration: 2 * time.Second}); *o != want {
		t.Errorf("%+v", o)
	}
	for _, args := range []string{"--refused 1", "--expensive 0", "--for 1ms", "surplus", "--unknown"} {
		if _, err := commandtest.Parse(Command, args); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
