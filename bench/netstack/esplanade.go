package netstack

import (
	"context"
	"errors"
	"net/netip"

	"esplanade/dataplane"
	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

// side is one gateway of Esplanade: a packet loop with a stack behind it. There is no IKE.
type side struct {
	engine *dataplane.Engine
	net    *tun.Net
	stop   context.CancelFunc
	ended  chan error
}

func startSide(inner netip.Addr) (*side, error) {
	d, n, err := tun.NewNetstack([]netip.Addr{inner}, mtu)
	if err != nil {
		return nil, err
	}
	e, err := dataplane.New(dataplane.Config{Device: d, Handler: nobody{}, Sockets: dataplane.SocketConfig{NATT: &dataplane.Listen{Addrs: []netip.Addr{loopback}}}})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &side{engine: e, net: n, stop: stop, ended: make(chan error, 1)}
	go func() { s.ended <- e.Run(ctx) }()
	return s, nil
}

func (s *side) close() error {
	s.stop()
	return errors.Join(<-s.ended, s.engine.Close())
}

func (s *side) outer() netip.AddrPort { return s.engine.LocalAddr(dataplane.SocketNATT, false) }

// esplanade makes a pair of gateways with SAs of one suite.
func esplanade(suite esp.Suite) func() (*pair, error) {
	return func() (*pair, error) {
		left, err := startSide(leftInner)
		if err != nil {
			return nil, err
		}
		right, err := startSide(rightInner)
		if err != nil {
			return nil, errors.Join(err, left.close())
		}
		p := &pair{left: left.net, right: right.net, close: func() error { return errors.Join(left.close(), right.close()) }}
		ts := selector.Pair{Local: whole(leftInner), Remote: whole(rightInner)}
		if err := errors.Join(installSA(left, right, suite, ts, 1), installSA(right, left, suite, ts.Swap(), 2)); err != nil {
			return nil, errors.Join(err, p.close())
		}
		return p, nil
	}
}

// whole is the selector of an address.
func whole(a netip.Addr) []selector.Selector {
	return []selector.Selector{selector.FromPrefix(netip.PrefixFrom(a, a.BitLen()))}
}

// installSA installs an SA from one side to the other, whose keys are made of fill: they are nobody's secret.
func installSA(from, to *side, suite esp.Suite, ts selector.Pair, fill byte) error {
	spi, err := to.engine.AllocateSPI()
	if err != nil {
		return err
	}
	encr, integ, err := suite.KeyLen()
	if err != nil {
		return err
	}
	key := make([]byte, encr+integ)
	for i := range key {
		key[i] = fill + byte(i)
	}
	path := esp.Path{Local: from.outer(), Remote: to.outer(), UDP: true}
	err = to.engine.InstallInbound(1, 1, esp.InboundConfig{SPI: spi, Suite: suite, EncrKey: key[:encr], IntegKey: key[encr:]}, ts.Swap(),
		esp.Path{Local: path.Remote, Remote: path.Local, UDP: true})
	if err != nil {
		return err
	}
	return from.engine.InstallOutbound(1, 1, 1, esp.OutboundConfig{SPI: spi, Suite: suite, EncrKey: key[:encr], IntegKey: key[encr:]}, ts, path)
}

// nobody takes no interest in what an engine reports.
type nobody struct{}

func (nobody) HandleIKE(_, _ netip.AddrPort, _ []byte)        {}
func (nobody) HandleUnreachable(_, _ netip.AddrPort, _ error) {}
func (nobody) Acquire(uint64, selector.Packet)                {}
func (nobody) InboundActive(uint64)                           {}
func (nobody) PeerMoved(uint64, netip.AddrPort)               {}
func (nobody) UnknownSPI(_, _ netip.AddrPort, _ uint32)       {}
func (nobody) Exhausting(uint64)                              {}
