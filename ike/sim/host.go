package sim

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Host is one gateway: machines and what a daemon keeps around them. Its policies are those of package ike with the
// defaults: INITIAL_CONTACT is honoured, of two IKE SAs that cross one is closed, what is desired is brought up again.
type Host struct {
	w    *World
	name string
	// addrs are its addresses at present; the routes prefer the first.
	addrs []netip.Addr
	plan  *hostPlan
	env   *sa.Env

	cookies  *sa.Cookies
	machines map[wire.SPI]*node
	ids      uint64
	nextSPI  uint32
	wants    []*want
	// session is what the next attempt resumes.
	session *sa.Session
	data    dataPlane
	// wake is a time at which the reconciler wants to look again.
	wake time.Time
}

// node is a machine in the table.
type node struct {
	m *sa.Machine
	// up: it was reported as established and not as closed.
	up bool
	// caller: this side initiated the first of the line of IKE SAs that this one belongs to.
	caller bool
	// session is what it could be resumed with if the peer is lost.
	session *sa.Session
}

// want is a child that is to be up.
type want struct {
	cfg     *sa.ChildConfig
	busy    bool // an attempt is under way, on machine
	machine *sa.Machine
	next    time.Time // no attempt before
	// since is when the child was last up, or when the want began.
	since time.Time
	up    bool
}

const (
	retryMin = 2 * time.Second
	retryMax = 8 * time.Second
)

func newHost(w *World, name string, p *hostPlan) *Host {
	h := &Host{w: w, name: name, plan: p, addrs: []netip.Addr{addrA}, nextSPI: 0x1000}
	if name == "b" {
		h.addrs, h.nextSPI = []netip.Addr{addrB}, 0x2000
	}
	h.env = &sa.Env{
		Nonce: func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(w.rng.Uint32())
			}
			return b
		},
		NewSPI: func() wire.SPI {
			for {
				if spi := wire.SPI(w.rng.Uint64()); spi != 0 && h.machines[spi] == nil {
					return spi
				}
			}
		},
		AllocateSPI:  func() (uint32, error) { return h.data.allocate(), nil },
		ReleaseSPI:   func(spi uint32) { h.data.release(spi) },
		NextID:       func() uint64 { h.ids++; return h.ids },
		Jitter:       w.rng.Float64,
		Connections:  func(_, _ netip.Addr) []*sa.Config { return []*sa.Config{p.cfg} },
		Credentials:  func(auth.Query) (auth.Credential, bool) { return auth.Credential{Secret: []byte("secret")}, true },
		PPK:          func(id string) ([]byte, bool) { return []byte("post-quantum"), id == ppkID },
		HasPPK:       func() bool { return true },
		FirstContact: func(*sa.Config) bool { return len(h.open()) <= 1 },
		HasAddr:      h.has,
		LocalAddrs:   func(*sa.Config) []netip.Addr { return h.addrs },
		SourceFor:    func(_ *sa.Config, _ netip.Addr) (netip.Addr, bool) { return h.source() },
		LastInbound:  func(child uint64) time.Time { return h.data.lastIn[child] },
	}
	h.boot()
	return h
}

// boot forgets everything, as a restart does.
func (h *Host) boot() {
	h.machines = map[wire.SPI]*node{}
	h.data.init(h)
	h.cookies = sa.NewCookies(h.w.now, h.env.Nonce)
	h.wants = nil
	if h.plan.start {
		for _, c := range h.plan.cfg.Children {
			h.wants = append(h.wants, &want{cfg: c, next: h.w.now, since: h.w.now})
		}
	}
	h.wake = h.w.now
	h.bootLost()
}

// nodes lists the table in the order in which the machines were made, so that a seed always plays the same.
func (h *Host) nodes() []*node {
	return slices.SortedFunc(maps.Values(h.machines), func(a, b *node) int { return cmp.Compare(a.m.ID(), b.m.ID()) })
}

// open lists the machines that are not closed.
func (h *Host) open() []*node {
	return slices.DeleteFunc(h.nodes(), func(n *node) bool { return n.m.State() == sa.StateClosed })
}

func (h *Host) nextTimeout() time.Time {
	t := h.wake
	for _, n := range h.machines {
		if x := n.m.NextTimeout(); !x.IsZero() && (t.IsZero() || x.Before(t)) {
			t = x
		}
	}
	return t
}

// advance wakes whatever is due.
func (h *Host) advance() {
	if !h.wake.IsZero() && !h.w.now.Before(h.wake) {
		h.wake = time.Time{}
	}
	for _, n := range h.nodes() {
		if t := n.m.NextTimeout(); !t.IsZero() && !h.w.now.Before(t) {
			n.m.Advance(h.w.now)
			h.drain(n)
		}
	}
}

// receiveIKE is what a daemon does with a datagram.
func (h *Host) receiveIKE(b []byte, path sa.Path) {
	hd, err := wire.ParseHeader(b)
	if err != nil || hd.Major != 2 {
		return
	}
	if spi := sa.LocalSPIOf(hd); spi != 0 {
		if n := h.machines[spi]; n != nil {
			n.m.Receive(h.w.now, b, path)
			h.drain(n)
			return
		}
		h.unknownSPI(hd, path)
		return
	}
	if !sa.Opens(hd.Exchange) || hd.Flags.Response() {
		return
	}
	for _, n := range h.nodes() {
		if n.m.Matches(b) {
			n.m.Receive(h.w.now, b, path)
			h.drain(n)
			return
		}
	}
	half := 0
	for _, n := range h.machines {
		if n.m.State() == sa.StateConnecting && !n.m.Initiator() {
			half++
		}
	}
	if half >= halfOpenLimit {
		return
	}
	if h.plan.cookies || half >= halfOpenLimit/2 {
		if answer, pass := h.cookies.Screen(h.w.now, b, path.Remote.Addr()); !pass {
			h.stateless(b, answer, path)
			return
		}
	}
	acc := sa.Accept(h.env, h.w.now, b, path)
	if acc.Machine != nil {
		h.add(acc.Machine)
		return
	}
	h.stateless(b, acc.Response, path)
}

// stateless sends an answer that leaves nothing behind, if there is one.
func (h *Host) stateless(request, answer []byte, path sa.Path) {
	if answer == nil {
		return
	}
	h.w.logf("%s: stateless answer to %s", h.name, describe(request))
	h.w.net.carry(datagram{src: path.Local, dst: path.Remote, ike: answer})
}

const halfOpenLimit = 16

// unknownSPI answers a request for an SA that does not exist with an unprotected INVALID_IKE_SPI.
func (h *Host) unknownSPI(hd wire.Header, path sa.Path) {
	if hd.Flags.Response() {
		return
	}
	m := wire.Message{
		Header: wire.Header{
			SPIi: hd.SPIi, SPIr: hd.SPIr, Major: 2, Exchange: hd.Exchange, MessageID: hd.MessageID,
			Flags: wire.FlagResponse | (hd.Flags&wire.FlagInitiator ^ wire.FlagInitiator),
		},
		Payloads: append([]wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidIKESPI}}, h.proofOfLoss(hd)...),
	}
	h.w.net.carry(datagram{src: path.Local, dst: path.Remote, ike: m.Append(nil), forged: true})
}

func (h *Host) add(m *sa.Machine) *node {
	n := &node{m: m}
	if old := h.machines[m.LocalSPI()]; old != nil {
		h.w.fail("%s: two machines have the SPI %s", h.name, m.LocalSPI())
	}
	h.machines[m.LocalSPI()] = n
	h.drain(n)
	return n
}

func (h *Host) drain(n *node) {
	for outs := n.m.Outputs(); len(outs) > 0; outs = n.m.Outputs() {
		for _, o := range outs {
			h.output(n, o)
		}
	}
	if n.m.Done() && h.machines[n.m.LocalSPI()] == n {
		delete(h.machines, n.m.LocalSPI())
	}
}

func (h *Host) output(n *node, o sa.Output) {
	w := h.w
	switch o := o.(type) {
	case sa.Send:
		if w.ladder != nil {
			w.logf("%s --> %s to %s", h.name, describe(o.Datagram), o.Path.Remote)
		}
		w.net.sendIKE(h, o.Path, o.Datagram)
	case sa.SendKeepalive:
		w.net.keepalive(o.Path)
	case sa.InstallInbound, sa.InstallOutbound, sa.RemoveInbound, sa.RemoveOutbound, sa.UpdatePath, sa.UpdateSelectors:
		h.data.output(o)
	case sa.Request:
		n.m.Complete(w.now, o.ID, w.carryOut(o.Want))
	case sa.Moved:
		w.check.stats.Moves++
		w.logf("%s %d: moved from %s to %s: %s", h.name, n.m.ID(), o.From, o.To, o.Reason)
	case sa.StateChanged:
		w.logf("%s %d: %s -> %s (%s)", h.name, n.m.ID(), o.From, o.To, o.Reason)
	case sa.Established:
		n.up = true
		w.check.stats.Established++
		if n.m.Initiator() && n.m.Snapshot().Resumed {
			w.check.stats.Resumed++
		}
		n.caller = n.m.Initiator()
	case sa.SessionGranted:
		n.session = o.Session
	case sa.Renumbered:
		h.renumbered(n, o.Old)
	case sa.PeerInitialContact:
		for _, x := range h.others(n) {
			w.logf("%s %d: dropped, INITIAL_CONTACT", h.name, x.m.ID())
			w.check.destroyed(h, "INITIAL_CONTACT")
			x.m.Abandon(w.now, "the peer has started anew")
			h.drain(x)
		}
	case sa.Closed:
		w.logf("%s %d: closed: %s %v", h.name, n.m.ID(), o.Reason, o.Failure)
		h.closed(n, o)
	case sa.Failed:
		w.logf("%s %d: failed: %v", h.name, n.m.ID(), o.Failure)
		if x := h.want(o.Child); x != nil && x.machine == n.m {
			h.failed(x)
		}
	case sa.ChildUp:
		w.logf("%s %d: child %d %s up", h.name, n.m.ID(), o.Child.ID, o.Child.Config.Name)
		w.check.stats.ChildUp++
		if x := h.want(o.Child.Config); x != nil {
			x.busy, x.machine = false, n.m
		}
	case sa.ChildReplaced:
		w.logf("%s %d: child %d replaced by %d", h.name, n.m.ID(), o.Old.ID, o.New.ID)
		w.check.stats.ChildRekeys++
	case sa.ChildDown:
		w.logf("%s %d: child %d down: %s", h.name, n.m.ID(), o.Child.ID, o.Reason)
		if h.data.liveOf(o.Child.Config) == 0 {
			w.check.destroyed(h, "child down: "+o.Reason)
		}
	case sa.Replaced:
		w.check.stats.IKERekeys++
		x := h.machines[o.Successor.LocalSPI()]
		if x == nil {
			x = h.add(o.Successor)
		}
		x.up, x.caller, n.up = true, n.caller, false
		for _, v := range h.wants {
			if v.machine == n.m {
				v.machine = o.Successor
			}
		}
		h.drain(x)
	case sa.Spawned:
		w.check.stats.Spawned++
		h.add(o.Machine)
	case sa.Touched:
		if x := h.machines[o.Machine.LocalSPI()]; x != nil {
			h.drain(x)
		}
	case sa.ExchangeDone:
		w.logf("%s %d: %s / %s", h.name, n.m.ID(), o.Request, o.Response)
		w.check.stats.Exchanges++
	case sa.Retransmitted:
		w.check.stats.Retransmits++
	case sa.Ignored:
		w.logf("%s %d: ignored: %s %s", h.name, n.m.ID(), o.Reason, o.Detail)
	}
}

// others lists the other established IKE SAs with the peer.
func (h *Host) others(n *node) []*node {
	return slices.DeleteFunc(h.nodes(), func(x *node) bool {
		s := x.m.State()
		return x == n || !x.up || s == sa.StateClosed || s == sa.StateRekeyed || s == sa.StateDeleting
	})
}

// reviewRedundant closes one of two IKE SAs that both sides have initiated: the one with the larger SPI of the initiator,
// by the side that initiated the first of its line.
func (h *Host) reviewRedundant() {
	spi := func(m *sa.Machine) wire.SPI {
		if m.Initiator() {
			return m.LocalSPI()
		}
		return m.PeerSPI()
	}
	for _, n := range h.nodes() {
		if !n.up || !n.caller || n.m.State() != sa.StateEstablished {
			continue
		}
		for _, x := range h.others(n) {
			if !x.caller && x.m.State() == sa.StateEstablished && spi(n.m) > spi(x.m) {
				h.w.check.destroyed(h, "redundant IKE SA")
				n.m.Delete(h.w.now, "redundant: both sides have initiated")
				h.drain(n)
				return
			}
		}
	}
}

func (h *Host) closed(n *node, o sa.Closed) {
	h.closedLost(n, o.Failure)
	if n.up {
		n.up = false
		if o.Reason != "replaced" {
			h.w.check.destroyed(h, "IKE SA closed: "+o.Reason)
		}
	}
	for _, x := range h.wants {
		if x.busy && x.machine == n.m {
			h.failed(x)
		}
	}
}

func (h *Host) want(c *sa.ChildConfig) *want {
	for _, x := range h.wants {
		if x.cfg == c {
			return x
		}
	}
	return nil
}

func (h *Host) failed(x *want) {
	x.busy, x.machine = false, nil
	x.next = h.w.now.Add(h.w.between(retryMin, retryMax))
}

// path is where this host's requests go from and to at first; ok is false while one of the hosts has no address. Where the
// peer is, it knows from somewhere, as from DNS.
func (h *Host) path() (p sa.Path, ok bool) {
	src, ok1 := h.source()
	dst, ok2 := h.w.other(h).source()
	return sa.Path{Local: netip.AddrPortFrom(src, 500), Remote: netip.AddrPortFrom(dst, 500)}, ok1 && ok2
}

// reconcile brings up what is wanted and is not there.
func (h *Host) reconcile() {
	if h.w.broken != nil {
		return
	}
	now := h.w.now
	for _, x := range h.wants {
		up := h.data.liveOf(x.cfg) > 0
		if x.up && !up {
			x.since = now
		}
		if x.up = up; up || x.busy {
			continue
		}
		if now.Before(x.next) {
			if h.wake.IsZero() || x.next.Before(h.wake) {
				h.wake = x.next
			}
			continue
		}
		h.attempt(x)
	}
}

func (h *Host) attempt(x *want) {
	for _, n := range h.nodes() {
		switch s := n.m.State(); {
		case s == sa.StateEstablished, s == sa.StateRekeying, s == sa.StateConnecting && n.m.Initiator():
			x.busy, x.machine = true, n.m
			n.m.InitiateChild(h.w.now, x.cfg, nil)
			h.drain(n)
			return
		}
	}
	path, ok := h.path()
	if !ok {
		x.next = h.w.now.Add(retryMin)
		h.wake = h.w.now.Add(retryMin)
		return
	}
	var cfgs []*sa.ChildConfig
	var due []*want
	for _, y := range h.wants {
		if !y.busy && h.data.liveOf(y.cfg) == 0 && !h.w.now.Before(y.next) {
			cfgs, due = append(cfgs, y.cfg), append(due, y)
		}
	}
	m := h.begin(path, cfgs)
	for _, y := range due {
		y.busy, y.machine = true, m
	}
	h.w.logf("%s %d: connects", h.name, m.ID())
	h.add(m)
}
