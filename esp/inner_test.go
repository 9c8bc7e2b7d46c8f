package esp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func ipv4(n int) []byte {
	b := make([]byte, n)
	b[0] = 0x45
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	for i := ipv4MinHeaderLen; i < n; i++ {
		b[i] = byte(i)
	}
	return b
}

func ipv6(n int) []byte {
	b := make([]byte, n)
	b[0] = 0x60
	b[6] = 17
	binary.BigEndian.PutUint16(b[4:], uint16(n-ipv6HeaderLen))
	for i := ipv6HeaderLen; i < n; i++ {
		b[i] = byte(i)
	}
	return b
}

func with(b []byte, i int, v byte) []byte {
	b[i] = v
	return b
}

func TestTrimInner(t *testing.T) {
	tfc := make([]byte, 100)
	for _, c := range []struct {
		name       string
		payload    []byte
		nextHeader uint8
		want       int // octets, if there is no error
		err        error
	}{
		{"IPv4", ipv4(60), 4, 60, nil},
		{"IPv4 with TFC padding", append(ipv4(60), tfc...), 4, 60, nil},
		{"IPv4 header only", ipv4(20), 4, 20, nil},
		{"IPv4 with options", with(ipv4(60), 0, 0x4f), 4, 60, nil},
		{"IPv4 options beyond the packet", with(ipv4(56), 0, 0x4f), 4, 0, ErrInner},
		{"IPv4 options beyond the packet, with padding", append(with(ipv4(56), 0, 0x4f), tfc...), 4, 0, ErrInner},
		{"IPv4 header too short", with(ipv4(60), 0, 0x44), 4, 0, ErrInner},
		{"IPv4 length 0", with(with(ipv4(60), 2, 0), 3, 0), 4, 0, ErrInner},
		{"IPv4 length less than its header", with(ipv4(60), 3, 19), 4, 0, ErrInner},
		{"IPv4 length beyond the payload", with(ipv4(60), 3, 61), 4, 0, ErrInner},
		{"IPv4 cut", ipv4(60)[:59], 4, 0, ErrInner},
		{"IPv4 cut in the header", ipv4(60)[:19], 4, 0, ErrInner},
		{"IPv4 of nothing", nil, 4, 0, ErrInner},
		{"IPv6 announced as IPv4", ipv6(60), 4, 0, ErrInner},
		{"IPv6", ipv6(80), 41, 80, nil},
		{"IPv6 with TFC padding", append(ipv6(80), tfc...), 41, 80, nil},
		{"IPv6 header only", ipv6(40), 41, 40, nil},
		{"IPv6 jumbogram", with(ipv6(40), 6, 0), 41, 0, ErrInner},
		{"IPv6 cut", ipv6(80)[:79], 41, 0, ErrInner},
		{"IPv6 cut in the header", ipv6(80)[:39], 41, 0, ErrInner},
		{"IPv6 of nothing", nil, 41, 0, ErrInner},
		{"IPv4 announced as IPv6", ipv4(60), 41, 0, ErrInner},
		{"version 5", with(ipv4(60), 0, 0x55), 4, 0, ErrInner},
		{"dummy", tfc, 59, 0, ErrDummy},
		{"something else", tfc, 6, 100, nil},
	} {
		got, err := TrimInner(c.payload, c.nextHeader)
		if !errors.Is(err, c.err) || err == nil && !bytes.Equal(got, c.payload[:c.want]) || err != nil && got != nil {
			t.Errorf("%s: %d octets, %v; want %d, %v", c.name, len(got), err, c.want, c.err)
		}
	}
}

func TestTrimInnerPrefixes(t *testing.T) {
	for nh, pkt := range map[uint8][]byte{4: ipv4(200), 41: ipv6(200)} {
		for n := range pkt {
			if _, err := TrimInner(pkt[:n], nh); !errors.Is(err, ErrInner) {
				t.Errorf("next header %d, %d octets: %v", nh, n, err)
			}
		}
	}
}

// TFC padding goes through the whole of an SA.
func TestTFC(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128})
	want := ipv4(61)
	payload, nh, _, err := opened(p.in, &p.w, p.seal(t, append(ipv4(61), make([]byte, 300)...), 4))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := TrimInner(payload, nh); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
}
