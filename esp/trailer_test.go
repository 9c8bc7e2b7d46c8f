package esp

import (
	"bytes"
	"testing"
)

func TestPadLen(t *testing.T) {
	for _, align := range []int{4, 16} {
		for n := range 200 {
			want := 0
			for (n+want+trailerLen)%align != 0 {
				want++
			}
			if got := padLen(n, align); got != want {
				t.Fatalf("padLen(%d, %d) = %d, want %d", n, align, got, want)
			}
			if want+trailerLen > TrailerRoom {
				t.Fatalf("a trailer of %d octets", want+trailerLen)
			}
		}
	}
}

func TestTrailerRoundTrip(t *testing.T) {
	for n := range 40 {
		for pad := range 16 {
			plain := bytes.Repeat([]byte{0xee}, n+pad+trailerLen)
			putTrailer(plain[n:], 41)
			payload, nh, err := splitTrailer(plain)
			if err != nil || nh != 41 || len(payload) != n || cap(payload) != n {
				t.Fatalf("payload %d, padding %d: %d octets, next header %d, %v", n, pad, len(payload), nh, err)
			}
		}
	}
	// A peer may pad up to 255 octets.
	plain := make([]byte, 255+trailerLen)
	for i := range 255 {
		plain[i] = byte(i + 1)
	}
	plain[255], plain[256] = 255, 4
	if payload, _, err := splitTrailer(plain); err != nil || len(payload) != 0 {
		t.Fatalf("padding of 255: %v", err)
	}
	for n := range trailerLen {
		if _, _, err := splitTrailer(make([]byte, n)); err == nil {
			t.Fatalf("%d octets are a trailer", n)
		}
	}
}
