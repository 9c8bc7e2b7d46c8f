package client

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/radius"
	"esplanade/ike/radius/radiustest"
)

const secret = "a secret of the tests"

// patience is longer than anything here takes, even on a busy machine.
const patience = 30 * time.Second

func serve(t *testing.T, handle func(radiustest.Request) []byte) *radiustest.Server {
	t.Helper()
	s, err := radiustest.Listen(secret, handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func conf(name string, at netip.AddrPort) radius.Server {
	return radius.Server{Name: name, Secret: radius.NewSecret([]byte(secret)), Sockets: 2, Tries: 4, Timeout: 200 * time.Millisecond, Base: 1.4,
		Addrs: [...]netip.AddrPort{at, at}}
}

func start(t *testing.T, o Options, servers ...radius.Server) *Client {
	t.Helper()
	o.Setup.Radius = &radius.Config{Servers: servers, Dead: time.Minute, Orders: radius.Orders{Undated: true}}
	c := New(o)
	c.Start()
	t.Cleanup(func() { c.Close(time.Now()) })
	return c
}

func ask(c *Client, server string, until time.Duration) <-chan radius.Answered {
	got := make(chan radius.Answered, 1)
	c.Ask(radius.Access{User: "alice", EAP: []byte{2, 1, 0, 5, 1}}, server, time.Now().Add(until), func(a radius.Answered) { got <- a })
	return got
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing comes")
		panic("unreachable")
	}
}

func accept(r radiustest.Request) []byte {
	code := byte(2)
	if r.Code == 4 {
		code = 5
	}
	return radiustest.Answer(secret, r, code, radiustest.Truth)
}

// TestAsk: many users at a time, by as many sockets as it takes, all get the answer to their own request.
func TestAsk(t *testing.T) {
	s := serve(t, func(r radiustest.Request) []byte {
		return radiustest.Answer(secret, r, 3, radiustest.Truth, radiustest.Text(18, r.Text(1)))
	})
	c := start(t, Options{}, conf("r1", s.Addr()))
	var all sync.WaitGroup
	for i := range 700 {
		all.Add(1)
		user := fmt.Sprint("user ", i)
		c.Ask(radius.Access{User: user, EAP: []byte{2}}, "", time.Now().Add(patience), func(a radius.Answered) {
			defer all.Done()
			if a.Failure != nil || a.Answer.Message != user {
				t.Errorf("%s: %+v", user, a)
			}
		})
	}
	all.Wait()
	if w := s.Wrong(); len(w) > 0 {
		t.Errorf("the server could not read: %v", w)
	}
}

// TestFailover: a silent server, and one that lies, delay those who are asked about and nobody else; then another one is asked. The log says
// what is wrong, once.
func TestFailover(t *testing.T) {
	for _, tt := range []struct {
		why    string
		handle func(radiustest.Request) []byte
		want   string
	}{
		{"silent", func(radiustest.Request) []byte { return nil }, "the RADIUS server does not answer"},
		{"another secret", func(r radiustest.Request) []byte { return radiustest.Answer("x", r, 2, radiustest.Truth) }, "its secret is another one"},
		{"no Message-Authenticator", func(r radiustest.Request) []byte {
			return radiustest.Answer(secret, r, 2, radiustest.NoMessageAuthenticator)
		}, "has no Message-Authenticator"},
	} {
		bad, good := serve(t, tt.handle), serve(t, accept)
		var log lockedBuffer
		first := conf("bad", bad.Addr())
		first.Preference = 1
		c := start(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, first, conf("good", good.Addr()))
		if a := wait(t, ask(c, "", patience)); a.Failure != nil || a.Answer.Server != "good" {
			t.Errorf("%s: %+v", tt.why, a)
		}
		if n := strings.Count(log.String(), tt.want); n != 1 {
			t.Errorf("%s: the log has it %d times:\n%s", tt.why, n, log.String())
		}
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s: the log has the secret", tt.why)
		}
		services := c.Report().Services
		if services[0].Down.IsZero() || services[0].Retransmissions == 0 || services[0].Timeouts != 1 {
			t.Errorf("%s: %+v", tt.why, services[0])
		}
	}
}

// TestCancel: what nobody waits for is forgotten, and its answer, too.
func TestCancel(t *testing.T) {
	arrived, release := make(chan bool, 1), make(chan bool)
	s := serve(t, func(r radiustest.Request) []byte {
		if r.Text(1) == "bob" {
			arrived <- true
			<-release
		}
		return accept(r)
	})
	c := start(t, Options{}, conf("r1", s.Addr()))
	cancel := c.Ask(radius.Access{User: "bob", EAP: []byte{2}}, "", time.Now().Add(patience), func(a radius.Answered) { t.Errorf("told %+v", a) })
	wait(t, arrived)
	cancel()
	cancel()
	got := ask(c, "", patience)
	close(release)
	wait(t, got)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked != 0 {
		t.Errorf("%d are asked for", c.asked)
	}
}

// TestBound: what is too much is refused at once, and so is what comes after the end.
func TestBound(t *testing.T) {
	s := serve(t, func(radiustest.Request) []byte { return nil })
	c := start(t, Options{}, conf("r1", s.Addr()))
	for range maxAsked {
		ask(c, "", patience)
	}
	if a := wait(t, ask(c, "", patience)); a.Failure == nil || a.Failure.Reason != radius.TooMany {
		t.Errorf("one too many: %+v", a)
	}
	c.Close(time.Now())
	if a := wait(t, ask(c, "", patience)); a.Failure == nil || a.Failure.Reason != radius.Ended {
		t.Errorf("after the end: %+v", a)
	}
}

// TestClose: records that wait are sent before the end, also if the server was silent a moment ago; and a server that stays silent does not keep
// the gateway from ending.
func TestClose(t *testing.T) {
	silent := make(chan bool, 100)
	s := serve(t, func(radiustest.Request) []byte { silent <- true; return nil })
	c := start(t, Options{}, conf("r1", s.Addr()))
	stop := func(id string) aaa.Record {
		return aaa.Record{Status: aaa.Stop, Session: aaa.Session{ID: id, User: &aaa.User{Name: "alice"}}, At: time.Now()}
	}
	c.Account(stop("s-1"))
	for range 4 {
		wait(t, silent)
	}
	s.Handle(accept)
	for i := range 200 {
		c.Account(stop(fmt.Sprint("s-", i+2)))
	}
	c.Close(time.Now().Add(patience))
	got := map[string]bool{}
	for _, r := range s.Received() {
		got[r.Text(44)] = true
	}
	if len(got) != 201 || c.Report().Ledger.Waiting != 0 {
		t.Errorf("%d records arrived, %d wait", len(got), c.Report().Ledger.Waiting)
	}
	dead := serve(t, func(radiustest.Request) []byte { return nil })
	d := start(t, Options{}, conf("r1", dead.Addr()))
	d.Account(stop("s-1"))
	d.Close(time.Now().Add(100 * time.Millisecond)) // returns
	if n := d.Report().Ledger.Waiting; n != 1 {
		t.Errorf("%d wait", n)
	}
}

// TestOrders: an order comes in by the socket for it, and its answer goes out; after a reload the socket is another one.
func TestOrders(t *testing.T) {
	s := serve(t, accept)
	orders := make(chan aaa.Order, 1)
	o := Options{Order: func(o aaa.Order, done func(radius.Cause)) {
		orders <- o
		go done(radius.SessionNotFound)
	}}
	for range 2 {
		o.Setup.Listen = free(t)
		c := start(t, o, conf("r1", s.Addr()))
		answer := order(t, o.Setup.Listen, 1)
		if got := wait(t, orders); got.Which.User != "alice" || got.From != "r1" {
			t.Errorf("%+v", got)
		}
		if p, err := radius.Parse(answer); err != nil || p.Code != radius.DisconnectNAK {
			t.Errorf("%+v, %v", p, err)
		}
		moved := free(t)
		c.Configure(Setup{Radius: &radius.Config{Servers: []radius.Server{conf("r1", s.Addr())}, Orders: radius.Orders{Undated: true}}, Listen: moved})
		order(t, moved, 2)
		wait(t, orders)
		c.Close(time.Now())
	}
}

func free(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// order sends an order until it is answered: the socket may not be there yet. One that has been carried out is not once more: id makes it another.
func order(t *testing.T, to netip.AddrPort, id uint8) []byte {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b := make([]byte, 4096)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn.Write(radiustest.Order(secret, 40, id, true, radiustest.Text(1, "alice")))
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := conn.Read(b); err == nil {
			return b[:n]
		}
	}
	t.Fatal("no answer to an order")
	return nil
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
