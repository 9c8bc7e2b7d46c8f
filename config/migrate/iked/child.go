package iked

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// The life of a CHILD SA, where lifetime does not say it. https://man.openbsd.org/iked.conf.5
const (
	childLife  = "3h"
	childBytes = "4GiB"
)

// secDevice is how devices are called that have no policies: routes to one decide what it carries. https://man.openbsd.org/sec.4
const secDevice = "sec"

// pair are the selectors of both sides that belong together.
type pair struct{ local, remote string }

// children converts from … to …. All flows of a policy are one CHILD SA with iked; that is one child here if any of its sources may go to any
// of its destinations, and otherwise a child for each pair.
func (c *converter) children(t *tree.Table, p *policy, name string, active bool) (*unfit, *migrate.Error) {
	pairs, u := p.pairs()
	if u != nil {
		return u, nil
	}
	if len(pairs) == 0 {
		return &unfit{p.at, "", "it has no from and to of the same IP version"}, nil
	}
	if v := p.values["iface"]; strings.HasPrefix(v.text, secDevice) && slices.ContainsFunc(pairs, func(x pair) bool { return migrate.Wide(x.remote) }) {
		return &unfit{v.at, "iface " + printed(v.text), "there, routes to a device decide what goes into the tunnel, and here the selectors do: " +
			"write a child whose remote_ts are the networks that the routes are for"}, nil
	}
	var locals, remotes []string
	for _, x := range pairs {
		if !slices.Contains(locals, x.local) {
			locals = append(locals, x.local)
		}
		if !slices.Contains(remotes, x.remote) {
			remotes = append(remotes, x.remote)
		}
	}
	complete := func() bool {
		for _, l := range locals {
			for _, r := range remotes {
				if version(l) == version(r) && !slices.Contains(pairs, pair{l, r}) {
					return false
				}
			}
		}
		return true
	}
	all := t.AddSection("children")
	if complete() {
		h := all.AddSection(name)
		h.Add("local_ts", p.at, list(locals))
		h.Add("remote_ts", p.at, list(remotes))
		return c.child(h, p, active)
	}
	c.Note("the flows of %s are a child each, with a CHILD SA of its own; iked has one for all", name)
	for i, x := range pairs {
		h := all.AddSection(fmt.Sprintf("%s-%d", name, i+1))
		h.Add("local_ts", p.at, x.local)
		h.Add("remote_ts", p.at, x.remote)
		if u, err := c.child(h, p, active); u != nil || err != nil {
			return u, err
		}
	}
	return nil, nil
}

// child fills the table of a child that has its selectors.
func (c *converter) child(h *tree.Table, p *policy, active bool) (*unfit, *migrate.Error) {
	if p.child != nil {
		if u := c.proposals(h, "esp_proposals", p.child, wire.ProtocolESP); u != nil {
			return u, nil
		}
	}
	h.Add("life_time", p.at, childLife)
	if v, ok := p.values["lifetime"]; ok {
		n, err := seconds(v)
		if err != nil {
			return nil, err
		}
		h.Add("life_time", v.at, migrate.Seconds(n))
	}
	h.Add("life_bytes", p.at, childBytes)
	if p.bytes.kind != 0 {
		n, err := octets(p.bytes)
		if err != nil {
			return nil, err
		}
		h.Add("life_bytes", p.bytes.at, n)
	}
	if active {
		h.Add("start_action", p.at, "start")
	} else if len(p.peer) > 0 {
		h.Add("start_action", p.at, "none")
	}
	return nil, nil
}

// pairs are the selectors of all flows.
func (p *policy) pairs() (out []pair, u *unfit) {
	protocols := []string{""}
	if len(p.protocols) > 0 {
		protocols = nil
		for _, t := range p.protocols {
			protocols = append(protocols, t.text)
		}
	}
	for _, f := range p.flows {
		for _, from := range f.from {
			for _, to := range f.to {
				for _, proto := range protocols {
					found, u := p.pair(from, to, proto)
					if u != nil {
						return nil, u
					}
					for _, x := range found {
						if !slices.Contains(out, x) {
							out = append(out, x)
						}
					}
				}
			}
		}
	}
	return out, nil
}

// pair are the selectors of one source and destination: of each IP version that both have.
func (p *policy) pair(from, to host, proto string) (out []pair, u *unfit) {
	a, u := p.selectors(from, "from", proto)
	if u != nil {
		return nil, u
	}
	b, u := p.selectors(to, "to", proto)
	if u != nil {
		return nil, u
	}
	for _, l := range a {
		for _, r := range b {
			if vl, vr := version(l), version(r); vl == vr || vl == 0 || vr == 0 {
				out = append(out, pair{l, r})
			}
		}
	}
	return out, nil
}

// selectors are those of a host: two, if it is any.
func (p *policy) selectors(h host, word, proto string) (out []string, u *unfit) {
	bad := func(why string) ([]string, *unfit) { return nil, &unfit{h.at, word + " " + printed(h.text), why} }
	if h.nat {
		return bad("there is no NAT of the tunnel's packets here")
	}
	_, only4 := p.words["inet"]
	_, only6 := p.words["inet6"]
	var addrs []string
	switch prefix, err := netip.ParsePrefix(h.text); {
	case h.text == "dynamic":
		addrs = []string{"dynamic"}
	case h.text == "any":
		if !only6 {
			addrs = append(addrs, "0.0.0.0/0")
		}
		if !only4 {
			addrs = append(addrs, "::/0")
		}
	case err == nil:
		addrs = []string{prefix.Masked().String()}
	case isAddress(h.text):
		addrs = []string{h.text}
	default:
		return bad("it is neither an address nor a network; write the addresses of an interface themselves")
	}
	filter := ""
	if proto != "" || h.port != "" {
		filter = proto
		if h.port != "" {
			filter += "/" + strings.ReplaceAll(h.port, ":", "-")
		}
		filter = "[" + filter + "]"
	}
	for _, a := range addrs {
		s := a + filter
		probe := s
		if a == "dynamic" {
			if probe = filter; probe == "" {
				return addrs, nil
			}
		}
		if _, err := selector.Parse(probe); err != nil {
			return bad("with its protocol and port it is no traffic selector")
		}
		out = append(out, s)
	}
	return out, nil
}

// version is the IP version of a selector, 0 for none in particular.
func version(s string) int {
	switch {
	case strings.HasPrefix(s, "dynamic"):
		return 0
	case strings.Contains(strings.Split(s, "[")[0], ":"):
		return 6
	}
	return 4
}
