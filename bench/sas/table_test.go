package sas

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esplanade/bench/command/commandtest"
)

func output(many float64) string {
	metrics := func(name string, least float64) string {
		return fmt.Sprintf("\t%g %s:least-ns\t%g %s:median-ns\t1.05 %s:ratio-median\t0.9 %s:ratio-q1\t1.2 %s:ratio-q3", least, name, 2*least, name, name, name, name)
	}
	return "goos: linux\ncpu: Some - CPU\nBenchmarkInstalled/64-2 \t 100\t 123456 ns/op" + metrics("100/10000", 2*many) + metrics("1/10000", many) +
		metrics("1/1", 400) + metrics("100/100", 800) + metrics("10000/10000", 4000) + "\nPASS\nok\n"
}

func TestRead(t *testing.T) {
	rows, err := read(output(420))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 5 || rows[1] != (row{64, 1, 10000, 420, 840, 0.9, 1.05, 1.2}) || rows[4].active != 10000 {
		t.Errorf("%+v", rows)
	}
	good := output(420)
	for _, bad := range []string{
		"", "PASS\n", strings.Replace(good, "Installed/64-2", "Installed/large-2", 1), strings.Replace(good, "420 1/10000:least-ns", "x 1/10000:least-ns", 1),
		strings.Replace(good, "1/1:median-ns", "1/1:average", 1), strings.Replace(good, "1/1:median-ns", "1of1:median-ns", 1),
		strings.Replace(good, "400 1/1:least-ns", "0 1/1:least-ns", 1),
	} {
		if rows, err := read(bad); !errors.Is(err, errOutput) {
			t.Errorf("%q: %+v, %v", bad, rows, err)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		many float64
		ok   bool
	}{{420, true}, {440, true}, {441, false}} {
		rows, err := read(output(c.many))
		if err != nil {
			t.Fatal(err)
		}
		vs := judge(rows)
		if len(vs) != 2 || vs[0].Ok != c.ok || vs[1].Ok != c.ok {
			t.Errorf("%v: %+v", c.many, vs)
		}
		if got := text(&Options{rounds: 7}, rows, vs, "conditions"); !strings.Contains(got, "| 64 | 10000 | 10000 | 4000 | 8000 | 1.05 (0.90–1.20) |") || !strings.HasSuffix(got, "conditions") {
			t.Error(got)
		}
	}
	if vs := judge(nil); len(vs) != 1 || vs[0].Ok {
		t.Errorf("nothing to judge: %+v", vs)
	}
}

func TestParse(t *testing.T) {
	if o, err := commandtest.Parse(Command, "--rounds 9 --out x"); err != nil || o.rounds != 9 || o.Out != "x" {
		t.Errorf("%+v, %v", o, err)
	}
	commandtest.Refused(t, Command, "--rounds 3", "--rounds 100001", "surplus")
}
