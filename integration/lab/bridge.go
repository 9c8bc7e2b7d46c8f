//go:build linux

package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Impairment is what a bridge does to the frames that pass it. Each is a probability.
type Impairment struct {
	Loss, Duplicate, Reorder float64
	Seed                     uint64
}

// Bridge passes frames between the two gateways in user space, and can lose, duplicate and reorder them.
type Bridge struct {
	impair atomic.Pointer[Impairment]
	legs   [2]*bridgeLeg // from a to b, and back
	stop   chan struct{}
	wg     sync.WaitGroup
}

// BridgeCount is what happened to the frames of one direction.
type BridgeCount struct{ Passed, Lost, Duplicated, Reordered int64 }

func (c BridgeCount) String() string {
	return fmt.Sprintf("%d frames passed, %d lost, %d duplicated, %d reordered", c.Passed, c.Lost, c.Duplicated, c.Reordered)
}

const (
	// bridgeHold is the most frames that overtake one, and holdTime how long it waits if there are not so many.
	bridgeHold = 24
	holdTime   = 2 * time.Millisecond
)

// startBridge joins two links of a host.
func startBridge(h *Host, x, y string) (*Bridge, error) {
	b := &Bridge{stop: make(chan struct{})}
	b.impair.Store(&Impairment{})
	var fds [2]int
	err := h.Do(func() (err error) {
		for i, link := range []string{x, y} {
			if fds[i], err = openPacketSocket(link); err != nil {
				return err
			}
			if err := unix.SetsockoptInt(fds[i], unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bridge %s - %s: %w", x, y, err)
	}
	b.legs = [2]*bridgeLeg{{b: b, from: fds[0], to: fds[1]}, {b: b, from: fds[1], to: fds[0]}}
	for i, l := range b.legs {
		b.wg.Go(func() { l.run(uint64(i)) })
	}
	return b, nil
}

// Impair changes what happens to frames from now on.
func (b *Bridge) Impair(i Impairment) { b.impair.Store(&i) }

// Counts is what has happened so far, from a to b and back.
func (b *Bridge) Counts() (forth, back BridgeCount) { return b.legs[0].count(), b.legs[1].count() }

// close ends the bridge.
func (b *Bridge) close() {
	close(b.stop)
	b.wg.Wait()
	for _, l := range b.legs {
		unix.Close(l.from)
	}
}

// bridgeLeg is one direction. Owned by its goroutine, but for the counters.
type bridgeLeg struct {
	b        *Bridge
	from, to int
	held     []heldFrame

	passed, lost, duplicated, reordered atomic.Int64
}

type heldFrame struct {
	frame []byte
	after int // frames that it lets pass
	since time.Time
}

func (l *bridgeLeg) count() BridgeCount {
	return BridgeCount{l.passed.Load(), l.lost.Load(), l.duplicated.Load(), l.reordered.Load()}
}

func (l *bridgeLeg) run(direction uint64) {
	buf := make([]byte, captureSnapLen)
	var r *rand.Rand
	var now *Impairment
	for {
		select {
		case <-l.b.stop:
			return
		default:
		}
		n, _, err := unix.Recvfrom(l.from, buf, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			l.wait()
			l.release(false)
			continue
		}
		if err != nil {
			continue
		}
		if i := l.b.impair.Load(); i != now {
			now, r = i, rand.New(rand.NewPCG(i.Seed, direction))
		}
		switch p := r.Float64(); {
		case p < now.Loss:
			l.lost.Add(1)
			continue
		case p < now.Loss+now.Duplicate:
			l.duplicated.Add(1)
			l.pass(buf[:n])
			l.pass(buf[:n])
		case p < now.Loss+now.Duplicate+now.Reorder:
			l.reordered.Add(1)
			l.held = append(l.held, heldFrame{append([]byte(nil), buf[:n]...), 1 + r.IntN(bridgeHold), time.Now()})
			continue
		default:
			l.pass(buf[:n])
		}
		l.release(true)
	}
}

// wait waits for a frame, not for long if one is held back.
func (l *bridgeLeg) wait() {
	patience := capturePoll
	if len(l.held) > 0 {
		patience = holdTime
	}
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(l.from), Events: unix.POLLIN}}, int(patience/time.Millisecond))
}

// release passes held frames on that have let enough others pass, or have waited for long enough.
func (l *bridgeLeg) release(passed bool) {
	kept := l.held[:0]
	for _, h := range l.held {
		if passed {
			h.after--
		}
		if h.after > 0 && (passed || time.Since(h.since) < holdTime) {
			kept = append(kept, h)
			continue
		}
		l.pass(h.frame)
	}
	l.held = kept
}

// pass sends a frame. A link that is down or full drops it like any other network.
func (l *bridgeLeg) pass(frame []byte) {
	for {
		_, err := unix.Write(l.to, frame)
		switch {
		case err == nil:
			l.passed.Add(1)
		case errors.Is(err, unix.EINTR):
			continue
		default:
			l.lost.Add(1)
		}
		return
	}
}
