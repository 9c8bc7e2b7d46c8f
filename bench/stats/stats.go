// Package stats summarises the samples of a benchmark: few samples, so medians and the whole range, and no assumption
// about how they are distributed.
package stats

import (
	"math"
	"slices"
)

// Summary is what is said about the samples of one quantity. The zero value stands for no samples.
type Summary struct {
	N                int
	Median, Min, Max float64
}

// Summarise takes samples in any order and leaves them as they are. NaN samples are left out.
func Summarise(samples []float64) Summary {
	s := sorted(samples)
	if len(s) == 0 {
		return Summary{}
	}
	return Summary{N: len(s), Median: median(s), Min: s[0], Max: s[len(s)-1]}
}

// Percentile is the smallest sample that at least p per cent of the samples do not exceed (nearest rank), NaN without
// samples. A sample of +Inf is one that never ended.
func Percentile(samples []float64, p float64) float64 {
	s := sorted(samples)
	if len(s) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p / 100 * float64(len(s))))
	return s[min(max(rank, 1), len(s))-1]
}

func sorted(samples []float64) []float64 {
	s := slices.DeleteFunc(slices.Clone(samples), math.IsNaN)
	slices.Sort(s)
	return s
}

func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// MedianWithin are the samples between which the median of what they were drawn from lies with 95 %, whatever its distribution:
// in so many cases are they on both sides of it. NaN without samples; of few samples they are the extremes.
func MedianWithin(samples []float64) (low, high float64) {
	s := sorted(samples)
	n := len(s)
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	// The number of samples below the median is binomial, n times 1/2; its standard deviation is √n/2.
	away := 1.96 * math.Sqrt(float64(n)) / 2
	low, high = s[max(0, int(math.Floor(float64(n)/2-away)))], s[min(n-1, int(math.Ceil(float64(n)/2+away)))]
	return low, high
}

// Ratio is the quotient of two medians. Ok is false if one of them is missing or the denominator is not positive.
// Low and High are the extremes of the quotients of the samples with the same index, which are of the same round of an
// interleaved run: they show how far the ratio depends on the moment.
type Ratio struct {
	Ok               bool
	Value, Low, High float64
}

// RatioOf compares the samples of two contestants; the keys are rounds.
func RatioOf(num, den map[int]float64) Ratio {
	a, b := Summarise(values(num)), Summarise(values(den))
	if a.N == 0 || b.N == 0 || b.Median <= 0 {
		return Ratio{}
	}
	r := Ratio{Ok: true, Value: a.Median / b.Median}
	var each []float64
	for round, x := range num {
		if y, ok := den[round]; ok && y > 0 {
			each = append(each, x/y)
		}
	}
	r.Low, r.High = r.Value, r.Value
	if s := Summarise(each); s.N > 0 {
		r.Low, r.High = s.Min, s.Max
	}
	return r
}

func values(m map[int]float64) []float64 {
	v := make([]float64, 0, len(m))
	for _, x := range m {
		v = append(v, x)
	}
	return v
}
