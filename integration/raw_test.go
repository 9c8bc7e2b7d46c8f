//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// A situation is a connection of its own between the same two gateways, and what is done with it.
type situation struct {
	name string
	// edit changes what both ends have: for each other's networks, and their identities.
	edit func(a, b *peer.Connection)
	// do brings it about; nil: the child is initiated.
	do func(r *rawPair, s situation)
	// lonely: the peer knows nothing of it, and only the initiator's list is compared.
	lonely bool
	// allowed are beginnings of lines that may be different here.
	allowed []string
	n       int
}

func (s situation) conn() string  { return fmt.Sprintf("s%d", s.n) }
func (s situation) child() string { return fmt.Sprintf("c%d", s.n) }

// rawPair is a pair with every situation. In one of two pairs, Esplanade initiates, in the other one strongSwan does.
type rawPair struct {
	*pair
	t   *testing.T
	own [2][]string // networks of a and of b
}

// haveAddresses gives both hosts an address in each of their networks, without which kernel-libipsec has no source for its routes.
func (r *rawPair) haveAddresses() {
	r.t.Helper()
	for i, site := range r.Sites() {
		var commands []string
		for _, ts := range r.own[i] {
			network, _, _ := strings.Cut(ts, "[")
			first, _, _ := strings.Cut(network, "-")
			a, err := netip.ParseAddr(first)
			if p, isPrefix := netip.ParsePrefix(first); isPrefix == nil {
				a, err = p.Addr().Next(), nil
			}
			if err != nil {
				r.t.Fatal(err)
			}
			commands = append(commands, fmt.Sprintf("addr add %s/%d dev lo", a, a.BitLen()))
		}
		slices.Sort(commands)
		if err := site.IP(slices.Compact(commands)...); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rawPair) swanctl(p peer.Peer, args ...string) string {
	r.t.Helper()
	out, err := peer.Swanctl(p, args...)
	if err != nil {
		r.t.Errorf("%s: %v", p.Kind(), err)
	}
	return out
}

func (r *rawPair) initiate(child string) {
	r.t.Helper()
	r.swanctl(r.a, "--initiate", "--child", child)
}

func initiated(r *rawPair, s situation) { r.t.Helper(); r.initiate(s.child()) }

// then has something done by one of the two ends once the tunnel is up.
func then(end func(*rawPair) peer.Peer, args ...string) func(*rawPair, situation) {
	return func(r *rawPair, s situation) {
		r.t.Helper()
		r.initiate(s.child())
		with := slices.Clone(args)
		for i := range with {
			with[i] = strings.NewReplacer("CONN", s.conn(), "CHILD", s.child()).Replace(with[i])
		}
		r.swanctl(end(r), with...)
	}
}

func atA(r *rawPair) peer.Peer { return r.a }
func atB(r *rawPair) peer.Peer { return r.b }

// ts sets the selectors: a's side, then b's, as a has them and as b has them.
func ts(localA, remoteA, localB, remoteB string) func(a, b *peer.Connection) {
	return func(a, b *peer.Connection) {
		a.Children[0].LocalTS, a.Children[0].RemoteTS = []string{localA}, []string{remoteA}
		b.Children[0].LocalTS, b.Children[0].RemoteTS = []string{localB}, []string{remoteB}
	}
}

func both(f func(c *peer.Connection)) func(a, b *peer.Connection) {
	return func(a, b *peer.Connection) { f(a); f(b) }
}

func esp(proposal string) func(a, b *peer.Connection) {
	return both(func(c *peer.Connection) { c.Children[0].Proposals = []string{proposal} })
}

var (
	natted  = netip.MustParseAddr("198.18.1.21") // host a's, behind a translator
	nowhere = netip.MustParseAddr("198.18.2.99") // no host's
)

func situations() []situation {
	list := []situation{
		{name: "plain"},
		{name: "IKE SA rekeyed by its initiator", do: then(atA, "--rekey", "--ike", "CONN")},
		{name: "IKE SA rekeyed by its responder", do: then(atB, "--rekey", "--ike", "CONN")},
		{name: "CHILD SA rekeyed by its initiator", do: then(atA, "--rekey", "--child", "CHILD")},
		{name: "CHILD SA rekeyed by its responder", do: then(atB, "--rekey", "--child", "CHILD")},
		{name: "authenticated again", do: then(atA, "--rekey", "--ike", "CONN", "--reauth")},
		{name: "a child terminated and made again", do: func(r *rawPair, s situation) {
			then(atB, "--terminate", "--child", "CHILD")(r, s)
			r.initiate(s.child())
		}},
		{name: "several children", edit: func(a, b *peer.Connection) {
			for _, c := range []*peer.Connection{a, b} {
				more := c.Children[0]
				more.Name += "more"
				more.LocalTS, more.RemoteTS = []string{c.Children[0].LocalTS[0] + "[gre]"}, []string{c.Children[0].RemoteTS[0] + "[gre]"}
				c.Children = append([]peer.Child{more}, c.Children...)
			}
		}, do: func(r *rawPair, s situation) { r.initiate(s.child()); r.initiate(s.child() + "more") }},
		{name: "narrowed", edit: ts("10.40.0.0/16", "10.50.0.0/16", "10.50.3.0/24", "10.40.3.0/24")},
		{name: "protocols and ports", edit: ts("10.41.0.0/24[tcp]", "10.51.0.0/24[tcp/22]", "10.51.0.0/24[tcp/ssh]", "10.41.0.0/24[tcp]")},
		{name: "ranges of addresses and ports", edit: ts("10.42.0.1-10.42.0.6[udp/1000-2000]", "10.52.0.0/24[udp/53]", "10.52.0.0/24[udp]", "10.42.0.0/24[udp]")},
		{name: "ICMP", edit: ts("10.43.0.0/24[icmp]", "10.53.0.0/24[icmp/772]", "10.53.0.0/24[icmp]", "10.43.0.0/24[icmp]")},
		{name: "opaque ports", edit: ts("10.44.0.0/24[udp/opaque]", "10.54.0.0/24[udp/opaque]", "10.54.0.0/24[udp/opaque]", "10.44.0.0/24[udp/opaque]")},
		{name: "several selectors, both IP versions", edit: func(a, b *peer.Connection) {
			for i, c := range []*peer.Connection{a, b} {
				ts := [][]string{{"10.45.0.0/24", "10.45.9.0/24", "fd45::/64"}, {"10.55.0.0/24", "fd55::/64[tcp/443]"}}
				c.Children[0].LocalTS, c.Children[0].RemoteTS = ts[i], ts[1-i]
			}
		}},
		{name: "AES-CBC with HMAC", edit: esp("aes128-sha256-x25519"), do: then(atA, "--rekey", "--child", "CHILD")},
		{name: "AES-CTR", edit: esp("aes192ctr-sha384")},
		{name: "a PPK", edit: both(func(c *peer.Connection) { c.PPKID, c.PPKRequired = "raw@example.org", true })},
		{name: "any peer, behind a translator", edit: func(a, b *peer.Connection) { a.Local, b.Remote = natted, lab.Anyone }},
		{name: "reauthentication configured", edit: both(func(c *peer.Connection) { c.Extra = map[string]string{"reauth_time": "3h"} })},
		{name: "no rekeying", edit: both(func(c *peer.Connection) {
			c.Extra = map[string]string{"rekey_time": "0s"}
			c.Children[0].RekeyTime = 0
		})},
		{name: "IPv6 between the gateways", edit: func(a, b *peer.Connection) {
			a.Local, b.Remote = netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("2001:db8:1::1")
			a.Remote, b.Local = netip.MustParseAddr("2001:db8:2::1"), netip.MustParseAddr("2001:db8:2::1")
		}},
		{name: "a trap installed, then the tunnel", do: func(r *rawPair, s situation) {
			r.swanctl(r.a, "--install", "--child", s.child(), "--ike", s.conn())
			r.initiate(s.child())
		}},
		{name: "connecting", lonely: true, edit: func(a, b *peer.Connection) { a.Remote = nowhere }, do: func(r *rawPair, s situation) {
			if out, err := peer.Swanctl(r.a, "--initiate", "--child", s.child(), "--timeout", "1"); err == nil {
				r.t.Errorf("nobody answers, and it is up: %s", out)
			}
		}},
	}
	// charon does not say whom it calls before it has called.
	list[len(list)-1].allowed = []string{"local-id=", "remote-id="}
	for i := range list {
		list[i].n = i
	}
	return list
}

// notations are keys in all forms that swanctl.conf has for them. The tunnels come up only if both gateways read the same key.
func notations() []string {
	return []string{
		psk, "0x636f7272656374686f727365", "0X636F7272656374484F525345", "0x6f7272656374686f727365bad", "0x63:6f:72:72:65:63:74:68:6f:72:73:65",
		"0sY29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==", "0SY29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==", "0s-_-_-_-_-_-_-_-_-_-_-_-_", "0s+/+/+/+/+/+/+/+/+/+/+/A=",
		`a "quoted" and a back\slash battery`, "B\u00e4ckerei stra\u00dfe batterie", "a # and a { and a = battery", "0super-secret-battery-st45",
	}
}

// configure gives both gateways every situation, with a key in one of the notations.
func configure(list []situation, strongA bool) func(a, b *peer.Gateway) {
	return func(a, b *peer.Gateway) {
		plain := [2]peer.Connection{a.Connections[0], b.Connections[0]}
		a.Connections, b.Connections, a.Secrets, b.Secrets = nil, nil, nil, nil
		strong := b
		if strongA {
			strong = a
		}
		strong.IKE = map[string]string{"delete_rekeyed_delay": "1"}
		for _, s := range list {
			var c [2]peer.Connection
			for i := range c {
				c[i] = plain[i]
				c[i].Name, c[i].Extra = s.conn(), nil
				nets := [2]string{fmt.Sprintf("10.10.%d.0/24", 100+s.n), fmt.Sprintf("10.20.%d.0/24", 100+s.n)}
				ids := [2]string{s.conn() + ".a.example", s.conn() + ".b.example"}
				c[i].LocalID, c[i].RemoteID = ids[i], ids[1-i]
				child := plain[i].Children[0]
				child.Name, child.LocalTS, child.RemoteTS = s.child(), []string{nets[i]}, []string{nets[1-i]}
				c[i].Children = []peer.Child{child}
			}
			if s.edit != nil {
				s.edit(&c[0], &c[1])
			}
			a.Connections, b.Connections = append(a.Connections, c[0]), append(b.Connections, c[1])
		}
		for _, g := range []*peer.Gateway{a, b} {
			if g.IKE == nil {
				g.IKE = map[string]string{}
			}
			g.IKE["retransmit_timeout"] = `"3s"` // what is not answered is to be seen while it lasts
			for _, s := range list {
				g.Secrets = append(g.Secrets, peer.Secret{IDs: []string{s.conn() + ".a.example", s.conn() + ".b.example"}, Key: notations()[s.n%len(notations())]})
			}
			g.PPKs = []peer.PPK{{ID: "raw@example.org", Key: ppkOne}}
		}
	}
}

// networks are the local or the remote selectors of a gateway.
func networks(g *peer.Gateway, local bool) (out []string) {
	for _, c := range g.Connections {
		for _, ch := range c.Children {
			if local {
				out = append(out, ch.LocalTS...)
			} else {
				out = append(out, ch.RemoteTS...)
			}
		}
	}
	return out
}

// TestRawListsAreStrongSwans: in every situation, swanctl --list-sas --raw has the same keys in the same order, with values of the same form,
// whichever of the two it asks, at both ends. Neither ESN nor additional key exchanges are here, which Debian's strongSwan
// with kernel-libipsec has not, and it forces encapsulation always.
func TestRawListsAreStrongSwans(t *testing.T) {
	t.Parallel()
	list := situations()
	var pairs [2]*rawPair
	for i, k := range []kinds{toStrong, fromStrong} {
		p := &rawPair{t: t}
		p.pair = newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
			configure(list, k == fromStrong)(a, b)
			p.own = [2][]string{append(networks(a, true), networks(b, false)...), append(networks(b, true), networks(a, false)...)}
		}})
		if err := p.A.IP("addr add " + natted.String() + "/24 dev a0"); err != nil {
			t.Fatal(err)
		}
		if err := p.R.NFT("table ip nat {\n chain out {\n  type nat hook postrouting priority srcnat;\n  ip saddr " + natted.String() +
			" oifname \"rb\" masquerade\n }\n}\n"); err != nil {
			t.Fatal(err)
		}
		p.haveAddresses()
		p.start(t)
		pairs[i] = p
	}
	for _, s := range list {
		if s.lonely {
			continue
		}
		for _, r := range pairs {
			s.bringAbout(r)
		}
	}
	for _, s := range list {
		if s.lonely {
			for _, r := range pairs {
				s.bringAbout(r)
			}
		}
		sameAt(t, s, "initiator", pairs[0].a, pairs[1].a)
		if !s.lonely {
			sameAt(t, s, "responder", pairs[0].b, pairs[1].b)
		}
	}
	args := []string{"--list-pols", "--trap", "--raw"}
	if got, want := pairs[0].swanctl(pairs[0].a, args...), pairs[1].swanctl(pairs[1].a, args...); got != want {
		t.Errorf("list-policies of Esplanade:\n%s\nof strongSwan:\n%s", got, want)
	}
	for _, r := range pairs {
		r.b.Kill()
		if out, err := peer.Swanctl(r.a, "--terminate", "--ike", list[0].conn(), "--timeout", "1"); err == nil {
			t.Errorf("%s: an IKE SA has ended whose peer does not answer: %s", r.a.Kind(), out)
		}
	}
	deleting := list[0]
	deleting.name = "deleting"
	sameAt(t, deleting, "initiator", pairs[0].a, pairs[1].a)
}

func (s situation) bringAbout(r *rawPair) {
	r.t.Helper()
	do := s.do
	if do == nil {
		do = initiated
	}
	do(r, s)
}

// rawPatience is how long SAs that were replaced may stay in the list.
const rawPatience = 15 * time.Second

// sameAt compares what two gateways say about a situation.
func sameAt(t *testing.T, s situation, role string, ours, theirs peer.Peer) {
	t.Helper()
	var first, why string
	for deadline := time.Now().Add(rawPatience); ; time.Sleep(100 * time.Millisecond) {
		got, err := rawForm(ours, s)
		if err != nil {
			t.Fatal(err)
		}
		want, err := rawForm(theirs, s)
		if err != nil {
			t.Fatal(err)
		}
		why = "both have nothing"
		if !slices.Equal(got, want) {
			missing, extra := compare(want, got)
			why = fmt.Sprintf("of strongSwan's lines Esplanade has not, or not there, %q, and has %q in addition:\n%s\nstrongSwan:\n%s", missing, extra,
				strings.Join(got, "\n"), strings.Join(want, "\n"))
		} else if slices.ContainsFunc(got, func(line string) bool { return replacedState.MatchString(line) }) {
			why = "an SA that was replaced stays"
		} else if len(got) > 0 {
			return
		}
		if first == "" {
			first = why
		}
		if time.Now().After(deadline) {
			break
		}
	}
	t.Errorf("%s, %s: at first %s\nat last %s", s.name, role, first, why)
}

// The forms of values that are not the same in two lists.
var (
	numbers = regexp.MustCompile(`^(uniqueid|reqid|bytes-in|bytes-out|packets-in|packets-out|use-in|use-out|rekey-time|reauth-time|life-time|` +
		`install-time|established)=-?[0-9]+$`)
	spis    = regexp.MustCompile(`^((?:initiator|responder)-spi)=[0-9a-f]{16}$`)
	espSPIs = regexp.MustCompile(`^(spi-in|spi-out)=[0-9a-f]{8}$`)
)

// tasks begins lines that may be different: strongSwan has a task for each part of an exchange, and Esplanade one for an exchange.
const tasks = "tasks-"

// rawForm is the list of a situation: a line for each key, with the form of its value, and indented as its sections are.
func rawForm(p peer.Peer, s situation) ([]string, error) {
	out, err := peer.Swanctl(p, "--list-sas", "--ike", s.conn(), "--pretty")
	if err != nil {
		return nil, err
	}
	messages, err := peer.ParsePretty(out)
	if err != nil {
		return nil, err
	}
	var lines []string
	add := func(indent, line string) {
		for _, prefix := range append([]string{tasks}, s.allowed...) {
			if strings.HasPrefix(line, prefix) {
				return
			}
		}
		line = numbers.ReplaceAllString(line, "$1=<number>")
		line = spis.ReplaceAllString(line, "$1=<16 digits>")
		lines = append(lines, indent+espSPIs.ReplaceAllString(line, "$1=<8 digits>"))
	}
	var walk func(x *peer.Section, indent string)
	walk = func(x *peer.Section, indent string) {
		for _, key := range x.Keys {
			if v, isValue := x.Values[key]; isValue {
				add(indent, key+"="+v)
			} else if v, isList := x.Lists[key]; isList {
				add(indent, fmt.Sprintf("%s=%q", key, v))
			} else {
				add(indent, sectionNumber.ReplaceAllString(key, "-<number>")+" {")
				walk(x.Section(key), indent+"  ")
			}
		}
	}
	for _, m := range messages {
		if strings.HasPrefix(m.Name, "list-sa ") {
			walk(m, "")
		}
	}
	return lines, nil
}

// replacedState is that of an SA which will be gone in a moment.
var replacedState = regexp.MustCompile(`state=(DELETED|REKEYED)$`)

// sectionNumber is the unique id at the end of a CHILD SA's section.
var sectionNumber = regexp.MustCompile(`-[0-9]+$`)
