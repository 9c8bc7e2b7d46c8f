package tun

import (
	"context"
	"net"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// watch subscribes to the kernel's news of addresses, routes and interfaces. When a subscription ends, which it does when its
// buffer overflows, it begins again and counts that as news.
func watch(ctx context.Context, o WatchOptions, news func()) error {
	for ctx.Err() == nil {
		if err := subscribe(ctx, o, news); err != nil {
			return err
		}
		news()
	}
	return nil
}

// subscribe works until ctx or one of the subscriptions ends.
func subscribe(ctx context.Context, o WatchOptions, news func()) error {
	done := make(chan struct{})
	ended := make(chan struct{}, 3)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(done)

	addrs := make(chan netlink.AddrUpdate)
	if err := netlink.AddrSubscribeWithOptions(addrs, done, netlink.AddrSubscribeOptions{ReceiveBufferSize: monitorBuffer}); err != nil {
		return err
	}
	wg.Go(func() {
		forward(addrs, ended, func(u netlink.AddrUpdate) bool { return !o.isDevice(u.LinkIndex) }, news)
	})
	routesEnd, err := o.subscribeRoutes(done, ended, news)
	if err != nil {
		return err
	}
	wg.Go(routesEnd)
	links := make(chan netlink.LinkUpdate)
	if err := netlink.LinkSubscribeWithOptions(links, done, netlink.LinkSubscribeOptions{ReceiveBufferSize: monitorBuffer}); err != nil {
		return err
	}
	wg.Go(func() {
		forward(links, ended, func(u netlink.LinkUpdate) bool { return !o.isDevice(int(u.Index)) }, news)
	})

	select {
	case <-ctx.Done():
	case <-ended:
	}
	return nil
}

// forward reports the updates that count until the subscription ends, which closes updates.
func forward[T any](updates <-chan T, ended chan<- struct{}, counts func(T) bool, news func()) {
	for u := range updates {
		if counts(u) {
			news()
		}
	}
	ended <- struct{}{}
}

// isDevice reports whether an interface is the tunnel's.
func (o WatchOptions) isDevice(index int) bool {
	if o.Device == "" {
		return false
	}
	i, err := net.InterfaceByName(o.Device)
	return err == nil && i.Index == index
}

// concerns reports whether a route may lead to a peer: it is not one of the tunnel's own, and not one of those that the kernel
// keeps for each address.
func (o WatchOptions) concerns(table, link int) bool {
	if table == unix.RT_TABLE_LOCAL || o.Table != 0 && (table == o.Table || table == o.Table+1) {
		return false
	}
	return !o.isDevice(link)
}
