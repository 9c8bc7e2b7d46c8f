package sa

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// A secret makes cookies for a minute and is good for another. Nobody has to ask in between for it to go: after two minutes
// without a request nothing that was made before is good. A cookie that names a secret which never was is none.
func TestCookieSecretGoes(t *testing.T) {
	from, ni := netip.MustParseAddr("192.0.2.1"), make([]byte, 32)
	const spi = wire.SPI(7)
	random := func(n int) []byte { return make([]byte, n) }
	for age, want := range map[time.Duration]bool{
		0: true, 59 * time.Second: true, 61 * time.Second: true, 119 * time.Second: true, 2 * time.Minute: false, time.Hour: false,
	} {
		c := NewCookies(epoch, random)
		cookie := c.Make(epoch, ni, from, spi)
		if got := c.Valid(epoch.Add(age), cookie, ni, from, spi); got != want {
			t.Errorf("after %s: %v", age, got)
		}
	}
	c := NewCookies(epoch, random)
	cookie := c.Make(epoch, ni, from, spi)
	for i := range 4 {
		for _, v := range []byte{1, 2, 0x7f, 0xff} {
			other := append([]byte(nil), cookie...)
			other[i] ^= v
			if c.Valid(epoch, other, ni, from, spi) {
				t.Errorf("good with a version of % x", other[:4])
			}
		}
	}
}
