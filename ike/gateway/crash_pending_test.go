package gateway

import (
	"bytes"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/wire"
)

// While the answer to a rekeying of the IKE SA is on its way, the peer has the new IKE SA and this side does not. Its token must
// not be shown then: the IKE SA is about to live, and who has heard the token could end it.
// https://www.rfc-editor.org/rfc/rfc6290#section-9.2
func TestTokenOfARekeyingIsNotRevealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")), func(o *rigOptions) { o.CrashSecret = bytes.Repeat([]byte{8}, 32) })
		settle(time.Second)
		old := a.info().Conns[0].SAs[0].SPIi
		var held atomic.Bool // read by the daemons' goroutines
		held.Store(true)
		shown := 0
		f.setDeliver(func(from, _ netip.AddrPort, x []byte) bool {
			if m, err := wire.Parse(x); err == nil && m.Encrypted == nil {
				for _, p := range m.Payloads {
					if n, ok := p.(*wire.Notify); ok && n.NotifyType == wire.NotifyQuickCrashDetection {
						shown++
					}
				}
			}
			return !held.Load() || from.Addr() != b.addr
		})
		if _, err := a.d.Rekey(t.Context(), Target{Connection: "b"}); err != nil {
			t.Fatal(err)
		}
		settle(200 * time.Millisecond)
		var i, r wire.SPI
		for _, s := range b.info().Conns[0].SAs {
			if s.SPIi != old {
				i, r = s.SPIi, s.SPIr
			}
		}
		if i == 0 {
			t.Fatal("the peer has no new IKE SA")
		}
		h := wire.Header{SPIi: i, SPIr: r, Major: 2, Exchange: wire.ExchangeInformational}
		a.d.HandleIKE(netip.AddrPortFrom(a.addr, 4500), netip.MustParseAddrPort("203.0.113.66:4500"),
			wire.AppendProtected(nil, h, wire.PayloadNone, 40))
		settle(50 * time.Millisecond)
		held.Store(false)
		settle(20 * time.Second)
		if s := a.info().Conns[0].SAs; len(s) != 1 || s[0].SPIi != i || s[0].SPIr != r {
			t.Errorf("the rekeying has not come to its end: %v", s)
		}
		if shown != 0 {
			t.Errorf("the token was shown %d times", shown)
		}
		a.stop()
		b.stop()
	})
}
