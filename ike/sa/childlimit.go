package sa

import (
	"fmt"

	"esplanade/ike/selector"
)

// What ends with an IKE SA ends in one turn of the event loop: all its CHILD SAs, and each prefix of their selectors in the data
// plane. So both are bounded for one IKE SA, the CHILD SAs included that are on their way out. A peer that asks for more is told
// NO_ADDITIONAL_SAS (RFC 7296 section 1.3). A rekeying is no further child: for a moment there are two of each, and a peer that
// rekeys on and on and deletes nothing has twice as many at most.
const (
	maxChildren = 256
	// maxSAPrefixes are those of the peer's side of all CHILD SAs together; each costs about 10 microseconds to remove. What is
	// configured is always allowed, with that of a rekeying and a duplicate.
	maxSAPrefixes       = 1024
	maxConfiguredCopies = 4
)

// childLimit names the limit that keeps the peer from another CHILD SA with the selectors ts, of those that are configured; ""
// for none.
func (m *Machine) childLimit(rekey bool, ts, configured selector.Pair) string {
	times := 1
	if rekey {
		times = 2
	}
	if len(m.children) >= times*maxChildren {
		return fmt.Sprintf("%d CHILD SAs of one IKE SA", maxChildren)
	}
	most := max(maxSAPrefixes, maxConfiguredCopies*prefixes(configured.Remote))
	all := prefixes(ts.Remote)
	for _, c := range m.children {
		all += prefixes(c.TS.Remote)
	}
	if all > times*most {
		return fmt.Sprintf("%d prefixes in the selectors of all CHILD SAs of one IKE SA", most)
	}
	if m.env.ChildFull != nil {
		return m.env.ChildFull(m, rekey)
	}
	return ""
}
