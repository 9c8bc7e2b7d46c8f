package ipsecconf

import (
	"strconv"
	"strings"
	"time"

	"esplanade/config/tree"
	"esplanade/ike/wire"
)

// What strongSwan takes for what a conn does not say.
const (
	strongSwanIKELife   = 3 * time.Hour
	strongSwanChildLife = time.Hour
	strongSwanMargin    = 9 * time.Minute
	strongSwanFuzz      = 100
	strongSwanDPDDelay  = "30s"
)

// strongSwanReader makes connections of strongSwan's conns.
type strongSwanReader struct {
	*reader
	unique, revocation string // of config setup
}

// conn makes what a conn is here.
func (r *strongSwanReader) conn(c *conn) (*made, *failure) {
	m := newMade(c)
	switch v := c.text("keyexchange"); v {
	case "", "ike", "ikev2":
	case "ikev1":
		return nil, m.fail("keyexchange", "there is only IKEv2 here, and the peer has to change to it as well")
	default:
		return nil, m.fail("keyexchange", "there is no such version")
	}
	switch c.text("type") {
	case "", "tunnel":
	case "transport", "transport_proxy", "beet":
		return nil, m.fail("type", "there is only the mode tunnel in this version")
	default:
		return nil, m.fail("type", "what is not to be protected, or dropped, is not configured here: that is for routes and the firewall")
	}
	if c.get("ah") != nil {
		return nil, m.fail("ah", "there is no AH here")
	}
	if c.text("authby") == "never" {
		return nil, m.fail("authby", "nothing is negotiated for it")
	}
	s := orient(StrongSwan, c, r.here)
	r.guess(c, s)
	if f := r.strongSwanIKE(m, s); f != nil {
		return nil, f
	}
	if f := r.strongSwanSides(m, s); f != nil {
		return nil, f
	}
	if f := r.strongSwanChild(m, s); f != nil {
		return nil, f
	}
	m.leaveRest(strongSwanKeywords(), "strongSwan has no such keyword, and ignores it as well")
	return m, nil
}

// strongSwanIKE makes the keys of the connection but those of its sides.
func (r *strongSwanReader) strongSwanIKE(m *made, s sides) *failure {
	c, t := m.conn, m.ike
	for _, e := range []struct{ side, addrs, port string }{{s.here, "local_addrs", "local_port"}, {s.there, "remote_addrs", "remote_port"}} {
		if list := addresses(c, e.side); len(list) > 0 {
			m.put(t, e.addrs, e.side, tree.Strings(list))
		}
		if f := m.port(t, e.port, e.side+"ikeport"); f != nil {
			return f
		}
	}
	if f := m.proposals(t, "proposals", "ike", wire.ProtocolIKE, strongSwanProposals); f != nil {
		return f
	}
	encap, f := m.yes("forceencaps", false)
	if f != nil {
		return f
	}
	m.put(t, "encap", "forceencaps", encap)
	mobike, f := m.yes("mobike", true)
	if f != nil {
		return f
	}
	if !mobike {
		m.put(t, "mobike", "mobike", false)
	}
	if c.text("fragmentation") == "no" {
		m.put(t, "fragmentation", "fragmentation", false)
	}
	r.strongSwanDPD(m)
	if v := c.text("keyingtries"); v == "%forever" {
		m.put(t, "keyingtries", "keyingtries", int64(0))
	} else if v != "" {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return m.fail("keyingtries", "it is no number")
		}
		m.put(t, "keyingtries", "keyingtries", n)
	}
	t.Add("unique", c.at, r.unique)
	if f := r.strongSwanIKELifetime(m); f != nil {
		return f
	}
	if v := c.text(s.here + "sendcert"); v == "never" || v == "no" {
		m.put(t, "send_cert", s.here+"sendcert", "never")
	} else if v == "always" || v == "yes" {
		m.put(t, "send_cert", s.here+"sendcert", "always")
	}
	if v := c.text(s.there + "sendcert"); v == "never" {
		m.put(t, "send_certreq", s.there+"sendcert", false)
	}
	if f := r.virtual(m, s); f != nil {
		return f
	}
	return r.strongSwanPools(m, s)
}

// strongSwanDPD makes dpd_delay. Without dpdaction strongSwan never asks; that nothing was written is no wish to have it so.
func (r *strongSwanReader) strongSwanDPD(m *made) {
	c := m.conn
	action, delay := c.text("dpdaction"), c.text("dpddelay")
	if action == "none" {
		m.put(m.ike, "dpd_delay", "dpdaction", "0s")
		return
	}
	if delay == "" {
		if action != "" {
			m.ike.Add("dpd_delay", c.at, strongSwanDPDDelay)
		}
		return
	}
	d, ok := duration(delay)
	if !ok {
		m.leave("dpddelay", "it is no time")
		return
	}
	m.put(m.ike, "dpd_delay", "dpddelay", span(d))
}

// strongSwanIKELifetime makes the times of the IKE SA, which strongSwan authenticates again unless reauth=no.
func (r *strongSwanReader) strongSwanIKELifetime(m *made) *failure {
	c, t := m.conn, m.ike
	rekey, f := m.yes("rekey", true)
	if f != nil {
		return f
	}
	reauth, f := m.yes("reauth", true)
	if f != nil {
		return f
	}
	if !rekey {
		m.put(t, "rekey_time", "rekey", "0s")
		c.get("ikelifetime")
		return nil
	}
	life, f := m.time("ikelifetime", strongSwanIKELife)
	if f != nil {
		return f
	}
	margin, fuzz, f := m.margin(strongSwanMargin, strongSwanFuzz)
	if f != nil {
		return f
	}
	l, ok := lifetimes(life, margin, fuzz)
	if !ok {
		m.leave("rekeymargin", "it is longer than the life of the IKE SA: nine tenths of that are taken")
	}
	name := "reauth_time"
	if !reauth {
		name = "rekey_time"
	}
	m.put(t, name, "ikelifetime", span(l.rekey))
	t.Add("over_time", c.at, span(l.life-l.rekey))
	t.Add("rand_time", c.at, span(l.random))
	return nil
}

// margin reads how long before its end an SA is renewed.
func (m *made) margin(standard time.Duration, fuzz int64) (time.Duration, int64, *failure) {
	margin, f := m.time("rekeymargin", standard)
	if f != nil {
		return 0, 0, f
	}
	if v := m.conn.text("rekeyfuzz"); v != "" {
		n, err := strconv.ParseInt(strings.TrimSuffix(v, "%"), 10, 32)
		if err != nil || n < 0 {
			return 0, 0, m.fail("rekeyfuzz", "it is no percentage")
		}
		fuzz = n
	}
	return margin, fuzz, nil
}

// time reads a time.
func (m *made) time(key string, standard time.Duration) (time.Duration, *failure) {
	v := m.conn.text(key)
	if v == "" {
		return standard, nil
	}
	d, ok := duration(v)
	if !ok {
		return 0, m.fail(key, "it is no time")
	}
	return d, nil
}

// yes reads a boolean.
func (m *made) yes(key string, standard bool) (bool, *failure) {
	v := m.conn.text(key)
	if v == "" {
		return standard, nil
	}
	b, ok := yes(v)
	if !ok {
		return false, m.fail(key, "it is neither yes nor no")
	}
	return b, nil
}

// port makes local_port or remote_port.
func (m *made) port(t *tree.Table, name, key string) *failure {
	v := m.conn.text(key)
	if v == "" || v == "500" {
		return nil
	}
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		return m.fail(key, "it is no port")
	}
	m.put(t, name, key, int64(n))
	return nil
}

// addresses are those of a side, as our configuration has them; none for anybody.
func addresses(c *conn, side string) (out []string) {
	allow, said := yes(c.text(side + "allowany"))
	for _, h := range hosts(c, side) {
		switch {
		case h == "%any" || h == "%defaultroute" || h == "0.0.0.0" || h == "::":
			return nil
		case h == "%any4" || h == "%any6":
			out = append(out, h)
		case strings.HasPrefix(h, "%"): // called at this address, and calling from any
			if out = append(out, h[1:]); !said {
				allow = true
			}
		case h == "0.0.0.0/0":
			out = append(out, "%any4")
		case h == "::/0":
			out = append(out, "%any6")
		default:
			out = append(out, h)
		}
	}
	if allow && len(out) > 0 {
		out = append(out, "0.0.0.0/0", "::/0")
	}
	return out
}
