package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// pingPayload makes an IPv4 packet of 64 bytes: a sequence number and padding.
const pingPayload = 64 - udpHeaders

// Lost is the time after which a ping is given up; it counts as having taken as long.
const Lost = time.Second

// echo answers.
func (l *Link) echo() {
	ownThread()
	b := make([]byte, packetRoom)
	for !l.closing.Load() {
		n, err := unix.Read(l.pingB, b)
		if err == nil {
			_, err = unix.Write(l.pingB, b[:n])
		}
		if err != nil && !transient(err) && err != unix.ENOBUFS {
			return // a broken socket: every ping is lost from here on
		}
	}
}

// Ping sends a packet in each interval for some time, whether or not those before it were answered, and returns the round
// trips. So a gateway that stands still for a while is seen by all pings of that while.
func (l *Link) Ping(ctx context.Context, interval, d time.Duration) ([]time.Duration, error) {
	type result struct {
		rtts []time.Duration
		err  error
	}
	done := make(chan result, 1)
	go func() {
		ownThread()
		rtts, err := l.ping(ctx, interval, d)
		done <- result{rtts, err}
	}()
	r := <-done
	if r.err == nil {
		r.err = ctx.Err()
	}
	return r.rtts, r.err
}

func (l *Link) ping(ctx context.Context, interval, d time.Duration) ([]time.Duration, error) {
	var sent []time.Time
	var rtts []time.Duration
	out, in := make([]byte, pingPayload), make([]byte, packetRoom)
	missing := 0
	start := time.Now()
	base := l.pingBase()
	next, end := start, start.Add(d)
	for ctx.Err() == nil {
		now := time.Now()
		if !now.Before(end) && (missing == 0 || now.Sub(end) > Lost) {
			break
		}
		if !now.Before(next) && now.Before(end) {
			binary.BigEndian.PutUint64(out, base+uint64(len(sent)))
			sent, rtts = append(sent, time.Now()), append(rtts, Lost)
			missing++
			_, err := unix.SendmsgN(l.pingA, out, nil, nil, unix.MSG_DONTWAIT)
			if err != nil && !transient(err) && err != unix.ENOBUFS {
				return nil, fmt.Errorf("load: ping: %w", err)
			}
			// What was missed while this thread did not run is left out.
			for next = next.Add(interval); !next.After(now); next = next.Add(interval) {
			}
		}
		wait := min(max(time.Until(next), 0), patience)
		if !now.Before(end) {
			wait = patience
		}
		ts := unix.NsecToTimespec(int64(wait))
		fds := []unix.PollFd{{Fd: int32(l.pingA), Events: unix.POLLIN}}
		if n, err := unix.Ppoll(fds, &ts, nil); n <= 0 || err != nil {
			continue // the time is up, or a signal
		}
		for {
			n, _, err := unix.Recvfrom(l.pingA, in, unix.MSG_DONTWAIT)
			if err != nil || n < 8 {
				break
			}
			i := binary.BigEndian.Uint64(in) - base
			if i < uint64(len(sent)) && rtts[i] == Lost {
				rtts[i] = min(time.Since(sent[i]), Lost-1)
				missing--
			}
		}
	}
	return rtts, nil
}

// pingBase makes sequence numbers of different calls differ.
func (l *Link) pingBase() uint64 { return uint64(time.Now().UnixNano()) }

// ErrUnreachable says that no ping was answered in time.
var ErrUnreachable = errors.New("load: no answer from the other end")

// Reachable pings until there is an answer.
func (l *Link) Reachable(ctx context.Context, limit time.Duration) error {
	var last error
	for end := time.Now().Add(limit); time.Now().Before(end); {
		rtts, err := l.Ping(ctx, 100*time.Millisecond, 150*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = err // without a route there is an error until the tunnel brings one
		for _, r := range rtts {
			if r < Lost {
				return nil
			}
		}
		if err != nil {
			nap(100 * time.Millisecond)
		}
	}
	return errors.Join(ErrUnreachable, last)
}
