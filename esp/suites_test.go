package esp

import (
	"math/rand/v2"
	"testing"
)

// allSuites lists every suite this package implements, both kinds of sequence
// numbers each.
func allSuites() []Suite {
	var suites []Suite
	integs := []uint16{IntegHMACSHA1, IntegAESXCBC, IntegAESCMAC, IntegHMACSHA256x128, IntegHMACSHA384x192, IntegHMACSHA512x256}
	for _, esn := range []bool{false, true} {
		for _, bits := range []int{128, 192, 256} {
			for _, encr := range []uint16{EncrAESGCM16, EncrAESGCM12, EncrAESGCM8} {
				suites = append(suites, Suite{Encr: encr, KeyBits: bits, ESN: esn})
			}
			for _, integ := range integs {
				suites = append(suites,
					Suite{Encr: EncrAESCBC, KeyBits: bits, Integ: integ, ESN: esn},
					Suite{Encr: EncrAESCTR, KeyBits: bits, Integ: integ, ESN: esn})
			}
		}
		for _, integ := range integs {
			suites = append(suites, Suite{Encr: EncrNull, Integ: integ, ESN: esn})
		}
		suites = append(suites, Suite{Encr: EncrChaCha20Poly1305, ESN: esn})
	}
	return suites
}

const testSPI = 0xc0ffee01

// seeded returns reproducible random numbers; the seed is that of the failing test.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// pair is the two ends of one direction.
type pair struct {
	out *Outbound
	in  *Inbound
	w   Scratch
}

// newPair makes both ends of an SA with fixed keys.
func newPair(t testing.TB, s Suite, change ...func(*OutboundConfig, *InboundConfig)) *pair {
	t.Helper()
	encr, integ, err := s.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	r := seeded(uint64(s.Encr)<<32 | uint64(s.Integ))
	oc := OutboundConfig{SPI: testSPI, Suite: s, EncrKey: randomBytes(r, encr), IntegKey: randomBytes(r, integ)}
	ic := InboundConfig{SPI: testSPI, Suite: s, EncrKey: oc.EncrKey, IntegKey: oc.IntegKey}
	for _, f := range change {
		f(&oc, &ic)
	}
	out, err := NewOutbound(oc)
	if err != nil {
		t.Fatal(err)
	}
	in, err := NewInbound(ic)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{out: out, in: in}
}

// startAt puts a window where it would be after all numbers up to seq went by
// without one of the last ones having been received.
func (r *window) startAt(seq uint64) {
	r.max.Store(seq)
	for i := range uint64(len(r.slots)) {
		if s := seq - i<<slotBits; s <= seq {
			r.slot(s).Store(uint64(uint32(s>>r.shift)) << 32)
		}
	}
}

// reserve takes one sequence number.
func (p *pair) reserve(t testing.TB) uint64 {
	t.Helper()
	seq, err := p.out.Reserve(1)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// seal returns the packet of a payload, in memory of its own.
func (p *pair) seal(t testing.TB, payload []byte, nextHeader uint8) []byte {
	t.Helper()
	return p.sealAs(t, payload, nextHeader, p.reserve(t))
}

// sealAs is seal for a sequence number, whether it was handed out or not.
func (p *pair) sealAs(t testing.TB, payload []byte, nextHeader uint8, seq uint64) []byte {
	t.Helper()
	if seq >= p.out.next.Load() {
		p.out.next.Store(seq + 1)
	}
	src := make([]byte, len(payload), len(payload)+TrailerRoom)
	copy(src, payload)
	dst := make([]byte, len(payload)+p.out.Overhead(len(payload)))
	n, err := p.out.Seal(&p.w, dst, src, nextHeader, seq)
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	if n != len(dst) {
		t.Fatalf("Seal returned %d, want %d", n, len(dst))
	}
	return dst
}

// opened is Open without the offset, with which the payload must agree.
func opened(i *Inbound, w *Scratch, pkt []byte) (payload []byte, nextHeader uint8, seq uint64, err error) {
	payload, offset, nextHeader, seq, err := i.Open(w, pkt)
	if n := len(payload); n > 0 && &payload[0] != &pkt[offset] || cap(payload) != n {
		panic("Open says that the payload is somewhere else, or gives more than that")
	}
	return payload, nextHeader, seq, err
}
