package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// netlinkTimeout bounds each request to the kernel, which normally answers at once.
const netlinkTimeout = 10 * time.Second

// RouteProtocol marks our routes and rules as ours (RTPROT_*, FRA_PROTOCOL): 220, which no routing daemon uses.
const RouteProtocol = 220

// linuxLink is the backend of Linux. Routes into the tunnel are in tables of their own, reached by these rules:
//
//	priority-1  to PEER ipproto udp sport 500 (4500, esp) lookup main     while a route covers PEER, see exclude
//	priority    not fwmark MARK lookup TABLE                              while TABLE has routes
//	priority+1  lookup main suppress_prefixlength 0                       while TABLE+1 has routes
//	priority+2  not fwmark MARK lookup TABLE+1                            while TABLE+1 has routes
//
// TABLE has the prefixes longer than /0, and a throw route for each route of main that is more specific than the one of
// TABLE which covers it: main has the word about these. TABLE+1 has the default routes, which win over main's default route
// and over nothing else, and the routes of TABLE that cover a throw route: they catch what a vanished route of main leaves. A
// packet with the mark sees neither table. Each route to the device has an unreachable route of a worse metric with it, for
// the time when the device is down or gone.
//
// Several processes may share the tables and rules: what others have is read from the kernel, never remembered.
type linuxLink struct {
	h     *netlink.Handle // of the network namespace Configure was called in
	dump  *netlink.Handle // for the routes of one table
	name  string
	index int
	o     LinkOptions

	before *netlink.LinkAttrs // as the device was before setUp; nil before it
	up     bool               // setUp was called
	mtu    int
	want   map[netip.Prefix]Route
	ruled  map[tableKey]bool // the tables whose rules were added
	bypass bypass
	peers  map[netip.Addr]bool // that are excluded
	// given are addresses that the device had, and that this process could not have given it.
	given map[netip.Prefix]bool
	// mainKnown says that bypass has table main, crowded that some of it had no room there.
	mainKnown, crowded bool
}

// tableKey names a routing table: each family has its own.
type tableKey struct{ family, table int }

func configure(name string, o LinkOptions) (Link, error) {
	fail := func(fix string, err error) (Link, error) {
		return nil, &LinkError{Op: "configure", Device: name, Fix: fix, Err: err}
	}
	if o.Table < 1 || o.Table > 1<<31-2 || o.Table+1 >= unix.RT_TABLE_DEFAULT && o.Table <= unix.RT_TABLE_LOCAL {
		return fail("choose a table whose number and the next one are free", fmt.Errorf("%w: routing table %d", ErrBadRequest, o.Table))
	}
	if o.Priority < 3 || o.Priority+2+demoted >= mainPriority {
		return fail(fmt.Sprintf("choose a priority of 3..%d", mainPriority-3-demoted), fmt.Errorf("%w: rule priority %d", ErrBadRequest, o.Priority))
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fail("", err)
	}
	dump, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		h.Close()
		return fail("", err)
	}
	l := &linuxLink{h: h, dump: dump, name: name, o: o, want: map[netip.Prefix]Route{}, ruled: map[tableKey]bool{}, given: map[netip.Prefix]bool{}, bypass: newBypass(), peers: map[netip.Addr]bool{}}
	_ = dump.SetStrictCheck(true) // without it, before Linux 4.20, the lists cost more, and that is all
	if err := errors.Join(h.SetSocketTimeout(netlinkTimeout), dump.SetSocketTimeout(netlinkTimeout)); err != nil {
		l.closeHandles()
		return fail("", err)
	}
	dev, err := h.LinkByName(name)
	if err != nil {
		l.closeHandles()
		return fail("", err)
	}
	l.index = dev.Attrs().Index
	if err := l.takeOver(); err != nil {
		l.closeHandles()
		return fail(l.explain(err), fmt.Errorf("take over what an earlier run left behind: %w", err))
	}
	lk := newLink(name, l)
	lk.block = o.BlockWhenStopped
	k, err := startKeeper(lk, l, o.Restored)
	if err != nil {
		l.closeHandles()
		return fail("", fmt.Errorf("watch routes: %w", err))
	}
	lk.stop = k.stop
	return lk, nil
}

func (l *linuxLink) closeHandles() {
	l.h.Close()
	l.dump.Close()
}

// link finds the device again; the name may have changed, the index does not.
func (l *linuxLink) link() (netlink.Link, error) { return l.h.LinkByIndex(l.index) }

func (l *linuxLink) setUp(mtu int) error {
	dev, err := l.link()
	if err != nil {
		return err
	}
	a := dev.Attrs()
	if l.before == nil {
		l.before = a
	}
	l.up, l.mtu = true, mtu
	if a.MTU != mtu {
		if err := l.h.LinkSetMTU(dev, mtu); err != nil {
			return fmt.Errorf("set mtu %d: %w", mtu, err)
		}
	}
	if n := l.o.TxQueueLen; n > 0 && a.TxQLen != n {
		// A device that an administrator has made for a process without the right to change it works with the length that it has.
		if err := l.h.LinkSetTxQLen(dev, n); err != nil && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("set txqueuelen %d: %w", n, err)
		}
	}
	if a.RawFlags&unix.IFF_UP != 0 {
		return nil
	}
	// Without this the kernel gives the device a link-local address and sends router solicitations into the tunnel. It
	// fails where there is no IPv6, and then there is no need.
	_ = l.h.LinkSetIP6AddrGenMode(dev, nl.IN6_ADDR_GEN_MODE_NONE)
	if err := l.h.LinkSetUp(dev); err != nil {
		return fmt.Errorf("bring up: %w", err)
	}
	return nil
}

// close gives a persistent device back as it was. Any other vanishes with its descriptors.
func (l *linuxLink) close() error {
	defer l.closeHandles()
	if l.before == nil {
		return nil
	}
	dev, err := l.link()
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs error
	a := dev.Attrs()
	if l.before.RawFlags&unix.IFF_UP == 0 {
		errs = l.h.LinkSetDown(dev)
	}
	if l.before.MTU != a.MTU {
		errs = errors.Join(errs, l.h.LinkSetMTU(dev, l.before.MTU))
	}
	if l.before.TxQLen != a.TxQLen {
		errs = errors.Join(errs, l.h.LinkSetTxQLen(dev, l.before.TxQLen))
	}
	return errs
}

// address gives what netlink wants to know of an address. IPv6 duplicate address detection has nobody to ask in a
// tunnel and would delay the address's use.
func address(p netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// addAddress takes an address as it is that the device has already where this process may not add any: an administrator has given it,
// and it stays when the link is closed.
func (l *linuxLink) addAddress(p netip.Prefix) error {
	dev, err := l.link()
	if err != nil {
		return err
	}
	err = l.h.AddrAdd(dev, address(p))
	if errors.Is(err, unix.EPERM) && l.hasAddress(dev, p) {
		l.given[p] = true
		return nil
	}
	return err
}

func (l *linuxLink) hasAddress(dev netlink.Link, p netip.Prefix) bool {
	have, err := l.h.AddrList(dev, netlink.FAMILY_ALL)
	return err == nil && slices.ContainsFunc(have, func(a netlink.Addr) bool { return a.IPNet.String() == ipNet(p).String() })
}

func (l *linuxLink) removeAddress(p netip.Prefix) error {
	if l.given[p] {
		delete(l.given, p)
		return nil
	}
	dev, err := l.link()
	if err == nil {
		err = l.h.AddrDel(dev, address(p))
	}
	if gone(err) {
		return nil
	}
	return err
}

// gone reports whether what was to be removed, or the device it was on, is no longer there.
func gone(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) ||
		errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EADDRNOTAVAIL)
}

// ipNet keeps the host bits.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// explain gives the Fix of errors whose text does not say it.
func (l *linuxLink) explain(err error) string {
	var taken *routeTakenError
	switch {
	case errors.As(err, &taken):
		return "give each tunnel its own prefixes, or this one another routing table"
	case errors.Is(err, unix.EPERM):
		return `run with CAP_NET_ADMIN (container: --cap-add NET_ADMIN), or set device = "netstack"`
	case errors.Is(err, unix.EACCES):
		return "is IPv6 turned off? sysctl net.ipv6.conf.all.disable_ipv6 net.ipv6.conf." + l.name + ".disable_ipv6"
	case errors.Is(err, unix.ENETDOWN):
		return "bring the device up first"
	case errors.Is(err, unix.EINVAL):
		return "is the preferred source an address of this host, and the mtu at least 1280 for IPv6?"
	}
	return ""
}
