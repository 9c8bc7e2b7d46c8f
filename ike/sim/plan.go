package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"esplanade/ike/policy"
)

// plan is what a seed decides before anything happens.
type plan struct {
	hosts []*hostPlan
	links []*linkPlan
	net   conditions
	// chaos is how long the network is bad and the operators are busy.
	chaos time.Duration
	// gentle: nobody deletes, restarts or cuts the line, and the network loses little. Whatever is up must stay up.
	gentle bool
	// nat puts host a behind an address translator; rebinds are how often its mappings change.
	nat     bool
	rebinds int
	// mobike: both sides of the first link offer RFC 4555. moves are how often a host's addresses change.
	mobike bool
	moves  int
	// movers are the hosts that move. When both do at one time, neither may find the other again.
	movers string
	// The numbers of things that happen at random times.
	operations, restarts, blackouts, attacks, reloads, redirects, loads int
	// What all hosts have in common.
	suite                            int
	encap, fragmentation, resumption bool
	fragment                         int
	dpd, retransmit                  time.Duration
	tries                            int
	jitter                           float64
	check                            int // mobike_check
	// deaf is how often a look-up or a change of the routes fails; a tenth of it, how often a request of an IKE SA does.
	deaf float64
	// slow is how long a request of an IKE SA takes at most.
	slow time.Duration
	// signs: some end proves itself by a certificate, below an intermediate CA or not. It is renewed so many times, and so many times one
	// comes that nobody trusts at first.
	signs, intermediate  bool
	renewals, strangeCAs int
	// locks is how often the users have other passwords for a while.
	locks int
	// lists: certificates name CRLs, and revocation is the policy about them. revocations is how often one is revoked.
	lists       bool
	revocation  policy.Revocation
	revocations int
}

// hostPlan is what a seed decides about one host.
type hostPlan struct {
	// name is its own, ident that of its identity: a second gateway has that of the first.
	name, ident string
	// cookies: this side demands them. tokens: it makes tokens of quick crash detection.
	cookies, tokens bool
	// breaks: it takes an IKE SA down before it authenticates again (make_before_break = false).
	breaks bool
	// ends are its connections.
	ends []*endPlan
}

// end finds a connection.
func (h *hostPlan) end(conn string) *endPlan {
	for _, e := range h.ends {
		if e.peer == conn {
			return e
		}
	}
	return nil
}

// linkPlan is a pair of hosts with a connection between them. The first one calls.
type linkPlan struct {
	ends [2]*endPlan
	kids int
	// radius: a RADIUS server checks the users of it.
	radius bool
	// second is the end at another gateway to which the peer may be redirected; nil for none.
	second *endPlan
}

// both reports whether both sides bring the children up.
func (l *linkPlan) both() bool { return l.ends[0].start && l.ends[1].start }

// eitherCalls reports whether both sides know where the other one is, so that an operator can have either call.
func (l *linkPlan) eitherCalls() bool { return l.ends[1].remote != "%any" }

// endPlan is a connection as one of its hosts has it. It has the name of the other one.
type endPlan struct {
	host, peer string
	link       *linkPlan
	// start: this side brings the children up and keeps them up; trap: those that have an odd number wait for packets.
	start, trap bool
	// remote is what its remote_addrs are.
	remote string
	// net and peerNet are the second octets of the networks.
	net, peerNet              int
	ike, esp                  string
	rekey, rand, over, reauth time.Duration
	kids                      []kidPlan
	unique, childless         string
	mobike                    bool
	ppk                       string
	ppkRequired               bool
	// signs: this side proves itself by a signature.
	signs bool
	// user is the method of EAP that this side proves itself by; 0: it is no user.
	user policy.Auth
}

// kidPlan are the times of a child.
type kidPlan struct{ rekey, rand, life time.Duration }

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
	addrC    = netip.MustParseAddr("192.0.2.3")
	addrD    = netip.MustParseAddr("192.0.2.4")
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

// newPlan draws a plan.
func newPlan(seed uint64, r *rand.Rand) plan {
	d := dice{r}
	p := plan{gentle: d.oneIn(3), nat: d.oneIn(3), chaos: d.seconds(60, 300)}
	p.net = conditions{
		loss: r.Float64() * 0.3, duplicate: r.Float64() * 0.2, corrupt: r.Float64() * 0.05,
		minDelay: d.millis(1, 20), maxDelay: d.millis(20, 1500),
	}
	p.operations, p.attacks, p.reloads = r.IntN(30), r.IntN(40), r.IntN(4)
	if d.oneIn(2) {
		p.attacks = 0
	}
	if p.nat {
		p.rebinds = r.IntN(4)
	}
	if p.gentle {
		p.net.loss, p.net.duplicate = p.net.loss/3, p.net.duplicate/2
		p.net.corrupt /= 2
	} else {
		p.restarts, p.blackouts, p.deaf = r.IntN(3), r.IntN(3), r.Float64()*0.2
	}
	p.slow = d.millis(1, 2000)
	if p.gentle {
		p.slow /= 10
	}
	p.mobike = d.oneIn(2)
	if p.mobike || !p.gentle {
		p.moves = r.IntN(5)
	}
	p.movers = "ab"
	if p.gentle {
		p.movers = "a"
		if !p.nat && d.oneIn(2) {
			p.movers = "b"
		}
	}
	p.encap, p.dpd, p.retransmit, p.tries, p.jitter = d.oneIn(2), d.seconds(8, 30), d.millis(400, 1500), 6, r.Float64()*0.3
	if p.gentle {
		p.tries = 12
	}
	p.check, p.resumption = r.IntN(3), d.oneIn(2)
	if d.oneIn(2) {
		// IKE_SA_INIT is never fragmented; everything else would be too big for this network in one piece.
		p.fragmentation, p.fragment = true, 150+r.IntN(100)
		p.net.mtu = initSize
		if p.resumption {
			p.net.mtu = resumeSize
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		p.hosts = append(p.hosts, &hostPlan{name: name, ident: name, cookies: d.oneIn(5), tokens: d.oneIn(2), breaks: !p.gentle && d.oneIn(5)})
	}
	p.suite = d.r.IntN(len(suites)) // of all links: a responder chooses it before it knows who calls
	p.link(d, p.hosts[0], p.hosts[1], 1, 2)
	if d.oneIn(4) {
		p.link(d, p.hosts[2], p.hosts[1], 3, 2)
	} else {
		p.hosts = p.hosts[:2]
	}
	p.sign(d, seed)
	if seed%6 == 4 && !p.gentle { // not drawn, so that all else of a seed stays what it was
		p.redirects = 1 + int(seed/6%3)
		p.addSecond()
	}
	if seed%5 == 3 { // as above
		p.loads = 1 + int(seed/5%4)
	}
	return p
}

// addSecond gives the first link a second gateway with the identity and the connection of the first. A gateway that sends its
// peers away does not call them: with one identity at both, neither would ever know of the IKE SA that the other has.
func (p *plan) addSecond() {
	l, b := p.links[0], p.hosts[1]
	l.ends[0].start, l.ends[1].start = true, false
	e := *l.ends[1]
	e.host, e.start, l.second = "d", false, &e
	p.hosts = append(p.hosts, &hostPlan{name: "d", ident: b.ident, cookies: b.cookies, tokens: b.tokens, breaks: b.breaks, ends: []*endPlan{&e}})
}

// dice are throws of several kinds.
type dice struct{ r *rand.Rand }

func (d dice) oneIn(n int) bool { return d.r.IntN(n) == 0 }

func (d dice) seconds(lo, hi int) time.Duration {
	return time.Duration(lo+d.r.IntN(hi-lo+1)) * time.Second
}
func (d dice) millis(lo, hi int) time.Duration {
	return time.Duration(lo+d.r.IntN(hi-lo+1)) * time.Millisecond
}

// link draws what is between two hosts. x calls.
func (p *plan) link(d dice, x, y *hostPlan, netX, netY int) {
	s := suites[p.suite]
	l := &linkPlan{kids: 1 + d.r.IntN(3)}
	netY += 10 * len(p.links) // networks of their own for each peer
	first := len(p.links) == 0
	a := &endPlan{host: x.name, peer: y.name, start: true, remote: y.name + ".sim", net: netX, peerNet: netY, ike: s.ikeA, esp: s.espA}
	b := &endPlan{host: y.name, peer: x.name, remote: "%any", net: netY, peerNet: netX, ike: s.ikeB, esp: s.espB}
	b.start = (!p.nat || !first) && d.oneIn(5)
	if b.start || (!p.nat || !first) && d.oneIn(2) {
		b.remote = x.name + ".sim"
	}
	a.trap = d.oneIn(4)
	unique := [...]string{"no", "no", "replace", "replace", "keep", "never"}[d.r.IntN(6)]
	childless := [...]string{"allow", "allow", "prefer", "force"}[d.r.IntN(4)]
	for _, e := range []*endPlan{a, b} {
		e.link, e.unique, e.childless, e.mobike = l, unique, childless, p.mobike
		e.rekey, e.rand, e.over = d.seconds(40, 200), d.seconds(0, 20), d.seconds(60, 120)
		for range l.kids {
			rekey := d.seconds(20, 100)
			e.kids = append(e.kids, kidPlan{rekey, d.seconds(0, 10), rekey + d.seconds(60, 120)})
		}
	}
	if reauth := d.seconds(60, 240); d.oneIn(4) && (!p.gentle || unique != "keep") {
		a.reauth = reauth // with unique = "keep" the old IKE SA comes to its end first
	}
	if first && p.mobike && !p.gentle && d.oneIn(6) {
		// Offered by one side only, it is not in use.
		p.mobike, b.mobike = false, false
	}
	if d.oneIn(3) {
		// Equal lifetimes without jitter: both sides rekey at the same moment again and again.
		b.rekey, b.over, b.rand, a.rand = a.rekey, a.over, 0, 0
		for i := range b.kids {
			a.kids[i].rand = 0
			b.kids[i] = a.kids[i]
		}
	}
	if d.oneIn(3) {
		// A post-quantum preshared key, which either side may insist on or, if neither does, not have.
		a.ppk, a.ppkRequired, b.ppkRequired = ppkOf(len(p.links)), d.oneIn(2), d.oneIn(2)
		if d.oneIn(2) || b.remote != "%any" || b.ppkRequired {
			b.ppk = a.ppk // else it takes what the peer chooses
		}
		if d.oneIn(4) && !a.ppkRequired && !b.ppkRequired {
			b.ppk = otherPPK
		}
	}
	l.ends = [2]*endPlan{a, b}
	p.links = append(p.links, l)
	x.ends, y.ends = append(x.ends, a), append(y.ends, b)
}

// bothStart reports whether there is a link of which both sides call.
func (p *plan) bothStart() bool {
	for _, l := range p.links {
		if l.both() {
			return true
		}
	}
	return false
}

// ppkID names the post-quantum preshared key that all hosts have, otherPPK one that is another at each.
const ppkID, otherPPK = "sim", "other"

// ppkOf is ppkID for a link: a PPK that a connection names is for that connection only.
func ppkOf(link int) string { return fmt.Sprintf("%s%d", ppkID, link) }

// initSize is more than an IKE_SA_INIT message of the suites above takes, and resumeSize more than an IKE_SESSION_RESUME message:
// neither is ever fragmented, and a ticket is part of the second.
const initSize, resumeSize = 320, 560

func (p *plan) String() string {
	kind := "rough"
	if p.gentle {
		kind = "gentle"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s for %s, nat %v (%d rebinds), mobike %v (%d moves of %s), loss %.2f dup %.2f corrupt %.2f delay %s-%s mtu %d, "+
		"%d operations %d restarts %d blackouts %d attacks %d reloads %d redirects %d loads, tickets %v, encap %v, tries %d from %s, dpd %s, fragments %d",
		kind, p.chaos, p.nat, p.rebinds, p.mobike, p.moves, p.movers, p.net.loss, p.net.duplicate, p.net.corrupt, p.net.minDelay, p.net.maxDelay, p.net.mtu,
		p.operations, p.restarts, p.blackouts, p.attacks, p.reloads, p.redirects, p.loads, p.resumption, p.encap, p.tries, p.retransmit, p.dpd, p.fragment)
	for _, h := range p.hosts {
		fmt.Fprintf(&b, "\n%s: cookies %v tokens %v breaks %v", h.name, h.cookies, h.tokens, h.breaks)
		for _, e := range h.ends {
			fmt.Fprintf(&b, "; to %s (%s) start %v trap %v %d children, unique %s, childless %s, ppk %q, signs %v, ike %s rekey %s reauth %s", e.peer, e.remote, e.start,
				e.trap, len(e.kids), e.unique, e.childless, e.ppk, e.signs, e.ike, e.rekey, e.reauth)
		}
	}
	return b.String()
}
