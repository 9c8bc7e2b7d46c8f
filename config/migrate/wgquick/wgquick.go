package wgquick

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// Is reports whether a text is one of wg-quick: it has the two sections.
func Is(text string) bool {
	low := strings.ToLower("\n" + text)
	return strings.Contains(low, "\n[interface]") && strings.Contains(low, "\n[peer]")
}

// Import makes the configurations of the ends of a WireGuard network: of one file or two. key makes a fresh pre-shared key.
func Import(names []string, o migrate.Options, key func() string) ([]*migrate.Result, error) {
	if len(names) > 2 {
		return nil, errors.New("name one file, or those of the two ends")
	}
	var ends []*end
	for _, name := range names {
		text, err := o.Read(name)
		if err != nil {
			return nil, err
		}
		e, bad := parse(name, text)
		if bad != nil {
			return nil, bad
		}
		ends = append(ends, e)
	}
	if len(ends) == 2 {
		return twoEnds(ends[0], ends[1], o, key)
	}
	return oneEnd(ends[0], o, key)
}

// twoEnds makes the tunnel of two files that know each other. What else is in them is left out.
func twoEnds(a, b *end, o migrate.Options, key func() string) ([]*migrate.Result, error) {
	pa, pb := a.peer(b.public), b.peer(a.public)
	if pa == nil || pb == nil {
		return nil, errors.New("the two files do not know each other: each needs the public key of the other's PrivateKey in a [Peer]")
	}
	if a.name == b.name {
		a.name, b.name = a.name+"-1", b.name+"-2"
	}
	secret := key()
	var out []*migrate.Result
	for _, x := range []struct {
		e, other *end
		p, back  *peer
	}{{a, b, pa, pb}, {b, a, pb, pa}} {
		d := begin(x.e, o)
		d.Root().Note(x.e.comment...)
		for _, p := range x.e.peers {
			if p != x.p {
				d.Leave(d.Root(), p.at, "[Peer]", "it is not the other file's")
			}
		}
		tun(d, x.e)
		connection(d, tunnel{own: x.e, name: x.other.name, peer: x.p, local: x.back.allowed, remote: x.p.allowed, secret: secret})
		out = append(out, finish(d, x.e))
	}
	return out, nil
}

// oneEnd makes the tunnels of a file, and the other end of each.
func oneEnd(e *end, o migrate.Options, key func() string) ([]*migrate.Result, error) {
	if len(e.peers) == 0 {
		return nil, errors.New("there is no [Peer]")
	}
	d := begin(e, o)
	d.Root().Note(e.comment...)
	tun(d, e)
	out := []*migrate.Result{nil}
	for i, p := range e.peers {
		other := &end{name: e.name + "-peer", at: p.at, addrs: hostsOf(p.allowed)}
		if len(e.peers) > 1 {
			other.name = fmt.Sprintf("%s-peer-%d", e.name, i+1)
		}
		back := &peer{at: e.at}
		own := networks(e.addrs)
		secret := key()
		connection(d, tunnel{own: e, name: other.name, peer: p, local: own, remote: p.allowed, secret: secret})
		d2 := begin(other, o)
		d2.Root().Note("The other end of "+e.name+".", "remote_addrs is the address of "+e.name+", if this end is to call it.", "")
		tun(d2, other)
		connection(d2, tunnel{own: other, name: e.name, peer: back, local: p.allowed, remote: own, secret: secret, called: p.host != ""})
		out = append(out, finish(d2, other))
	}
	d.Note("what may come from this end is not in %s: only its own addresses are; add networks to local_ts here, and to remote_ts at the other end", e.at.File)
	out[0] = finish(d, e)
	return out, nil
}

// peer is the section for a public key.
func (e *end) peer(public string) *peer {
	i := slices.IndexFunc(e.peers, func(p *peer) bool { return public != "" && p.public == public })
	if i < 0 {
		return nil
	}
	return e.peers[i]
}

// table is the place of a Table other than the main one, where routes count for those packets only that rules lead there.
func (e *end) table() (at tree.Position, ok bool) {
	i := slices.IndexFunc(e.rest, func(l line) bool {
		return strings.EqualFold(l.key, "table") && !slices.Contains([]string{"auto", "off"}, strings.ToLower(l.value))
	})
	if i < 0 {
		return tree.Position{}, false
	}
	return e.rest[i].at, true
}

// begin begins the configuration of an end.
func begin(e *end, o migrate.Options) *migrate.Draft { return migrate.NewDraft(e.at.File, o) }

// finish ends it.
func finish(d *migrate.Draft, e *end) *migrate.Result {
	d.Root().Note(e.foot...)
	r := d.Result()
	r.Name = migrate.TableName(e.name)
	return r
}

// why says why a key of wg-quick is not carried over.
func why(key string) string {
	switch strings.ToLower(key) {
	case "dns":
		return "a gateway gives its clients DNS servers: see [pools.NAME] and vips"
	case "mtu":
		return "the overhead of ESP is another one: see tun.mtu"
	case "table":
		return "see ike.routing_table and ike.install_routes"
	case "fwmark":
		return "see ike.fwmark"
	case "preup", "postup", "predown", "postdown":
		return "commands are run when tunnels come up and go: see updown"
	}
	return "wg-quick has no such key"
}

// tun puts the end's addresses on the device of the tunnels, each alone: the selectors say what else goes through.
func tun(d *migrate.Draft, e *end) {
	for _, l := range e.rest {
		if strings.EqualFold(l.key, "table") && strings.EqualFold(l.value, "off") {
			d.Root().AddSection("ike").Add("install_routes", l.at, false)
			continue
		}
		if !strings.EqualFold(l.key, "table") || !strings.EqualFold(l.value, "auto") {
			d.Leave(d.Root(), l.at, shown(l.key), why(l.key))
		}
	}
	var addrs []string
	for _, a := range e.addrs {
		addrs = append(addrs, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()).String())
	}
	if len(addrs) > 0 {
		d.Root().AddSection("tun").Add("addresses", e.at, tree.Strings(addrs))
	}
}

// shown is the name of a key for a message.
func shown(key string) string {
	if strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" || len(key) > 40 {
		return "a line"
	}
	return key
}

// tunnel is one, as one of its ends sees it.
type tunnel struct {
	own           *end
	name          string // of the other end
	peer          *peer
	local, remote []netip.Prefix
	secret        string
	called        bool // the other end calls this one
}

// connection adds the table of a tunnel.
func connection(d *migrate.Draft, x tunnel) {
	conns := d.Root().AddSection("connections")
	conns.Note(x.peer.comment...)
	if at, ok := x.own.table(); ok && slices.ContainsFunc(x.remote, func(n netip.Prefix) bool { return migrate.Wide(n.String()) }) {
		d.Leave(conns, at, "[Peer] "+x.name, "its routes are in a table of their own, which rules lead to, and here they would take all traffic: "+
			"write a connection whose remote_ts are the networks that the rules are for")
		return
	}
	name := migrate.TableName(x.name)
	t := tree.New(x.peer.at.File)
	for _, l := range x.peer.rest {
		d.Leave(t, l.at, shown(l.key), why(l.key))
	}
	if x.peer.host != "" {
		t.Add("remote_addrs", x.peer.hostAt, x.peer.host)
	}
	t.Add("local_ts", x.peer.at, selectors(x.local))
	t.Add("remote_ts", x.peer.at, selectors(x.remote))
	d.Secret(t, tree.Entry{At: x.peer.at}, x.secret, name, ".psk")
	// Without them, peers that come from anywhere could not be told apart.
	t.AddSection("local").Add("id", x.peer.at, "@"+migrate.TableName(x.own.name))
	t.AddSection("remote").Add("id", x.peer.at, "@"+name)
	conns.Add(name, x.peer.at, t)
	if x.peer.beside != "" {
		conns.Beside(name, x.peer.beside)
	}
	if x.peer.host == "" && !x.called && len(x.own.peers) > 0 {
		d.Note("%s has no Endpoint: it has to call %s", x.name, x.own.name)
	}
}

// selectors are networks as traffic selectors; none is "dynamic".
func selectors(nets []netip.Prefix) any {
	var out []string
	for _, n := range nets {
		s := n.String()
		if n.IsSingleIP() {
			s = n.Addr().String()
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return "dynamic"
	}
	return tree.Strings(out)
}

// networks are addresses alone, without the network that they are written with.
func networks(addrs []netip.Prefix) (out []netip.Prefix) {
	for _, a := range addrs {
		out = append(out, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
	}
	return out
}

// hostsOf are those of networks that are one address: the other end's own, by custom.
func hostsOf(nets []netip.Prefix) (out []netip.Prefix) {
	for _, n := range nets {
		if n.IsSingleIP() {
			out = append(out, n)
		}
	}
	return out
}
