package conns

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"

	"esplanade/config"
	"esplanade/ike"
	"esplanade/ike/control"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/vici"
)

const own = "192.0.2.1"

// plane is a data plane that carries nothing. What is not here is never asked of it, since no peer ever answers.
type plane struct{ gateway.DataPlane }

func (plane) SendIKE(_, _ netip.AddrPort, _ []byte) error { return nil }
func (plane) SetPolicy(uint64, selector.Policy)           {}
func (plane) ClearPolicy(uint64)                          {}
func (plane) FailPending(uint64)                          {}
func (plane) Counters(uint64) (gateway.Counters, bool)    { return gateway.Counters{}, false }
func (plane) PathState(uint64) (gateway.PathState, bool)  { return gateway.PathState{}, false }

// network is a host on which nothing is to be done.
type network struct{}

var _ ike.Network = network{}

func (network) SourceFor(netip.Addr) (netip.Addr, error)  { return netip.MustParseAddr(own), nil }
func (network) Addresses() ([]netip.Addr, error)          { return []netip.Addr{netip.MustParseAddr(own)}, nil }
func (network) AddRoutes(selector.Pair) error             { return nil }
func (network) RemoveRoutes(selector.Pair) error          { return nil }
func (network) Prepared() error                           { return nil }
func (network) Exclude(netip.Addr) error                  { return nil }
func (network) Unexclude(netip.Addr) error                { return nil }
func (network) Assign(l []sa.Placement) (string, []error) { return "", make([]error, len(l)) }
func (network) Retract([]sa.Placement) error              { return nil }

// start runs a gateway with a control socket in a directory until stop is called.
func start(ctx context.Context, dir string) (c *vici.Client, w *watched, stop func() error, err error) {
	conf, err := config.Parse("conns.toml", nil)
	if err != nil {
		return nil, nil, nil, err
	}
	d := ike.New(ike.Options{Config: conf, DataPlane: plane{}, Network: network{}, IKEPort: 500, NATTPort: 4500})
	w = &watched{Loop: d}
	commands := control.Commands{Loop: w}
	b := &control.Backend{
		Commands: commands, Configuration: control.NewConfiguration(commands, conf, slog.New(slog.DiscardHandler)), Counters: plane{}.Counters,
		DataPath: func() vici.DataPath { return vici.DataPath{} }, Drops: func() []vici.Drop { return nil },
	}
	path := filepath.Join(dir, "conns.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() {
		runtime.LockOSThread() // not unlocked: the thread's clock is this goroutine's
		ended <- d.Run(ctx)
	}()
	go func() { ended <- vici.NewServer(b, vici.Options{Logger: slog.New(slog.DiscardHandler)}).Serve(ctx, l) }()
	stop = func() error { cancel(); return errorsOf(<-ended, <-ended) }
	if c, err = vici.DialContext(ctx, path); err != nil {
		return nil, nil, nil, errorsOf(err, stop())
	}
	return c, w, stop, nil
}

// connection is the n-th connection as swanctl sends it.
func connection(n int) *vici.Message {
	m := new(vici.Message)
	s := m.Sub(fmt.Sprintf("c%d", n))
	s.Set("version", "2").SetList("remote_addrs", fmt.Sprintf("198.%d.%d.%d", 18+n>>16, n>>8&0xff, n&0xff)).SetList("proposals", "aes256gcm16-prfsha384-ecp384")
	s.Sub("local").Set("auth", "psk").Set("id", "gw.example")
	s.Sub("remote").Set("auth", "psk").Set("id", fmt.Sprintf("c%d.example", n))
	s.Sub("children").Sub("net").SetList("local_ts", "10.0.0.0/16").SetList("remote_ts", fmt.Sprintf("10.%d.%d.0/24", 1+n>>8, n&0xff)).Set("start_action", "trap")
	return m
}

// secretOf is the n-th connection's key as swanctl sends it.
func secretOf(n int) *vici.Message {
	return new(vici.Message).Set("id", fmt.Sprintf("ike-c%d", n)).Set("type", "ike").Set("data", fmt.Sprintf("Zk4vT8qL2mXw9RbN-%d", n)).SetList("owners", "gw.example", fmt.Sprintf("c%d.example", n))
}
