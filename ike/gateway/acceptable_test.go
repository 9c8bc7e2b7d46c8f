package gateway

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
)

// Where a peer may move to: to an address that can be that of another host, at one that the connection uses. Otherwise one
// that has authenticated could have this gateway send to a group, to nobody, or to itself, in a circle.
func TestAcceptableAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		settle(time.Second)
		for _, c := range []struct {
			local, remote string
			want          bool
		}{
			{addrB, addrA, true},
			{addrB, "203.0.113.7", true},
			{addrB, "10.1.0.7", false}, // in the networks of the tunnel
			{addrB, addrB, false},
			{addrB, "0.0.0.0", false},
			{addrB, "::", false},
			{addrB, "224.0.0.1", false},
			{addrB, "ff02::1", false},
			{"192.0.2.99", "203.0.113.7", false},
		} {
			path := sa.Path{Local: netip.AddrPortFrom(netip.MustParseAddr(c.local), 4500), Remote: netip.AddrPortFrom(netip.MustParseAddr(c.remote), 4500)}
			var got, stranger bool
			if err := b.d.call(context.Background(), func(time.Time) {
				got, stranger = b.d.acceptable(b.d.conns[0].cfg, path), b.d.acceptable(&sa.Config{}, path)
			}); err != nil {
				t.Fatal(err)
			}
			if got != c.want || stranger {
				t.Errorf("%s: %v, want %v; without a connection: %v", path, got, c.want, stranger)
			}
		}
	})
}
