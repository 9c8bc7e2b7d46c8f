package guess

import (
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/eap"
)

const (
	// maxUsers, maxNames and maxSources bound what is counted, and maxKnown the networks that users have come in from. With the longest names
	// all of it is 8 MiB, and a stranger's name needs four messages of IKE_AUTH.
	maxUsers   = 8192
	maxNames   = 4096
	maxSources = 4096
	maxKnown   = 65536
	// knownTime is how long it counts that a user has come in from a network.
	knownTime = 30 * 24 * time.Hour
)

// Lengths of prefixes. A host can have any address of its /64 of IPv6. A site, and the customers of a provider behind one NAT, have a /32 of IPv4 or a
// /48 of IPv6. A phone is somewhere else in its provider's network each day.
const (
	hostBits6 = 64
	siteBits6 = 48
	netBits4  = 24
	netBits6  = 48
)

// from is a name with where it comes from.
type from struct {
	name string
	addr netip.Addr
}

// Table counts wrong passwords of a gateway. It may be used by several goroutines.
type Table struct {
	mu      sync.Mutex
	users   meter[from]
	names   meter[string]
	sources meter[netip.Addr]
	// known are the networks that users have come in from.
	known *aging[from, struct{}]
	stats Stats
}

// Stats is what a table has counted.
type Stats struct {
	// Right and Wrong are passwords that were compared. Refused were not, within a pause.
	Right, Wrong, Refused uint64
}

// NewTable makes one.
func NewTable() *Table {
	l := defaultLimits()
	return &Table{
		users: newMeter[from](l.user, maxUsers), names: newMeter[string](l.name, maxNames), sources: newMeter[netip.Addr](l.source, maxSources),
		known: newAging[from, struct{}](maxKnown),
	}
}

// From is the guard of conversations with whoever is at an address.
func (t *Table) From(a netip.Addr) eap.Guard { return guard{t, a.Unmap().WithZone("")} }

// guard implements [eap.Guard].
type guard struct {
	t    *Table
	addr netip.Addr
}

// masked is the prefix of an address that counts.
func masked(a netip.Addr, bits4, bits6 int) netip.Addr {
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a // no address: those count as one
	}
	return p.Addr()
}

func (g guard) user(name string) from  { return from{name, masked(g.addr, 32, hostBits6)} }
func (g guard) known(name string) from { return from{name, masked(g.addr, netBits4, netBits6)} }
func (g guard) site() netip.Addr       { return masked(g.addr, 32, siteBits6) }

// Try implements [eap.Guard].
func (g guard) Try(now time.Time, name string) (right func(), p *eap.Pause) {
	t := g.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if p = g.paused(now, name); p != nil {
		t.stats.Refused++
		return nil, p
	}
	t.stats.Wrong++
	t.users.add(now, g.user(name))
	ofName, ofSource := t.names.add(now, name), t.sources.add(now, g.site())
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.stats.Wrong--
		t.stats.Right++
		t.users.forget(g.user(name))
		t.names.takeBack(now, name, ofName)
		t.sources.takeBack(now, g.site(), ofSource)
		t.known.keep(now, g.known(name), now.Add(knownTime))
	}, nil
}

// paused is the pause that a password of a name from here comes into; nil for none.
func (g guard) paused(now time.Time, name string) *eap.Pause {
	t := g.t
	if left, n := t.users.paused(now, g.user(name)); left > 0 {
		return &eap.Pause{Of: eap.PauseOfUser, Wrong: n, Left: left}
	}
	if t.known.find(now, g.known(name)) != nil {
		return nil
	}
	if left, n := t.names.paused(now, name); left > 0 {
		return &eap.Pause{Of: eap.PauseOfName, Wrong: n, Left: left}
	}
	if left, n := t.sources.paused(now, g.site()); left > 0 {
		return &eap.Pause{Of: eap.PauseOfSource, Wrong: n, Left: left}
	}
	return nil
}
