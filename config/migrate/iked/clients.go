package iked

import (
	"net/netip"

	"esplanade/config/tree"
)

// clients converts config …, which gives addresses, and request …, which asks for them.
func (c *converter) clients(t *tree.Table, p *policy, name string) *unfit {
	var vips []string
	for _, o := range p.request {
		switch {
		case o.name == "address" && o.value == "any":
			if _, only6 := p.words["inet6"]; only6 {
				vips = append(vips, "::")
			} else {
				vips = append(vips, "0.0.0.0")
			}
		case o.name == "address" && isAddress(o.value):
			vips = append(vips, o.value)
		case o.name == "address":
			return &unfit{o.at, "request address " + printed(o.value), "it is no address"}
		case o.name == "name-server": // install_dns does so anyway
		default:
			c.Leave(t, o.at, "request "+printed(o.name), "a client asks for addresses and DNS servers only")
		}
	}
	if len(vips) > 0 {
		t.Add("vips", p.request[0].at, list(vips))
	}
	return c.pool(t, p, name)
}

// pool makes a pool, or one of each IP version, of config ….
func (c *converter) pool(t *tree.Table, p *policy, name string) *unfit {
	addrs := map[bool][]string{} // by whether they are IPv4
	keys := map[string]string{"name-server": "dns", "netbios-server": "nbns", "dhcp-server": "dhcp", "protected-subnet": "subnet", "netmask": "netmask"}
	values := map[string][]string{}
	var order []string
	for _, o := range p.config {
		key, known := keys[o.name]
		switch {
		case o.name == "address":
			prefix, err := netip.ParsePrefix(o.value)
			a, errA := netip.ParseAddr(o.value)
			switch {
			case err == nil:
				addrs[prefix.Addr().Is4()] = append(addrs[prefix.Addr().Is4()], prefix.Masked().String())
			case errA == nil:
				addrs[a.Is4()] = append(addrs[a.Is4()], o.value)
			default:
				return &unfit{o.at, "config address " + printed(o.value), "it is neither an address nor a network"}
			}
		case !known:
			c.Leave(t, o.at, "config "+printed(o.name)+" "+printed(o.value), "clients are not told that here")
		default:
			if len(values[key]) == 0 {
				order = append(order, key)
			}
			values[key] = append(values[key], o.value)
		}
	}
	var names []string
	for _, four := range []bool{true, false} {
		if len(addrs[four]) == 0 {
			continue
		}
		pool := tree.New(p.at.File)
		pool.Add("addrs", p.config[0].at, list(addrs[four]))
		if len(names) == 0 {
			for _, key := range order {
				pool.Add(key, p.config[0].at, list(values[key]))
			}
		}
		pools := c.Root().AddSection("pools")
		n := unused(pools, name)
		pools.Add(n, p.at, pool)
		names = append(names, n)
	}
	if len(names) == 0 {
		return nil
	}
	t.Add("pools", p.config[0].at, list(names))
	return nil
}
