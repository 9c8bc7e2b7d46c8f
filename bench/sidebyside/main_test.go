package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/report"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-runs", "3", "-only", "esplanade, wireguard-go", "-wires", "mtu", "-what", "tcp,udp", "-seconds", "7s"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.runs != 3 || o.tcp != 7*time.Second || !slices.Equal(o.wires, []report.Wire{report.WireMTU}) {
		t.Errorf("%+v", o)
	}
	if !o.takesPart(report.KeyWireGuard) || o.takesPart(report.KeySwan) || !o.measures(whatUDP) || o.measures(whatLatency) {
		t.Errorf("%+v", o)
	}
	if got := strings.Join(o.command, " "); !strings.HasSuffix(got, "sidebyside -runs 3 -only esplanade, wireguard-go -wires mtu -what tcp,udp -seconds 7s") {
		t.Errorf("the command is noted as %q", got)
	}
}

func TestParseDefaults(t *testing.T) {
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.runs != 5 || len(o.wires) != 2 || o.quick {
		t.Errorf("%+v", o)
	}
	for _, key := range contestantKeys() {
		if !o.takesPart(key) {
			t.Errorf("%s takes no part", key)
		}
		if title(key) == "" {
			t.Errorf("%s has no title", key)
		}
	}
	if q, err := parse([]string{"-quick"}, io.Discard); err != nil || q.runs != 1 || q.tcp >= o.tcp {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range []string{"-runs 0", "-runs 101", "-only nobody", "-wires wet", "-wires ,", "-what everything", "-seconds 10ms", "-probe 1ms",
		"-ping 1ms", "-seconds many", "surplus", "-unknown"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
