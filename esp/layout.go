package esp

import "unsafe"

// maxPacketLen bounds the packets that are sealed and opened: the most that IP
// can carry.
const maxPacketLen = 65535

// layout checks the buffers of Seal. It returns pkt extended by the room for the
// ESP trailer, and whether that lies in its place in dst.
func (k *key) layout(dst, pkt []byte) (plain []byte, inPlace bool, err error) {
	n := len(pkt)
	if n > maxPacketLen {
		return nil, false, ErrBuffer
	}
	n += padLen(n, k.align) + trailerLen
	total := k.header + n + k.icv
	if n > cap(pkt) || total > len(dst) || total > maxPacketLen {
		return nil, false, ErrBuffer
	}
	plain = pkt[:n]
	if &plain[0] == &dst[k.header] {
		return plain, true, nil
	}
	if overlap(plain, dst[:total]) {
		return nil, false, ErrBuffer
	}
	return plain, false, nil
}

// overlap reports whether two slices, neither of them empty, share memory.
func overlap(a, b []byte) bool {
	a0, b0 := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return a0 < b0+uintptr(len(b)) && b0 < a0+uintptr(len(a))
}
