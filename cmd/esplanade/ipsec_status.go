package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"esplanade/ike/vici"
)

// ipsecStatus is what strongSwan's `ipsec status` shows, made of what VICI lists.
type ipsecStatus struct {
	all  bool
	name string // of a connection or child; "" is all

	version, stats        *vici.Message
	conns, sas            []ipsecItem
	policies              []heldPolicy
	pools                 []ipsecItem
	connecting, installed int
}

// ipsecItem is a section of a message with its name.
type ipsecItem struct {
	name string
	m    *vici.Message
}

// collect asks the daemon.
func (s *ipsecStatus) collect(ctx context.Context, cl *client) error {
	ctx, cancel := context.WithTimeout(ctx, cl.answer)
	defer cancel()
	list := func(command, event string, req *vici.Message, f func(name string, m *vici.Message)) error {
		_, err := cl.Stream(ctx, command, event, req, func(m *vici.Message) error {
			for name, x := range m.Sections() {
				f(name, x)
			}
			return nil
		})
		return err
	}
	if s.all {
		var err error
		if s.version, err = cl.Call(ctx, "version", nil); err != nil {
			return err
		}
		if s.stats, err = cl.Call(ctx, "stats", nil); err != nil {
			return err
		}
		m, err := cl.Call(ctx, "get-pools", nil)
		if err != nil {
			return err
		}
		for name, x := range m.Sections() {
			s.pools = append(s.pools, ipsecItem{name, x})
		}
		if err := list("list-conns", vici.EventListConn, nil, func(name string, m *vici.Message) { s.conns = append(s.conns, ipsecItem{name, m}) }); err != nil {
			return err
		}
	}
	req := new(vici.Message).Set("trap", "yes").Set("drop", "yes").Set("pass", "yes")
	if err := list("list-policies", vici.EventListPolicy, req, func(_ string, p *vici.Message) {
		s.policies = append(s.policies, heldPolicy{p.Get("ike"), p.Get("child"), p.Get("mode"), p.List("local-ts"), p.List("remote-ts")})
	}); err != nil {
		return err
	}
	return list("list-sas", vici.EventListSA, nil, func(name string, m *vici.Message) {
		if m.Get("state") == "CONNECTING" {
			s.connecting++
		} else {
			s.installed++
		}
		s.sas = append(s.sas, ipsecItem{name, m})
	})
}

// wants reports whether something with a name is to be shown.
func (s *ipsecStatus) wants(names ...string) bool {
	return s.name == "" || slices.Contains(names, s.name)
}

// print writes it.
func (s *ipsecStatus) print(w io.Writer) {
	if s.all {
		s.printDaemon(w)
		s.printConns(w)
	}
	first := true
	for _, p := range s.policies {
		if (p.mode == vici.ModeDrop || p.mode == vici.ModePass) && s.wants(p.child, p.connection) {
			if first {
				fmt.Fprint(w, "Shunted Connections:\n")
				first = false
			}
			fmt.Fprintf(w, "%12s:  %s === %s %s\n", p.child, strings.Join(p.local, " "), strings.Join(p.remote, " "), p.mode)
		}
	}
	first = true
	for i, p := range s.policies {
		if p.mode != vici.ModeDrop && p.mode != vici.ModePass && s.wants(p.child, p.connection) {
			if first {
				fmt.Fprint(w, "Routed Connections:\n")
				first = false
			}
			fmt.Fprintf(w, "%12s{%d}:  ROUTED, %s\n%12s{%d}:   %s === %s\n", p.child, i+1, p.mode, p.child, i+1, strings.Join(p.local, " "), strings.Join(p.remote, " "))
		}
	}
	fmt.Fprintf(w, "Security Associations (%d up, %d connecting):\n", s.installed, s.connecting)
	found := false
	for _, x := range s.sas {
		var children []ipsecItem
		for _, c := range x.m.Section("child-sas").Sections() {
			if s.wants(x.name, c.Get("name")) {
				children = append(children, ipsecItem{c.Get("name"), c})
			}
		}
		if s.wants(x.name) || len(children) > 0 {
			found = true
			s.printIKE(w, x)
			for _, c := range children {
				s.printChild(w, c)
			}
		}
	}
	switch {
	case found:
	case s.name != "":
		fmt.Fprint(w, "  no match\n")
	default:
		fmt.Fprint(w, "  none\n")
	}
}

// printDaemon writes the head of statusall.
func (s *ipsecStatus) printDaemon(w io.Writer) {
	v, x := s.version, s.stats
	daemon := v.Get("daemon") + " " + v.Get("version")
	fmt.Fprintf(w, "Status of IKE charon daemon (%s, %s %s, %s):\n", daemon, v.Get("sysname"), cmp.Or(v.Get("release"), "-"), v.Get("machine"))
	fmt.Fprintf(w, "  uptime: %s, since %s\n", x.Get("uptime", "running"), x.Get("uptime", "since"))
	four := func(part ...string) string {
		m := x.Section(part...)
		return strings.Join([]string{m.Get("critical"), m.Get("high"), m.Get("medium"), m.Get("low")}, "/")
	}
	fmt.Fprintf(w, "  worker threads: %s of %s idle, %s working, job queue: %s, scheduled: %s\n", x.Get("workers", "idle"), x.Get("workers", "total"),
		four("workers", "active"), four("queues"), x.Get("scheduled"))
	fmt.Fprintf(w, "  loaded plugins: %s\n", strings.Join(x.List("plugins"), " "))
	for i, p := range s.pools {
		if i == 0 {
			fmt.Fprint(w, "Virtual IP pools (size/online/offline):\n")
		}
		fmt.Fprintf(w, "  %s: %s/%s/%s\n", p.name, p.m.Get("size"), p.m.Get("online"), p.m.Get("offline"))
	}
}

// printConns writes the connections of statusall.
func (s *ipsecStatus) printConns(w io.Writer) {
	fmt.Fprint(w, "Connections:\n")
	for _, c := range s.conns {
		if !s.wants(c.name) {
			continue
		}
		dpd := ""
		if n := c.m.Get("dpd_delay"); n != "" && n != "0" {
			dpd = ", dpddelay=" + n + "s"
		}
		fmt.Fprintf(w, "%12s:  %s...%s  %s%s\n", c.name, strings.Join(c.m.List("local_addrs"), ","), strings.Join(c.m.List("remote_addrs"), ","), c.m.Get("version"), dpd)
		for _, side := range []struct{ prefix, label string }{{"local-", "local: "}, {"remote-", "remote:"}} {
			for name, a := range c.m.Sections() {
				if !strings.HasPrefix(name, side.prefix) {
					continue
				}
				id := ""
				if n := a.Get("id"); n != "" {
					id = " [" + n + "]"
				}
				fmt.Fprintf(w, "%12s:   %s%s uses %s authentication\n", c.name, side.label, id, a.Get("class"))
			}
		}
		for name, h := range c.m.Section("children").Sections() {
			action := ""
			if dpd != "" {
				action = ", dpdaction=" + cmp.Or(h.Get("dpd_action"), "none")
			}
			fmt.Fprintf(w, "%12s:   child:  %s === %s %s%s\n", name, strings.Join(h.List("local-ts"), " "), strings.Join(h.List("remote-ts"), " "), h.Get("mode"), action)
		}
	}
}

// printIKE writes an IKE SA.
func (s *ipsecStatus) printIKE(w io.Writer, x ipsecItem) {
	m := x.m
	head := fmt.Sprintf("%12s[%s]: ", x.name, m.Get("uniqueid"))
	ago := ""
	if n := m.Get("established"); n != "" && m.Get("state") == "ESTABLISHED" {
		ago = " " + ipsecDuration(n) + " ago"
	}
	fmt.Fprintf(w, "%s%s%s, %s[%s]...%s[%s]\n", head, m.Get("state"), ago, m.Get("local-host"), m.Get("local-id"), m.Get("remote-host"), m.Get("remote-id"))
	if !s.all {
		return
	}
	if user := m.Get("remote-eap-id"); user != "" {
		fmt.Fprintf(w, "%sRemote EAP identity: %s\n", head, user)
	}
	ours, theirs := "", "*"
	if m.Get("initiator") == "yes" {
		ours, theirs = "*", ""
	}
	rekey := ""
	if m.Get("state") == "ESTABLISHED" {
		if n := m.Get("rekey-time"); n != "" {
			rekey += ", rekeying in " + ipsecDuration(n)
		}
		if n := m.Get("reauth-time"); n != "" {
			rekey += ", reauthentication in " + ipsecDuration(n)
		}
		if rekey == "" {
			rekey = ", rekeying disabled"
		}
	}
	fmt.Fprintf(w, "%sIKEv%s SPIs: %s_i%s %s_r%s%s\n", head, m.Get("version"), m.Get("initiator-spi"), ours, m.Get("responder-spi"), theirs, rekey)
	if p := ipsecProposal(m, true); p != "" {
		fmt.Fprintf(w, "%sIKE proposal: %s\n", head, p)
	}
	for _, q := range []string{"queued", "active", "passive"} {
		if tasks := m.List("tasks-" + q); len(tasks) > 0 {
			fmt.Fprintf(w, "%sTasks %s: %s \n", head, q, strings.Join(tasks, " "))
		}
	}
}

// printChild writes a CHILD SA.
func (s *ipsecStatus) printChild(w io.Writer, x ipsecItem) {
	m := x.m
	head := fmt.Sprintf("%12s{%s}:  ", x.name, m.Get("uniqueid"))
	fmt.Fprintf(w, "%s%s, %s, reqid %s", head, m.Get("state"), m.Get("mode"), m.Get("reqid"))
	switch m.Get("state") {
	case "INSTALLED":
		udp := ""
		if m.Get("encap") == "yes" {
			udp = " in UDP"
		}
		fmt.Fprintf(w, ", %s%s SPIs: %s_i %s_o", m.Get("protocol"), udp, m.Get("spi-in"), m.Get("spi-out"))
		if s.all {
			fmt.Fprintf(w, "\n%s%s%s%s, rekeying %s", head, ipsecProposal(m, false), ipsecTraffic(m, "in", "i"), ipsecTraffic(m, "out", "o"), ipsecRekeying(m.Get("rekey-time")))
		}
	case "REKEYING", "REKEYED":
		fmt.Fprintf(w, ", expires in %s", ipsecDuration(m.Get("life-time")))
	}
	fmt.Fprintf(w, "\n%s %s === %s\n", head, strings.Join(m.List("local-ts"), " "), strings.Join(m.List("remote-ts"), " "))
}

// ipsecTraffic is what has gone through in one direction.
func ipsecTraffic(m *vici.Message, dir, suffix string) string {
	text := fmt.Sprintf(", %s bytes_%s", cmp.Or(m.Get("bytes-"+dir), "0"), suffix)
	if last := m.Get("use-" + dir); last != "" {
		packets := m.Get("packets-" + dir)
		plural := "s"
		if packets == "1" {
			plural = ""
		}
		text += fmt.Sprintf(" (%s pkt%s, %ss ago)", packets, plural, last)
	}
	return text
}

func ipsecRekeying(seconds string) string {
	switch n, err := strconv.Atoi(seconds); {
	case err != nil:
		return "disabled"
	case n < 0:
		return "active"
	}
	return "in " + ipsecDuration(seconds)
}

// ipsecProposal names the algorithms of an SA as strongSwan's plain output does.
func ipsecProposal(m *vici.Message, ike bool) string {
	var parts []string
	if e := m.Get("encr-alg"); e != "" {
		if n := m.Get("encr-keysize"); n != "" {
			e += "_" + n
		}
		parts = append(parts, e)
	}
	for _, key := range []string{"integ-alg", "prf-alg", "dh-group"} {
		if x := m.Get(key); x != "" && (ike || key != "prf-alg") {
			parts = append(parts, x)
		}
	}
	if m.Get("esn") == "1" {
		parts = append(parts, "ESN")
	}
	return strings.Join(parts, "/")
}

// ipsecDuration is a number of seconds in strongSwan's words: in the largest unit of which there are more than two.
func ipsecDuration(seconds string) string {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return seconds
	}
	n = max(n, -n)
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d := int64(u.d / time.Second); n > 2*d {
			return fmt.Sprintf("%d %ss", n/d, u.name)
		}
	}
	if n == 1 {
		return "1 second"
	}
	return fmt.Sprintf("%d seconds", n)
}
