package dataplane

import (
	"bytes"
	"fmt"
	"testing"

	"esplanade/ike/selector"
)

func TestInnerHeader(t *testing.T) {
	hop := make([]byte, 8)
	long := make([]byte, 24)
	long[1] = 2
	fragHdr := func(off uint16, more bool) []byte {
		b := make([]byte, 8)
		be.PutUint16(b[2:], off<<3)
		if more {
			b[3] |= 1
		}
		return b
	}
	udp := udpPacket(v6, 1000, 53, fill(8, 1))[40:]
	for _, c := range []struct {
		name   string
		packet []byte
		want   string // as selectors see it
		flags  string
	}{
		{"tcp v4", tcpSpec{sport: 80, dport: 443}.build(v4, nil), "10.1.0.5:80 > 10.2.0.9:443 tcp", "first df"},
		{"udp v6", udpPacket(v6, 1000, 53, nil), "[fd01::5]:1000 > [fd02::9]:53 udp", "first df"},
		{"icmp", v4.build(protoICMP, []byte{8, 1, 0, 0}), "10.1.0.5 > 10.2.0.9 icmp/8(1)", "first df"},
		{"icmpv6", v6.build(protoICMPv6, []byte{135, 0, 0, 0}), "fd01::5 > fd02::9 ipv6-icmp/135(0)", "first df"},
		{"mobility", v6.build(protoMobility, []byte{59, 0, 5, 0, 0, 0, 0, 0}), "fd01::5 > fd02::9 mobility-header/5(0)", "first df"},
		{"other", v4.build(99, nil), "10.1.0.5 > 10.2.0.9 99", "first df"},
		{"short udp", v4.build(protoUDP, []byte{1, 2, 3}), "10.1.0.5 > 10.2.0.9 udp", "first df"},
		{"options", ipSpec{src: v4.src, dst: v4.dst, options: fill(8, 1)}.build(protoUDP, udp), "10.1.0.5:1000 > 10.2.0.9:53 udp", "first"},
		{"first fragment", ipSpec{src: v4.src, dst: v4.dst, mf: true}.build(protoUDP, udp), "10.1.0.5:1000 > 10.2.0.9:53 udp", "fragment first"},
		{"later fragment", ipSpec{src: v4.src, dst: v4.dst, frag: 7}.build(protoUDP, udp), "10.1.0.5 > 10.2.0.9 udp", "fragment"},
		{"hop-by-hop", ipSpec{src: v6.src, dst: v6.dst, ext: hop}.build(protoUDP, udp), "[fd01::5]:1000 > [fd02::9]:53 udp", "first df"},
		{"destination options", ipSpec{src: v6.src, dst: v6.dst, ext: long, extType: protoDestOpts}.build(protoUDP, udp), "[fd01::5]:1000 > [fd02::9]:53 udp", "first df"},
		{"AH", ipSpec{src: v6.src, dst: v6.dst, ext: func() []byte { b := make([]byte, 24); b[1] = 4; return b }(), extType: protoAH}.build(protoUDP, udp), "[fd01::5]:1000 > [fd02::9]:53 udp", "first df"},
		{"first v6 fragment", ipSpec{src: v6.src, dst: v6.dst, ext: fragHdr(0, true), extType: protoFragment}.build(protoUDP, udp), "[fd01::5]:1000 > [fd02::9]:53 udp", "fragment first df"},
		{"atomic v6 fragment", ipSpec{src: v6.src, dst: v6.dst, ext: fragHdr(0, false), extType: protoFragment}.build(protoUDP, udp), "[fd01::5]:1000 > [fd02::9]:53 udp", "first df"},
		{"later v6 fragment", ipSpec{src: v6.src, dst: v6.dst, ext: fragHdr(9, false), extType: protoFragment}.build(protoUDP, udp), "fd01::5 > fd02::9 udp", "fragment df"},
		{"no next header", v6.build(protoNoNext, nil), "fd01::5 > fd02::9 ipv6-nonxt", "first df"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h innerHeader
			if !h.parse(append(bytes.Clone(c.packet), 1, 2, 3)) || h.length != len(c.packet) {
				t.Fatalf("not parsed: %+v", h)
			}
			if got := h.key.packet().String(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			flags := ""
			for _, f := range []struct {
				on   bool
				name string
			}{{h.fragment, "fragment"}, {h.first, "first"}, {h.df, "df"}} {
				if f.on {
					flags += " " + f.name
				}
			}
			if flags != " "+c.flags {
				t.Errorf("flags%s, want %s", flags, c.flags)
			}
			for n := range c.packet {
				if h.parse(c.packet[:n:n]) {
					t.Errorf("%d of %d octets parse", n, len(c.packet))
				}
			}
		})
	}
}

func TestInnerMalformed(t *testing.T) {
	good4, good6 := udpPacket(v4, 1, 2, nil), udpPacket(v6, 1, 2, nil)
	change := func(b []byte, at int, v ...byte) []byte {
		c := bytes.Clone(b)
		copy(c[at:], v)
		return c
	}
	chain := make([]byte, 8*(maxExtensions+1))
	for i := 8; i < len(chain); i += 8 {
		chain[i-8] = protoDestOpts
	}
	tooMany := ipSpec{src: v6.src, dst: v6.dst, ext: chain, extType: protoDestOpts}.build(protoUDP, fill(8, 1))
	tooMany[40] = protoDestOpts
	for name, b := range map[string][]byte{
		"version 5":              change(good4, 0, 0x55),
		"header of 16 octets":    change(good4, 0, 0x44),
		"header past the end":    change(good4, 0, 0x4f),
		"length below header":    change(good4, 2, 0, 19),
		"length past the end":    change(good4, 2, 0, 200),
		"v6 length":              change(good6, 4, 0, 200),
		"extension past the end": ipSpec{src: v6.src, dst: v6.dst, ext: []byte{0, 9, 0, 0, 0, 0, 0, 0}}.build(protoUDP, nil),
		"extension cut":          v6.build(protoHopByHop, []byte{1, 2, 3}),
		"AH cut":                 v6.build(protoAH, []byte{1, 2, 3}),
		"fragment header cut":    v6.build(protoFragment, []byte{1, 2, 3}),
		"endless chain":          tooMany,
	} {
		var h innerHeader
		if h.parse(b) {
			t.Errorf("%s: parses", name)
		}
	}
}

func FuzzInnerHeader(f *testing.F) {
	f.Add(udpPacket(v4, 1, 2, nil))
	f.Add(tcpSpec{sport: 1}.build(v6, nil))
	f.Add(ipSpec{src: v6.src, dst: v6.dst, ext: make([]byte, 8)}.build(protoUDP, fill(8, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h innerHeader
		if !h.parse(b) {
			return
		}
		if h.length > len(b) || h.l4 > h.length || h.l4 < 20 {
			t.Fatalf("%+v of %d octets", h, len(b))
		}
		// What the key says is what selectors see.
		p := h.key.packet()
		if p.Src.Is6() != h.v6 || p.Protocol != h.protocol {
			t.Errorf("%v", p)
		}
		one := selector.Pair{Local: []selector.Selector{selector.FromAddr(p.Src)}, Remote: []selector.Selector{selector.FromAddr(p.Dst)}}
		if !p.Src.Is4In6() && !p.Dst.Is4In6() && !one.MatchOut(p) {
			t.Errorf("%v does not match itself", p)
		}
		_ = fmt.Sprint(p)
		// The rest of the path must take whatever parses.
		s := super(b[:h.length], vnetFor(b[:h.length], 100))
		var g segmenter
		if g.begin(&s, &h) {
			n := 0
			for _, ok := g.next(); ok; _, ok = g.next() {
				n++
			}
			if n != g.count() {
				t.Errorf("%d segments, not %d", n, g.count())
			}
		}
		c := bytes.Clone(b)
		clampMSS(c, &h, 500, false)
		if mayAnswer(c, &h) {
			wantSound(t, appendICMPError(nil, c, &h, tooBigError(h.v6, 1300)))
		}
		if !h.v6 {
			var fr fragmenter
			if fr.begin(c, 100) {
				for i := 0; ; i++ {
					n := fr.fragment(make([]byte, 200))
					if n == 0 {
						break
					}
					if n > 100 || i > 70000 {
						t.Fatalf("fragment %d of %d octets", i, n)
					}
				}
			}
		}
	})
}
