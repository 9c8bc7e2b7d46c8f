package strongswan

import (
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// routed is the failure of a child whose packets are chosen by routes to a device, and not by its selectors, which are everything or much of it:
// here it would take all traffic of the host. The connection can say so for all of its children.
func routed(from, connection *tree.Table) *failure {
	ts, _ := from.Get("remote_ts")
	text, _ := value(ts)
	if !slices.ContainsFunc(fields(text), migrate.Wide) {
		return nil
	}
	for _, section := range []*tree.Table{from, connection} {
		for _, name := range []string{"if_id_in", "if_id_out", "mark_in", "mark_out", "interface"} {
			e, ok := section.Get(name)
			if id, _ := value(e); ok && !slices.Contains(isZero(), strings.TrimSpace(id)) {
				return &failure{e.At, show(e), "there, routes to a device decide what goes into the tunnel, and here the selectors do: " +
					"write a child whose remote_ts are the networks that the routes are for"}
			}
		}
	}
	return nil
}

// narrowed is the failure of a child whose policies have less than its selectors, by what does not exist here: it would take more packets.
func narrowed(from *tree.Table) *failure {
	if e, ok := from.Get("policies"); ok {
		if v, _ := value(e); v != "" && !slices.Contains(isYes(), strings.ToLower(strings.TrimSpace(v))) {
			return &failure{e.At, show(e), "there, no packet goes into this tunnel by its selectors, and here all do that have them"}
		}
	}
	if e, ok := from.Get("label"); ok {
		if v, _ := value(e); v != "" {
			return &failure{e.At, show(e), "security labels are the kernel's, and without them packets of all labels would go into the tunnel"}
		}
	}
	return nil
}

// otherMode is why a child of a mode other than tunnel is left out, and what becomes of its packets then.
func otherMode(mode string) string {
	switch strings.ToLower(mode) {
	case "drop":
		return "there are only tunnels in this version, and what this one drops now goes into another child that has it, or out in the clear: drop it with a firewall"
	case "pass":
		return "there are only tunnels in this version, and what this one lets out in the clear now goes into another child that has it: leave it out of that one's remote_ts"
	}
	return "there is only the mode tunnel in this version"
}
