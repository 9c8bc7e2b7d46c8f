package gateway

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/esp"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// connection is a configured connection with what has become of it. It belongs to the event loop.
type connection struct {
	conf     *config.Connection
	cfg      *sa.Config
	children []*child
	// order is its place in the configuration, and filed where it is in the directory.
	order int
	filed filed
	// elsewhere finds a child of another connection; see siblings.
	elsewhere func(*sa.ChildConfig) *child
	// lives counts how it fares.
	lives Lives
	// tally counts what happens to it.
	tally Tally
	// entries are its IKE SAs.
	entries entrySet
	// gone: a reload has taken it out of the configuration. Its IKE SAs are on their way out.
	gone bool

	// shut: an operator keeps it down, also against its peers.
	shut bool
	bare bare // where it has no children

	// resolving: a DNS look-up of the peer's name is under way.
	resolving bool
	// tries counts the attempts to reach the peer since it was reached last: each goes to another of its addresses.
	tries int
	// redirects are those it has followed of late.
	redirects redirects
	// excluded are the configured peer addresses that are kept out of the tunnel.
	excluded []netip.Addr
	client   client
	// session is what the next attempt resumes, nil for none; presents the attempt that does so.
	session  *sa.Session
	presents *sa.Machine
}

// child is a configured CHILD SA with what has become of it.
type child struct {
	conn *connection
	conf *config.Child
	cfg  *sa.ChildConfig

	// policy is the number of its policy in the data plane, prepared what is installed there; nil for nothing. order is its
	// place in the configuration.
	policy   uint64
	prepared *selector.Policy
	order    int
	// gone: a reload has taken it out of the configuration.
	gone bool
	// held: an operator has taken it down, and this side does not bring it up before an operator wants it up. shut: nor may a
	// peer.
	held, shut bool
	// trap is what an operator has said about its trap.
	trap trapOrder
	// kept is what is wanted since it was lost, in addition to what its start_action says; lost what will be if it is down now.
	kept, lost policy.StartAction
	// asked: an operator or a packet wants it up once, whatever is desired in general.
	asked bool
	// trigger is the packet that asked. triggered: the log has said that there is one since the child was up.
	trigger   *selector.Packet
	triggered bool
	// busy: an attempt is under way; machine is the IKE SA it is made with.
	busy    bool
	machine *sa.Machine
	// live are its installed CHILD SAs by number: normally one, two for a moment while one replaces the other.
	live map[uint64]*sa.Child
	// networks has the same ones by their remote selectors.
	networks networks
	// refused are the IKE SAs whose peers were refused it because another peer has their networks, with what they have asked
	// for; freed: one of those that had them has gone.
	refused map[*entry]selector.Pair
	freed   bool
	// offered is the last of them that it was offered to since, offerAt when the next are looked at.
	offered uint64
	offerAt time.Time
	// past are the counters of CHILD SAs that have been replaced or removed, before what they were when it came up last.
	past, before Counters
	// holds are the selectors that are to be routed into the tunnel whether it is up or not; nil for none.
	holds *selector.Pair

	// narrow is what its peer has left out.
	narrow narrowing

	backoff backoff
	since   time.Time
	state   phase
	waiters []*Waiter

	// dirty: it waits for reconcile; the slot says when it has to be reconciled at the latest.
	dirty bool
	slot  // in Manager.wakes
}

// phase is what an operator sees as the state.
type phase string

// The phases of connections and children.
const (
	phaseDown       phase = "down"
	phaseTrapped    phase = "trapped"    // up as soon as there is traffic
	phaseWaiting    phase = "waiting"    // for the next attempt
	phaseConnecting phase = "connecting" // an attempt is under way
	phaseUp         phase = "up"
	phaseDead       phase = "dead" // only shown: up, but for a peer that counts as dead and is waited for
)

// backoff spaces the attempts after failures.
type backoff struct {
	failures int
	next     time.Time // no attempt before; zero: at once
	// exhausted: keyingtries is used up.
	exhausted bool
}

// Pauses between attempts: the first retry is soon, since most failures are short; after that each is twice as long.
const (
	firstPause = time.Second
	maxPause   = time.Minute
	// pauseJitter is the largest part of a pause that is taken off at random, so that a thousand peers of a gateway
	// that was restarted do not come back in one moment.
	pauseJitter = 0.3
	// flapTime is how long a child must have been up for its end not to count as a failed attempt: a peer that accepts
	// and deletes at once must not be called without a pause.
	flapTime = 10 * time.Second
)

// failed notes a failure and sets the time of the next attempt.
func (b *backoff) failed(now time.Time, tries int, jitter float64) {
	pause := min(firstPause<<min(b.failures, 10), maxPause)
	b.failures++
	b.next = now.Add(time.Duration(float64(pause) * (1 - pauseJitter*jitter)))
	b.exhausted = tries > 0 && b.failures >= tries
}

func (b *backoff) reset() { *b = backoff{} }

// machineConfig translates a configured connection for machines, without the children and with the configured ports.
func machineConfig(g *config.Config, c *config.Connection) sa.Config {
	s := sa.Config{
		Fixed: sa.Fixed{
			Name: c.Name, LocalID: c.Local.ID, RemoteID: c.Remote.ID, LocalAuth: c.Local.Method, RemoteAuth: c.Remote.Method, OwnKey: c.HasOwnKey(), Vouched: c.Vouched(),
			PPKID: c.PPKID, PPKRequired: c.PPKRequired, ForceEncap: c.Encap, LocalNATPort: g.IKE.PortNATT, RemoteNATPort: config.DefaultPortNATT,
			MOBIKE: c.MOBIKE, RouteCheck: c.MOBIKECheck, Downgrade: c.Downgrade, Resumption: c.Resumption,
			VIPs: c.VIPs, SplitInclude: c.SplitInclude,
		},
		Policy: sa.Policy{
			Line: c.Position().FileLine(), Lone: c.Lone(), ProposalsLine: c.At("proposals").FileLine(), LocalIDLine: c.Local.At("id").FileLine(),
			RemoteIDLine: c.Remote.At("id").FileLine(), PPKLine: ppkPosition(c).FileLine(),
			DowngradeLine: c.At("downgrade_prevention").FileLine(), VIPsLine: c.At("vips").FileLine(),
			SendCert: c.SendCert, SendCertReq: c.SendCertReq, RSASHA1: c.RSASHA1, OCSP: c.OCSP,
			Proposals: c.Proposals, KeepAlive: g.IKE.KeepAlive, DPDDelay: c.DPDDelay,
			RekeyTime: c.RekeyTime, RandTime: c.RandTime, HardTime: c.HardTime(),
			ReauthTime: c.ReauthTime, ReauthGrace: c.OverTime, Childless: c.Childless,
			FollowRedirects: g.IKE.FollowRedirects, RedirectTo: Elsewhere(c.RedirectTo),
			Retransmit: sa.Retransmit{
				Timeout: g.IKE.RetransmitTimeout, Base: g.IKE.RetransmitBase, Tries: g.IKE.RetransmitTries,
				Jitter: g.IKE.RetransmitJitter, Limit: g.IKE.RetransmitLimit,
			},
			Pools: len(c.Pools) > 0, PoolsLine: c.At("pools").FileLine(),
			HalfOpenTimeout: g.IKE.HalfOpenTimeout, Fragmentation: c.Fragmentation, FragmentSize: g.IKE.FragmentSize - outerHeaders,
		},
	}
	for _, a := range c.LocalRounds {
		s.LocalRounds = append(s.LocalRounds, sa.Round{ID: a.ID, Auth: a.Method})
	}
	for _, a := range c.RemoteRounds {
		s.RemoteRounds = append(s.RemoteRounds, sa.Round{ID: a.ID, Auth: a.Method})
		s.RemoteRoundLines = append(s.RemoteRoundLines, a.At("id").FileLine())
	}
	s.Users = userRules(c)
	if c.RemotePort != config.DefaultPort {
		// A port that is not 500 speaks behind the marker from the start, and is the one that ESP goes to as well.
		s.RemoteNATPort = c.RemotePort
	}
	return s
}

// outerHeaders are the octets before an IKE message in an IP packet at most: IPv6, UDP and the non-ESP marker.
const outerHeaders = 40 + 8 + 4

// addChild makes the state of a configured child.
func (c *connection) addChild(h *config.Child, now time.Time) *child {
	cfg := machineChild(h, len(c.conf.Pools) > 0)
	ch := &child{conn: c, conf: h, cfg: &cfg, live: map[uint64]*sa.Child{}, since: now, state: phaseDown}
	c.cfg.Children = append(c.cfg.Children, ch.cfg)
	c.children = append(c.children, ch)
	return ch
}

// machineChild is a child as a machine wants it. pools: its connection gives addresses to peers.
func machineChild(h *config.Child, pools bool) sa.ChildConfig {
	return sa.ChildConfig{
		ChildFixed: sa.ChildFixed{
			Name: h.Name, Mode: h.Mode, Proposals: h.Proposals, LocalTS: h.LocalTS, RemoteTS: h.RemoteTS, ReplayWindow: h.ReplayWindow, ReqID: h.ReqID,
		},
		ChildPolicy: sa.ChildPolicy{
			Line: h.Position().FileLine(), ProposalsLine: h.At("esp_proposals").FileLine(),
			LocalTSLine: h.At("local_ts").FileLine(), RemoteTSLine: h.At("remote_ts").FileLine(), Pools: pools,
			Groups: h.Groups, GroupsLine: h.At("groups").FileLine(),
			RekeyTime: h.RekeyTime, RandTime: h.RandTime, HardTime: h.LifeTime,
			Soft: esp.Limits{Packets: h.RekeyPackets, Bytes: h.RekeyBytes},
			Hard: esp.Limits{Packets: h.LifePackets, Bytes: h.LifeBytes},
		},
	}
}

// wanted reports whether the child should be brought up now.
func (c *child) wanted() bool {
	if c.held && !c.asked {
		return false
	}
	return c.asked || c.action() == policy.StartStart
}

// up reports whether a CHILD SA carries its traffic. One that was deleted stays installed for a moment for packets on the
// way, and does not count.
func (c *child) up() bool {
	for _, x := range c.live {
		if x.State == sa.ChildInstalled || x.State == sa.ChildRekeying {
			return true
		}
	}
	return false
}

// setPhase notes a change of what an operator sees.
func (c *child) setPhase(p phase, now time.Time) {
	if c.state != p {
		c.state, c.since = p, now
	}
}

// setChildUp is setPhase for a child that is up. Its counters begin again: what went through CHILD SAs that are on their way out, which stay
// installed for a moment, was before.
func (g *Manager) setChildUp(c *child, now time.Time) {
	if c.state != phaseUp {
		c.before = c.past
		for id, x := range c.live {
			if n, ok := g.o.DataPlane.Counters(id); ok && x.State != sa.ChildInstalled && x.State != sa.ChildRekeying {
				c.before.add(n)
			}
		}
	}
	c.setPhase(phaseUp, now)
}

// excludes reports whether an address is among the excluded ones of the configuration.
func (c *connection) excludes(a netip.Addr) bool { return slices.Contains(c.excluded, a) }

// configured is what a child is configured as; nil for one that is not any more.
func (c *child) configured() *config.Child {
	if c == nil {
		return nil
	}
	return c.conf
}

// childOf finds the child that a machine's configuration stands for.
func (c *connection) childOf(cfg *sa.ChildConfig) *child {
	for _, h := range c.children {
		if h.cfg == cfg {
			return h
		}
	}
	return nil
}

// finish tells all waiters of a child how it went.
func (c *child) finish(err error) {
	for _, w := range c.waiters {
		w.Done(err)
	}
	c.waiters = nil
}

// heard reports whether any waiter wants log lines, so that callers can skip formatting.
func (c *connection) heard() bool {
	heard := false
	c.eachWaiter(func(w *Waiter) { heard = heard || w.Log != nil })
	return heard
}

// eachWaiter calls f for whoever waits for something of a connection.
func (c *connection) eachWaiter(f func(*Waiter)) {
	for _, h := range c.children {
		for _, w := range h.waiters {
			f(w)
		}
	}
	for _, w := range c.bare.waiters {
		f(w)
	}
}

// tell gives a line to all waiters of a connection.
func (c *connection) tell(level int, msg string) {
	c.eachWaiter(func(w *Waiter) {
		if w.Log != nil {
			w.Log(level, "IKE", msg)
		}
	})
}

// whereOf describes a connection in a failure that no machine has.
func whereOf(c *connection) diag.Where {
	return diag.Where{Connection: c.conf.Name, Lone: c.cfg.Lone, ConfigLine: c.cfg.Line}
}
