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
	o, err := parse(strings.Fields("-for 1m -interval 2s -streams 2 -out x -binary y"), io.Discard)
	if err != nil || o != (options{length: time.Minute, interval: 2 * time.Second, streams: 2, out: "x", binary: "y"}) {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := parse(nil, io.Discard); err != nil || o.length != 10*time.Minute {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range []string{"-for 40s", "-interval 10ms", "-streams 1", "-streams 65", "surplus", "-unknown"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
