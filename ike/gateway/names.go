package gateway

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
)

// names are the DNS names of the configuration and what is known of them. They are looked up again for each attempt to
// reach a peer, and now and then besides: a responder must know which connection an address belongs to.
type names struct {
	known map[string]*nameState
	// next is when a name has to be looked up by itself, zero for never.
	next time.Time
	// asked are the look-ups under way by their numbers, with what to do with the answer.
	asked  map[uint64]asked
	nextID uint64
}

// nameState is a name. addrs outlive a failed look-up: an old address is a better guess than none.
type nameState struct {
	addrs []netip.Addr
	busy  bool
	tried time.Time // when the latest look-up began
	next  time.Time
	fails int
	// waiting are those that want the answer of the look-up under way.
	waiting []func(now time.Time, addrs []netip.Addr, err error)
}

const (
	// nameRefresh is how long an answer is taken for true while nobody asks; a failure is tried again sooner.
	nameRefresh  = 5 * time.Minute
	nameRetry    = 10 * time.Second
	maxNameAddrs = 16
	// idle is how long nothing is due when no name has to be looked up.
	idle = time.Hour
	// strangerRefresh is how old an answer must be for a stranger's message to cause another look-up: it may come from
	// a peer whose address has changed.
	strangerRefresh = 30 * time.Second
	// moveRefresh is the same for a peer that has moved, and has proved who it is.
	moveRefresh = 5 * time.Second
)

func (n *names) init() {
	n.known, n.asked = map[string]*nameState{}, map[uint64]asked{}
}

// addrsOf lists the addresses that an endpoint is known to stand for, if it stands for single ones.
func (n *names) addrsOf(e config.Endpoint) []netip.Addr {
	if e.Name == "" {
		if a := e.Addr(); a.IsValid() {
			return []netip.Addr{a.Unmap()}
		}
		return nil
	}
	if s := n.known[e.Name]; s != nil {
		return s.addrs
	}
	return nil
}

// want makes the names that connections have known, and forgets the others.
func (n *names) want(used map[string][]*connection) {
	for name := range used {
		if n.known[name] == nil {
			n.known[name] = &nameState{}
		}
	}
	for name, s := range n.known {
		if used[name] == nil && !s.busy {
			delete(n.known, name)
		}
	}
}

// wantNames looks up the names of a connection that has come, as far as nobody has had them before.
func (g *Manager) wantNames(now time.Time, c *connection) {
	for _, name := range c.filed.hosts {
		if g.names.known[name] == nil {
			g.lookUp(now, name, nil)
		}
	}
}

// forgetNames forgets names that no connection has any more.
func (g *Manager) forgetNames(hosts []string) {
	for _, name := range hosts {
		if s := g.names.known[name]; s != nil && g.dir.byHost[name] == nil && !s.busy {
			delete(g.names.known, name)
		}
	}
}

// refreshNames looks up the names whose time has come.
func (g *Manager) refreshNames(now time.Time) {
	if g.names.next.IsZero() {
		g.names.want(g.dir.byHost)
	} else if now.Before(g.names.next) {
		return
	}
	if len(g.names.known) == 0 {
		g.names.next = now.Add(idle)
		return
	}
	for _, name := range g.names.sorted() {
		if s := g.names.known[name]; !s.busy && !now.Before(s.next) {
			g.lookUp(now, name, nil)
		}
	}
	g.names.schedule(now)
}

// sorted lists the names in an order that does not depend on chance.
func (n *names) sorted() []string { return slices.Sorted(maps.Keys(n.known)) }

// schedule sets the time of the next look-up.
func (n *names) schedule(now time.Time) {
	n.next = now.Add(idle)
	for _, s := range n.known {
		if !s.busy {
			n.next = earliest(n.next, s.next)
		}
	}
}

// refreshForStranger looks up again what is not fresh, since a peer has come that no connection is for, or that the one which its address
// leads to has refused. It may be the peer of another connection, whose name has a new address: one for any address takes it until
// then. However many are refused, a name is looked up once in [strangerRefresh].
func (g *Manager) refreshForStranger(now time.Time) {
	for _, name := range g.names.sorted() {
		if s := g.names.known[name]; !s.busy && now.Sub(s.tried) >= strangerRefresh {
			g.lookUp(now, name, nil)
		}
	}
}

// refreshForMove looks up the names of a connection again whose peer is at an address now that they do not stand for: it would be refused if
// it had to begin again there. However often it moves, a name is looked up once in [moveRefresh].
func (g *Manager) refreshForMove(now time.Time, c *connection, to netip.Addr) {
	for _, e := range c.conf.RemoteAddrs {
		s := g.names.known[e.Name]
		switch {
		case e.Name == "" || s == nil || s.busy || slices.Contains(s.addrs, to.Unmap()):
		case now.Sub(s.tried) >= moveRefresh:
			g.lookUp(now, e.Name, nil)
		default:
			s.next = earliest(s.next, s.tried.Add(moveRefresh))
			g.names.schedule(now)
		}
	}
}

// lookUp looks a name up and calls then, unless it is nil, on the event loop with the answer. A look-up under way is
// not doubled.
func (g *Manager) lookUp(now time.Time, name string, then func(now time.Time, addrs []netip.Addr, err error)) {
	s := g.names.known[name]
	if s == nil {
		s = &nameState{}
		g.names.known[name] = s
	}
	if then != nil {
		s.waiting = append(s.waiting, then)
	}
	if s.busy {
		return
	}
	s.busy, s.tried = true, now
	g.ask(name, func(now time.Time, addrs []netip.Addr, err error) { g.answered(now, name, addrs, err) })
}

// asked is a look-up under way.
type asked struct {
	name string
	then func(now time.Time, addrs []netip.Addr, err error)
}

// ask has a name looked up, and then calls then with the addresses that a gateway can have: at least one, unless there is an error.
func (g *Manager) ask(name string, then func(now time.Time, addrs []netip.Addr, err error)) {
	g.names.nextID++
	g.names.asked[g.names.nextID] = asked{name, then}
	g.o.Host.LookUp(g.names.nextID, name)
}

// Resolved is the answer to [Host.LookUp].
func (g *Manager) Resolved(now time.Time, id uint64, found []netip.Addr, err error) {
	g.begin()
	a, ok := g.names.asked[id]
	if !ok {
		return
	}
	delete(g.names.asked, id)
	if err != nil {
		a.then(now, nil, err)
		return
	}
	addrs, err := usable(a.name, found)
	a.then(now, addrs, err)
}

// usable are those of the addresses of a name that lead to a gateway, each once.
func usable(name string, found []netip.Addr) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, a := range found {
		if a = a.Unmap(); anybodys(a) && !slices.Contains(addrs, a) && len(addrs) < maxNameAddrs {
			addrs = append(addrs, a)
		}
	}
	switch {
	case len(addrs) > 0:
	case len(found) > 0:
		return nil, fmt.Errorf("%s has no address that a gateway can have: %v", name, found[:min(len(found), maxNameAddrs)])
	default:
		return nil, fmt.Errorf("%s has no address", name)
	}
	return addrs, nil
}

// anybodys reports whether an address that a name stands for can be that of a gateway. A name does not say on which
// interface a link-local IPv6 address is, which therefore leads nowhere.
func anybodys(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !(a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "")
}

// answered takes the result of a look-up.
func (g *Manager) answered(now time.Time, name string, addrs []netip.Addr, err error) {
	s := g.names.known[name]
	if s == nil {
		return
	}
	s.busy = false
	if err != nil {
		s.next = now.Add(min(nameRetry<<min(s.fails, 5), nameRefresh))
		s.fails++
		g.log.Debug("cannot look up", "name", name, "error", err)
	} else {
		s.next, s.fails = now.Add(nameRefresh), 0
		if !slices.Equal(addrs, s.addrs) {
			g.log.Info("looked up", "name", name, "addresses", addrs)
			s.addrs = addrs
			for _, c := range slices.Clone(g.dir.byHost[name]) {
				g.unfile(c)
				g.file(c)
			}
			g.renamed(now, name)
		}
	}
	g.names.schedule(now)
	waiting := s.waiting
	s.waiting = nil
	for _, then := range waiting {
		then(now, addrs, err)
	}
}

// renamed prepares the children whose dynamic selectors depend on a name.
func (g *Manager) renamed(now time.Time, name string) {
	if g.stopping {
		return
	}
	for _, c := range g.dir.byHost[name] {
		for _, h := range c.children {
			g.prepare(h)
			g.touch(h)
		}
	}
}
