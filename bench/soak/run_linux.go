package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/contest"
	"esplanade/bench/gateways"
	"esplanade/bench/load"
	"esplanade/bench/proof"
	"esplanade/integration/lab"
)

const (
	// warmUp is left out: TCP opens its windows, the gateways touch their buffers for the first time.
	warmUp = 10 * time.Second
	// Of the numbered datagrams, each way.
	numberedRate = 500
	numberedSize = 300
	espProposal  = "aes128gcm16-x25519"
)

// Run measures, judges and writes.
func Run(ctx context.Context, o *Options) error {
	return proof.Run(ctx, "soak", o.Line, func(ctx context.Context, b *contest.Builder) (course, error) { return measure(ctx, b, o) },
		func(r course, c proof.Conditions) error {
			verdicts := judge(r.readings, runtime.NumCPU(), r.numbered)
			return errors.Join(write(o, r.readings, verdicts, c.String()), proof.Check(verdicts))
		})
}

// course is what was found: the readings after the warm-up, and what became of the numbered datagrams.
type course struct {
	readings []reading
	numbered []flow
}

// measure runs it all.
func measure(ctx context.Context, b *contest.Builder, o *Options) (c course, err error) {
	binary, err := b.Gateway(ctx, o.binary)
	if err != nil {
		return c, err
	}
	pair, err := gateways.Start(ctx, binary, gateways.Options{ESP: espProposal, ChildRekey: childRekey, IKERekey: ikeRekey})
	if err != nil {
		return c, err
	}
	defer pair.Close()
	l := pair.Lab
	streams, err := load.StartStreams(ctx, l.A.Do, l.B.Do, l.A.Inner4, l.B.Inner4, load.StreamOptions{Streams: o.streams})
	if err != nil {
		return c, err
	}
	defer streams.Close()
	forth, err := load.StartNumbered(l.A.Do, l.B.Do, l.A.Inner4, l.B.Inner4, numberedSize, numberedRate)
	if err != nil {
		return c, err
	}
	back, err := load.StartNumbered(l.B.Do, l.A.Do, l.B.Inner4, l.A.Inner4, numberedSize, numberedRate)
	if err != nil {
		_, _ = forth.Finish()
		return c, err
	}
	m := &meter{pair: pair, streams: streams}
	if m.reference, err = startReference(); err == nil {
		c.readings, err = m.watch(ctx, o)
		err = errors.Join(err, m.reference.close())
	}
	for _, n := range []struct {
		name string
		of   *load.Numbered
	}{{"from a to b", forth}, {"from b to a", back}} {
		r, failed := n.of.Finish()
		err = errors.Join(err, failed)
		c.numbered = append(c.numbered, flow{n.name, r})
	}
	if err != nil {
		return c, err
	}
	// Once more, when nothing is under way: the numbered datagrams were lost before this.
	r, err := m.read(ctx)
	if err != nil {
		return c, err
	}
	c.readings[len(c.readings)-1].overflow = r.overflow
	return c, nil
}

// meter reads everything.
type meter struct {
	pair      *gateways.Pair
	streams   *load.Streams
	reference *reference
	began     time.Time
}

// watch reads once an interval until the run is over.
func (m *meter) watch(ctx context.Context, o *Options) ([]reading, error) {
	if err := command.Wait(ctx, warmUp); err != nil {
		return nil, err
	}
	m.began = time.Now()
	var rs []reading
	for {
		r, err := m.read(ctx)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
		if n := len(rs); n > 1 {
			x := intervals(rs[n-2:], runtime.NumCPU())[0]
			fmt.Fprintf(os.Stderr, "%4.0f s: %.2f and %.2f Gbit/s, %.2f CPU s for each GB, RSS %.1f and %.1f MiB\n", x.end.Seconds(), x.forth, x.back, x.cost, x.rss[0], x.rss[1])
		}
		if r.at >= o.length {
			return rs, nil
		}
		next := m.began.Add(time.Duration(len(rs)) * o.interval)
		if err := command.Wait(ctx, time.Until(next)); err != nil {
			return nil, err
		}
	}
}

// read reads everything as close together as it gets.
func (m *meter) read(ctx context.Context) (r reading, err error) {
	if err := m.pair.Check(); err != nil {
		return r, err
	}
	if err := m.streams.Err(); err != nil {
		return r, err
	}
	for g, gw := range m.pair.Gateways() {
		if r.gateways[g].metrics, err = gw.Scrape(ctx); err != nil {
			return r, err
		}
		if r.gateways[g].rss, err = lab.RSS(gw.PID()); err != nil {
			return r, err
		}
	}
	if r.overflow, err = m.pair.Lab.Overflow(); err != nil {
		return r, err
	}
	if r.retransmits, err = m.streams.Retransmits(); err != nil {
		return r, err
	}
	r.at = time.Since(m.began)
	r.forth, r.back = m.streams.Received()
	r.units, r.unitTime = m.reference.read()
	if r.busy, r.stolen, err = lab.MachineTimes(); err != nil {
		return r, err
	}
	if r.ours, err = lab.CPU(os.Getpid()); err != nil {
		return r, err
	}
	for g, gw := range m.pair.Gateways() {
		if r.gateways[g].cpu, err = lab.CPU(gw.PID()); err != nil {
			return r, err
		}
		r.ours += r.gateways[g].cpu
	}
	return r, nil
}
