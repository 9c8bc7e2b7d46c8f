package sa

import (
	"bytes"
	"net/netip"
	"time"

	"esplanade/esp"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// cookie2Len is the length of our COOKIE2 values: 8 to 64 octets are allowed.
const cookie2Len = 16

// cookieReturned compares COOKIE2 of an answer with what was sent: "the original sender MUST verify that the value is the
// same one as sent. If the values do not match, the IKE_SA MUST be closed." A refusal may come without it.
// https://www.rfc-editor.org/rfc/rfc4555#section-3.7
func (m *Machine) cookieReturned(r *response, sent []byte, refusal bool) bool {
	n := notify(r.payloads, wire.NotifyCookie2)
	if n == nil && refusal || n != nil && bytes.Equal(n.Data, sent) {
		return true
	}
	m.emit(Failed{Failure: diag.Unexpected(m.where(r.header.Exchange),
		"the value that was sent in COOKIE2", "an answer with another one, or with none")})
	m.Delete(r.now, "COOKIE2 came back wrong")
	return false
}

// routeTask is a return routability check: an INFORMATIONAL exchange with a COOKIE2 that the peer can only return when
// it gets the request. https://www.rfc-editor.org/rfc/rfc4555#section-3.7
type routeTask struct {
	// esp is set when it is the peer's ESP that comes from a new place. The request goes there, and what follows is about
	// ESP only. Otherwise it is about the addresses of the IKE SA.
	esp    netip.AddrPort
	cookie []byte
	to     netip.AddrPort
	// elsewhere: the request has been sent to other addresses as well, and "receiving the INFORMATIONAL response does not
	// tell which address is the working one. In this case, a new INFORMATIONAL request needs to be sent".
	elsewhere bool
}

func (t *routeTask) name() string                { return "check the peer's address" }
func (t *routeTask) exchange() wire.ExchangeType { return wire.ExchangeInformational }
func (t *routeTask) strayed()                    { t.elsewhere = true }

// abandoned has the check made on the successor when the end of a rekeyed IKE SA cuts it off: until the peer has answered, its
// CHILD SAs stay where they were. A check of where ESP comes from is begun again by the next packet.
func (t *routeTask) abandoned(m *Machine, now time.Time) {
	if s := m.newest(); s != m && !t.esp.IsValid() && s.speaks(false) && (s.mob.held != (esp.Path{}) || !s.PeerProven()) {
		s.checkRoute()
		m.touched(s, now)
	}
}

func (t *routeTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if m.state != StateEstablished && m.state != StateRekeying {
		return nil, false
	}
	t.to, t.cookie, t.elsewhere = m.path.Remote, m.env.Nonce(cookie2Len), false
	if t.esp.IsValid() {
		t.to = t.esp
	}
	return []wire.Payload{wire.NewCookie2(t.cookie)}, true
}

func (t *routeTask) done(old *Machine, r *response) {
	m := old.newest()
	defer old.touched(m, r.now)
	if !m.cookieReturned(r, t.cookie, false) {
		return
	}
	switch {
	case t.esp.IsValid():
		if !t.elsewhere && m.followsESP() {
			m.verify(t.to.Addr())
			m.moveESP(t.esp)
		}
	case t.elsewhere || t.to.Addr() != m.path.Remote.Addr():
		if !m.isVerified(m.path.Remote.Addr()) {
			m.requeue(&routeTask{})
		}
	default:
		m.verify(t.to.Addr())
		m.moveChildren()
	}
}

// checkRoute begins a check of the peer's present address, unless one waits.
func (m *Machine) checkRoute() {
	if m.rivalOf != nil {
		return
	}
	for _, t := range m.queue {
		if c, ok := t.(*routeTask); ok && !c.esp.IsValid() {
			return
		}
	}
	m.requeue(&routeTask{})
}

// followsESP reports whether the peer's ESP packets may take ESP along to where they come from: with MOBIKE, "[t]he host not
// behind a NAT MUST NOT use these dynamic updates for IKEv2 packets, but MAY use them for ESP packets". The side that was called
// is taken for one that is not behind a NAT, as in [Machine.follow]. https://www.rfc-editor.org/rfc/rfc4555#section-3.8
func (m *Machine) followsESP() bool {
	return m.mob.on && m.called() && m.nat.remote
}

// espMoved handles authentic ESP from another address than the known one. It is followed when the peer has answered
// there; where the peer's IKE messages go is for the initiator to say.
func (m *Machine) espMoved(now time.Time, from netip.AddrPort) {
	if !m.followsESP() || from == m.espPath().Remote || !usable(from.Addr()) && !from.Addr().IsLoopback() {
		return
	}
	if from == m.path.Remote {
		if !m.PeerProven() {
			return // the check of that address is under way
		}
		m.mob.esp = netip.AddrPort{} // back at where it was
		m.moveChildren()
		return
	}
	m.mob.espSeen = from
	if m.cfg.RouteCheck != policy.RouteCheckBefore {
		m.moveESP(from)
		if m.cfg.RouteCheck == policy.RouteCheckNever {
			return
		}
	}
	if _, ok := queued(m, func(*routeTask) bool { return true }); !ok && m.state != StateRekeyed {
		m.enqueue(&routeTask{esp: from})
	}
}

// moveESP makes the CHILD SAs send to a place of their own.
func (m *Machine) moveESP(to netip.AddrPort) {
	if to == m.espPath().Remote {
		return
	}
	m.emit(Moved{From: Path{m.path.Local, m.espPath().Remote}, To: Path{m.path.Local, to}, Reason: "the peer's ESP comes from there", ESP: true})
	m.mob.esp = to
	m.moveChildren()
}
