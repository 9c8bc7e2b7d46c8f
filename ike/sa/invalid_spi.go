package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// invalidSPIPause is the shortest time between two INVALID_SPI notifications on an IKE SA, and between two rekeyings that the peer's
// bring about: a wayward SA is found out within seconds, and packets can ask for one small exchange in that time.
const invalidSPIPause = 10 * time.Second

// UnknownSPI tells that ESP has come from the peer with an SPI that nobody has here. "If an error occurs outside the context of an IKE
// request (e.g., the node is getting ESP messages on a nonexistent SPI), the node SHOULD initiate an INFORMATIONAL exchange with a
// Notify payload describing the problem." https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4
func (m *Machine) UnknownSPI(now time.Time, spi uint32) {
	if m.state != StateEstablished && m.state != StateRekeying || m.receives(spi) ||
		!m.spi.toldAt.IsZero() && now.Sub(m.spi.toldAt) < invalidSPIPause {
		return
	}
	m.spi.toldAt = now
	m.enqueue(&invalidSPITask{spi: spi})
	m.pump(now)
}

// waywardSPI is when INVALID_SPI was last sent, and when the peer's was last heeded.
type waywardSPI struct{ toldAt, heededAt time.Time }

// receives reports whether a CHILD SA has an SPI of ours.
func (m *Machine) receives(spi uint32) bool {
	return slices.ContainsFunc(m.children, func(c *Child) bool { return c.Inbound.SPI == spi })
}

// invalidSPITask tells the peer of an SPI that it uses and nobody has here.
type invalidSPITask struct{ spi uint32 }

func (t *invalidSPITask) name() string                { return "tell of an unknown SPI" }
func (t *invalidSPITask) exchange() wire.ExchangeType { return wire.ExchangeInformational }
func (t *invalidSPITask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	// The packet may have overtaken the answer that creates its CHILD SA.
	return []wire.Payload{wire.NewInvalidSPI(t.spi)}, !m.receives(t.spi)
}
func (t *invalidSPITask) done(m *Machine, r *response)        {}
func (t *invalidSPITask) abandoned(m *Machine, now time.Time) {}

// heedInvalidSPI handles the peer's INVALID_SPI within the IKE SA: it gets packets of a CHILD SA that it does not have. "The recipient
// MUST NOT change the state of any SAs as a result" (https://www.rfc-editor.org/rfc/rfc7296#section-2.21.4), so that the peer is asked:
// a rekeying, which may be made at any time, has the CHILD SA replaced if it is there, and CHILD_SA_NOT_FOUND for an answer if it is
// not. Unprotected ones never come here.
func (m *Machine) heedInvalidSPI(r *request) {
	n := notify(r.payloads, wire.NotifyInvalidSPI)
	if n == nil {
		return
	}
	spi, err := n.InvalidSPI()
	if err != nil {
		return
	}
	c := m.childByPeerSPI(wire.ProtocolESP, spi) // the notification names no protocol
	if c == nil || c.State != ChildInstalled || m.Replaced() || !m.spi.heededAt.IsZero() && r.now.Sub(m.spi.heededAt) < invalidSPIPause {
		return
	}
	m.spi.heededAt = r.now
	m.emit(Failed{Failure: diag.Refused(m.where(r.header.Exchange).Of(c.Config.Name, c.Config.Line), n.NotifyType, diag.Offer{})})
	if _, ok := queued(m, func(t *rekeyChildTask) bool { return t.old == c }); !ok {
		m.enqueue(&rekeyChildTask{old: c})
	}
}
