package config

import (
	"slices"
	"strings"

	"esplanade/ike/policy"
)

// checkGroupsOfParts looks at the groups of children and pools: is there anybody who can be in one of them.
func (c *Config) checkGroupsOfParts(r *reader, have func() []string) {
	radius := false
	for _, n := range c.Connections {
		_, remote := n.Rounds()
		asks := slices.ContainsFunc(remote, func(a Auth) bool { return a.Method == policy.AuthEAPRADIUS })
		users := slices.ContainsFunc(remote, func(a Auth) bool { return a.Method.EAP() })
		radius = radius || asks
		for _, h := range n.Children {
			switch {
			case len(h.Groups) == 0:
			case !users:
				r.errorf(h.At("groups"), "remove it, or let the peer come in by EAP: auth = \"eap\" of "+n.Remote.Source.name,
					"%s.groups is for users, and the peers of %s are none: nobody could have the child", h.Source.name, n.Source.name)
			case h.StartAction != policy.StartNone:
				r.errorf(h.At("groups"), "write start_action = \"none\": users ask for it", "%s.groups is set, and start_action is %s: a child for some users is not begun here",
					h.Source.name, quote(h.StartAction.String()))
			case !asks:
				c.checkGroupsExist(r, h.Source, h.Groups, have)
			}
		}
	}
	for _, p := range c.Pools {
		if !radius {
			c.checkGroupsExist(r, p.Source, p.Groups, have)
		}
	}
}

// checkGroupsExist warns of groups that nobody is in.
func (c *Config) checkGroupsExist(r *reader, s Source, groups []string, have func() []string) {
	for _, g := range groups {
		if slices.Contains(have(), g) {
			continue
		}
		want := "put users into it"
		if near, ok := nearest(g, have()); ok {
			want = "did you mean " + quote(near) + "?"
		} else if len(have()) > 0 {
			want += ": the groups are " + strings.Join(have()[:min(len(have()), 8)], ", ")
		}
		r.warnf(s.At("groups"), want, "%s.groups has %s, which no user is in", s.name, quote(g))
	}
}
