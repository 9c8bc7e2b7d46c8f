package rekey

import (
	"context"
	"fmt"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/gateways"
)

// What the load is in addition to TCP, and how often it is the IKE SA's turn.
const (
	numberedRate = 1000
	numberedSize = 300
	ikeEvery     = 5
	// rekeyLimit bounds one rekeying.
	rekeyLimit = 10 * time.Second
)

// end is one end of the tunnel, as far as it renews keys.
type end interface {
	RekeyChild(ctx context.Context) error
	RekeyIKE(ctx context.Context) error
}

// driver renews keys. Events says when that is done.
type driver struct {
	ends   [2]end
	events <-chan gateways.Rekeying
	done   int
}

// next renews keys once: at one end after the other, each time of the CHILD SA but for every fifth.
func (d *driver) next(ctx context.Context, due time.Time) (rekeying, error) {
	d.done++
	r := rekeying{sa: "child", due: due, begin: time.Now()}
	e := d.ends[d.done%2]
	ask := e.RekeyChild
	if d.done%ikeEvery == 0 {
		r.sa, ask = "ike", e.RekeyIKE
	}
	ctx, cancel := context.WithTimeout(ctx, rekeyLimit)
	defer cancel()
	if err := ask(ctx); err != nil {
		return r, err
	}
	select {
	case got, ok := <-d.events:
		if !ok || got.SA != r.sa {
			return r, fmt.Errorf("rekeying %d was to be of the %s SA, and was of %q", d.done, r.sa, got.SA)
		}
		r.end = got.At
		return r, nil
	case <-ctx.Done():
		return r, fmt.Errorf("rekeying %d, of the %s SA, has no end: %w", d.done, r.sa, ctx.Err())
	}
}

// renewed is what became of a time with rekeyings.
type renewed struct {
	rekeyings []rekeying
	err       error
}

// renew renews keys every so often from begin on, for some time. What is overdue because the one before it took so long is
// left out.
func (d *driver) renew(ctx context.Context, begin time.Time, every, length time.Duration) (x renewed) {
	for due := begin.Add(every); due.Before(begin.Add(length)); due = due.Add(every) {
		until := time.Until(due)
		if until < 0 {
			continue
		}
		if x.err = command.Wait(ctx, until); x.err != nil {
			return x
		}
		r, err := d.next(ctx, due)
		if err != nil {
			x.err = err
			return x
		}
		x.rekeyings = append(x.rekeyings, r)
	}
	return x
}
