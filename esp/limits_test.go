package esp

import (
	"errors"
	"math"
	"sync"
	"testing"
)

// The counter starts just before its end and must stop there for good.
func TestSequenceHardStop(t *testing.T) {
	for _, c := range []struct {
		suite Suite
		last  uint64
	}{
		{Suite{Encr: EncrAESGCM16, KeyBits: 128}, math.MaxUint32 - 1},
		{Suite{Encr: EncrChaCha20Poly1305}, math.MaxUint32 - 1},
		{Suite{Encr: EncrNull, Integ: IntegHMACSHA1}, math.MaxUint32 - 1},
		{Suite{Encr: EncrAESGCM16, KeyBits: 128, ESN: true}, 1 << 48},
		{Suite{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA1, ESN: true}, 1 << 48},
		{Suite{Encr: EncrChaCha20Poly1305, ESN: true}, math.MaxUint64 - 1},
		{Suite{Encr: EncrNull, Integ: IntegHMACSHA1, ESN: true}, math.MaxUint64 - 1},
	} {
		p := newPair(t, c.suite)
		p.out.next.Store(c.last - 9) // ten are left
		if _, err := p.out.Reserve(11); !errors.Is(err, ErrSequenceExhausted) {
			t.Errorf("%v: 11 of 10: %v", c.suite, err)
		}
		if first, err := p.out.Reserve(9); err != nil || first != c.last-9 {
			t.Errorf("%v: 9 of 10: %#x, %v", c.suite, first, err)
		}
		if first, err := p.out.Reserve(1); err != nil || first != c.last {
			t.Errorf("%v: the last: %#x, %v", c.suite, first, err)
		}
		for _, n := range []int{1, 2, 1 << 20, math.MaxInt} {
			for range 3 {
				if first, err := p.out.Reserve(n); !errors.Is(err, ErrSequenceExhausted) || first != 0 {
					t.Errorf("%v: %d of 0: %#x, %v", c.suite, n, first, err)
				}
			}
		}
		if got := p.out.Used().Packets; got != c.last {
			t.Errorf("%v: %#x used, want %#x", c.suite, got, c.last)
		}
		pkt := make([]byte, 20, 64)
		dst := make([]byte, 256)
		if _, err := p.out.Seal(&p.w, dst, pkt, 4, c.last); err != nil {
			t.Errorf("%v: the last packet: %v", c.suite, err)
		}
		if _, err := p.out.Seal(&p.w, dst, pkt, 4, c.last+1); !errors.Is(err, ErrSequence) {
			t.Errorf("%v: one packet too many: %v", c.suite, err)
		}
		if !p.out.Exhausting() {
			t.Errorf("%v: exhausted but not exhausting", c.suite)
		}
	}
}

func TestReserve(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128})
	for _, n := range []int{0, -1, math.MinInt} {
		if _, err := p.out.Reserve(n); !errors.Is(err, ErrSequence) {
			t.Errorf("Reserve(%d): %v", n, err)
		}
	}
	want := uint64(1)
	for _, n := range []int{1, 45, 64, 1, 128} {
		first, err := p.out.Reserve(n)
		if err != nil || first != want {
			t.Fatalf("Reserve(%d) = %d, %v; want %d", n, first, err, want)
		}
		want += uint64(n)
	}
}

// No number is handed out twice, up to the very end.
func TestReserveConcurrent(t *testing.T) {
	const workers, last = 8, 20000
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128}, func(o *OutboundConfig, _ *InboundConfig) { o.Hard.Packets = last })
	var got [workers][][2]uint64
	var wg sync.WaitGroup
	for id := range workers {
		wg.Go(func() {
			r := seeded(uint64(id))
			for {
				n := 1 + r.IntN(8)
				first, err := p.out.Reserve(n)
				if err != nil {
					if n == 1 && errors.Is(err, ErrLifetime) {
						return
					}
					continue
				}
				got[id] = append(got[id], [2]uint64{first, first + uint64(n)})
			}
		})
	}
	wg.Wait()
	var taken [last + 1]bool
	for _, blocks := range got {
		for _, b := range blocks {
			for seq := b[0]; seq < b[1]; seq++ {
				if seq == 0 || seq > last || taken[seq] {
					t.Fatalf("number %d was handed out wrongly", seq)
				}
				taken[seq] = true
			}
		}
	}
	for seq := 1; seq <= last; seq++ {
		if !taken[seq] {
			t.Fatalf("number %d was never handed out", seq)
		}
	}
}

// Configured limits of packets.
func TestPacketLimits(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128}, func(o *OutboundConfig, _ *InboundConfig) {
		o.Soft.Packets, o.Hard.Packets = 10, 15
	})
	reserve := func(n int) error { _, err := p.out.Reserve(n); return err }
	if err := reserve(9); err != nil || p.out.Exhausting() {
		t.Errorf("9 packets: %v, exhausting %v", err, p.out.Exhausting())
	}
	if err := reserve(1); err != nil || !p.out.Exhausting() {
		t.Errorf("10 packets: %v, exhausting %v", err, p.out.Exhausting())
	}
	if err := reserve(6); !errors.Is(err, ErrLifetime) {
		t.Errorf("16 packets: %v", err)
	}
	if err := reserve(5); err != nil {
		t.Errorf("15 packets: %v", err)
	}
	if err := reserve(1); !errors.Is(err, ErrLifetime) {
		t.Errorf("16 packets: %v", err)
	}
}

// Configured limits of octets: exact to within what workers gather, and
// independent of how often they change the SA.
func TestByteLimits(t *testing.T) {
	const hard = 1 << 20
	for _, s := range []Suite{{Encr: EncrAESGCM16, KeyBits: 128}, {Encr: EncrNull, Integ: IntegHMACSHA1}} {
		limit := func(o *OutboundConfig, _ *InboundConfig) { o.Hard.Bytes = hard }
		p := newPair(t, s, limit)
		other := newPair(t, s)
		buf, pkt := make([]byte, 2048), make([]byte, 1022, 1022+TrailerRoom)
		sealed, soft := 0, 0
		for n := 0; ; n++ {
			seq, err := p.out.Reserve(1)
			if err != nil {
				if !errors.Is(err, ErrLifetime) {
					t.Fatal(err)
				}
				break
			}
			if _, err := p.out.Seal(&p.w, buf, pkt, 4, seq); err != nil {
				t.Fatal(err)
			}
			sealed += 1024
			if soft == 0 && p.out.Exhausting() {
				soft = sealed
			}
			if n%7 == 0 { // another SA with the same Scratch
				if _, err := other.out.Seal(&p.w, buf, pkt, 4, other.reserve(t)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if sealed < hard || sealed > hard+accountEvery {
			t.Errorf("%v: stopped after %d octets, want %d", s, sealed, hard)
		}
		if want := hard / 4 * 3; soft < want || soft > want+accountEvery {
			t.Errorf("%v: exhausting after %d octets, want %d", s, soft, want)
		}
		p.w.flush()
		if got := p.out.Used().Bytes; got != uint64(sealed) {
			t.Errorf("%v: %d octets counted, want %d", s, got, sealed)
		}
	}
}

// What is configured can only be stricter than what the algorithms allow.
func TestLimitDefaults(t *testing.T) {
	const maxU32, maxU64 = math.MaxUint32, math.MaxUint64
	for _, c := range []struct {
		suite            Suite
		soft, hard       Limits
		wantSoft, wantHd Limits
	}{
		{
			Suite{Encr: EncrAESGCM16, KeyBits: 128}, Limits{}, Limits{},
			Limits{maxU32 - 1 - (maxU32-1)/4, 3 << 50}, Limits{maxU32 - 1, 1 << 52},
		},
		{
			Suite{Encr: EncrChaCha20Poly1305, ESN: true}, Limits{}, Limits{},
			Limits{maxU64 - 1 - (maxU64-1)/4, maxU64 - maxU64/4}, Limits{maxU64 - 1, maxU64},
		},
		{
			Suite{Encr: EncrAESGCM16, KeyBits: 128, ESN: true}, Limits{}, Limits{maxU64, maxU64},
			Limits{3 << 46, 3 << 50}, Limits{1 << 48, 1 << 52},
		},
		{
			Suite{Encr: EncrAESGCM16, KeyBits: 128}, Limits{5000, 6000}, Limits{1000, 2000},
			Limits{1000, 2000}, Limits{1000, 2000},
		},
		{
			Suite{Encr: EncrAESGCM16, KeyBits: 128}, Limits{Packets: 950}, Limits{1000, 2000},
			Limits{950, 1500}, Limits{1000, 2000},
		},
		{
			Suite{Encr: EncrAESGCM16, KeyBits: 128}, Limits{10, 20}, Limits{},
			Limits{10, 20}, Limits{maxU32 - 1, 1 << 52},
		},
	} {
		p := newPair(t, c.suite, func(o *OutboundConfig, _ *InboundConfig) { o.Soft, o.Hard = c.soft, c.hard })
		if p.out.soft != c.wantSoft || p.out.hard != c.wantHd {
			t.Errorf("%v, soft %v, hard %v: soft %v, hard %v; want %v, %v", c.suite, c.soft, c.hard, p.out.soft, p.out.hard, c.wantSoft, c.wantHd)
		}
	}
}
