package main

import (
	"net"
	"sync/atomic"
	"time"
)

// kept is a listener whose socket stays when it is closed: nobody is accepted any more, and whoever looks whether a daemon is there
// sees that one is. The socket goes with the listener underneath.
type kept struct {
	net.Listener
	closed atomic.Bool
}

func keep(l net.Listener) *kept { return &kept{Listener: l} }

// Accept implements net.Listener.
func (k *kept) Accept() (net.Conn, error) {
	c, err := k.Listener.Accept()
	if err != nil && k.closed.Load() {
		return nil, net.ErrClosed
	}
	return c, err
}

// Close implements net.Listener.
func (k *kept) Close() error {
	k.closed.Store(true)
	d, ok := k.Listener.(interface{ SetDeadline(time.Time) error })
	if !ok {
		return k.Listener.Close()
	}
	return d.SetDeadline(time.Unix(1, 0)) // ends Accept
}
