package ipsecconf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Words for what is wanted of a child, from the least to the most.
var actions = []string{"none", "trap", "start"}

// strongSwanChild makes the child of a conn.
func (r *strongSwanReader) strongSwanChild(m *made, s sides) *failure {
	c := m.conn
	t := tree.New(c.at.File)
	var sets [2][]string
	for i, side := range []string{s.here, s.there} {
		if _, why := strongSwanFilter(c.text(side + "protoport")); why != "" {
			return m.fail(side+"protoport", why)
		}
		list, bad := strongSwanSelectors(c, side)
		if len(list) == 0 && len(bad) > 0 {
			return m.fail(side+"subnet", bad[0])
		}
		for _, why := range bad {
			m.leaveChild(side+"subnet", why)
		}
		sets[i] = list
	}
	f := m.routed(sets, "mark", "mark_in", "mark_out")
	if v, ok := yes(m.conn.text("installpolicy")); f == nil && ok && !v {
		f = m.fail("installpolicy", "there, no packet goes into this tunnel by its selectors, and here all do that have them")
	}
	if f != nil {
		m.nothingToProtect = true
		m.childLeft = append(m.childLeft, *f)
	}
	m.put(t, "local_ts", s.here+"subnet", tree.Strings(sets[0]))
	if len(m.pools) == 0 || len(sets[1]) > 1 || sets[1][0] != "dynamic" {
		m.put(t, "remote_ts", s.there+"subnet", tree.Strings(sets[1]))
	}
	if f := m.proposals(t, "esp_proposals", "esp", wire.ProtocolESP, strongSwanProposals); f != nil {
		return f
	}
	if f := r.strongSwanChildLifetime(m, t); f != nil {
		return f
	}
	start, ok := map[string]string{"": "", "ignore": "", "add": "none", "route": "trap", "start": "start"}[c.text("auto")]
	if !ok {
		return m.fail("auto", "there is no such word")
	}
	m.wanted(t, s, start)
	m.then(t, "dpd_action", "dpdaction", map[string]string{"hold": "trap", "restart": "start"})
	m.then(t, "close_action", "closeaction", map[string]string{"hold": "trap", "restart": "start"})
	for _, key := range []string{"reqid", "replay_window"} {
		if v := c.text(key); v != "" && v != "0" && v != "-1" {
			n, err := strconv.ParseUint(v, 10, 31)
			if err != nil {
				return m.fail(key, "it is no number")
			}
			m.put(t, key, key, int64(n))
		}
	}
	r.updown(m, t, s)
	if !m.nothingToProtect {
		m.children = append(m.children, namedTable{c.name, c.at, t})
	}
	return nil
}

// wanted makes start_action. Where nobody can be called there is nothing to bring up.
func (m *made) wanted(t *tree.Table, s sides, start string) {
	if !callable(hosts(m.conn, s.there)) {
		if m.floor = "start"; start != "none" { // nothing is more
			m.leaveChild("auto", "the peer has no address at which it could be called")
		}
		t.Add("start_action", m.conn.where("auto"), "none")
		return
	}
	m.floor = start
	m.put(t, "start_action", "auto", start)
}

// then makes dpd_action or close_action, where it is more than what is wanted anyway.
func (m *made) then(t *tree.Table, name, key string, words map[string]string) {
	word, ok := words[m.conn.text(key)]
	if ok && slices.Index(actions, word) > slices.Index(actions, m.floor) {
		m.put(t, name, key, word)
	}
}

// updown is for the scripts of a side.
func (r *strongSwanReader) updown(m *made, t *tree.Table, s sides) {
	m.conn.get(s.there + "updown") // strongSwan runs that of its own side only, and so it is with the next
	m.conn.get(s.there + "hostaccess")
	key := s.here + "updown"
	if v := m.conn.text(key); strings.Contains(v, "_updown") {
		m.leaveChild(key, noFirewall)
	} else if v != "" {
		m.put(t, "updown", key, v)
	}
	if v, ok := yes(m.conn.text(s.here + "hostaccess")); ok && v {
		m.put(t, "hostaccess", s.here+"hostaccess", true)
	}
}

// routed finds children whose packets are chosen by routes to a device of their own, and not by selectors. Where these are everything, or
// much of it, the child would take all traffic of the host here.
func (m *made) routed(sets [2][]string, keys ...string) *failure {
	for _, key := range keys {
		if s := m.conn.get(key); s != nil && s.value != "0" && s.value != "-1" && s.value != "no" {
			if slices.ContainsFunc(sets[1], migrate.Wide) {
				return &failure{s.at, show(s), "there, routes to a device decide what goes into the tunnel, and here the selectors do: " +
					"write a child whose remote_ts are the networks that the routes are for"}
			}
			m.childLeft = append(m.childLeft, left{s.at, show(s), kernelOnly})
		}
	}
	return nil
}

// strongSwanChildLifetime makes the times and volumes of a child.
func (r *strongSwanReader) strongSwanChildLifetime(m *made, t *tree.Table) *failure {
	c := m.conn
	if v, _ := yes(c.text("rekey")); c.text("rekey") != "" && !v {
		t.Add("rekey_time", c.where("rekey"), "0s")
		t.Add("life_time", c.where("rekey"), "0s")
		c.get("lifetime")
		return nil
	}
	life, f := m.time("lifetime", strongSwanChildLife)
	if f != nil {
		return f
	}
	margin, fuzz, f := m.margin(strongSwanMargin, strongSwanFuzz)
	if f != nil {
		return f
	}
	l, ok := lifetimes(life, margin, fuzz)
	if !ok {
		m.leaveChild("rekeymargin", "it is longer than the life of the child: nine tenths of that are taken")
	}
	t.Add("rekey_time", c.where("rekeymargin"), span(l.rekey))
	m.put(t, "life_time", "lifetime", span(l.life))
	t.Add("rand_time", c.where("rekeyfuzz"), span(l.random))
	for _, v := range []string{"bytes", "packets"} {
		if f := m.volume(t, v); f != nil {
			return f
		}
	}
	return nil
}

// minVolume is the least number of bytes that a child may carry here before it is renewed.
const minVolume = 1 << 20

// volume makes rekey_bytes and life_bytes, or those of packets.
func (m *made) volume(t *tree.Table, what string) *failure {
	v := m.conn.text("life" + what)
	margin := m.conn.text("margin" + what)
	if v == "" || v == "0" {
		return nil
	}
	life, err := strconv.ParseInt(v, 10, 64)
	if err != nil || life < 0 {
		return m.fail("life"+what, "it is no number")
	}
	before := int64(0)
	if margin != "" {
		if before, err = strconv.ParseInt(margin, 10, 64); err != nil || before < 0 {
			return m.fail("margin"+what, "it is no number")
		}
	}
	rekey := life - before
	if before == 0 {
		rekey = life - life/10 // both at the same time would mean that it ends before there is another one
	}
	if rekey <= 0 || what == "bytes" && rekey < minVolume {
		m.leaveChild("life"+what, "a child has to carry more than that before it is renewed")
		return nil
	}
	m.put(t, "rekey_"+what, "margin"+what, rekey)
	m.put(t, "life_"+what, "life"+what, life)
	return nil
}

// strongSwanSelectors are the traffic selectors of a side: "dynamic" if there are none. Those without a protocol of their own have that of
// leftprotoport, and those with one, but without a port, its port.
func strongSwanSelectors(c *conn, side string) (list, bad []string) {
	all := c.text(side + "protoport")
	filter, _ := strongSwanFilter(all)
	_, port, hasPort := strings.Cut(all, "/")
	subnets := commaList(c.text(side + "subnet"))
	if len(subnets) == 0 {
		subnets = []string{"%dynamic"}
	}
	for _, s := range subnets {
		addrs, own, found := strings.Cut(s, "[")
		f := filter
		if found {
			own = strings.TrimSuffix(own, "]")
			if hasPort && !strings.Contains(own, "/") {
				own += "/" + port
			}
			var why string
			if f, why = strongSwanFilter(own); why != "" {
				bad = append(bad, why)
				continue
			}
		}
		ts, why := selectorText(addrs, f)
		if why != "" {
			bad = append(bad, why)
			continue
		}
		list = append(list, ts)
	}
	return list, bad
}

// selectorText is a selector in our notation, without host bits.
func selectorText(addrs, filter string) (ts, why string) {
	if addrs == "%dynamic" || addrs == "dynamic" {
		if filter == "" {
			return "dynamic", ""
		}
		if _, err := selector.Parse(filter); err != nil {
			return "", selectorReason(err)
		}
		return "dynamic" + filter, ""
	}
	if n, err := netip.ParsePrefix(addrs); err == nil {
		addrs = n.Masked().String()
	}
	if _, err := selector.Parse(addrs + filter); err != nil {
		return "", selectorReason(err)
	}
	return addrs + filter, ""
}

func selectorReason(err error) string {
	if pe, ok := err.(*selector.ParseError); ok {
		return pe.Reason
	}
	return err.Error()
}

// strongSwanFilter is a protocol with a port, as "17/1701" or "tcp/%any", in our notation with brackets; "" for all packets.
func strongSwanFilter(v string) (filter, why string) {
	proto, port, _ := strings.Cut(v, "/")
	port = strings.NewReplacer("%any", "", "%opaque", "opaque").Replace(port)
	switch {
	case proto == "%any" || proto == "" || proto == "0":
		if port != "" {
			return "", "there are no ports without a protocol"
		}
		return "", ""
	case port == "":
		filter = "[" + proto + "]"
	default:
		filter = "[" + proto + "/" + port + "]"
	}
	if _, err := selector.Parse(filter); err != nil {
		return "", selectorReason(err)
	}
	return filter, ""
}
