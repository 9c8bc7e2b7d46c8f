package vici

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowClient: a client that does not read loses events, is counted, and delays nobody; and when it stays like that,
// it is disconnected.
func TestSlowClient(t *testing.T) {
	bubble(t, newFake(), Options{QueuePackets: 10, WriteTimeout: 5 * time.Second}, func(t *testing.T, s *Server, dial func() net.Conn) {
		conn := dial()
		defer conn.Close()
		if err := WritePacket(conn, Packet{Type: EventRegister, Name: EventLog}); err != nil {
			t.Fatal(err)
		}
		if p, err := ReadPacket(conn); err != nil || p.Type != EventConfirm {
			t.Fatal(p, err)
		}
		start := time.Now()
		for i := range 100 {
			s.Log(LogEntry{Group: "IKE", Level: 1, Msg: fmt.Sprintf("line %d", i)})
			synctest.Wait()
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("raising events took %s", d)
		}
		// One is with the writer, ten wait.
		if n := s.Dropped(); n != 89 {
			t.Errorf("dropped %d", n)
		}
		for i := range 11 {
			p, err := ReadPacket(conn)
			if want := fmt.Sprintf("line %d", i); err != nil || p.Message.Get("msg") != want {
				t.Fatalf("event %d: %v, %v", i, p.Message, err)
			}
		}
		// It reads again: events come again.
		s.Log(LogEntry{Group: "IKE", Level: 1, Msg: "again"})
		if p, err := ReadPacket(conn); err != nil || p.Message.Get("msg") != "again" {
			t.Errorf("afterwards: %v, %v", p.Message, err)
		}
		s.Log(LogEntry{Group: "IKE", Level: 1, Msg: "unread"})
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if n := s.Clients(); n != 0 {
			t.Errorf("%d clients after the write timeout", n)
		}
		if n := s.Dropped(); n != 89 {
			t.Errorf("the count went to %d with the client", n)
		}
	})
}

// TestStreamWaits: answers to a command are not dropped, however slowly they are read.
func TestStreamWaits(t *testing.T) {
	b := newFake()
	b.sas = slices.Repeat([]IKESA{*testSA()}, 50)
	bubble(t, b, Options{QueuePackets: 2, WriteTimeout: time.Minute}, func(t *testing.T, s *Server, dial func() net.Conn) {
		c := NewClient(dial())
		defer c.Close()
		n := 0
		_, err := c.Stream(t.Context(), "list-sas", EventListSA, nil, func(*Message) error {
			n++
			time.Sleep(time.Second)
			return nil
		})
		if err != nil || n != 50 || s.Dropped() != 0 {
			t.Errorf("%d events, %v, %d dropped", n, err, s.Dropped())
		}
	})
}

// TestFarewell: whoever listens to alerts hears that the daemon ends, after what was before, and nobody else does.
func TestFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s := NewServer(newFake(), Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, l) }()
		var conns []net.Conn
		for _, event := range []string{EventAlert, EventLog} {
			conn := l.dial()
			if err := WritePacket(conn, Packet{Type: EventRegister, Name: event}); err != nil {
				t.Fatal(err)
			}
			if p, err := ReadPacket(conn); err != nil || p.Type != EventConfirm {
				t.Fatal(p, err)
			}
			conns = append(conns, conn)
		}
		synctest.Wait()
		s.Alert("peer-auth-failed", nil)
		cancel()
		for _, want := range []string{"type=peer-auth-failed", "type=shutdown-signal"} {
			if p, err := ReadPacket(conns[0]); err != nil || p.Name != EventAlert || p.Message.String() != want {
				t.Errorf("%v, %v, want %s", p.Message, err, want)
			}
		}
		for _, conn := range conns {
			if p, err := ReadPacket(conn); err != io.EOF {
				t.Errorf("%v, %v", p, err)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestStoppedStream: a stream to a client that does not read ends when the client goes or the server stops.
func TestStoppedStream(t *testing.T) {
	b := newFake()
	b.sas = slices.Repeat([]IKESA{*testSA()}, 50)
	for _, close := range []bool{true, false} {
		bubble(t, b, Options{QueuePackets: 2}, func(t *testing.T, s *Server, dial func() net.Conn) {
			conn := dial()
			for _, p := range []Packet{{Type: EventRegister, Name: EventListSA}, {CmdRequest, "list-sas", nil}} {
				if err := WritePacket(conn, p); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if close {
				conn.Close()
				synctest.Wait()
				if n := s.Clients(); n != 0 {
					t.Errorf("%d clients", n)
				}
			}
			start := time.Now()
			t.Cleanup(func() {
				if d := time.Since(start); d > drainTime+time.Second {
					t.Errorf("stopping took %s", d)
				}
			})
		})
	}
}
