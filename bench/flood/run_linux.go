package flood

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/gateways"
	"esplanade/bench/initiators"
	"esplanade/bench/proof"
	"esplanade/integration/lab"
)

const (
	ikePort, nattPort = 500, 4500
	espProposal       = "aes128gcm16"
	// settleTime is how long a tunnel may take to come up.
	settleTime = 30 * time.Second
	// rekeyEvery is how often the child, and every second time the IKE SA, is rekeyed in the flood.
	rekeyEvery = 3 * time.Second
	// packetEvery is how often a packet goes through the tunnel.
	packetEvery = 20 * time.Millisecond
	// sampleEvery is how often the memory of the gateway is looked at.
	sampleEvery = 200 * time.Millisecond
)

// newcomer is where the new peers are, beside the gateway of the tunnel; their networks are cut out of newcomers.
var (
	newcomer  = netip.MustParseAddr("198.18.0.3")
	newcomers = netip.MustParsePrefix("10.64.0.0/16")
)

// stage is a lab with the two gateways at work: A is the peer of the tunnel, B is flooded.
type stage struct {
	*gateways.Pair
	binary string
}

// connections are those of one gateway: one that carries packets, and one whose peer is asked whether it lives.
func connections(s, o *lab.Site, start string) string {
	one := contest.Connection{
		Local: s.Outer4.String(), Remote: o.Outer4.String(), LocalID: "net-" + s.Name + ".example", RemoteID: "net-" + o.Name + ".example",
		Keys: "dpd_delay = \"1s\"\nmobike_addrs = \"local_addrs\" # the newcomer has the same port at another address", LocalTS: s.Net4.String(), RemoteTS: o.Net4.String(), ESP: espProposal, ChildKeys: fmt.Sprintf("start_action = %q", start),
	}
	quiet := one
	quiet.Name, quiet.Child, quiet.LocalID, quiet.RemoteID = "quiet", "silence", "quiet-"+s.Name+".example", "quiet-"+o.Name+".example"
	quiet.LocalTS, quiet.RemoteTS = silence(s), silence(o)
	return one.String() + quiet.String()
}

// silence is the network of a site that nothing is sent to.
func silence(s *lab.Site) string { return fmt.Sprintf("172.16.%d.0/24", s.Outer4.As4()[3]) }

// strangers is the connection for the new peers, with the identity that the flood's requests would have.
func strangers(s *lab.Site) string {
	return contest.Connection{
		Name: "any", Local: s.Outer4.String(), Keys: `unique = "never"`, LocalTS: s.Net4.String(), RemoteTS: newcomers.String(), ESP: espProposal,
	}.String()
}

// setUp starts everything and waits for the tunnel.
func (st *stage) setUp(ctx context.Context) (err error) {
	a, b := st.Lab.A, st.Lab.B
	if err := a.IP("addr add " + newcomer.String() + "/24 dev " + a.Link); err != nil {
		return err
	}
	if st.B, err = gateways.Launch(ctx, b, st.binary, connections(b, a, "none")+strangers(b)); err != nil {
		return err
	}
	if st.A, err = gateways.Launch(ctx, a, st.binary, connections(a, b, "start")); err != nil {
		return err
	}
	return st.WaitUp(ctx, 2, settleTime)
}

// flood sends the requests from the host of the gateway that they are for.
func (st *stage) flood(ctx context.Context, o *Options) (sent uint64, took time.Duration, err error) {
	b := st.Lab.B
	first, err := initiators.Request(st.initiators())
	if err != nil {
		return 0, 0, err
	}
	err = b.Do(func() error {
		s, err := newSender(first, [2]netip.AddrPort{netip.AddrPortFrom(b.Outer4, ikePort), netip.AddrPortFrom(b.Outer4, nattPort)})
		if err != nil {
			return err
		}
		defer s.close()
		began := time.Now()
		err = s.run(ctx, o.rate, o.duration)
		sent, took = s.sent, time.Since(began)
		return err
	})
	return sent, took, err
}

// initiators are the new peers.
func (st *stage) initiators() initiators.Options {
	a, b := st.Lab.A, st.Lab.B
	return initiators.Options{
		Open: a.ListenUDP,
		IKE:  netip.AddrPortFrom(newcomer, ikePort), NATT: netip.AddrPortFrom(newcomer, nattPort),
		RemoteIKE: netip.AddrPortFrom(b.Outer4, ikePort), RemoteNATT: netip.AddrPortFrom(b.Outer4, nattPort),
		Identity: "newcomer.example", PSK: []byte(contest.PSK), IKEProposal: contest.IKEProposal, ESPProposal: espProposal,
		Network: newcomers, RemoteNetwork: b.Net4, AtOnce: 1,
	}
}

// newcomersComeIn sets up one new peer after the other as long as the flood lasts, and lets the last one finish.
func (st *stage) newcomersComeIn(ctx context.Context, over <-chan struct{}) (r initiators.Result, err error) {
	o := st.initiators()
	o.Count = 1
	for {
		one, err := initiators.Run(ctx, o)
		r.Established += one.Established
		r.Failed += one.Failed
		r.Retransmits += one.Retransmits
		r.Latencies = append(r.Latencies, one.Latencies...)
		if r.Failure == "" {
			r.Failure = one.Failure
		}
		if err != nil {
			return r, err
		}
		o.First++
		select {
		case <-over:
			return r, nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// rekey renews the keys of the tunnel as long as the flood lasts.
func (st *stage) rekey(ctx context.Context, over <-chan struct{}) (done int, err error) {
	for n := 0; ; n++ {
		select {
		case <-over:
			return done, nil
		case <-time.After(rekeyEvery):
		}
		name := "net"
		if n%2 == 1 {
			name = "bench"
		}
		if _, _, err := st.Lab.A.Output(ctx, lab.Command{Args: []string{st.binary, "rekey", name, "--socket", st.A.Socket}}); err != nil {
			return done, err
		}
		done++
	}
}

// watchMemory gives the largest resident memory of the flooded gateway.
func (st *stage) watchMemory(over <-chan struct{}) (peak uint64, err error) {
	for {
		rss, err := lab.RSS(st.B.PID())
		if err != nil {
			return peak, err
		}
		peak = max(peak, rss)
		select {
		case <-over:
			return peak, nil
		case <-time.After(sampleEvery):
		}
	}
}

// traffic sends packets through the tunnel as long as the flood lasts, and counts those that come back.
func (st *stage) traffic(over <-chan struct{}) (sent, back int, err error) {
	a, b := st.Lab.A, st.Lab.B
	probe, err := lab.StartProbe(lab.Endpoint{Host: a.Host, Addr: a.Inner4}, lab.Endpoint{Host: b.Host, Addr: b.Inner4}, packetEvery)
	if err != nil {
		return 0, 0, err
	}
	<-over
	r, err := probe.Finish()
	return r.Sent, r.Sent - r.Lost(), err
}

// attack floods the gateway and does everything else meanwhile.
func (st *stage) attack(ctx context.Context, o *Options) (r results, err error) {
	before, err := lab.RSS(st.B.PID())
	if err != nil {
		return r, err
	}
	cpu, err := lab.CPU(st.B.PID())
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.duration+5*time.Minute) // the new peers' retransmissions
	defer cancel()
	over := make(chan struct{})
	var wg sync.WaitGroup
	var errs [5]error
	wg.Go(func() { r.Newcomers, errs[0] = st.newcomersComeIn(ctx, over) })
	wg.Go(func() { r.RekeysAsked, errs[1] = st.rekey(ctx, over) })
	wg.Go(func() { r.peak, errs[2] = st.watchMemory(over) })
	wg.Go(func() { r.PacketsSent, r.PacketsBack, errs[3] = st.traffic(over) })
	r.Sent, r.took, errs[4] = st.flood(ctx, o)
	after, err := lab.CPU(st.B.PID())
	close(over)
	wg.Wait()
	if err := errors.Join(append(errs[:], err)...); err != nil {
		return r, fmt.Errorf("%w; the gateway says: %s", err, st.B.Tail())
	}
	r.PerSecond = float64(r.Sent) / r.took.Seconds()
	r.MiBBefore, r.MiBPeak = float64(before)/(1<<20), float64(r.peak)/(1<<20)
	r.CPUSeconds = (after - cpu).Seconds()
	if r.a, err = st.A.Scrape(ctx); err != nil {
		return r, err
	}
	r.b, err = st.B.Scrape(ctx)
	r.Ignored = r.b.Labelled("ipsec_ignored_messages_total", "reason")
	r.Rekeys = int(r.a.Sum("ipsec_rekeys_total"))
	return r, err
}

// Run floods, judges and writes.
func Run(ctx context.Context, o *Options) error {
	return proof.Run(ctx, "flood", o.Line, func(ctx context.Context, b *contest.Builder) (results, error) { return measure(ctx, b, o) },
		func(r results, c proof.Conditions) error { return errors.Join(write(o, r, c), r.judge()) })
}

// measure does it all once.
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
	st := &stage{pair, binary}
	if err := st.setUp(ctx); err != nil {
		return r, err
	}
	return st.attack(ctx, o)
}
