package config

import "esplanade/ike/selector"

// check looks at what concerns several tables at once.
func (c *Config) check(r *reader) {
	if len(c.Connections) == 0 && len(r.errs) == 0 {
		r.warnf(Position{c.File, 1, 1}, "write a table [connections.NAME]", "there is no connection")
	}
	c.checkSecrets(r)
	c.checkPPKs(r)
	c.checkIdentities(r)
	c.checkLinks(r)
	c.checkMTU(r)
	c.checkOverlaps(r)
	c.checkHeld(r)
	c.checkSpecial(r)
	c.checkRequestIDs(r)
}

// checkIdentities warns of a gateway that names itself by an address that its peer may not see.
func (c *Config) checkIdentities(r *reader) {
	for _, n := range c.Connections {
		if !n.Local.ID.Any() || n.Local.Method == 0 {
			continue
		}
		for _, e := range n.LocalAddrs {
			if a := e.Addr(); a.IsPrivate() || !a.IsValid() {
				what := "whatever address it sends from"
				if a.IsValid() {
					what = "its private address " + a.String()
				}
				r.warnf(n.Local.Position(), "write id = \"a-name\" and the same name as the peer's remote id",
					"connections.%s.local has no id: the gateway calls itself by %s, which may not be what the peer expects", n.Name,
					what)
				break
			}
		}
	}
}

// checkMTU reports an MTU on which IPv6 can't work.
func (c *Config) checkMTU(r *reader) {
	if c.TUN.MTU >= minIPv6MTU || c.TUN.MTU < minMTU {
		return
	}
	at := c.TUN.At("mtu")
	six := func(list []selector.Selector) bool {
		for _, s := range list {
			if s.Is6() {
				return true
			}
		}
		return false
	}
	for _, p := range c.TUN.Addresses {
		if p.Addr().Is6() {
			r.errorf(at, "write at least 1280, which IPv6 needs", "tun.mtu is %d and tun.addresses has %s", c.TUN.MTU, p)
			return
		}
	}
	for _, n := range c.Connections {
		for _, h := range n.Children {
			if six(h.LocalTS) || six(h.RemoteTS) {
				r.errorf(at, "write at least 1280, which IPv6 needs", "tun.mtu is %d and connections.%s.children.%s carries IPv6",
					c.TUN.MTU, n.Name, h.Name)
				return
			}
		}
	}
}

// checkRequestIDs reports a reqid that two children have.
func (c *Config) checkRequestIDs(r *reader) {
	seen := map[uint32]*Child{}
	for _, n := range c.Connections {
		for _, h := range n.Children {
			if h.ReqID == 0 {
				continue
			}
			if o, ok := seen[h.ReqID]; ok {
				r.errorf(h.At("reqid"), "choose another number, or leave it out",
					"connections.%s.children.%s has the reqid %d of connections.%s.children.%s (%s)", n.Name, h.Name, h.ReqID,
					o.Connection, o.Name, o.At("reqid").FileLine())
				continue
			}
			seen[h.ReqID] = h
		}
	}
}
