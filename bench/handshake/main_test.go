package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"esplanade/bench/command"
)

func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("-n 10 -c 2 -runs 4 -out x -profile y"), io.Discard)
	if err != nil || o != (options{count: 10, atOnce: 2, runs: 4, out: "x", profile: "y"}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range []string{"-n 0", "-n 60001", "-c 0", "-runs 0", "-runs 101", "surplus", "-unknown"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
