package iperf

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The files are of senders limited to 200 Mbit/s for each stream, one second of warm-up and two that count.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		name          string
		forward, back float64 // in units of 200 Mbit/s
		bytes         float64 // three seconds of it, in bytes
	}{
		{name: "one", forward: 1, bytes: 75e6},
		{name: "eight", forward: 8, bytes: 600e6},
		{name: "reverse", back: 1, bytes: 75e6},
		{name: "bidir", forward: 1, back: 1, bytes: 150e6},
	} {
		r, err := Parse(load(t, c.name))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 0.01*want {
				t.Errorf("%s: %s is %g, want %g", c.name, what, got, want)
			}
		}
		near("forward", r.Forward, c.forward*200e6)
		near("reverse", r.Reverse, c.back*200e6)
		near("the sum", r.BitsPerSecond, (c.forward+c.back)*200e6)
		near("bytes", r.Bytes, c.bytes)
		if len(r.PerSecond) != 2 {
			t.Errorf("%s: %d seconds that count", c.name, len(r.PerSecond))
		}
	}
}

func TestParseFailures(t *testing.T) {
	_, err := Parse(load(t, "refused"))
	if !errors.Is(err, ErrOutput) || !strings.Contains(err.Error(), "Connection refused") {
		t.Errorf("refused: %v", err)
	}
	for _, bad := range []string{"", "iperf3: error - unable", "{}", `{"end":{}}`, strings.Repeat("x", 1000)} {
		if _, err := Parse([]byte(bad)); !errors.Is(err, ErrOutput) || len(err.Error()) > 400 {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestArgs(t *testing.T) {
	got := strings.Join(Test{Streams: 8, Bidir: true, Duration: 5 * time.Second, WarmUp: time.Second, Rate: 1.5e9}.ClientArgs("10.1.0.1", "10.2.0.1"), " ")
	want := "iperf3 -c 10.2.0.1 -B 10.1.0.1 -p 5201 -J --connect-timeout 5000 -t 5 -O 1 -P 8 --bidir -b 1500000000"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = strings.Join(Test{Streams: 1, Reverse: true, Duration: time.Second}.ClientArgs("a", "b"), " ")
	if want := "iperf3 -c b -B a -p 5201 -J --connect-timeout 5000 -t 1 -O 0 -R"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
