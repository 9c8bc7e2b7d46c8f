package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// DefaultFragment is how much of TLS one packet carries if nothing else is configured. With the headers of EAP and IKE it fits a
	// path with an MTU of 1280 bytes, and the 1020 octets that RFC 3748 section 3.1 grants every method come close.
	DefaultFragment = 1024
	// MinFragment and MaxFragment bound what may be configured.
	MinFragment, MaxFragment = 256, 1400
	// MaxMessage bounds what a peer may have reassembled: "a reasonable choice of maximum acceptable message length might be 64 KB"
	// (https://www.rfc-editor.org/rfc/rfc5216#section-2.1.5).
	MaxMessage = 64 << 10
	// MaxFragments bounds how many fragments a message may come in.
	MaxFragments = 256
)

// Flags of the octet in front of the data. https://www.rfc-editor.org/rfc/rfc5216#section-3.1
const (
	flagLength byte = 0x80 // L: four octets with the length of the whole follow
	flagMore   byte = 0x40 // M: more fragments follow
	flagStart  byte = 0x20 // S: the first request of a server
	// versionMask are the bits in which TTLS and PEAP have their version (RFC 5281 section 9.1); EAP-TLS reserves them.
	versionMask byte = 0x07
)

// Errors of fragments. Each is what a peer has done wrong; [errors.Is] finds them.
var (
	ErrFlags     = errors.New("a packet without flags")
	ErrLength    = errors.New("a length that its flags announce is missing")
	ErrTooLong   = fmt.Errorf("a message of more than %d bytes", MaxMessage)
	ErrFragments = fmt.Errorf("a message in more than %d fragments", MaxFragments)
	ErrLies      = errors.New("fragments that don't make up the length they announce")
	ErrNoLength  = errors.New("a first fragment without the length of the whole")
	ErrEmpty     = errors.New("a fragment without data")
	ErrNoAck     = errors.New("data in place of an acknowledgement")
	ErrStart     = errors.New("a start in the middle of a message")
)

// Kind is what a packet of the peer was.
type Kind uint8

const (
	// Start is the first request of a server.
	Start Kind = iota + 1
	// Fragment is a fragment that others follow: an acknowledgement is due, which [Link.Next] gives.
	Fragment
	// Message is the last fragment of a message, or a whole one.
	Message
	// Ack acknowledges a fragment of ours, and the next one is due.
	Ack
	// Empty is a packet without data while nothing of ours waits: it ends a turn.
	Empty
)

// Link cuts what is to be sent and puts together what comes: the type data of packets of EAP-TLS, TTLS and PEAP. The zero value is that of
// a side that has not begun. It is used by one goroutine at a time.
type Link struct {
	// Size is how much data a packet carries; 0: [DefaultFragment].
	Size int
	// Version is what goes into the lowest bits of the flags.
	Version byte

	out   []byte // what is still to be sent
	total int    // the length of the whole, for the first fragment; 0 once that was sent

	in       []byte // what has come of a message
	declared int    // what the peer says will come; -1: nothing
	count    int    // fragments of it
	open     bool   // others follow
}

// Receive takes the type data of a packet. The message is the whole one, and the caller's, if the kind is [Message].
func (l *Link) Receive(data []byte) (message []byte, kind Kind, err error) {
	if len(data) == 0 {
		return nil, 0, ErrFlags
	}
	flags, data := data[0], data[1:]
	declared := -1
	if flags&flagLength != 0 {
		if len(data) < 4 {
			return nil, 0, ErrLength
		}
		n := binary.BigEndian.Uint32(data)
		if n > MaxMessage {
			return nil, 0, ErrTooLong
		}
		declared, data = int(n), data[4:]
	}
	if flags&flagStart != 0 {
		return l.start(flags, data)
	}
	if len(l.out) > 0 {
		// "When an EAP-TLS peer receives an EAP-Request packet with the M bit set, it MUST respond with an EAP-Response with
		// EAP-Type=EAP-TLS and no data." https://www.rfc-editor.org/rfc/rfc5216#section-2.1.5
		if len(data) > 0 || flags&flagMore != 0 || l.open {
			return nil, 0, ErrNoAck
		}
		return nil, Ack, nil
	}
	if len(data) == 0 && flags&flagMore == 0 && !l.open && declared <= 0 {
		return nil, Empty, nil
	}
	return l.add(declared, flags&flagMore != 0, data)
}

func (l *Link) start(flags byte, data []byte) ([]byte, Kind, error) {
	// TTLS may have AVPs behind a start, and PEAP TLVs. That is the caller's to judge.
	if l.open || len(l.out) > 0 || flags&flagMore != 0 {
		return nil, 0, ErrStart
	}
	return data, Start, nil
}

// add takes a fragment.
func (l *Link) add(declared int, more bool, data []byte) ([]byte, Kind, error) {
	if !l.open {
		l.in, l.declared, l.count = nil, -1, 0
		// "The L bit ... MUST be set for the first fragment of a fragmented TLS message or set of messages."
		// https://www.rfc-editor.org/rfc/rfc5216#section-3.1
		if more && declared < 0 {
			return nil, 0, ErrNoLength
		}
		l.declared = declared
	} else if declared >= 0 && declared != l.declared {
		// Some repeat the length in each fragment.
		return nil, 0, ErrLies
	}
	l.count++
	total := len(l.in) + len(data)
	switch {
	case len(data) == 0:
		// It would go on for ever.
		return nil, 0, ErrEmpty
	case l.count > MaxFragments:
		return nil, 0, ErrFragments
	case total > MaxMessage:
		return nil, 0, ErrTooLong
	case l.declared >= 0 && (total > l.declared || !more && total != l.declared || more && total == l.declared):
		return nil, 0, ErrLies
	}
	l.in = append(l.in, data...)
	l.open = more
	if more {
		return nil, Fragment, nil
	}
	message := l.in
	l.in = nil
	return message, Message, nil
}

// PeerVersion is the version in the flags of a packet, by the mask of TTLS and PEAP.
func PeerVersion(data []byte) byte {
	if len(data) == 0 {
		return 0
	}
	return data[0] & versionMask
}

// Send puts a message into the way, behind what is there: [Link.Next] gives it piece by piece.
func (l *Link) Send(message []byte) {
	l.out = append(l.out, message...)
	l.total = len(l.out)
}

// Pending reports whether there is something of a message that has not been sent.
func (l *Link) Pending() bool { return len(l.out) > 0 }

// Open reports whether the peer is in the middle of a message.
func (l *Link) Open() bool { return l.open }

// Next is the type data of the next packet: the next fragment of what is to be sent, or an acknowledgement, or the end of a turn, which look
// the same.
func (l *Link) Next() []byte {
	flags := l.Version
	if len(l.out) == 0 {
		return []byte{flags}
	}
	size := l.Size
	if size == 0 {
		size = DefaultFragment
	}
	size = min(max(size, MinFragment), MaxFragment)
	packet := make([]byte, 0, 5+min(size, len(l.out)))
	// "Implementations MUST NOT set the L bit in unfragmented messages" https://www.rfc-editor.org/rfc/rfc9190#section-2.1.9-1
	if len(l.out) > size {
		flags |= flagMore
		if l.total > 0 {
			flags |= flagLength
		}
	}
	packet = append(packet, flags)
	if flags&flagLength != 0 {
		packet = binary.BigEndian.AppendUint32(packet, uint32(l.total))
	}
	l.total = 0
	n := min(size, len(l.out))
	packet = append(packet, l.out[:n]...)
	l.out = l.out[n:]
	return packet
}

// StartPacket is the type data of a server's first request.
func (l *Link) StartPacket() []byte { return []byte{flagStart | l.Version} }

// Partial reports whether the type data of a packet are less than a message, so that all there is to do is to keep them, or to send the next
// fragment.
func Partial(data []byte) bool {
	return len(data) <= 1 || data[0]&flagMore != 0
}
