package sa

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// rig is two daemons' worth of machines over a network in memory with virtual time. Everything random comes from one
// seed. A failed test prints the ladder.
type rig struct {
	t    *testing.T
	now  time.Time
	rng  *rand.Rand
	a, b *end
	wire []flight
	// drop decides about a datagram before it travels; nil delivers all.
	drop func(from *end, datagram []byte) bool
	// translate is a NAT: it changes the path as the receiver sees it.
	translate func(f *flight)
	// reach reports whether a datagram can travel on a path; nil for any.
	reach func(from *end, p Path) bool
	delay time.Duration
	// ca has issued what the sides show, in a rig with users.
	ca     *pkitest.Holder
	ladder strings.Builder
}

// flight is a datagram under way.
type flight struct {
	to   *end
	path Path // as the receiver sees it
	data []byte
	at   time.Time
}

// end is one side: what a daemon would keep.
type end struct {
	name     string
	r        *rig
	env      *Env
	cfg      *Config
	addr     netip.Addr
	machines map[wire.SPI]*Machine
	cookies  *Cookies
	cookie   bool // demand cookies
	// onePerSPI: while there is a half-open IKE SA, another request with its SPI is taken for somebody else's, as the daemon does.
	onePerSPI bool
	ikes      uint64
	children  uint64
	nextSPI   uint32
	spis      map[uint32]bool // allocated and not released
	inbound   map[uint64]*Child
	outbound  map[uint64]*Child // by policy
	events    []Output
	failures  []*diag.Failure
	refused   []*diag.Failure // by Accept
	psk       map[string]string
	nonces    [][]byte // forced nonces, used first
	desk      desk
	lastESP   time.Time
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func mustProposals(t *testing.T, p wire.ProtocolID, s ...string) []proposal.Proposal {
	t.Helper()
	ps, err := proposal.ParseList(p, s)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func mustID(t *testing.T, s string) identity.Identity {
	t.Helper()
	id, err := identity.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func mustTS(t *testing.T, list ...string) []selector.Selector {
	t.Helper()
	var out []selector.Selector
	for _, s := range list {
		x, err := selector.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// newRig makes both sides with matching configurations; edit changes them before anything starts.
func newRig(t *testing.T, seed uint64, edit func(a, b *Config)) *rig {
	r := &rig{t: t, now: epoch, rng: rand.New(rand.NewPCG(seed, seed)), delay: 10 * time.Millisecond}
	mk := func(name, addr, id, peerID, net, peerNet string) *end {
		e := &end{
			name: name, r: r, addr: netip.MustParseAddr(addr), machines: map[wire.SPI]*Machine{}, spis: map[uint32]bool{},
			inbound: map[uint64]*Child{}, outbound: map[uint64]*Child{}, psk: map[string]string{"": "secret"}, nextSPI: 0x1000,
		}
		e.cfg = &Config{
			Fixed: Fixed{
				Name: name + "-conn", LocalID: mustID(t, id), RemoteID: mustID(t, peerID), LocalAuth: policy.AuthPSK, RemoteAuth: policy.AuthPSK,
				ForceEncap: true, LocalNATPort: 4500, RemoteNATPort: 4500,
			},
			Policy: Policy{
				Line: name + ".toml:1", ProposalsLine: name + ".toml:5",
				Proposals: mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519"),
				KeepAlive: 20 * time.Second, DPDDelay: 30 * time.Second, RekeyTime: 4 * time.Hour, HardTime: 264 * time.Minute,
				Retransmit:      Retransmit{Timeout: DefaultRetransmitTimeout, Base: DefaultRetransmitBase, Tries: DefaultRetransmitTries},
				HalfOpenTimeout: 30 * time.Second, Fragmentation: true, FragmentSize: 1280,
			},
			Children: []*ChildConfig{{
				ChildFixed: ChildFixed{
					Name: "net", Proposals: mustProposals(t, wire.ProtocolESP, "aes128gcm16-x25519"), LocalTS: mustTS(t, net), RemoteTS: mustTS(t, peerNet),
				},
				ChildPolicy: ChildPolicy{
					Line: name + ".toml:20", ProposalsLine: name + ".toml:21", LocalTSLine: name + ".toml:22",
					RekeyTime: time.Hour, HardTime: 66 * time.Minute,
				},
			}},
		}
		e.env = &Env{
			Nonce: func(n int) []byte {
				if len(e.nonces) > 0 {
					x := e.nonces[0]
					e.nonces = e.nonces[1:]
					return x
				}
				b := make([]byte, n)
				for i := range b {
					b[i] = byte(r.rng.Uint32())
				}
				return b
			},
			NewSPI:      func() wire.SPI { return wire.SPI(r.rng.Uint64() | 1) },
			AllocateSPI: func() (uint32, error) { e.nextSPI++; e.spis[e.nextSPI] = true; return e.nextSPI, nil },
			ReleaseSPI:  func(s uint32) { delete(e.spis, s) },
			NextIKE:     func() uint64 { e.ikes++; return e.ikes },
			NextChild:   func() uint64 { e.children++; return e.children },
			Jitter:      func() float64 { return r.rng.Float64() },
			Connections: func(local, remote netip.Addr) []*Config { return []*Config{e.cfg} },
			Credentials: func(q auth.Query) (auth.Credential, bool) {
				s, ok := e.psk[q.Remote.String()]
				if !ok {
					s, ok = e.psk[""]
				}
				return auth.Credential{Secret: []byte(s)}, ok
			},
			FirstContact: func(*Config) bool { return len(e.live()) <= 1 },
			LastInbound:  func(uint64) time.Time { return e.lastESP },
		}
		e.cookies = NewCookies(epoch, e.env.Nonce)
		e.env.Tickets = ticket.NewKeyring(e.env.Nonce)
		return e
	}
	r.a = mk("a", "192.0.2.1", "a.example", "b.example", "10.1.0.0/16", "10.2.0.0/16")
	r.b = mk("b", "192.0.2.2", "b.example", "a.example", "10.2.0.0/16", "10.1.0.0/16")
	r.b.nextSPI = 0x2000
	if edit != nil {
		edit(r.a.cfg, r.b.cfg)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("ladder:\n%s", r.ladder.String())
		}
	})
	return r
}

func (r *rig) other(e *end) *end {
	if e == r.a {
		return r.b
	}
	return r.a
}

func (e *end) path() Path {
	o := e.r.other(e)
	return Path{Local: netip.AddrPortFrom(e.addr, 500), Remote: netip.AddrPortFrom(o.addr, 500)}
}

// connect starts an IKE SA with the configured children.
func (e *end) connect() *Machine {
	m := NewInitiator(e.env, e.r.now, e.cfg, e.path(), e.cfg.Children)
	e.add(m)
	return m
}

func (e *end) add(m *Machine) {
	e.machines[m.LocalSPI()] = m
	e.drain(m)
}

// all lists the machines in the order in which they were made, so that a seed always plays the same.
func (e *end) all() []*Machine {
	return slices.SortedFunc(maps.Values(e.machines), func(a, b *Machine) int { return cmp.Compare(a.id, b.id) })
}

// live lists the machines that are neither closed nor replaced.
func (e *end) live() []*Machine {
	var out []*Machine
	for _, m := range e.all() {
		if m.State() != StateClosed && m.State() != StateRekeyed {
			out = append(out, m)
		}
	}
	return out
}

func (e *end) drain(m *Machine) {
	for {
		outs := m.Outputs()
		if len(outs) == 0 {
			break
		}
		for _, o := range outs {
			e.handle(m, o)
		}
	}
	if m.Done() {
		delete(e.machines, m.LocalSPI())
	}
}

func (e *end) handle(m *Machine, o Output) {
	r := e.r
	switch o := o.(type) {
	case Send:
		h, _ := wire.ParseHeader(o.Datagram)
		dropped := r.drop != nil && r.drop(e, o.Datagram) || r.reach != nil && !r.reach(e, o.Path)
		mark := "-->"
		if dropped {
			mark = "--x"
		}
		fmt.Fprintf(&r.ladder, "%8s  %s %s %s id %d flags %02x, %d octets\n", r.now.Sub(epoch), e.name, mark, h.Exchange, h.MessageID, uint8(h.Flags), len(o.Datagram))
		if !dropped {
			r.wire = append(r.wire, flight{to: r.other(e), path: o.Path.Reversed(), data: o.Datagram, at: r.now.Add(r.delay)})
		}
	case Request:
		e.desk.take(e, m, o)
	case InstallInbound:
		if e.inbound[o.Child.ID] != nil {
			r.t.Errorf("%s: inbound of child %d installed twice", e.name, o.Child.ID)
		}
		if !e.spis[o.Child.Inbound.SPI] {
			r.t.Errorf("%s: inbound SPI %08x is not allocated", e.name, o.Child.Inbound.SPI)
		}
		e.inbound[o.Child.ID] = o.Child
	case InstallOutbound:
		e.outbound[o.Child.Policy] = o.Child
	case RemoveInbound:
		if e.inbound[o.Child.ID] == nil {
			r.t.Errorf("%s: inbound of child %d removed, and it was not there", e.name, o.Child.ID)
		}
		delete(e.inbound, o.Child.ID)
		delete(e.spis, o.Child.Inbound.SPI)
	case RemoveOutbound:
		if e.outbound[o.Child.Policy] == o.Child {
			delete(e.outbound, o.Child.Policy)
		}
	case Replaced:
		if e.machines[o.Successor.LocalSPI()] == nil {
			e.add(o.Successor)
		}
		e.drain(o.Successor)
	case Spawned:
		e.add(o.Machine)
	case Renumbered:
		delete(e.machines, o.Old)
		e.machines[m.LocalSPI()] = m
	case Touched:
		e.drain(o.Machine)
	case Failed:
		e.failures = append(e.failures, o.Failure)
		fmt.Fprintf(&r.ladder, "%8s  %s: %v\n", r.now.Sub(epoch), e.name, o.Failure)
	case Closed:
		if o.Failure != nil {
			e.failures = append(e.failures, o.Failure)
		}
		fmt.Fprintf(&r.ladder, "%8s  %s: closed: %s %v\n", r.now.Sub(epoch), e.name, o.Reason, o.Failure)
	case ExchangeDone:
		fmt.Fprintf(&r.ladder, "%8s  %s: %s / %s\n", r.now.Sub(epoch), e.name, o.Request, o.Response)
	case StateChanged:
		fmt.Fprintf(&r.ladder, "%8s  %s: %s -> %s (%s)\n", r.now.Sub(epoch), e.name, o.From, o.To, o.Reason)
	case Ignored:
		fmt.Fprintf(&r.ladder, "%8s  %s: ignored: %s %s\n", r.now.Sub(epoch), e.name, o.Reason, o.Detail)
	}
	e.events = append(e.events, o)
}

// receive is what a daemon does with a datagram.
func (e *end) receive(f flight) {
	h, err := wire.ParseHeader(f.data)
	if err != nil {
		return
	}
	if m := e.machines[LocalSPIOf(h)]; m != nil && LocalSPIOf(h) != 0 {
		m.Receive(e.r.now, f.data, f.path)
		e.drain(m)
		return
	}
	if !Opens(h.Exchange) || h.Flags&wire.FlagResponse != 0 {
		return
	}
	for _, m := range e.all() {
		if m.Matches(f.data) {
			m.Receive(e.r.now, f.data, f.path)
			e.drain(m)
			return
		}
	}
	for _, m := range e.all() {
		if e.onePerSPI && m.state == StateConnecting && m.peerSPI == h.SPIi {
			return
		}
	}
	var acc Accepted
	passes := true
	if e.cookie {
		acc.Response, passes = e.cookies.Screen(e.r.now, f.data, f.path.Remote.Addr())
	}
	if passes {
		acc = Accept(e.env, e.r.now, f.data, f.path)
	}
	switch {
	case acc.Machine != nil:
		e.add(acc.Machine)
	case acc.Ignored != nil:
		e.handle(nil, *acc.Ignored)
	case acc.Response != nil:
		if acc.Failure != nil {
			e.refused = append(e.refused, acc.Failure)
			fmt.Fprintf(&e.r.ladder, "%8s  %s: refused: %v\n", e.r.now.Sub(epoch), e.name, acc.Failure)
		}
		e.r.wire = append(e.r.wire, flight{to: e.r.other(e), path: f.path.Reversed(), data: acc.Response, at: e.r.now.Add(e.r.delay)})
	}
}

// step delivers the next datagram or wakes the next timer, whichever is earlier and not later than until. It reports
// whether there was anything.
func (r *rig) step(until time.Time) bool {
	var at time.Time
	next := -1
	for i, f := range r.wire {
		if at.IsZero() || f.at.Before(at) {
			at, next = f.at, i
		}
	}
	var m *Machine
	var owner *end
	for _, e := range []*end{r.a, r.b} {
		for _, x := range e.all() {
			if t := x.NextTimeout(); !t.IsZero() && (at.IsZero() || t.Before(at)) {
				at, next, m, owner = t, -1, x, e
			}
		}
	}
	if e := r.due(at, until); e != nil {
		e.desk.completeNext(e)
		return true
	}
	if at.IsZero() || at.After(until) {
		return false
	}
	if at.After(r.now) {
		r.now = at
	}
	if m != nil {
		m.Advance(r.now)
		owner.drain(m)
		return true
	}
	f := r.wire[next]
	r.wire = append(r.wire[:next:next], r.wire[next+1:]...)
	if r.translate != nil {
		r.translate(&f)
	}
	f.to.receive(f)
	return true
}

// maxSteps ends a test in which two machines talk for ever.
const maxSteps = 20000

// run lets d of virtual time pass.
func (r *rig) run(d time.Duration) {
	r.t.Helper()
	until := r.now.Add(d)
	for n := 0; r.step(until); n++ {
		if n > maxSteps {
			r.t.Fatalf("no end of events before %s", until.Sub(epoch))
		}
	}
	r.now = until
}

// countEvents tells how many events of type T a side has seen.
func countEvents[T Output](e *end) int {
	n := 0
	for _, o := range e.events {
		if _, ok := o.(T); ok {
			n++
		}
	}
	return n
}

// onWire tells how many datagrams of an exchange were sent by a side.
func headerOf(b []byte) wire.Header {
	if len(b) < wire.HeaderLen {
		return wire.Header{}
	}
	h, _ := wire.ParseHeader(b)
	return h
}

// nonceStarting makes a nonce whose first octet decides comparisons.
func nonceStarting(first byte) []byte {
	n := make([]byte, nonceLen)
	n[0] = first
	binary.BigEndian.PutUint64(n[8:], uint64(first)*0x9e3779b97f4a7c15)
	return n
}

// sealTo protects what a test makes itself.
func (m *Machine) sealTo(b, plain []byte) []byte { return sealTo(m.sealer, b, plain) }
