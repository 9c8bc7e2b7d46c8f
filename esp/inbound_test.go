package esp

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestReplayWindowConfig(t *testing.T) {
	for _, c := range []struct{ configured, want int }{
		{0, DefaultReplayWindow}, {-1, 0}, {1, 32}, {31, 32}, {32, 32}, {33, 33}, {1000, 1000}, {MaxReplayWindow, MaxReplayWindow},
	} {
		p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128}, func(_ *OutboundConfig, i *InboundConfig) { i.ReplayWindow = c.configured })
		if p.in.ReplayWindow() != c.want {
			t.Errorf("window of %d became %d, want %d", c.configured, p.in.ReplayWindow(), c.want)
		}
	}
	_, err := NewInbound(InboundConfig{SPI: testSPI, Suite: Suite{Encr: EncrChaCha20Poly1305}, EncrKey: make([]byte, 36), ReplayWindow: MaxReplayWindow + 1})
	if err == nil {
		t.Error("a window beyond MaxReplayWindow was accepted")
	}
}

// Replays, late packets, and number 0, at the level of packets.
func TestOpenReplay(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128}, func(_ *OutboundConfig, i *InboundConfig) { i.ReplayWindow = 64 })
	packets := make([][]byte, 301)
	for seq := range packets[1:] {
		packets[seq+1] = p.sealAs(t, []byte("x"), 4, uint64(seq+1))
	}
	open := func(seq int, want error) {
		t.Helper()
		_, _, got, err := opened(p.in, &p.w, slices.Clone(packets[seq]))
		if !errors.Is(err, want) || got != uint64(seq) {
			t.Errorf("number %d: %v (as %d), want %v", seq, err, got, want)
		}
	}
	open(1, nil)
	open(1, ErrReplay)
	open(3, nil)
	open(2, nil)
	open(2, ErrReplay)
	open(200, nil)
	open(136, ErrReplay) // 200 - 64
	open(137, nil)
	open(137, ErrReplay)
	open(3, ErrReplay)
	open(300, nil)
	open(200, ErrReplay)
	open(237, nil)
	open(236, ErrReplay)

	zero := p.sealPlain([]byte{1, 2, 2, 4}, 0)
	if _, _, _, err := opened(p.in, &p.w, zero); !errors.Is(err, ErrReplay) {
		t.Errorf("number 0: %v", err)
	}
}

// A forged number far ahead must not move the window, or the packets in flight
// would be lost.
func TestForgeryKeepsWindow(t *testing.T) {
	for _, s := range allSuites() {
		p := newPair(t, s)
		a, b := p.seal(t, nil, 4), p.seal(t, nil, 4)
		if _, _, _, err := opened(p.in, &p.w, b); err != nil {
			t.Fatal(err)
		}
		forged := slices.Clone(a)
		binary.BigEndian.PutUint32(forged[4:], 1<<30)
		if _, _, _, err := opened(p.in, &p.w, forged); !errors.Is(err, ErrICV) {
			t.Errorf("%v: forgery: %v", s, err)
		}
		if p.in.Highest() != 2 || p.in.Forgeries() != 1 {
			t.Errorf("%v: highest %d after %d forgeries", s, p.in.Highest(), p.in.Forgeries())
		}
		if _, _, _, err := opened(p.in, &p.w, a); err != nil {
			t.Errorf("%v: packet after the forgery: %v", s, err)
		}
	}
}

// Without anti-replay, replays and old numbers pass, with ESN from either side
// of a change of subspaces.
func TestOpenWithoutAntiReplay(t *testing.T) {
	for _, s := range allSuites() {
		p := newPair(t, s, func(_ *OutboundConfig, i *InboundConfig) { i.ReplayWindow = -1 })
		first := uint64(1<<31 - 100)
		if s.ESN {
			first = 3<<32 - 100
			p.in.window.accept(first - 1)
		}
		var packets [][]byte
		for i := range uint64(200) {
			packets = append(packets, p.sealAs(t, nil, 4, first+i))
		}
		for _, pkt := range packets {
			for range 2 {
				if _, _, seq, err := opened(p.in, &p.w, slices.Clone(pkt)); err != nil {
					t.Fatalf("%v: number %#x: %v", s, seq, err)
				}
			}
		}
		for i, pkt := range packets {
			if _, _, seq, err := opened(p.in, &p.w, slices.Clone(pkt)); err != nil || seq != first+uint64(i) {
				t.Fatalf("%v: old number %#x: %v", s, seq, err)
			}
		}
	}
}

// Several workers seal and open with one SA: every packet arrives once, however
// often it is delivered and by whom.
func TestConcurrentWorkers(t *testing.T) {
	const (
		workers = 4
		batches = 30
		batch   = 32
	)
	for _, s := range []Suite{
		{Encr: EncrAESGCM16, KeyBits: 128, ESN: true},
		{Encr: EncrAESGCM8, KeyBits: 256},
		{Encr: EncrChaCha20Poly1305},
		{Encr: EncrAESCBC, KeyBits: 128, Integ: IntegHMACSHA256x128, ESN: true},
		{Encr: EncrAESCTR, KeyBits: 192, Integ: IntegAESCMAC},
	} {
		t.Run(s.String(), func(t *testing.T) {
			p := newPair(t, s)
			packets := make(chan []byte, 2*workers*batches*batch)
			var senders sync.WaitGroup
			for range workers {
				senders.Go(func() {
					var w Scratch
					buf := make([]byte, 200)
					for range batches {
						first, err := p.out.Reserve(batch)
						if err != nil {
							t.Error(err)
							return
						}
						for seq := first; seq < first+batch; seq++ {
							binary.BigEndian.PutUint64(buf, seq)
							dst := make([]byte, 400)
							n, err := p.out.Seal(&w, dst, buf[:100], 4, seq)
							if err != nil {
								t.Error(err)
								return
							}
							packets <- slices.Clone(dst[:n])
							packets <- dst[:n]
						}
					}
				})
			}
			var got [workers*batches*batch + 1]atomic.Int32
			var receivers sync.WaitGroup
			for range workers {
				receivers.Go(func() {
					var w Scratch
					for pkt := range packets {
						payload, _, seq, err := opened(p.in, &w, pkt)
						if errors.Is(err, ErrReplay) {
							continue
						}
						if err != nil {
							t.Errorf("number %d: %v", seq, err)
							return
						}
						if len(payload) != 100 || binary.BigEndian.Uint64(payload) != seq {
							t.Errorf("number %d: payload of %d", seq, len(payload))
							return
						}
						got[seq].Add(1)
					}
				})
			}
			senders.Wait()
			close(packets)
			receivers.Wait()
			for seq := 1; seq < len(got); seq++ {
				if n := got[seq].Load(); n != 1 {
					t.Fatalf("number %d arrived %d times", seq, n)
				}
			}
		})
	}
}

// Two workers with the same packet: one of them gets it.
func TestConcurrentSamePacket(t *testing.T) {
	p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128})
	for range 300 {
		pkt := p.seal(t, []byte("once"), 4)
		var wg sync.WaitGroup
		var won atomic.Int32
		for range 4 {
			mine := slices.Clone(pkt)
			wg.Go(func() {
				var w Scratch
				payload, _, _, err := opened(p.in, &w, mine)
				switch {
				case err == nil && bytes.Equal(payload, []byte("once")):
					won.Add(1)
				case !errors.Is(err, ErrReplay):
					t.Errorf("Open: %v", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d workers got the packet", won.Load())
		}
	}
}

// meddler is an AEAD during which something else happens.
type meddler struct {
	cipher.AEAD
	meanwhile func()
}

func (m meddler) Open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	m.meanwhile()
	return m.AEAD.Open(dst, nonce, ciphertext, data)
}

// While one worker computes the ICV, another accepts the same packet, or the
// window moves on (RFC 4303 section 3.4.3 in two stages): the first worker must
// notice.
func TestReplayCheckAfterICV(t *testing.T) {
	for _, c := range []struct {
		name      string
		meanwhile func(*Inbound)
		want      error
	}{
		{"nothing", func(*Inbound) {}, nil},
		{"the same packet", func(i *Inbound) { i.window.accept(1) }, ErrReplay},
		{"another packet", func(i *Inbound) { i.window.accept(2) }, nil},
		{"the window moves past it", func(i *Inbound) { i.window.accept(1 + DefaultReplayWindow) }, ErrReplay},
		{"the window moves up to it", func(i *Inbound) { i.window.accept(DefaultReplayWindow) }, nil},
	} {
		p := newPair(t, Suite{Encr: EncrAESGCM16, KeyBits: 128})
		p.in.key.aead = meddler{p.in.key.aead, func() { c.meanwhile(p.in) }}
		payload, _, seq, err := opened(p.in, &p.w, p.seal(t, []byte("payload"), 4))
		if !errors.Is(err, c.want) || seq != 1 || (err == nil) != (payload != nil) {
			t.Errorf("%s: %q, %d, %v; want %v", c.name, payload, seq, err, c.want)
		}
	}
}
