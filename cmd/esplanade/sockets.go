package main

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"esplanade/config"
	"esplanade/dataplane"
	"esplanade/ike/diag"
)

// boundAddrs are the addresses to bind: those of the connections when all have fixed ones and stay there. None are all of the host.
func boundAddrs(conf *config.Config) []netip.Addr {
	var addrs []netip.Addr
	for _, c := range conf.Connections {
		if c.MayLeave() {
			return nil
		}
		for _, e := range c.LocalAddrs {
			a := e.Addr()
			if !a.IsValid() {
				return nil
			}
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// sockets says what to bind.
func (g *gateway) sockets() dataplane.SocketConfig {
	addrs := boundAddrs(g.conf)
	s := dataplane.SocketConfig{
		NATT:          &dataplane.Listen{Port: g.conf.IKE.PortNATT, Addrs: addrs},
		ReceiveBuffer: g.conf.Dataplane.ReceiveBuffer, SendBuffer: g.conf.Dataplane.SendBuffer,
	}
	if g.ephemeral {
		s.NATT.Port = 0
	} else {
		s.IKE = &dataplane.Listen{Port: g.conf.IKE.Port, Addrs: addrs}
	}
	// Without routes into the tunnels no rule needs the mark: where it cannot be set it is left out.
	if g.link != nil && (g.conf.IKE.InstallRoutes || dataplane.MayMark()) {
		s.Mark = g.conf.IKE.FWMark
	}
	return s
}

// bindFailure gives an error about sockets the form that failures have.
func (g *gateway) bindFailure(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) {
		return err
	}
	a, ok := op.Addr.(*net.UDPAddr)
	if !ok {
		return err
	}
	// An address that is not there is a matter of the connection that names it, a port of the table [ike].
	w := diag.Where{Local: a.AddrPort()}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		for _, c := range g.conf.Connections {
			for _, e := range c.LocalAddrs {
				if e.Addr() == a.AddrPort().Addr().Unmap() && w.ConfigLine == "" {
					w.Connection, w.ConfigLine = c.Name, c.At("local_addrs").FileLine()
				}
			}
		}
	}
	key := g.portKey(w.Local.Port())
	if w.ConfigLine == "" && g.conf.IKE.Has(key) {
		w.ConfigLine = g.conf.IKE.At(key).FileLine()
	}
	return diag.BindFailed(w, "ike."+key, err)
}

// portKey is the key of the table [ike] that names a port.
func (g *gateway) portKey(port uint16) string {
	if port == g.conf.IKE.PortNATT {
		return "port_nat_t"
	}
	return "port"
}

// port is the port of a kind of sockets, 0 when there is none.
func (g *gateway) port(k dataplane.SocketKind) uint16 {
	for _, s := range g.engine.LocalAddrs() {
		if s.Kind == k {
			return s.Local.Port()
		}
	}
	return 0
}
