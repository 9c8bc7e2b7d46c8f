package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/dataplane"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

func newDemo() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a tunnel between two gateways in this process",
		Long: `Demo runs two whole gateways in this one process. They talk IKEv2 and ESP over UDP on the loopback interface; behind each
of them is a TCP/IP stack of its own instead of a TUN device, so that no privilege and no set-up is needed.

It shows the exchanges as a ladder, sends data through the tunnel in both directions, replaces all keys while the data
flows, and checks that what arrived is what was sent. The exit code is 0 if everything was as it should be.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return usageError{c, err.Error()}
			}
			ctx, cancel := context.WithTimeout(c.Context(), demoLimit)
			defer cancel()
			return runDemo(ctx, c.OutOrStdout(), o)
		},
	}
	c.Flags().DurationVar(&o.duration, "duration", 6*time.Second, "how long data flows, at most 20s")
	c.Flags().StringVar(&o.ike, "ike", "aes256gcm16-prfsha384-x25519", "the IKE `proposal`")
	c.Flags().StringVar(&o.esp, "esp", "aes128gcm16-x25519", "the ESP `proposal`")
	c.Flags().BoolVar(&o.verbose, "verbose", false, "print the log of both gateways to standard error")
	return c
}

type demoOptions struct {
	duration time.Duration
	ike, esp string
	verbose  bool
}

// check is an error about a flag.
func (o demoOptions) check() error {
	if o.duration <= 0 || o.duration > demoMaxDuration {
		return fmt.Errorf("--duration is %s: it must be more than 0 and at most %s", o.duration, demoMaxDuration)
	}
	if _, err := proposal.ParseList(wire.ProtocolIKE, []string{o.ike}); err != nil {
		return fmt.Errorf("--ike: %w", err)
	}
	if _, err := proposal.ParseList(wire.ProtocolESP, []string{o.esp}); err != nil {
		return fmt.Errorf("--esp: %w", err)
	}
	return nil
}

const (
	// demoLimit ends a demonstration that hangs.
	demoLimit = 30 * time.Second
	// demoStep is the longest that a single step may take: bringing the tunnel up, a rekeying, a verdict.
	demoStep = 5 * time.Second
	// demoMaxDuration leaves time for everything else.
	demoMaxDuration = 20 * time.Second
)

// The inner addresses of the two sides.
var (
	demoLeft  = netip.MustParseAddr("10.1.0.1")
	demoRight = netip.MustParseAddr("10.2.0.1")
)

// demoConfig is the configuration of one side, as it could stand in a file. The right side waits for the left one,
// whose remote port is the one that the system gave the right side.
func demoConfig(o demoOptions, name, peer string, inner, peerInner netip.Addr, remotePort uint16) (*config.Config, error) {
	remote := `remote_addrs = ["%any"]`
	action := "none"
	if remotePort != 0 {
		remote = fmt.Sprintf("remote_addrs = [\"127.0.0.1\"]\nremote_port = %d", remotePort)
		action = "start"
	}
	text := fmt.Sprintf(`
[tun]
device = "netstack"
addresses = ["%[3]s/32"]

[connections.demo]
local_addrs = ["127.0.0.1"]
%[5]s
proposals = ["%[6]s"]
[connections.demo.local]
auth = "psk"
id = "%[1]s.demo.example"
[connections.demo.remote]
auth = "psk"
id = "%[2]s.demo.example"

[connections.demo.children.net]
local_ts = ["%[3]s/32"]
remote_ts = ["%[4]s/32"]
esp_proposals = ["%[7]s"]
start_action = "%[8]s"

[secrets.ike.demo]
id = ["left.demo.example", "right.demo.example"]
secret = "0x8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d"
`, name, peer, inner, peerInner, remote, o.ike, o.esp, action)
	return config.Parse(name+".toml", []byte(text))
}

// demo is a demonstration under way.
type demo struct {
	left, right *gateway
	events      *demoEvents
}

func runDemo(ctx context.Context, out io.Writer, o demoOptions) error {
	d := &demo{events: newDemoEvents(out)}
	if err := d.setUp(o); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	failed := make(chan error, 2)
	for _, g := range []*gateway{d.right, d.left} {
		wg.Go(func() {
			if err := g.run(ctx); err != nil {
				failed <- err
			}
		})
	}
	err := d.show(ctx, o)
	stop()
	wg.Wait()
	select {
	case e := <-failed:
		err = errors.Join(err, e)
	default:
	}
	if err != nil {
		return err
	}
	d.events.text("\nBoth gateways have deleted their SAs and ended.")
	return nil
}

// setUp makes both gateways, the right one first: its port is known then.
func (d *demo) setUp(o demoOptions) error {
	log := func(side string) slog.Handler {
		if !o.verbose {
			return slog.DiscardHandler
		}
		return slog.NewTextHandler(os.Stderr, nil).WithAttrs([]slog.Attr{slog.String("side", side)})
	}
	rightConf, err := demoConfig(o, "right", "left", demoRight, demoLeft, 0)
	if err != nil {
		return err
	}
	options := func(side string) gatewayOptions {
		return gatewayOptions{log: log(side), observer: d.events.side(side), noControl: true, ephemeral: true}
	}
	if d.right, err = newGateway(rightConf, options("right")); err != nil {
		return err
	}
	port := d.right.port(dataplane.SocketNATT)
	leftConf, err := demoConfig(o, "left", "right", demoLeft, demoRight, port)
	if err == nil {
		d.left, err = newGateway(leftConf, options("left"))
	}
	if err != nil {
		d.right.close()
		return err
	}
	d.events.text(`Two gateways in one process, over UDP on the loopback interface:

  left  127.0.0.1:%-5d  behind it %s
  right 127.0.0.1:%-5d  behind it %s

The left gateway brings the tunnel up:
`, d.left.port(dataplane.SocketNATT), demoLeft, port, demoRight)
	return nil
}

// show plays the scenes in order.
func (d *demo) show(ctx context.Context, o demoOptions) error {
	if err := d.events.wait(ctx, "the tunnel", func(c demoCounts) bool { return c.up >= 2 }); err != nil {
		return err
	}
	d.events.text("\nThe tunnel is up. Data flows both ways for %s; all keys are replaced meanwhile:\n", o.duration)
	t, err := d.flow(ctx, o.duration)
	if err != nil {
		return err
	}
	return d.verdict(ctx, t)
}

// Intervals of the progress display.
const (
	demoPlainInterval    = time.Second // a line each, where lines can't be overwritten
	demoTerminalInterval = 200 * time.Millisecond
)

// flow sends data both ways for the duration, and for longer if not all keys have been replaced by then.
func (d *demo) flow(ctx context.Context, duration time.Duration) (*traffic, error) {
	t := newTraffic(d.left.net, d.right.net)
	flow := make(chan error, 1)
	flowCtx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { flow <- t.run(flowCtx, ctx) }()

	scenes := []<-chan time.Time{time.After(duration / 3), time.After(2 * duration / 3), time.After(duration)}
	interval, show := demoPlainInterval, d.events.line
	if d.events.terminal() {
		interval, show = demoTerminalInterval, d.events.status
	}
	progress := time.NewTicker(interval)
	defer progress.Stop()
	for scene := 0; ; {
		var next <-chan time.Time
		if scene < len(scenes) {
			next = scenes[scene]
		}
		select {
		case err := <-flow:
			if err == nil && scene < len(scenes) {
				err = errors.New("it ended too early")
			}
			if err != nil {
				return nil, fmt.Errorf("the data did not pass: %w", err)
			}
			d.events.line(t.total())
			return t, nil
		case <-progress.C:
			show(t.progress(duration, d.events.terminal()))
		case <-next:
			if err := d.scene(ctx, scene); err != nil {
				return nil, err
			}
			if scene++; scene == len(scenes) {
				stop()
			}
		}
	}
}

// scene is what happens while data flows: the left side asks for new keys of the child, the right one for new keys of
// the IKE SA, and the end, which waits for both.
func (d *demo) scene(ctx context.Context, scene int) error {
	var err error
	switch scene {
	case 0:
		_, err = d.left.commands.Rekey(ctx, ikegw.Target{Child: "net"})
	case 1:
		// A side that is not through with a child refuses new keys of the IKE SA for a while.
		done := func(c demoCounts) bool { return c.childRekeys >= 2 && c.deletes >= 1 }
		if err := d.events.wait(ctx, "the rekeying of the child", done); err != nil {
			return err
		}
		_, err = d.right.commands.Rekey(ctx, ikegw.Target{Connection: "demo"})
	case 2:
		err = d.events.wait(ctx, "the rekeyings", func(c demoCounts) bool { return c.childRekeys >= 2 && c.ikeRekeys >= 2 })
	}
	return err
}

// verdict compares what was sent with what arrived.
func (d *demo) verdict(ctx context.Context, t *traffic) error {
	d.events.text("")
	ok := true
	for _, f := range t.flows {
		sent, got := f.sums()
		verdict := "the same"
		if sent != got {
			verdict, ok = "NOT THE SAME", false
		}
		d.events.text("%-14s %s in %s, %s; SHA-256 %x… at both ends: %s", f.name, octets(f.received.Load()),
			f.took().Round(10*time.Millisecond), rate(f.received.Load(), f.took()), sent[:4], verdict)
	}
	d.events.text("The faster direction carried %.1f times what the other did.", t.ratio())
	lost := uint64(0)
	for _, side := range []struct {
		from, to *gateway
		name     string
	}{{d.left, d.right, "left to right"}, {d.right, d.left, "right to left"}} {
		sealed, opened, err := packets(ctx, side.from, side.to)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%-14s %d ESP packets sealed, %d opened", side.name, sealed, opened)
		if opened != sealed {
			line += fmt.Sprintf("; a full socket buffer dropped %d, which TCP sent again", sealed-opened)
			lost += sealed - opened
		}
		d.events.text("%s", line)
	}
	for _, g := range []*gateway{d.left, d.right} {
		for _, drop := range g.drops() {
			if drop.Reason == dataplane.DropOutSendBuffer.String() {
				continue // the system was too slow, which the counters above show
			}
			ok = false
			d.events.text("%s dropped %d packets %s: %s", g.conf.File, drop.Packets, drop.Direction, drop.Reason)
		}
	}
	switch {
	case !ok:
		return errors.New("what arrived is not what was sent")
	case lost > 0:
		d.events.text("\nNothing was lost for good: TCP sent again what full socket buffers dropped. Every key was replaced on the way.")
	default:
		d.events.text("\nNothing was lost, and every key was replaced on the way.")
	}
	return nil
}

// packets compares the ESP counters of the two ends of one direction. TCP's last acknowledgements may still be on
// their way: it reads them until they agree, or until they have not for longer than loopback can take.
func packets(ctx context.Context, from, to *gateway) (sealed, opened uint64, err error) {
	counters := func(g *gateway) (ikegw.Counters, error) {
		info, err := g.commands.Info(ctx)
		if err != nil || len(info.Conns) == 0 || len(info.Conns[0].Children) == 0 {
			return ikegw.Counters{}, errors.Join(err, ctx.Err())
		}
		return info.Conns[0].Children[0].Counters, nil
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Second); ; {
		a, err := counters(from)
		if err != nil {
			return 0, 0, err
		}
		b, err := counters(to)
		if err != nil {
			return 0, 0, err
		}
		if sealed, opened = a.OutPackets, b.InPackets; sealed == opened || time.Now().After(deadline) {
			return max(sealed, opened), opened, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
}

func rate(n uint64, took time.Duration) string {
	return fmt.Sprintf("%.0f Mbit/s", float64(n)*8/1e6/max(took.Seconds(), 1e-9))
}
