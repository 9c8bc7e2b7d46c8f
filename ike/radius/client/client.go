package client

import (
	"context"
	"crypto/rand"
	"log/slog"
	mrand "math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/radius"
)

// maxAsked bounds the requests that are under way or wait. Others are refused at once.
const maxAsked = 8192

// Setup is what a client works by. It must not be changed.
type Setup struct {
	// Radius are the servers.
	Radius *radius.Config
	// Listen is where orders are taken; not valid: nowhere. An unspecified address is all of them.
	Listen netip.AddrPort
}

// Options are what a [Client] is made of.
type Options struct {
	Setup Setup
	Log   *slog.Logger
	// Order carries an order of a server out and calls done, at once or later and from any goroutine. It must not block.
	Order func(o aaa.Order, done func(radius.Cause))
}

// Client asks servers. Its methods may be called from any goroutine.
type Client struct {
	o    Options
	wake chan struct{}
	// received are the datagrams of all sockets. What does not fit waits in the buffers of the sockets.
	received chan datagram
	closing  chan struct{}
	working  sync.WaitGroup

	mu     sync.Mutex
	inbox  []func(now time.Time)
	asked  int
	closed bool
	report radius.Report

	// These belong to the client's goroutine.
	m       *radius.Machine
	waiting map[uint64]func(radius.Answered)
	sockets sockets
	log     complaints
}

// New makes a client. Nothing happens before [Client.Start].
func New(o Options) *Client {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Setup.Radius == nil {
		o.Setup.Radius = &radius.Config{}
	}
	c := &Client{
		o: o, wake: make(chan struct{}, 1), received: make(chan datagram, 64), closing: make(chan struct{}),
		waiting: map[uint64]func(radius.Answered){}, log: complaints{log: o.Log},
	}
	c.sockets.init(c)
	return c
}

// Start begins.
func (c *Client) Start() { c.working.Go(c.run) }

// Close has the records of accounting sent that wait, until then at the latest, and ends everything. What was asked is not answered any more.
func (c *Client) Close(until time.Time) {
	c.mu.Lock()
	twice := c.closed
	c.closed = true
	c.mu.Unlock()
	if twice {
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	drained := make(chan struct{})
	c.put(func(now time.Time) {
		c.m.Hurry(now)
		c.sockets.drained = drained
	})
	select {
	case <-drained:
	case <-ctx.Done():
	}
	close(c.closing)
	c.working.Wait()
}

// Ask asks a server about a user; see [radius.Machine.Access]. done is told what comes of it once, on a goroutine of the client, and must not
// block. cancel says that nobody waits for it any more.
func (c *Client) Ask(a radius.Access, server string, until time.Time, done func(radius.Answered)) (cancel func()) {
	c.mu.Lock()
	full := c.asked >= maxAsked || c.closed
	if !full {
		c.asked++
	}
	closed := c.closed
	c.mu.Unlock()
	if full {
		f := &radius.Failure{Reason: radius.TooMany}
		if closed {
			f.Reason = radius.Ended
		}
		done(radius.Answered{Failure: f})
		return func() {}
	}
	var id uint64
	c.put(func(now time.Time) {
		id = c.m.Access(now, a, server, until)
		c.waiting[id] = done
	})
	return func() {
		c.put(func(now time.Time) {
			if c.waiting[id] != nil {
				c.m.Cancel(now, id)
				c.end(id)
			}
		})
	}
}

// Account has a record sent.
func (c *Client) Account(r aaa.Record) { c.put(func(now time.Time) { c.m.Account(now, r) }) }

// Configure takes another setup.
func (c *Client) Configure(s Setup) {
	if s.Radius == nil {
		s.Radius = &radius.Config{}
	}
	c.put(func(now time.Time) {
		c.m.Configure(now, s.Radius)
		c.sockets.configure(s)
	})
}

// Report is how it does.
func (c *Client) Report() radius.Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.report
}

// put has the client's goroutine do something.
func (c *Client) put(f func(now time.Time)) {
	c.mu.Lock()
	c.inbox = append(c.inbox, f)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run owns the machine.
func (c *Client) run() {
	defer c.sockets.close()
	c.m = radius.NewMachine(time.Now(), c.o.Setup.Radius, random, mrand.Float64)
	c.sockets.configure(c.o.Setup)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c.carryOut()
		wait := time.Hour
		if next := c.m.NextTimeout(); !next.IsZero() {
			wait = max(time.Until(next), 0)
		}
		timer.Reset(wait)
		select {
		case <-c.closing:
			return
		case <-c.wake:
			c.mu.Lock()
			list := c.inbox
			c.inbox = nil
			c.mu.Unlock()
			now := time.Now()
			for _, f := range list {
				f(now)
			}
		case d := <-c.received:
			if d.orders {
				c.m.ReceiveOrder(time.Now(), d.from, d.b)
			} else {
				c.m.Receive(time.Now(), d.at, d.from, d.b)
			}
		case <-timer.C:
		}
		c.m.Advance(time.Now())
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

// carryOut does what the machine wants.
func (c *Client) carryOut() {
	for list := c.m.Outputs(); len(list) > 0; list = c.m.Outputs() {
		for _, o := range list {
			switch o := o.(type) {
			case radius.Send:
				c.sockets.send(o)
			case radius.Reply:
				c.sockets.reply(o)
			case radius.Answered:
				if done := c.end(o.ID); done != nil {
					done(o)
				}
			case radius.Ordered:
				c.order(o)
			default:
				c.log.say(time.Now(), o)
			}
		}
	}
	if c.sockets.drained != nil && c.m.Records() == 0 {
		close(c.sockets.drained)
		c.sockets.drained = nil
	}
	c.mu.Lock()
	c.report = c.m.Report()
	c.mu.Unlock()
}

// end forgets who waits for a request.
func (c *Client) end(id uint64) func(radius.Answered) {
	done := c.waiting[id]
	if done != nil {
		delete(c.waiting, id)
		c.mu.Lock()
		c.asked--
		c.mu.Unlock()
	}
	return done
}

func (c *Client) order(o radius.Ordered) {
	if c.o.Order == nil {
		c.m.CarriedOut(time.Now(), o.ID, radius.SessionNotFound)
		return
	}
	c.o.Order(o.Order, func(cause radius.Cause) {
		c.put(func(now time.Time) { c.m.CarriedOut(now, o.ID, cause) })
	})
}
