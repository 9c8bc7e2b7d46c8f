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
	o, err := parse(strings.Fields("-refused 600 -expensive 3 -for 2s -out x"), io.Discard)
	if err != nil || o != (options{refused: 600, expensive: 3, duration: 2 * time.Second, out: "x"}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range []string{"-refused 1", "-expensive 0", "-for 1ms", "surplus", "-unknown"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
