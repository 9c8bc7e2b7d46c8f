package strongswan

import (
	"net/netip"
	"slices"
	"strings"

	"esplanade/config/tree"
)

// routed is the failure of a child whose packets are chosen by routes to a device, and not by its selectors, which are everything: here it would
// take all traffic of the host.
func routed(from *tree.Table) *failure {
	ts, _ := from.Get("remote_ts")
	text, _ := value(ts)
	if !slices.ContainsFunc(fields(text), everything) {
		return nil
	}
	for _, name := range []string{"if_id_in", "if_id_out", "mark_in", "mark_out"} {
		e, ok := from.Get(name)
		if id, _ := value(e); ok && !slices.Contains(isZero(), strings.TrimSpace(id)) {
			return &failure{e.At, show(e), "there, routes to a device decide what goes into the tunnel, and here the selectors do: " +
				"write a child whose remote_ts are the networks that the routes are for"}
		}
	}
	return nil
}

// everything reports whether a selector has all addresses of an IP version.
func everything(ts string) bool {
	n, err := netip.ParsePrefix(strings.TrimSpace(ts))
	return err == nil && n.Bits() == 0
}
