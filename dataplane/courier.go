package dataplane

import "sync"

// maxErrandOctets bounds the packets that wait for the courier, beyond one errand: more than that is dropped. It is what
// the largest ring holds at most.
const maxErrandOctets = MaxWaitRing << 16

// courier does what the control side wants done with packets: it sends those that have waited for a tunnel, and tells the
// senders of others what became of them. It has a goroutine of its own, so that nothing that calls the engine waits for a
// socket or a device, and an outLoop of its own.
type courier struct {
	loop *outLoop
	wake chan struct{} // has a token whenever there are errands

	mu      sync.Mutex
	errands []errand // the oldest first
	octets  int      // of their packets
}

// errand is one thing to do.
type errand struct {
	kind    errandKind
	packets []superPacket
	// quote is the beginning of a packet, as an ICMP error has it.
	quote []byte
}

// errandKind says what is to be done with the packets of an errand.
type errandKind uint8

const (
	errandDeliver   errandKind = iota // they look for their way again, and may wait again
	errandLast                        // the same, and without an SA they are dropped
	errandFailed                      // they are dropped: their tunnel does not come up
	errandLeftOut                     // they are dropped: their tunnel is up, and does not carry them
	errandSendAgain                   // the sender of quote is told to send it again in smaller packets
)

func newCourier(loop *outLoop) *courier {
	return &courier{loop: loop, wake: make(chan struct{}, 1)}
}

// size is the octets of memory that an errand takes for packets.
func (x *errand) size() int {
	n := len(x.quote)
	for i := range x.packets {
		n += len(x.packets[i].buf)
	}
	return n
}

// hand gives the courier something to do. It does not wait.
func (c *courier) hand(x errand) {
	if len(x.packets) == 0 && x.quote == nil {
		return
	}
	n := x.size()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errands) > 0 && c.octets+n > maxErrandOctets {
		for i := range x.packets {
			c.loop.drops.add(DropOutWaitFull, x.packets[i].segments)
		}
		return
	}
	c.errands = append(c.errands, x)
	c.octets += n
	select {
	case c.wake <- struct{}{}:
	default: // one token is enough: work does everything
	}
}

// run works until the engine is closed.
func (c *courier) run(done <-chan struct{}) {
	for {
		select {
		case <-c.wake:
			c.work(done)
		case <-done:
			return
		}
	}
}

// work does all that there is to do.
func (c *courier) work(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		c.mu.Lock()
		if len(c.errands) == 0 {
			c.mu.Unlock()
			return
		}
		x := c.errands[0]
		c.errands[0] = errand{}
		c.errands = c.errands[1:]
		c.octets -= x.size()
		c.mu.Unlock()
		c.do(&x)
	}
}

func (c *courier) do(x *errand) {
	w := c.loop
	w.begin()
	switch x.kind {
	case errandDeliver, errandLast:
		for i := range x.packets {
			w.packet(&x.packets[i], x.kind == errandLast)
		}
	case errandFailed:
		w.giveUp(x.packets, DropOutWaitFailed, unreachableHost)
	case errandLeftOut:
		w.giveUp(x.packets, DropOutWaitNarrow, unreachableProhibited)
	case errandSendAgain:
		w.sendAgain(x.quote)
	}
	w.sendBatch()
}

// giveUp drops packets that have waited, and says so to their senders.
func (w *outLoop) giveUp(packets []superPacket, reason DropReason, why unreachableCode) {
	for i := range packets {
		w.drops.add(reason, packets[i].segments)
		w.unreachable(&packets[i], why)
	}
}

// sendAgain tells the sender of a packet that has vanished how much fits by now, so that it is sent again in pieces.
func (w *outLoop) sendAgain(quote []byte) {
	if !w.header.parseQuote(quote, quote[0]>>4 == 6) {
		return
	}
	if r := w.rule(&w.header.key); r != nil && r.sa != nil {
		w.tooBig(quote, int(r.sa.child.inner.Load()))
	}
}
