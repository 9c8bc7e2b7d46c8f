package main

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// The name of a gateway is looked up before its tunnel is up. Where everything goes through the tunnel, so do this host's questions to a DNS
// server that is not in its own network, and wait there for what they are asked for. They are asked again past the tunnels, by the mark that
// IKE and ESP have.

// lookUpFirst is how long the system has for a look-up before the same is asked past the tunnels.
const lookUpFirst = 2 * time.Second

// lookUpFunc looks a name up.
type lookUpFunc func(ctx context.Context, name string) ([]netip.Addr, error)

// lookUpByAny takes the first answer: of the system, or of the second way, which is tried when that fails or takes its time. The error is that of the
// system.
func lookUpByAny(system, second lookUpFunc) lookUpFunc {
	type answer struct {
		addrs []netip.Addr
		err   error
	}
	return func(ctx context.Context, name string) ([]netip.Addr, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ask := func(f lookUpFunc) <-chan answer {
			c := make(chan answer, 1)
			go func() {
				addrs, err := f(ctx, name)
				c <- answer{addrs, err}
			}()
			return c
		}
		first := ask(system)
		timer := time.NewTimer(lookUpFirst)
		defer timer.Stop()
		var failed error
		select {
		case a := <-first:
			if a.err == nil {
				return a.addrs, nil
			}
			first, failed = nil, a.err
		case <-timer.C:
		}
		other := ask(second)
		for first != nil || other != nil {
			select {
			case a := <-first:
				if a.err == nil {
					return a.addrs, nil
				}
				first, failed = nil, a.err
			case a := <-other:
				if a.err == nil {
					return a.addrs, nil
				}
				other = nil
			}
		}
		return nil, failed
	}
}

// markedLookUp asks the DNS servers of this host from sockets with a mark.
func markedLookUp(mark uint32) lookUpFunc {
	d := net.Dialer{Control: marking(mark)}
	r := net.Resolver{PreferGo: true, Dial: d.DialContext}
	return func(ctx context.Context, name string) ([]netip.Addr, error) { return r.LookupNetIP(ctx, "ip", name) }
}

func systemLookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

// lookUp is how this gateway looks names up; nil for the usual way.
func (g *gateway) lookUp() func(context.Context, string) ([]netip.Addr, error) {
	if g.link == nil || marking(g.conf.IKE.FWMark) == nil {
		return nil
	}
	return lookUpByAny(systemLookUp, markedLookUp(g.conf.IKE.FWMark))
}
