package radius

import (
	"net/netip"
	"strconv"
)

// NAS is what this gateway says of itself.
type NAS struct {
	// Identifier is NAS-Identifier.
	Identifier string
	// StationPort: Called-Station-Id and Calling-Station-Id have the port, "192.0.2.1[4500]", and not the address alone.
	StationPort bool
}

// Access is one step of an EAP conversation, from the peer to a server.
type Access struct {
	// User is the EAP identity of the peer, not yet proved.
	User string
	// EAP is the packet of the peer.
	EAP []byte
	// State is that of the last Access-Challenge; nil for the first request of a conversation.
	State []byte
	// Local and Remote are the ends of the IKE SA, Port its number, and Connection the name of the connection that it may be for.
	Local, Remote netip.AddrPort
	Port          uint32
	Connection    string
}

// Values of attributes, from RFC 2865 sections 5.6, 5.7 and 5.41.
const (
	serviceFramed      = 2
	portVirtual        = 5
	tunnelESP          = 9
	acctAuthenticRADIU = 1
)

// framedMTU bounds the EAP packets that a server makes (RFC 3579 section 2.4): such a one fits into an IKE message that
// fits into a datagram of 1280 octets, the smallest MTU of IPv6.
const framedMTU = 1100

// request is the packet for it, without authenticator and identifier.
func (a *Access) request(nas *NAS) Packet {
	p := Packet{Code: AccessRequest}
	p.addText(UserName, a.User)
	nas.add(&p, a.Local)
	p.addUint32(NASPort, a.Port)
	p.addUint32(NASPortType, portVirtual)
	p.addText(NASPortID, a.Connection)
	p.addUint32(ServiceType, serviceFramed)
	p.addText(CalledStationID, nas.station(a.Local))
	p.addText(CallingStationID, nas.station(a.Remote))
	p.addUint32(FramedMTU, framedMTU)
	p.addEAP(a.EAP)
	// "the NAS MUST include the State Attribute unchanged in that Access-Request" (RFC 2865 section 5.24)
	if a.State != nil {
		p.add(Attribute{State, a.State})
	}
	return p
}

// add appends what identifies this gateway. "An Access-Request MUST contain either a NAS-IP-Address or a NAS-Identifier (or both)" (RFC 2865
// section 4.1).
func (n *NAS) add(p *Packet, local netip.AddrPort) {
	p.addText(NASIdentifier, n.Identifier)
	p.addAddr(NASIPAddress, NASIPv6Address, local.Addr())
}

// station is an end of the IKE SA as servers know it from strongSwan.
func (n *NAS) station(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	s := a.Addr().Unmap().WithZone("").String()
	if n.StationPort {
		s += "[" + strconv.Itoa(int(a.Port())) + "]"
	}
	return s
}
