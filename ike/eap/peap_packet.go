package eap

import (
	"encoding/binary"

	"esplanade/ike/eap/tunnel"
)

// peapVersion is the version of PEAP: the one of Windows.
const peapVersion = 0

// Within a tunnel of PEAP version 0, packets of EAP have neither code nor identifier nor length, which are those of the packet around: only
// those of the EAP TLV Extensions Method have ([MS-PEAP] 3.1.5.6). Some servers put a header in front of the request for the identity.

// wrapPEAP is a packet as it is said in the tunnel.
func wrapPEAP(b []byte) []byte {
	if len(b) > headerLen && Type(b[headerLen]) != typeExtensions {
		return b[headerLen:]
	}
	return b
}

// unwrapPEAP makes a packet of what was said in the tunnel: code is what it has to have.
func unwrapPEAP(plain []byte, code, id uint8) ([]byte, *Failure) {
	if len(plain) == 0 || len(plain) > tunnel.MaxPlain-headerLen {
		return nil, protocolError("%d bytes in the tunnel", len(plain))
	}
	if len(plain) > headerLen && plain[0] == code && int(binary.BigEndian.Uint16(plain[2:])) == len(plain) {
		plain = plain[headerLen:]
	}
	b := append([]byte{code, id, 0, 0}, plain...)
	if len(b) > MaxPacket {
		return nil, protocolError("%d bytes in the tunnel", len(plain))
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b, nil
}
