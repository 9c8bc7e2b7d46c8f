package tun

import (
	"encoding/binary"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// subscribeRoutes reports the changes of routes that count until done is closed or the subscription ends, which it tells ended.
// It has a socket of its own, for the filter: package netlink's subscription would take each of the tunnel's own routes apart.
func (o WatchOptions) subscribeRoutes(done <-chan struct{}, ended chan<- struct{}, news func()) (wait func(), err error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		return nil, err
	}
	if err := s.SetReceiveBufferSize(monitorBuffer, false); err != nil {
		s.Close()
		return nil, err
	}
	_ = IgnoreOwnRoutes(s.GetFd()) // without a filter the news cost more, and that is all
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for {
			messages, from, err := s.Receive()
			if err != nil {
				ended <- struct{}{}
				return
			}
			if from.Pid != nl.PidKernel {
				continue
			}
			for _, m := range messages {
				if table, link, ok := routeOf(m.Data); ok && o.concerns(table, link) {
					news()
				}
			}
		}
	}()
	go func() {
		<-done
		s.Close()
	}()
	return func() { <-closed }, nil
}

// routeOf takes the table and the interface of a route out of a message about it: a struct rtmsg, whose table is an octet,
// and attributes. A route with several next hops has no interface.
func routeOf(b []byte) (table, link int, ok bool) {
	if len(b) < unix.SizeofRtMsg {
		return 0, 0, false
	}
	table = int(b[4])
	attributes, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	if err != nil {
		return 0, 0, false
	}
	for _, a := range attributes {
		if len(a.Value) < 4 {
			continue
		}
		n := int(binary.NativeEndian.Uint32(a.Value))
		switch a.Attr.Type {
		case unix.RTA_TABLE:
			table = n
		case unix.RTA_OIF:
			link = n
		}
	}
	return table, link, true
}
