package dataplane

import (
	"sync/atomic"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// child is one CHILD_SA: an inbound and an outbound SA, either of which may be missing. It is owned by the engine's
// mutex; the packet path sees only the fields that say so.
type child struct {
	id  uint64
	in  *inboundSA
	out *outboundSA
	// inner is the largest inner packet that fits the outbound SA's path; 0: there is none yet. It is set with every
	// change of the path or its MTU, and read by the packet path: in both directions, for SYN segments.
	inner atomic.Int32
	// suspect is the largest inner packet that would still fit if larger ones vanished: see holeStep.
	suspect atomic.Int32
	// The counters of SAs that are removed already. Not what they said then: a loop may be in the middle of a batch, which
	// still goes through such an SA.
	inGone, outGone [][]counterCell
}

// inboundSA is what a received packet meets. All but the atomics is immutable.
type inboundSA struct {
	spi uint32
	esp *esp.Inbound
	// header is the number of octets in front of the payload.
	header int
	child  *child
	line   uint64 // as that of outbound SAs
	ts     atomic.Pointer[selector.Pair]
	route  atomic.Pointer[route] // where packets are expected to come from
	// active is set by the first authentic packet.
	active atomic.Bool
	cells  []counterCell // by number of the inbound loop
}

// outboundSA is what a packet from the device meets. All but the atomics is immutable.
type outboundSA struct {
	esp    *esp.Outbound
	child  *child
	policy uint64
	suite  esp.Suite
	route  atomic.Pointer[route]
	// portless says that fragments of a packet are selected like the packet itself.
	portless bool
	// exhausting is set when the handler has been told.
	exhausting atomic.Bool
	cells      []counterCell // by number of the outbound loop, the last is the control side's
	// progress is about when TCP was last seen to get large packets through, on the engine's clock.
	progress atomic.Int64
}

// fit sets what fits route r, which is that of the outbound SA.
func (c *child) fit(r *route) {
	c.inner.Store(int32(c.out.maxInner(r)))
	mtu := int(r.mtu.Load())
	suspect := int32(maxPacket) // nothing is, at the smallest MTU there is
	if step := holeStep(mtu, r.path.Remote.Addr().Is6()); step > 0 {
		suspect = int32(c.out.suite.MaxPayload(step - r.outerHeader()))
	}
	c.suspect.Store(suspect)
}

// maxInner is the largest inner packet that fits the route.
func (o *outboundSA) maxInner(r *route) int {
	return o.suite.MaxPayload(int(r.mtu.Load()) - r.outerHeader())
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
