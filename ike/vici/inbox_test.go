package vici

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox()
		// waits reserves and reports whether that has to wait.
		waits := func(n int) (waits bool, done chan error) {
			done = make(chan error, 1)
			go func() { done <- in.reserve(t.Context(), n) }()
			synctest.Wait()
			return len(done) == 0, done
		}
		if w, _ := waits(MaxSegment); w {
			t.Error("a long segment has no room in an empty box")
		}
		if w, done := waits(1); !w {
			t.Error("a segment has room beside a long one")
		} else {
			in.done(MaxSegment)
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for range maxPending - 1 {
			if w, _ := waits(1); w {
				t.Error("no room for a short one")
			}
		}
		w, done := waits(0)
		if !w {
			t.Error("more segments than fit")
		}
		in.add([]byte("a"))
		if b := in.take(t.Context()); string(b) != "a" {
			t.Errorf("took %q", b)
		}
		if len(done) != 0 {
			t.Error("what is carried out takes no room")
		}
		in.done(1)
		if err := <-done; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- in.reserve(ctx, 1) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		in.add([]byte("b"))
		in.end()
		if b := in.take(t.Context()); string(b) != "b" {
			t.Errorf("what came before the end is lost: %q", b)
		}
		if b := in.take(t.Context()); b != nil {
			t.Errorf("after the end: %q", b)
		}
		if b := newInbox().take(ctx); b != nil {
			t.Errorf("after the context has ended: %q", b)
		}
	})
}

// A client may be idle for as long as it likes, but not in the middle of a segment.
func TestHalfWrittenSegment(t *testing.T) {
	bubble(t, newFake(), Options{ReadTimeout: 5 * time.Second}, func(t *testing.T, s *Server, dial func() net.Conn) {
		idle := NewClient(dial())
		defer idle.Close()
		for _, part := range []string{"\x00", "\x00\x00\x00\x09", "\x00\x00\x00\x09\x00\x07ver"} {
			conn := dial()
			if _, err := conn.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * time.Second)
			synctest.Wait()
			if n := s.Clients(); n != 2 {
				t.Errorf("%q: %d clients before the time is over", part, n)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := s.Clients(); n != 1 {
				t.Errorf("%q: %d clients afterwards", part, n)
			}
			conn.Close()
		}
		time.Sleep(time.Hour)
		if m, err := idle.Call(t.Context(), "version", nil); err != nil || m.Get("daemon") == "" {
			t.Errorf("the idle one: %v, %v", m, err)
		}
		// A slow one that is in time is served, again and again.
		conn := dial()
		defer conn.Close()
		for range 3 {
			for _, part := range []string{"\x00", "\x00\x00\x09\x00", "\x07version"} {
				time.Sleep(2 * time.Second)
				if _, err := conn.Write([]byte(part)); err != nil {
					t.Fatal(err)
				}
			}
			if p, err := ReadPacket(conn); err != nil || p.Type != CmdResponse {
				t.Errorf("the slow one: %v, %v", p, err)
			}
		}
	})
}

// A client that sends request upon request while one is carried out is made to wait, and costs no more than what is bounded.
func TestFloodOfRequests(t *testing.T) {
	b := newFake()
	var release chan struct{}
	b.initiate = func(ctx context.Context, _ InitiateRequest, _ LogFunc) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	}
	bubble(t, b, Options{}, func(t *testing.T, s *Server, dial func() net.Conn) {
		release = make(chan struct{})
		conn := dial()
		defer conn.Close()
		if err := WritePacket(conn, Packet{CmdRequest, "initiate", new(Message).Set("child", "net")}); err != nil {
			t.Fatal(err)
		}
		var taken int
		done := make(chan error, 1)
		go func() {
			for range 100 {
				if err := WritePacket(conn, Packet{CmdRequest, "version", new(Message).Set("x", strings.Repeat("x", 3000))}); err != nil {
					done <- err
					return
				}
				taken++
			}
			done <- nil
		}()
		synctest.Wait()
		if taken >= maxPending || taken == 0 {
			t.Errorf("%d requests were taken", taken)
		}
		close(release)
		for i := range 101 {
			if p, err := ReadPacket(conn); err != nil || p.Type != CmdResponse {
				t.Errorf("answer %d: %v, %v", i, p, err)
				return
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A client that is dropped for what it has sent goes at once, however much it has sent behind it.
func TestDroppedInTheMiddle(t *testing.T) {
	b := newFake()
	var release chan struct{}
	b.initiate = func(ctx context.Context, _ InitiateRequest, _ LogFunc) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	}
	bubble(t, b, Options{}, func(t *testing.T, s *Server, dial func() net.Conn) {
		release = make(chan struct{})
		conn := dial()
		defer conn.Close()
		go func() {
			WritePacket(conn, Packet{CmdRequest, "initiate", new(Message).Set("child", "net")})
			conn.Write([]byte("\x00\x00\x00\x01\x63")) // no packet type
			WritePacket(conn, Packet{Type: CmdRequest, Name: "version"})
			long := new(Message).Set("x", strings.Repeat("x", 40000)).Set("y", strings.Repeat("x", 40000))
			WritePacket(conn, Packet{CmdRequest, "load-conn", long}) // has room when nothing else waits
		}()
		synctest.Wait() // the reader waits for that
		close(release)
		if p, err := ReadPacket(conn); err != nil || p.Type != CmdResponse {
			t.Errorf("%v, %v", p, err)
		}
		synctest.Wait()
		if n := s.Clients(); n != 0 {
			t.Errorf("%d clients", n)
		}
	})
}

// What is announced costs nothing, and what is long and loads nothing is refused.
func TestLongRequests(t *testing.T) {
	s, path := startServer(t, newFake(), Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], MaxSegment)
	for range 32 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(length[:]); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return s.Clients() == 32 })
	c := dial(t, path)
	for i := range 3 {
		if _, err := c.Call(t.Context(), "version", nil); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32*MaxSegment/2 {
		t.Errorf("%d octets for segments that were announced only", n)
	}
	m, err := c.Call(t.Context(), "version", new(Message).Set("x", strings.Repeat("x", maxSmallRequest)))
	want := fmt.Sprintf("a request of %d bytes; at most %d are possible", maxSmallRequest+1+len("version")+1+1+1+1+2, maxSmallRequest)
	if err == nil || m.Get("errmsg") != want {
		t.Errorf("%v, %v, want %s", m, err, want)
	}
	long := new(Message)
	for i := range 7 {
		long.Sub(fmt.Sprint("c", i)).SetList("certs", strings.Repeat("x", MaxValue))
	}
	if m, err := c.Call(t.Context(), "load-conn", long); err != nil || m.Get("success") != "yes" {
		t.Errorf("%v, %v", m, err)
	}
}
