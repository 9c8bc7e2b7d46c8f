package gateway

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// However many sources there are, no more IKE SAs are half-open at a time than half_open_limit says.
func TestHalfOpenLimit(t *testing.T) {
	init := captureInit(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		any := right("none")
		any.remote = "%any"
		b := f.start(addrB, toml("[ike]\nhalf_open_limit = 10\ncookie_threshold = 10\n", any))
		settle(time.Millisecond)
		// Below the limit there are no cookies to be asked for, so that every request would leave something behind.
		b.d.conf.IKE.CookieThreshold, b.d.conf.IKE.CookieThresholdIP = 1000, 1000
		to := netip.AddrPortFrom(b.addr, 500)
		for i := range 50 {
			b.d.HandleIKE(to, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 0, byte(i)}), 500), numbered(init, i))
		}
		settle(time.Second)
		if n := b.info().HalfOpen; n != 10 {
			t.Errorf("%d half-open IKE SAs, want 10", n)
		}
	})
}

// One source is asked for a cookie long before everybody is.
func TestCookieThresholdOfOneSource(t *testing.T) {
	init := captureInit(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		any := right("none")
		any.remote = "%any"
		b := f.start(addrB, toml("[ike]\ncookie_threshold = 50\ncookie_threshold_ip = 3\n", any))
		settle(time.Millisecond)
		to := netip.AddrPortFrom(b.addr, 500)
		for i := range 10 {
			b.d.HandleIKE(to, netip.AddrPortFrom(netip.MustParseAddr("198.18.0.1"), uint16(1000+i)), numbered(init, i))
			b.d.HandleIKE(to, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 19, byte(i), 1}), 500), numbered(init, 100+i))
		}
		settle(time.Second)
		if n, demanded := b.info().HalfOpen, b.d.Stats().Ignored[sa.IgnoreCookie]; n != 3+10 || demanded != 7 {
			t.Errorf("%d half-open IKE SAs, %d cookies were demanded", n, demanded)
		}
	})
}

// What a half-open IKE SA keeps of its peer counts: a large request, and fragments that never become a message.
func TestFragmentsWeigh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		b := f.start(addrB, toml("", openGateway("")))
		settle(time.Millisecond)
		weight := func() (n int) {
			t.Helper()
			if err := b.d.call(context.Background(), func(time.Time) { n = b.d.table.half.total() }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		small := beginAll([]*caller{crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), 1000), b.addr, crowdIKE)})
		if len(small) != 1 || weight() != 1 {
			t.Fatalf("a small request weighs %d", weight())
		}
		before := weight()
		large := beginAll([]*caller{crowd.caller(t, netip.AddrPortFrom(crowdAddr(1), 1000), b.addr, crowdIKE)}, largeInit()...)
		if len(large) != 1 || weight()-before < 2 {
			t.Errorf("a large request weighs %d", weight()-before)
		}
		before = weight()
		for n := range 3 {
			small[0].send(small[0].fragment(1, make([]byte, 14000), n+1, 5))
		}
		settle(3 * latency)
		if weight()-before < 2 {
			t.Errorf("42,000 octets of a message that is not whole weigh %d", weight()-before)
		}
		b.stop()
	})
}

// What was refused a moment ago counts for a cookie as what is half-open does.
func TestRefusedCountForCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		b := f.start(addrB, toml("[ike]\ncookie_threshold_ip = 3\n", openGateway("")))
		settle(time.Millisecond)
		from := func(port uint16) *caller {
			return crowd.caller(t, netip.AddrPortFrom(crowdAddr(0), port), b.addr, crowdIKE)
		}
		for i := range uint16(3) {
			x := from(1000 + i)
			if !x.begin() {
				t.Fatalf("attempt %d was not answered", i)
			}
			x.send(x.seal(wire.ExchangeIKEAuth, 1, x.auth("z.example", testKey)...))
			settle(3 * latency)
		}
		if info, n := b.info(), b.d.Stats().Ignored[sa.IgnoreCookie]; info.HalfOpen != 0 || info.Refused != 3 || n != 0 {
			t.Fatalf("%d half-open, %d refused, %d cookies were demanded", info.HalfOpen, info.Refused, n)
		}
		from(2000).sendInit()
		settle(3 * latency)
		if n := b.d.Stats().Ignored[sa.IgnoreCookie]; n != 1 {
			t.Errorf("%d cookies were demanded", n)
		}
		b.stop()
	})
}
