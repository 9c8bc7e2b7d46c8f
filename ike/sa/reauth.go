package sa

import (
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/diag"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// authLife is how long the two sides take each other for authenticated. Rekeying an IKE SA does not prolong it:
// reauthentication "is done by creating a new IKE SA from scratch … creating new Child SAs within the new IKE SA …, and
// finally deleting the old IKE SA". https://www.rfc-editor.org/rfc/rfc7296#section-2.8.3
type authLife struct {
	// since is when the two sides authenticated each other.
	since time.Time
	// until is when the certificate ends that the peer proved itself with, or one above it. Zero: it has no end.
	until time.Time
	// good is how long it is known that none of the certificates was revoked. Zero: nothing bounds it.
	good time.Time
	// cert is the subject of that certificate, for people.
	cert string
	// certs are all that the peer was let in by, and lookAt is when it is looked again whether one of them was revoked.
	certs  []revocation.Ref
	lookAt time.Time
	// reauthAt is when this side reauthenticates; expireAt when the SA is closed because nobody has.
	reauthAt, expireAt time.Time
	// user is whom the peer has turned out to be by EAP, or this side; nil without.
	user *aaa.User
	// responder: this side answered the IKE_AUTH request, whoever has rekeyed the IKE SA since.
	responder bool
}

const (
	// minReauthTime is the shortest time until a reauthentication that a peer's AUTH_LIFETIME brings about.
	minReauthTime = 10 * time.Second
	// authLifetimeShare is the share of the peer's AUTH_LIFETIME after which this side reauthenticates.
	authLifetimeShare = 0.9
)

// startAuthLife sets the times after IKE_AUTH; now is when the two sides authenticated each other. The side that asked for
// the IKE SA reauthenticates, and the other tells it when to (RFC 4478); that one does it itself, in the last moment,
// only where it was not heeded.
func (m *Machine) startAuthLife(now time.Time) {
	c := m.cfg
	m.auth = authLife{since: now, responder: !m.initiator}
	if c.ReauthTime == 0 {
		return
	}
	m.auth.expireAt = now.Add(c.ReauthTime + c.ReauthGrace)
	if m.initiator {
		m.auth.reauthAt = now.Add(jittered(c.ReauthTime, c.RandTime, m.env.Jitter()))
	} else {
		m.auth.reauthAt = now.Add(c.ReauthTime + c.ReauthGrace/2)
	}
}

// sessionMargin is the share of a user's session that is left when its client is to have authenticated again, and maxSessionMargin the most of it.
const (
	sessionMargin    = 10
	maxSessionMargin = time.Minute
)

// startSession begins the session of a user. Where a RADIUS server limits it (Session-Timeout), the client is told to authenticate again before,
// and the IKE SA ends with the session.
func (m *Machine) startSession(u *aaa.User) {
	m.auth.user = u
	if u == nil || m.initiator || u.Session == 0 {
		return
	}
	m.auth.expireAt = earliest(m.auth.expireAt, m.auth.since.Add(u.Session))
}

// authTime is how long the initiator has until it is to authenticate again, from the first time on; 0 for ever.
func (m *Machine) authTime() time.Duration {
	d := m.cfg.ReauthTime
	if u := m.auth.user; u != nil && u.Session > 0 {
		if s := u.Session - min(u.Session/sessionMargin, maxSessionMargin); d == 0 || s < d {
			d = s
		}
	}
	return d
}

// authLifetime is what a responder announces in its IKE_AUTH response: how long the initiator has until it is to
// reauthenticate. https://www.rfc-editor.org/rfc/rfc4478#section-2
func (m *Machine) authLifetime(*request) []wire.Payload {
	total := m.authTime()
	if total < time.Second {
		return nil
	}
	// A resumed IKE SA has what is left: nobody has proved anything again.
	left := total - m.establishedAt.Sub(m.authenticatedAt())
	return []wire.Payload{wire.NewAuthLifetime(max(left, time.Second))}
}

// peerAuthLifetime heeds AUTH_LIFETIME, which comes from the original responder in IKE_AUTH or later on its own. A
// lifetime that is longer than our own changes nothing.
func (m *Machine) peerAuthLifetime(now time.Time, path Path, payloads []wire.Payload) {
	n := notify(payloads, wire.NotifyAuthLifetime)
	if n == nil {
		return
	}
	d, err := n.AuthLifetime()
	switch {
	case err != nil:
		m.ignore(path, IgnoreMalformed, err.Error())
		return
	case m.auth.responder:
		m.ignore(path, IgnoreState, "AUTH_LIFETIME from the side that asked for the IKE SA")
		return
	}
	share := time.Duration(float64(d) * authLifetimeShare)
	at := now.Add(max(jittered(share, d/10, m.env.Jitter()), minReauthTime))
	m.auth.reauthAt = earliest(m.auth.reauthAt, at)
}

// advanceAuthLife does what is due. A reauthentication is the daemon's business: it takes a machine of its own.
func (m *Machine) advanceAuthLife(now time.Time) {
	if m.state != StateEstablished && m.state != StateRekeying {
		return
	}
	a := &m.auth
	if m.expelled(now) {
		return
	}
	if !a.expireAt.IsZero() && !now.Before(a.expireAt) {
		a.expireAt, a.reauthAt = time.Time{}, time.Time{}
		m.emit(Failed{Failure: diag.Expired(m.where(wire.ExchangeIKEAuth), "nobody has authenticated again in time")})
		m.Delete(now, "nobody has reauthenticated in time")
		return
	}
	if m.state == StateEstablished && !a.reauthAt.IsZero() && !now.Before(a.reauthAt) {
		a.reauthAt = time.Time{}
		m.emit(ReauthDue{})
	}
}

// authTimeout is the time of the next [Machine.Advance] for the authentication's sake.
func (m *Machine) authTimeout() time.Time {
	switch m.state {
	case StateEstablished:
		return earliest(earliest(m.auth.reauthAt, m.auth.expireAt), m.auth.lookAt)
	case StateRekeying:
		return earliest(m.auth.expireAt, m.auth.lookAt)
	default:
		return time.Time{}
	}
}

// StopSending takes the outbound direction of all children away: another IKE SA has children for the same traffic, and
// this one is about to be deleted. What the peer still sends is taken until then.
func (m *Machine) StopSending() {
	for _, c := range m.children {
		if c.outboundInstalled {
			c.outboundInstalled = false
			m.emit(RemoveOutbound{Child: c})
		}
	}
}

// RefuseChildren has requests for new CHILD SAs refused from now on: the IKE SA is about to be closed, and the peer may want
// back what is closed before it.
func (m *Machine) RefuseChildren() { m.noChildren = true }

// ScheduleReauth sets when [ReauthDue] is put out the next time: the daemon could not do it now.
func (m *Machine) ScheduleReauth(at time.Time) { m.auth.reauthAt = at }
