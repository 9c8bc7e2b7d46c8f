package handshake

import (
	"reflect"
	"testing"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "-n 10 -c 2 --runs 4 --out x --profile y --auth ecdsa")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, count: 10, atOnce: 2, runs: 4, profile: "y", auth: []string{"ecdsa"}}); !reflect.DeepEqual(*o, want) {
		t.Errorf("%+v", o)
	}
	commandtest.Refused(t, Command, "-n 0", "-n 60001", "-c 0", "--runs 0", "--runs 101", "surplus", "--unknown", "--auth dsa", "--profile y")
}
