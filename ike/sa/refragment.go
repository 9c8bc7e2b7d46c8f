package sa

import (
	"time"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// A path may drop what the configured size lets through, and nothing says so: the request, or the answer to it, is lost
// each time. RFC 7383 section 2.5.2 lets a sender turn to smaller fragments in a retransmission. What the receiver has of
// the larger ones it gives up then:
//
//	"If reassembling is not finished yet and the Total Fragments field in the received fragment is greater than the Total
//	Fragments field in those fragments that are in the reassembling queue, the receiver MUST discard all received fragments
//	and start the reassembly process over with just the received IKE Fragment message."
//
// https://www.rfc-editor.org/rfc/rfc7383#section-2.6
// So there must be more of them than before. What is in them, and IntAuth with it, stays the same; each is protected again.
const (
	// smallFragment is the size that is tried. With the headers of IP and UDP, the non-ESP marker and a tunnel's on the way
	// it stays below the 576 octets that every host takes.
	smallFragment = 512
	// refragmentAfter is the number of the retransmission that goes in smaller fragments: one loss, or two, happen anywhere.
	refragmentAfter = 2
)

// whole is a message as it is before it is protected, with the protection that it had.
type whole struct {
	header wire.Header
	first  wire.PayloadType
	plain  []byte
	sealer suite.Protection
}

// size is the length of the message in one piece.
func (w *whole) size() int { return wire.HeaderLen + skHeaderLen + w.sealer.BodyLen(len(w.plain)) }

// fragments splits the message over SKF payloads in datagrams of that size. It returns nil when that takes more fragments
// than there can be.
func (w *whole) fragments(size int) [][]byte {
	room := size - wire.HeaderLen - skfHeaderLen
	chunk := room
	for chunk > minFragmentPlain && w.sealer.BodyLen(chunk) > room {
		chunk--
	}
	chunk = max(chunk, minFragmentPlain)
	total := (len(w.plain) + chunk - 1) / chunk
	if total > maxFragments {
		return nil
	}
	var out [][]byte
	for n := 1; n <= total; n++ {
		part := w.plain[(n-1)*chunk : min(n*chunk, len(w.plain))]
		next := wire.PayloadNone
		if n == 1 {
			// Only the first fragment names the type of the first inner payload; the others have zero there.
			// https://www.rfc-editor.org/rfc/rfc7383#section-2.5
			next = w.first
		}
		b := wire.AppendProtectedFragment(nil, w.header, next, uint16(n), uint16(total), w.sealer.BodyLen(len(part)))
		out = append(out, sealTo(w.sealer, b, part))
	}
	return out
}

// fragmentSize is the largest datagram of ours, 0 for no limit.
func (m *Machine) fragmentSize() int {
	switch {
	case !m.frag.negotiated:
		return 0
	case m.frag.small && m.cfg.FragmentSize > smallFragment:
		return smallFragment
	}
	return m.cfg.FragmentSize
}

// shrink gives a message in smaller fragments than it was sent in, or nil.
func (m *Machine) shrink(w *whole, sent [][]byte) [][]byte {
	if w == nil || !m.frag.negotiated || m.cfg.FragmentSize <= smallFragment || w.size() <= smallFragment {
		return nil
	}
	frags := w.fragments(smallFragment)
	if len(frags) <= len(sent) {
		return nil
	}
	m.frag.small = true
	return frags
}

// shrinkRequest makes the fragments of a request smaller that is about to be repeated. "When starting a new probe, the node MUST reset its
// retransmission timers so that if it employs exponential back-off the timers will start over."
// https://www.rfc-editor.org/rfc/rfc7383#section-2.5.2
func (m *Machine) shrinkRequest(now time.Time, p *outstanding) {
	if p.tries != refragmentAfter {
		return
	}
	if frags := m.shrink(p.whole, p.datagrams); frags != nil {
		p.datagrams, p.refragmented = frags, p.tries
		p.deadAt = now.Add(m.cfg.Retransmit.total())
	}
}

// shrinkResponse does the same for an answer that has been asked for again and again.
func (m *Machine) shrinkResponse() {
	w := &m.window
	if w.repeats++; w.repeats != refragmentAfter {
		return
	}
	if frags := m.shrink(w.whole, w.response); frags != nil {
		w.response = frags
	}
}
