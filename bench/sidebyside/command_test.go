package sidebyside

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"esplanade/bench/command/commandtest"
	"esplanade/bench/report"
)

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--runs 3 --only esplanade,wireguard-go --wires mtu --what tcp,udp --seconds 7s")
	if err != nil {
		t.Fatal(err)
	}
	if o.runs != 3 || o.tcp != 7*time.Second || !slices.Equal(o.cables(), []report.Wire{report.WireMTU}) {
		t.Errorf("%+v", o)
	}
	if !o.takesPart(report.KeyWireGuard) || o.takesPart(report.KeySwan) || !o.measures(whatUDP) || o.measures(whatLatency) {
		t.Errorf("%+v", o)
	}
	if want := "go run ./bench sidebyside --runs 3 --only esplanade,wireguard-go --wires mtu --what tcp,udp --seconds 7s"; o.Line != want {
		t.Errorf("the command is noted as %q", o.Line)
	}
}

// A report is made from figures that are there, on any system, and nothing is measured.
func TestAgain(t *testing.T) {
	dir := t.TempDir()
	figures, err := os.ReadFile("../results/results.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, figuresFile), figures, 0o600); err != nil {
		t.Fatal(err)
	}
	if o, err := commandtest.Parse(Command, "--again --out "+dir); err != nil || o != nil {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, name := range []string{"README.md", "throughput.svg"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(b) == 0 {
			t.Errorf("%s has %d bytes: %v", name, len(b), err)
		}
	}
	if _, err := commandtest.Parse(Command, "--again --out "+filepath.Join(dir, "empty")); err == nil {
		t.Error("a report was made from nothing")
	}
}

func TestParseDefaults(t *testing.T) {
	o, err := commandtest.Parse(Command, "")
	if err != nil {
		t.Fatal(err)
	}
	if o.runs != 5 || len(o.cables()) != 2 || o.quick {
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
	if q, err := commandtest.Parse(Command, "--quick"); err != nil || q.runs != 1 || q.tcp >= o.tcp {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestParseRefuses(t *testing.T) {
	commandtest.Refused(t, Command, "--runs 0", "--runs 101", "--only nobody", "--wires wet", "--wires ,", "--wires=", "--what everything", "--seconds 10ms", "--probe 1ms",
		"--ping 1ms", "--seconds many", "surplus", "--unknown")
}
