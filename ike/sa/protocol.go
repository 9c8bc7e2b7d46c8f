package sa

import (
	"encoding/binary"

	"esplanade/esp"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// What CHILD SAs there can be: their protocol and their mode. Both are values of a [Child], and everything else asks them.

// childProtocol reports whether CHILD SAs can be of a protocol.
func childProtocol(p wire.ProtocolID) bool { return p == wire.ProtocolESP }

// modeOf is the mode of the CHILD SAs of a configured child. Both sides have tunnel mode unless both want another: "If the
// request is accepted, the response MUST also include a notification of type USE_TRANSPORT_MODE. If the responder declines
// the request, the Child SA will be established in tunnel mode." https://www.rfc-editor.org/rfc/rfc7296#section-1.3.1
func modeOf(c *ChildConfig) esp.Mode {
	switch c.Mode {
	case policy.ModeTunnel:
		return esp.Tunnel
	}
	panic("BUG: no mode of CHILD SAs for " + c.Mode.String())
}

// childSPI is an SPI of one side with its protocol: each protocol has SPIs of its own.
type childSPI struct {
	protocol wire.ProtocolID
	spi      uint32
}

// parseChildSPI reads the SPI of an ESP or AH SA.
func parseChildSPI(b []byte) (uint32, bool) {
	if len(b) != 4 {
		return 0, false
	}
	spi := binary.BigEndian.Uint32(b)
	// SPI values 0 to 255 are reserved: https://www.rfc-editor.org/rfc/rfc4303#section-2.1
	return spi, spi > 255
}

// deleteChild is the payload that deletes one CHILD SA, by the SPI that its receiver sends to.
func deleteChild(protocol wire.ProtocolID, spi uint32) *wire.Delete {
	return &wire.Delete{Protocol: protocol, SPIs: [][]byte{binary.BigEndian.AppendUint32(nil, spi)}}
}

// childByPeerSPI is the child that sends to an SPI of the peer's, nil if there is none.
func (m *Machine) childByPeerSPI(protocol wire.ProtocolID, spi uint32) *Child {
	for _, c := range m.children {
		if c.Protocol == protocol && c.Outbound.SPI == spi {
			return c
		}
	}
	return nil
}
