package ipsecconf

import (
	"strings"
	"time"

	"esplanade/config/tree"
	"esplanade/ike/wire"
)

// What libreswan takes for what a conn does not say. Before 4.2 an IKE SA lived for an hour.
const (
	libreswanLife   = 8 * time.Hour
	libreswanMargin = 9 * time.Minute
	libreswanFuzz   = 100
)

// libreswanReader makes connections of libreswan's conns.
type libreswanReader struct {
	*reader
	unique, revocation string // of config setup
}

// libreswan reads config setup, and is a reader of conns.
func (r *reader) libreswan(problem func(setting, string)) *libreswanReader {
	out := &libreswanReader{reader: r, unique: "replace"}
	known := libreswanKeywords().setup
	s := r.files.index["config setup"]
	if s == nil {
		return out
	}
	for _, v := range s.settings {
		switch key := libreswanKey(v.key); key {
		case "uniqueids":
			if b, ok := yes(v.value); ok && !b {
				out.unique = "never"
			}
		case "crl-strict", "strictcrlpolicy":
			if b, ok := yes(v.value); ok && b {
				out.revocation = "strict"
			}
		default:
			o, ok := known[key]
			if !ok {
				problem(v, "there is no such keyword in config setup")
			} else if o.odd(v.value) {
				problem(v, o.why)
			}
		}
	}
	return out
}

// conn makes what a conn is here.
func (r *libreswanReader) conn(c *conn) (*made, *failure) {
	m := newMade(c)
	for _, key := range []string{"keyexchange", "ikev2"} {
		switch v := strings.ToLower(c.text(key)); v {
		case "", "ike", "ikev2", "yes", "insist", "propose":
		case "ikev1", "no", "never", "permit":
			return nil, m.fail(key, "there is only IKEv2 here, and the peer has to change to it as well")
		default:
			return nil, m.fail(key, "there is no such version")
		}
	}
	switch c.text("type") {
	case "", "tunnel":
	case "transport":
		return nil, m.fail("type", "there is only the mode tunnel in this version")
	default:
		return nil, m.fail("type", "what is not to be protected, or dropped, is not configured here: that is for routes and the firewall")
	}
	if c.get("ah") != nil {
		return nil, m.fail("ah", "there is no AH here")
	}
	if c.text("phase2") == "ah" {
		return nil, m.fail("phase2", "there is no AH here")
	}
	for _, side := range []string{"left", "right"} {
		list := hosts(c, side)
		if len(list) == 0 {
			return nil, m.fail(side, "it has no "+side+"=, without which libreswan does not load it")
		}
		for _, h := range list {
			if h == "%group" || h == "%opportunistic" || h == "%opportunisticgroup" {
				return nil, m.fail(side, "there is no opportunistic encryption")
			}
		}
	}
	s := orient(Libreswan, c, r.here)
	r.guess(c, s)
	if f := r.libreswanIKE(m, s); f != nil {
		return nil, f
	}
	if f := r.libreswanSides(m, s); f != nil {
		return nil, f
	}
	if f := r.libreswanChildren(m, s); f != nil {
		return nil, f
	}
	m.leaveRest(libreswanKeywords(), "libreswan 5 has no such keyword")
	return m, nil
}

// libreswanIKE makes the keys of the connection but those of its sides.
func (r *libreswanReader) libreswanIKE(m *made, s sides) *failure {
	c, t := m.conn, m.ike
	for _, e := range []struct{ side, addrs, port string }{{s.here, "local_addrs", "local_port"}, {s.there, "remote_addrs", "remote_port"}} {
		list := hosts(c, e.side)
		switch {
		case anybody(list) || list[0] == "%defaultroute":
		case strings.HasPrefix(list[0], "%"):
			m.leave(e.side, "it is the address of an interface there: write it as "+e.addrs+" if it matters")
		default:
			m.put(t, e.addrs, e.side, tree.Strings(list))
		}
		if f := m.port(t, e.port, e.side+"ikeport"); f != nil {
			return f
		}
	}
	if f := m.proposals(t, "proposals", "ike", wire.ProtocolIKE, libreswanProposals(nil, "")); f != nil {
		return f
	}
	switch v := strings.ToLower(c.text("encapsulation")); v {
	case "yes":
		m.put(t, "encap", "encapsulation", true)
	case "", "auto":
		m.put(t, "encap", "encapsulation", false)
	default:
		m.put(t, "encap", "encapsulation", false)
		if v == "no" && c.values["encapsulation"].key == "encapsulation" { // forceencaps=no is "auto"
			m.leave("encapsulation", "where there is a NAT, ESP goes through UDP in any case")
		}
	}
	mobike, f := m.yes("mobike", false)
	if f != nil {
		return f
	}
	m.put(t, "mobike", "mobike", mobike)
	if c.text("fragmentation") == "no" {
		m.put(t, "fragmentation", "fragmentation", false)
	}
	if v := c.text("dpddelay"); v != "" {
		d, ok := duration(v)
		if !ok {
			return m.fail("dpddelay", "it is no time")
		}
		m.put(t, "dpd_delay", "dpddelay", span(d))
	}
	c.get("keyingtries") // for ever, as here, since libreswan 5
	t.Add("unique", c.at, r.unique)
	if f := r.libreswanIKELifetime(m); f != nil {
		return f
	}
	switch v := c.text(s.here + "sendcert"); v {
	case "", "always", "yes", "alwayssend":
		// Without certificates it would say nothing.
	case "sendifasked", "ifasked":
		m.put(t, "send_cert", s.here+"sendcert", "ifasked")
	default:
		m.put(t, "send_cert", s.here+"sendcert", "never")
	}
	if v, ok := yes(c.text("session-resumption")); ok && v {
		m.put(t, "resumption", "session-resumption", true)
	}
	if v := c.text("ppk-ids"); v != "" {
		m.put(t, "ppk_id", "ppk-ids", words(v)[0])
	}
	if c.text("ppk") == "insist" {
		m.put(t, "ppk_required", "ppk", true)
	}
	return r.libreswanAddresses(m, s)
}

// libreswanIKELifetime makes the times of the IKE SA, which is renewed unless reauth=yes.
func (r *libreswanReader) libreswanIKELifetime(m *made) *failure {
	c, t := m.conn, m.ike
	rekey, f := m.yes("rekey", true)
	if f != nil {
		return f
	}
	reauth, f := m.yes("reauth", false)
	if f != nil {
		return f
	}
	life, f := m.time("ikelifetime", libreswanLife)
	if f != nil {
		return f
	}
	margin, fuzz, f := m.margin(libreswanMargin, libreswanFuzz)
	if f != nil {
		return f
	}
	if !rekey {
		m.put(t, "rekey_time", "rekey", "0s")
		return nil
	}
	l, ok := lifetimes(life, margin, fuzz)
	if !ok {
		m.leave("rekeymargin", "it is longer than the life of the IKE SA: nine tenths of that are taken")
	}
	name := "rekey_time"
	if reauth {
		name = "reauth_time"
	}
	m.put(t, name, "ikelifetime", span(l.rekey))
	t.Add("over_time", c.at, span(l.life-l.rekey))
	t.Add("rand_time", c.at, span(l.random))
	return nil
}

// libreswanAddresses makes vips and pools.
func (r *libreswanReader) libreswanAddresses(m *made, s sides) *failure {
	c := m.conn
	if v, ok := yes(c.text(s.here + "modecfgclient")); ok && v {
		any := "0.0.0.0"
		if subnet := c.text(s.there + "subnet"); strings.Contains(subnet, ":") && !strings.Contains(subnet, ".") {
			any = "::"
		}
		m.put(m.ike, "vips", s.here+"modecfgclient", any)
	}
	key := s.there + "addresspool"
	var four, six []string
	for _, w := range words(c.text(key)) {
		addrs, is6, ok := poolAddresses(w)
		switch {
		case !ok:
			return m.fail(key, "it is no network and no range of addresses")
		case is6:
			six = append(six, addrs)
		default:
			four = append(four, addrs)
		}
	}
	if len(four)+len(six) > 0 {
		m.addPools(key, "modecfgdns", four, six)
		if v := c.text("modecfgdomains"); v != "" {
			for _, p := range m.pools {
				p.Add("domains", c.where("modecfgdomains"), tree.Strings(words(v)))
			}
		}
	}
	return nil
}
