package dataplane

import (
	"context"
	"net/netip"
	"time"
)

// mtuInterval is how often paths are asked for their MTU again: a path may have become better.
// "When a PMTU value has not been decreased for a while (on the order of 10 minutes)" it is looked at again: https://www.rfc-editor.org/rfc/rfc1191#section-6.3
const mtuInterval = 10 * time.Minute

// mtuTick is how often it is looked whether it is time to try larger packets where a black hole was. mtuPause is the
// shortest time between two questions for the MTUs of all paths, when routes and interfaces keep changing.
const (
	mtuTick  = time.Minute
	mtuPause = time.Second
)

// mtuChanged may be called from any goroutine; it does not wait.
func (e *Engine) mtuChanged(remote netip.Addr, mtu int) {
	e.mtuNews.add(mtuEvent{remote: remote, mtu: mtu})
}

// floorMTU is the least that is believed of the path to a, whatever an ICMP message says, which anybody can forge: "A
// node must not reduce its estimate of the Path MTU below the IPv6 minimum link MTU".
// https://www.rfc-editor.org/rfc/rfc8201#section-4
func floorMTU(a netip.Addr) int {
	if a.Is6() {
		return ipv6MinMTU
	}
	return MinPathMTU
}

// unreachable passes an ICMP error on to the IKE daemon.
func (e *Engine) unreachable(local, remote netip.AddrPort, err error) {
	e.config.Handler.HandleUnreachable(local, remote, err)
}

// watchMTU looks after the MTUs of the paths until the context is done.
func (e *Engine) watchMTU(ctx context.Context) {
	t := time.NewTicker(mtuTick)
	defer t.Stop()
	var all *time.Timer // when all paths are looked at after the system has changed
	var due <-chan time.Time
	for ticks := 1; ; {
		select {
		case <-e.mtuNews.wake:
			news, every := e.mtuNews.take()
			for _, n := range news {
				e.updateMTU(n)
			}
			if every && due == nil {
				all = time.NewTimer(mtuPause)
				due = all.C
			}
		case <-e.nextSearch():
			e.searchHoles(e.clock.now())
		case <-due:
			due = nil
			e.updateMTU(mtuEvent{})
		case <-t.C:
			e.fillHoles()
			if ticks++; ticks%int(mtuInterval/mtuTick) == 0 {
				e.updateMTU(mtuEvent{})
			}
		case <-ctx.Done():
			if all != nil {
				all.Stop()
			}
			return
		}
	}
}

// updateMTU applies a piece of news; without an address it asks for the MTU of every path.
func (e *Engine) updateMTU(n mtuEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n.hole != nil {
		e.holeFound(n.remote, n.hole)
		return
	}
	e.updateMTULocked(n)
}

// pathEnds are what the MTU of a path depends on.
type pathEnds struct{ local, remote netip.Addr }

func (e *Engine) updateMTULocked(n mtuEvent) {
	// "If a node receives a Packet Too Big message reporting a next-hop MTU that is less than the IPv6 minimum link MTU,
	// it must discard it." https://www.rfc-editor.org/rfc/rfc8201#section-4
	if e.closed || n.mtu != 0 && n.remote.Is6() && n.mtu < ipv6MinMTU {
		return
	}
	asked := map[pathEnds]int{} // thousands of children may have one path
	for _, ch := range e.children {
		if ch.out == nil {
			continue
		}
		rt := ch.out.route.Load()
		if n.remote.IsValid() && rt.path.Remote.Addr() != n.remote {
			continue
		}
		mtu, old := n.mtu, int(rt.mtu.Load())
		if mtu == 0 {
			if mtu = e.config.PathMTU; mtu == 0 {
				ends := pathEnds{rt.path.Local.Addr(), rt.path.Remote.Addr()}
				var known bool
				if mtu, known = asked[ends]; !known {
					mtu = e.sockets.pathMTU(rt)
					asked[ends] = mtu
				}
			}
		}
		remote := rt.path.Remote.Addr()
		if n.mtu != 0 && mtu <= old {
			e.noteTooBig(remote, max(mtu, floorMTU(remote)))
		}
		// An ICMP message can only lower the MTU.
		if mtu == 0 || n.mtu != 0 && mtu >= old {
			continue
		}
		e.forgetTold(remote, mtu)
		if mtu = max(e.belowHole(remote, mtu), floorMTU(remote)); mtu == old {
			continue
		}
		rt.mtu.Store(int32(mtu))
		ch.fit(rt)
		e.log.Info("the MTU of a path has changed", "child", ch.id, "remote", rt.path.Remote, "mtu", mtu, "was", old,
			"inner_mtu", ch.inner.Load())
	}
}
