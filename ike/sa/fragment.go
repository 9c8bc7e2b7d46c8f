package sa

import (
	"time"

	"esplanade/ike/wire"
)

// Limits of reassembly, RFC 7383 section 2.6. Memory per SA is bounded by maxReassembled.
const (
	// maxFragments is the largest total that is accepted. Windows sends up to 29 fragments for a certificate chain.
	maxFragments = 64
	// maxReassembled is the largest message in octets that fragments may add up to. An SA keeps that much per direction.
	maxReassembled = 64 << 10
	// fragmentTimeout frees what has been collected of a message that never got whole.
	fragmentTimeout = 30 * time.Second
	// minFragmentPlain keeps a misconfigured size from producing fragments of a few octets.
	minFragmentPlain = 64
)

// fragments reassembles the expected request and the expected response, which may come at the same time. The window size
// is one, so that there is never a second one of either.
type fragments struct {
	// negotiated: both sides have sent IKEV2_FRAGMENTATION_SUPPORTED.
	negotiated bool
	// mixed: the message that was completed last came by more than one path. One of them may be an attacker's, who repeats
	// what was lost on its way: no address is learned from it.
	mixed bool
	// head are the octets of the message that was completed last, from its header to the generic header of its SK payload, as if
	// it had come in one piece. Only of IKE_INTERMEDIATE.
	head              []byte
	request, response assembly
	// small: something larger than smallFragment was not answered, so that nothing larger is sent any more.
	small bool
}

// assembly is one message in the making.
type assembly struct {
	id      uint32
	path    Path // of the first fragment that came
	mixed   bool
	total   uint16
	first   wire.PayloadType
	head    []byte
	parts   [][]byte // by number-1; nil when missing
	have    int
	size    int
	expires time.Time
}

// add stores an authenticated fragment. When it completes the message, the message's content is returned.
func (x *fragments) add(m *Machine, now time.Time, msg *wire.Message, datagram, plain []byte, path Path) (wire.PayloadType, []byte, bool) {
	e := msg.Encrypted
	if !x.negotiated {
		m.ignore(path, IgnoreState, "fragment without IKEV2_FRAGMENTATION_SUPPORTED")
		return 0, nil, false
	}
	f := &x.request
	if msg.Header.Flags.Response() {
		f = &x.response
	}
	if e.Total > maxFragments || f.size+len(plain) > maxReassembled {
		*f = assembly{}
		m.ignore(path, IgnoreFragmentLimit, "")
		return 0, nil, false
	}
	id := msg.Header.MessageID
	switch {
	case f.parts == nil || id != f.id || e.Total > f.total:
		// A larger total than before means that the sender has turned to smaller fragments: what there is of the others is
		// of no use any more. https://www.rfc-editor.org/rfc/rfc7383#section-2.6
		*f = assembly{id: id, path: path, total: e.Total, parts: make([][]byte, e.Total), expires: now.Add(fragmentTimeout)}
	case e.Total < f.total:
		m.ignore(path, IgnoreDuplicate, "fragment of a larger size")
		return 0, nil, false
	}
	if f.parts[e.Number-1] != nil {
		m.ignore(path, IgnoreDuplicate, "fragment")
		return 0, nil, false
	}
	if e.Number == 1 {
		f.first = e.First
		if msg.Header.Exchange == wire.ExchangeIKEIntermediate {
			f.head = wire.WholeHead(datagram[:e.AADLen])
		}
	}
	if plain == nil {
		plain = []byte{}
	}
	f.mixed = f.mixed || path != f.path
	f.parts[e.Number-1] = plain
	f.have++
	f.size += len(plain)
	if f.have < int(f.total) {
		return 0, nil, false
	}
	whole := make([]byte, 0, f.size)
	for _, p := range f.parts {
		whole = append(whole, p...)
	}
	first := f.first
	x.mixed, x.head = f.mixed, f.head
	*f = assembly{}
	return first, whole, true
}

func (x *fragments) nextTimeout() time.Time { return earliest(x.request.expires, x.response.expires) }

func (x *fragments) advance(now time.Time) {
	for _, f := range [...]*assembly{&x.request, &x.response} {
		if !f.expires.IsZero() && !now.Before(f.expires) {
			*f = assembly{}
		}
	}
}
