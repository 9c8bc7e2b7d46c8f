package sa

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/esp"
	"esplanade/ike/wire"
)

// mobility is what MOBIKE (RFC 4555) keeps of an IKE SA. A rekeying hands it on.
type mobility struct {
	// on: both sides have sent MOBIKE_SUPPORTED.
	on bool
	// initiator: this side began the first of the line of IKE SAs, and decides about the addresses. Unlike the roles of
	// an IKE SA, this one is the same after a rekeying: "initiator" means "the party who originally initiated the first
	// IKE_SA (in a series of possibly several rekeyed IKE_SAs)".
	// https://www.rfc-editor.org/rfc/rfc4555#section-1.3
	initiator bool

	// peer are the addresses that the peer has in addition to the one in use, announced those that it was told of ours.
	peer, announced []netip.Addr
	// verified are addresses of the peer at which it has answered.
	verified []netip.Addr
	// source is the address that the routes last gave for the present peer.
	source netip.Addr
	// outside is what the peer last said of our address, as it sees it: the data of its NAT_DETECTION_DESTINATION_IP.
	outside []byte
	// askedAt is when the peer last answered what it sees of our address.
	askedAt time.Time
	// esp is where the peer's ESP comes from and goes to, when that is not where its IKE messages go. Zero otherwise.
	esp netip.AddrPort
	// espSeen is where authentic ESP came from last, when that is neither. A request in flight that finds nobody is tried
	// there too: the check of that place has to wait for its answer.
	espSeen netip.AddrPort
	// seen is the path by which the newest authentic message came, when that is not the one in use; see noteSource. Zero otherwise.
	seen Path
	// held is where the CHILD SAs are, new ones as well, while the peer has not answered at the address that its IKE SA has moved to.
	// Zero when they are where the IKE SA is.
	held esp.Path
	// displaced: this side is a responder whose own address has gone, and the initiator has not answered since.
	displaced bool
	// refused are addresses of ours and the peer's that the peer does not accept; see updateTask.
	refused []Path
}

// Bounds of what is kept for one IKE SA.
const (
	// maxPeerAddrs is how many additional addresses of a peer are remembered.
	maxPeerAddrs = 16
	// maxOwnAddrs is how many of ours a peer is told.
	maxOwnAddrs = 16
	// maxVerified is how many addresses are known to be the peer's.
	maxVerified = maxPeerAddrs + 1
)

// mobilityOffer is what IKE_AUTH says about MOBIKE: "Implementations that wish to use MOBIKE for a particular IKE_SA MUST include a
// MOBIKE_SUPPORTED notification in the IKE_AUTH exchange". https://www.rfc-editor.org/rfc/rfc4555#section-3.2
func (m *Machine) mobilityOffer() []wire.Payload {
	if !m.cfg.MOBIKE {
		return nil
	}
	m.mob.announced = m.additional()
	out := []wire.Payload{&wire.Notify{NotifyType: wire.NotifyMOBIKESupported}}
	for _, a := range m.mob.announced {
		out = append(out, wire.NewAdditionalAddress(a))
	}
	if m.initiator {
		out = append(out, m.noNATs(m.path)...)
	}
	return out
}

// maxAuthNotifies is how many notifications a message of IKE_AUTH has: strongSwan answers one with more by INVALID_SYNTAX.
const maxAuthNotifies = 20

// fewAddresses leaves as many of this host's other addresses out of a message of IKE_AUTH as there are notifications too many. The
// peer is told of all of them by an exchange of their own (see announce.go), as soon as the IKE SA is up.
func (m *Machine) fewAddresses(payloads []wire.Payload) []wire.Payload {
	over := -maxAuthNotifies
	for _, p := range payloads {
		if _, ok := p.(*wire.Notify); ok {
			over++
		}
	}
	for i := len(payloads) - 1; i >= 0 && over > 0 && len(m.mob.announced) > 0; i-- {
		if n, ok := payloads[i].(*wire.Notify); ok &&
			(n.NotifyType == wire.NotifyAdditionalIP4Address || n.NotifyType == wire.NotifyAdditionalIP6Address) {
			payloads = slices.Delete(payloads, i, i+1)
			m.mob.announced = m.mob.announced[:len(m.mob.announced)-1]
			over--
		}
	}
	return payloads
}

// announceRest tells the peer of addresses that IKE_AUTH had no room for.
func (m *Machine) announceRest(now time.Time) {
	if m.mob.on && len(m.additional()) > len(m.mob.announced) {
		m.announce(now, false)
	}
}

// mobilityAgreed takes what the peer's message of IKE_AUTH says about MOBIKE. The answer of a responder depends on it:
// nothing is offered to a peer that did not offer it.
func (m *Machine) mobilityAgreed(payloads []wire.Payload) {
	m.mob.initiator = m.initiator
	if !m.cfg.MOBIKE || notify(payloads, wire.NotifyMOBIKESupported) == nil {
		return
	}
	m.mob.on = true
	m.mob.verified = []netip.Addr{m.path.Remote.Addr()}
	m.mob.source, m.mob.askedAt = m.path.Local.Addr(), m.establishedAt
	m.learnAddresses(payloads)
}

// mobilityAnswer agrees to MOBIKE if the initiator has offered it.
func (m *Machine) mobilityAnswer(asked *request) []wire.Payload {
	if m.mobilityAgreed(asked.payloads); !m.mob.on {
		return nil
	}
	return m.mobilityOffer()
}

// noNATs is NO_NATS_ALLOWED where it has to be: "when NAT Traversal is not enabled, all messages that can update the
// addresses associated with the IKE_SA and/or IPsec SAs … MUST also include a NO_NATS_ALLOWED notification".
// NAT traversal is not enabled with a peer that did not send the NAT_DETECTION notifications.
// https://www.rfc-editor.org/rfc/rfc4555#section-3.9
func (m *Machine) noNATs(path Path) []wire.Payload {
	if m.nat.supported {
		return nil
	}
	return []wire.Payload{wire.NewNoNATsAllowed(path.Local, path.Remote)}
}

// natChanged reports whether a message says in NO_NATS_ALLOWED that no NAT may be in its way, and one is: "The exchange
// responder MUST verify that the contents of the NO_NATS_ALLOWED notification match the addresses in the IP header."
// Data of a wrong length matches nothing. https://www.rfc-editor.org/rfc/rfc4555#section-3.9
func natChanged(payloads []wire.Payload, path Path) bool {
	n := notify(payloads, wire.NotifyNoNATsAllowed)
	if n == nil {
		return false
	}
	src, dst, err := n.NoNATsAllowed()
	return err != nil || src != path.Remote || dst != path.Local
}

// learnAddresses takes the peer's list of additional addresses. A new list replaces the old one as a whole. It reports
// whether the message had one.
func (m *Machine) learnAddresses(payloads []wire.Payload) bool {
	var list []netip.Addr
	found := false
	for _, n := range notifies(payloads) {
		switch n.NotifyType {
		case wire.NotifyNoAdditionalAddresses:
			found = true
		case wire.NotifyAdditionalIP4Address, wire.NotifyAdditionalIP6Address:
			found = true
			a, err := n.AdditionalAddress()
			if err == nil && usable(a) && len(list) < maxPeerAddrs && !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	if found {
		m.mob.peer = list
	}
	return found
}

// usable reports whether an address can be that of a gateway.
func usable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.Is4In6() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// own lists the addresses of this host that the connection may use; nil when nobody knows.
func (m *Machine) own() []netip.Addr {
	if m.env.LocalAddrs == nil {
		return nil
	}
	return m.env.LocalAddrs(m.cfg)
}

// additional are the addresses of this host except the one in use.
func (m *Machine) additional() []netip.Addr {
	var out []netip.Addr
	for _, a := range m.own() {
		if usable(a) && a != m.path.Local.Addr() && len(out) < maxOwnAddrs && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// isVerified reports whether the peer has answered at an address.
func (m *Machine) isVerified(a netip.Addr) bool { return slices.Contains(m.mob.verified, a) }

func (m *Machine) verify(a netip.Addr) {
	if m.isVerified(a) {
		return
	}
	if len(m.mob.verified) >= maxVerified {
		m.mob.verified = slices.Delete(m.mob.verified, 0, 1)
	}
	m.mob.verified = append(m.mob.verified, a)
}

// newest is the IKE SA that has the children now.
func (m *Machine) newest() *Machine {
	for m.successor != nil {
		m = m.successor
	}
	return m
}

// Line is this IKE SA and those that rekeyings have made of it, the oldest first.
func (m *Machine) Line() []*Machine {
	line := []*Machine{m}
	for m.successor != nil {
		m = m.successor
		line = append(line, m)
	}
	return line
}

// touched has the outputs taken of another IKE SA that an input to this one was about.
func (m *Machine) touched(other *Machine, now time.Time) {
	if other != m {
		other.pump(now)
		m.emit(Touched{Machine: other})
	}
}

// inherit hands mobility on to the IKE SA that a rekeying has made. Its SPIs are others, and so is what the peer will
// say of our address: that is found out again.
func (m *Machine) inherit(from *Machine) {
	m.mob = from.mob
	m.mob.peer, m.mob.announced = slices.Clone(from.mob.peer), slices.Clone(from.mob.announced)
	m.mob.verified, m.mob.refused = slices.Clone(from.mob.verified), slices.Clone(from.mob.refused)
	m.mob.outside = nil
}
