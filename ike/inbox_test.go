package ike

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// inboxed is a daemon that does not run, so that what it is given stays in its queues.
func inboxed(t *testing.T) (d *Daemon, local, remote netip.AddrPort) {
	t.Helper()
	d = New(Options{Config: conf(t, "", addrB, addrA, "none"), DataPlane: deaf{}})
	return d, netip.MustParseAddrPort("192.0.2.2:500"), netip.MustParseAddrPort("192.0.2.1:500")
}

// deaf is a data plane that sends nothing.
type deaf struct{ gateway.DataPlane }

func (deaf) SendIKE(_, _ netip.AddrPort, _ []byte) error { return nil }
func (deaf) SetPolicy(uint64, selector.Policy)           {}

// ofSomebody is a datagram of n octets that claims to belong to an IKE SA.
func ofSomebody(n int) []byte {
	b := make([]byte, n)
	b[8], b[17] = 1, 0x20
	return b
}

// A datagram that is larger than any IKE message is dropped before it is copied, whoever it claims to be from.
func TestDatagramSize(t *testing.T) {
	d, local, remote := inboxed(t)
	d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram))
	if len(d.loop.inbox) != 1 || d.InboxDropped() != 0 {
		t.Fatalf("the largest message: %d wait, %d dropped", len(d.loop.inbox), d.InboxDropped())
	}
	d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram+1))
	stranger := make([]byte, maxIKEDatagram+1)
	stranger[17], stranger[18] = 0x20, 34 // IKE_SA_INIT
	d.HandleIKE(local, remote, stranger)
	if len(d.loop.inbox) != 1 || len(d.loop.strangers) != 0 || d.InboxDropped() != 2 {
		t.Errorf("larger ones: %d and %d wait, %d dropped", len(d.loop.inbox), len(d.loop.strangers), d.InboxDropped())
	}
}

// What waits is bounded in octets as well as in number, and what was dropped or handled makes room again.
func TestQueuedOctets(t *testing.T) {
	d, local, remote := inboxed(t)
	const fits = maxQueuedOctets / maxIKEDatagram
	if fits >= inboxSize {
		t.Fatalf("%d of the largest messages fit, and %d of any", fits, inboxSize)
	}
	for range fits + 100 {
		d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram))
	}
	if len(d.loop.inbox) != fits || d.InboxDropped() != 100 {
		t.Errorf("%d wait, want %d; %d dropped", len(d.loop.inbox), fits, d.InboxDropped())
	}
	if got := d.loop.octets.Load(); got != maxQueuedOctets {
		t.Errorf("%d octets are counted, and %d wait", got, maxQueuedOctets)
	}
	d.handle(<-d.loop.inbox)
	if got := d.loop.octets.Load(); got != maxQueuedOctets-maxIKEDatagram {
		t.Errorf("%d octets are counted after one was handled", got)
	}
	d.HandleIKE(local, remote, ofSomebody(maxIKEDatagram))
	if len(d.loop.inbox) != fits {
		t.Errorf("%d wait after one was handled and one came", len(d.loop.inbox))
	}
}

// What asks for a new IKE SA waits in a queue of its own: a flood of it takes no place of what belongs to an IKE SA.
func TestStrangersQueue(t *testing.T) {
	d, local, remote := inboxed(t)
	stranger := make([]byte, 200)
	stranger[17], stranger[18] = 0x20, 34 // IKE_SA_INIT
	for range strangersSize + 10 {
		d.HandleIKE(local, remote, stranger)
	}
	d.HandleIKE(local, remote, []byte{1, 2, 3}) // too short to belong to one
	if len(d.loop.inbox) != 0 || len(d.loop.strangers) != strangersSize || d.InboxDropped() != 0 || d.loop.overload.Load() != 11 {
		t.Errorf("%d and %d wait, %d and %d dropped", len(d.loop.inbox), len(d.loop.strangers), d.InboxDropped(), d.loop.overload.Load())
	}
	d.HandleIKE(local, remote, ofSomebody(200))
	if len(d.loop.inbox) != 1 {
		t.Error("a message of an IKE SA is not taken")
	}
}

// crowded runs f while the event loop of a daemon is busy and its inbox is full, so that what goes there is dropped.
func crowded(t *testing.T, n *node, f func()) {
	t.Helper()
	gate := make(chan struct{})
	n.post(func(*gateway.Manager, time.Time) { <-gate })
	synctest.Wait()
	before := n.InboxDropped()
	junk := ofSomebody(28)
	for range inboxSize + 10 {
		n.HandleIKE(netip.AddrPortFrom(n.addr, 500), netip.MustParseAddrPort("192.0.2.9:500"), junk)
	}
	if n.InboxDropped() != before+10 {
		t.Fatalf("%d messages are dropped, so the inbox is not full", n.InboxDropped()-before)
	}
	f()
	close(gate)
}

// newest is the number of the newest thing of a kind that a data plane has.
func newest[V any](t *testing.T, n *node, list map[uint64]V) uint64 {
	t.Helper()
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	if len(list) == 0 {
		t.Fatalf("%s has nothing", n.addr)
	}
	return slices.Max(slices.Collect(maps.Keys(list)))
}

// What the data plane says once is heard however much else there is: a packet that waits brings its tunnel up, an SA that
// comes to its end is replaced, and the first packet on a new SA makes the responder use it.
func TestNewsAreNotLostInACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		b := w.start(t, conf(t, "", addrB, addrA, "none"))
		a := w.start(t, conf(t, "", addrA, addrB, "trap"))
		settle(time.Second)
		policy := newest(t, a, a.plane.policies)
		packet := selector.Packet{Src: netip.MustParseAddr("10.1.0.1"), Dst: netip.MustParseAddr("10.2.0.1"), Protocol: 17}
		crowded(t, a, func() { a.Acquire(policy, packet) })
		settle(time.Second)
		first := newest(t, a, a.plane.out)

		// The peer does not hear that the old SA is deleted, so it can't take that for a sign that the new one is used.
		const informational = 37
		w.setDeliver(func(b []byte) bool { return b[18] != informational })
		old := newest(t, b, b.plane.out)
		crowded(t, a, func() { a.Exhausting(first) })
		settle(time.Second)
		if now := newest(t, a, a.plane.out); now == first {
			t.Error("an SA that is nearly exhausted is not replaced")
		}

		if now := newest(t, b, b.plane.out); now != old {
			t.Fatal("the responder uses the new SA before a packet has come in on it")
		}
		replacement := newest(t, b, b.plane.in)
		crowded(t, b, func() { b.InboundActive(replacement) })
		settle(time.Second)
		if now := newest(t, b, b.plane.out); now != replacement {
			t.Errorf("the responder goes on with SA %d, its replacement is %d", now, replacement)
		}
		w.setDeliver(nil)
		a.stop()
		b.stop()
	})
}

// What a forged request costs: a copy in borrowed memory, a cookie, and the answer, which is the only allocation.
func TestForgedRequestAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has sync.Pool lose things on purpose")
	}
	var init []byte
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		w.start(t, conf(t, "", addrA, addrB, "start"))
		settle(time.Second)
		init = w.keep
	})
	d := New(Options{Config: conf(t, "[ike]\ncookie_threshold = 0\ninstall_routes = false\n", addrB, addrA, "none"), DataPlane: deaf{}, Network: &fakeNetwork{}})
	d.gateway.Start(time.Now(), nil, false)
	to, from := netip.MustParseAddrPort("192.0.2.2:500"), netip.MustParseAddrPort("127.1.2.3:500")
	n := testing.AllocsPerRun(1000, func() {
		d.HandleIKE(to, from, init)
		d.handle(<-d.loop.strangers)
	})
	if n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
	if got := d.Stats().Ignored[sa.IgnoreCookie]; got != 1001 {
		t.Errorf("%d cookies were demanded, want 1001", got)
	}
	for range strangersSize + 5 {
		d.HandleIKE(to, from, init)
	}
	if got := d.Stats().Ignored[sa.IgnoreOverload]; got != 5 || d.InboxDropped() != 0 {
		t.Errorf("%d dropped for overload, want 5; %d lost for IKE SAs", got, d.InboxDropped())
	}
}
