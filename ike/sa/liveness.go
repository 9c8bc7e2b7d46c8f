package sa

import (
	"time"

	"esplanade/ike/wire"
)

// liveness asks a silent peer whether it is there (RFC 7296 section 2.4) and keeps NAT mappings open (RFC 3948
// section 4).
type liveness struct {
	lastHeard     time.Time // authenticated IKE message of the peer
	lastSent      time.Time // IKE message of ours
	lastKeepalive time.Time
	// checkAt overrides the interval: something suggests that the peer has lost the SA.
	checkAt time.Time
}

// livenessTask is an empty INFORMATIONAL request; with MOBIKE it may ask what the peer sees of a NAT.
type livenessTask struct{}

func (livenessTask) name() string                { return "liveness check" }
func (livenessTask) exchange() wire.ExchangeType { return wire.ExchangeInformational }
func (livenessTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	return m.mappingProbe(), true
}
func (livenessTask) done(m *Machine, r *response)        { m.compareMapping(r) }
func (livenessTask) abandoned(m *Machine, now time.Time) {}

// lastInbound is the last time anything authentic came from the peer, in IKE or ESP. With MOBIKE, ESP from elsewhere does not
// count: "such packets SHOULD NOT be used as evidence that the peer is able to communicate with this node and or that the peer has
// received all address updates". https://www.rfc-editor.org/rfc/rfc4555#section-3.12
func (m *Machine) lastInbound() time.Time {
	last, heard := m.alive.lastHeard, m.env.LastInbound
	if m.mob.on && m.env.LastOnPath != nil {
		heard = m.env.LastOnPath
	}
	for _, c := range m.children {
		if t := heard(c.ID); t.After(last) {
			last = t
		}
	}
	return last
}

func (m *Machine) keepsAlive() bool {
	return m.nat.local && m.cfg.KeepAlive > 0 && m.state != StateConnecting && m.state != StateClosed
}

func (m *Machine) livenessTimeout() time.Time {
	var t time.Time
	if m.state == StateEstablished && m.pending == nil {
		t = m.alive.checkAt
		if m.cfg.DPDDelay > 0 {
			// ESP that arrived since is looked at when the time comes; asking the data plane for every call would
			// cost more than waking up once per interval.
			t = earliest(t, m.nextCheck())
		}
	}
	if m.keepsAlive() {
		t = earliest(t, m.alive.nextKeepalive(m.cfg.KeepAlive))
	}
	return t
}

// nextCheck is when the peer is asked unless it is heard from before.
func (m *Machine) nextCheck() time.Time {
	if m.watchesMapping() {
		return m.mob.askedAt.Add(m.cfg.DPDDelay)
	}
	return m.alive.lastHeard.Add(m.cfg.DPDDelay)
}

func (l *liveness) nextKeepalive(interval time.Duration) time.Time {
	last := l.lastSent
	if l.lastKeepalive.After(last) {
		last = l.lastKeepalive
	}
	return last.Add(interval)
}

func (m *Machine) advanceLiveness(now time.Time) {
	l := &m.alive
	if m.keepsAlive() && !now.Before(l.nextKeepalive(m.cfg.KeepAlive)) {
		l.lastKeepalive = now
		m.emit(SendKeepalive{Path: m.path})
	}
	if m.state != StateEstablished || m.pending != nil {
		return
	}
	due := !l.checkAt.IsZero() && !now.Before(l.checkAt)
	if !due && m.cfg.DPDDelay > 0 && !now.Before(m.nextCheck()) {
		// "If there has only been outgoing traffic on all of the SAs associated with an IKE SA, it is essential to confirm
		// liveness of the other endpoint to avoid black holes." Inbound ESP is proof of life. https://www.rfc-editor.org/rfc/rfc7296#section-2.4
		if last := m.lastInbound(); last.After(l.lastHeard) {
			l.lastHeard = last
		}
		due = !now.Before(m.nextCheck())
	}
	if due {
		l.checkAt = time.Time{}
		m.requeue(livenessTask{})
	}
}

// suspectInterval limits liveness checks that anyone can cause with a datagram that is not authenticated.
const suspectInterval = 10 * time.Second

// unprotected handles a message in the clear for an SA that has keys. It must not change the state: "an endpoint
// MUST NOT conclude that the other endpoint has failed based on any routing information (e.g., ICMP messages) or IKE
// messages that arrive without cryptographic protection". An error about an unknown SPI is a hint to ask, at most every suspectInterval.
// A token of quick crash detection is cryptographic proof: see crashed.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.4
func (m *Machine) unprotected(now time.Time, msg *wire.Message, path Path) {
	if !msg.Header.Flags.Response() && m.crashed(now, msg, path) {
		return
	}
	n := errorNotify(msg.Payloads)
	if n != nil && n.NotifyType == wire.NotifyInvalidIKESPI && m.pending != nil {
		m.pending.denied = true
	}
	if n != nil && m.state == StateEstablished &&
		(n.NotifyType == wire.NotifyInvalidIKESPI || n.NotifyType == wire.NotifyInvalidSPI) {
		m.suspect(now)
		m.ignore(path, IgnoreUnauthentic, n.NotifyType.String())
		return
	}
	m.ignore(path, IgnoreUnprotected, msg.Header.Exchange.String())
}

func (m *Machine) suspect(now time.Time) {
	if !m.lastUnprotectedErr.IsZero() && now.Sub(m.lastUnprotectedErr) < suspectInterval {
		return
	}
	m.lastUnprotectedErr = now
	m.alive.checkAt = now
}

// earliest returns the earlier of two times, of which zero stands for never.
func earliest(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero() || a.Before(b):
		return a
	}
	return b
}
