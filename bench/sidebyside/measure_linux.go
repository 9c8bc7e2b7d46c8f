package sidebyside

import (
	"context"
	"fmt"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/iperf"
	"esplanade/bench/load"
	"esplanade/bench/report"
	"esplanade/bench/stats"
	"esplanade/integration/lab"
)

const (
	// warmUp is what each TCP test leaves out at its beginning.
	warmUp = time.Second
	// comeUp is how long a tunnel may take until a packet passes.
	comeUp = 15 * time.Second
	// pingInterval is that of the pings: 1000 a second, so that the 99th percentile of a few seconds stands on something.
	pingInterval = time.Millisecond
	giga         = 1e9
	mega         = 1e6
)

// measurement is what one contestant does in one turn.
type measurement struct {
	*session
	run        int
	wire       report.Wire
	contestant *contest.Contestant
	lab        *lab.Lab
	tunnel     *contest.Tunnel
	link       *load.Link
	servers    int
}

func (m *measurement) sample(metric report.Metric, v float64) {
	m.results.Samples = append(m.results.Samples,
		report.Sample{Run: m.run, Wire: m.wire, Contestant: m.contestant.Key, Metric: metric, Value: v})
}

func (m *measurement) failed(what string, err error) {
	m.say("  %s: %v", what, err)
	m.results.Failures = append(m.results.Failures,
		report.Failure{Run: m.run, Wire: m.wire, Contestant: m.contestant.Key, What: what, Error: err.Error()})
}

// open makes the lab and brings the tunnel up; close has to be called in any case.
func (m *measurement) open(ctx context.Context) (err error) {
	cable := lab.CableSuper
	if m.wire == report.WireMTU {
		cable = lab.CableMerge
	}
	if m.lab, err = lab.Build(lab.Options{Cable: cable}); err != nil {
		return err
	}
	if m.tunnel, err = m.contestant.Start(ctx, m.lab); err != nil {
		return err
	}
	m.link, err = load.NewLink(m.lab.A.Do, m.lab.B.Do, m.lab.A.Inner4, m.lab.B.Inner4)
	if err != nil {
		return err
	}
	if err := m.link.Reachable(ctx, comeUp); err != nil {
		if gone := m.tunnel.Check(); gone != nil {
			return gone
		}
		return err
	}
	return nil
}

func (m *measurement) close() {
	if m.link != nil {
		m.link.Close()
	}
	if m.tunnel != nil {
		m.tunnel.Stop()
	}
	if m.lab != nil {
		m.lab.Close()
	}
}

// all measures everything; what fails is noted and the rest goes on.
func (m *measurement) all(ctx context.Context) error {
	defer m.close()
	if err := m.open(ctx); err != nil {
		return err
	}
	if err := m.describe(ctx); err != nil {
		return err
	}
	one, err := m.single(ctx)
	if err != nil {
		m.failed("TCP, one stream", err)
	}
	if m.contestant.Brief {
		return m.tunnel.Check()
	}
	m.others(ctx)
	m.memory()
	if m.measures(whatUDP) {
		m.udp(ctx)
	}
	if m.measures(whatLatency) {
		m.latency(ctx, one)
	}
	return m.tunnel.Check()
}

// describe notes once what the contestant and the cable are.
func (m *measurement) describe(ctx context.Context) error {
	for i := range m.results.Contestants {
		c := &m.results.Contestants[i]
		if c.Key != m.contestant.Key || c.MTU != 0 {
			continue
		}
		var err error
		if c.MTU, err = m.lab.A.MTU(m.contestant.Device); err != nil {
			return err
		}
		if c.Details, err = m.tunnel.Status(ctx); err != nil {
			return err
		}
	}
	if m.results.Conditions.Offloads[m.wire] == nil {
		o, err := m.lab.Offloads()
		if err != nil {
			return err
		}
		m.results.Conditions.Offloads[m.wire] = o
	}
	return nil
}

// tcp runs one test and gives also what both ends of iperf3 took of the CPUs.
func (m *measurement) tcp(ctx context.Context, t iperf.Test) (r iperf.Result, client, server time.Duration, err error) {
	a, b := m.lab.A, m.lab.B
	m.servers++
	p, err := b.Start(fmt.Sprintf("iperf3-%d", m.servers), lab.Command{Args: iperf.ServerArgs(b.Inner4.String())})
	if err != nil {
		return r, 0, 0, err
	}
	defer func() { _ = p.Stop(time.Second) }()
	if err := p.WaitListening(ctx, iperf.Port); err != nil {
		return r, 0, 0, err
	}
	out, client, err := a.Output(ctx, lab.Command{Args: t.ClientArgs(a.Inner4.String(), b.Inner4.String())})
	if err != nil {
		// iperf3 complains in its JSON.
		if _, inner := iperf.Parse(out); inner != nil {
			err = fmt.Errorf("%w: %w", err, inner)
		}
		return r, 0, 0, err
	}
	_ = p.Stop(time.Second) // an iperf3 that serves ends with an error when it is told to
	r, err = iperf.Parse(out)
	return r, client, p.CPUTime(), err
}

// single is the test that everything is compared by, with what it costs. It gives the throughput in bits a second.
func (m *measurement) single(ctx context.Context) (float64, error) {
	gateways := []struct {
		metric report.Metric
		p      *lab.Process
		before time.Duration
	}{{metric: report.CPUSealer, p: m.tunnel.A}, {metric: report.CPUOpener, p: m.tunnel.B}}
	var err error
	for i := range gateways {
		if g := &gateways[i]; g.p != nil {
			if g.before, err = lab.CPU(g.p.PID()); err != nil {
				return 0, err
			}
		}
	}
	machine, _, err := lab.MachineTimes()
	if err != nil {
		return 0, err
	}
	r, client, server, err := m.tcp(ctx, iperf.Test{Duration: m.tcpDuration(), WarmUp: warmUp})
	if err != nil {
		return 0, err
	}
	machineAfter, _, err := lab.MachineTimes()
	if err != nil {
		return 0, err
	}
	gb := r.Bytes / giga
	for _, g := range gateways {
		if g.p == nil {
			continue
		}
		after, err := lab.CPU(g.p.PID())
		if err != nil {
			return 0, err
		}
		m.sample(g.metric, (after-g.before).Seconds()/gb)
	}
	m.sample(report.TCP1, r.BitsPerSecond/giga)
	m.sample(report.CPUClient, client.Seconds()/gb)
	m.sample(report.CPUServer, server.Seconds()/gb)
	m.sample(report.CPUMachine, (machineAfter-machine).Seconds()/gb)
	m.say("  TCP %.2f Gbit/s", r.BitsPerSecond/giga)
	return r.BitsPerSecond, nil
}

func (m *measurement) tcpDuration() time.Duration { return m.session.Options.tcp }

// others are the other TCP tests.
func (m *measurement) others(ctx context.Context) {
	for _, x := range []struct {
		metric report.Metric
		test   iperf.Test
	}{
		{report.TCP8, iperf.Test{Streams: 8}}, {report.TCPReverse, iperf.Test{Reverse: true}}, {report.TCPBidir, iperf.Test{Bidir: true}},
	} {
		x.test.Duration, x.test.WarmUp = m.tcpDuration(), warmUp
		r, _, _, err := m.tcp(ctx, x.test)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			m.failed(string(x.metric), err)
			continue
		}
		m.sample(x.metric, r.BitsPerSecond/giga)
		m.say("  %s %.2f Gbit/s", x.metric, r.BitsPerSecond/giga)
	}
}

// memory notes the larger gateway's.
func (m *measurement) memory() {
	most := uint64(0)
	for _, p := range m.tunnel.Gateways() {
		rss, err := lab.RSS(p.PID())
		if err != nil {
			m.failed("memory", err)
			return
		}
		most = max(most, rss)
	}
	if most > 0 {
		m.sample(report.RSS, float64(most)/mega)
	}
}

// udp looks for the highest rates.
func (m *measurement) udp(ctx context.Context) {
	for _, x := range []struct {
		metric report.Metric
		size   int
	}{{report.UDP64, 64}, {report.UDP512, 512}, {report.UDP1400, 1400}} {
		search := load.DefaultSearch()
		hint := fmt.Sprintf("%s %s %s", m.wire, m.contestant.Key, x.metric)
		if h := m.hints[hint]; h > 0 {
			search = search.Near(h)
		}
		found, err := search.Highest(ctx, func(ctx context.Context, rate float64) (load.Trial, error) {
			return m.link.Trial(ctx, x.size, rate, m.probe)
		})
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			m.failed(string(x.metric), fmt.Errorf("%w; the trials: %+v", err, found.Trials))
			continue
		}
		m.hints[hint] = found.Rate
		m.sample(x.metric, found.Rate)
		limited := ""
		if found.SenderLimited {
			limited = " (the sender can't do more)"
		}
		m.say("  %s %.1f k packets/s after %d trials%s", x.metric, found.Rate/1e3, len(found.Trials), limited)
	}
}

// latency pings an idle tunnel, and one that is busy: with half of what this contestant carries, and with half of what
// wireguard-go does. one is this contestant's throughput in bits a second.
func (m *measurement) latency(ctx context.Context, one float64) {
	same := m.results.Conditions.Reference[m.wire] * giga
	for _, x := range []struct {
		p50, p99 report.Metric
		loaded   bool
		rate     float64
	}{
		{report.IdleP50, report.IdleP99, false, 0},
		{report.HalfP50, report.HalfP99, true, one / 2},
		{report.SameP50, report.SameP99, true, same},
	} {
		if x.loaded && (x.rate <= 0 || x.rate > 0.9*one) {
			continue // unknown, or more than it carries
		}
		rtts, err := m.pings(ctx, x.rate)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			m.failed(string(x.p99), err)
			continue
		}
		micros := make([]float64, len(rtts))
		for i, r := range rtts {
			micros[i] = float64(r) / float64(time.Microsecond)
		}
		p50, p99 := stats.Percentile(micros, 50), stats.Percentile(micros, 99)
		m.sample(x.p50, p50)
		m.sample(x.p99, p99)
		m.say("  round trip at %.2f Gbit/s: p50 %.0f µs, p99 %.0f µs", x.rate/giga, p50, p99)
	}
}

// pings measures while iperf3 sends at a rate; 0: nothing is sent.
func (m *measurement) pings(ctx context.Context, rate float64) ([]time.Duration, error) {
	if rate <= 0 {
		return m.link.Ping(ctx, pingInterval, m.ping)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		// Longer than what is measured, at both ends. iperf3 takes whole seconds.
		_, _, _, err := m.tcp(ctx, iperf.Test{Rate: rate, Duration: (m.ping + 2*time.Second).Round(time.Second)})
		ended <- err
	}()
	select {
	case err := <-ended:
		return nil, fmt.Errorf("the load has ended early: %v", err)
	case <-time.After(warmUp):
	}
	rtts, err := m.link.Ping(ctx, pingInterval, m.ping)
	select {
	case e := <-ended:
		return nil, fmt.Errorf("the load has ended early: %v", e)
	default:
	}
	cancel() // the load is no longer needed; that it ends with an error is no news
	<-ended
	return rtts, err
}

// reference finds half of what wireguard-go carries on a wire, before the rounds.
func (s *session) reference(ctx context.Context, wire report.Wire) {
	if !s.measures(whatLatency) {
		return
	}
	for _, c := range s.entrants {
		if c.Key != report.KeyWireGuard {
			continue
		}
		s.say("before the runs, %s, %s", wire.Title(), c.Title)
		m := &measurement{session: s, wire: wire, contestant: c}
		defer m.close()
		if err := m.open(ctx); err != nil {
			m.failed("the load that all get the same", err)
			return
		}
		r, _, _, err := m.tcp(ctx, iperf.Test{Duration: s.tcp, WarmUp: warmUp})
		if err != nil {
			m.failed("the load that all get the same", err)
			return
		}
		s.results.Conditions.Reference[wire] = r.BitsPerSecond / 2 / giga
	}
}
