package sa

import (
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"esplanade/esp"
	"esplanade/ike/wire"
)

// nat is what IKE_SA_INIT found out about address translators, RFC 7296 section 2.23.
type nat struct {
	supported     bool // the peer sent NAT_DETECTION payloads
	local, remote bool // a translator in front of us, of the peer
	forced        bool // we pretend to be behind one, to have ESP in UDP
	pretended     bool // remote is what the peer pretends, and its hash says that there is none
}

// udp reports whether ESP travels in UDP.
func (n nat) udp() bool { return n.supported && (n.local || n.remote || n.forced) }

// natHash is the value of a NAT_DETECTION_*_IP notify: SHA-1 over both SPIs in the order of the header, the address and
// the port. https://www.rfc-editor.org/rfc/rfc7296#section-3.10.1
func natHash(spii, spir wire.SPI, ap netip.AddrPort) []byte {
	b := make([]byte, 16, 16+16+2)
	binary.BigEndian.PutUint64(b[0:], uint64(spii))
	binary.BigEndian.PutUint64(b[8:], uint64(spir))
	b = append(b, ap.Addr().Unmap().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, ap.Port())
	h := sha1.Sum(b)
	return h[:]
}

// pretence is natHash with every bit turned round: a hash that no address has, so that whoever compares it takes its sender for
// translated. Whoever knows this form sees by it whether the sender really is.
func pretence(spii, spir wire.SPI, ap netip.AddrPort) []byte {
	h := natHash(spii, spir, ap)
	for i := range h {
		h[i] = ^h[i]
	}
	return h
}

// natPayloads makes both notifies for a message with these SPIs. With force, the source hash is a pretence, so that the peer takes us
// for translated; the destination hash is always true, since a false one would make the peer believe that *it* is behind a NAT.
func natPayloads(spii, spir wire.SPI, path Path, force bool) []wire.Payload {
	src := natHash(spii, spir, path.Local)
	if force {
		src = pretence(spii, spir, path.Local)
	}
	return []wire.Payload{
		&wire.Notify{NotifyType: wire.NotifyNATDetectionSourceIP, Data: src},
		&wire.Notify{NotifyType: wire.NotifyNATDetectionDestinationIP, Data: natHash(spii, spir, path.Remote)},
	}
}

// detect compares the peer's hashes with the addresses its message really had. A peer with several addresses may send
// several source hashes: one that matches is enough. Hashes of a wrong length are ignored.
func (n *nat) detect(spii, spir wire.SPI, path Path, payloads []wire.Payload) {
	var sources, dests int
	var srcOK, dstOK, pretended bool
	src, dst := natHash(spii, spir, path.Remote), natHash(spii, spir, path.Local)
	forced := pretence(spii, spir, path.Remote)
	for _, p := range notifies(payloads) {
		if len(p.Data) != sha1.Size {
			continue
		}
		switch p.NotifyType {
		case wire.NotifyNATDetectionSourceIP:
			sources++
			srcOK = srcOK || slices.Equal(p.Data, src)
			pretended = pretended || slices.Equal(p.Data, forced)
		case wire.NotifyNATDetectionDestinationIP:
			dests++
			dstOK = dstOK || slices.Equal(p.Data, dst)
		}
	}
	n.supported = sources > 0 && dests > 0
	n.remote = n.supported && !srcOK
	n.local = n.supported && !dstOK
	n.pretended = n.remote && pretended
}

// float moves an initiator to the NAT traversal ports for everything after IKE_SA_INIT. With MOBIKE it does so without a NAT
// as well: "implementations that support both this specification and NAT Traversal MUST change to port 4500 if the
// correspondent also supports both, even if no NAT was detected". https://www.rfc-editor.org/rfc/rfc4555#section-3.3
func (m *Machine) float() {
	if !m.nat.udp() && !(m.cfg.MOBIKE && m.nat.supported) || m.path.Local.Port() == m.cfg.LocalNATPort {
		return
	}
	m.path = Path{
		Local:  netip.AddrPortFrom(m.path.Local.Addr(), m.cfg.LocalNATPort),
		Remote: netip.AddrPortFrom(m.path.Remote.Addr(), m.cfg.RemoteNATPort),
	}
}

// follow adopts the address an authenticated message came from.
//
// A NAT may drop a mapping that is still in use. A side that is not behind a NAT then follows the address and port of
// the last packet that was authentic. "A host behind a NAT SHOULD NOT do this type of dynamic address update … because it opens a
// possible DoS attack": its own NAT may change the source of what comes in, and drops what goes elsewhere than before.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.23
//
// A side that was called is behind a static NAT, if any: a port forward or an elastic address, which lets everybody in and
// all answers out. It has the same reason to follow as a side without a NAT, and nobody else would, so it does.
//
// With MOBIKE it is the initiator that says where it is: "The host not behind a NAT MUST NOT use these dynamic updates for
// IKEv2 packets". https://www.rfc-editor.org/rfc/rfc4555#section-3.8
//
// A request in flight has found nobody where the peer was. A further copy goes to the new place at once, as with MOBIKE, since the last of
// the usual repetitions may be over by then.
func (m *Machine) follow(now time.Time, path Path) {
	if path == m.path || m.mob.on || !m.nat.remote || m.nat.local && !m.called() {
		return
	}
	// That IKE_AUTH comes from another port than IKE_SA_INIT is what both sides do behind a NAT, and no move.
	if !m.establishedAt.IsZero() {
		m.emit(Moved{From: m.path, To: path, Reason: "an authentic message came from there"})
	}
	m.path = path
	m.moveChildren()
	if p := m.pending; p != nil && !m.establishedAt.IsZero() && !p.parked.waits() {
		m.sendFurther(now, p)
	}
}

// called reports whether the peer began the first of the line of IKE SAs. A rekeying changes the roles, and not where the NATs are.
func (m *Machine) called() bool {
	if m.establishedAt.IsZero() {
		return !m.initiator
	}
	return !m.mob.initiator
}

// espPath is where the ESP packets of this IKE SA go.
func (m *Machine) espPath() esp.Path {
	if h := m.mob.held; h != (esp.Path{}) && (m.env.HasAddr == nil || m.mine(h.Local.Addr())) {
		return h
	}
	p := esp.Path{Local: m.path.Local, Remote: m.path.Remote, UDP: m.nat.udp()}
	if m.mob.esp.IsValid() {
		p.Remote = m.mob.esp
	}
	return p
}
