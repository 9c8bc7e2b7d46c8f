package gateway

import "time"

// Lives counts the events of one connection that show how it fares: one that flaps stands out. They only grow, and a connection that a
// reload makes again goes on with them.
type Lives struct {
	// Established and the two rekeyings count SAs, Retransmits requests that were sent again, Failures what was reported of the
	// connection, by peers that have proved an identity or by this side.
	Established, IKERekeys, ChildRekeys, Retransmits, Failures uint64
	// Last is when its latest IKE SA was established, other than by rekeying; zero for never.
	Last time.Time
}

// count counts an event of a connection; nil for one that is not configured any more.
func (c *connection) count(f func(*Lives)) {
	if c != nil {
		f(&c.lives)
	}
}
