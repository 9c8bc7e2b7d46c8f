package load

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Trial is one attempt to get traffic through at a rate. Rates are in packets a second.
type Trial struct {
	Target   float64 `json:"target"`
	Sent     float64 `json:"sent"`     // what the sender really did
	Received float64 `json:"received"` // what arrived in time
	Loss     float64 `json:"loss"`     // 1 - received/sent
}

// Search says how to look for the highest rate.
type Search struct {
	// Start is the first rate tried; the search is shorter if it is near the result.
	Start float64
	// Min and Max bound the rates that are tried.
	Min, Max float64
	// Growth is what the rate is multiplied with until a trial fails, or divided by until one passes. With a Start from an
	// earlier search a little more than 1 finds the result with fewer trials.
	Growth float64
	// MaxLoss is the share of packets that may be lost.
	MaxLoss float64
	// Precision is how near to each other the highest rate that passed and the lowest that did not are in the end: 0.03 is
	// three per cent.
	Precision float64
	// MaxTrials bounds the search.
	MaxTrials int
}

// DefaultSearch looks for the highest rate with at most 0.1 % of loss.
func DefaultSearch() Search {
	return Search{Start: 40e3, Min: 1e3, Max: 20e6, Growth: 2, MaxLoss: 0.001, Precision: 0.04, MaxTrials: 40}
}

// minOffered is the share of a target that the sender has to reach for the trial to say something about the target.
const minOffered = 0.95

// Found is what a search has found.
type Found struct {
	// Rate is what arrived in the best trial that passed, 0 if none did.
	Rate float64 `json:"rate"`
	// SenderLimited says that the sender could not do more and nothing was lost: the link may be able to.
	SenderLimited bool    `json:"sender_limited,omitempty"`
	Trials        []Trial `json:"trials"`
}

// ErrNoRate says that even the lowest rate loses packets.
var ErrNoRate = errors.New("packets are lost at every rate")

// maxGrowth bounds the steps, which grow: a hint that is far off costs little more than none.
const maxGrowth = 2

// outcome is what the trials at one rate say.
type outcome uint8

const (
	passed outcome = iota
	failed         // too much was lost
	short          // twice, less than wanted went out and it arrived: more is not to be had from this sender
)

// Near is the search when an earlier one has found rate.
func (s Search) Near(rate float64) Search {
	s.Start, s.Growth = rate, 1.15
	return s
}

// maxComebacks is how often a search goes on upwards from a rate that failed before.
const maxComebacks = 2

// Highest multiplies the rate until a trial fails, or divides it until one passes, and then bisects. A trial that fails is
// repeated once and counts as passed if the repetition passes: what a link can carry is not refuted by one hiccup of the
// machine, and one that it can't carry fails twice. A machine that is busy for longer lets both fail; so at the end, when that
// is some time ago, the lowest rate that failed gets another chance.
func (s Search) Highest(ctx context.Context, try func(ctx context.Context, rate float64) (Trial, error)) (Found, error) {
	var f Found
	attempt := func(rate float64) (outcome, error) {
		o := short
		for range 2 {
			if len(f.Trials) >= s.MaxTrials {
				return o, fmt.Errorf("no result after %d trials", len(f.Trials))
			}
			t, err := try(ctx, rate)
			if err != nil {
				return o, err
			}
			f.Trials = append(f.Trials, t)
			if t.Loss > s.MaxLoss {
				o = failed
				continue
			}
			f.Rate = max(f.Rate, t.Received)
			if t.Sent >= minOffered*t.Target {
				return passed, nil
			}
		}
		return o, nil
	}

	growth := s.Growth
	low, high := 0.0, math.Inf(1) // the highest that passed, the lowest that did not
	rate := min(max(s.Start, s.Min), s.Max)
	for comebacks := 0; ; {
		if high/low <= 1+s.Precision {
			// With half of the trials left, what follows finds its end.
			if comebacks == maxComebacks || len(f.Trials) > s.MaxTrials/2 {
				return f, nil
			}
			comebacks++
			o, err := attempt(high)
			if err != nil || o != passed {
				f.SenderLimited = err == nil && o == short
				return f, err
			}
			low, high, growth = high, math.Inf(1), s.Growth
			rate = min(low*growth, s.Max)
			if low >= s.Max {
				return f, nil
			}
		}
		o, err := attempt(rate)
		if err != nil {
			return f, err
		}
		switch o {
		case short:
			f.SenderLimited = true
			return f, nil
		case passed:
			low = rate
		case failed:
			high = rate
		}
		switch {
		case math.IsInf(high, 1):
			if low >= s.Max {
				return f, nil
			}
			rate = min(low*growth, s.Max)
			growth = min(growth*growth, maxGrowth)
		case low == 0:
			if high <= s.Min {
				return f, ErrNoRate
			}
			rate = max(high/growth, s.Min)
			growth = min(growth*growth, maxGrowth)
		default:
			rate = math.Sqrt(low * high)
		}
	}
}
