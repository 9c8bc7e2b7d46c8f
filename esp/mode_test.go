package esp

import "testing"

// An SA of a mode that this package does not have is refused, in both directions.
func TestModes(t *testing.T) {
	for m := range Mode(4) {
		s := allSuites()[0]
		encr, integ, err := s.KeyLen()
		if err != nil {
			t.Fatal(err)
		}
		out, err := NewOutbound(OutboundConfig{SPI: testSPI, Suite: s, Mode: m, EncrKey: make([]byte, encr), IntegKey: make([]byte, integ)})
		if (err == nil) != (m == Tunnel) || err == nil && out.Mode() != m {
			t.Errorf("%v, outbound: %v", m, err)
		}
		in, err := NewInbound(InboundConfig{SPI: testSPI, Suite: s, Mode: m, EncrKey: make([]byte, encr), IntegKey: make([]byte, integ)})
		if (err == nil) != (m == Tunnel) || err == nil && in.Mode() != m {
			t.Errorf("%v, inbound: %v", m, err)
		}
	}
	if s := Tunnel.String(); s != "tunnel" {
		t.Errorf("Tunnel is called %q", s)
	}
}
