package netstack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/proof"
	"esplanade/esp"
)

// contestant is a kind of gateway.
type contestant struct {
	name  string
	ours  bool
	start func() (*pair, error)
}

var contestants = []contestant{
	{"Esplanade, aes128gcm16", true, esplanade(esp.Suite{Encr: esp.EncrAESGCM16, KeyBits: 128})},
	{"Esplanade, chacha20poly1305", true, esplanade(esp.Suite{Encr: esp.EncrChaCha20Poly1305})},
	{"wireguard-go, chacha20poly1305", false, wireguard},
}

// Run measures all contestants by turns, judges and writes.
func Run(ctx context.Context, o *Options) error {
	b, err := contest.NewBuilder(ctx, "")
	if err != nil {
		return err
	}
	c := proof.Look(ctx, b.Root, o.Line)
	r := results{Runs: o.runs, Seconds: o.duration.Seconds()}
	for n := range o.runs {
		for _, w := range patterns {
			for k := range contestants {
				x := contestants[(k+n)%len(contestants)] // each round begins with another one
				m, err := measure(ctx, x, w, o.duration)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", x.name, w.name, err)
				}
				r.Measured = append(r.Measured, m)
			}
		}
	}
	if err := write(o, r, c); err != nil {
		return err
	}
	return r.judge()
}

// measure starts a pair of gateways, has them carry data, and ends them.
func measure(ctx context.Context, x contestant, w pattern, duration time.Duration) (m measured, err error) {
	p, err := x.start()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	m = measured{Contestant: x.name, Ours: x.ours, Pattern: w.name}
	m.Forth, m.Back, err = p.carry(ctx, w, duration)
	return m, err
}
