package dataplane

import (
	"sync/atomic"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// notice remembers whether the handler was told of something that it is told once.
type notice struct{ told atomic.Bool }

// due reports whether it is time to tell: to one caller, once.
func (n *notice) due() bool { return !n.told.Load() && n.told.CompareAndSwap(false, true) }

// inboundSA is what a received packet meets. All but the atomics is immutable.
type inboundSA struct {
	spi   uint32
	esp   *esp.Inbound
	mode  esp.Mode
	child *child
	line  uint64 // as that of outbound SAs
	ts    atomic.Pointer[selector.Pair]
	route atomic.Pointer[route] // where packets are expected to come from
	// active is about the first authentic packet.
	active notice
	cells  []counterCell // by number of the inbound loop
}

// outboundSA is what a packet from the device meets. All but the atomics is immutable.
type outboundSA struct {
	esp    *esp.Outbound
	mode   esp.Mode
	child  *child
	policy uint64
	suite  esp.Suite
	route  atomic.Pointer[route]
	// portless says that fragments of a packet are selected like the packet itself.
	portless bool
	// exhausting is about the soft limit.
	exhausting notice
	cells      []counterCell // by number of the outbound loop, the last is the courier's
	// progress is about when TCP was last seen to get large packets through, on the engine's clock.
	progress atomic.Int64
}

// maxInner is the largest inner packet that fits the route.
func (o *outboundSA) maxInner(r *route) int { return o.maxInnerAt(int(r.mtu.Load()), r) }

// maxInnerAt is maxInner for another MTU.
func (o *outboundSA) maxInnerAt(mtu int, r *route) int {
	switch o.mode {
	case esp.Tunnel: // the inner packet is the payload, header and all
		return o.suite.MaxPayload(mtu - r.outerHeader())
	}
	return 0
}

// portless reports whether no selector of the pair looks at ports.
func portless(p selector.Pair) bool {
	for _, l := range [][]selector.Selector{p.Local, p.Remote} {
		for i := range l {
			if !l[i].AnyPorts() {
				return false
			}
		}
	}
	return true
}
