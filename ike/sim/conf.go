package sim

import (
	"fmt"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/policy"
)

// variant is how a reload changes the configuration of a host. The zero value is the one of the plan.
type variant struct {
	// times: other lifetimes, which concern no SA that is there.
	times time.Duration
	// without: the last child of each connection is taken out. moved: it has other networks.
	without, moved bool
	// other: the connections have another value of a key that IKE SAs are made again for.
	other bool
	// locked: the passwords of users are others.
	locked bool
	// unloaded is a connection that there is not.
	unloaded string
}

// childName is a child's name among all of a host.
func childName(conn string, i int) string { return fmt.Sprintf("%s/net%d", conn, i) }

// networks are the selectors of a child.
func (e *endPlan) networks(i int) (local, remote string) {
	return fmt.Sprintf("10.%d.%d.0/24", e.net, i), fmt.Sprintf("10.%d.%d.0/24", e.peerNet, i)
}

// configOf is the configuration of a host.
func (p *plan) configOf(h *hostPlan, v variant) *config.Config {
	var b strings.Builder
	for _, e := range h.ends {
		if e.peer == v.unloaded {
			continue
		}
		fmt.Fprintf(&b, "[connections.%s]\nlocal_addrs = [\"%%any\"]\nremote_addrs = [%q]\nproposals = [%q]\nunique = %q\nchildless = %q\n%s",
			e.peer, e.remote, e.ike, e.unique, e.childless, leaseLines(e))
		fmt.Fprintf(&b, "[connections.%s.local]\n%sid = \"%s.example\"\n", e.peer, authLines(e.method(), h.ident), h.ident)
		fmt.Fprintf(&b, "[connections.%s.remote]\n%sid = \"%s.example\"\n", e.peer, authLines(e.peerMethod(), e.peer), e.peer)
		for i := range e.kids {
			last := len(e.kids) > 1 && i == len(e.kids)-1
			if last && v.without {
				continue
			}
			local, remote := e.networks(i)
			if last && v.moved {
				local = fmt.Sprintf("10.99.%d.0/24", i)
			}
			fmt.Fprintf(&b, "[connections.%s.children.net%d]\nlocal_ts = [%q]\nremote_ts = [%q]\nesp_proposals = [%q]\nstart_action = %q\n",
				e.peer, i, local, remote, e.esp, e.action(i))
		}
	}
	b.WriteString("[secrets.ike.all]\nsecret = \"correct-horse-battery-staple-2026\"\n")
	b.WriteString(userTables(h, v.locked))
	c, err := config.Parse("sim.toml", []byte(b.String()+ppkTables))
	if err != nil {
		panic("BUG: the simulator's configuration is wrong: " + err.Error() + "\n" + b.String())
	}
	p.tune(h, c, v)
	return c
}

// ppkTables are the post-quantum preshared keys, one for each link.
const ppkTables = `
[secrets.ppk.sim0]
id = ["sim0"]
secret = "0x7dc1f8d8a3a05cfc3fcbaee1dd1e9a93c9d4dc4a3a5a9f61e8d8e3e7b3cbb5aa"
[secrets.ppk.sim1]
id = ["sim1"]
secret = "0x2a9e7c1b55d0f3a4c4f1b7d9e6a8035c1e7b9d2f4a6c8e0b3d5f7a9c1e3b5d70"
`

func (e *endPlan) action(i int) string {
	switch {
	case !e.start:
		return "none"
	case e.trap && i%2 == 1:
		return "trap"
	}
	return "start"
}

// tune sets what a file can't: times that are shorter than anybody should have, so that much happens in little time.
func (p *plan) tune(h *hostPlan, c *config.Config, v variant) {
	k := &c.IKE
	k.RetransmitTimeout, k.RetransmitBase, k.RetransmitTries, k.RetransmitJitter = p.retransmit, retransmitBase, p.tries, p.jitter
	k.HalfOpenLimit, k.CookieThreshold, k.MakeBeforeBreak = halfOpenLimit, halfOpenLimit/2, !h.breaks
	if h.cookies {
		k.CookieThreshold = 0
	}
	if p.fragment > 0 {
		k.FragmentSize = p.fragment + outerHeaders
	}
	for _, e := range h.ends {
		n := c.Connection(e.peer)
		if n == nil {
			continue
		}
		n.Encap, n.DPDDelay, n.MOBIKE, n.Fragmentation, n.Resumption = p.encap, p.dpd+v.times, e.mobike, p.fragmentation, p.resumption
		n.MOBIKECheck = policy.RouteCheck(p.check)
		n.RekeyTime, n.RandTime, n.OverTime, n.ReauthTime = e.rekey+v.times, e.rand, e.over, e.reauth
		n.PPKID, n.PPKRequired = e.ppk, e.ppkRequired
		n.Local.Method, n.Remote.Method = e.method(), e.peerMethod()
		if v.other {
			n.Encap = !n.Encap
		}
		for i, t := range e.kids {
			if x := n.Child(fmt.Sprintf("net%d", i)); x != nil {
				x.RekeyTime, x.RandTime, x.LifeTime = t.rekey+v.times, t.rand, t.life+v.times
			}
		}
	}
}

// retransmitBase is how much longer each pause is than the one before.
const retransmitBase = 1.4

// halfOpenLimit is how many IKE SAs may be half-open.
const halfOpenLimit = 16

// outerHeaders are the octets before an IKE message in an IP packet, which a fragment's size counts: IPv6, UDP and the non-ESP
// marker.
const outerHeaders = 40 + 8 + 4
