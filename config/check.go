package config

import (
	"esplanade/ike/identity"
	"esplanade/ike/selector"
)

// check looks at what concerns several tables at once.
func (c *Config) check(r *reader) {
	if len(c.Connections) == 0 && len(r.errs) == 0 {
		r.warnf(Position{c.File, 1, 1}, "write a table [connections.NAME]", "there is no connection")
	}
	c.checkSecrets(r)
	c.checkPPKs(r)
	c.checkIdentities(r)
	c.checkMTU(r)
	c.checkOverlaps(r)
	c.checkRequestIDs(r)
}

// checkSecrets reports connections that could never authenticate. What depends on an address or on the peer's choice is
// left to the time when that is known.
func (c *Config) checkSecrets(r *reader) {
	for _, n := range c.Connections {
		if n.Local.Method != AuthPSK && n.Remote.Method != AuthPSK {
			continue
		}
		if c.mayHavePSK(n) {
			continue
		}
		at := n.Local.At("auth")
		r.errorf(at, "write a table [secrets.ike.NAME] with id = ["+quote(n.Remote.ID.String())+"] and the key",
			"there is no secret for connections.%s: none names %s or %s", n.Name, idOr(n.Local.ID, "this gateway's address"),
			idOr(n.Remote.ID, "the peer"))
	}
}

func idOr(id identity.Identity, unknown string) string {
	if id.Any() {
		return unknown
	}
	return quote(id.String())
}

// mayHavePSK reports whether some secret fits, or may fit an identity that is not known yet.
func (c *Config) mayHavePSK(n *Connection) bool {
	if n.Local.ID.Concrete() && n.Remote.ID.Concrete() {
		_, ok := c.PSK(n.Local.ID, n.Remote.ID)
		return ok
	}
	for _, s := range c.Secrets.IKE {
		if len(s.IDs) == 0 {
			return true
		}
		for _, id := range s.IDs {
			local := mayMatch(n.Local.ID, id)
			if n.Local.ID.Any() { // an address, which is not known yet
				local = isAddress(id)
			}
			if local || mayMatch(n.Remote.ID, id) {
				return true
			}
		}
	}
	return false
}

// mayMatch reports whether an identity that the pattern stands for can match the secret's identity. Two patterns are
// given the benefit of the doubt.
func mayMatch(pattern, secret identity.Identity) bool {
	if pattern.Concrete() {
		_, ok := pattern.Matches(secret)
		return ok
	}
	if secret.Concrete() {
		_, ok := secret.Matches(pattern)
		return ok
	}
	return true
}

// isAddress reports whether a secret's identity can be that of an address.
func isAddress(id identity.Identity) bool {
	switch id.Type {
	case identity.Any, identity.IPv4Addr, identity.IPv6Addr, identity.IPv4Subnet, identity.IPv6Subnet, identity.IPv4Range,
		identity.IPv6Range:
		return true
	}
	return false
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
