package tun

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// OuterAddresses lists the addresses at which this host can be reached from outside: those of all interfaces that are
// up, without link-local ones and those of the tunnel's device.
func OuterAddresses(device string) ([]netip.Addr, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Name == device {
			continue
		}
		on, err := i.Addrs()
		if err != nil {
			continue // it went meanwhile
		}
		for _, a := range on {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			if a, ok := netip.AddrFromSlice(n.IP); ok && !a.IsLinkLocalUnicast() && !a.IsMulticast() {
				addrs = append(addrs, a.Unmap())
			}
		}
	}
	return addrs, nil
}

// WatchOptions says what of the system's news is about the tunnel itself.
type WatchOptions struct {
	// Device is the tunnel's interface, Table the routing table that is its own, and the one after it.
	Device string
	Table  int
}

// settleTime is how long changes are collected before they are reported: an interface that comes up brings an address
// and several routes.
const settleTime = 200 * time.Millisecond

// WatchAddresses calls changed after each change of this host's addresses or routes that is not the tunnel's own, until
// ctx ends. A burst of changes is reported once, when it is over or has lasted for a while.
func WatchAddresses(ctx context.Context, o WatchOptions, changed func()) error {
	return collect(ctx, func(ctx context.Context, news func()) error { return watch(ctx, o, news) }, changed)
}

// collect is WatchAddresses with a source of news.
func collect(ctx context.Context, source func(ctx context.Context, news func()) error, changed func()) error {
	news := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- source(ctx, func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	}()
	for {
		select {
		case <-ctx.Done():
			return <-done
		case err := <-done:
			return err
		case <-news:
		}
		settle(ctx, news)
		changed()
	}
}

// settle waits until nothing new has come for settleTime, and not longer than five times that.
func settle(ctx context.Context, news <-chan struct{}) {
	limit := time.After(5 * settleTime)
	for {
		select {
		case <-news:
		case <-time.After(settleTime):
			return
		case <-limit:
			return
		case <-ctx.Done():
			return
		}
	}
}
