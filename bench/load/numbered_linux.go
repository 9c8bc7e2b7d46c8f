package load

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Numbered is a stream of UDP datagrams with numbers in them, so that each that is lost is known by the moment in which it
// was sent. TCP would hide it.
type Numbered struct {
	out, in   int
	payload   int
	rate      float64
	begin     time.Time
	stopping  atomic.Bool
	receiving atomic.Bool
	sending   sync.WaitGroup
	threads   sync.WaitGroup

	// What follows belongs to the sending and the receiving thread, and is read when both have ended.
	sent    []time.Duration // when, by number
	sendErr error
	arrived []uint8 // how often, by number
	highest int
	late    int
}

// numberedPort is where they arrive, at both ends: there may be a stream each way.
const numberedPort = 7003

// numberedSize is what a number takes.
const numberedSize = 8

// maxNumbered bounds what is remembered: a day at 1000 a second.
const maxNumbered = 24 * 60 * 60 * 1000

// StartNumbered sends from a to b, IPv4 packets of size bytes, rate of them a second.
func StartNumbered(a, b In, from, to netip.Addr, size int, rate float64) (*Numbered, error) {
	if size < udpHeaders+numberedSize || size-udpHeaders > packetRoom || rate <= 0 {
		return nil, fmt.Errorf("load: %v packets of %d bytes a second", rate, size)
	}
	n := &Numbered{out: -1, in: -1, payload: size - udpHeaders, rate: rate, begin: time.Now(), highest: -1}
	near, far := netip.AddrPortFrom(from, numberedPort+100), netip.AddrPortFrom(to, numberedPort)
	err := b(func() (err error) { n.in, err = openUDP(far, near); return err })
	if err == nil {
		err = a(func() (err error) { n.out, err = openUDP(near, far); return err })
	}
	if err != nil {
		n.closeSockets()
		return nil, fmt.Errorf("load: %w", err)
	}
	n.threads.Go(n.receive)
	n.sending.Go(n.send)
	return n, nil
}

func (n *Numbered) closeSockets() {
	for _, fd := range []int{n.out, n.in} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// send sends by the clock; what it could not send in time is left out, not caught up with.
func (n *Numbered) send() {
	ownThread()
	buf := make([]byte, n.payload)
	interval := time.Duration(float64(time.Second) / n.rate)
	for next := time.Duration(0); !n.stopping.Load() && len(n.sent) < maxNumbered; {
		now := time.Since(n.begin)
		if wait := next - now; wait > 0 {
			nap(min(wait, patience))
			continue
		}
		next = max(next+interval, now-interval)
		binary.BigEndian.PutUint64(buf, uint64(len(n.sent)))
		switch _, err := unix.Write(n.out, buf); {
		case err == nil, err == unix.ENOBUFS: // for the latter: dropped on the way out, sent and lost
			n.sent = append(n.sent, now)
		case !transient(err):
			n.sendErr = fmt.Errorf("load: datagram %d: %w", len(n.sent), err)
			return
		}
	}
}

func (n *Numbered) receive() {
	ownThread()
	b := make([]byte, packetRoom)
	for !n.receiving.Load() {
		k, err := unix.Read(n.in, b)
		if err != nil {
			if !transient(err) {
				return // a broken socket: everything is lost from here on
			}
			continue
		}
		if k >= numberedSize {
			n.note(binary.BigEndian.Uint64(b))
		}
	}
}

// note counts an arrival.
func (n *Numbered) note(number uint64) {
	if number >= maxNumbered {
		return
	}
	i := int(number)
	for len(n.arrived) <= i {
		n.arrived = append(n.arrived, 0)
	}
	if n.arrived[i] < 255 {
		n.arrived[i]++
	}
	if i < n.highest {
		n.late++
	}
	n.highest = max(n.highest, i)
}

// Finish stops sending, gives what is under way time to arrive, and counts.
func (n *Numbered) Finish() (NumberedResult, error) {
	n.stopping.Store(true)
	n.sending.Wait()
	nap(settleMax)
	n.receiving.Store(true)
	n.threads.Wait()
	n.closeSockets()
	return n.result(), n.sendErr
}

func (n *Numbered) result() NumberedResult {
	r := NumberedResult{Sent: len(n.sent), Late: n.late}
	for i, at := range n.sent {
		times := uint8(0)
		if i < len(n.arrived) {
			times = n.arrived[i]
		}
		switch {
		case times == 0:
			r.Lost = append(r.Lost, at)
			continue
		case times > 1:
			r.Repeated++
		}
		r.Received++
	}
	return r
}
