package thousand

import (
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "-n 10 --for 2s --out x")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, count: 10, duration: 2 * time.Second}); *o != want {
		t.Errorf("%+v", o)
	}
	commandtest.Refused(t, Command, "-n 0", "-n 4001", "--for 1ms", "surplus", "--unknown")
}
