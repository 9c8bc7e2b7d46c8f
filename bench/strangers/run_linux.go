package strangers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/gateways"
	"esplanade/bench/proof"
	"esplanade/ike/wire"
	"esplanade/integration/lab"
)

const (
	nattPort = 4500
	// cheapIKE is what the refused attempts and the established IKE SA have, expensiveIKE the other attack.
	cheapIKE     = contest.IKEProposal
	expensiveIKE = "aes128gcm16-prfsha256-modp4096"
	// hostileHosts are how many addresses the attacks come from, and workers how many attempts are under way at a time.
	hostileHosts, workers = 5, 30
	// askEvery is how often the established IKE SA asks whether the gateway lives.
	askEvery = 50 * time.Millisecond
)

// connections are two for everybody: one with the cheap group, and one with the expensive one.
func connections(s *lab.Site) string {
	one := contest.Connection{Local: s.Outer4.String(), Keys: `unique = "never"`, LocalTS: s.Net4.String(), RemoteTS: "172.16.1.0/24", ESP: "aes128gcm16"}
	two := one
	two.Name, two.IKE, two.RemoteTS = "expensive", expensiveIKE, "172.16.2.0/24"
	return one.String() + two.String()
}

// stage is a lab with a gateway, b. Everybody else is on the other host.
type stage struct {
	*gateways.Pair // without a
	hosts          []netip.Addr
	to             netip.AddrPort
}

func (st *stage) setUp(ctx context.Context, binary string) (err error) {
	a, b := st.Lab.A, st.Lab.B
	st.to = netip.AddrPortFrom(b.Outer4, nattPort)
	for n := range hostileHosts {
		host := netip.AddrFrom4([4]byte{198, 18, 0, byte(100 + n)})
		if err := a.IP("addr add " + host.String() + "/24 dev " + a.Link); err != nil {
			return err
		}
		st.hosts = append(st.hosts, host)
	}
	st.B, err = gateways.Launch(ctx, b, binary, connections(b))
	return err
}

// refused has attempts refused: IKE_AUTH comes without an identity. It returns how many were.
func (st *stage) refused(c *caller) (done bool, err error) {
	if err := c.begin(); err != nil {
		return false, err
	}
	ps, err := c.exchange(wire.ExchangeIKEAuth)
	if err != nil {
		return false, err
	}
	for _, p := range ps {
		if n, ok := p.(*wire.Notify); ok && n.NotifyType.IsError() {
			return true, nil
		}
	}
	return false, errors.New("IKE_AUTH without an identity was not refused")
}

// expensive asks for a key exchange and makes nothing of the answer. A request that was dropped is none.
func (st *stage) expensive(c *caller) (done bool, err error) {
	c.patience, c.keyless = hurry, true
	switch err := c.begin(); {
	case errors.Is(err, errNoAnswer):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// attack has workers make so many attempts a second.
func (st *stage) attack(ctx context.Context, ike string, perSecond float64, one func(*caller) (bool, error)) (made, done uint64, err error) {
	var wg sync.WaitGroup
	var n, ok atomic.Uint64
	errs := make([]error, workers)
	each := time.Duration(float64(time.Second) / perSecond)
	began := time.Now()
	for w := range workers {
		conn, err := st.Lab.A.ListenUDP(netip.AddrPortFrom(st.hosts[w%len(st.hosts)], 0))
		if err != nil {
			return 0, 0, err
		}
		defer conn.Close()
		c, err := newCaller(conn, st.to, ike)
		if err != nil {
			return 0, 0, err
		}
		wg.Go(func() {
			// Each worker has its times, and catches up when it is late.
			for next := began.Add(time.Duration(w) * each); ; next = next.Add(workers * each) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(next)):
				}
				n.Add(1)
				good, err := one(c)
				if err != nil && !errors.Is(err, errNoAnswer) {
					errs[w] = err
					return
				}
				if good {
					ok.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return n.Load(), ok.Load(), errors.Join(errs...)
}

// asker is an established IKE SA that asks whether the gateway lives.
func (st *stage) asker() (*caller, func() error, error) {
	conn, err := st.Lab.A.ListenUDP(netip.AddrPortFrom(st.Lab.A.Outer4, 0))
	if err != nil {
		return nil, nil, err
	}
	c, err := newCaller(conn, st.to, cheapIKE)
	if err == nil {
		err = c.login("asker.example", []byte(contest.PSK))
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return c, conn.Close, nil
}

// ask does it until ctx ends, and gives the round trips in milliseconds.
func ask(ctx context.Context, c *caller) (ms []float64, lost int, err error) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		switch _, err := c.exchange(wire.ExchangeInformational); {
		case errors.Is(err, errNoAnswer):
			lost++
		case err != nil:
			return ms, lost, err
		default:
			ms = append(ms, float64(time.Since(began))/1e6)
		}
		select {
		case <-ctx.Done():
			return ms, lost, nil
		case <-tick.C:
		}
	}
}

// phase is one attack with the questions meanwhile.
func (st *stage) phase(ctx context.Context, d time.Duration, name, ike string, perSecond float64, one func(*caller) (bool, error)) (p phase, err error) {
	p.Name, p.Asked = name, perSecond
	c, closeAsker, err := st.asker()
	if err != nil {
		return p, err
	}
	defer closeAsker()
	pid := st.B.PID()
	before, err := lab.CPU(pid)
	if err != nil {
		return p, err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { p.RoundTrips, p.Lost, errs[0] = ask(ctx, c) })
	if one != nil {
		wg.Go(func() { p.Attempts, p.Done, errs[1] = st.attack(ctx, ike, perSecond, one) })
	}
	wg.Wait()
	after, err := lab.CPU(pid)
	if err := errors.Join(append(errs[:], err)...); err != nil {
		return p, fmt.Errorf("%s: %w; the gateway says: %s", name, err, st.B.Tail())
	}
	p.CPUSeconds, p.seconds = (after - before).Seconds(), d.Seconds()
	rss, err := lab.RSS(pid)
	p.MiB = float64(rss) / (1 << 20)
	return p, err
}

// Run attacks, judges and writes.
func Run(ctx context.Context, o *Options) error {
	return proof.Run(ctx, "strangers", o.Line, func(ctx context.Context, b *contest.Builder) (results, error) { return measure(ctx, b, o) },
		func(r results, c proof.Conditions) error { return errors.Join(write(o, r, c), r.check(), r.judge()) })
}

// measure does it all once: nobody attacks, attempts are refused, expensive key exchanges are asked for.
func measure(ctx context.Context, b *contest.Builder, o *Options) (r results, err error) {
	binary, err := b.Esplanade(ctx)
	if err != nil {
		return r, err
	}
	pair, err := gateways.NewPair()
	if err != nil {
		return r, err
	}
	defer pair.Close()
	st := &stage{Pair: pair}
	if err := st.setUp(ctx, binary); err != nil {
		return r, err
	}
	for _, p := range []struct {
		name, ike string
		perSecond float64
		one       func(*caller) (bool, error)
	}{
		{"nobody attacks", "", 0, nil},
		{"attempts that are refused", cheapIKE, float64(o.refused) / 60, st.refused},
		{"requests for MODP-4096", expensiveIKE, float64(o.expensive), st.expensive},
	} {
		got, err := st.phase(ctx, o.duration, p.name, p.ike, p.perSecond, p.one)
		if err != nil {
			return r, err
		}
		r.Phases = append(r.Phases, got)
	}
	m, err := st.B.Scrape(ctx)
	if err != nil {
		return r, err
	}
	r.Ignored = m.Labelled("ipsec_ignored_messages_total", "reason")
	r.inboxDropped = m.Sum("ipsec_inbox_dropped_total")
	return r, nil
}
