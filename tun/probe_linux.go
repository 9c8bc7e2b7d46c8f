package tun

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// probeSegment is the payload of each of the probe's two segments.
const probeSegment = 100

// ProbeGSOWrite writes a TCP super-packet of two segments. Kernels with commit e269d79c7d35 ("net: missing check virtio")
// but without its fix 89add40066f9 refuse all of them with EINVAL.
//
// The packet goes from 127.0.0.1 to 127.0.0.1: no interface but lo takes such packets in, so nothing sees it.
func (d *queueDevice) ProbeGSOWrite() error {
	if !d.opt.VNetHdr {
		return nil
	}
	d.feat.GSOWrite = false
	if !d.opt.GSOWrite {
		d.noteGSOWrite("turned off")
		return nil
	}
	link, err := d.handle.LinkByIndex(d.index)
	if err != nil {
		return err
	}
	up := link.Attrs().RawFlags&unix.IFF_UP != 0
	if !up {
		// A device that is down refuses every packet with EIO. Most kernels look at the header before: whether
		// this one does is seen from one that no kernel takes.
		bad := probePacket()
		bad[1] = 0x7f // GSOType
		if err := d.writeRaw(bad); err != unix.EINVAL {
			d.noteGSOWrite("not known before the device is up")
			return ErrProbeInconclusive
		}
	}
	switch err := d.writeRaw(probePacket()); {
	case err == nil, !up && err == unix.EIO:
		d.feat.GSOWrite = true
		d.noteGSOWrite("")
	case err == unix.EINVAL:
		d.noteGSOWrite("this kernel refuses super-packets (bug of commit e269d79c7d35, fixed by 89add40066f9)")
	default:
		d.noteGSOWrite("not known: " + err.Error())
		return os.NewSyscallError("write", err)
	}
	return nil
}

// noteGSOWrite replaces the note about gso_write; the empty text removes it.
func (d *queueDevice) noteGSOWrite(text string) {
	const prefix = "gso_write: "
	kept := d.feat.Notes[:0]
	for _, n := range d.feat.Notes {
		if len(n) < len(prefix) || n[:len(prefix)] != prefix {
			kept = append(kept, n)
		}
	}
	d.feat.Notes = kept
	if text != "" {
		d.feat.Notes = append(kept, prefix+text)
	}
}

func (d *queueDevice) writeRaw(b []byte) error {
	for {
		_, err := unix.Write(d.fds[0], b)
		if err != unix.EINTR {
			return err
		}
	}
}

// probePacket gives a virtio header, an IPv4 header, a TCP header and the payload of two segments.
func probePacket() []byte {
	const ipLen, tcpLen = 20, 20
	b := make([]byte, VNetHdrLen+ipLen+tcpLen+2*probeSegment)
	h := VNetHdr{Flags: VNetNeedsCsum, GSOType: GSOTCPv4, HdrLen: ipLen + tcpLen, GSOSize: probeSegment, CsumStart: ipLen, CsumOffset: 16}
	if err := h.Encode(b); err != nil {
		panic("BUG: " + err.Error())
	}
	ip := b[VNetHdrLen:]
	ip[0] = 0x45
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip[6] = 0x40 // don't fragment
	ip[8] = 1    // time to live
	ip[9] = unix.IPPROTO_TCP
	copy(ip[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	binary.BigEndian.PutUint16(ip[10:], ^sum16(ip[:ipLen], 0))
	tcp := ip[ipLen:]
	binary.BigEndian.PutUint16(tcp[0:], 9) // discard
	binary.BigEndian.PutUint16(tcp[2:], 9)
	tcp[12] = tcpLen / 4 << 4
	tcp[13] = 0x10 // ACK
	// With VNetNeedsCsum the field holds the sum of the pseudo-header, not inverted.
	pseudo := uint32(unix.IPPROTO_TCP) + uint32(len(tcp))
	binary.BigEndian.PutUint16(tcp[16:], sum16(ip[12:20], pseudo))
	return b
}

// sum16 is the ones' complement sum of RFC 1071 (https://www.rfc-editor.org/rfc/rfc1071#section-1) over an even number
// of octets.
func sum16(b []byte, sum uint32) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
