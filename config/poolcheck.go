package config

import (
	"fmt"
	"net/netip"
	"slices"

	"esplanade/ike/pool"
	"esplanade/ike/selector"
)

// readPools reads the names of pools of a connection. Whether they are there is known when the whole file is read.
func readPools(t *table) (out []string) {
	items, ok := t.texts("pools")
	if ok && len(items) == 0 {
		t.emptyList("pools", "leave it out")
	}
	for _, it := range items {
		if slices.Contains(out, it.text) {
			t.warnf(it.at, "remove one", "%s has %s twice", t.name("pools"), quote(it.text))
			continue
		}
		t.src.keys[fmt.Sprintf("pools[%d]", len(out))] = it.at
		out = append(out, it.text)
	}
	return out
}

// checkPools looks at what pools have to do with each other, with connections and with this gateway.
func (c *Config) checkPools(r *reader) {
	var names []string
	used := map[string]bool{}
	for i, p := range c.Pools {
		names = append(names, p.Name)
		for _, o := range c.Pools[:i] {
			if a, both := p.Pool().Overlaps(o.Pool()); both {
				r.errorf(p.At("addrs"), "give each pool addresses of its own, or exclude them from one", "%s and %s%s both have %s", p.Source.name,
					o.Source.name, inLine(o.At("addrs")), a)
			}
		}
		if c.file == nil { // of what was loaded it is said when the pool is
			c.checkPoolTUN(r, p)
		}
		c.checkPoolConns(r, p)
	}
	for _, n := range c.Connections {
		for i, name := range n.Pools {
			at := n.At(fmt.Sprintf("pools[%d]", i))
			if c.Pool(name) != nil {
				used[name] = true
				continue
			}
			want := "write [pools." + name + "] with addrs"
			if near, ok := nearest(name, names); ok {
				want = "did you mean " + near + "?"
			}
			r.lackf(at, want, "%s.pools names %s, and there is no such pool", n.Source.name, quote(name))
		}
		if len(n.Pools) > 0 {
			c.checkPoolChildren(r, n)
		}
	}
	for _, p := range c.Pools {
		// A RADIUS server may name any.
		if !used[p.Name] && len(c.Connections) > 0 && !slices.ContainsFunc(c.Connections, (*Connection).assigns) {
			r.warnf(p.table, fmt.Sprintf("write pools = [%q] into a connection", p.Name), "%s is used by no connection", p.Source.name)
		}
	}
}

func (c *Connection) assigns() bool { return len(c.Pools) > 0 }

// checkPoolTUN and checkPoolConns say which addresses of a pool are this gateway's own: no client gets them. Many who write a network for their
// clients have such in it.
func (c *Config) checkPoolTUN(r *reader, p *Pool) {
	for _, a := range c.TUN.Addresses {
		p.warnWithheld(r, a.Addr(), "this gateway's own: tun.addresses"+inLine(c.TUN.At("addresses")))
	}
}

func (c *Config) checkPoolConns(r *reader, p *Pool) {
	seen := map[netip.Addr]bool{}
	for _, n := range c.Connections {
		for _, e := range n.LocalAddrs {
			if a := e.Addr(); a.IsValid() && !seen[a] {
				seen[a] = true
				p.warnWithheld(r, a, "this gateway's own: "+n.Source.name+".local_addrs"+inLine(n.At("local_addrs")))
			}
		}
	}
}

// warnWithheld says that an address is not given to clients, if the pool has it and does not say so itself.
func (p *Pool) warnWithheld(r *reader, a netip.Addr, what string) {
	if pool.New(p.Name, "", p.Spans, p.Exclude, pool.Attributes{}).Contains(a) {
		r.warnf(p.At("addrs"), fmt.Sprintf("write exclude = %q into [%s] to say so", a, p.Source.name), "%s has %s, which no client gets: it is %s", p.Source.name, a, what)
	}
}

// checkPoolChildren looks at the children of a connection that gives addresses.
func (c *Config) checkPoolChildren(r *reader, n *Connection) {
	for _, h := range n.Children {
		for _, s := range h.RemoteTS {
			if s.Dynamic() {
				continue
			}
			for _, name := range n.Pools {
				if p := c.Pool(name); p != nil && overlapsPool(p, s) {
					r.lackf(h.At("remote_ts"), "leave it out: each client gets the address that it is given and nothing else",
						"%s.remote_ts has %s, which are addresses of pools.%s: one client could take those of all others", h.fullName(), s, name)
				}
			}
		}
	}
}

func overlapsPool(p *Pool, s selector.Selector) bool {
	return slices.ContainsFunc(p.Pool().Spans(), func(x pool.Span) bool { return x.Overlaps(pool.Span{First: s.Start, Last: s.End}) })
}
