package vici

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener accepts what is dialled in process, for tests with virtual time.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial() net.Conn {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return ours
}

// bubble runs f with a server in virtual time, and checks that all its goroutines end.
func bubble(t *testing.T, b Backend, o Options, f func(t *testing.T, s *Server, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s := NewServer(b, o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, l) }()
		f(t, s, l.dial)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if n := s.Clients(); n != 0 {
			t.Errorf("%d clients are left", n)
		}
	})
}

func TestRegistration(t *testing.T) {
	s, path := startServer(t, newFake(), Options{})
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i, c := range []struct {
		send Packet
		want PacketType
		on   bool
	}{
		{Packet{Type: EventUnregister, Name: EventLog}, EventUnknown, false},
		{Packet{Type: EventRegister, Name: EventLog}, EventConfirm, true},
		{Packet{Type: EventRegister, Name: EventLog}, EventConfirm, true}, // again: once is enough
		{Packet{Type: EventUnregister, Name: EventLog}, EventConfirm, false},
		{Packet{Type: EventUnregister, Name: EventLog}, EventUnknown, false},
		{Packet{Type: EventRegister, Name: "nonsense"}, EventUnknown, false},
		{Packet{Type: EventRegister, Name: EventLog}, EventConfirm, true},
	} {
		if err := WritePacket(conn, c.send); err != nil {
			t.Fatal(err)
		}
		p, err := ReadPacket(conn)
		if err != nil || p.Type != c.want {
			t.Errorf("step %d: %s, %v; want %s", i, p.Type, err, c.want)
		}
		await(t, func() bool { return s.Listening(EventLog) == c.on }) // the confirmation comes before
	}
	conn.Close()
	await(t, func() bool { return !s.Listening(EventLog) && s.Clients() == 0 })
}

// TestBadClients: whoever breaks the protocol is dropped; the others are served.
func TestBadClients(t *testing.T) {
	s, path := startServer(t, newFake(), Options{})
	for name, octets := range map[string]string{
		"segment too long":    "\xff\xff\xff\xff",
		"malformed message":   "\x00\x00\x00\x0a\x00\x07version\x02",
		"unknown type":        "\x00\x00\x00\x01\x63",
		"empty segment":       "\x00\x00\x00\x00",
		"a server's packet":   "\x00\x00\x00\x01\x01",
		"an event":            "\x00\x00\x00\x05\x07\x03log",
		"end inside a packet": "\x00\x00\x00\x0a\x00",
	} {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(octets)); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "end") {
			conn.CloseWrite()
		}
		conn.SetReadDeadline(time.Now().Add(swanctlTime))
		if p, err := ReadPacket(conn); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: answered %v, %v", name, p, err)
		}
		conn.Close()
	}
	await(t, func() bool { return s.Clients() == 0 })
	if _, err := dial(t, path).Call(t.Context(), "version", nil); err != nil {
		t.Error(err)
	}
}

// TestTimeout: the timeout of initiate ends the waiting, with the right words, and only after that time.
func TestTimeout(t *testing.T) {
	b := newFake()
	b.initiate = func(ctx context.Context, r InitiateRequest, _ LogFunc) error {
		<-ctx.Done()
		if r.IKE == "known" {
			return testFailure()
		}
		return ctx.Err()
	}
	bubble(t, b, Options{}, func(t *testing.T, s *Server, dial func() net.Conn) {
		c := NewClient(dial())
		defer c.Close()
		start := time.Now()
		_, err := c.Call(t.Context(), "initiate", new(Message).Set("child", "net").Set("timeout", "2500"))
		if err == nil || err.Error() != "CHILD_SA 'net' not established after 2500ms; it is still being tried" {
			t.Errorf("error %v", err)
		}
		if d := time.Since(start); d != 2500*time.Millisecond {
			t.Errorf("after %s", d)
		}
		_, err = c.Call(t.Context(), "initiate", new(Message).Set("ike", "known").Set("timeout", "1"))
		if err == nil || err.Error() != "establishing IKE_SA 'known' failed: "+testFailure().Error() {
			t.Errorf("a failure that is known gets lost: %v", err)
		}
	})
}

// TestDisconnectCancels: when the client of a command goes away, the command's context ends.
func TestDisconnectCancels(t *testing.T) {
	b := newFake()
	ended := make(chan error, 1)
	b.initiate = func(ctx context.Context, _ InitiateRequest, _ LogFunc) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	s, path := startServer(t, b, Options{})
	c := dial(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Call(ctx, "initiate", new(Message).Set("child", "net"))
		failed <- err
	}()
	await(t, func() bool { return len(b.took()) > 0 })
	cancel() // the client gives up, which closes its connection
	if err := <-failed; err != context.Canceled {
		t.Errorf("the call: %v", err)
	}
	if err := <-ended; err != context.Canceled {
		t.Errorf("the command: %v", err)
	}
	await(t, func() bool { return s.Clients() == 0 })
	if _, err := c.Call(t.Context(), "version", nil); err == nil {
		t.Error("an abandoned connection is used again")
	}
}

// TestStopAnswers: a command under way gets an answer when the daemon stops, and Serve returns when all is over.
func TestStopAnswers(t *testing.T) {
	b := newFake()
	running := make(chan struct{})
	b.initiate = func(ctx context.Context, _ InitiateRequest, _ LogFunc) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	}
	path := shortDir(t) + "/s"
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, NewServer(b, Options{}), l)
	c := dial(t, path)
	answer := make(chan error, 1)
	go func() {
		_, err := c.Call(context.Background(), "initiate", new(Message).Set("child", "net"))
		answer <- err
	}()
	<-running
	stop()
	if err := <-answer; err == nil || err.Error() != "the daemon is stopping" {
		t.Errorf("the answer: %v", err)
	}
	if _, err := DialContext(t.Context(), path); err == nil {
		t.Error("the socket still answers")
	}
}

// TestOneCommandAtATime: a second request waits until the first is answered.
func TestOneCommandAtATime(t *testing.T) {
	b := newFake()
	release := make(chan struct{})
	b.initiate = func(context.Context, InitiateRequest, LogFunc) error { <-release; return nil }
	_, path := startServer(t, b, Options{})
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, p := range []Packet{
		{CmdRequest, "initiate", new(Message).Set("child", "net")},
		{CmdRequest, "rekey", new(Message).Set("child", "net")},
		{Type: EventRegister, Name: EventLog},
	} {
		if err := WritePacket(conn, p); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return len(b.took()) == 1 })
	close(release)
	for i, want := range []PacketType{CmdResponse, CmdResponse, EventConfirm} {
		if p, err := ReadPacket(conn); err != nil || p.Type != want || (i == 1) != (p.Message.Get("matches") == "1") {
			t.Errorf("answer %d: %v, %v", i, p, err)
		}
	}
	if calls := b.took(); len(calls) != 1 || !strings.HasPrefix(calls[0], "rekey") {
		t.Errorf("calls %q", calls)
	}
}

// TestMaxClients: of too many clients the one that has asked for nothing for the longest time is disconnected, those that listen
// to events last, and those that wait for an answer never. When all do, the new one is sent away, and the log says so once.
func TestMaxClients(t *testing.T) {
	b := newFake()
	b.initiate = func(ctx context.Context, _ InitiateRequest, _ LogFunc) error { <-ctx.Done(); return ctx.Err() }
	var out lockedBuffer
	bubble(t, b, Options{MaxClients: 3, Logger: slog.New(slog.NewTextHandler(&out, nil))}, func(t *testing.T, s *Server, dial func() net.Conn) {
		ask := func(c net.Conn) error {
			if err := WritePacket(c, Packet{Type: CmdRequest, Name: "version", Message: new(Message)}); err != nil {
				return err
			}
			_, err := ReadPacket(c)
			time.Sleep(time.Second)
			return err
		}
		initiate := func(c net.Conn) {
			if err := WritePacket(c, Packet{Type: CmdRequest, Name: "initiate", Message: new(Message).Set("child", "net")}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		listens, waits, idle := dial(), dial(), dial()
		defer waits.Close()
		if err := WritePacket(listens, Packet{Type: EventRegister, Name: EventLog}); err != nil {
			t.Fatal(err)
		}
		if p, err := ReadPacket(listens); err != nil || p.Type != EventConfirm {
			t.Fatal(p, err)
		}
		initiate(waits)
		if err := ask(idle); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			next := dial()
			if err := ask(next); err != nil {
				t.Fatalf("client %d: %v", i, err)
			}
			if err := ask(idle); err == nil {
				t.Errorf("the idle client before %d is still served", i)
			}
			idle = next
		}
		if n := s.Clients(); n != 3 {
			t.Errorf("%d clients", n)
		}
		if err := ask(listens); err != nil {
			t.Errorf("the listener has gone before those that do nothing: %v", err)
		}
		// Half a packet is no request.
		if _, err := idle.Write([]byte{0, 0, 1}); err != nil {
			t.Error(err)
		}
		first := dial()
		defer first.Close()
		initiate(first)
		if err := ask(idle); err == nil {
			t.Error("the client with half a packet is still served")
		}
		second := dial() // in the place of the listener
		defer second.Close()
		initiate(second)
		if err := ask(listens); err == nil {
			t.Error("the listener is still served")
		}
		for range 3 {
			if err := ask(dial()); err == nil {
				t.Error("another client is served")
			}
		}
		if n := strings.Count(out.String(), "too many clients"); n != 1 {
			t.Errorf("%d lines: %s", n, out.String())
		}
		// Commands that do not end give way one by one, so that there is always one more that can be given.
		time.Sleep(waitingTime)
		last := dial()
		defer last.Close()
		if err := ask(last); err != nil {
			t.Errorf("nobody can give a command any more: %v", err)
		}
		if _, err := ReadPacket(waits); err == nil {
			t.Error("the client that has waited longest is still there")
		}
		if n := s.Clients(); n != 3 {
			t.Errorf("%d clients", n)
		}
	})
}

// lockedBuffer keeps what is logged.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// TestRaiseFromEverywhere is for the race detector: events from many goroutines while clients come and go.
func TestRaiseFromEverywhere(t *testing.T) {
	s, path := startServer(t, newFake(), Options{QueuePackets: 4})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			sa := testSA()
			for {
				select {
				case <-stop:
					return
				default:
				}
				s.Log(LogEntry{Group: "IKE", Level: 1, Msg: "x"})
				s.ChildUpdown(true, *sa, sa.Children[0])
				s.Alert("ts-mismatch", sa)
			}
		})
	}
	for range 20 {
		c := dial(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		if err := c.Listen(ctx, []string{EventLog, EventChildUpdown, EventAlert}, nil, func(string, *Message) error {
			if n++; n == 5 {
				cancel()
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		cancel()
	}
	close(stop)
	wg.Wait()
}
