package gateway

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ESP that no SA is for is told to the peer that it comes from, and to nobody else; also when there is a flood of it.
func TestUnknownSPIIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		told := func() int { return strings.Count(b.log.String(), "INVAL_SPI") }
		at := netip.AddrPortFrom(ipA, a.info().Conns[0].SAs[0].Path.Local.Port())
		for _, from := range []netip.AddrPort{netip.AddrPortFrom(ipC, at.Port()), netip.AddrPortFrom(ipA, 1024)} {
			b.d.UnknownSPI(netip.AddrPort{}, from, 0xdead)
			settle(time.Second)
		}
		if n := told(); n != 0 {
			t.Fatalf("%d told for packets from elsewhere", n)
		}
		for range 5 {
			b.d.UnknownSPI(netip.AddrPort{}, at, 0xdead)
			settle(time.Second)
		}
		if n := told(); n != 1 {
			t.Errorf("%d told in five seconds", n)
		}
		settle(time.Minute)
		b.d.UnknownSPI(netip.AddrPort{}, netip.AddrPortFrom(ipA, 0), 0xdead) // raw ESP has no port
		settle(time.Second)
		if n := told(); n != 2 {
			t.Errorf("%d told", n)
		}
		if n := paired(t, a, b); n != 1 {
			t.Errorf("%d children", n)
		}
	})
}
