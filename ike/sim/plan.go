package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// plan is what a seed decides before anything happens.
type plan struct {
	a, b hostPlan
	net  conditions
	// chaos is how long the network is bad and the operators are busy.
	chaos time.Duration
	// gentle: nobody deletes, restarts or cuts the line, and the network loses little. Whatever is up must stay up.
	gentle bool
	// nat puts host a behind an address translator; rebinds are how often its mappings change.
	nat     bool
	rebinds int
	// mobike: both sides offer RFC 4555. moves are how often a host's addresses change.
	mobike bool
	moves  int
	// movers are the hosts that move. When both do at one time, neither may find the other again.
	movers string
	// The numbers of things that happen at random times.
	operations, restarts, blackouts, attacks int
}

// hostPlan is what a seed decides about one host.
type hostPlan struct {
	// start: this side brings the children up and keeps them up.
	start bool
	cfg   *sa.Config
	// cookies: this side demands them.
	cookies bool
	// tokens: this side makes tokens of quick crash detection.
	tokens bool
}

// conditions of the network while it is bad.
type conditions struct {
	loss, duplicate, corrupt float64
	minDelay, maxDelay       time.Duration
	// mtu drops larger datagrams; 0 none.
	mtu int
}

var (
	addrA    = netip.MustParseAddr("192.0.2.1")
	addrB    = netip.MustParseAddr("192.0.2.2")
	addrNAT  = netip.MustParseAddr("198.51.100.7")
	addrEvil = netip.MustParseAddr("203.0.113.66")
	// moreA and moreB are the addresses that the hosts may have besides.
	moreA = []netip.Addr{netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.12")}
	moreB = []netip.Addr{netip.MustParseAddr("192.0.2.21"), netip.MustParseAddr("192.0.2.22")}
)

// suites are pairs of proposals with something in common. In some, the first group of one side is not what the other
// side has, so that INVALID_KE_PAYLOAD happens in every kind of exchange.
var suites = []struct{ ikeA, ikeB, espA, espB string }{
	{"aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519", "aes128gcm16-x25519"},
	{"aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-x25519", "aes128gcm16", "aes128gcm16"},
	{"aes128gcm16-prfsha256-ecp256-x25519", "aes128gcm16-prfsha256-x25519", "aes128gcm16-ecp256-x25519", "aes128gcm16-x25519"},
	{"aes128gcm16-prfsha256-x25519", "aes128gcm16-prfsha256-ecp256-x25519", "aes128gcm16-x25519", "aes128gcm16-ecp256-x25519"},
	{"chacha20poly1305-prfsha256-x25519", "chacha20poly1305-prfsha256-x25519", "aes128-sha256-x25519", "aes128-sha256-x25519"},
	{"aes128-sha256-x25519", "aes128-sha256-x25519", "aes128gcm16-x25519", "aes128gcm16-x25519"},
	{"aes128gcm16-prfsha256-x25519-ke1_mlkem768", "aes128gcm16-prfsha256-x25519-ke1_mlkem768", "aes128gcm16-x25519-ke1_mlkem768", "aes128gcm16-x25519-ke1_mlkem768"},
	{"aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384", "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384",
		"aes128gcm16-x25519-ke2_ecp256-ke2_none-ke5_ecp384", "aes128gcm16-x25519-ke2_ecp256-ke5_ecp384-ke5_none"},
	{"aes128gcm16-prfsha256-x25519-ke1_mlkem768-ke1_none", "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519-ke1_ecp256", "aes128gcm16-ecp256-x25519-ke1_ecp256"},
}

func newPlan(r *rand.Rand) plan {
	seconds := func(lo, hi int) time.Duration { return time.Duration(lo+r.IntN(hi-lo+1)) * time.Second }
	millis := func(lo, hi int) time.Duration { return time.Duration(lo+r.IntN(hi-lo+1)) * time.Millisecond }
	p := plan{gentle: r.IntN(3) == 0, nat: r.IntN(3) == 0, chaos: seconds(60, 300)}
	p.net = conditions{
		loss: r.Float64() * 0.3, duplicate: r.Float64() * 0.2, corrupt: r.Float64() * 0.05,
		minDelay: millis(1, 20), maxDelay: millis(20, 1500),
	}
	p.operations, p.attacks = r.IntN(30), r.IntN(40)
	if r.IntN(2) == 0 {
		p.attacks = 0
	}
	if p.nat {
		p.rebinds = r.IntN(4)
	}
	if p.gentle {
		p.net.loss, p.net.duplicate = p.net.loss/3, p.net.duplicate/2
		p.net.corrupt /= 2
	} else {
		p.restarts, p.blackouts = r.IntN(3), r.IntN(3)
	}
	p.mobike = r.IntN(2) == 0
	if p.mobike || !p.gentle {
		p.moves = r.IntN(5)
	}
	p.movers = "ab"
	if p.gentle {
		p.movers = "a"
		if !p.nat && r.IntN(2) == 0 {
			p.movers = "b"
		}
	}
	s := suites[r.IntN(len(suites))]
	children := 1 + r.IntN(3)
	common := sa.Config{
		Fixed: sa.Fixed{
			LocalAuth: policy.AuthPSK, RemoteAuth: policy.AuthPSK, LocalNATPort: 4500, RemoteNATPort: 4500, ForceEncap: r.IntN(2) == 0,
		},
		Policy: sa.Policy{
			KeepAlive: 20 * time.Second, HalfOpenTimeout: 30 * time.Second, DPDDelay: seconds(8, 30),
			Retransmit: sa.Retransmit{Timeout: millis(400, 1500), Base: 1.4, Tries: 6, Jitter: r.Float64() * 0.3},
		},
	}
	if p.gentle {
		common.Retransmit.Tries = 12
	}
	common.MOBIKE, common.RouteCheck = p.mobike, policy.RouteCheck(r.IntN(3))
	if r.IntN(2) == 0 {
		// IKE_SA_INIT is never fragmented; everything else would be too big for this network in one piece.
		common.Fragmentation, common.FragmentSize = true, 150+r.IntN(100)
		p.net.mtu = initSize
	}
	lifetimes := func(c *sa.Config) {
		c.RekeyTime, c.RandTime = seconds(40, 200), seconds(0, 20)
		c.HardTime = c.RekeyTime + seconds(60, 120)
	}
	mk := func(name, peer, ike, esp string, net, peerNet int) *sa.Config {
		c := common
		c.Name = name
		c.LocalID, c.RemoteID = must(identity.Parse(name+".example")), must(identity.Parse(peer+".example"))
		c.Proposals = must(proposal.ParseList(wire.ProtocolIKE, []string{ike}))
		lifetimes(&c)
		for i := range children {
			rekey := seconds(20, 100)
			c.Children = append(c.Children, &sa.ChildConfig{
				ChildFixed: sa.ChildFixed{
					Name:      fmt.Sprintf("net%d", i),
					Proposals: must(proposal.ParseList(wire.ProtocolESP, []string{esp})),
					LocalTS:   []selector.Selector{must(selector.Parse(fmt.Sprintf("10.%d.%d.0/24", net, i)))},
					RemoteTS:  []selector.Selector{must(selector.Parse(fmt.Sprintf("10.%d.%d.0/24", peerNet, i)))},
				},
				ChildPolicy: sa.ChildPolicy{RekeyTime: rekey, RandTime: seconds(0, 10), HardTime: rekey + seconds(60, 120)},
			})
		}
		return &c
	}
	p.a = hostPlan{start: true, cfg: mk("a", "b", s.ikeA, s.espA, 1, 2)}
	p.b = hostPlan{start: !p.nat && r.IntN(5) == 0, cfg: mk("b", "a", s.ikeB, s.espB, 2, 1), cookies: r.IntN(5) == 0}
	if p.mobike && !p.gentle && r.IntN(6) == 0 {
		// Offered by one side only, it is not in use.
		p.mobike, p.b.cfg.MOBIKE = false, false
	}
	if r.IntN(3) == 0 {
		// Equal lifetimes without jitter: both sides rekey at the same moment again and again.
		p.b.cfg.RekeyTime, p.b.cfg.HardTime, p.b.cfg.RandTime, p.a.cfg.RandTime = p.a.cfg.RekeyTime, p.a.cfg.HardTime, 0, 0
		for i, c := range p.b.cfg.Children {
			x := p.a.cfg.Children[i]
			c.RekeyTime, c.HardTime, c.RandTime, x.RandTime = x.RekeyTime, x.HardTime, 0, 0
		}
	}
	if r.IntN(3) == 0 {
		// A post-quantum preshared key, which either side may insist on or, if neither does, not have.
		a, b := p.a.cfg, p.b.cfg
		a.PPKID, a.PPKRequired, b.PPKRequired = ppkID, r.IntN(2) == 0, r.IntN(2) == 0
		if r.IntN(2) == 0 || p.b.start {
			b.PPKID = ppkID // else it takes what the peer chooses
		}
		if r.IntN(4) == 0 && !a.PPKRequired && !b.PPKRequired {
			b.PPKID = otherPPK
		}
	}
	p.lostPlan(r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0)
	return p
}

// ppkID names the post-quantum preshared key that both hosts have, otherPPK one that neither has.
const ppkID, otherPPK = "sim", "other"

// initSize is more than an IKE_SA_INIT message of the suites above takes.
const initSize = 320

func (p *plan) String() string {
	kind := "rough"
	if p.gentle {
		kind = "gentle"
	}
	return fmt.Sprintf("%s for %s, nat %v (%d rebinds), mobike %v (%d moves), both start %v, loss %.2f dup %.2f corrupt %.2f delay %s-%s mtu %d, %d children, "+
		"%d operations %d restarts %d blackouts %d attacks, tokens %v/%v tickets %v, ike %s/%s rekey %s/%s, tries %d from %s, dpd %s, fragments %d",
		kind, p.chaos, p.nat, p.rebinds, p.mobike, p.moves, p.b.start, p.net.loss, p.net.duplicate, p.net.corrupt, p.net.minDelay, p.net.maxDelay, p.net.mtu,
		len(p.a.cfg.Children), p.operations, p.restarts, p.blackouts, p.attacks, p.a.tokens, p.b.tokens, p.a.cfg.Resumption, p.a.cfg.Proposals[0], p.b.cfg.Proposals[0],
		p.a.cfg.RekeyTime, p.b.cfg.RekeyTime, p.a.cfg.Retransmit.Tries, p.a.cfg.Retransmit.Timeout, p.a.cfg.DPDDelay, p.a.cfg.FragmentSize)
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
