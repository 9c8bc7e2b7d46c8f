package gateway

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// entry is an IKE SA in the table.
type entry struct {
	m *sa.Machine
	// conn is the connection it belongs to; for a half-open responder the best guess. It is among conn.entries.
	conn *connection
	filing
	line

	// stranger: it was made for a request, and its peer has never been authenticated.
	stranger bool
	// up: it was reported as established and not yet as closed.
	up bool
	// again: it is an attempt after others that have failed. Until it is established its steps are not logged: the line of the
	// failure counts.
	again bool
	// leaving: this gateway has decided to end it. Nothing new is asked of it.
	leaving bool
	// commanded: an operator wants it to end.
	commanded bool
	// closed: its end was handled; it stays for a while to repeat its last answer.
	closed bool
	// heir is the successor that has taken its place, nil for none.
	heir *entry

	// handover: it takes another IKE SA's place; followers are those that take its own. Method follow keeps the two in step.
	// retired: another one has taken its place.
	handover  handover
	followers entrySet
	retired   retirement
	// redirecting: another gateway, to which its peer has sent this side, is being looked up. detoured: it ended because the
	// peer has sent this side elsewhere, and the attempt goes on there.
	redirecting, detoured bool
	// session is what it could be resumed with if the peer is lost.
	session *sa.Session

	// excluded is the peer's address that is kept out of the tunnel for it.
	excluded netip.Addr
	// wants are the children that its peer was refused because another one has their networks.
	wants map[*child]struct{}
	// revoked are the children that it was to bring up when a command took that back.
	revoked map[*child]struct{}
	// silent is the silence of its peer that was noticed last, until there is an answer; silenceSaid: it has had a line in the log.
	silent      *sa.Silence
	silenceSaid bool
	// reported is the latest failure of it that was reported: a machine may give one value twice.
	reported *diag.Failure
	// early are those that were said while the attempt went on. A machine gives a few of them at most.
	early []*diag.Failure
	// held are exchanges of a half-open responder, which have no lines in the log yet.
	held []sa.ExchangeDone
	// draining: its outputs are being carried out at this moment, in order.
	draining bool
}

// filing is where the table has an entry. It belongs to the methods of table.
type filing struct {
	// init is set while the entry is a half-open responder, with its share of them, made once it is that no more.
	init, made *initKey
	share      *claim[*entry]
	// peer is what it is filed under in table.peers while it is up, addr in table.byAddr, and the slot in table.timers.
	peer peerKey
	addr netip.Addr
	slot
	// lingers: it is one of table.lingering.
	lingers bool
}

// line is what an IKE SA has in common with those that it is rekeyed to: to an operator they are one.
type line struct {
	// first is when the first of them was established; caller: this side has initiated that one.
	first  time.Time
	caller bool
	// past is what went through its CHILD SAs that are gone, by their child; nil before the IKE SA is established.
	past map[string]Counters
	// kin is what it shares with the other IKE SAs of its peer; restart: the peer has started it for one that was closed.
	kin     *kin
	restart bool
	// review is when redundant IKE SAs have to be looked for, zero for never.
	review time.Time
	// account is the session of its user, nil if it has none.
	account *account
	// holder is the number under which it has the addresses that its peer was given, 0 for none. displaces are those that had them before.
	// leasing is the latest request of its machine for them.
	holder    uint64
	leasing   uint64
	leased    string // whose they are by name, once the peer was given them; "" for nobody's
	displaces []uint64
}

// alive reports whether an IKE SA is in use: established and on its way neither out nor to a successor.
func (e *entry) alive() bool {
	return e.up && !e.leaving && (e.m.State() == sa.StateEstablished || e.m.State() == sa.StateRekeying)
}

// latest is what has become of an IKE SA by rekeying.
func (e *entry) latest() *entry {
	for e.heir != nil {
		e = e.heir
	}
	return e
}

// initKey finds the half-open responder that an IKE_SA_INIT request was answered by (pitfall M2).
type initKey struct {
	spi    wire.SPI
	remote netip.AddrPort
}

// peerKey is a pair of authenticated identities; see [identity.Identity.Key]. own is the connection by whose own key they were
// authenticated, if it has one: what its peer calls itself says nothing about the peer of another that calls itself the same. vouched is
// as in [sa.Fixed].
type peerKey struct{ local, remote, own, vouched string }

type entrySet map[*entry]struct{}

// sorted lists the entries of a set, oldest first.
func (s entrySet) sorted() []*entry {
	return slices.SortedFunc(maps.Keys(s), func(a, b *entry) int { return cmp.Compare(a.m.ID(), b.m.ID()) })
}

// file puts an entry into one of the sets of an index, and unfile takes it out; empty sets go.
func file[K comparable](index map[K]entrySet, k K, e *entry) {
	if index[k] == nil {
		index[k] = entrySet{}
	}
	index[k][e] = struct{}{}
}

func unfile[K comparable](index map[K]entrySet, k K, e *entry) {
	delete(index[k], e)
	if len(index[k]) == 0 {
		delete(index, k)
	}
}

// table holds all IKE SAs and when each has something due.
type table struct {
	bySPI    map[wire.SPI]*entry
	byInit   map[initKey]*entry
	made     map[initKey]*entry // responders that are not half-open any more, by the request that made them
	half     shares[*entry]     // half-open responders
	refused  refusals
	up       int             // how many are up
	children map[peerKey]int // installed CHILD SAs
	byAddr   map[netip.Addr]entrySet
	peers    map[peerKey]entrySet // those that are up
	timers   agenda[*entry]       // by what is due
	open     int                  // how many are not closed
	// lingering are those that are closed and repeat their last answer, the oldest first.
	lingering    map[peerKey][]*entry
	lingeringAll []*entry // of all peers
}

func (t *table) init() {
	t.children = map[peerKey]int{}
	t.bySPI, t.byInit, t.made = map[wire.SPI]*entry{}, map[initKey]*entry{}, map[initKey]*entry{}
	t.half.init()
	t.refused.init()
	t.lingering = map[peerKey][]*entry{}
	t.byAddr, t.peers = map[netip.Addr]entrySet{}, map[peerKey]entrySet{}
}

func (t *table) add(m *sa.Machine, c *connection) *entry {
	e := &entry{m: m, line: line{caller: m.Initiator()}}
	t.bySPI[m.LocalSPI()] = e
	t.open++
	e.assign(c)
	return e
}

// assign makes an entry one of a connection's.
func (e *entry) assign(c *connection) {
	if e.conn != nil {
		delete(e.conn.entries, e)
	}
	e.conn = c
	if c != nil {
		c.entries[e] = struct{}{}
	}
}

// heldUnit is how many octets of its peer a half-open SA may keep to count as one: 1024 of them, the usual half_open_limit, are
// 8 MiB at most. An ordinary one has two messages of less than a kilobyte; the largest IKE_SA_INIT and the fragments of
// the largest IKE_AUTH make one count as ten.
const heldUnit = 8 << 10

func unitsOf(m *sa.Machine) int { return 1 + m.Held()/heldUnit }

// addHalfOpen registers a responder that waits for IKE_AUTH.
func (t *table) addHalfOpen(now time.Time, m *sa.Machine, c *connection, remote netip.AddrPort) *entry {
	e := t.add(m, c)
	e.stranger = true
	e.init = &initKey{m.PeerSPI(), remote}
	t.byInit[*e.init] = e
	e.share = t.half.add(now, remote.Addr(), e, unitsOf(m))
	return e
}

// settle takes an entry off the half-open ones.
func (t *table) settle(e *entry) {
	if e.init == nil {
		return
	}
	delete(t.byInit, *e.init)
	t.half.remove(e.share)
	e.init, e.made, e.share = nil, e.init, nil
	t.made[*e.made] = e
}

// setUp files an entry under the identities of its two ends; setDown undoes it.
func (t *table) setUp(e *entry) {
	if !e.up {
		t.up++
	}
	e.up, e.peer = true, keyOf(e.m)
	file(t.peers, e.peer, e)
}

func (t *table) setDown(e *entry) {
	if e.up {
		e.up = false
		t.up--
		unfile(t.peers, e.peer, e)
	}
}

func (t *table) remove(e *entry) {
	t.settle(e)
	if e.made != nil && t.made[*e.made] == e {
		delete(t.made, *e.made)
	}
	t.setDown(e)
	t.unlinger(e)
	e.assign(nil)
	delete(t.bySPI, e.m.LocalSPI())
	unfile(t.byAddr, e.addr, e)
	t.timers.set(e, time.Time{})
}

// schedule files an entry under the time its machine names, and under the address it talks to.
func (t *table) schedule(e *entry) {
	if a := e.m.Path().Remote.Addr().Unmap(); a != e.addr {
		unfile(t.byAddr, e.addr, e)
		e.addr = a
		file(t.byAddr, a, e)
	}
	next := earliest(e.m.NextTimeout(), e.review)
	for _, at := range [...]time.Time{e.handover.until, e.retired.next()} {
		next = earliest(next, at)
	}
	t.timers.set(e, next)
}

// at lists the IKE SAs with a peer at an address.
func (t *table) at(a netip.Addr) []*entry { return t.byAddr[a.Unmap()].sorted() }

// anyZone lists the IKE SAs with a peer at an address, which has no zone, in whichever zone that is.
func (t *table) anyZone(a netip.Addr) []*entry {
	if !a.IsLinkLocalUnicast() {
		return t.at(a)
	}
	var out []*entry
	for at := range t.byAddr {
		if at.WithZone("") == a {
			out = append(out, t.at(at)...)
		}
	}
	return out
}

// all lists the entries, oldest first. It costs more than most inputs should: it is for commands.
func (t *table) all() []*entry {
	return slices.SortedFunc(maps.Values(t.bySPI), func(a, b *entry) int { return cmp.Compare(a.m.ID(), b.m.ID()) })
}
