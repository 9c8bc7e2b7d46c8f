package gateway

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/suite"
)

// numbered is a request with an initiator's SPI of its own.
func numbered(init []byte, n int) []byte {
	m := append([]byte(nil), init...)
	binary.BigEndian.PutUint64(m[:8], 0xf100d_0000_0000+uint64(n))
	return m
}

// What one address can have half-open is limited, cookies or not: whoever can be reached at an address can return cookies
// too. Others still get in.
func TestHalfOpenOfOneSource(t *testing.T) {
	init := captureInit(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		any := right("none")
		any.remote = "%any"
		b := f.start(addrB, toml("[ike]\nblock_threshold = 10\ncookie_threshold = 100\ncookie_threshold_ip = 100\n", any))
		settle(time.Millisecond)
		to, from := netip.AddrPortFrom(b.addr, 500), netip.MustParseAddr("198.18.0.1")
		for i := range 50 {
			b.d.HandleIKE(to, netip.AddrPortFrom(from, uint16(1000+i)), numbered(init, i))
		}
		settle(time.Second)
		if n := b.info().HalfOpen; n != 10 {
			t.Errorf("%d half-open SAs of one address, want 10", n)
		}
		if n := b.d.Stats().Ignored[sa.IgnoreSource]; n != 40 {
			t.Errorf("%d requests were counted as beyond the limit, want 40", n)
		}
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		if !a.child("b/net").Up() {
			t.Errorf("another peer did not get in: %v", a.last("b"))
		}
		settle(time.Minute)
		b.d.HandleIKE(to, netip.AddrPortFrom(from, 1000), numbered(init, 100))
		settle(time.Second)
		if n := b.info().HalfOpen; n != 1 {
			t.Errorf("%d half-open SAs of the address after the time of the first ones, want 1", n)
		}
	})
}

// An IPv6 host counts with all addresses of its /64.
func TestSourceOf(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::", "2001:db8::ffff:0:0:1": "2001:db8::",
		"2001:db8:0:1::1": "2001:db8:0:1::", "fe80::1%eth0": "fe80::",
	} {
		if got := sourceOf(netip.MustParseAddr(a)); got != netip.MustParseAddr(want) {
			t.Errorf("%s counts as %s, want %s", a, got, want)
		}
	}
}

// Requests that are refused leave no half-open SA behind. Many of them have initiators return a cookie all the same,
// which costs less than a refusal and its report.
func TestRefusalSurge(t *testing.T) {
	init := captureInit(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", conn{name: "c", local: addrB, remote: "192.0.2.3", localID: "b.example", remoteID: "c.example",
			children: []kid{{"net", "10.2.0.0/16", "10.3.0.0/16", "none", ""}}}))
		settle(time.Millisecond)
		to := netip.AddrPortFrom(b.addr, 500)
		sent := 0 // each request is another attempt
		send := func(n int) {
			for i := sent; i < sent+n; i++ {
				b.d.HandleIKE(to, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 500), numbered(init, i))
			}
			sent += n
			settle(100 * time.Millisecond)
		}
		const flood = 500
		send(flood)
		reported := func() (n uint64) {
			for _, c := range b.d.Stats().Failures {
				n += c
			}
			return n
		}
		if n, demanded := reported(), b.d.Stats().Ignored[sa.IgnoreCookie]; n != refusalsPerSecond+1 || demanded != flood-n {
			t.Errorf("%d of %d requests were refused and %d answered with a cookie, want %d and the rest", n, flood, demanded, refusalsPerSecond+1)
		}
		c := f.start("192.0.2.3", toml("", conn{name: "b", local: "192.0.2.3", remote: addrB, localID: "c.example",
			remoteID: "b.example", children: []kid{{"net", "10.3.0.0/16", "10.2.0.0/16", "start", ""}}}))
		settle(time.Second)
		if !c.child("b/net").Up() {
			t.Errorf("a peer with a connection did not get in: %v", c.last("b"))
		}
		settle(surgeTime)
		before := reported()
		send(1)
		if n := reported() - before; n != 1 {
			t.Errorf("%d refusals of one request after the surge", n)
		}
	})
}

// zeroKE sends a public value that must not be used.
type zeroKE struct{ suite.KeyExchange }

func (zeroKE) Public() []byte { return make([]byte, 32) }

// Requests with a bad public value are refused after the key exchange was tried, when there was a half-open IKE SA already. Nothing
// is left of it, and they count as those that are refused before.
func TestRefusalSurgeOfBadValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		gateway := right("none")
		gateway.remote = "%any"
		b := f.start(addrB, toml("", gateway))
		settle(time.Millisecond)
		const flood = 200
		for i := range flood {
			x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(i), 500), b.addr, "aes128gcm16-prfsha256-x25519")
			x.ke = zeroKE{x.ke}
			x.sendInit()
		}
		settle(100 * time.Millisecond)
		var refused uint64
		for k, n := range b.d.Stats().Failures {
			if k.Reason != "ke_value" {
				t.Errorf("%+v", k)
			}
			refused += n
		}
		if demanded := b.d.Stats().Ignored[sa.IgnoreCookie]; refused != refusalsPerSecond+1 || demanded != flood-refused {
			t.Errorf("%d of %d requests were refused and %d answered with a cookie", refused, flood, demanded)
		}
		if i, err := b.d.Info(t.Context()); err != nil || i.HalfOpen != 0 {
			t.Errorf("%d half-open IKE SAs, %v", i.HalfOpen, err)
		}
	})
}
