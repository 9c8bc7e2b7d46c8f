package sa

import (
	"encoding/binary"
	"testing"

	"esplanade/esp"
	"esplanade/ike/wire"
)

// Each protocol has SPIs of its own: what the peer says of an AH SA is not about the ESP SA with the same SPI.
func TestSPIsOfAnotherProtocol(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		c := f.e.liveChildren()[0]
		if c.Protocol != wire.ProtocolESP || c.Mode != esp.Tunnel || c.Inbound.Mode != esp.Tunnel || c.Outbound.Mode != esp.Tunnel {
			t.Errorf("the CHILD SA is of %s, %s", c.Protocol, c.Mode)
		}
		if s := SnapshotChild(c); s.Protocol != c.Protocol || s.Mode != c.Mode {
			t.Errorf("shown as %s, %s", s.Protocol, s.Mode)
		}
		spi := [][]byte{binary.BigEndian.AppendUint32(nil, f.spi)}
		f.sends(wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolAH, SPIs: spi})
		f.wants("INFORMATIONAL response { }", "there are no CHILD SAs of AH")
		if len(f.e.liveChildren()) != 1 {
			t.Fatal("the CHILD SA of ESP is deleted")
		}
		f.sends(wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolESP, SPIs: spi})
		f.wants("INFORMATIONAL response { D }", "the answer deletes the other direction, RFC 7296 1.4.1")
		if d := f.got[0].(*wire.Delete); d.Protocol != wire.ProtocolESP || len(f.e.liveChildren()) != 0 {
			t.Errorf("the answer deletes SAs of %s; %d CHILD SAs are left", d.Protocol, len(f.e.liveChildren()))
		}
	})
}
