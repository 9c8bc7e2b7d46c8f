package gateways

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"esplanade/bench/contest"
	"esplanade/ike/vici"
	"esplanade/integration/lab"
)

const (
	// metricsAddr is where each serves its metrics; every host has a loopback of its own.
	metricsAddr = "127.0.0.1:9700"
	// child and connection are the names in the configuration.
	child      = "net"
	connection = "bench"
	// stopGrace is how long a gateway may take to end: with a thousand IKE SAs it has to say so a thousand times.
	stopGrace = 30 * time.Second
	// lookEvery is how often connections are looked at until they are up.
	lookEvery = 50 * time.Millisecond
	// callLimit bounds a question to a gateway.
	callLimit = 20 * time.Second
)

// Options are what differs between uses of a pair.
type Options struct {
	// ESP is the proposal of the CHILD SAs.
	ESP string
	// ChildRekey and IKERekey are the ages at which keys are renewed; 0: only on command.
	ChildRekey, IKERekey time.Duration
}

// Pair is a lab and its two gateways, those of them that were started.
type Pair struct {
	Lab  *lab.Lab
	A, B *Gateway
}

// Gateway is one of the two.
type Gateway struct {
	*lab.Process
	Socket  string // of its control protocol
	control *vici.Client
	scraper *scraper
}

// NewPair makes a lab whose cable carries super-packets, and starts nothing.
func NewPair() (*Pair, error) {
	l, err := lab.Build(lab.Options{Cable: lab.CableSuper})
	if err != nil {
		return nil, err
	}
	return &Pair{Lab: l}, nil
}

// Start makes a lab, starts both gateways and brings the tunnel up.
func Start(ctx context.Context, binary string, o Options) (_ *Pair, err error) {
	p, err := NewPair()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	// The responder is there first, and waits: if both initiated, one of two IKE SAs would be closed a while later, with what was
	// asked of it. Only a begins rekeyings by age as well: its time is the shorter one.
	if p.B, err = start(ctx, p.Lab, p.Lab.B, binary, o, "none", 2); err != nil {
		return nil, err
	}
	if p.A, err = start(ctx, p.Lab, p.Lab.A, binary, o, "start", 1); err != nil {
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := p.A.command(call, "initiate", new(vici.Message).Set("child", child).Set("timeout", "15000")); err != nil {
		return nil, fmt.Errorf("%w; %s says: %s", err, p.A.Name, p.A.Tail())
	}
	return p, nil
}

func start(ctx context.Context, l *lab.Lab, s *lab.Site, binary string, o Options, startAction string, age time.Duration) (*Gateway, error) {
	other := l.Other(s)
	rekey := func(age time.Duration) string { return fmt.Sprintf("rekey_time = %q\nrand_time = \"0s\"\n", age) }
	return Launch(ctx, s, binary, contest.Connection{
		Local: s.Outer4.String(), Remote: other.Outer4.String(), Keys: rekey(age * o.IKERekey),
		LocalTS: s.Net4.String(), RemoteTS: other.Net4.String(), ESP: o.ESP,
		ChildKeys: rekey(age*o.ChildRekey) + fmt.Sprintf("start_action = %q", startAction),
	}.String())
}

// Launch starts one gateway on a host of a lab, which serves its metrics. connection is what contest.EsplanadeOptions calls so. If
// it fails, nothing is left running.
func Launch(ctx context.Context, s *lab.Site, binary, connection string) (*Gateway, error) {
	dir := filepath.Join(s.Dir, "gw")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	process, err := contest.StartEsplanade(ctx, s, dir, binary, contest.EsplanadeOptions{
		Daemon: fmt.Sprintf("[metrics]\nlisten = %q\n[log]\nlevel = \"warn\"", metricsAddr), Connection: connection})
	if process == nil {
		return nil, err
	}
	g := &Gateway{Process: process, Socket: filepath.Join(dir, "vici"), scraper: newScraper(metricsAddr, s.Do)}
	if err == nil {
		g.control, err = vici.DialContext(ctx, g.Socket)
	}
	if err != nil {
		err = fmt.Errorf("%w; %s says: %s", err, process.Name, process.Tail())
		g.stop()
		return nil, err
	}
	return g, nil
}

// Gateways are both.
func (p *Pair) Gateways() [2]*Gateway { return [2]*Gateway{p.A, p.B} }

// WaitUp waits until so many connections of A are up.
func (p *Pair) WaitUp(ctx context.Context, connections int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	up := 0.0
	for {
		m, err := p.A.Scrape(ctx)
		if err == nil {
			if up = m.Sum("ipsec_connection_up"); up == float64(connections) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%.0f of %d connections are up: %w; the gateway says: %s", up, connections, errors.Join(ctx.Err(), err), p.A.Tail())
		case <-time.After(lookEvery):
		}
	}
}

// Close ends both and takes the lab down.
func (p *Pair) Close() {
	for _, g := range p.Gateways() {
		if g != nil {
			g.stop()
		}
	}
	p.Lab.Close()
}

func (g *Gateway) stop() {
	if g.control != nil {
		g.control.Close()
	}
	_ = g.Process.Stop(stopGrace) // the run is over: how it ends is no figure
}

// Check is an error if one has ended by itself.
func (p *Pair) Check() error {
	for _, g := range p.Gateways() {
		select {
		case <-g.Done():
			return fmt.Errorf("%s has ended: %s", g.Name, g.Tail())
		default:
		}
	}
	return nil
}

func (g *Gateway) command(ctx context.Context, name string, m *vici.Message) error {
	if _, err := g.control.Call(ctx, name, m); err != nil {
		return fmt.Errorf("%s: %s: %w", g.Name, name, err)
	}
	return nil
}

// RekeyChild has the gateway begin a rekeying of the CHILD SA; it does not wait for it.
func (g *Gateway) RekeyChild(ctx context.Context) error {
	return g.command(ctx, "rekey", new(vici.Message).Set("child", child))
}

// RekeyIKE has the gateway begin a rekeying of the IKE SA; it does not wait for it.
func (g *Gateway) RekeyIKE(ctx context.Context) error {
	return g.command(ctx, "rekey", new(vici.Message).Set("ike", connection))
}

// Watch tells of every SA that is replaced from now on, until ctx ends.
func (g *Gateway) Watch(ctx context.Context) (<-chan Rekeying, error) { return watch(ctx, g.Socket) }

// Scrape reads the metrics.
func (g *Gateway) Scrape(ctx context.Context) (Metrics, error) {
	m, err := g.scraper.scrape(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	return m, nil
}
