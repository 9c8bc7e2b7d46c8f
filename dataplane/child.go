package dataplane

import "sync/atomic"

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

// fit sets what fits route r, which is that of the outbound SA.
func (c *child) fit(r *route) {
	c.inner.Store(int32(c.out.maxInner(r)))
	mtu := int(r.mtu.Load())
	suspect := int32(maxPacket) // nothing is, at the smallest MTU there is
	if step := holeStep(mtu, r.path.Remote.Addr().Is6()); step > 0 {
		suspect = int32(c.out.maxInnerAt(step, r))
	}
	c.suspect.Store(suspect)
}
