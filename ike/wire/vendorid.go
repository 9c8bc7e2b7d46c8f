package wire

// VendorID is the Vendor ID payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.12).
type VendorID struct {
	Data []byte
}

// Type implements Payload.
func (*VendorID) Type() PayloadType { return PayloadVendorID }

// AppendBody implements Payload.
func (p *VendorID) AppendBody(b []byte) []byte { return append(b, p.Data...) }
