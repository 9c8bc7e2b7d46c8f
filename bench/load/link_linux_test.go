package load

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// here is the namespace of the process.
func here(f func() error) error { return f() }

var loopback = netip.MustParseAddr("127.0.0.1")

func newLink(t *testing.T) *Link {
	t.Helper()
	l, err := NewLink(here, here, loopback, loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestTrial(t *testing.T) {
	l := newLink(t)
	for _, size := range []int{minSize, 64, 1400} {
		const rate = 2000
		got, err := l.Trial(t.Context(), size, rate, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if got.Sent <= 0 || got.Sent > rate*1.05 || got.Received <= 0 || got.Received > got.Sent || got.Target != rate {
			t.Errorf("%d bytes: %+v", size, got)
		}
		if want := 1 - got.Received/got.Sent; got.Loss < want-1e-9 || got.Loss > want+1e-9 {
			t.Errorf("%d bytes: %+v; that is a loss of %v", size, got, want)
		}
	}
	for _, size := range []int{0, minSize - 1, packetRoom + udpHeaders + 1} {
		if _, err := l.Trial(t.Context(), size, 1, time.Millisecond); err == nil {
			t.Errorf("packets of %d bytes were sent", size)
		}
	}
}

// What nobody receives is lost, and packets of an earlier trial are not counted.
func TestTrialCountsItsOwn(t *testing.T) {
	l := newLink(t)
	if _, err := l.Trial(t.Context(), 100, 2000, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	stray := []byte{0, 0, 0, 1, 9, 9} // of stream 1
	l.received.Store(0)
	l.current.Store(2)
	for range 3 {
		if _, err := unix.Write(l.rateA, stray); err != nil {
			t.Fatal(err)
		}
	}
	l.settle(t.Context())
	if n := l.received.Load(); n != 0 {
		t.Errorf("%d packets of an earlier trial were counted", n)
	}
}

func TestTrialEndsWithItsContext(t *testing.T) {
	l := newLink(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := l.Trial(ctx, 100, 1000, time.Minute); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestPing(t *testing.T) {
	l := newLink(t)
	if err := l.Reachable(t.Context(), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	rtts, err := l.Ping(t.Context(), 2*time.Millisecond, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, r := range rtts {
		if r <= 0 {
			t.Errorf("a round trip of %v", r)
		}
		if r < Lost {
			answered++
		}
	}
	if len(rtts) == 0 || len(rtts) > 51 || answered == 0 {
		t.Errorf("%d pings, %d answered", len(rtts), answered)
	}
}

func TestUnreachable(t *testing.T) {
	l := newLink(t)
	// Without anybody to answer, pings are lost and that is all that happens.
	l.closing.Store(true)
	l.threads.Wait()
	if err := l.Reachable(t.Context(), time.Millisecond); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	rtts, err := l.Ping(t.Context(), 5*time.Millisecond, 20*time.Millisecond)
	if err != nil || len(rtts) == 0 {
		t.Fatalf("%d pings, %v", len(rtts), err)
	}
	for _, r := range rtts {
		if r != Lost {
			t.Errorf("an answer after %v from nobody", r)
		}
	}
}

func TestNewLinkFails(t *testing.T) {
	nowhere := netip.MustParseAddr("192.0.2.1")
	if l, err := NewLink(here, here, nowhere, nowhere); err == nil {
		l.Close()
		t.Error("bound to an address that this host does not have")
	}
}
