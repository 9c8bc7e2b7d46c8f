package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"esplanade/ike/diag"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// demoEvents writes what both gateways report as one ladder, and counts it for those who wait.
type demoEvents struct {
	mu      sync.Mutex
	out     lineWriter
	start   time.Time
	counts  demoCounts
	failure *diag.Failure
	changed chan struct{} // closed and replaced with each change
}

// demoCounts are what a demonstration waits for. Each is reported once by each side, but deletes by the side that asks.
type demoCounts struct{ up, childRekeys, ikeRekeys, deletes int }

func newDemoEvents(out io.Writer) *demoEvents {
	return &demoEvents{out: lineWriter{w: out, terminal: isTerminal(out)}, start: time.Now(), changed: make(chan struct{})}
}

// line writes a line between those of the ladder.
func (e *demoEvents) line(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.line(e.stamp(s))
}

// status shows how it goes below the lines, where that is possible.
func (e *demoEvents) status(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.status(e.stamp(s))
}

// terminal reports whether status shows anything.
func (e *demoEvents) terminal() bool { return e.out.terminal }

// text writes lines without a time.
func (e *demoEvents) text(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.line(fmt.Sprintf(format, args...))
}

func (e *demoEvents) stamp(s string) string {
	return fmt.Sprintf("%7.3f  %s", time.Since(e.start).Seconds(), s)
}

// note changes the counts and wakes who waits.
func (e *demoEvents) note(f func(c *demoCounts)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.counts)
	close(e.changed)
	e.changed = make(chan struct{})
}

// wait returns when the counts are as they should be, or with the first failure of a gateway.
func (e *demoEvents) wait(ctx context.Context, what string, enough func(demoCounts) bool) error {
	ctx, cancel := context.WithTimeout(ctx, demoStep)
	defer cancel()
	for {
		e.mu.Lock()
		ok, failure, changed := enough(e.counts), e.failure, e.changed
		e.mu.Unlock()
		switch {
		case failure != nil:
			return failure
		case ok:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s did not come about within %s: %w", what, demoStep, ctx.Err())
		}
	}
}

// side is the observer of one gateway.
func (e *demoEvents) side(name string) ikegw.Observer { return &demoSide{e: e, name: name} }

type demoSide struct {
	e    *demoEvents
	name string
}

// Observe implements gateway.Observer. What is not shown is ignored.
func (s *demoSide) Observe(ev ikegw.Event) {
	switch ev := ev.(type) {
	case ikegw.Exchange:
		s.exchange(ev.ExchangeDone)
	case ikegw.ChildUpdown:
		if c := ev.Child; ev.Up {
			s.e.line(fmt.Sprintf("%5s: CHILD SA %08x in, %08x out, %s, %s", s.name, c.LocalSPI, c.RemoteSPI, c.Chosen, c.TS))
			s.e.note(func(n *demoCounts) { n.up++ })
		}
	case ikegw.ChildRekeyed:
		s.e.line(fmt.Sprintf("%5s: CHILD SA %08x replaces %08x", s.name, ev.New.LocalSPI, ev.Old.LocalSPI))
		s.e.note(func(n *demoCounts) { n.childRekeys++ })
	case ikegw.IKERekeyed:
		s.e.line(fmt.Sprintf("%5s: IKE SA %s replaces %s", s.name, ev.New.SPIi, ev.Old.SPIi))
		s.e.note(func(n *demoCounts) { n.ikeRekeys++ })
	case ikegw.Failed:
		s.failed(ev.Failure)
	}
}

// exchange draws both messages of an exchange, once, from the side that made the request.
func (s *demoSide) exchange(x sa.ExchangeDone) {
	if !x.Initiated {
		return
	}
	there, back := "left ----> right", "left <---- right"
	if s.name == "right" {
		there, back = back, there
	}
	s.e.line(fmt.Sprintf("%s  %s, %d octets", there, x.Request, x.RequestLen))
	s.e.line(fmt.Sprintf("%s  %s, %d octets, %s", back, x.Response, x.ResponseLen, x.Took.Round(10*time.Microsecond)))
	if x.Exchange == wire.ExchangeInformational {
		s.e.note(func(n *demoCounts) { n.deletes++ })
	}
}

// failed ends the demonstration with the failure.
func (s *demoSide) failed(f *diag.Failure) {
	if f.Code == diag.CodeDeleted || f.Code == diag.CodeCancelled {
		return // the end of the other side
	}
	s.e.line(s.name + ": " + f.Error())
	s.e.mu.Lock()
	if s.e.failure == nil {
		s.e.failure = f
	}
	s.e.mu.Unlock()
	s.e.note(func(*demoCounts) {})
}
