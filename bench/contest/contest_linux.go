package contest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"esplanade/bench/report"
	"esplanade/integration/lab"
)

// Contestant is one of those that are compared.
type Contestant struct {
	report.Contestant
	// Device is the network device that the traffic goes through, the same on both hosts.
	Device string
	// Brief contestants are there for one ratio only: just the single TCP stream is measured.
	Brief bool
	// Programs it needs besides those of the lab, and where to get them.
	Programs map[string]string

	start func(ctx context.Context, l *lab.Lab, t *Tunnel) error
}

// Tunnel is a contestant at work between the hosts of a lab.
type Tunnel struct {
	// A and B are the gateways; nil for a contestant that has none.
	A, B *lab.Process

	status func(ctx context.Context) (string, error)
}

// Missing says which programs this machine lacks for a contestant, empty if none.
func (c *Contestant) Missing() string {
	var lacks []string
	for p, from := range c.Programs {
		if _, err := lab.LookPath(p); err != nil {
			lacks = append(lacks, fmt.Sprintf("%s (%s)", p, from))
		}
	}
	return strings.Join(lacks, ", ")
}

// Start starts the gateways. Whether traffic passes is for the caller to find out.
func (c *Contestant) Start(ctx context.Context, l *lab.Lab) (*Tunnel, error) {
	t := &Tunnel{}
	if err := c.start(ctx, l, t); err != nil {
		for _, p := range t.Gateways() {
			err = fmt.Errorf("%w\n%s: %s", err, p.Name, p.Tail())
		}
		t.Stop()
		return nil, fmt.Errorf("%s: %w", c.Title, err)
	}
	return t, nil
}

// Gateways are the processes, if there are any.
func (t *Tunnel) Gateways() []*lab.Process {
	var ps []*lab.Process
	for _, p := range []*lab.Process{t.A, t.B} {
		if p != nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// Check is an error if a gateway has ended by itself.
func (t *Tunnel) Check() error {
	for _, p := range t.Gateways() {
		select {
		case <-p.Done():
			return fmt.Errorf("%s has ended: %s", p.Name, p.Tail())
		default:
		}
	}
	return nil
}

// Status is what the gateway on host a says of its data path; empty if it says nothing.
func (t *Tunnel) Status(ctx context.Context) (string, error) {
	if t.status == nil {
		return "", nil
	}
	return t.status(ctx)
}

// stopGrace is how long a gateway may take to end.
const stopGrace = 3 * time.Second

// Stop ends the gateways.
func (t *Tunnel) Stop() {
	for _, p := range t.Gateways() {
		_ = p.Stop(stopGrace) // the measurement is over: how it ends is no figure
	}
}

// startLimit is how long a program may take until it can be talked to.
const startLimit = 15 * time.Second

// waitFile waits for a file that a program makes, such as its control socket.
func waitFile(ctx context.Context, p *lab.Process, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return errors.New("it has ended")
		case <-ctx.Done():
			return fmt.Errorf("there is no %s: %w", filepath.Base(path), ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// siteDir makes a directory for what belongs to one gateway.
func siteDir(s *lab.Site, program string) (string, error) {
	dir := filepath.Join(s.Dir, program)
	return dir, os.MkdirAll(dir, 0o700)
}

// Veth is no tunnel at all: what the machine does when nothing is in between.
func Veth(link string) *Contestant {
	return &Contestant{
		Contestant: report.Contestant{Key: report.KeyVeth, Title: "plain veth", Version: "the kernel's", Cipher: "none"},
		Device:     link,
		start: func(_ context.Context, l *lab.Lab, _ *Tunnel) error {
			for _, s := range l.Sites() {
				o := l.Other(s)
				if err := s.IP("route add " + o.Net4.String() + " via " + o.Outer4.String() + " src " + s.Inner4.String()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
