package gateway

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Whatever strangers ask for, from few addresses or many, the key exchanges that are made cost no more than the part of the
// time that is theirs; and whoever asks for the first time gets his while others take all they can.
func TestBudget(t *testing.T) {
	for name, limits := range map[string]budgetLimits{"expensive": expensiveLimits(), "costly": costlyLimits()} {
		cost := suite.Cost(wire.KE_MODP_4096)
		if name == "costly" {
			cost = suite.Cost(wire.KE_MODP_2048)
		}
		for _, sources := range []int{1, 5, 100, 5000} {
			b := budget{limits: limits}
			start := time.Unix(1e9, 0)
			var all, one time.Duration
			const d = 5 * time.Minute
			const tick = time.Millisecond
			for i := range int(d / tick) {
				now := start.Add(time.Duration(i) * tick)
				if b.afford(now, crowdAddr(i%sources), cost) {
					all += cost
					if i%sources == 0 {
						one += cost
					}
				}
				if sources <= 5 && i > 2*sources && i%20000 == 0 && !b.afford(now, crowdAddr(10000+i/20000), cost) {
					t.Errorf("%s, %d sources: a newcomer got nothing after %v", name, sources, now.Sub(start))
				}
			}
			if most := limits.burst + time.Duration(limits.rate*float64(d)); all > most || all < most/5 {
				t.Errorf("%s, %d sources: %v of work in %v, want at most %v", name, sources, all, d, most)
			}
			if most := limits.sourceBurst + time.Duration(limits.sourceRate*float64(d)); one > most {
				t.Errorf("%s, %d sources: %v of work for one of them, want at most %v", name, sources, one, most)
			}
			if n := max(len(b.sources), len(b.served)); n > maxDebtors {
				t.Errorf("%s: %d sources are remembered", name, n)
			}
		}
		if 2*suite.Cost(wire.KE_MODP_8192) > limits.burst || suite.Cost(wire.KE_MODP_8192) > limits.sourceBurst {
			t.Errorf("%s: the most expensive group is never served", name)
		}
	}
}

// cheap makes key exchanges with a group that is expensive for what those of X25519 cost, for a test has no time: what it counts
// are the requests that get one.
func cheap(made *time.Duration) func(*rigOptions) {
	return func(o *rigOptions) {
		o.carryOut = func(x Errand) sa.Result {
			*made += x.Want.(sa.KeyExchange).Cost()
			return sa.Exchanged{Public: make([]byte, 512), Shared: make([]byte, 512)}
		}
	}
}

// Requests for expensive groups take a cookie, also the first one. Thirty a second are more than is served; what the others
// cost is no key exchange, and a peer that means well gets in by repeating its request.
func TestExpensiveGroups(t *testing.T) {
	const ike = "aes128gcm16-prfsha256-modp4096"
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		var made time.Duration
		gateway := right("none")
		gateway.remote, gateway.extra = "%any", "proposals = [\""+ike+"\"]"
		b := f.start(addrB, toml("", gateway), cheap(&made))
		settle(time.Millisecond)

		x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), 500), b.addr, ike)
		x.sendInit()
		settle(3 * latency)
		if x.answered(); x.cookie == nil || made > 0 {
			t.Fatalf("no cookie was demanded; %v of work", made)
		}
		// All of the flood is one request in many guises: making them is expensive, too.
		const seconds, rate = 60, 30
		for i := range seconds * rate {
			y := *x
			y.from, y.cookie = netip.AddrPortFrom(crowdAddr(i%3), uint16(1000+i)), nil
			y.spii, y.ni = wire.SPI(1e9+i), random(32)
			for range 2 {
				y.sendInit()
				settle(time.Second / rate / 2)
				for _, m := range crowd.take(y.from) {
					if m, err := wire.Parse(m); err == nil && m.Header.SPIi == y.spii {
						if n, ok := m.Payloads[0].(*wire.Notify); ok && n.NotifyType == wire.NotifyCookie {
							y.cookie = n.Data
						}
					}
				}
			}
		}
		limits := expensiveLimits()
		if most := limits.burst + time.Duration(limits.rate*seconds*1.1*float64(time.Second)); made > most || made < most/3 {
			t.Errorf("%v of work in %d seconds, want at most %v", made, seconds, most)
		}
		if n := b.d.Stats().Ignored[sa.IgnoreBudget]; n < seconds*rate/2 {
			t.Errorf("%d requests were counted as too many", n)
		}
		b.stop()
	})
}

// Many honest peers with an expensive group come in, also behind one address, in the time that they have.
func TestExpensivePeersComeIn(t *testing.T) {
	const ike = "aes128gcm16-prfsha256-modp4096"
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		gateway := right("none")
		gateway.remote, gateway.remoteID, gateway.extra = "%any", "%any", "unique = \"never\"\nproposals = [\""+ike+"\"]"
		gateway.children[0].remote = "172.16.0.0/12"
		b := f.start(addrB, toml("", gateway))
		// Twenty peers: ten connections of each of two hosts, which all begin at once.
		var peers []*node
		for i := range 2 {
			addr := netip.AddrFrom4([4]byte{192, 0, byte(3 + i), 1}).String()
			var conns []conn
			for j := range 10 {
				l := left("start")
				l.name, l.local, l.localID = string(rune('a'+j)), addr, string(rune('a'+j))+".example"
				l.children[0].local = fmt.Sprintf("172.16.%d.0/24", 10*i+j)
				l.extra = "proposals = [\"" + ike + "\"]"
				conns = append(conns, l)
			}
			peers = append(peers, f.start(addr, toml("", conns...)))
		}
		settle(40 * time.Second)
		if n := b.ikeSAs(); n != 20 {
			t.Errorf("%d of 20 peers are in; ignored: %v", n, b.d.Stats().Ignored)
		}
		if b.d.Stats().Ignored[sa.IgnoreBudget] == 0 {
			t.Error("none of them had to wait: the test shows nothing")
		}
		for _, p := range peers {
			p.stop()
		}
		b.stop()
	})
}

// The groups of additional key exchanges are counted, too: nobody has been authenticated before IKE_AUTH.
func TestExpensiveIntermediate(t *testing.T) {
	const ike = "aes128gcm16-prfsha256-x25519-ke1_modp3072"
	if _, err := proposal.Parse(wire.ProtocolIKE, ike); err != nil {
		t.Skip(err)
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		gateway, peer := right("none"), left("start")
		gateway.extra, peer.extra = "proposals = [\""+ike+"\"]", "proposals = [\""+ike+"\"]"
		b := f.start(addrB, toml("", gateway))
		settle(time.Millisecond)
		// Others have used up the budget, from the same address.
		now := time.Now()
		if err := b.d.call(t.Context(), func(time.Time) {
			for b.d.expensive.afford(now, netip.MustParseAddr(addrA), suite.Cost(wire.KE_MODP_3072)) {
			}
		}); err != nil {
			t.Fatal(err)
		}
		a := f.start(addrA, toml("", peer))
		settle(100 * time.Millisecond)
		if b.d.Stats().Ignored[sa.IgnoreBudget] == 0 {
			t.Errorf("it was not counted: %v", b.d.Stats().Ignored)
		}
		settle(10 * time.Second)
		if !a.child("b/net").Up() {
			t.Errorf("the peer did not get in: %v", a.last("b"))
		}
		a.stop()
		b.stop()
	})
}
