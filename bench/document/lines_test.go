package document

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestSVG(t *testing.T) {
	svg := SVG("A <run>", []Panel{
		{Title: "Gbit/s", Lines: []Line{{Name: "forth", X: []float64{0, 5, 10, 15}, Y: []float64{1, 2, math.NaN(), 4}}, {Name: "empty"}}},
		{Title: "nothing"},
	})
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error(svg)
	}
	m := regexp.MustCompile(`class="l0" d="M([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)M([0-9.]+) ([0-9.]+)"`).FindStringSubmatch(svg)
	if m == nil {
		t.Fatalf("no line with a gap in\n%s", svg)
	}
	var v [6]float64
	for i := range v {
		v[i], _ = strconv.ParseFloat(m[i+1], 64)
	}
	// One second is as wide everywhere, and a value as high: from 1 to 2 is half of the way from 2 to 4.
	if right := (v[4] - v[0]) / (v[2] - v[0]); math.Abs(right-3) > 0.01 {
		t.Errorf("x: %v", v)
	}
	if up := (v[3] - v[5]) / (v[1] - v[3]); math.Abs(up-2) > 0.02 {
		t.Errorf("y: %v", v)
	}
}

func TestTick(t *testing.T) {
	for _, c := range []struct {
		top  float64
		n    int
		step float64
	}{{0, 8, 1}, {17.5, 8, 5}, {8, 8, 1}, {6, 8, 1}, {0.9, 8, 0.2}, {80, 8, 10}, {81, 8, 20}, {81, 4, 50}, {math.NaN(), 8, 1}} {
		if got := Tick(c.top, c.n); got < c.step*0.999 || got > c.step*1.001 {
			t.Errorf("step for %v: %v, want %v", c.top, got, c.step)
		}
	}
}
