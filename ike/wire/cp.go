package wire

import "encoding/binary"

// CP is the Configuration payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.15).
type CP struct {
	CfgType    CfgType
	Attributes []CfgAttr
}

// CfgAttr is one configuration attribute. An empty Value in a request asks for
// any value.
type CfgAttr struct {
	Type  CfgAttrType // 15 bits
	Value []byte
}

// Type implements Payload.
func (*CP) Type() PayloadType { return PayloadCP }

const (
	cpHeaderLen      = 4
	cfgAttrHeaderLen = 4
	// cfgAttrTypeMask takes away the R bit, which "MUST be set to zero and MUST be
	// ignored on receipt" (https://www.rfc-editor.org/rfc/rfc7296#section-3.15.1).
	cfgAttrTypeMask = 0x7fff
)

// AppendBody implements Payload. All attributes together must not be longer than
// MaxBodyLen.
func (p *CP) AppendBody(b []byte) []byte {
	b = append(b, uint8(p.CfgType), 0, 0, 0)
	for _, a := range p.Attributes {
		if len(a.Value) > MaxBodyLen {
			panic("wire: BUG: CP payload is too long to be sent")
		}
		b = binary.BigEndian.AppendUint16(b, uint16(a.Type)&cfgAttrTypeMask)
		b = binary.BigEndian.AppendUint16(b, uint16(len(a.Value)))
		b = append(b, a.Value...)
	}
	return b
}

// parseCP parses the body of a CP payload. The values aren't looked at:
// attributes that aren't understood must be ignored.
func parseCP(b []byte, base int) (*CP, error) {
	if len(b) < cpHeaderLen {
		return nil, malformed(PayloadCP, base, "%d octets, at least %d are needed", len(b), cpHeaderLen)
	}
	// CFG Type (1), RESERVED (3), Configuration Attributes (variable).
	cp := &CP{CfgType: CfgType(b[0])}
	for off := cpHeaderLen; off < len(b); {
		rest := b[off:]
		if len(rest) < cfgAttrHeaderLen {
			return nil, malformed(PayloadCP, base+off, "%d octets left, an attribute has at least %d", len(rest), cfgAttrHeaderLen)
		}
		// Reserved (1 bit), Attribute Type (15 bits), Length (2), Value (variable).
		a := CfgAttr{Type: CfgAttrType(binary.BigEndian.Uint16(rest) & cfgAttrTypeMask)}
		end := cfgAttrHeaderLen + int(binary.BigEndian.Uint16(rest[2:]))
		if end > len(rest) {
			return nil, malformed(PayloadCP, base+off+2, "%s of %d octets, %d octets left", a.Type, end-cfgAttrHeaderLen, len(rest)-cfgAttrHeaderLen)
		}
		if end > cfgAttrHeaderLen {
			a.Value = rest[cfgAttrHeaderLen:end:end]
		}
		cp.Attributes = append(cp.Attributes, a)
		off += end
	}
	return cp, nil
}
