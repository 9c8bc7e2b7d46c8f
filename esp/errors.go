package esp

import "errors"

// Errors of Seal, Open, Reserve and TrimInner. They are returned as they are,
// so that a data plane can count by reason with a switch and without allocation.
var (
	// ErrShort: fewer octets than the header, trailer and ICV of the suite, or
	// a ciphertext that is no multiple of the cipher's block.
	ErrShort = errors.New("esp: packet is shorter than the suite's header, trailer and ICV, or not whole blocks")
	// ErrSPI: the packet was given to the SA of another SPI.
	ErrSPI = errors.New("esp: packet bears the SPI of another SA")
	// ErrReplay: the sequence number was seen before, is left of the window, or
	// is one that no sender uses (0).
	ErrReplay = errors.New("esp: sequence number is a replay or left of the window")
	// ErrICV: the packet is not authentic.
	ErrICV = errors.New("esp: integrity check failed")
	// ErrPadding: authentic, but the padding is not that of RFC 4303 section 2.4.
	ErrPadding = errors.New("esp: malformed padding")
	// ErrDummy: an authentic dummy packet (next header 59), to be discarded
	// without being an error of anybody: RFC 4303 section 2.6.
	ErrDummy = errors.New("esp: dummy packet")
	// ErrInner: the payload is not the IP packet that the next header announces.
	ErrInner = errors.New("esp: malformed inner packet")
	// ErrForgeries: the SA saw so many forgeries that the ICV can no longer be
	// relied on; the SA must be replaced.
	ErrForgeries = errors.New("esp: integrity limit of the key reached")
	// ErrSequence: Seal was given a sequence number that Reserve did not hand out.
	ErrSequence = errors.New("esp: sequence number was not reserved")
	// ErrSequenceExhausted: no sequence numbers are left; the SA must be replaced.
	ErrSequenceExhausted = errors.New("esp: sequence numbers exhausted")
	// ErrLifetime: the hard limit of packets or octets is reached.
	ErrLifetime = errors.New("esp: hard lifetime limit reached")
	// ErrBuffer: the buffers given to Seal are too small or overlap wrongly.
	ErrBuffer = errors.New("esp: unsuitable buffers")
)
