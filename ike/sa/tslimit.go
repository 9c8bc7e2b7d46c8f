package sa

import (
	"fmt"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Bounds of what a peer can make of the traffic selectors of a CHILD SA. A TS payload has room for 255 ranges, and a range
// of IPv6 addresses that is no prefix is up to 254 of them: 65,000 routes and policies for one request of 8 kB. Selectors
// of a gateway with many networks are some dozens. What the operator has configured is always allowed: a child with 1000
// prefixes in its remote_ts may be negotiated with as many.
const (
	maxSelectors  = 64  // ranges of one side
	maxTSPrefixes = 256 // prefixes that they are cut into
)

// tsLimit reports how the selectors negotiated for a child exceed the bounds; the empty string means that they do not.
func tsLimit(negotiated, configured selector.Pair) string {
	if s := sideLimit(negotiated.Local, configured.Local); s != "" {
		return s + " on our side"
	}
	if s := sideLimit(negotiated.Remote, configured.Remote); s != "" {
		return s + " on the peer's side"
	}
	return ""
}

func sideLimit(negotiated, configured []selector.Selector) string {
	if n := len(negotiated); n > max(maxSelectors, len(configured)) {
		return fmt.Sprintf("%d traffic selectors", n)
	}
	if n := prefixes(negotiated); n > maxTSPrefixes && n > prefixes(configured) {
		return fmt.Sprintf("traffic selectors that are %d prefixes", n)
	}
	return ""
}

func prefixes(list []selector.Selector) int {
	n := 0
	for _, s := range list {
		n += len(s.Prefixes())
	}
	return n
}

// tsLimitFailure is the failure of a child whose selectors exceed the bounds.
func (m *Machine) tsLimitFailure(x wire.ExchangeType, c *ChildConfig, what string) *diag.Failure {
	return diag.TooManySelectors(m.where(x).Of(c.Name, c.LocalTSLine).Answering(wire.NotifyTSUnacceptable),
		fmt.Sprintf("at most %d traffic selectors and %d prefixes on each side, or as many as are configured", maxSelectors, maxTSPrefixes), what)
}
