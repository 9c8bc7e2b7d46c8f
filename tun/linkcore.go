package tun

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
)

var errClosed = errors.New("the link is closed")

// link is the Link of all systems: it counts, decides what the backend has to do, and takes back half-done changes.
// Invariant: excluded is exactly the set of peers which the backend excludes, and contains every wanted peer that a route
// in the backend covers.
type link struct {
	device string
	sys    backend

	block bool   // leave what refuses packets behind
	stop  func() // ends what watches the system; nil for nothing
	once  sync.Once

	mu       sync.Mutex
	closed   bool
	wants    wants
	excluded map[netip.Addr]bool
	refused  map[netip.Prefix]bool // routes whose packets are only refused, see ErrOnlyRefused
}

func newLink(device string, sys backend) *link {
	return &link{
		device:   device,
		sys:      sys,
		wants:    wants{addresses: make(map[netip.Prefix]int), peers: make(map[netip.Addr]int)},
		excluded: make(map[netip.Addr]bool),
		refused:  make(map[netip.Prefix]bool),
	}
}

// fail makes the LinkError of an operation; nil stays nil.
func (l *link) fail(op string, object any, err error) error {
	if err == nil {
		return nil
	}
	e := &LinkError{Op: op, Device: l.device, Err: err, Fix: l.sys.explain(err)}
	if object != nil {
		e.Object = fmt.Sprint(object)
	}
	return e
}

func (l *link) SetUp(mtu int) error {
	const op = "set up"
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return l.fail(op, nil, errClosed)
	case mtu < MinMTU || mtu > MaxMTU:
		return l.fail(op, nil, fmt.Errorf("%w: mtu %d, not %d..%d", ErrBadRequest, mtu, MinMTU, MaxMTU))
	}
	return l.fail(op, nil, l.sys.setUp(mtu))
}

func (l *link) AddAddress(p netip.Prefix) error {
	const op = "add address"
	l.mu.Lock()
	defer l.mu.Unlock()
	q, err := plainPrefix(p)
	switch {
	case l.closed:
		return l.fail(op, p, errClosed)
	case err != nil:
		return l.fail(op, p, err)
	}
	if l.wants.addresses[q] == 0 {
		if err := l.sys.addAddress(q); err != nil {
			return l.fail(op, q, err)
		}
	}
	l.wants.addresses[q]++
	return nil
}

func (l *link) RemoveAddress(p netip.Prefix) error {
	const op = "remove address"
	l.mu.Lock()
	defer l.mu.Unlock()
	q, err := plainPrefix(p)
	switch {
	case l.closed:
		return nil // Close has removed it
	case err != nil:
		return l.fail(op, p, err)
	}
	switch l.wants.addresses[q] {
	case 0:
		return l.fail(op, q, ErrNotAdded)
	case 1:
		if err := l.sys.removeAddress(q); err != nil {
			return l.fail(op, q, err)
		}
		delete(l.wants.addresses, q)
	default:
		l.wants.addresses[q]--
	}
	return nil
}

func (l *link) AddRoute(r Route) error {
	const op = "add route"
	l.mu.Lock()
	defer l.mu.Unlock()
	q, err := plainRoute(r)
	switch {
	case l.closed:
		return l.fail(op, r.Dst, errClosed)
	case err != nil:
		return l.fail(op, r.Dst, err)
	}
	if l.refused[q.Dst] { // its peers are excluded
		err := l.sys.addRoute(q)
		if err == nil || errors.Is(err, ErrOnlyRefused) {
			l.wants.addRoute(q)
		}
		if err == nil {
			delete(l.refused, q.Dst)
			if src := l.wants.source(q.Dst); src != q.Src {
				_ = l.sys.changeSource(Route{Dst: q.Dst, Src: src}) // of one who had it before; it works without
			}
		}
		return l.fail(op, q.Dst, err)
	}
	if _, there := l.wants.routes[q.Dst]; there {
		if !l.wants.source(q.Dst).IsValid() && q.Src.IsValid() {
			if err := l.sys.changeSource(q); err != nil {
				return l.fail(op, q.Dst, err)
			}
		}
		l.wants.addRoute(q)
		return nil
	}
	// Peers first: at no moment may their packets find their way into the tunnel.
	var done []netip.Addr
	for _, peer := range l.wants.uncoveredIn(q.Dst) {
		if err = l.excludeNow(peer); err != nil {
			err = fmt.Errorf("keep peer %v out of the tunnel: %w", peer, err)
			break
		}
		done = append(done, peer)
	}
	if err == nil {
		err = l.sys.addRoute(q)
	}
	if errors.Is(err, ErrOnlyRefused) {
		l.refused[q.Dst] = true
		l.wants.addRoute(q)
		return l.fail(op, q.Dst, err)
	}
	if err != nil {
		for _, peer := range done {
			err = errors.Join(err, l.unexcludeNow(peer))
		}
		return l.fail(op, q.Dst, err)
	}
	l.wants.addRoute(q)
	return nil
}

func (l *link) RemoveRoute(r Route) error {
	const op = "remove route"
	l.mu.Lock()
	defer l.mu.Unlock()
	q, err := plainRoute(r)
	switch {
	case l.closed:
		return nil // Close has removed it
	case err != nil:
		return l.fail(op, r.Dst, err)
	}
	before, holders := Route{Dst: q.Dst, Src: l.wants.source(q.Dst)}, l.wants.routes[q.Dst]
	if !l.wants.removeRoute(q) {
		return l.fail(op, q.Dst, ErrNotAdded)
	}
	if _, there := l.wants.routes[q.Dst]; there {
		if now := l.wants.source(q.Dst); now != before.Src && !l.refused[q.Dst] {
			err = l.sys.changeSource(Route{Dst: q.Dst, Src: now})
		}
	} else {
		err = l.sys.removeRoute(before, false)
	}
	if err != nil {
		l.wants.routes[q.Dst] = holders // still there: Close tries again
		return l.fail(op, q.Dst, err)
	}
	if l.wants.routes[q.Dst] == nil {
		delete(l.refused, q.Dst)
	}
	return l.fail(op, q.Dst, l.unexcludeUncovered())
}

func (l *link) Exclude(peer netip.Addr) error {
	const op = "exclude peer"
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := plainAddr(peer)
	switch {
	case l.closed:
		return l.fail(op, peer, errClosed)
	case onLink(peer):
		return nil
	case err != nil:
		return l.fail(op, peer, err)
	}
	if l.wants.peers[p] == 0 && l.wants.covered(p) {
		if err := l.excludeNow(p); err != nil {
			return l.fail(op, p, err)
		}
	}
	l.wants.peers[p]++
	return nil
}

func (l *link) Unexclude(peer netip.Addr) error {
	const op = "unexclude peer"
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := plainAddr(peer)
	switch {
	case l.closed || onLink(peer):
		return nil // Close has done it
	case err != nil:
		return l.fail(op, peer, err)
	}
	switch l.wants.peers[p] {
	case 0:
		return l.fail(op, p, ErrNotAdded)
	case 1:
		if err := l.unexcludeNow(p); err != nil {
			return l.fail(op, p, err)
		}
		delete(l.wants.peers, p)
	default:
		l.wants.peers[p]--
	}
	return nil
}

// excludeNow and unexcludeNow keep excluded true to the backend.
func (l *link) excludeNow(peer netip.Addr) error {
	if l.excluded[peer] {
		return nil
	}
	if err := l.sys.exclude(peer); err != nil {
		return err
	}
	l.excluded[peer] = true
	return nil
}

func (l *link) unexcludeNow(peer netip.Addr) error {
	if !l.excluded[peer] {
		return nil
	}
	if err := l.sys.unexclude(peer); err != nil {
		return err
	}
	delete(l.excluded, peer)
	return nil
}

// unexcludeUncovered ends the exclusion of peers that no route leads to any longer.
func (l *link) unexcludeUncovered() error {
	var errs error
	for _, peer := range slices.SortedFunc(maps.Keys(l.excluded), netip.Addr.Compare) {
		if !l.wants.covered(peer) {
			errs = errors.Join(errs, l.unexcludeNow(peer))
		}
	}
	return errs
}

// repair puts back what has vanished.
func (l *link) repair() Restored {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return Restored{}
	}
	r := l.sys.repair(slices.SortedFunc(maps.Keys(l.wants.addresses), comparePrefix), slices.SortedFunc(maps.Keys(l.excluded), netip.Addr.Compare))
	r.Err = l.fail("put back", nil, r.Err)
	return r
}

func (l *link) Sweep() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	return l.fail("sweep", nil, l.sys.sweep())
}

func (l *link) Close() error   { return l.end(l.block) }
func (l *link) Abandon() error { return l.end(true) }

// end goes on after an error, so that as much as possible is removed. With block, what refuses packets stays, that of an earlier
// run too.
func (l *link) end(block bool) error {
	if l.stop != nil {
		l.once.Do(l.stop)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	var errs error
	try := func(op string, object any, err error) { errs = errors.Join(errs, l.fail(op, object, err)) }
	for _, r := range l.wants.sortedRoutes() {
		try("remove route", r.Dst, l.sys.removeRoute(r, block))
	}
	if !block {
		try("sweep", nil, l.sys.sweep())
	}
	for _, peer := range slices.SortedFunc(maps.Keys(l.excluded), netip.Addr.Compare) {
		try("unexclude peer", peer, l.sys.unexclude(peer))
	}
	for _, p := range slices.SortedFunc(maps.Keys(l.wants.addresses), comparePrefix) {
		try("remove address", p, l.sys.removeAddress(p))
	}
	try("restore", nil, l.sys.close())
	return errs
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits())
}

// onLink reports whether packets to a peer leave by the interface that its address names, whatever the routes say. Nothing
// has to keep them out of the tunnel.
func onLink(peer netip.Addr) bool { return peer.Zone() != "" && peer.IsLinkLocalUnicast() }

// plainAddr gives an address as the maps have it: no IPv4 in IPv6, no zone.
func plainAddr(a netip.Addr) (netip.Addr, error) {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || a.IsUnspecified() {
		return a, fmt.Errorf("%w: address %v", ErrBadRequest, a)
	}
	return a, nil
}

// plainPrefix does the same for an address with its prefix length.
func plainPrefix(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() || p.Addr().Is4In6() || p.Addr().IsUnspecified() {
		return p, fmt.Errorf("%w: prefix %v", ErrBadRequest, p)
	}
	return p, nil
}

// plainRoute does the same for a route, and clears the host bits of its Dst.
func plainRoute(r Route) (Route, error) {
	if !r.Dst.IsValid() || r.Dst.Addr().Is4In6() {
		return r, fmt.Errorf("%w: prefix %v", ErrBadRequest, r.Dst)
	}
	r.Dst = r.Dst.Masked()
	if r.Src == (netip.Addr{}) {
		return r, nil
	}
	src, err := plainAddr(r.Src)
	if err != nil {
		return r, err
	}
	if src.Is4() != r.Dst.Addr().Is4() {
		return r, fmt.Errorf("%w: source %v is of the other address family", ErrBadRequest, r.Src)
	}
	r.Src = src
	return r, nil
}
