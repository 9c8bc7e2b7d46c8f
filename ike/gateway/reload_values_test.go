package gateway

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestReloadedValuesCount: what changes while the SAs stay is what the machines go by from then on: the connection's values, the child's,
// and those of [ike].
func TestReloadedValuesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		l := left("start")
		l.extra = "dpd_delay = \"1h\""
		a := f.start(addrA, toml("", l))
		settle(10 * time.Second)
		if paired(t, a, b) != 1 {
			t.Fatal("no tunnel")
		}
		ikes, children := saIDs(a, "b")
		sent := func(during time.Duration) (n int) {
			f.setDeliver(func(from, _ netip.AddrPort, _ []byte) bool {
				if from.Addr() == netip.MustParseAddr(addrA) {
					n++
				}
				return true
			})
			settle(during)
			return n
		}
		reload := func(head string) {
			t.Helper()
			if _, err := a.d.Reload(t.Context(), parse(t, toml(head, l))); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
		}

		if n := sent(2 * time.Minute); n > 10 {
			t.Errorf("%d messages while nothing is to be said", n)
		}
		l.extra = "dpd_delay = \"2s\""
		reload("")
		if n := sent(2 * time.Minute); n < 40 {
			t.Errorf("%d messages in two minutes with a dpd_delay of two seconds", n)
		}
		if i, _ := saIDs(a, "b"); !slices.Equal(i, ikes) {
			t.Errorf("the IKE SA is another: %v, was %v", i, ikes)
		}

		// The child's next rekeying, which was an hour away, comes when its new time says, after at most one of the old ones.
		l.children[0].extra = "rekey_time = \"1m\"\nlife_time = \"2m\"\nrand_time = \"0s\""
		reload("")
		settle(66 * time.Minute)
		_, first := saIDs(a, "b")
		settle(90 * time.Second)
		if _, second := saIDs(a, "b"); slices.Equal(first, children) || slices.Equal(second, first) || len(second) != 1 {
			t.Errorf("CHILD SAs %v, then %v, then %v: they are not rekeyed every minute", children, first, second)
		}

		// A peer that is lost is given up as [ike] says now.
		reload("[ike]\nretransmit_timeout = \"100ms\"\nretransmit_tries = 1\nretransmit_base = 1\n")
		f.setDeliver(func(netip.AddrPort, netip.AddrPort, []byte) bool { return false })
		settle(6 * time.Second)
		if i, _ := saIDs(a, "b"); slices.Equal(i, ikes) {
			t.Error("the lost peer has not been given up yet")
		}
		a.stop()
	})
}
