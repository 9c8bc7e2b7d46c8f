package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// captureInit is an IKE_SA_INIT request as a peer sends it.
func captureInit(t *testing.T) []byte {
	t.Helper()
	var init []byte
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.setDeliver(func(_, _ netip.AddrPort, b []byte) bool {
			if init == nil {
				init = append(init, b...)
			}
			return false
		})
		f.start(addrA, toml("", left("start"))).stop()
	})
	if len(init) < wire.HeaderLen {
		t.Fatal("no IKE_SA_INIT request was sent")
	}
	return init
}

// A flood of IKE_SA_INIT requests from forged addresses leaves a bounded number of half-open SAs behind, does not disturb
// what is up, and a new peer still gets in.
func TestInitFlood(t *testing.T) {
	init := captureInit(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		any := right("none")
		any.remote = "%any"
		other := conn{name: "c", local: addrB, remote: "192.0.2.3", localID: "b.example", remoteID: "c.example",
			children: []kid{{"net", "10.2.0.0/16", "10.3.0.0/16", "none", ""}}}
		b := f.start(addrB, toml("", any, other))
		c := f.start("192.0.2.3", toml("", conn{name: "b", local: "192.0.2.3", remote: addrB, localID: "c.example",
			remoteID: "b.example", children: []kid{{"net", "10.3.0.0/16", "10.2.0.0/16", "start", ""}}}))
		settle(time.Second)
		if !b.child("c/net").Up() {
			t.Fatalf("no tunnel before the flood\n%s", c.log)
		}
		before := heapInUse()

		const perTick, ticks = 500, 100 // 50,000 within a second
		to := netip.AddrPortFrom(b.addr, 500)
		var a *node
		for i := range ticks {
			for j := range perTick {
				n := uint32(i*perTick + j)
				m := append([]byte(nil), init...)
				binary.BigEndian.PutUint64(m[:8], 0xf100d_0000_0000+uint64(n)) // SPIi
				from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}), 500)
				b.d.HandleIKE(to, from, m)
			}
			if i == ticks/2 {
				a = f.start(addrA, toml("", left("start")))
			}
			settle(10 * time.Millisecond)
		}
		info := b.info()
		limit := b.d.o.Config.IKE.HalfOpenLimit
		if info.HalfOpen == 0 || info.HalfOpen > limit {
			t.Errorf("%d half-open SAs in the flood, the limit is %d", info.HalfOpen, limit)
		}
		if threshold := b.d.o.Config.IKE.CookieThreshold; info.HalfOpen > threshold+1 {
			t.Errorf("%d half-open SAs of forged addresses, with cookies from %d on", info.HalfOpen, threshold)
		}
		// The bound: the half-open SAs, and the queue with its datagrams.
		if grown := heapInUse() - before; grown > 16<<20 {
			t.Errorf("the heap has grown by %d KiB in the flood", grown>>10)
		}
		if !b.child("c/net").Up() || !c.child("b/net").Up() {
			t.Error("the flood has taken down a tunnel")
		}
		settle(5 * time.Second)
		if !a.child("b/net").Up() {
			t.Errorf("a new peer did not get in during the flood: %v", a.last("b"))
		}
		settle(time.Minute)
		if n := b.info().HalfOpen; n != 0 {
			t.Errorf("%d half-open SAs are left after their time", n)
		}
		s := b.d.Stats()
		if s.Ignored[sa.IgnoreCookie] == 0 || s.InboxDropped > 0 {
			t.Errorf("ignored: %v; %d inputs were lost for IKE SAs", s.Ignored, s.InboxDropped)
		}
		a.stop()
		c.stop()
		b.stop()
		b.plane.empty(t)
	})
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A thousand peers of one gateway, with a CHILD SA each, which are all rekeyed several times: none is lost.
func TestThousandSAs(t *testing.T) {
	n := 1000
	if testing.Short() || raceEnabled {
		n = 100
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		hub := netip.MustParseAddr("192.0.2.1")
		spoke := netip.MustParseAddr("192.0.2.2")
		ports := "proposals = [\"aes128gcm16-prfsha256-x25519\"]\nrekey_time = \"120s\"\nunique = \"never\""
		var here, there []conn
		for i := range n {
			net, peer := fmt.Sprintf("10.%d.%d.0/24", i/250, i%250), fmt.Sprintf("172.%d.%d.0/24", 16+i/250, i%250)
			name := fmt.Sprintf("c%04d", i)
			esp := "esp_proposals = [\"aes128gcm16\"]\nrekey_time = \"60s\""
			here = append(here, conn{name: name, local: hub.String(), remote: spoke.String(), localID: "hub-" + name, remoteID: "spoke-" + name,
				extra: ports, children: []kid{{"net", net, peer, "none", esp}}})
			there = append(there, conn{name: name, local: spoke.String(), remote: hub.String(), localID: "spoke-" + name, remoteID: "hub-" + name,
				extra: ports, children: []kid{{"net", peer, net, "start", esp}}})
		}
		ike := "[ike]\ncookie_threshold = 100000\ncookie_threshold_ip = 100000\nhalf_open_limit = 100000\nblock_threshold = 100000\n"
		b := f.start(hub.String(), toml(ike, here...))
		a := f.start(spoke.String(), toml(ike, there...))
		settle(30 * time.Second)
		check := func(when string) {
			t.Helper()
			up := 0
			for _, c := range a.info().Conns {
				for _, h := range c.Children {
					if h.Up() {
						up++
					}
				}
			}
			if up != n {
				t.Errorf("%s: %d of %d are up", when, up, n)
			}
		}
		check("at first")
		settle(10 * time.Minute)
		check("after ten minutes")
		s := a.d.Stats()
		o := b.d.Stats()
		if children, ikes := s.ChildRekeys+o.ChildRekeys, s.IKERekeys+o.IKERekeys; children < uint64(n*9*2) || ikes < uint64(n*4*2) {
			t.Errorf("%d CHILD and %d IKE rekeyings in ten minutes", children, ikes)
		}
		if len(s.Failures) > 0 || len(o.Failures) > 0 {
			t.Errorf("failures: %v, %v", s.Failures, o.Failures)
		}
		settle(time.Minute) // deleted SAs are kept for a while
		a.stop()
		settle(time.Minute)
		b.stop()
		for _, x := range []*node{a, b} {
			x.plane.empty(t)
			x.net.Empty(t)
		}
	})
}
