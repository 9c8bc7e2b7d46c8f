package esp

import (
	"fmt"
	"testing"
)

// benchSuites are the suites worth comparing: each way of encrypting, each
// integrity algorithm once.
func benchSuites() []Suite {
	return []Suite{
		{Encr: EncrAESGCM16, KeyBits: 128},
		{Encr: EncrAESGCM16, KeyBits: 256},
		{Encr: EncrAESGCM16, KeyBits: 256, ESN: true},
		{Encr: EncrAESGCM12, KeyBits: 128},
		{Encr: EncrAESGCM8, KeyBits: 128},
		{Encr: EncrChaCha20Poly1305},
		{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA1},
		{Encr: EncrAESCBC, KeyBits: 256, Integ: IntegHMACSHA256x128},
		{Encr: EncrAESCBC, KeyBits: 256, Integ: IntegHMACSHA384x192},
		{Encr: EncrAESCBC, KeyBits: 256, Integ: IntegHMACSHA512x256},
		{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegAESXCBC},
		{Encr: EncrAESCTR, KeyBits: 128, Integ: IntegHMACSHA256x128},
		{Encr: EncrAESCTR, KeyBits: 128, Integ: IntegAESCMAC},
		{Encr: EncrNull, Integ: IntegHMACSHA256x128},
	}
}

// benchSizes are lengths of the plaintext including the ESP trailer; 1408 is a
// multiple of 128, which AES-GCM of the standard library likes best.
var benchSizes = []int{64, 576, 1400, 1408}

func BenchmarkSeal(b *testing.B) {
	for _, s := range benchSuites() {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%v/%d", s, size), func(b *testing.B) {
				p := newPair(b, s)
				n := size - trailerLen
				pkt := make([]byte, n, n+TrailerRoom)
				dst := make([]byte, n+p.out.Overhead(n))
				p.out.next.Store(2)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					// The number of the fast path is reserved for a super-packet.
					if _, err := p.out.Seal(&p.w, dst, pkt, 4, 1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkOpen opens packets it has not seen before: the copy to a fresh buffer
// that this takes is part of the time (some 20 ns for 1400 octets).
func BenchmarkOpen(b *testing.B) {
	for _, s := range benchSuites() {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%v/%d", s, size), func(b *testing.B) {
				p := newPair(b, s)
				n := size - trailerLen
				const count = 256
				packets := make([][]byte, count)
				for i := range packets {
					packets[i] = p.seal(b, make([]byte, n), 4)
				}
				buf := make([]byte, len(packets[0]))
				b.ReportAllocs()
				b.SetBytes(int64(size))
				i := 0
				for b.Loop() {
					if i == count {
						clearWindow(&p.in.window)
						i = 0
					}
					copy(buf, packets[i])
					if _, _, _, err := opened(p.in, &p.w, buf); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

func clearWindow(r *window) {
	for i := range r.slots {
		r.slots[i].Store(0)
	}
	r.max.Store(0)
}

func BenchmarkWindow(b *testing.B) {
	w := newWindow(DefaultReplayWindow)
	b.ReportAllocs()
	seq := uint64(0)
	for b.Loop() {
		seq++
		if !w.check(seq) || !w.accept(seq) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkReserve(b *testing.B) {
	p := newPair(b, Suite{Encr: EncrChaCha20Poly1305, ESN: true})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.out.Reserve(45); err != nil {
			b.Fatal(err)
		}
	}
}
