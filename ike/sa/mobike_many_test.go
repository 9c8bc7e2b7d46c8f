package sa

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// A message of IKE_AUTH has no more notifications than peers read. What it has no room for of the addresses is announced as soon as the
// IKE SA is up.
func TestManyAddressesInIKEAuth(t *testing.T) {
	m := newMobileRig(t, func(a, b *Config) { a.Resumption, b.Resumption = true, true })
	list := func(own netip.Addr, third byte) (more []netip.Addr) {
		for i := range byte(maxOwnAddrs) {
			more = append(more, netip.AddrFrom4([4]byte{198, 51, third, i + 1}))
		}
		return more
	}
	more := map[*end][]netip.Addr{m.a: list(a1, 101), m.b: list(b1, 102)}
	m.addrs[m.a], m.addrs[m.b] = append([]netip.Addr{a1}, more[m.a]...), append([]netip.Addr{b1}, more[m.b]...)
	count := func(from *end, response bool, want int) *int {
		return m.edit(from, wire.ExchangeIKEAuth, response, func(ps []wire.Payload) []wire.Payload {
			n := 0
			for _, p := range ps {
				if _, ok := p.(*wire.Notify); ok {
					n++
				}
			}
			if n != want {
				t.Errorf("%s sends %d notifications, want %d", from.name, n, want)
			}
			return ps
		})
	}
	request, answer := count(m.a, false, maxAuthNotifies), count(m.b, true, maxOwnAddrs+3)
	ma, mb := m.up()
	m.run(time.Second)
	if *request != 1 || *answer != 1 {
		t.Errorf("%d requests and %d answers of IKE_AUTH", *request, *answer)
	}
	for e, peer := range map[*end]*Machine{m.a: mb, m.b: ma} {
		if got := peer.Snapshot().PeerAddrs; !slices.Equal(got, more[e]) {
			t.Errorf("the peer of %s knows %v", e.name, got)
		}
	}
}
