package ike

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/ike/sa"
)

// prepare installs the trap and the routes of a child that is to come up by itself or on traffic. They stay while the
// tunnel is down, so that its packets wait or are refused and never leave in the clear. It may be called again when the
// selectors may have become others, which dynamic ones do with the peer's address.
func (d *Daemon) prepare(now time.Time, h *child) {
	if h.conf.StartAction == config.StartNone {
		return
	}
	path, err := d.staticPath(h.conn)
	if err != nil && (h.conf.DynamicLocal() || h.conf.DynamicRemote()) {
		d.log.Info("no trap yet for selectors that are dynamic", "connection", h.conn.conf.Name, "child", h.cfg.Name, "reason", err)
		return
	}
	ts := h.cfg.Resolve(path)
	if h.trapped != nil && h.trapped.Equal(ts) {
		return
	}
	d.unprepare(h)
	d.o.DataPlane.SetTrap(h.policy, ts)
	h.trapped = &ts
	if !d.conf.IKE.InstallRoutes {
		return
	}
	log, conn, name := d.log, h.conn.conf.Name, h.cfg.Name
	d.routing.setRoutes(&h.routed, &ts, func(err error) {
		log.Warn("cannot add routes into the tunnel", "connection", conn, "child", name, "selectors", ts, "error", err)
	})
}

// unprepare undoes prepare.
func (d *Daemon) unprepare(h *child) {
	if h.trapped != nil {
		d.o.DataPlane.ClearTrap(h.policy)
		h.trapped = nil
	}
	d.routing.setRoutes(&h.routed, nil, nil)
}

var (
	errNoAddress = errors.New("the peer's address is not known")
	errFamily    = errors.New("local_addrs has no address of the IP version of the peer's")
)

// staticPath is the path of a connection whose peer has a fixed address, or one that is known of its name.
func (d *Daemon) staticPath(c *connection) (sa.Path, error) {
	for _, e := range c.conf.RemoteAddrs {
		for _, a := range d.names.addrsOf(e) {
			return d.pathTo(c, a)
		}
	}
	return sa.Path{}, errNoAddress
}

// pathTo is where an initiation to a peer's address starts: port 500 to port 500, or from the NAT traversal port when
// the peer listens elsewhere or there is no port 500 here.
func (d *Daemon) pathTo(c *connection, remote netip.Addr) (sa.Path, error) {
	local, err := d.localFor(c, remote)
	if err != nil {
		return sa.Path{}, err
	}
	port := d.o.IKEPort
	if c.conf.RemotePort != config.DefaultPort || port == 0 {
		// The non-ESP marker is on every port but 500: https://www.rfc-editor.org/rfc/rfc7296#section-2.23
		port = d.o.NATTPort
	}
	remotePort := c.conf.RemotePort
	if remotePort == config.DefaultPort && port != d.o.IKEPort {
		remotePort = c.cfg.RemoteNATPort
	}
	return sa.Path{Local: netip.AddrPortFrom(local, port), Remote: netip.AddrPortFrom(remote, remotePort)}, nil
}

// localFor is the address of this host that a connection uses towards a peer: one of local_addrs if any is an address,
// and otherwise what the routes say.
func (d *Daemon) localFor(c *connection, remote netip.Addr) (netip.Addr, error) {
	fixed := true
	var other netip.Addr // one that the peer can hardly answer to
	for _, e := range c.conf.LocalAddrs {
		for _, a := range d.names.addrsOf(e) {
			switch {
			case a.Is4() != remote.Is4() || !d.addrs.has(a):
			case a.Zone() == "" || a.Zone() == remote.Zone():
				return a, nil
			case !other.IsValid():
				other = a
			}
		}
		fixed = fixed && e.Specific()
	}
	if other.IsValid() {
		return other, nil
	}
	if fixed && len(c.conf.LocalAddrs) > 0 && !slices.ContainsFunc(c.conf.LocalAddrs, func(e config.Endpoint) bool { return e.Name != "" }) {
		return netip.Addr{}, d.addrs.why(c, remote)
	}
	return d.o.Network.SourceFor(remote)
}
