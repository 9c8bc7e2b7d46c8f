package lab

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const line = "1234 (a (strange) name) S 1 1234 1234 0 -1 4194560 100 0 0 0 150 75 9 9 20 0 5 0 12345 1000 200\n"
	got, err := parseStat([]byte(line))
	if err != nil || got != 2250*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	// Every prefix that lacks a field is an error.
	for n := range strings.Index(line, " 75") {
		if d, err := parseStat([]byte(line[:n])); !errors.Is(err, errProc) {
			t.Errorf("%q: %v, %v", line[:n], d, err)
		}
	}
	if _, err := parseStat([]byte("1 (x) S 1 1 1 0 -1 4 1 0 0 0 x 75 9 9")); !errors.Is(err, errProc) {
		t.Error(err)
	}
}

func TestParseMachine(t *testing.T) {
	busy, stolen, err := parseMachine([]byte("cpu  100 20 30 9000 500 1 2 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"))
	if err != nil || busy != 1530*time.Millisecond || stolen != 70*time.Millisecond {
		t.Errorf("%v, %v, %v", busy, stolen, err)
	}
	for _, bad := range []string{"", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2 3 4 5 6 7", "cpu 1 2 x 4 5 6 7 8"} {
		if _, _, err := parseMachine([]byte(bad)); !errors.Is(err, errProc) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseRSS(t *testing.T) {
	got, err := parseRSS([]byte("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n"))
	if err != nil || got != 2<<20 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "VmRSS:", "VmRSS: x kB", "VmRSS: 1 MB"} {
		if _, err := parseRSS([]byte(bad)); !errors.Is(err, errProc) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestListens(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100140A:1451 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100140A:1452 0100140A:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
`
	for port, want := range map[uint16]bool{0x1451: true, 0x1452: false, 0x1f90: false, 80: false} {
		if got := listens([]byte(table), port); got != want {
			t.Errorf("port %d: %v", port, got)
		}
	}
}

func TestField(t *testing.T) {
	const cpuinfo = "processor\t: 0\nmodel name\t: Some: CPU\n\nmodel name\t: Another\n"
	for name, want := range map[string]string{"model name": "Some: CPU", "processor": "0", "model": "", "": ""} {
		if got := field(cpuinfo, name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
