package initiators

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Crowd is many users that stay: each is a machine with an address that the responder has given to it. It belongs to one goroutine.
type Crowd struct {
	l        *load
	received chan datagram
	done     chan struct{}
	readers  sync.WaitGroup
	// here are those that are in, or on their way, by number; numbers are the other way round.
	here    map[int]*attempt
	numbers map[wire.SPI]int
	// in are the addresses of those that are in.
	in map[int]netip.Addr
}

// NewCrowd opens the sockets. Nobody is in. o.First, Count and AtOnce are of no meaning; User is what they are.
func NewCrowd(o Options) (*Crowd, error) {
	if o.User == nil {
		return nil, errors.New("initiators: a crowd is of users")
	}
	l := &load{Options: o, under: map[wire.SPI]*attempt{}}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	var err error
	if l.ike, err = o.Open(o.IKE); err != nil {
		return nil, err
	}
	if l.natt, err = o.Open(o.NATT); err != nil {
		return nil, errors.Join(err, l.ike.Close())
	}
	l.IKE, l.NATT = localAddr(l.ike), localAddr(l.natt)
	l.template.LocalNATPort, l.template.RemoteNATPort = l.NATT.Port(), l.RemoteNATT.Port()
	c := &Crowd{
		l: l, received: make(chan datagram, inbox), done: make(chan struct{}),
		here: map[int]*attempt{}, numbers: map[wire.SPI]int{}, in: map[int]netip.Addr{},
	}
	c.readers.Go(func() { read(l.ike, 0, c.received, c.done) })
	c.readers.Go(func() { read(l.natt, marker, c.received, c.done) })
	return c, nil
}

// Close closes the sockets. The users vanish.
func (c *Crowd) Close() {
	close(c.done)
	_ = c.l.ike.Close() // nothing is lost by it
	_ = c.l.natt.Close()
	c.readers.Wait()
}

// In are the addresses of those that are in, by number. It must not be changed.
func (c *Crowd) In() map[int]netip.Addr { return c.in }

// Connect has users come in, AtOnce at a time, and waits until all are or have failed.
func (c *Crowd) Connect(ctx context.Context, list []int, atOnce int) (Result, error) {
	c.l.result = Result{}
	began := time.Now()
	waiting := map[int]bool{}
	err := c.run(ctx, func() bool {
		for len(waiting) < atOnce && len(list) > 0 {
			n := list[0]
			list = list[1:]
			if c.here[n] != nil {
				continue
			}
			c.l.next = n - c.l.First
			now := time.Now()
			m, err := c.l.initiator(now)
			if err != nil {
				c.l.sendErr = err
				return true
			}
			a := &attempt{m, now}
			c.here[n], c.numbers[m.LocalSPI()], c.l.under[m.LocalSPI()] = a, n, a
			waiting[n] = true
			c.drain(n, a)
		}
		for n := range waiting {
			if _, in := c.in[n]; in || c.here[n] == nil {
				delete(waiting, n)
			}
		}
		return len(waiting) == 0 && len(list) == 0
	})
	c.l.result.Took = time.Since(began)
	return c.l.result, err
}

// Disconnect has users leave, each with a DELETE, and waits until the responder has answered all.
func (c *Crowd) Disconnect(ctx context.Context, list []int) error {
	for _, n := range list {
		if a := c.here[n]; a != nil {
			a.machine.Delete(time.Now(), "the user leaves")
			c.drain(n, a)
		}
	}
	return c.run(ctx, func() bool {
		for _, n := range list {
			if c.here[n] != nil {
				return false
			}
		}
		return true
	})
}

// Forget has users vanish without a word.
func (c *Crowd) Forget(list []int) {
	for _, n := range list {
		c.gone(n)
	}
}

func (c *Crowd) gone(n int) {
	if a := c.here[n]; a != nil {
		spi := a.machine.LocalSPI()
		delete(c.numbers, spi)
		delete(c.l.under, spi)
	}
	delete(c.here, n)
	delete(c.in, n)
}

// run does what comes until ready says so.
func (c *Crowd) run(ctx context.Context, ready func() bool) error {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for !ready() {
		select {
		case d := <-c.received:
			c.receive(d)
		case now := <-timer.C:
			for n, a := range c.here {
				if t := a.machine.NextTimeout(); !t.IsZero() && !t.After(now) {
					a.machine.Advance(now)
					c.drain(n, a)
				}
			}
		case <-ctx.Done():
			return fmt.Errorf("%w: %d are in; the first failure: %q", ErrIncomplete, len(c.in), c.l.result.Failure)
		}
		if c.l.sendErr != nil {
			return c.l.sendErr
		}
	}
	return nil
}

func (c *Crowd) receive(d datagram) {
	h, err := wire.ParseHeader(d.b)
	if err != nil {
		return
	}
	n, known := c.numbers[sa.LocalSPIOf(h)]
	if !known {
		return
	}
	a := c.here[n]
	a.machine.Receive(time.Now(), d.b, sa.Path{Local: d.local, Remote: d.remote})
	c.drain(n, a)
}

// drain carries out what the machine of a user wants.
func (c *Crowd) drain(n int, a *attempt) {
	for _, o := range outputs(a.machine) {
		switch o := o.(type) {
		case sa.Send:
			c.l.send(o)
		case sa.Retransmitted:
			c.l.result.Retransmits++
		case sa.ChildUp:
			own, _ := a.machine.Virtual()
			if len(own) == 0 {
				c.fail(n, "no address")
				return
			}
			c.in[n] = own[0]
			c.l.result.Established++
			c.l.result.Latencies = append(c.l.result.Latencies, time.Since(a.began))
		case sa.Failed:
			if _, in := c.in[n]; !in {
				c.fail(n, o.Failure.Error())
				return
			}
		case sa.Closed:
			if _, in := c.in[n]; !in {
				c.fail(n, o.Reason)
				return
			}
			c.gone(n)
			return
		}
	}
}

func (c *Crowd) fail(n int, why string) {
	if c.l.result.Failed++; c.l.result.Failed == 1 {
		c.l.result.Failure = fmt.Sprintf("user %d: %s", n, why)
	}
	c.gone(n)
}
