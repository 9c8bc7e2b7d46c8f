package dataplane

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestReplayWindowOfSeveralLoops feeds one SA from several inbound loops at the same time, each packet to two of them:
// every packet is accepted once, and its counters add up. It is for the race detector too.
func TestReplayWindowOfSeveralLoops(t *testing.T) {
	const loops, packets, batch = 4, 2000, 16
	o := plainEnds
	a := newLab(t, o)
	o.loops = loops
	b := newLab(t, o)
	connect(t, a.e, b.e, childA, policyA, pair(t, ts4Local, ts4Remote), gcm128(), labA, labB)
	var wire [][]byte
	for i := range packets {
		for _, m := range a.out(udpPacket(v4, uint16(i), 2, fill(20, 1))) {
			wire = append(wire, m.packets()...)
		}
	}
	var seen [packets]atomic.Int32
	var wg sync.WaitGroup
	for k := range loops {
		w := b.e.inLoops[k]
		// What loops write at the same time is not the device's concern here: each has a device of its own.
		w.merge.device = &memDevice{refuse: func(s *superPacket) bool {
			seen[be.Uint16(s.bytes()[20:])].Add(1)
			return false
		}, discard: true}
		var mine []int
		for i := range wire {
			if i%loops == k || (i+1)%loops == k {
				mine = append(mine, i)
			}
		}
		// Not further out of order than the window is long.
		r := rand.New(rand.NewPCG(uint64(k), 1))
		for i := 0; i < len(mine); i += 64 {
			c := mine[i:min(i+64, len(mine))]
			r.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
		}
		wg.Go(func() {
			for len(mine) > 0 {
				n := min(batch, len(mine))
				w.begin()
				for _, i := range mine[:n] {
					buf := make([]byte, packetSlot)
					copy(buf[headroom:], wire[i])
					w.each(&datagrams{buf: buf, start: headroom, end: headroom + len(wire[i]), local: labB, remote: labA, kind: SocketNATT})
				}
				if err := w.end(); err != nil {
					t.Error(err)
				}
				mine = mine[n:]
			}
		})
	}
	wg.Wait()
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("packet %d came out %d times", i, n)
		}
	}
	if c, _ := b.e.Counters(childA); c.InPackets != packets {
		t.Errorf("%d packets are counted, want %d", c.InPackets, packets)
	}
	if n := b.e.Drops()[DropInReplay]; n != packets {
		t.Errorf("%d packets are counted as replayed, want %d", n, packets)
	}
}
