package load

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// link is a fake: it carries up to capacity packets a second, offered by a sender that can do sender of them.
type link struct {
	capacity, sender float64
	// hiccup loses packets although the link could carry them, in every n-th trial.
	hiccup int
	trials int
}

func (l *link) try(_ context.Context, rate float64) (Trial, error) {
	l.trials++
	t := Trial{Target: rate, Sent: min(rate, l.sender)}
	t.Received = min(t.Sent, l.capacity)
	if l.hiccup > 0 && l.trials%l.hiccup == 0 {
		t.Received *= 0.97
	}
	t.Loss = 1 - t.Received/t.Sent
	return t, nil
}

func TestHighestFindsTheCapacity(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		capacity := math.Exp(rng.Float64()*math.Log(2000)) * 2e3 // 2e3 to 4e6
		s := DefaultSearch()
		s.Start = math.Exp(rng.Float64()*math.Log(1000)) * 2e3
		l := &link{capacity: capacity, sender: 1e9}
		f, err := s.Highest(context.Background(), l.try)
		if err != nil {
			t.Fatalf("capacity %.0f from %.0f: %v", capacity, s.Start, err)
		}
		// A rate just above the capacity passes too, with a thousandth lost.
		if f.Rate > capacity || f.Rate < capacity/(1+s.Precision)*0.999 || f.SenderLimited {
			t.Errorf("capacity %.0f from %.0f: found %.0f after %d trials (sender limited: %v)", capacity, s.Start, f.Rate, l.trials, f.SenderLimited)
		}
		if len(f.Trials) != l.trials || l.trials > 35 {
			t.Errorf("%d trials, %d written down", l.trials, len(f.Trials))
		}
	}
}

func TestHighestSurvivesHiccups(t *testing.T) {
	// Every third trial loses packets: whatever fails is tried again and passes.
	l := &link{capacity: 300e3, sender: 1e9, hiccup: 3}
	f, err := DefaultSearch().Highest(context.Background(), l.try)
	if err != nil || f.Rate < 285e3 || f.Rate > 300e3 {
		t.Errorf("%.0f, %v", f.Rate, err)
	}
}

// A machine that is busy for a while lets a rate fail, and its repetition.
func TestHighestComesBack(t *testing.T) {
	l := &link{capacity: 300e3, sender: 1e9}
	n := 0
	f, err := DefaultSearch().Highest(context.Background(), func(ctx context.Context, rate float64) (Trial, error) {
		r, err := l.try(ctx, rate)
		if n++; n == 3 || n == 4 { // at 160,000, which the link could carry
			r.Loss = 0.5
		}
		return r, err
	})
	if err != nil || f.Rate < 285e3 || f.Rate > 300e3 {
		t.Errorf("%.0f, %v after %d trials", f.Rate, err, len(f.Trials))
	}
}

func TestHighestSenderLimited(t *testing.T) {
	l := &link{capacity: 1e6, sender: 500e3}
	f, err := DefaultSearch().Highest(context.Background(), l.try)
	if err != nil || !f.SenderLimited || f.Rate != 500e3 {
		t.Errorf("%+v, %v", f, err)
	}
	// A sender that is slower than wanted, and a link that is slower still.
	l = &link{capacity: 400e3, sender: 500e3}
	f, err = DefaultSearch().Highest(context.Background(), l.try)
	if err != nil || f.SenderLimited || f.Rate < 384e3 || f.Rate > 400e3 {
		t.Errorf("%+v, %v", f, err)
	}
}

// A sender that falls short once says nothing about the link.
func TestHighestShortOnce(t *testing.T) {
	l := &link{capacity: 300e3, sender: 1e9}
	n := 0
	f, err := DefaultSearch().Highest(context.Background(), func(ctx context.Context, rate float64) (Trial, error) {
		if n++; n%3 == 0 {
			return Trial{Target: rate, Sent: rate / 2, Received: min(rate/2, l.capacity), Loss: 1 - min(rate/2, l.capacity)/(rate/2)}, nil
		}
		return l.try(ctx, rate)
	})
	if err != nil || f.SenderLimited || f.Rate < 285e3 || f.Rate > 300e3 {
		t.Errorf("%.0f, sender limited %v, %v", f.Rate, f.SenderLimited, err)
	}
}

func TestHighestBounds(t *testing.T) {
	s := DefaultSearch()
	f, err := s.Highest(context.Background(), (&link{capacity: 100, sender: 1e9}).try)
	if !errors.Is(err, ErrNoRate) || f.Rate != 0 {
		t.Errorf("nothing passes: %+v, %v", f, err)
	}
	s.Max = 500e3
	f, err = s.Highest(context.Background(), (&link{capacity: 1e9, sender: 1e9}).try)
	if err != nil || f.Rate != 500e3 {
		t.Errorf("everything passes: %+v, %v", f, err)
	}
	s = DefaultSearch()
	s.MaxTrials = 3
	if _, err = s.Highest(context.Background(), (&link{capacity: 1e6, sender: 1e9}).try); err == nil {
		t.Error("no error after too many trials")
	}
	broken := errors.New("broken")
	_, err = s.Highest(context.Background(), func(context.Context, float64) (Trial, error) { return Trial{}, broken })
	if !errors.Is(err, broken) {
		t.Errorf("a trial that can't be made: %v", err)
	}
}

// A search that begins near the result takes fewer trials, and one that was given a wrong hint gets there as well.
func TestNear(t *testing.T) {
	const limit = 100e3
	trials := func(s Search) int {
		f, err := s.Highest(t.Context(), func(_ context.Context, rate float64) (Trial, error) {
			passed := min(rate, limit)
			return Trial{Target: rate, Sent: rate, Received: passed, Loss: 1 - passed/rate}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if f.Rate < limit/1.05 || f.Rate > limit {
			t.Errorf("from %v: %v", s.Start, f.Rate)
		}
		return len(f.Trials)
	}
	far, near := trials(DefaultSearch()), trials(DefaultSearch().Near(limit*0.99))
	if near >= far {
		t.Errorf("%d trials with a hint, %d without", near, far)
	}
	trials(DefaultSearch().Near(limit * 20))
	trials(DefaultSearch().Near(limit / 20))
}
