package users

import (
	"reflect"
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "-n 100 -c 4 --for 20s --out x")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, count: 100, atOnce: 4, duration: 20 * time.Second}); !reflect.DeepEqual(*o, want) {
		t.Errorf("%+v", o)
	}
	commandtest.Refused(t, Command, "-n 9", "-n 30001", "-c 0", "--for 1ms", "surplus", "--unknown")
}
