package wire

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Gateway names the gateway to which, or from which, a client is redirected:
// either an address or a name.
type Gateway struct {
	Addr netip.Addr // GatewayIPv4 or GatewayIPv6, if valid
	FQDN string     // GatewayFQDN otherwise; as received, not checked to be a name
}

// String is the address or the name; the latter is as received, so quote it.
func (g Gateway) String() string {
	if g.Addr.IsValid() {
		return g.Addr.Unmap().String()
	}
	return g.FQDN
}

// maxGatewayLen is what "GW Ident Len", one octet, can say.
const maxGatewayLen = 0xff

// gatewayHeaderLen is the length of the identity's type and length.
const gatewayHeaderLen = 2

// append appends type, length and identity:
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| GW Ident Type |  GW Ident Len |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               ~
//	~                      New Responder GW Identity                ~
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	~                   Nonce Data (REDIRECT only)                  ~
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func (g Gateway) append(b []byte) []byte {
	t, id := GatewayFQDN, []byte(g.FQDN)
	if a := g.Addr.Unmap(); a.Is4() {
		t, id = GatewayIPv4, a.AsSlice()
	} else if a.IsValid() {
		t, id = GatewayIPv6, a.AsSlice()
	}
	if len(id) == 0 || len(id) > maxGatewayLen {
		panic("wire: BUG: gateway identity has no or more than 255 octets")
	}
	b = append(b, uint8(t), uint8(len(id)))
	return append(b, id...)
}

// NewRedirect sends the client to another gateway. In the response to
// IKE_SA_INIT it carries the nonce of the request, so that the client knows that
// the answer isn't forged; otherwise the nonce is nil
// (https://www.rfc-editor.org/rfc/rfc5685#section-9.2). The name must have 1 to
// 255 octets; it panics otherwise.
func NewRedirect(to Gateway, nonce []byte) *Notify {
	return NewNotify(NotifyRedirect, append(to.append(nil), nonce...))
}

// NewRedirectedFrom tells the new gateway which one sent the client
// (https://www.rfc-editor.org/rfc/rfc5685#section-9.3). It panics as NewRedirect
// does.
func NewRedirectedFrom(from Gateway) *Notify {
	return NewNotify(NotifyRedirectedFrom, from.append(nil))
}

// Redirect reads the data of REDIRECT. nonce is empty if there is none.
func (n *Notify) Redirect() (to Gateway, nonce []byte, err error) {
	return n.gateway()
}

// RedirectedFrom reads the data of REDIRECTED_FROM.
func (n *Notify) RedirectedFrom() (Gateway, error) {
	g, rest, err := n.gateway()
	if err == nil && len(rest) > 0 {
		return Gateway{}, n.dataError("%d octets after the gateway identity", len(rest))
	}
	return g, err
}

// gateway reads the identity and gives what follows it.
func (n *Notify) gateway() (g Gateway, rest []byte, err error) {
	if len(n.Data) < gatewayHeaderLen {
		return g, nil, n.dataError("%d octets, want at least %d", len(n.Data), gatewayHeaderLen)
	}
	t, size := GatewayType(n.Data[0]), int(n.Data[1])
	if size > len(n.Data)-gatewayHeaderLen {
		return g, nil, n.dataError("gateway identity of %d octets, %d octets left", size, len(n.Data)-gatewayHeaderLen)
	}
	id, rest := n.Data[gatewayHeaderLen:gatewayHeaderLen+size], n.Data[gatewayHeaderLen+size:]
	switch {
	case t == GatewayIPv4 && size == 4, t == GatewayIPv6 && size == 16:
		g.Addr, _ = netip.AddrFromSlice(id)
	case t == GatewayFQDN && size > 0:
		g.FQDN = string(id)
	default:
		return Gateway{}, nil, n.dataError("gateway identity of %d octets and type %s", size, t)
	}
	return g, rest, nil
}

// NewTicketLTOpaque gives a session ticket and how long it is good for
// (https://www.rfc-editor.org/rfc/rfc5723#section-7.1). The lifetime is sent as
// NewAuthLifetime sends it.
func NewTicketLTOpaque(lifetime time.Duration, ticket []byte) *Notify {
	return NewNotify(NotifyTicketLTOpaque, append(appendSeconds(nil, lifetime), ticket...))
}

// TicketLT reads the data of TICKET_LT_OPAQUE.
func (n *Notify) TicketLT() (lifetime time.Duration, ticket []byte, err error) {
	if len(n.Data) < 5 {
		return 0, nil, n.dataError("%d octets, want a lifetime and a ticket", len(n.Data))
	}
	return time.Duration(binary.BigEndian.Uint32(n.Data)) * time.Second, n.Data[4:], nil
}
