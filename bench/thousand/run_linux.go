package thousand

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"esplanade/bench/command"
	"esplanade/bench/contest"
	"esplanade/bench/gateways"
	"esplanade/bench/proof"
	"esplanade/integration/lab"
)

const (
	espProposal = "aes128gcm16"
	// childRekey and ikeRekey are the shortest that the configuration allows, and twice that.
	childRekey, ikeRekey = time.Minute, 2 * time.Minute
	// perSA bounds the time to set up each.
	perSA = 100 * time.Millisecond
	// roundEvery is how often a packet goes through each SA.
	roundEvery = 10 * time.Second
)

// netsA and netsB are the networks behind the two gateways: each SA has one address of both.
var (
	netsA = netip.MustParsePrefix("10.64.0.0/16")
	netsB = netip.MustParsePrefix("10.96.0.0/16")
)

// address is that of the i-th SA in one of the networks.
func address(p netip.Prefix, i int) netip.Addr {
	a := p.Masked().Addr().As4()
	a[2], a[3] = byte(1+i/250), byte(1+i%250)
	return netip.AddrFrom4(a)
}

// connections are those of one gateway.
func connections(s, o *lab.Site, own, other netip.Prefix, n int, start string) string {
	var b strings.Builder
	for i := range n {
		name, label := "", "bench"
		if i > 0 {
			name = fmt.Sprintf("c%04d", i)
			label = name
		}
		b.WriteString(contest.Connection{
			Name: name, Local: s.Outer4.String(), Remote: o.Outer4.String(), LocalID: label + "." + s.Name + ".example", RemoteID: label + "." + o.Name + ".example",
			Keys:    fmt.Sprintf("dpd_delay = \"10s\"\nrekey_time = %q", ikeRekey),
			LocalTS: address(own, i).String() + "/32", RemoteTS: address(other, i).String() + "/32", ESP: espProposal,
			ChildKeys: fmt.Sprintf("rekey_time = %q\nstart_action = %q", childRekey, start),
		}.String())
	}
	return b.String()
}

// stage is a lab with the two gateways at work; A initiates.
type stage struct{ *gateways.Pair }

// setUp starts both gateways, with the limits they have by default.
func (st *stage) setUp(ctx context.Context, binary string, n int) (err error) {
	a, b := st.Lab.A, st.Lab.B
	for _, g := range []struct {
		site       *lab.Site
		own, other netip.Prefix
		start      string
		gateway    **gateways.Gateway
	}{{b, netsB, netsA, "none", &st.B}, {a, netsA, netsB, "start", &st.A}} {
		// All addresses of the network are this host's.
		if err := g.site.IP("route add local " + g.own.String() + " dev lo"); err != nil {
			return err
		}
		*g.gateway, err = gateways.Launch(ctx, g.site, binary, connections(g.site, st.Lab.Other(g.site), g.own, g.other, n, g.start))
		if err != nil {
			return err
		}
	}
	return nil
}

// keep does it all.
func (st *stage) keep(ctx context.Context, binary string, o *Options) (r results, err error) {
	began := time.Now()
	if err := st.setUp(ctx, binary, o.count); err != nil {
		return r, err
	}
	// The responder has its configuration by now, and no SA worth speaking of.
	before, err := lab.RSS(st.B.PID())
	if err != nil {
		return r, err
	}
	if err := st.WaitUp(ctx, o.count, time.Minute+time.Duration(o.count)*perSA); err != nil {
		return r, err
	}
	r.Count, r.UpAfter = o.count, time.Since(began).Seconds()
	first, err := st.A.Scrape(ctx)
	if err != nil {
		return r, err
	}
	r.FailuresFirst = first.Sum("ipsec_exchange_failures_total")
	after, err := lab.RSS(st.B.PID())
	if err != nil {
		return r, err
	}
	r.KiB = (float64(after) - float64(before)) / 1024 / float64(o.count)
	fmt.Fprintf(os.Stderr, "%d IKE SAs are up after %.1f s\n", o.count, r.UpAfter)

	t, err := newTraffic(st, o.count)
	if err != nil {
		return r, err
	}
	defer t.close()
	for end := time.Now().Add(o.duration); ; {
		next := time.Now().Add(roundEvery)
		if err := t.round(ctx); err != nil {
			return r, err
		}
		if !next.Before(end) {
			break
		}
		if err := command.Wait(ctx, time.Until(next)); err != nil {
			return r, err
		}
	}
	r.Silent, err = t.silent(ctx)
	if err != nil {
		return r, err
	}
	r.PacketsSent, r.PacketsArrived = t.counts()
	for p, to := range map[*gateways.Gateway]*float64{st.A: &r.CPUInitiator, st.B: &r.CPUResponder} {
		cpu, err := lab.CPU(p.PID())
		if err != nil {
			return r, err
		}
		*to = cpu.Seconds()
	}
	last, err := lab.RSS(st.B.PID())
	if err != nil {
		return r, err
	}
	r.KiBAtEnd = (float64(last) - float64(before)) / 1024 / float64(o.count)
	if r.a, err = st.A.Scrape(ctx); err != nil {
		return r, err
	}
	r.b, err = st.B.Scrape(ctx)
	r.fill()
	return r, err
}

// Run keeps them, judges and writes.
func Run(ctx context.Context, o *Options) error {
	return proof.Run(ctx, "thousand", o.Line, func(ctx context.Context, b *contest.Builder) (results, error) { return measure(ctx, b, o) },
		func(r results, c proof.Conditions) error { return errors.Join(write(o, r, c), r.judge(o)) })
}

// measure does it once, with a binary of its own.
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
	st := &stage{pair}
	return st.keep(ctx, binary, o)
}
