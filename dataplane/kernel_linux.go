package dataplane

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kernelVersion is the version of the running kernel; its zero value is that of none.
type kernelVersion struct{ major, minor, patch int }

// kernelOf is the version that the engine goes by: that of the running kernel, but in tests of what is done on others.
func kernelOf(c Config) kernelVersion {
	if c.release != "" {
		return parseKernelVersion(c.release)
	}
	return readKernelVersion()
}

func readKernelVersion() kernelVersion {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return kernelVersion{}
	}
	return parseKernelVersion(unix.ByteSliceToString(u.Release[:]))
}

// parseKernelVersion reads the numbers at the start of a release such as "6.8.0-45-generic".
func parseKernelVersion(s string) kernelVersion {
	var n [3]int
	for i := range n {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		for _, c := range s[:digits] {
			n[i] = min(n[i]*10+int(c-'0'), 1<<20)
		}
		if s = s[digits:]; !strings.HasPrefix(s, ".") {
			break
		}
		s = s[1:]
	}
	return kernelVersion{n[0], n[1], n[2]}
}

func (k kernelVersion) atLeast(major, minor, patch int) bool {
	switch {
	case k.major != major:
		return k.major > major
	case k.minor != minor:
		return k.minor > minor
	}
	return k.patch >= patch
}

// equalTailBug reports whether the kernel's UDP segmentation corrupts headers when all segments are equally long: Linux
// 7.0 to 7.1.4 (commit b10b446, fixed by 78effd8 and 5f17ae0).
func (k kernelVersion) equalTailBug() bool {
	return k.atLeast(7, 0, 0) && !k.atLeast(7, 1, 5)
}

// putSockaddr writes the address as the kernel wants it and gives its length.
func putSockaddr(b []byte, a netip.AddrPort) int {
	if a.Addr().Is4() {
		binary.NativeEndian.PutUint16(b, unix.AF_INET)
		be.PutUint16(b[2:], a.Port())
		ip := a.Addr().As4()
		copy(b[4:], ip[:])
		return unix.SizeofSockaddrInet4
	}
	binary.NativeEndian.PutUint16(b, unix.AF_INET6)
	be.PutUint16(b[2:], a.Port())
	ip := a.Addr().As16()
	copy(b[8:], ip[:])
	binary.NativeEndian.PutUint32(b[24:], zoneID(a.Addr().Zone()))
	return unix.SizeofSockaddrInet6
}

// getSockaddr reads an address that the kernel wrote. Only link-local ones have a zone.
func getSockaddr(b []byte, z *zoneCache) netip.AddrPort {
	switch binary.NativeEndian.Uint16(b) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), be.Uint16(b[2:]))
	case unix.AF_INET6:
		a := netip.AddrFrom16([16]byte(b[8:24]))
		if scope := binary.NativeEndian.Uint32(b[24:]); scope != 0 {
			a = z.with(a, scope, time.Now())
		}
		return netip.AddrPortFrom(a.Unmap(), be.Uint16(b[2:]))
	}
	return netip.AddrPort{}
}
