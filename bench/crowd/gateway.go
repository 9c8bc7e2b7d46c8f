package crowd

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"

	"esplanade/config"
	"esplanade/esp"
	"esplanade/ike"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

const (
	ikePort, nattPort = 500, 4500
	secret            = "correct-horse-battery-staple-2026"
	own               = "192.0.2.1"
	ikeProposal       = "aes128gcm16-prfsha256-x25519"
)

// address is that of the n-th peer.
func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(n + 1)}) }

// configuration is that of a gateway which peers call, the last of them to watch.
func configuration(peers int, esp string) (*config.Config, error) {
	var s strings.Builder
	for n := range peers + 1 {
		fmt.Fprintf(&s, `
[connections.c%[1]d]
local_addrs = [%[2]q]
remote_addrs = [%[3]q]
dpd_delay = "0s"
proposals = [%[5]q]
[connections.c%[1]d.local]
auth = "psk"
id = "gateway.example"
[connections.c%[1]d.remote]
auth = "psk"
id = "c%[1]d.example"
[connections.c%[1]d.children.net]
esp_proposals = [%[4]q]
local_ts = ["10.2.0.0/16"]
remote_ts = ["10.10.%[1]d.0/24"]
start_action = "none"
`, n, own, address(n), esp, ikeProposal)
	}
	fmt.Fprintf(&s, "[secrets.ike.all]\nsecret = %q\n", secret)
	return config.Parse("crowd.toml", []byte(s.String()))
}

// plane is a data plane that carries nothing but IKE messages.
type plane struct {
	spi atomic.Uint32
	// send is called on the gateway's event loop.
	send func(to netip.AddrPort, b []byte)
}

var _ gateway.DataPlane = (*plane)(nil)

func (p *plane) SendIKE(_, remote netip.AddrPort, b []byte) error { p.send(remote, b); return nil }
func (p *plane) AllocateSPI() (uint32, error)                     { return p.spi.Add(1) + 0x1000, nil }
func (p *plane) ReleaseSPI(uint32)                                {}
func (p *plane) SetPolicy(uint64, selector.Policy)                {}
func (p *plane) ClearPolicy(uint64)                               {}
func (p *plane) FailPending(uint64)                               {}
func (p *plane) RemoveInbound(uint64)                             {}
func (p *plane) RemoveOutbound(uint64)                            {}
func (p *plane) UpdatePath(uint64, esp.Path)                      {}
func (p *plane) UpdateSelectors(uint64, selector.Pair)            {}
func (p *plane) PathState(uint64) (gateway.PathState, bool)       { return gateway.PathState{}, false }
func (p *plane) Counters(uint64) (gateway.Counters, bool)         { return gateway.Counters{}, false }
func (p *plane) InstallInbound(_, _ uint64, _ esp.InboundConfig, _ selector.Pair, _ esp.Path) error {
	return nil
}
func (p *plane) InstallOutbound(_, _, _ uint64, _ esp.OutboundConfig, _ selector.Pair, _ esp.Path) error {
	return nil
}

// network is a host on which nothing is to be done.
type network struct{}

var _ ike.Network = network{}

func (network) SourceFor(netip.Addr) (netip.Addr, error) { return netip.MustParseAddr(own), nil }
func (network) Addresses() ([]netip.Addr, error)         { return []netip.Addr{netip.MustParseAddr(own)}, nil }
func (network) AddRoutes(selector.Pair) error            { return nil }
func (network) RemoveRoutes(selector.Pair) error         { return nil }
func (network) Prepared() error                          { return nil }
func (network) Exclude(netip.Addr) error                 { return nil }
func (network) Unexclude(netip.Addr) error               { return nil }

// Assign implements ike.Network.
func (network) Assign(l []sa.Placement) (string, []error) { return "", make([]error, len(l)) }

// Retract implements ike.Network.
func (network) Retract([]sa.Placement) error { return nil }

// start runs a gateway until stop is called.
func start(c *config.Config, workers int, send func(to netip.AddrPort, b []byte)) (d *ike.Daemon, stop func() error) {
	d = ike.New(ike.Options{
		Config: c, DataPlane: &plane{send: send}, Network: network{}, IKEPort: ikePort, NATTPort: nattPort, Workers: workers,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return d, func() error { cancel(); return <-ended }
}
