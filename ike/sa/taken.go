package sa

import (
	"fmt"
	"net/netip"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Holder is a peer that has what another one asks for.
type Holder struct {
	ID     identity.Identity
	Remote netip.AddrPort
	IKE    uint64 // the number of its IKE SA
	TS     selector.Pair
}

// taken is the failure of a child whose traffic selectors are those of another peer; nil for none.
func (m *Machine) taken(x wire.ExchangeType, c *ChildConfig, ts selector.Pair) *diag.Failure {
	if m.env.Taken == nil {
		return nil
	}
	by, ok := m.env.Taken(m, c, ts)
	if !ok {
		return nil
	}
	return diag.SelectorsTaken(m.where(x).Of(c.Name, c.RemoteTSLine).Answering(wire.NotifyTSUnacceptable),
		fmt.Sprintf("%s for %s at %s (IKE SA #%d)", selector.Format(by.TS.Remote), by.ID, by.Remote, by.IKE), selector.Format(ts.Remote))
}
