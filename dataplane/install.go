package dataplane

import (
	"errors"
	"fmt"
	"net/netip"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// Errors of the control side.
var (
	// ErrSPI says that an inbound SA's SPI was not allocated by the engine, or has an SA already.
	ErrSPI = errors.New("dataplane: the SPI is not one that can be installed")
	// ErrChild says that the child has an SA of that direction already.
	ErrChild = errors.New("dataplane: the child has such an SA already")
	// ErrPath says that no socket can carry the path.
	ErrPath = errors.New("dataplane: no socket for the path")
	// ErrSelectors says that one side of an SA's traffic selectors is empty.
	ErrSelectors = errors.New("dataplane: no traffic selectors")
)

// SendIKE sends an IKE message from a socket that has the local port and address, behind the non-ESP marker when that
// is a NAT-T socket. An invalid or unspecified local address leaves the choice to the system, port 0 means the IKE
// port. A single octet 0xff is sent as it is: it is a NAT-keepalive. It does not wait: a message for which the socket's
// buffer has no room is lost, and an error says so.
func (e *Engine) SendIKE(local, remote netip.AddrPort, datagram []byte) error {
	return e.sockets.sendIKE(local, remote, datagram)
}

// AllocateSPI gives an SPI for an inbound SA: not in use, with the bits by which its packets are found and steered.
func (e *Engine) AllocateSPI() (uint32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.spis.allocate()
}

// ReleaseSPI takes back an SPI that was not installed, or whose SA is to be removed with it.
func (e *Engine) ReleaseSPI(spi uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if sa := e.spis.lookup(spi); sa != nil {
		e.removeInbound(sa.child)
		return
	}
	e.spis.release(spi)
}

// InstallInbound makes packets with the SPI accepted for the child. The SPI comes from AllocateSPI and is released
// when the SA is removed. path says where the packets are expected from, line is that of InstallOutbound.
func (e *Engine) InstallInbound(id, line uint64, c esp.InboundConfig, ts selector.Pair, path esp.Path) error {
	if ts.Empty() {
		return ErrSelectors
	}
	in, err := esp.NewInbound(c)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	if !e.spis.allocated(c.SPI) || e.spis.lookup(c.SPI) != nil {
		return fmt.Errorf("%w: %08x", ErrSPI, c.SPI)
	}
	ch := e.child(id)
	if ch.in != nil {
		return fmt.Errorf("%w: inbound SA of child %d", ErrChild, id)
	}
	rt, err := e.route(path)
	if err != nil {
		e.forget(ch)
		return err
	}
	sa := &inboundSA{spi: c.SPI, esp: in, mode: c.Mode, child: ch, line: line,
		cells: make([]counterCell, len(e.inLoops))}
	sa.ts.Store(&ts)
	sa.route.Store(rt)
	ch.in = sa
	e.spis.insert(sa)
	return nil
}

// InstallOutbound makes packets of the policy that ts selects leave through the SA. Of several SAs that select a packet,
// the one whose remote prefix is longest is used, then that of the oldest line: line is one number for an SA and those
// that it is rekeyed to, and counts up. Of one line the newest is used for all it selects, so a rekeyed SA takes over at
// once; an older one goes on with the rest until RemoveOutbound. What waits for the policy is sent soon. An SA of a policy that
// is not there stands for itself, behind all others.
func (e *Engine) InstallOutbound(id, policy, line uint64, c esp.OutboundConfig, ts selector.Pair, path esp.Path) error {
	if ts.Empty() {
		return ErrSelectors
	}
	out, err := esp.NewOutbound(c)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	ch := e.child(id)
	if ch.out != nil {
		return fmt.Errorf("%w: outbound SA of child %d", ErrChild, id)
	}
	rt, err := e.routeFor(ch, path)
	if err != nil {
		e.forget(ch)
		return err
	}
	sa := &outboundSA{esp: out, mode: c.Mode, child: ch, policy: policy, suite: c.Suite, portless: portless(ts),
		cells: make([]counterCell, len(e.outLoops)+1)}
	sa.route.Store(rt)
	ch.out = sa
	ch.fit(rt)
	e.addSA(sa, ts, line)
	return nil
}

// RemoveInbound makes packets with the child's SPI unknown, and releases the SPI.
func (e *Engine) RemoveInbound(id uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ch := e.children[id]; ch != nil && ch.in != nil {
		e.removeInbound(ch)
	}
}

func (e *Engine) removeInbound(ch *child) {
	sa := ch.in
	e.spis.release(sa.spi)
	e.inboundGen.Add(1)
	ch.inGone = append(ch.inGone, sa.cells)
	ch.in = nil
	e.forget(ch)
}

// RemoveOutbound takes the child's outbound SA out of the policies.
func (e *Engine) RemoveOutbound(id uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.children[id]
	if ch == nil || ch.out == nil {
		return
	}
	sa := ch.out
	e.removeSA(sa)
	ch.outGone = append(ch.outGone, sa.cells)
	ch.out = nil
	e.forget(ch)
}

// UpdatePath makes the child's SAs use another path. It does nothing if no socket can carry it; the error is logged.
func (e *Engine) UpdatePath(id uint64, path esp.Path) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.children[id]
	if ch == nil || e.closed {
		return
	}
	rt, err := e.route(path)
	if err != nil {
		e.log.Error("cannot use a path", "child", id, "local", path.Local, "remote", path.Remote, "udp", path.UDP, "error", err)
		return
	}
	if ch.in != nil {
		ch.in.route.Store(rt)
	}
	if ch.out != nil {
		ch.out.route.Store(rt)
		ch.fit(rt)
	}
}

// Counters gives what has gone through the child's SAs, and false if the child has none. Those of an SA that is
// removed are kept until the other one is removed too.
func (e *Engine) Counters(id uint64) (Counters, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.children[id]
	if ch == nil {
		return Counters{}, false
	}
	var in, out counterSum
	for _, cells := range ch.inGone {
		in.add(cells)
	}
	for _, cells := range ch.outGone {
		out.add(cells)
	}
	if ch.in != nil {
		in.add(ch.in.cells)
	}
	if ch.out != nil {
		out.add(ch.out.cells)
	}
	return Counters{
		InBytes: in.bytes, InPackets: in.packets, LastIn: e.clock.at(in.last), LastOnPath: e.clock.at(in.onPath),
		OutBytes: out.bytes, OutPackets: out.packets, LastOut: e.clock.at(out.last), Asking: out.asking,
	}, true
}

// Sequences are the highest sequence number that has come in for a child's SA, and the last that has gone out; 0 for none.
func (e *Engine) Sequences(id uint64) (in, out uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.children[id]
	if ch == nil {
		return 0, 0
	}
	if ch.in != nil {
		in = ch.in.esp.Highest()
	}
	if ch.out != nil {
		out = ch.out.esp.Used().Packets
	}
	return in, out
}

// child finds or makes a child.
func (e *Engine) child(id uint64) *child {
	ch := e.children[id]
	if ch == nil {
		ch = &child{id: id}
		e.children[id] = ch
	}
	return ch
}

// forget removes a child without SAs.
func (e *Engine) forget(ch *child) {
	if ch.in == nil && ch.out == nil {
		delete(e.children, ch.id)
	}
}

// route resolves a path and finds out its MTU.
func (e *Engine) route(p esp.Path) (*route, error) {
	rt, err := e.sockets.route(p)
	if err != nil {
		return nil, err
	}
	e.noteOwn(p.Local.Addr())
	mtu := e.config.PathMTU
	if mtu == 0 {
		mtu = e.sockets.pathMTU(rt)
	}
	if mtu == 0 {
		mtu = DefaultPathMTU
	}
	remote := p.Remote.Addr()
	rt.mtu.Store(int32(max(e.belowHole(remote, mtu), floorMTU(remote))))
	return rt, nil
}
