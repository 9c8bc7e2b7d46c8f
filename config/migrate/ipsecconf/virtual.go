package ipsecconf

import (
	"net/netip"
	"strings"

	"esplanade/config/tree"
)

// virtual makes vips of the addresses that this side asks the peer for.
func (r *strongSwanReader) virtual(m *made, s sides) *failure {
	key := s.here + "sourceip"
	var list []string
	for _, w := range words(m.conn.text(key)) {
		switch w {
		case "%config", "%cfg", "%modeconfig", "%modecfg":
			any := "0.0.0.0"
			if subnet := m.conn.text(s.there + "subnet"); strings.Contains(subnet, ":") && !strings.Contains(subnet, ".") {
				any = "::"
			}
			list = append(list, any)
		case "%config4":
			list = append(list, "0.0.0.0")
		case "%config6":
			list = append(list, "::")
		default:
			if !isAddress(w) {
				return m.fail(key, "it is no address to ask for")
			}
			list = append(list, w)
		}
	}
	m.conn.get(s.here + "dns") // they are put in place as install_dns says
	if len(list) > 0 {
		m.put(m.ike, "vips", key, tree.Strings(list))
	}
	return nil
}

// strongSwanPools makes the pools that the peer's addresses are of.
func (r *strongSwanReader) strongSwanPools(m *made, s sides) *failure {
	key := s.there + "sourceip"
	var four, six []string
	server := false
	for _, w := range words(m.conn.text(key)) {
		addrs, is6, ok := poolAddresses(w)
		switch {
		case w == "%radius":
			server = true
		case w == "%dhcp":
			return m.fail(key, "addresses are not asked for at a DHCP server")
		case strings.HasPrefix(w, "%"):
			return m.fail(key, "it names a pool that is kept elsewhere")
		case !ok:
			return m.fail(key, "it is no network and no range of addresses")
		case is6:
			six = append(six, addrs)
		default:
			four = append(four, addrs)
		}
	}
	if len(four)+len(six) == 0 && !server {
		m.leave(s.there+"dns", "it goes with addresses for the peer, and there are none")
		return nil
	}
	m.addPools(key, s.there+"dns", four, six)
	return nil
}

// poolAddresses is an element of rightsourceip as addrs of a pool has it.
func poolAddresses(w string) (addrs string, is6, ok bool) {
	if n, err := netip.ParsePrefix(w); err == nil {
		return w, n.Addr().Is6(), true
	}
	if a, err := netip.ParseAddr(w); err == nil {
		return w + "-" + w, a.Is6(), true
	}
	from, to, found := strings.Cut(w, "-")
	a, err1 := netip.ParseAddr(from)
	b, err2 := netip.ParseAddr(to)
	return w, a.Is6(), found && err1 == nil && err2 == nil && a.Is6() == b.Is6()
}

// addPools adds the pools of a conn, one for each IP version.
func (m *made) addPools(key, dnsKey string, four, six []string) {
	var dns [2][]string
	for _, w := range words(m.conn.text(dnsKey)) {
		a, err := netip.ParseAddr(w)
		switch {
		case err != nil:
			m.leave(dnsKey, "it is no address")
		case a.Is6():
			dns[1] = append(dns[1], w)
		default:
			dns[0] = append(dns[0], w)
		}
	}
	for i, addrs := range [][]string{four, six} {
		if len(addrs) == 0 && (i == 1 || len(six) > 0) {
			continue // a pool without addresses, of RADIUS, is one of IPv4
		}
		t := tree.New(m.conn.at.File)
		if len(addrs) > 0 {
			t.Add("addrs", m.conn.where(key), tree.Strings(addrs))
		}
		servers := dns[i]
		if other := dns[1-i]; i == 1 && len(four) == 0 || i == 0 && len(six) == 0 {
			servers = append(servers, other...) // the only pool
		}
		if len(servers) > 0 {
			t.Add("dns", m.conn.where(dnsKey), tree.Strings(servers))
		}
		name := m.conn.name
		if i == 1 && len(four) > 0 {
			name += "-6"
		}
		m.pools = append(m.pools, namedTable{name, m.conn.where(key), t})
	}
	m.poolKey = key
	m.conn.get(key)
}
