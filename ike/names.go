package ike

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
)

// names are the DNS names of the configuration and what is known of them. They are looked up anew for each attempt to
// reach a peer, and now and then besides: a responder must know which connection an address belongs to.
type names struct {
	known map[string]*nameState
	// next is when a name has to be looked up by itself, zero for never.
	next time.Time
	// slots bounds the look-ups that run at a time.
	slots chan struct{}
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
	// resolveTimeout bounds a DNS look-up.
	resolveTimeout = 10 * time.Second
	// resolveSlots is how many look-ups run at a time.
	resolveSlots = 16
	// nameRefresh is how long an answer is taken for true while nobody asks; a failure is tried again sooner.
	nameRefresh  = 5 * time.Minute
	nameRetry    = 10 * time.Second
	maxNameAddrs = 16
	// strangerRefresh is how old an answer must be for a stranger's message to cause another look-up: it may come from
	// a peer whose address has changed.
	strangerRefresh = 30 * time.Second
)

func (n *names) init() {
	n.known, n.slots = map[string]*nameState{}, make(chan struct{}, resolveSlots)
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

// want makes the names of the configuration known, and forgets the others.
func (n *names) want(conns []*connection) {
	used := map[string]bool{}
	for _, c := range conns {
		for _, e := range slices.Concat(c.conf.LocalAddrs, c.conf.RemoteAddrs) {
			if e.Name == "" {
				continue
			}
			used[e.Name] = true
			if n.known[e.Name] == nil {
				n.known[e.Name] = &nameState{}
			}
		}
	}
	for name, s := range n.known {
		if !used[name] && !s.busy {
			delete(n.known, name)
		}
	}
}

// refreshNames looks up the names whose time has come.
func (d *Daemon) refreshNames(now time.Time) {
	if d.names.next.IsZero() {
		d.names.want(d.conns)
	} else if now.Before(d.names.next) {
		return
	}
	if len(d.names.known) == 0 {
		d.names.next = now.Add(idle)
		return
	}
	for name, s := range d.names.known {
		if !s.busy && !now.Before(s.next) {
			d.lookUp(now, name, nil)
		}
	}
	d.names.schedule(now)
}

// schedule sets the time of the next look-up.
func (n *names) schedule(now time.Time) {
	n.next = now.Add(idle)
	for _, s := range n.known {
		if !s.busy {
			n.next = earliest(n.next, s.next)
		}
	}
}

// refreshForStranger looks up again what is not fresh, since a peer has come that no connection is for.
func (d *Daemon) refreshForStranger(now time.Time) {
	for name, s := range d.names.known {
		if !s.busy && now.Sub(s.tried) >= strangerRefresh {
			d.lookUp(now, name, nil)
		}
	}
}

// lookUp looks a name up and calls then, unless it is nil, on the event loop with the answer. A look-up under way is
// not doubled.
func (d *Daemon) lookUp(now time.Time, name string, then func(now time.Time, addrs []netip.Addr, err error)) {
	s := d.names.known[name]
	if s == nil {
		s = &nameState{}
		d.names.known[name] = s
	}
	if then != nil {
		s.waiting = append(s.waiting, then)
	}
	if s.busy {
		return
	}
	s.busy, s.tried = true, now
	d.workers.Go(func() {
		addrs, err := d.query(name)
		select {
		case d.loop.inbox <- message{run: func(d *Daemon, now time.Time) { d.answered(now, name, addrs, err) }}:
		case <-d.ctx.Done():
		}
	})
}

// query asks the resolver, when it is its turn.
func (d *Daemon) query(name string) ([]netip.Addr, error) {
	select {
	case d.names.slots <- struct{}{}:
	case <-d.ctx.Done():
		return nil, d.ctx.Err()
	}
	defer func() { <-d.names.slots }()
	ctx, cancel := context.WithTimeout(d.ctx, resolveTimeout)
	defer cancel()
	found, err := d.o.Resolve(ctx, name)
	if err != nil {
		return nil, err
	}
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
func (d *Daemon) answered(now time.Time, name string, addrs []netip.Addr, err error) {
	s := d.names.known[name]
	if s == nil {
		return
	}
	s.busy = false
	if err != nil {
		s.next = now.Add(min(nameRetry<<min(s.fails, 5), nameRefresh))
		s.fails++
		d.log.Debug("cannot look up", "name", name, "error", err)
	} else {
		s.next, s.fails = now.Add(nameRefresh), 0
		if !slices.Equal(addrs, s.addrs) {
			d.log.Info("looked up", "name", name, "addresses", addrs)
			s.addrs = addrs
			d.rebuild()
			d.renamed(now, name)
		}
	}
	d.names.schedule(now)
	waiting := s.waiting
	s.waiting = nil
	for _, then := range waiting {
		then(now, addrs, err)
	}
}

// renamed prepares the children whose dynamic selectors depend on a name.
func (d *Daemon) renamed(now time.Time, name string) {
	if d.stopping {
		return
	}
	for _, c := range d.conns {
		for _, e := range slices.Concat(c.conf.LocalAddrs, c.conf.RemoteAddrs) {
			if e.Name != name {
				continue
			}
			for _, h := range c.children {
				d.prepare(h)
				d.touch(h)
			}
			break
		}
	}
}
