package rekey

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/contest"
	"esplanade/bench/gateways"
	"esplanade/bench/load"
	"esplanade/bench/proof"
	"esplanade/integration/lab"
)

const (
	// warmUp is left out at the beginning, pause between phases.
	warmUp = 3 * time.Second
	pause  = time.Second
	// pacedShare is the share of the throughput at full load that the paced part carries.
	pacedShare  = 0.4
	espProposal = "aes128gcm16-x25519"
	// quietLimit bounds how long it takes until nothing is under way any more.
	quietLimit = 5 * time.Second
)

// Run measures, judges and writes.
func Run(ctx context.Context, o *Options) error {
	return proof.Run(ctx, "rekey", o.Line, func(ctx context.Context, b *contest.Builder) (*result, error) { return measure(ctx, b, o) },
		func(r *result, c proof.Conditions) error {
			verdicts := r.judge()
			return errors.Join(r.write(o, verdicts, c.String()), proof.Check(verdicts))
		})
}

// bench is the pair with what it is measured by.
type bench struct {
	*Options
	pair *gateways.Pair
	driver
}

func measure(ctx context.Context, builder *contest.Builder, o *Options) (*result, error) {
	binary, err := builder.Gateway(ctx, o.binary)
	if err != nil {
		return nil, err
	}
	// By age nothing is renewed during the run.
	pair, err := gateways.Start(ctx, binary, gateways.Options{ESP: espProposal, ChildRekey: 24 * time.Hour, IKERekey: 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	defer pair.Close()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	events, err := pair.A.Watch(watching)
	if err != nil {
		return nil, err
	}
	b := &bench{Options: o, pair: pair, driver: driver{ends: [2]end{pair.A, pair.B}, events: events}}
	r := &result{}
	var rate float64
	if r.full, err = b.part(ctx, 0, func(ctx context.Context, s *load.Streams, all *[]rekeying) error {
		rate, err = b.phases(ctx, s, r)
		for _, p := range r.with {
			*all = append(*all, p.rekeyings...)
		}
		return err
	}); err != nil {
		return nil, err
	}
	perStream := int(rate * pacedShare / float64(o.streams))
	say("paced to %.2f Gbit/s", float64(perStream*o.streams)*8/giga)
	r.paced, err = b.part(ctx, perStream, func(ctx context.Context, _ *load.Streams, all *[]rekeying) error {
		x := b.renew(ctx, time.Now(), o.every, time.Duration(o.rounds)*o.phase)
		*all = x.rekeyings
		return x.err
	})
	return r, err
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// part runs something with TCP at a rate for each stream, in bytes a second, and numbered datagrams both ways.
func (b *bench) part(ctx context.Context, rate int, do func(context.Context, *load.Streams, *[]rekeying) error) (p part, err error) {
	before, err := b.account(ctx)
	if err != nil {
		return p, err
	}
	p.numbered, err = b.underLoad(ctx, rate, func(s *load.Streams) error { return do(ctx, s, &p.rekeyings) })
	if err != nil {
		return p, err
	}
	// Nothing comes any more: what is under way arrives, or is lost.
	end := time.Now().Add(quietLimit)
	for {
		after, err := b.account(ctx)
		if err != nil {
			return p, err
		}
		p.account = after.Since(before)
		if missing := p.account.Missing(); missing == 0 || time.Now().After(end) {
			return p, nil
		}
		if err := command.Wait(ctx, slot); err != nil {
			return p, err
		}
	}
}

// underLoad starts the load, does something and ends the load.
func (b *bench) underLoad(ctx context.Context, rate int, do func(*load.Streams) error) (numbered []flow, err error) {
	x, y := b.pair.Lab.A, b.pair.Lab.B
	streams, err := load.StartStreams(ctx, x.Do, y.Do, x.Inner4, y.Inner4, load.StreamOptions{Streams: b.streams, Rate: rate})
	if err != nil {
		return nil, err
	}
	defer streams.Close()
	for _, d := range []struct {
		name     string
		from, to *lab.Site
	}{{"from a to b", x, y}, {"from b to a", y, x}} {
		n, startErr := load.StartNumbered(d.from.Do, d.to.Do, d.from.Inner4, d.to.Inner4, numberedSize, numberedRate)
		if startErr != nil {
			return nil, startErr
		}
		defer func() {
			r, failed := n.Finish()
			numbered = append(numbered, flow{d.name, r})
			err = errors.Join(err, failed)
		}()
	}
	if err := command.Wait(ctx, warmUp); err != nil {
		return nil, err
	}
	return nil, errors.Join(do(streams), streams.Err(), b.pair.Check())
}

// account reads the counters of both gateways and both kernels.
func (b *bench) account(ctx context.Context) (a gateways.Account, err error) {
	var ms [2]gateways.Metrics
	for i, g := range b.pair.Gateways() {
		if ms[i], err = g.Scrape(ctx); err != nil {
			return a, err
		}
	}
	overflow, err := b.pair.Lab.Overflow()
	if err != nil {
		return a, err
	}
	return gateways.NewAccount(ms[0], ms[1], overflow), nil
}

// phases takes turns with and without rekeyings, and gives the throughput in bytes a second.
func (b *bench) phases(ctx context.Context, s *load.Streams, r *result) (rate float64, err error) {
	for i := range 2 * b.rounds {
		if err := command.Wait(ctx, pause); err != nil {
			return 0, err
		}
		with := i%4 == 0 || i%4 == 3 // every second round the other way round
		p, err := b.phase(ctx, s, with)
		if err != nil {
			return 0, err
		}
		rate = max(rate, float64(p.bytes())/b.Options.phase.Seconds())
		say("%d of %d, with %2d rekeyings: %.2f Gbit/s, %d segments sent again", i+1, 2*b.rounds, len(p.rekeyings), float64(p.bytes())*8/giga/b.Options.phase.Seconds(), p.retransmits)
		if with {
			r.with = append(r.with, p)
		} else {
			r.without = append(r.without, p)
		}
	}
	return rate, nil
}

// sampling is how often what has arrived is read: the curve is interpolated for slots.
const sampling = 20 * time.Millisecond

// phase measures for a while.
func (b *bench) phase(ctx context.Context, s *load.Streams, with bool) (p phase, err error) {
	before, err := s.Retransmits()
	if err != nil {
		return p, err
	}
	forth, back := s.Received()
	begin := time.Now()
	p = phase{begin: begin, every: b.every, curve: []point{{begin, forth + back}}}
	done := make(chan renewed, 1)
	if with {
		go func() { done <- b.renew(ctx, begin, b.every, b.Options.phase) }()
	} else {
		done <- renewed{}
	}
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-ctx.Done():
			return p, ctx.Err()
		case <-tick.C:
		}
		forth, back := s.Received()
		now := time.Now()
		p.curve = append(p.curve, point{now, forth + back})
		over = now.Sub(begin) >= b.Options.phase
	}
	x := <-done
	if x.err != nil {
		return p, x.err
	}
	p.rekeyings = x.rekeyings
	after, err := s.Retransmits()
	p.retransmits = after - before
	return p, err
}
