package esp

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// FuzzOpen gives Open anything: as a packet from the network, where nothing may
// pass that was not sealed, and as the plaintext of an authentic one, where what
// passes must be what the trailer says.
func FuzzOpen(f *testing.F) {
	suites := allSuites()
	for i := range suites {
		p := newPair(f, suites[i])
		f.Add(uint8(i), p.seal(f, []byte("0123456789"), 4))
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{'a', 'b', 1, 2, 3, 3, 4})
	}
	f.Add(uint8(0), []byte{1, 2, 3, 255, 4})
	f.Add(uint8(0), []byte{0, 59})
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		s := suites[int(which)%len(suites)]
		if len(data) > 4096 {
			return
		}
		p := newPair(t, s)
		golden := p.seal(t, []byte("0123456789"), 4)

		const guard = "guard"
		pkt := append(slices.Clone(data), guard...)
		payload, _, _, err := opened(p.in, &p.w, pkt[:len(data)])
		if err == nil && !bytes.Equal(data, golden) {
			t.Fatalf("%v: a packet nobody sealed was accepted: %x", s, payload)
		}
		if err != nil && payload != nil {
			t.Fatalf("%v: a payload together with %v", s, err)
		}
		if string(pkt[len(data):]) != guard {
			t.Fatalf("%v: Open wrote behind the packet", s)
		}

		// The same octets as what an authentic peer encrypts.
		if p.out.key.method == methodCBC {
			data = append(data, make([]byte, -len(data)&(blockLen-1))...)
		}
		if len(data) == 0 {
			return
		}
		payload, nh, _, err := opened(p.in, &p.w, p.sealPlain(data, 2))
		switch {
		case err == nil:
			pad := int(data[len(data)-2])
			if nh != data[len(data)-1] || !bytes.Equal(payload, data[:len(data)-2-pad]) {
				t.Fatalf("%v: %x became %x, next header %d", s, data, payload, nh)
			}
			inner, err := TrimInner(payload, nh)
			if err == nil && !bytes.HasPrefix(payload, inner) {
				t.Fatalf("%x was trimmed to %x", payload, inner)
			}
		case !errors.Is(err, ErrPadding) && !errors.Is(err, ErrDummy) && !errors.Is(err, ErrShort):
			t.Fatalf("%v: an authentic packet: %v", s, err)
		}
	})
}

// FuzzSealOpen seals anything at any offset and opens it again.
func FuzzSealOpen(f *testing.F) {
	suites := allSuites()
	for i := range suites {
		f.Add(uint8(i), uint8(i), uint32(i), []byte("payload"))
	}
	f.Fuzz(func(t *testing.T, which, offset uint8, seq uint32, data []byte) {
		s := suites[int(which)%len(suites)]
		if len(data) > 4096 || seq == 0 {
			return
		}
		p := newPair(t, s)
		p.out.next.Store(uint64(seq) + 1)
		src := append(slices.Clone(data), "what follows in the buffer"...)
		before := slices.Clone(src)
		total := len(data) + p.out.Overhead(len(data))
		dst := make([]byte, int(offset)+total)
		n, err := p.out.Seal(&p.w, dst[offset:], src[:len(data)], 41, uint64(seq))
		if err != nil || n != total || !bytes.Equal(src, before) {
			t.Fatalf("%v: Seal: %d, %v", s, n, err)
		}
		// Numbers from the upper end are from before the first one with ESN.
		if s.ESN && uint64(seq) > 1<<32-DefaultReplayWindow {
			return
		}
		got, nh, gotSeq, err := opened(p.in, &p.w, dst[offset:])
		if err != nil || nh != 41 || gotSeq != uint64(seq) || !bytes.Equal(got, data) {
			t.Fatalf("%v: Open: %x, %d, %d, %v", s, got, nh, gotSeq, err)
		}
	})
}

func FuzzTrimInner(f *testing.F) {
	f.Add(uint8(4), ipv4(60))
	f.Add(uint8(41), ipv6(60))
	f.Add(uint8(4), append(ipv4(40), make([]byte, 20)...))
	f.Add(uint8(41), append(ipv6(50), make([]byte, 20)...))
	f.Add(uint8(59), []byte{})
	f.Fuzz(func(t *testing.T, nextHeader uint8, data []byte) {
		got, err := TrimInner(data, nextHeader)
		if err != nil {
			if got != nil {
				t.Fatal("a packet together with an error")
			}
			return
		}
		if len(got) > len(data) || len(got) > 0 && &got[0] != &data[0] {
			t.Fatal("not the start of the payload")
		}
		// Trimming what is trimmed changes nothing.
		again, err := TrimInner(got, nextHeader)
		if err != nil || len(again) != len(got) {
			t.Fatalf("trimmed again: %d of %d octets, %v", len(again), len(got), err)
		}
		switch nextHeader {
		case nextHeaderIPv4:
			if got[0]>>4 != 4 || len(got) < ipv4MinHeaderLen {
				t.Fatalf("%x is no IPv4 packet", got)
			}
		case nextHeaderIPv6:
			if got[0]>>4 != 6 || len(got) < ipv6HeaderLen {
				t.Fatalf("%x is no IPv6 packet", got)
			}
		}
	})
}

// FuzzWindow gives the same numbers to the window and to the reference: each
// octet of the input is a step relative to the highest number.
func FuzzWindow(f *testing.F) {
	f.Add(uint16(64), []byte{1, 1, 1, 1, 0, 0x80, 0x81, 0xff, 0x40})
	f.Add(uint16(32), bytes.Repeat([]byte{0x7f, 0xc0, 0xbf}, 20))
	f.Fuzz(func(t *testing.T, size uint16, steps []byte) {
		n := max(int(size)%10000, MinReplayWindow)
		w := newWindow(n)
		ref := &reference{size: uint64(n), seen: make(map[uint64]bool)}
		for _, s := range steps {
			seq := ref.max
			switch far := uint64(s & 0x3f); s >> 6 {
			case 0:
				seq += far
			case 1:
				seq += far * uint64(n) / 16
			case 2:
				seq -= min(seq, far)
			case 3:
				seq -= min(seq, far*uint64(n)/62)
			}
			checked := w.check(seq)
			if got, want := w.accept(seq), ref.accept(seq); got != want || checked != want {
				t.Fatalf("number %d, highest %d: check %v, accept %v, want %v", seq, ref.max, checked, got, want)
			}
		}
	})
}
