package vici

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestOutbox(t *testing.T) {
	o := newOutbox(2, 10)
	if !o.offer(make([]byte, 50)) {
		t.Error("a single packet longer than the box is refused")
	}
	if o.offer([]byte("x")) {
		t.Error("beyond the octets")
	}
	if ps := o.take(); len(ps) != 1 {
		t.Errorf("took %d", len(ps))
	}
	if o.offer([]byte("x")) {
		t.Error("beyond the octets, which are on their way")
	}
	o = newOutbox(2, 10)
	o.offer(make([]byte, 8))
	o.take()
	for i, c := range []struct {
		n    int
		want bool
	}{{1, true}, {2, false}, {1, true}, {0, false}} {
		if o.offer(make([]byte, c.n)) != c.want {
			t.Errorf("offer %d", i)
		}
	}
	if n := o.droppedCount(); n != 2 {
		t.Errorf("dropped %d", n)
	}
	o.close()
	o.close()
	if o.offer([]byte("x")) || o.put(t.Context(), []byte("x")) != errClosed {
		t.Error("a closed box accepts something")
	}
	if n := o.droppedCount(); n != 2 {
		t.Error("what comes after the end counts as dropped")
	}
	if ps := o.take(); len(ps) != 2 {
		t.Errorf("what was queued before the end is lost: %d", len(ps))
	}
	if ps := o.take(); ps != nil {
		t.Errorf("after the end: %d", len(ps))
	}
}

func TestOutboxWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(1, 100)
		o.offer([]byte("a"))
		done := make(chan error, 1)
		go func() { done <- o.put(t.Context(), []byte("b")) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("put does not wait: %v", err)
		default:
		}
		o.take()
		if err := <-done; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- o.put(ctx, []byte("c")) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != context.Canceled {
			t.Errorf("cancelled: %v", err)
		}
		go func() { done <- o.put(t.Context(), []byte("d")) }()
		synctest.Wait()
		o.close()
		if err := <-done; err != errClosed {
			t.Errorf("closed: %v", err)
		}
		if ps := o.take(); len(ps) != 1 || string(ps[0]) != "b" {
			t.Errorf("queued %q", ps)
		}
	})
}
