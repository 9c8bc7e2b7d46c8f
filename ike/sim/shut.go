package sim

import (
	"slices"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// initiate brings a connection up, which ends that an operator keeps it down.
func (h *Host) initiate(g *gateway.Manager, conn string) {
	delete(h.shut, conn)
	_ = g.Initiate(gateway.Target{Connection: conn}, nil)
}

// wantShut fails the run unless all IKE SAs of a connection that an operator keeps down are on their way out. A CHILD SA may come up with
// such a one: its request was there before the DELETE.
func (h *Host) wantShut() {
	for _, s := range h.sas() {
		if !h.shut[s.Connection] || s.State != sa.StateEstablished && s.State != sa.StateRekeying {
			continue
		}
		if !slices.ContainsFunc(s.Tasks, func(t sa.Task) bool { return t.Name == "delete IKE SA" }) {
			h.w.fail("%s: IKE SA %d of %s is in use, which an operator keeps down", h.name, s.ID, s.Connection)
		}
	}
}
