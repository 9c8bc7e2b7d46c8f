package dataplane

import "errors"

// Sizes of a batch of messages to the wire.
const (
	txArena    = 1 << 20 // octets of sealed packets in a batch; at most 16 full messages
	txMessages = 256     // messages in a batch
	txAlign    = 64      // messages begin on cache lines of their own
)

// txBatch is a batch of messages to the wire. Sealed packets are written straight to their final place in arena:
// those of one message back to back, as UDP_SEGMENT wants them.
//
//	arena: | packet | packet | packet | … | packet | packet |
//	       message 0, seg octets each      message 1
type txBatch struct {
	arena []byte
	used  int
	limit gsoLimits
	msgs  []txMessage

	// onError gets each packet that was not sent, or a message's worth of them.
	onError func(m *txMessage, packets int, err error)
}

// txMessage is one message: n packets of seg octets, the last may be shorter.
type txMessage struct {
	start, end int
	seg        int
	n          int
	route      *route
	tos        uint8
	closed     bool // the last packet is shorter than seg: nothing can follow
	oversize   bool // its packets are larger than the path, which was known when they were sealed, and go all the same
}

func newTxBatch(m *memory, limit gsoLimits) *txBatch {
	return &txBatch{arena: m.arena(txArena), limit: limit, msgs: make([]txMessage, 0, txMessages)}
}

// place gives room for a packet of n octets that goes to route r, and nil if the batch has to be sent first. commit
// makes the packet part of the batch. oversize: see txMessage.
func (t *txBatch) place(r *route, tos uint8, oversize bool, n int) (dst []byte, joins bool) {
	if k := len(t.msgs); k > 0 {
		m := &t.msgs[k-1]
		// Only UDP has segmentation offload.
		if m.route == r && r.path.UDP && m.tos == tos && m.oversize == oversize && !m.closed && n <= m.seg && m.n < t.limit.segments &&
			m.end-m.start+n <= r.maxPayload() && m.end+n+1 <= len(t.arena) {
			return t.arena[m.end : m.end+n : m.end+n], true
		}
	}
	// The octet behind each message is for the sentinel.
	at := (t.used + txAlign) &^ (txAlign - 1)
	if len(t.msgs) == cap(t.msgs) || at+n+1 > len(t.arena) {
		return nil, false
	}
	return t.arena[at : at+n : at+n], false
}

// commit makes the n octets that place gave room for part of the batch.
func (t *txBatch) commit(r *route, tos uint8, oversize bool, n int, joins bool) {
	if joins {
		m := &t.msgs[len(t.msgs)-1]
		m.end += n
		m.n++
		m.closed = n < m.seg
		t.used = m.end
		return
	}
	at := (t.used + txAlign) &^ (txAlign - 1)
	t.msgs = append(t.msgs, txMessage{start: at, end: at + n, seg: n, n: 1, route: r, tos: tos, oversize: oversize})
	t.used = at + n
}

// bytes is the message's packets, back to back.
func (t *txBatch) bytes(m *txMessage) []byte { return t.arena[m.start:m.end] }

// packet is the i-th packet of the message.
func (t *txBatch) packet(m *txMessage, i int) []byte {
	at := m.start + i*m.seg
	return t.arena[at:min(at+m.seg, m.end)]
}

// reset empties the batch.
func (t *txBatch) reset() { t.used, t.msgs = 0, t.msgs[:0] }

// fail reports packets that were not sent.
func (t *txBatch) fail(m *txMessage, packets int, err error) {
	if t.onError != nil && packets > 0 {
		t.onError(m, packets, err)
	}
}

// errSendBuffer is reported by senders when the socket's buffer is full.
var errSendBuffer = errors.New("dataplane: the socket's send buffer is full")
