package tun

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// How often a keeper looks. It looks at once when something of ours may have vanished; what is looked at takes the kernel a
// moment for each thousand routes, so it rests for a multiple of that.
const (
	restMin    = 5 * time.Millisecond
	restFactor = 4
	// Somebody who fights us is answered at once contestBurst times, and then once in contestRest, until nothing has
	// vanished for contestOver.
	contestBurst = 10
	contestRest  = 200 * time.Millisecond
	contestOver  = 10 * time.Second
	// mainRest is how long after routes of the main table have vanished it is read again: what was kept out of the tunnel
	// for one of them goes into the tunnel meanwhile, see addNet.
	mainRest = 500 * time.Millisecond
	// looksAnyway is how often it looks although nothing was said.
	looksAnyway = time.Minute
	// maxMainNews bounds the new routes of the main table that wait; with more, the table is read again.
	maxMainNews = 1024
)

// keeper puts back what somebody else takes away: another daemon, an administrator, or the kernel when the device goes
// down. It also tells the link of the routes of the main table that come and go.
type keeper struct {
	link     *link
	l        *linuxLink
	restored func(Restored)
	socket   *nl.NetlinkSocket
	done     chan struct{}
	wake     chan struct{}
	ended    sync.WaitGroup
	failed   bool // the last look could not put something back; belongs to work

	mu    sync.Mutex
	check bool // something of ours may have vanished
	main  bool // something of the main table has
	added []netlink.Route
	gone  []netip.Prefix // destinations of routes that have left the main table
}

// startKeeper subscribes in the network namespace of the calling thread.
func startKeeper(link *link, l *linuxLink, restored func(Restored)) (*keeper, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
	if err != nil {
		return nil, err
	}
	if err := s.SetReceiveBufferSize(monitorBuffer, false); err != nil {
		s.Close()
		return nil, err
	}
	k := &keeper{link: link, l: l, restored: restored, socket: s, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	k.ended.Go(k.receive)
	k.ended.Go(k.work)
	return k, nil
}

func (k *keeper) stop() {
	close(k.done)
	k.socket.Close()
	k.ended.Wait()
}

// receive sorts the kernel's news.
func (k *keeper) receive() {
	for {
		messages, from, err := k.socket.Receive()
		select {
		case <-k.done:
			return
		default:
		}
		switch {
		case errors.Is(err, unix.ENOBUFS): // so much news that some got lost
			k.news(true, true, nil)
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		case err != nil:
			return // work goes on looking anyway
		case from.Pid == nl.PidKernel:
			for _, m := range messages {
				k.message(m.Header.Type, m.Data)
			}
		}
	}
}

func (k *keeper) message(kind uint16, b []byte) {
	switch kind {
	case unix.RTM_DELRULE, unix.RTM_DELADDR:
		k.news(true, kind == unix.RTM_DELADDR, nil)
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if len(b) < unix.SizeofIfInfomsg {
			return
		}
		index := int(int32(binary.NativeEndian.Uint32(b[4:])))
		down := binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP == 0
		// The kernel says nothing of the routes that go with an interface.
		k.news(index == k.l.index && (down || kind == unix.RTM_DELLINK), index != k.l.index && down, nil)
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		if len(b) < unix.SizeofRtMsg || b[5] == RouteProtocol && kind == unix.RTM_NEWROUTE {
			return
		}
		table, _, ok := routeOf(b)
		switch {
		case !ok:
		case table == k.l.o.Table || table == k.l.o.Table+1:
			k.news(true, false, nil)
		case table == unix.RT_TABLE_MAIN:
			if r, ok := routeFrom(b); ok && kind == unix.RTM_NEWROUTE {
				k.news(false, false, &r)
			} else if ok {
				k.left(&r)
			}
		}
	}
}

// routeFrom takes of a message about a route what isLocal wants to know.
func routeFrom(b []byte) (netlink.Route, bool) {
	attributes, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	if err != nil {
		return netlink.Route{}, false
	}
	r := netlink.Route{Family: int(b[0]), Protocol: netlink.RouteProtocol(b[5]), Type: int(b[7])}
	bits := int(b[1])
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.RTA_DST:
			if addr, ok := netip.AddrFromSlice(a.Value); ok && bits <= addr.BitLen() {
				r.Dst = ipNet(netip.PrefixFrom(addr, bits))
			}
		case unix.RTA_OIF:
			if len(a.Value) >= 4 {
				r.LinkIndex = int(binary.NativeEndian.Uint32(a.Value))
			}
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			r.Gw = a.Value
		}
	}
	return r, r.Dst != nil
}

// news files what has happened, and wakes work if it is of interest.
func (k *keeper) news(check, main bool, added *netlink.Route) {
	if !check && !main && added == nil {
		return
	}
	k.mu.Lock()
	k.check, k.main = k.check || check, k.main || main
	if added != nil {
		if len(k.added) < maxMainNews {
			k.added = append(k.added, *added)
		} else {
			k.main = true
		}
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// left files that a route has left the main table.
func (k *keeper) left(r *netlink.Route) {
	dst, ok := destination(r.Dst, r.Family)
	if !ok {
		return
	}
	k.mu.Lock()
	full := len(k.gone) >= maxMainNews
	if !full {
		k.gone = append(k.gone, dst)
	}
	k.mu.Unlock()
	if full {
		k.news(false, true, nil)
		return
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// work acts on the news.
func (k *keeper) work() {
	var p contest
	var readMain *time.Timer // runs while the main table is to be read
	defer func() {
		if readMain != nil {
			readMain.Stop()
		}
	}()
	var due <-chan time.Time
	anyway := time.NewTicker(looksAnyway)
	defer anyway.Stop()
	for {
		check, read := false, false
		select {
		case <-k.done:
			return
		case <-due:
			due, read = nil, true
		case <-anyway.C:
			check = true
		case <-k.wake:
		}
		k.mu.Lock()
		check, added, main, gone := check || k.check, k.added, k.main, k.gone
		k.check, k.added, k.main, k.gone = false, nil, false, nil
		k.mu.Unlock()
		// To read a table of a million routes takes seconds, and a router with that many sees some go each second. What goes
		// is of interest if it was kept out of the tunnel. Of the others bypass may know too many: see addNet.
		main = main || len(gone) > 0 && k.link.keepsAny(k.l, gone)
		if main && due == nil {
			readMain = time.NewTimer(mainRest)
			due = readMain.C
		}
		began := time.Now()
		if len(added) > 0 || read {
			k.tell(k.link.withMain(k.l, added, read))
		}
		if check {
			r := k.link.repair()
			r.Contested = p.after(time.Now(), r.Any())
			if k.failed && k.restored != nil && r.Err == nil && !r.Any() {
				k.restored(r) // what was missing is not wanted any more, or has come by itself
			}
			k.failed = r.Err != nil
			k.tell(r)
		}
		if !check && !read {
			continue
		}
		rest := max(restMin, restFactor*time.Since(began))
		if p.contested {
			rest = max(rest, contestRest)
		}
		select {
		case <-k.done:
			return
		case <-time.After(rest):
		}
	}
}

func (k *keeper) tell(r Restored) {
	if k.restored != nil && (r.Any() || r.Err != nil || r.Crowded) {
		k.restored(r)
	}
}

// withMain gives the link what is new in the main table, or has it read it.
func (lk *link) withMain(l *linuxLink, added []netlink.Route, read bool) Restored {
	lk.mu.Lock()
	defer lk.mu.Unlock()
	if lk.closed || !l.mainKnown {
		return Restored{}
	}
	var errs error
	for i := range added {
		if dst, ok := destination(added[i].Dst, added[i].Family); ok {
			errs = errors.Join(errs, l.mainAdded(dst, &added[i]))
		}
	}
	if read {
		errs = errors.Join(errs, l.readMain())
	}
	return Restored{Err: lk.fail("keep local routes", nil, errs)}
}

// keepsAny reports whether any of the destinations is kept out of the tunnel.
func (lk *link) keepsAny(l *linuxLink, list []netip.Prefix) bool {
	lk.mu.Lock()
	defer lk.mu.Unlock()
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return l.bypass.kept[p].IsValid() })
}

// contest counts how often something had to be put back.
type contest struct {
	contested bool
	times     int
	last      time.Time
}

// after is told of each look, and reports whether somebody takes away again and again what was put back.
func (c *contest) after(now time.Time, restored bool) bool {
	if now.Sub(c.last) > contestOver {
		c.times, c.contested = 0, false
	}
	if restored {
		c.times++
		c.last = now
		c.contested = c.times >= contestBurst
	}
	return c.contested
}
