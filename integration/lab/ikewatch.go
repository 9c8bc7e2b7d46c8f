//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// IKEMessage is what anyone on the wire can read of an IKE message: its header (RFC 7296 section 3.1).
type IKEMessage struct {
	Src, Dst   netip.AddrPort
	SPIi, SPIr uint64
	Exchange   uint8
	Response   bool
	Initiator  bool // sent by the original initiator of the IKE SA
	MessageID  uint32
	First      uint8  // type of the first payload
	Raw        []byte // the whole message, without the non-ESP marker
}

// Payload types that a message may begin with, RFC 7296 section 3.2 and RFC 7383 section 2.5.
const (
	PayloadNotify            = 41
	PayloadEncryptedFragment = 53
)

// Exchange types of RFC 7296 section 3.1, RFC 5723, RFC 9242 and RFC 9370.
const (
	IKESAInit        = 34
	IKEAuth          = 35
	CreateChildSA    = 36
	Informational    = 37
	IKESessionResume = 38
	IKEIntermediate  = 43
	IKEFollowupKE    = 44
)

func (m IKEMessage) String() string {
	name := map[uint8]string{IKESAInit: "IKE_SA_INIT", IKEAuth: "IKE_AUTH", CreateChildSA: "CREATE_CHILD_SA", Informational: "INFORMATIONAL"}[m.Exchange]
	if name == "" {
		name = fmt.Sprintf("exchange %d", m.Exchange)
	}
	kind := "request"
	if m.Response {
		kind = "response"
	}
	return fmt.Sprintf("%s %s %d %v -> %v", name, kind, m.MessageID, m.Src, m.Dst)
}

// ParseIKE reads the IKE header of an Ethernet frame, if it carries IKE on port 500, or on 4500 behind the four
// zero octets of the non-ESP marker (RFC 3948 section 2.2). Raw is part of the frame.
func ParseIKE(frame []byte) (IKEMessage, bool) {
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	udp, ok := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if !ok {
		return IKEMessage{}, false
	}
	b := udp.Payload
	switch {
	case udp.SrcPort == 4500 || udp.DstPort == 4500:
		if len(b) < 4 || binary.BigEndian.Uint32(b) != 0 {
			return IKEMessage{}, false
		}
		b = b[4:]
	case udp.SrcPort != 500 && udp.DstPort != 500:
		return IKEMessage{}, false
	}
	if len(b) < 28 {
		return IKEMessage{}, false
	}
	src, _ := netip.AddrFromSlice(p.NetworkLayer().NetworkFlow().Src().Raw())
	dst, _ := netip.AddrFromSlice(p.NetworkLayer().NetworkFlow().Dst().Raw())
	return IKEMessage{
		Src: netip.AddrPortFrom(src, uint16(udp.SrcPort)), Dst: netip.AddrPortFrom(dst, uint16(udp.DstPort)),
		SPIi: binary.BigEndian.Uint64(b), SPIr: binary.BigEndian.Uint64(b[8:]),
		Exchange: b[18], Initiator: b[19]&0x08 != 0, Response: b[19]&0x20 != 0, MessageID: binary.BigEndian.Uint32(b[20:]),
		First: b[16], Raw: b,
	}, true
}
