package strangers

import (
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
	commandtest.Refused(t, Command, "--refused 1", "--expensive 0", "--for 1ms", "surplus", "--unknown")
}
