package main

import (
	"errors"
	"net/netip"

	"esplanade/config"
	"esplanade/tun"
)

// openDevice makes the device that the configuration asks for and configures it.
func (g *gateway) openDevice() (err error) {
	c := &g.conf.TUN
	if c.Device == config.DeviceNetstack {
		var addrs []netip.Addr
		for _, p := range c.Addresses {
			addrs = append(addrs, p.Addr())
		}
		g.device, g.net, err = tun.NewNetstack(addrs, c.MTU)
		return err
	}
	if g.device, err = g.openTUN(); err != nil {
		return err
	}
	o := linkOptions(g.conf)
	o.Restored, o.Overlapping = g.routes.restored, g.routes.overlapping
	if g.link, err = tun.Configure(g.device, o); err != nil {
		return err
	}
	if err := g.link.SetUp(c.MTU); err != nil {
		return err
	}
	return g.addAddresses()
}

// openTUN opens raw queues where the system has them and nothing forbids it, and a plain device otherwise.
func (g *gateway) openTUN() (tun.Device, error) {
	c, d := &g.conf.TUN, &g.conf.Dataplane
	if d.RawIO {
		q, err := tun.OpenQueues(queueOptions(c, d, g.workers()))
		if err == nil || !errors.Is(err, tun.ErrUnsupported) {
			return q, err
		}
	}
	name := c.Name
	if !c.Has("name") {
		name = tun.DefaultName // which is another one where devices have numbers
	}
	return tun.Create(name, c.MTU)
}
