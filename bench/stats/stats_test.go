package stats

import (
	"math"
	"testing"
)

func TestSummarise(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []float64
		want Summary
	}{
		{"none", nil, Summary{}},
		{"one", []float64{3}, Summary{1, 3, 3, 3}},
		{"odd, unsorted", []float64{5, 1, 9}, Summary{3, 5, 1, 9}},
		{"even", []float64{4, 1, 2, 10}, Summary{4, 3, 1, 10}},
		{"NaN is no sample", []float64{math.NaN(), 2}, Summary{1, 2, 2, 2}},
	} {
		if got := Summarise(c.in); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	in := []float64{3, 1, 2}
	Summarise(in)
	if in[0] != 3 {
		t.Error("the samples were reordered")
	}
}

func TestPercentile(t *testing.T) {
	var hundred []float64
	for i := 100; i >= 1; i-- {
		hundred = append(hundred, float64(i))
	}
	for _, c := range []struct {
		p, want float64
	}{{0, 1}, {1, 1}, {50, 50}, {99, 99}, {99.5, 100}, {100, 100}} {
		if got := Percentile(hundred, c.p); got != c.want {
			t.Errorf("p%v: %v, want %v", c.p, got, c.want)
		}
	}
	if got := Percentile([]float64{1, 2, math.Inf(1)}, 99); !math.IsInf(got, 1) {
		t.Errorf("p99 with a sample that never ended: %v", got)
	}
	if !math.IsNaN(Percentile(nil, 50)) {
		t.Error("a percentile of nothing")
	}
}

func TestRatioOf(t *testing.T) {
	a := map[int]float64{1: 6, 2: 8, 3: 10}
	b := map[int]float64{1: 3, 2: 2, 3: 4}
	got := RatioOf(a, b)
	// The medians are 8 and 3; round by round it is 2, 4 and 2.5.
	if want := (Ratio{true, 8.0 / 3, 2, 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := RatioOf(a, map[int]float64{7: 4}); got != (Ratio{true, 2, 2, 2}) {
		t.Errorf("no common rounds: %+v", got)
	}
	for _, den := range []map[int]float64{nil, {1: 0}} {
		if got := RatioOf(a, den); got.Ok {
			t.Errorf("ratio to %v: %+v", den, got)
		}
	}
}

func TestMedianWithin(t *testing.T) {
	var v []float64
	for i := range 100 {
		v = append(v, float64(i*37%100))
	}
	// 50 ± 9.8: from the 41st to the 61st.
	if low, high := MedianWithin(v); low != 40 || high != 60 {
		t.Errorf("%v to %v", low, high)
	}
	if low, high := MedianWithin([]float64{3, 1, 2}); low != 1 || high != 3 {
		t.Errorf("%v to %v", low, high)
	}
	if low, high := MedianWithin(nil); !math.IsNaN(low) || !math.IsNaN(high) {
		t.Errorf("%v to %v", low, high)
	}
}
