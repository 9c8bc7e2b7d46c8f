package sa

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// probeAfter is how many times a request is repeated on the path in use before other paths are tried as well: "An IKEv2
	// request has been re-transmitted several times, but no valid reply has been received. This suggests the current path
	// is no longer working." https://www.rfc-editor.org/rfc/rfc4555#section-3.5
	probeAfter = 2
	// maxPaths bounds the paths that one repetition takes.
	maxPaths = 8
	// responderPatience is how many times the usual time a responder goes on, since it is the initiator that finds another
	// path: it "SHOULD use relatively long timeout intervals", and "it is suggested that responders continue retransmitting
	// IKEv2 requests for at least five minutes before giving up". With the defaults it is five and a half.
	// https://www.rfc-editor.org/rfc/rfc4555#section-3.11
	responderPatience = 4
	// patientInterval is the longest pause of a responder after its usual repetitions.
	patientInterval = 30 * time.Second
)

// patient reports whether a responder goes on repeating a request although the usual number of times is reached. It does
// not when something at the peer's address says that there is no such IKE SA: that proves nothing, but then the usual
// time is enough.
func (m *Machine) patient(now time.Time, p *outstanding) bool {
	if p.task.traits().tries > 0 || m.Replaced() {
		return false // nothing depends on it
	}
	return m.mob.on && !m.mob.initiator && !p.denied && now.Sub(p.firstSent) < responderPatience*m.cfg.Retransmit.total()
}

// total is the time after which a request that stays without an answer has failed.
func (r Retransmit) total() time.Duration {
	var d time.Duration
	for n := range r.Tries + 1 {
		d += r.interval(n, 0)
	}
	return d
}

// pause is the time until the next repetition.
func (m *Machine) pause(p *outstanding) time.Duration {
	n := p.tries - p.refragmented
	if m.state == StateConnecting && (p.doubted || p.unreachable >= unreachableVerdict) && n >= m.triesOf(p) {
		n = 0 // the last repetition of a request that somebody has refused: its answer is not waited for that long
	}
	d := m.cfg.Retransmit.interval(n, m.env.Jitter())
	if n > m.cfg.Retransmit.Tries {
		d = min(d, patientInterval)
	}
	return d
}

// repeat sends the request in flight again: on the path of the IKE SA, which may have changed since, and with MOBIKE
// after a while on all others that might work. The octets are the same everywhere.
func (m *Machine) repeat(now time.Time, p *outstanding) {
	if t, ok := p.task.(openingTask); ok {
		t.repeat(m, now, p)
		return
	}
	tr := p.task.traits()
	if tr.to.IsValid() && p.tries < probeAfter {
		m.transmit(now, p)
		return
	}
	if p.path != m.path {
		p.strays()
	}
	p.path = m.path
	m.transmit(now, p)
	if !m.mob.on || p.tries <= probeAfter && tr.tries == 0 {
		return
	}
	p.probed = m.otherPaths()
	for _, path := range p.probed {
		p.strays()
		for _, d := range p.datagrams {
			m.emit(Send{Path: path, Datagram: d})
		}
	}
}

// otherPaths are the pairs of addresses other than the present one between which packets may pass: first where the peer's ESP and its
// messages come from, then where the routes lead, then every address of this host to every address of the peer. The initiator looks for
// the latter. What a responder knows of the initiator's further addresses is for one case only, that its own address has gone; they may be
// anybody's. https://www.rfc-editor.org/rfc/rfc4555#section-3.4
func (m *Machine) otherPaths() []Path {
	var out []Path
	add := func(p Path) {
		if p != m.path && len(out) < maxPaths && !slices.Contains(out, p) && !slices.Contains(m.mob.refused, p) {
			out = append(out, p)
		}
	}
	for _, a := range [...]netip.AddrPort{m.mob.esp, m.mob.espSeen} {
		if a.IsValid() {
			add(Path{Local: m.path.Local, Remote: a})
		}
	}
	if m.mob.seen != (Path{}) {
		add(m.mob.seen)
	}
	if !m.mob.initiator && !m.mob.displaced {
		return out
	}
	remotes, own := m.remotes(), m.own()
	for _, r := range remotes {
		if src, ok := m.sourceFor(r); ok {
			add(m.pathTo(src, r))
		}
	}
	for _, r := range remotes {
		for _, a := range own {
			if sameFamily(a, r) && usable(a) {
				add(m.pathTo(a, r))
			}
		}
	}
	return out
}

// noteSource notes where the newest authentic message came from, if that is not where this side sends to. With MOBIKE no address is taken
// over from it: the initiator says where both are, and a responder that has another address says so. But what it says may wait behind a
// request on an IKE SA that the other side does not have any more, and which is therefore not answered. A request that was repeated in vain
// is tried there as well, and where it arrives it shows which IKE SA there is.
func (m *Machine) noteSource(path Path) {
	m.mob.seen = Path{}
	if m.mob.on && path != m.path && !m.tunnelled(path.Remote.Addr()) {
		m.mob.seen = path
	}
}

func sameFamily(a, b netip.Addr) bool { return a.Is4() == b.Is4() }

// answeredOn notes by which path an answer came. When the initiator has tried other paths and one of them is the first
// to bring an answer, it is the one to use.
func (m *Machine) answeredOn(now time.Time, p *outstanding, path Path) {
	m.mob.displaced = false
	if m.mob.on && m.mob.initiator && path != m.path && slices.Contains(p.probed, path) {
		m.move(now, path, "the peer answers there, and not at "+m.path.Remote.String()+" from "+m.path.Local.String())
	}
}
