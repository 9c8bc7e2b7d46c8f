package gateway

import "esplanade/ike/selector"

// maxCompared bounds the pairs of selectors that are compared for one input of the event loop. A peer can have 256 CHILD SAs on
// an IKE SA (package sa) with 64 selectors a side, all of one configured child: to compare those of two IKE SAs would be
// 256 * 256 * 2 * 64 * 64, or half a billion pairs. At 50 ns a pair, 20,000 are one millisecond. Children that are configured one by
// one are told apart by their configuration, and cost nothing of it.
const maxCompared = 20_000

// mayCompare reports whether there is time left in this turn to compare two pairs of lists of selectors, and takes it.
func (g *Manager) mayCompare(a, b selector.Pair) bool {
	g.compared += len(a.Local)*len(b.Local) + len(a.Remote)*len(b.Remote)
	return g.compared <= maxCompared
}
