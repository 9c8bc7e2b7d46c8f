package esp

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// InboundConfig is what an inbound SA is made of. It is not printed by the fmt
// package, because it has keys in it.
type InboundConfig struct {
	// SPI is the one we chose, 256 or higher.
	SPI   uint32
	Suite Suite
	Mode  Mode
	// EncrKey and IntegKey are as long as Suite.KeyLen says. They are copied.
	EncrKey, IntegKey []byte
	// ReplayWindow is the size of the anti-replay window in packets: 0 is
	// DefaultReplayWindow, less than MinReplayWindow is that. A negative value
	// turns anti-replay off; with ESN, packets up to 2^31 late or early are then
	// understood.
	ReplayWindow int
}

// Inbound is an SA that packets are opened under. It is safe for concurrent use
// by workers that have a Scratch each: one window serves them all.
type Inbound struct {
	key    *key
	spi    uint32
	suite  Suite
	mode   Mode
	esnWin uint64 // window for inferring the upper half of sequence numbers

	maxForgeries uint64        // 0: no limit
	forgeries    atomic.Uint64 // changes only when a packet is not authentic

	window window
}

// NewInbound makes an SA that has received nothing yet. The error says which
// part of the configuration cannot be.
func NewInbound(c InboundConfig) (*Inbound, error) {
	if err := checkSPI(c.SPI); err != nil {
		return nil, err
	}
	if err := c.Mode.check(); err != nil {
		return nil, err
	}
	size := c.ReplayWindow
	switch {
	case size == 0:
		size = DefaultReplayWindow
	case size < 0:
		size = 0
	case size > MaxReplayWindow:
		return nil, fmt.Errorf("esp: replay window of %d packets is larger than %d", size, MaxReplayWindow)
	default:
		size = max(size, MinReplayWindow)
	}
	k, err := newKey(c.Suite, c.EncrKey, c.IntegKey)
	if err != nil {
		return nil, err
	}
	i := &Inbound{
		key:          k,
		spi:          c.SPI,
		suite:        c.Suite,
		mode:         c.Mode,
		esnWin:       uint64(size),
		maxForgeries: c.Suite.maxForgeries(),
	}
	if size == 0 {
		i.esnWin = esnWindow
	}
	i.window.init(size)
	return i, nil
}

// SPI returns the SPI of the SA.
func (i *Inbound) SPI() uint32 { return i.spi }

// Suite returns the suite of the SA.
func (i *Inbound) Suite() Suite { return i.suite }

// Mode returns the mode of the SA: what its payloads are.
func (i *Inbound) Mode() Mode { return i.mode }

// ReplayWindow returns the size of the anti-replay window in packets, 0 when it
// is off.
func (i *Inbound) ReplayWindow() int { return int(i.window.size) }

// Highest returns the highest sequence number that was authentic, 0 before the
// first. A packet is the newest so far if Open returned this number for it.
func (i *Inbound) Highest() uint64 { return i.window.max.Load() }

// Forgeries returns how many packets failed their ICV.
func (i *Inbound) Forgeries() uint64 { return i.forgeries.Load() }

// Exhausting reports whether half of the forgeries were seen that the ICV of the
// suite stands, so that the SA should be replaced. Only suites with an ICV of 8
// octets and ChaCha20-Poly1305 have such a limit.
func (i *Inbound) Exhausting() bool {
	return i.maxForgeries != 0 && i.forgeries.Load() >= i.maxForgeries/2
}

// Open verifies an ESP packet and decrypts it in place. pkt starts with the SPI
// and ends with the ICV. payload begins at offset in pkt, still has TFC padding
// (see TrimInner), and has the spare capacity of nothing. seq is the whole
// sequence number; it is there with an error too, once it is known.
//
// The order is that of RFC 4303 section 3.4.3 and 3.4.4: the window is looked at,
// the ICV verified, and only then, with nobody else having been faster, the
// sequence number is recorded and the packet accepted. A packet whose ICV is
// right is recorded even if it is then found malformed.
//
// On an error, pkt may be overwritten. ErrICV, ErrReplay, ErrShort, ErrSPI,
// ErrPadding and ErrForgeries mean that the packet is to be dropped and counted;
// ErrDummy that it is to be dropped.
func (i *Inbound) Open(w *Scratch, pkt []byte) (payload []byte, offset int, nextHeader uint8, seq uint64, err error) {
	k := i.key
	// The ciphertext has at least the trailer and is whole blocks of the cipher.
	// Only CBC has blocks that matter: for the others, 4-octet alignment is the
	// sender's business.
	n := len(pkt) - k.header - k.icv
	if n < trailerLen || len(pkt) > maxPacketLen || k.method == methodCBC && n%blockLen != 0 {
		return nil, 0, 0, 0, ErrShort
	}
	if binary.BigEndian.Uint32(pkt) != i.spi {
		return nil, 0, 0, 0, ErrSPI
	}
	low := binary.BigEndian.Uint32(pkt[4:])
	seq = uint64(low)
	if k.esn {
		var ok bool
		if seq, ok = inferESN(i.window.max.Load(), i.esnWin, low); !ok {
			return nil, 0, 0, 0, ErrReplay
		}
	}
	if !i.window.check(seq) {
		return nil, 0, 0, seq, ErrReplay
	}
	if i.maxForgeries != 0 && i.forgeries.Load() >= i.maxForgeries {
		return nil, 0, 0, seq, ErrForgeries
	}
	plain, ok := k.open(w, pkt, seq)
	if !ok {
		i.forgeries.Add(1)
		return nil, 0, 0, seq, ErrICV
	}
	if !i.window.accept(seq) {
		return nil, 0, 0, seq, ErrReplay
	}
	payload, nextHeader, err = splitTrailer(plain)
	return payload, k.header, nextHeader, seq, err
}
