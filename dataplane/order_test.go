package dataplane

import (
	"testing"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// orderLab is a lab with policies, and SAs installed under them.
type orderLab struct {
	*lab
	spi uint32
}

func (l *orderLab) policy(id uint64, order int, remote string) {
	l.t.Helper()
	l.e.SetPolicy(id, selector.Policy{Pair: pair(l.t, ts4Local, remote), Order: order, Without: selector.Wait})
}

// sa installs an outbound SA and returns its SPI.
func (l *orderLab) sa(child, policy, line uint64, remote string) uint32 {
	l.t.Helper()
	l.spi++
	encr, integ := keys(l.t, gcm128(), "x")
	if err := l.e.InstallOutbound(child, policy, line, esp.OutboundConfig{SPI: l.spi, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
		pair(l.t, ts4Local, remote), esp.Path{Local: labA, Remote: labB, UDP: true}); err != nil {
		l.t.Fatal(err)
	}
	return l.spi
}

// want checks which SA takes a packet.
func (l *orderLab) want(dst string, spi uint32) {
	l.t.Helper()
	s := l.out(udpPacket(ipSpec{src: v4.src, dst: dst}, 1, 2, nil))
	switch {
	case spi == 0 && len(s) != 0:
		l.t.Errorf("a packet to %s leaves by the SA %08x", dst, be.Uint32(s[0].data))
	case spi != 0 && (len(s) != 1 || be.Uint32(s[0].data) != spi):
		l.t.Errorf("a packet to %s does not leave by the SA %08x: %d sent", dst, spi, len(s))
	}
}

// Which SA a packet takes is decided by what is configured, then by how specific what was negotiated is, then by which tunnel was
// there first; of one tunnel, by which SA is the newest. It never depends on when something was installed, but for that.
func TestOrderOfTheSAs(t *testing.T) {
	l := &orderLab{newLab(t, plainEnds), 0x1000}
	l.policy(1, 1, "10.2.0.0/16")
	l.policy(2, 2, "10.2.0.0/16")
	second, first := l.sa(10, 1, 10, "10.2.0.0/16"), l.sa(20, 2, 20, "10.2.0.0/16")
	l.want("10.2.3.1", second)
	l.policy(1, 3, "10.2.0.0/16") // another order of the configuration
	l.want("10.2.3.1", first)
	// Another policy's SA that was narrowed to less is no more specific than what is configured.
	l.sa(11, 1, 11, "10.2.3.0/24")
	l.want("10.2.3.1", first)
	// Of one policy, the longer prefix comes first, and the older line among equals.
	narrow := l.sa(21, 2, 21, "10.2.3.0/24")
	l.want("10.2.3.1", narrow)
	l.want("10.2.4.1", first)
	l.sa(22, 2, 22, "10.2.3.0/24")
	l.want("10.2.3.1", narrow)
	// A rekeyed SA takes over at once, and its predecessor takes nothing any more.
	fresh := l.sa(23, 2, 21, "10.2.3.0/24")
	l.want("10.2.3.1", fresh)
	l.e.RemoveOutbound(21)
	l.want("10.2.3.1", fresh)
	l.e.RemoveOutbound(20)
	l.want("10.2.4.1", second) // narrowed away in the first policy, and as much the other's
	l.want("10.3.0.1", 0)
}
