package gateway

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keptOut reports whether a node keeps packets to an address out of its tunnels.
func (n *node) keptOut(a netip.Addr) bool {
	return n.net.Excluded()[a] > 0
}

// of is a connection to a third gateway, at an address that nobody has, for a network.
func of(network string) conn {
	return conn{name: "c", local: addrB, remote: "203.0.113.77", localID: "b.example", remoteID: "c.example",
		children: []kid{{"far", "10.2.0.0/16", network, "trap", ""}}}
}

// A peer that says it has moved changes nothing on the host before it has answered there: whoever can send from an address need not
// get what is sent to it.
func TestMoveIsAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.onlyFromOwn()
		b := f.start(addrB, toml("", hostless("")))
		a := f.start(addrA, toml("", roaming("")))
		settle(time.Second)
		paired(t, a, b)
		f.setDeliver(func(from, to netip.AddrPort, _ []byte) bool {
			return f.nodes[from.Addr()] != nil && to.Addr() != ipC
		})
		a.moveTo(ipC)
		settle(time.Second)
		if b.d.Stats().Moves == 0 {
			t.Fatal("b has not heard of the move")
		}
		if b.keptOut(ipC) || !b.keptOut(ipA) {
			t.Errorf("kept out of the tunnels on a claim: %v", b.net.Excluded())
		}
		b.wantESP(ipB, ipA)
		f.onlyFromOwn()
		settle(30 * time.Second)
		b.wantESP(ipB, ipC)
		if !b.keptOut(ipC) || b.keptOut(ipA) {
			t.Errorf("kept out of the tunnels: %v", b.net.Excluded())
		}
		a.stop()
		settle(time.Second)
		b.stop()
		b.net.Empty(t)
	})
}

// A peer that moves into the networks of another one, or calls from there, may be there; the packets of everybody else to that address
// still take the other's tunnel.
func TestPeerInsideAnothersNetworks(t *testing.T) {
	for _, moves := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			f.onlyFromOwn()
			b := f.start(addrB, toml("", hostless(""), of("198.51.100.0/24")))
			at := addrA
			if !moves {
				at = ipC.String()
			}
			a := f.start(at, toml("", roaming("")))
			settle(time.Second)
			paired(t, a, b)
			if moves {
				a.moveTo(ipC)
				settle(5 * time.Second)
				paired(t, a, b)
			}
			b.wantESP(ipB, ipC)
			if b.keptOut(ipC) {
				t.Errorf("kept out of another's tunnel: %v", b.net.Excluded())
			}
			a.stop()
			settle(time.Second)
			b.stop()
			b.net.Empty(t)
		})
	}
}

// A peer is not followed into the networks that its own tunnel leads to.
func TestPeerInsideItsOwnNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.onlyFromOwn()
		own := hostless("")
		own.children[0].remote = "198.51.100.0/24"
		call := roaming("")
		call.children[0].local = "198.51.100.0/24"
		b := f.start(addrB, toml("", own))
		a := f.start(addrA, toml("", call))
		settle(time.Second)
		paired(t, a, b)
		a.moveTo(ipC)
		settle(2 * time.Second)
		if n := b.d.Stats().Moves; n != 0 {
			t.Errorf("b has followed %d times", n)
		}
		if !strings.Contains(a.log.String(), "UNACCEPTABLE_ADDRESSES") {
			t.Error("a does not say why")
		}
	})
}
