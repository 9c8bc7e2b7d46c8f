package sa

import (
	"time"

	"esplanade/esp"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Child is one CHILD SA: a pair of ESP SAs, one per direction. It belongs to the loop that drives its machine.
type Child struct {
	// ID names this SA towards the data plane. It is never reused.
	ID uint64
	// Policy names what the traffic is matched against; a rekeyed child keeps the Policy of the one it replaces.
	Policy uint64
	Config *ChildConfig
	// ReqID is strongSwan's number of a set of selectors. Whoever installs the child gives it.
	ReqID uint32

	// Protocol is ESP, and Mode says what it protects of a packet.
	Protocol wire.ProtocolID
	Mode     esp.Mode

	// Inbound and Outbound are complete once the child is installed. Inbound.SPI is ours, Outbound.SPI the peer's.
	Inbound  esp.InboundConfig
	Outbound esp.OutboundConfig
	// TS are the narrowed traffic selectors, RFC 7296 section 2.9. What of them stands for a gateway follows it when it moves.
	TS   selector.Pair
	Path esp.Path
	// Chosen is the negotiated proposal; Chosen.KE is zero when the keys come from the IKE SA alone.
	Chosen proposal.Chosen

	State     ChildState
	Created   time.Time
	Initiator bool // this side made the request that created it

	// wide is what both sides have agreed on, where this side uses a part of it: TS. See [Machine.ownPart].
	wide selector.Pair

	// agreed is TS as it was negotiated. gateways are the addresses of the gateways in TS, agreedGateways those in agreed.
	agreed                   selector.Pair
	gateways, agreedGateways gateways

	// rekeyAt and expireAt are zero when there is no such limit.
	rekeyAt, expireAt time.Time
	// removeAt is when the inbound direction of a deleted child goes.
	removeAt time.Time
	// demanded is the group that the peer has demanded for its successor, 0 for none.
	demanded uint16
	// refused: the last attempt to rekey it has failed.
	refused bool
	// outboundPending: the peer rekeyed and has not been seen to use the new SA, so that the old one still sends.
	outboundPending bool
	// outboundInstalled and inboundInstalled mirror what the data plane was told.
	outboundInstalled, inboundInstalled bool
	// lowestNonce is the lower of the two nonces of the exchange that created the child, for RFC 7296 section 2.8.1.
	lowestNonce []byte
	// origin is how the first child of the line came to be; rekeyings keep it.
	origin origin
	// successor is what replaced this child, predecessor what it replaced.
	successor, predecessor *Child
	// supersededAt is when a successor took over; a peer that never deletes the old SA has it deleted by us.
	supersededAt time.Time
}

// origin is what decides between two lines of children that both sides have begun at the same time.
type origin struct {
	initiator   bool // this side made the request
	lowestNonce []byte
	// ike is the machine it happened on, and peerID the id of the peer's next request at that moment.
	ike    uint64
	peerID uint32
}

// scope are the selectors that both sides have agreed on.
func (c *Child) scope() selector.Pair {
	if c.wide.Empty() {
		return c.TS
	}
	return c.wide
}

// live reports whether the child is neither replaced nor on its way out.
func (c *Child) live() bool {
	return c.State == ChildInstalled || c.State == ChildRekeying
}

// Installed reports which directions the data plane has.
func (c *Child) Installed() (in, out bool) { return c.inboundInstalled, c.outboundInstalled }
