package tun

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRouteOf(t *testing.T) {
	attribute := func(kind uint16, value uint32) []byte {
		b := binary.NativeEndian.AppendUint16(nil, 8)
		b = binary.NativeEndian.AppendUint16(b, kind)
		return binary.NativeEndian.AppendUint32(b, value)
	}
	plain := make([]byte, unix.SizeofRtMsg)
	plain[4] = unix.RT_TABLE_MAIN
	whole := append(append(append([]byte(nil), plain...), attribute(unix.RTA_TABLE, 1000)...), attribute(unix.RTA_OIF, 7)...)
	for _, x := range []struct {
		b           []byte
		table, link int
		ok          bool
	}{
		{plain, unix.RT_TABLE_MAIN, 0, true},
		{whole, 1000, 7, true},
		{whole[:len(whole)-8], 1000, 0, true},
		{plain[:len(plain)-1], 0, 0, false},
		{nil, 0, 0, false},
		{whole[:len(whole)-1], 0, 0, false},                              // the last attribute is cut off
		{append(append([]byte(nil), plain...), 3, 0, 0, 0), 0, 0, false}, // an attribute shorter than its header
	} {
		table, link, ok := routeOf(x.b)
		if ok != x.ok || ok && (table != x.table || link != x.link) {
			t.Errorf("%x: table %d, interface %d, %v", x.b, table, link, ok)
		}
	}
	// No prefix of a message is trouble.
	for n := range len(whole) {
		routeOf(whole[:n])
	}
}
