package crowd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/proof"
	"esplanade/ike"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

const (
	// askEvery is how often the peer that watches asks, unless it still waits for an answer.
	askEvery = 10 * time.Millisecond
	// calm is how long it asks before and after the others rekey.
	calm = time.Second
	// patience is how long everything may take.
	patience = time.Minute
)

// Run measures with and without workers, judges and writes.
func Run(ctx context.Context, o *Options) error {
	b, err := contest.NewBuilder(ctx, "")
	if err != nil {
		return err
	}
	c := proof.Look(ctx, b.Root, o.Line)
	r := results{Peers: o.peers, Group: o.group}
	for _, k := range []struct {
		name    string
		workers int
	}{{"event loop", ike.NoWorkers}, {"workers", 0}} {
		p, err := measure(ctx, o, k.name, k.workers)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		r.Phases = append(r.Phases, p)
	}
	if err := write(o, r, c); err != nil {
		return err
	}
	return r.judge()
}

// answer is a datagram of the gateway's, with the time at which it was sent.
type answer struct {
	to netip.AddrPort
	b  []byte
	at time.Time
}

// measure has all peers rekey while one watches.
func measure(ctx context.Context, o *Options, name string, workers int) (phase, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	proposals := "aes128gcm16-" + o.group
	conf, err := configuration(o.peers, proposals)
	if err != nil {
		return phase{}, err
	}
	group := wire.KE_NONE
	for _, t := range conf.Connections[0].Children[0].Proposals[0].Transforms {
		if t.Type == wire.TransformKE {
			group = t.ID
		}
	}
	key, err := suite.NewKeyExchange(group)
	if err != nil {
		return phase{}, err
	}
	answers := make(chan answer, 1<<12)
	gate, stop := start(conf, workers, func(to netip.AddrPort, b []byte) { answers <- answer{to, b, time.Now()} })
	w := &world{answers: answers, peers: map[netip.Addr]*peer{}}
	for n := range o.peers + 1 {
		p, err := newPeer(gate, n, proposals, key)
		if err != nil {
			return phase{}, errors.Join(err, stop())
		}
		w.peers[address(n)] = p
	}
	w.watch = w.peers[address(o.peers)]
	p, err := w.play(ctx)
	p.Name, p.Worked = name, gate.Work().Worked
	go func() { // what the end brings
		for range answers {
		}
	}()
	err = errors.Join(err, stop())
	close(answers)
	return p, err
}

// world is all the peers, which one goroutine plays.
type world struct {
	answers <-chan answer
	peers   map[netip.Addr]*peer
	watch   *peer
	// clock is that of the peer that watches: each step makes it ask.
	clock time.Time
	asked time.Time // zero: no question is open
	trips []float64 // milliseconds
}

// until plays until done.
func (w *world) until(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for !done() {
		select {
		case a := <-w.answers:
			if err := w.take(a); err != nil {
				return err
			}
		case now := <-tick.C:
			for _, p := range w.peers {
				if p != w.watch {
					p.advance(now)
				}
			}
			if !w.clock.IsZero() && w.asked.IsZero() {
				w.clock, w.asked = w.clock.Add(dpdDelay), time.Now()
				w.watch.m.Advance(w.clock)
				w.watch.drain(w.clock)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (w *world) take(a answer) error {
	p := w.peers[a.to.Addr()]
	now := time.Now()
	if p == w.watch && !w.clock.IsZero() {
		if h, err := wire.ParseHeader(a.b); err == nil && h.Exchange == wire.ExchangeInformational && h.Flags.Response() && !w.asked.IsZero() {
			w.trips = append(w.trips, float64(a.at.Sub(w.asked).Microseconds())/1000)
			w.asked = time.Time{}
		}
		now = w.clock
	}
	p.receive(now, sa.Path{Local: a.to, Remote: p.m.Path().Remote}, a.b)
	return p.failure
}

func (w *world) all(done func(p *peer) bool) func() bool {
	return func() bool {
		for _, p := range w.peers {
			if !done(p) {
				return false
			}
		}
		return true
	}
}

func (w *world) play(ctx context.Context) (p phase, err error) {
	for _, x := range w.peers {
		x.connect(time.Now()) // one after the other: the gateway asks for no cookies
		if err := w.until(ctx, func() bool { return x.up }); err != nil {
			return p, fmt.Errorf("handshake: %w", err)
		}
	}
	rest := func() error {
		end := time.Now().Add(calm)
		return w.until(ctx, func() bool { return time.Now().After(end) })
	}
	w.clock = time.Now()
	if err := rest(); err != nil {
		return p, err
	}
	p.Before, w.trips = w.trips, nil
	began := time.Now()
	for _, x := range w.peers {
		if x != w.watch {
			x.rekey(began)
		}
	}
	if err := w.until(ctx, w.all(func(p *peer) bool { return p == w.watch || p.rekeyed })); err != nil {
		return p, fmt.Errorf("rekeyings: %w", err)
	}
	p.Seconds, p.Rekeyed = time.Since(began).Seconds(), len(w.peers)-1
	if err := w.until(ctx, func() bool { return w.asked.IsZero() }); err != nil {
		return p, err
	}
	p.During = w.trips
	return p, nil
}
