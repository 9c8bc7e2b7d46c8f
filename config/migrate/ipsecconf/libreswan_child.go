package ipsecconf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/wire"
)

// libreswanChildren makes the children of a conn: one, or one for each pair of leftsubnets and rightsubnets.
func (r *libreswanReader) libreswanChildren(m *made, s sides) *failure {
	c := m.conn
	var sets [2][][]string // of each side: the selectors of each child
	for i, side := range []string{s.here, s.there} {
		list, f := libreswanSelectors(m, side)
		if f != nil {
			return f
		}
		sets[i] = list
	}
	if n := len(sets[0]) * len(sets[1]); n > maxConnChildren {
		return m.fail(s.here+"subnets", fmt.Sprintf("with those of the other side that are %d pairs: at most %d are made", n, maxConnChildren))
	}
	all := [2][]string{slices.Concat(sets[0]...), slices.Concat(sets[1]...)}
	f := m.routed(all, "mark", "mark-in", "mark-out", "vti-interface", "ipsec-interface")
	if f == nil && c.text("sec-label") != "" {
		f = m.fail("sec-label", "security labels are the kernel's, and without them packets of all labels would go into the tunnel")
	}
	if f != nil {
		m.nothingToProtect = true
		m.childLeft = append(m.childLeft, *f)
		return nil
	}
	for i, here := range sets[0] {
		for j, there := range sets[1] {
			t := tree.New(c.at.File)
			m.put(t, "local_ts", s.here+"subnet", tree.Strings(here))
			if len(m.pools) == 0 || len(there) > 1 || there[0] != "dynamic" {
				m.put(t, "remote_ts", s.there+"subnet", tree.Strings(there))
			}
			if f := r.libreswanChild(m, t, s); f != nil {
				return f
			}
			name := c.name
			if len(sets[0])*len(sets[1]) > 1 {
				name = fmt.Sprintf("%s-%dx%d", c.name, i+1, j+1) // libreswan: office/1x2
			}
			m.children = append(m.children, namedTable{name, c.at, t})
		}
	}
	m.leaveChild("reqid", "the number is given by this gateway")
	return nil
}

// libreswanChild makes the keys of a child but the selectors.
func (r *libreswanReader) libreswanChild(m *made, t *tree.Table, s sides) *failure {
	c := m.conn
	pfs, f := m.yes("pfs", true)
	if f != nil {
		return f
	}
	var groups []string
	if pfs {
		groups = r.ikeGroups(c)
	}
	esn := map[string]string{"yes": "esn"}[c.text("esn")]
	before := len(m.childLeft)
	if f := m.proposals(t, "esp_proposals", "esp", wire.ProtocolESP, libreswanProposals(groups, esn)); f != nil {
		return f
	}
	if len(m.children) > 0 {
		m.childLeft = m.childLeft[:before] // said of the first one
	}
	if f := r.libreswanChildLifetime(m, t); f != nil {
		return f
	}
	start, ok := map[string]string{"add": "none", "route": "trap", "ondemand": "trap", "start": "start", "up": "start", "keep": "none"}[c.text("auto")]
	if !ok {
		return m.fail("auto", "there is no such word")
	}
	m.wanted(t, s, start)
	if c.text("auto") == "keep" && m.floor == "none" {
		t.Add("dpd_action", c.where("auto"), "start")
		t.Add("close_action", c.where("auto"), "start")
	} else {
		m.then(t, "dpd_action", "dpdaction", map[string]string{"hold": "trap", "restart": "start", "restart-by-peer": "start"})
	}
	if v := c.text("replay-window"); v != "" {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return m.fail("replay-window", "it is no number")
		}
		m.put(t, "replay_window", "replay-window", int64(n))
	}
	m.leaveChild(s.here+"updown", "libreswan's scripts have other variables: see updown of a child")
	c.get(s.there + "updown")
	m.leaveChild(s.here+"sourceip", "packets of this host are protected from any address that local_ts has: see addresses in [tun] if no interface has this one")
	c.get(s.there + "sourceip")
	return nil
}

// ikeGroups are the groups of ike=, which rekeyings of children use where esp= has none.
func (r *libreswanReader) ikeGroups(c *conn) (out []string) {
	for s := range strings.SplitSeq(c.text("ike"), ",") {
		p, why := libreswanParts(wire.ProtocolIKE, strings.TrimSpace(s))
		if why != "" {
			continue
		}
		if len(p.group) == 0 {
			p.group = libreswanGroups
		}
		for _, g := range p.group {
			if !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	if len(out) == 0 {
		out = libreswanGroups
	}
	return out
}

// libreswanChildLifetime makes the times and volumes of a child.
func (r *libreswanReader) libreswanChildLifetime(m *made, t *tree.Table) *failure {
	c := m.conn
	life, f := m.time("ipsec-lifetime", libreswanLife)
	if f != nil {
		return f
	}
	margin, fuzz, f := m.margin(libreswanMargin, libreswanFuzz)
	if f != nil {
		return f
	}
	if v, ok := yes(c.text("rekey")); ok && !v {
		t.Add("rekey_time", c.where("rekey"), "0s")
		m.put(t, "life_time", "ipsec-lifetime", span(life))
	} else {
		l, ok := lifetimes(life, margin, fuzz)
		if !ok {
			m.leaveChild("rekeymargin", "it is longer than the life of the child: nine tenths of that are taken")
		}
		t.Add("rekey_time", c.where("rekeymargin"), span(l.rekey))
		m.put(t, "life_time", "ipsec-lifetime", span(l.life))
		t.Add("rand_time", c.where("rekeyfuzz"), span(l.random))
	}
	for _, v := range []string{"bytes", "packets"} {
		key := "ipsec-max-" + v
		text := c.text(key)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 || v == "bytes" && n < 2*minVolume {
			m.leaveChild(key, "it is no number of "+v+", or is too small")
			continue
		}
		m.put(t, "life_"+v, key, n)
		t.Add("rekey_"+v, c.where(key), n-n/10)
	}
	return nil
}

// libreswanSelectors are the traffic selectors of a side, for each child of its own: of leftsubnets one each, and of leftsubnet all together.
func libreswanSelectors(m *made, side string) ([][]string, *failure) {
	c := m.conn
	filter := ""
	if v := c.text(side + "protoport"); v != "" {
		var why string
		if filter, why = strongSwanFilter(v); why != "" {
			return nil, m.fail(side+"protoport", why)
		}
	}
	key := side + "subnets"
	each := c.get(key) != nil
	if !each {
		key = side + "subnet"
	}
	var out [][]string
	for _, w := range words(c.text(key)) {
		if strings.HasPrefix(w, "vhost:") || strings.HasPrefix(w, "vnet:") {
			return nil, m.fail(key, "which networks a client may have is not written so: write them as "+side+"subnet")
		}
		if w == "%priv" {
			return nil, m.fail(key, "virtual-private is of IKEv1")
		}
		addrs, f := w, filter
		if prefix, rest, ok := strings.Cut(w, "/"); ok { // 10.1.0.0/24/tcp/22
			if bits, own, ok := strings.Cut(rest, "/"); ok {
				addrs = prefix + "/" + bits
				var why string
				if f, why = strongSwanFilter(own); why != "" {
					return nil, m.fail(key, why)
				}
			}
		}
		ts, why := selectorText(addrs, f)
		if why != "" {
			return nil, m.fail(key, why)
		}
		if each || len(out) == 0 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], ts)
	}
	if len(out) == 0 {
		out = [][]string{{"dynamic" + filter}}
	}
	return out, nil
}
