package wire

import "encoding/binary"

// Notify is the Notify payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.10).
type Notify struct {
	Protocol   ProtocolID // of the SPI; ProtocolNone if there is no SPI
	SPI        []byte     // 4 octets for AH and ESP, usually none for IKE
	NotifyType NotifyType
	Data       []byte // notification data; see the typed constructors and accessors
}

// Type implements Payload.
func (*Notify) Type() PayloadType { return PayloadNotify }

// notifyHeaderLen is the length of the fields in front of the SPI.
const notifyHeaderLen = 4

// AppendBody implements Payload. The SPI must not have more than 255 octets.
func (p *Notify) AppendBody(b []byte) []byte {
	if len(p.SPI) > 0xff {
		panic("wire: BUG: SPI of more than 255 octets")
	}
	b = append(b, uint8(p.Protocol), uint8(len(p.SPI)))
	b = binary.BigEndian.AppendUint16(b, uint16(p.NotifyType))
	b = append(b, p.SPI...)
	return append(b, p.Data...)
}

// parseNotify parses the body of a Notify payload. Neither the notification data
// nor whether the SPI fits the type is looked at: an unrecognized notification
// must be ignored whatever it looks like, and one that isn't as it should be
// matters only to those who would act on it.
func parseNotify(b []byte, base int) (*Notify, error) {
	if len(b) < notifyHeaderLen {
		return nil, malformed(PayloadNotify, base, "%d octets, at least %d are needed", len(b), notifyHeaderLen)
	}
	// Protocol ID (1), SPI Size (1), Notify Message Type (2), SPI (variable),
	// Notification Data (variable).
	spiSize := int(b[1])
	if spiSize > len(b)-notifyHeaderLen {
		return nil, malformed(PayloadNotify, base+1, "SPI of %d octets, %d octets left", spiSize, len(b)-notifyHeaderLen)
	}
	n := &Notify{
		Protocol:   ProtocolID(b[0]),
		NotifyType: NotifyType(binary.BigEndian.Uint16(b[2:])),
	}
	end := notifyHeaderLen + spiSize
	if spiSize > 0 {
		n.SPI = b[notifyHeaderLen:end:end]
	}
	if len(b) > end {
		n.Data = b[end:]
	}
	return n, nil
}
