package gateway

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

const crowdIKE = "aes128gcm16-prfsha256-x25519"

// open is a gateway for peers from anywhere.
func openGateway(extra string) conn {
	any := right("none")
	any.remote, any.extra = "%any", "proposals = [\""+crowdIKE+"\"]\n"+extra
	return any
}

// largeInit makes an IKE_SA_INIT request as large as one can be.
func largeInit() (out []wire.Payload) {
	for range 11 {
		out = append(out, &wire.VendorID{Data: make([]byte, 1400)})
	}
	return out
}

// Attempts that are refused, for whatever reason, leave their answers behind, so that they can be repeated, and little
// else: so many in all, so many of one address. Peers that mean well come in all the while.
func TestRefusalsAreBounded(t *testing.T) {
	const attempts, batch = maxRefusalsOfSource * 5 / 4, 32
	for _, c := range []struct {
		name string
		auth func(x *caller) []byte
		// kept: there is an answer to keep.
		kept bool
	}{
		{"without IDi", func(x *caller) []byte { return x.seal(wire.ExchangeIKEAuth, 1) }, true},
		{"wrong key", func(x *caller) []byte { return x.seal(wire.ExchangeIKEAuth, 1, x.auth("a.example", "wrong")...) }, true},
		{"no such identity", func(x *caller) []byte { return x.seal(wire.ExchangeIKEAuth, 1, x.auth("z.example", testKey)...) }, true},
		{"critical payload", func(x *caller) []byte {
			return x.seal(wire.ExchangeIKEAuth, 1, &wire.Unknown{PayloadType: 200, Critical: true})
		}, true},
		{"not authentic", func(x *caller) []byte {
			b := x.seal(wire.ExchangeIKEAuth, 1)
			b[len(b)-1]++
			return b
		}, false},
		{"fragments that never are a message", func(x *caller) []byte { return x.fragment(1, make([]byte, 14000), 1, 5) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				crowd := newCrowd(f)
				b := f.start(addrB, toml("", openGateway("")))
				settle(time.Millisecond)
				before := heapInUse()
				for i := 0; i < attempts; i += batch {
					var xs []*caller
					for j := range batch {
						xs = append(xs, crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), uint16(1000+i+j)), b.addr, crowdIKE))
					}
					xs = beginAll(xs, largeInit()...)
					if len(xs) == 0 {
						continue
					}
					auths, first := make([][]byte, len(xs)), make([][]wire.NotifyType, len(xs))
					for k, x := range xs {
						auths[k] = c.auth(x)
						x.send(auths[k])
					}
					settle(3 * latency)
					for k, x := range xs {
						if first[k] = x.notifies(); (len(first[k]) == 1) != c.kept {
							t.Fatalf("answers: %v", first[k])
						}
					}
					if !c.kept {
						continue
					}
					last := len(xs) - 1
					xs[last].send(auths[last])
					settle(3 * latency)
					if again := xs[last].notifies(); len(again) != 1 || again[0] != first[last][0] {
						t.Fatalf("the repetition was answered with %v after %v", again, first[last])
					}
				}
				info := b.info()
				if info.IKESAs != info.HalfOpen || c.kept && info.HalfOpen > 0 {
					t.Errorf("%d IKE SAs, %d half-open", info.IKESAs, info.HalfOpen)
				}
				if c.kept && info.Refused != maxRefusalsOfSource {
					t.Errorf("%d refusals are kept, want %d", info.Refused, maxRefusalsOfSource)
				}
				if grown := heapInUse() - before; grown > 6<<20 {
					t.Errorf("the heap has grown by %d KiB for %d attempts", grown>>10, attempts)
				}
				a := f.start(addrA, toml("", left("start")))
				settle(time.Second)
				if !a.child("b/net").Up() {
					t.Errorf("a peer that means well did not get in: %v", a.last("b"))
				}
				settle(time.Minute)
				if info := b.info(); info.Refused+info.HalfOpen > 0 {
					t.Errorf("%d refusals and %d half-open after their time", info.Refused, info.HalfOpen)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// A late copy of the IKE_SA_INIT request of an attempt that was refused makes no new one, and who plays the refused request
// back gets few answers.
func TestRefusedIsRepeatedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		b := f.start(addrB, toml("", openGateway("")))
		x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), 500), b.addr, crowdIKE)
		if !x.begin() {
			t.Fatal("no answer")
		}
		init, auth := x.first, x.seal(wire.ExchangeIKEAuth, 1)
		x.send(auth)
		settle(time.Second)
		x.notifies()
		x.send(init)
		settle(time.Second)
		if n := b.ikeSAs(); n != 0 || len(x.notifies()) != 0 {
			t.Errorf("%d IKE SAs of a late copy", n)
		}
		for range 200 {
			x.send(auth)
			settle(10 * time.Millisecond)
		}
		if n := len(x.notifies()); n < 4 || n > 10 {
			t.Errorf("%d answers within two seconds", n)
		}
		if b.d.Stats().Ignored[sa.IgnoreRepeated] == 0 {
			t.Error("the others were not counted")
		}
	})
}

// The same holds for requests that were not refused: the IKE_SA_INIT of a half-open IKE SA, and one of an established IKE SA that
// is played back.
func TestAnswersAreRepeatedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		b := f.start(addrB, toml("", openGateway("")))
		x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), 500), b.addr, crowdIKE)
		flood := func(what string, b []byte) {
			t.Helper()
			x.c.take(x.from)
			for range 200 {
				x.send(b)
				settle(10 * time.Millisecond)
			}
			if n := len(x.c.take(x.from)); n < 4 || n > 10 {
				t.Errorf("%s: %d answers within two seconds", what, n)
			}
		}
		if !x.begin() {
			t.Fatal("no answer")
		}
		flood("IKE_SA_INIT", x.first)
		auth := x.seal(wire.ExchangeIKEAuth, 1, append(x.auth("a.example", testKey), x.child(1000, "aes128gcm16", "10.1.0.0/16", "10.2.0.0/16")...)...)
		x.send(auth)
		settle(time.Second)
		if !b.child("a/net").Up() {
			t.Fatalf("not established: %v", x.notifies())
		}
		flood("IKE_AUTH", auth)
		alive := x.seal(wire.ExchangeInformational, 2)
		flood("INFORMATIONAL", alive)
		// Who plays it back from elsewhere does not keep the peer from its answer.
		other := *x
		other.from = netip.AddrPortFrom(crowdAddr(1), 500)
		settle(5 * time.Second)
		for range 100 {
			other.send(alive)
		}
		settle(3 * latency)
		crowd.take(x.from)
		x.send(alive)
		settle(3 * latency)
		if n := len(crowd.take(x.from)); n != 1 {
			t.Errorf("%d answers to the peer", n)
		}
		if n := len(crowd.take(other.from)); n == 0 || n > 10 {
			t.Errorf("%d answers to who has played it back", n)
		}
	})
}

// A few addresses that return cookies and fill the table of half-open IKE SAs do not keep others out: who has most gives way.
func TestFewAddressesDoNotCloseTheGateway(t *testing.T) {
	for name, addr := range map[string]func(i int) netip.Addr{
		"three addresses": func(i int) netip.Addr { return crowdAddr(i % 3) },
		"a network": func(i int) netip.Addr {
			return netip.AddrFrom4([4]byte{100, 64, 0, byte(1 + i%200)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				crowd := newCrowd(f)
				b := f.start(addrB, toml("[ike]\nhalf_open_limit = 60\nblock_threshold = 40\n", openGateway("")))
				settle(time.Millisecond)
				n := 0
				attack := func(times int) {
					for range times {
						x := crowd.caller(t, netip.AddrPortFrom(addr(n), uint16(1000+n)), b.addr, crowdIKE)
						n++
						x.begin()
					}
				}
				attack(200)
				if got := b.info().HalfOpen; got != 60 {
					t.Fatalf("%d half-open, want a full table", got)
				}
				a := f.start(addrA, toml("", left("start")))
				attack(50)
				if !a.child("b/net").Up() {
					t.Errorf("a peer that means well did not get in: %v", a.last("b"))
				}
				s := b.d.Stats()
				if got := b.info().HalfOpen; got > 60 || s.Ignored[sa.IgnorePushedOut] == 0 {
					t.Errorf("%d half-open; ignored: %v", got, s.Ignored)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// There is a bound for all sources together, too.
func TestRefusalsInAll(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("thousands of key exchanges")
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		b := f.start(addrB, toml("", openGateway("")))
		const batch = 300
		for i := 0; i < maxRefusals+batch; i += batch {
			var xs []*caller
			for j := range batch {
				xs = append(xs, crowd.caller(t, netip.AddrPortFrom(crowdAddr(i+j), 500), b.addr, crowdIKE))
			}
			for _, x := range beginAll(xs) {
				x.send(x.seal(wire.ExchangeIKEAuth, 1))
			}
			settle(3 * latency)
		}
		if n := b.info().Refused; n != maxRefusals {
			t.Errorf("%d refusals are kept, want %d", n, maxRefusals)
		}
	})
}
