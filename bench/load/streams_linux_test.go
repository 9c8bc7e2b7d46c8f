package load

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

// await waits for a condition that the kernel brings about.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestStreams(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	s, err := StartStreams(t.Context(), here, here, lo, lo, StreamOptions{Streams: 2, Rate: 10 << 20})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "bytes both ways", func() bool {
		forth, back := s.Received()
		return forth > 1<<20 && back > 1<<20
	})
	if _, err := s.Retransmits(); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := s.Err(); err != nil {
		t.Errorf("closing them counts as a failure: %v", err)
	}
}

func TestStreamsTellOfABrokenOne(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	s, err := StartStreams(t.Context(), here, here, lo, lo, StreamOptions{Streams: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.all[1].Close()
	await(t, "an error", func() bool { return s.Err() != nil })
}

func TestNumbered(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	n, err := StartNumbered(here, here, lo, lo, 100, 2000)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // how long it runs is what is measured
	r, err := n.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent == 0 || r.Received != r.Sent || len(r.Lost) != 0 || r.Repeated != 0 || r.Late != 0 {
		t.Errorf("%+v", r)
	}
	if _, err := StartNumbered(here, here, lo, lo, 35, 1); err == nil {
		t.Error("a packet without room for a number")
	}
}

func TestNumberedResult(t *testing.T) {
	n := &Numbered{highest: -1, sent: []time.Duration{0, 1, 2, 3, 4}}
	for _, i := range []uint64{0, 2, 1, 2, maxNumbered} {
		n.note(i)
	}
	r := n.result()
	if r.Sent != 5 || r.Received != 3 || r.Repeated != 1 || r.Late != 1 || len(r.Lost) != 2 || r.Lost[0] != 3 || r.Lost[1] != 4 {
		t.Errorf("%+v", r)
	}
}
