package gateway

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
)

// TestLinkLocalTunnel: two gateways that know each other by link-local addresses with their interface, on both sides.
func TestLinkLocalTunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		l, r := left("start"), right("none")
		l.local, l.remote, r.local, r.remote = "fe80::1%eth0", "fe80::2%eth0", "fe80::2%eth0", "fe80::1%eth0"
		a, b := f.start(l.local, toml("", l)), f.start(r.local, toml("", r))
		settle(10 * time.Second)
		if paired(t, a, b) != 1 {
			t.Errorf("no tunnel\n%s", a.log)
		}
		a.stop()
		b.stop()
	})
}

// TestWhichLink: a link-local address is the same with and without its interface, as the system does not always tell it, but
// not on another one.
func TestWhichLink(t *testing.T) {
	var n names
	for _, tt := range []struct {
		list, addr string
		want       int
	}{
		{"fe80::2%eth0", "fe80::2%eth0", exactly}, {"fe80::2%eth0", "fe80::2", exactly}, {"fe80::2%eth0", "fe80::2%eth1", 0},
		{"fe80::2%eth0", "fe80::3%eth0", 0}, {"fe80::/10", "fe80::2%eth0", 2}, {"fe80::1-fe80::2", "fe80::2%eth0", 2},
		{"%any", "fe80::2%eth0", 1}, {"2001:db8::2", "2001:db8::2", exactly}, {"192.0.2.1", "::ffff:192.0.2.1", exactly},
	} {
		e, err := config.ParseEndpoint(tt.list)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.match([]config.Endpoint{e}, netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s and %s: %d, want %d", tt.list, tt.addr, got, tt.want)
		}
	}
}

// TestLocalAddressOnTheLink: of several local addresses the one on the peer's link is used, and a link-local one for no other.
func TestLocalAddressOnTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		l := left("none")
		l.local = `fe80::1%eth0", "fe80::1%eth1", "2001:db8::1`
		text := strings.ReplaceAll(toml("", l), `\"`, `"`)
		a := f.start("2001:db8::1", text)
		for remote, want := range map[string]string{
			"fe80::2%eth1": "fe80::1%eth1", "fe80::2%eth0": "fe80::1%eth0", "2001:db8::2": "2001:db8::1", "fe80::2%eth2": "2001:db8::1",
		} {
			if err := a.d.call(context.Background(), func(time.Time) {
				got, err := a.d.localFor(a.d.conns[0], netip.MustParseAddr(remote))
				if err != nil || got.String() != want {
					t.Errorf("to %s from %s, %v; want %s", remote, got, err, want)
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		a.stop()
	})
}

// TestNamesOfNobody: what a name stands for is not believed when no gateway can be there.
func TestNamesOfNobody(t *testing.T) {
	for addr, want := range map[string]bool{
		"192.0.2.1": true, "2001:db8::1": true, "169.254.1.1": true, "127.0.0.1": true,
		"fe80::1": false, "ff02::1": false, "224.0.0.1": false, "0.0.0.0": false, "::": false,
	} {
		if got := anybodys(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %t", addr, got)
		}
	}
}
