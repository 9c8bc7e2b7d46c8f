package sa

import (
	"slices"
	"time"

	"esplanade/ike/wire"
)

// LimitSession has the peer authenticate again within a time from now on: it is told so (RFC 4478), and the IKE SA ends if it does not. A limit that
// is later than the present one takes its place as well.
func (m *Machine) LimitSession(now time.Time, d time.Duration) {
	m.auth.expireAt = now.Add(d)
	// One that waits says what holds when it goes out.
	if i := slices.IndexFunc(m.queue, func(t task) bool { _, is := t.(lifetimeTask); return is }); i < 0 {
		m.enqueue(lifetimeTask{})
	}
	m.pump(now)
}

// lifetimeTask is the INFORMATIONAL exchange that tells the peer how long it has until it is to authenticate again (RFC 4478 section 2).
type lifetimeTask struct{}

func (lifetimeTask) name() string                        { return "limit the session" }
func (lifetimeTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (lifetimeTask) abandoned(m *Machine, now time.Time) {}
func (lifetimeTask) done(m *Machine, r *response)        {}
func (lifetimeTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	left := m.auth.expireAt.Sub(now)
	return []wire.Payload{wire.NewAuthLifetime(max(left-left/10, time.Second))}, true
}
