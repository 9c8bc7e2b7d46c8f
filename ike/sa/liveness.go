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
	// suspectedAt is when something suggested that last.
	suspectedAt time.Time
}

// interval is how often the peer is asked: after delay without a sign of it, or, while the mapping of a NAT is watched, delay after it
// was asked last. With a delay of zero only a suspicion has it asked.
type interval struct {
	delay   time.Duration
	mapping bool
	askedAt time.Time
}

// next is when the peer is asked, unless it is heard from before; zero for never.
func (l *liveness) next(i interval) time.Time {
	switch {
	case i.delay <= 0:
		return l.checkAt
	case i.mapping:
		return earliest(l.checkAt, i.askedAt.Add(i.delay))
	}
	return earliest(l.checkAt, l.lastHeard.Add(i.delay))
}

// due reports whether the peer is to be asked now. The caller asks then. esp gives the last sign of life in ESP. It is looked at only when
// the time has come, since to ask the data plane for every call would cost more than to wake up once in the interval.
func (l *liveness) due(now time.Time, i interval, esp func() time.Time) bool {
	reached := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if !reached(l.next(i)) {
		return false
	}
	if !reached(l.checkAt) {
		// "If there has only been outgoing traffic on all of the SAs associated with an IKE SA, it is essential to confirm
		// liveness of the other endpoint to avoid black holes." Inbound ESP is proof of life. https://www.rfc-editor.org/rfc/rfc7296#section-2.4
		if last := esp(); last.After(l.lastHeard) {
			l.lastHeard = last
		}
		if !reached(l.next(i)) {
			return false
		}
	}
	l.checkAt = time.Time{}
	return true
}

// suspect has the peer asked at once, since somebody says that it has lost the SA: at most every suspectInterval, since anybody can.
func (l *liveness) suspect(now time.Time) {
	if l.doubt(now) {
		l.checkAt = now
	}
}

// doubt reports whether such a thing is heeded now.
func (l *liveness) doubt(now time.Time) bool {
	if !l.suspectedAt.IsZero() && now.Sub(l.suspectedAt) < suspectInterval {
		return false
	}
	l.suspectedAt = now
	return true
}

// ask has the peer asked at a time, or before. It is for what an answer decides.
func (l *liveness) ask(at time.Time) { l.checkAt = earliest(l.checkAt, at) }

// keepalive reports whether the mapping of a NAT is to be kept open now by a packet of its own. The caller sends it then.
func (l *liveness) keepalive(now time.Time, every time.Duration) bool {
	if now.Before(l.nextKeepalive(every)) {
		return false
	}
	l.lastKeepalive = now
	return true
}

func (l *liveness) nextKeepalive(every time.Duration) time.Time {
	last := l.lastSent
	if l.lastKeepalive.After(last) {
		last = l.lastKeepalive
	}
	return last.Add(every)
}

// AskAt has the peer asked whether it is there, at that time or before.
func (m *Machine) AskAt(at time.Time) { m.alive.ask(at) }

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

// asking is how often the peer of this IKE SA is asked.
func (m *Machine) asking() interval {
	return interval{delay: m.cfg.DPDDelay, mapping: m.watchesMapping(), askedAt: m.mob.askedAt}
}

func (m *Machine) livenessTimeout() time.Time {
	var t time.Time
	if m.state == StateEstablished && m.pending == nil {
		t = m.alive.next(m.asking())
	}
	if m.keepsAlive() {
		t = earliest(t, m.alive.nextKeepalive(m.cfg.KeepAlive))
	}
	return t
}

func (m *Machine) advanceLiveness(now time.Time) {
	if m.keepsAlive() && m.alive.keepalive(now, m.cfg.KeepAlive) {
		m.emit(SendKeepalive{Path: m.path})
	}
	if m.state == StateEstablished && m.pending == nil && m.alive.due(now, m.asking(), m.lastInbound) {
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
	if n != nil && n.NotifyType == wire.NotifyInvalidIKESPI {
		if m.pending != nil {
			m.pending.denied = true
		}
		m.remindPeer(now)
	}
	if n != nil && m.state == StateEstablished &&
		(n.NotifyType == wire.NotifyInvalidIKESPI || n.NotifyType == wire.NotifyInvalidSPI) {
		m.alive.suspect(now)
		m.ignore(path, IgnoreUnauthentic, n.NotifyType.String())
		return
	}
	m.ignore(path, IgnoreUnprotected, msg.Header.Exchange.String())
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
