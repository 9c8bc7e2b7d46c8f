package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Errand is a request of an IKE SA, with what the one who carries it out has to know of its peer.
type Errand struct {
	Want sa.Want
	// Until is how long the IKE SA waits for the result.
	Until time.Time
	// Peer is where the other end of the IKE SA is: its address, or its /64 of IPv6. Stranger: it has come by itself and has not been
	// authenticated yet. Connection is the name of the one that it belongs to, empty for a stranger: where that has a pattern of
	// identities, a peer may have any number of them.
	Peer       netip.Addr
	Stranger   bool
	Connection string

	// The machine has the id ike and, since the request is for an exchange of it, the SPI spi until then.
	spi     wire.SPI
	ike     uint64
	request uint64
}

// runErrand has a request of a machine carried out.
func (g *Manager) runErrand(now time.Time, e *entry, r sa.Request) {
	x := Errand{
		Want: r.Want, Until: r.Until, Peer: sourceOf(e.m.Path().Remote.Addr()), Stranger: e.stranger,
		spi: e.m.LocalSPI(), ike: e.m.ID(), request: r.ID,
	}
	if l, ok := r.Want.(sa.Lease); ok {
		g.lease(now, e, x, l)
		return
	}
	if p, ok := r.Want.(sa.Proof); ok && x.Stranger {
		if x.Stranger = !p.Proved; x.Stranger && !g.affords(now, e.m.Path().Remote.Addr(), p) {
			e.m.Complete(now, r.ID, sa.Unfulfilled{Err: &sa.RequestError{Want: r.Want.String(), Reason: "strangers have had enough of them"}})
			return
		}
	}
	if e.conn != nil && !e.stranger {
		x.Connection = e.conn.conf.Name
	}
	result, done := g.o.Host.CarryOut(x)
	if done {
		e.m.Complete(now, r.ID, result)
	}
}

// Completed takes the result of an errand. That of an IKE SA which has ended is dropped.
func (g *Manager) Completed(now time.Time, x Errand, r sa.Result) {
	g.begin()
	if e := g.table.bySPI[x.spi]; e != nil && e.m.ID() == x.ike {
		e.m.Complete(now, x.request, r)
		g.drain(now, e)
	}
}
