package dataplane

import "encoding/binary"

// cmsgLayout says how a system lays out control messages: struct cmsghdr of <sys/socket.h>, whose length is 32 bits on
// the BSDs and macOS.
type cmsgLayout struct {
	header int // octets in front of the data, CMSG_LEN(0)
	align  int // what the next header begins at a multiple of
}

// octet finds a control message and gives the first octet of its data. On a little-endian system that is the value also
// where it is an int.
func (c cmsgLayout) octet(oob []byte, level, kind int) (uint8, bool) {
	const fields = 12 // cmsg_len, cmsg_level, cmsg_type
	ne := binary.NativeEndian
	for len(oob) >= max(c.header, fields) {
		n := int(ne.Uint32(oob))
		if n < c.header || n > len(oob) {
			return 0, false
		}
		if int(int32(ne.Uint32(oob[4:]))) == level && int(int32(ne.Uint32(oob[8:]))) == kind && n > c.header {
			return oob[c.header], true
		}
		n = (n + c.align - 1) / c.align * c.align
		if n >= len(oob) {
			return 0, false
		}
		oob = oob[n:]
	}
	return 0, false
}

// append appends a control message with data of n octets, of which the first is v, as the first octet of an int is on a
// little-endian system.
func (c cmsgLayout) append(oob []byte, level, kind int, v uint8, n int) []byte {
	at := len(oob)
	total := (c.header + n + c.align - 1) / c.align * c.align
	for range total {
		oob = append(oob, 0)
	}
	ne := binary.NativeEndian
	ne.PutUint32(oob[at:], uint32(c.header+n))
	ne.PutUint32(oob[at+4:], uint32(level))
	ne.PutUint32(oob[at+8:], uint32(kind))
	oob[at+c.header] = v
	return oob
}
