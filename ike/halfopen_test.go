package ike

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
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
