package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"esplanade/bench/command"
)

func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("-rounds 1 -phase 5s -every 500ms -streams 2 -out x -binary y"), io.Discard)
	if err != nil || o != (options{rounds: 1, streams: 2, phase: 5 * time.Second, every: 500 * time.Millisecond, out: "x", binary: "y"}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range []string{"-rounds 0", "-rounds 101", "-phase 1s", "-every 100ms", "-every 21s", "-streams 1", "-streams 65", "surplus", "-unknown"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
