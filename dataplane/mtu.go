package dataplane

import (
	"context"
	"net/netip"
	"time"
)

// mtuInterval is how often paths are asked for their MTU anew: a path may have become better.
// "a host … may wait … 10 minutes": https://www.rfc-editor.org/rfc/rfc1191#section-6.3
const mtuInterval = 10 * time.Minute

// mtuEvents bounds the news about MTUs that wait to be looked at. More is dropped: the next packet brings it again.
const mtuEvents = 16

// mtuEvent is one piece of news: packets to remote are limited to mtu octets, or, with 0, the system should be asked.
type mtuEvent struct {
	remote netip.Addr
	mtu    int
}

// mtuChanged may be called from any goroutine; it does not wait.
func (e *Engine) mtuChanged(remote netip.Addr, mtu int) {
	select {
	case e.mtuNews <- mtuEvent{remote, mtu}:
	default:
	}
}

// unreachable passes an ICMP error on to the IKE daemon.
func (e *Engine) unreachable(local, remote netip.AddrPort, err error) {
	e.config.Handler.HandleUnreachable(local, remote, err)
}

// watchMTU looks after the MTUs of the paths until the context is done.
func (e *Engine) watchMTU(ctx context.Context) {
	t := time.NewTicker(mtuInterval)
	defer t.Stop()
	for {
		select {
		case n := <-e.mtuNews:
			e.updateMTU(n)
		case <-t.C:
			e.updateMTU(mtuEvent{})
		case <-ctx.Done():
			return
		}
	}
}

// updateMTU applies a piece of news; without an address it asks for the MTU of every path.
func (e *Engine) updateMTU(n mtuEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	for _, ch := range e.children {
		if ch.out == nil {
			continue
		}
		rt := ch.out.route.Load()
		if n.remote.IsValid() && rt.path.Remote.Addr() != n.remote {
			continue
		}
		mtu, old := n.mtu, int(rt.mtu.Load())
		if mtu == 0 && e.config.PathMTU == 0 {
			mtu = e.wire.pathMTU(rt)
		}
		// An ICMP message can only lower the MTU.
		if mtu == 0 || n.mtu != 0 && mtu >= old {
			continue
		}
		if mtu = max(mtu, MinPathMTU); mtu == old {
			continue
		}
		rt.mtu.Store(int32(mtu))
		ch.inner.Store(int32(ch.out.maxInner(rt)))
		e.log.Info("the MTU of a path has changed", "child", ch.id, "remote", rt.path.Remote, "mtu", mtu, "was", old,
			"inner_mtu", ch.inner.Load())
	}
}
