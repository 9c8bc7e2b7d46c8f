package radius

import "encoding/binary"

// vendorMicrosoft is the SMI code of Microsoft (RFC 2548).
const vendorMicrosoft = 311

// The attributes of Microsoft that are read.
const (
	msMPPESendKey        = 16
	msMPPERecvKey        = 17
	msPrimaryDNSServer   = 28
	msSecondaryDNSServer = 29
)

// vendorValues are the values of an attribute of a vendor whose attributes have the form that RFC 2865 section 5.26 recommends. Attributes of
// others are passed over: theirs may have any form.
func (p *Packet) vendorValues(vendor uint32, t uint8) (list [][]byte, err error) {
	for v := range p.All(VendorSpecific) {
		if len(v) < 4 {
			return nil, malformed(VendorSpecific, "%d bytes are no vendor", len(v))
		}
		if binary.BigEndian.Uint32(v) != vendor {
			continue
		}
		for v = v[4:]; len(v) > 0; {
			if len(v) < 2 {
				return nil, malformed(VendorSpecific, "an attribute of vendor %d has no length", vendor)
			}
			n := int(v[1])
			if n < 2 || n > len(v) {
				return nil, malformed(VendorSpecific, "the length of attribute %d of vendor %d is said to be %d, and %d bytes are there", v[0], vendor, n, len(v))
			}
			if v[0] == t {
				list = append(list, v[2:n:n])
			}
			v = v[n:]
		}
	}
	return list, nil
}
