package radius

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/radius/radiustest"
)

// rig is a machine in virtual time with servers that answer as a test wants.
type rig struct {
	t    *testing.T
	m    *Machine
	now  time.Time
	conf *Config
	// answer is what a server says to a request; nil: nothing.
	answer func(server string, r radiustest.Request) []byte

	sent     []sent
	answered map[uint64]Answered
	turns    []Turn
	dropped  []Dropped
	orders   []Ordered
	replies  []Reply
	ignored  []OrderDropped
	records  []Unrecorded
}

type sent struct {
	at     time.Duration // since the start
	server string
	socket Socket
	r      radiustest.Request
	raw    []byte
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func server(n int) Server {
	a := netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})
	return Server{
		Name: fmt.Sprintf("r%d", n), Secret: NewSecret([]byte(testSecret)), Sockets: 1, Tries: 4, Timeout: 2 * time.Second, Base: 1.4,
		Addrs: [services]netip.AddrPort{netip.AddrPortFrom(a, 1812), netip.AddrPortFrom(a, 1813)},
	}
}

func newRig(t *testing.T, servers ...Server) *rig {
	r := &rig{t: t, now: start, answered: map[uint64]Answered{}}
	r.conf = &Config{Servers: servers, NAS: NAS{Identifier: "gw", StationPort: true}, Rules: Rules{ClassGroup: true}, Dead: time.Minute}
	n := byte(0)
	r.m = NewMachine(r.now, r.conf, func(k int) []byte { n++; return bytes.Repeat([]byte{n}, k) }, func() float64 { return 0.5 })
	r.answer = func(string, radiustest.Request) []byte { return nil }
	return r
}

// take carries out what the machine wants.
func (r *rig) take() {
	for list := r.m.Outputs(); len(list) > 0; list = r.m.Outputs() {
		for _, o := range list {
			switch o := o.(type) {
			case Send:
				q, err := radiustest.Open(testSecret, o.Datagram)
				if err != nil {
					r.t.Fatalf("a request that no server takes: %v", err)
				}
				r.sent = append(r.sent, sent{r.now.Sub(start), o.Socket.Server, o.Socket, q, o.Datagram})
				if b := r.answer(o.Socket.Server, q); b != nil {
					r.m.Receive(r.now, o.Socket, o.To, b)
				}
			case Answered:
				if _, twice := r.answered[o.ID]; twice {
					r.t.Errorf("%d is answered twice", o.ID)
				}
				r.answered[o.ID] = o
			case Turn:
				r.turns = append(r.turns, o)
			case Dropped:
				r.dropped = append(r.dropped, o)
			case Ordered:
				r.orders = append(r.orders, o)
			case Reply:
				r.replies = append(r.replies, o)
			case OrderDropped:
				r.ignored = append(r.ignored, o)
			case Unrecorded:
				r.records = append(r.records, o)
			}
		}
	}
}

// until lets time pass, up to a time since the start.
func (r *rig) until(d time.Duration) {
	r.take()
	for end := start.Add(d); ; r.take() {
		next := r.m.NextTimeout()
		if next.IsZero() || next.After(end) {
			r.now = end
			return
		}
		r.now = next
		r.m.Advance(r.now)
	}
}

func (r *rig) access(server string, patience time.Duration) uint64 {
	a := Access{User: "alice", EAP: []byte{2, 1, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'}, Local: netip.MustParseAddrPort("198.51.100.1:4500"),
		Remote: netip.MustParseAddrPort("[2001:db8::9]:1024"), Port: 7, Connection: "rw"}
	return r.m.Access(r.now, a, server, r.now.Add(patience))
}

// servers are those that were sent something, by time.
func (r *rig) trace() (s string) {
	for _, x := range r.sent {
		s += fmt.Sprintf("%v %s; ", x.at, x.server)
	}
	return s
}

func accept(_ string, r radiustest.Request) []byte {
	if r.Code == 4 {
		return radiustest.Answer(testSecret, r, 5, radiustest.Truth)
	}
	return radiustest.Answer(testSecret, r, 2, radiustest.Truth, radiustest.EAP([]byte{3, 1, 0, 4})...)
}

// TestAccess: a request has what servers need to know, and its answer comes to whoever has asked.
func TestAccess(t *testing.T) {
	r := newRig(t, server(1))
	r.answer = accept
	id := r.access("", time.Minute)
	r.take()
	got, ok := r.answered[id]
	if !ok || got.Failure != nil || got.Answer.Code != AccessAccept || got.Answer.Server != "r1" || !bytes.Equal(got.Answer.EAP, []byte{3, 1, 0, 4}) {
		t.Fatalf("%+v", got)
	}
	if u := got.Answer.User; u == nil || u.Name != "alice" || u.Server != "r1" {
		t.Errorf("user %+v", u)
	}
	q := r.sent[0].r
	for attr, want := range map[byte]string{1: "alice", 30: "198.51.100.1[4500]", 31: "2001:db8::9[1024]", 32: "gw", 87: "rw", 4: "\xc6\x33\x64\x01"} {
		if got := q.Text(attr); got != want {
			t.Errorf("attribute %d is %q, want %q", attr, got, want)
		}
	}
	for attr, want := range map[byte]int64{5: 7, 6: 2, 61: 5, 12: framedMTU} {
		if got := q.Number(attr); got != want {
			t.Errorf("attribute %d is %d, want %d", attr, got, want)
		}
	}
	if !bytes.Equal(q.EAP(), []byte{2, 1, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'}) || len(q.Values(24)) != 0 {
		t.Errorf("EAP %x, State %x", q.EAP(), q.Values(24))
	}
	if r.m.Report().Services[0].Outstanding != 0 {
		t.Error("its identifier is still taken")
	}
}

// TestRetransmission: the times between repetitions grow by the base, the same datagram goes out, and another server is asked after the last one.
func TestRetransmission(t *testing.T) {
	first := server(1)
	first.Preference = 1
	r := newRig(t, server(2), first)
	id := r.access("", time.Minute)
	r.until(14 * time.Second)
	if got := r.trace(); got != "0s r1; 2s r1; 4.8s r1; 8.72s r1; " {
		t.Fatal(got)
	}
	for _, x := range r.sent {
		if !bytes.Equal(x.raw, r.sent[0].raw) {
			t.Error("a repetition differs")
		}
	}
	r.answer = accept
	r.until(20 * time.Second)
	if got := r.trace(); got != "0s r1; 2s r1; 4.8s r1; 8.72s r1; 14.208s r2; " {
		t.Fatal(got)
	}
	if got := r.answered[id]; got.Failure != nil || got.Answer.Server != "r2" {
		t.Errorf("%+v", got)
	}
	if x, y := r.sent[0].r.Authenticator, r.sent[4].r.Authenticator; x == y {
		t.Error("another server is sent the same authenticator")
	}
	if len(r.turns) != 1 || !r.turns[0].Down || r.turns[0].Server != "r1" || r.turns[0].Service != Authentication {
		t.Errorf("turns: %+v", r.turns)
	}
	// The next one does not wait for the dead one.
	r.access("", time.Minute)
	r.take()
	if got := r.sent[5].server; got != "r2" {
		t.Errorf("then %s is asked", got)
	}
	// When its time is over, one request probes it, by one datagram; others meanwhile do not wait.
	r.answer = func(s string, q radiustest.Request) []byte {
		if s == "r1" {
			return nil
		}
		return accept(s, q)
	}
	r.until(75 * time.Second)
	r.sent = nil
	probe, other := r.access("", time.Minute), r.access("", time.Minute)
	r.take()
	if got := r.trace(); got != "1m15s r1; 1m15s r2; " || r.answered[other].Answer.Server != "r2" {
		t.Errorf("%s, %+v", got, r.answered[other])
	}
	r.until(78 * time.Second)
	if got := r.trace(); got != "1m15s r1; 1m15s r2; 1m17s r2; " || r.answered[probe].Answer.Server != "r2" {
		t.Errorf("%s, %+v", got, r.answered[probe])
	}
	// It comes back.
	r.answer = accept
	r.until(140 * time.Second)
	r.access("", time.Minute)
	r.take()
	r.access("", time.Minute)
	r.take()
	if n := len(r.turns); n != 2 || r.turns[1].Down {
		t.Errorf("turns: %+v", r.turns)
	}
	if got := r.sent[len(r.sent)-1].server; got != "r1" {
		t.Errorf("in the end %s is asked", got)
	}
}

// TestJitter: the times are spread by a tenth in both directions (RFC 5080 section 2.2.1), and bounded.
func TestJitter(t *testing.T) {
	for _, tt := range []struct {
		jitter float64
		second time.Duration
	}{{0, 1800 * time.Millisecond}, {0.5, 2 * time.Second}, {0.999999, 2200 * time.Millisecond}} {
		s := server(1)
		s.Tries, s.Base = 8, 4
		r := newRig(t, s)
		r.m.exchanges.jitter = func() float64 { return tt.jitter }
		r.access("", time.Hour)
		r.until(time.Hour)
		if d := (r.sent[1].at - tt.second).Abs(); d > time.Millisecond {
			t.Errorf("with %v the second comes after %v", tt.jitter, r.sent[1].at)
		}
		if d := r.sent[7].at - r.sent[6].at; d > maxTimeout*11/10 {
			t.Errorf("with %v the last one waits for %v", tt.jitter, d)
		}
	}
}

// TestPinned: a conversation goes on with its server or not at all.
func TestPinned(t *testing.T) {
	first := server(1)
	first.Preference = 1
	r := newRig(t, first, server(2))
	id := r.access("r2", time.Minute)
	gone := r.access("r3", time.Minute)
	r.until(time.Minute)
	for _, x := range r.sent {
		if x.server != "r2" {
			t.Errorf("%s is asked", x.server)
		}
	}
	if f := r.answered[id].Failure; f == nil || f.Reason != Silent || len(f.Tried) != 1 || f.Tried[0].Sent != 4 {
		t.Errorf("%+v", f)
	}
	if f := r.answered[gone].Failure; f == nil || f.Reason != NoServer || len(f.Tried) != 0 {
		t.Errorf("a server that is not there: %+v", f)
	}
}

// TestUntil: nobody waits longer than it was said, and all that was tried is named.
func TestUntil(t *testing.T) {
	r := newRig(t, server(1), server(2))
	id := r.access("", 20*time.Second)
	r.until(19 * time.Second)
	if _, done := r.answered[id]; done {
		t.Fatal("given up early")
	}
	r.until(20 * time.Second)
	f := r.answered[id].Failure
	if f == nil || f.Reason != Silent || len(f.Tried) != 2 || f.Tried[1].Server != "r2" {
		t.Fatalf("%+v", f)
	}
	if want := "r1 (192.0.2.1:1812): silent; r2 (192.0.2.2:1812): silent"; f.Error() != want {
		t.Errorf("%q", f.Error())
	}
	if len(r.turns) != 1 { // the second had no time to answer
		t.Errorf("turns: %+v", r.turns)
	}
	if s := r.m.Report().Services; s[0].Outstanding+s[1].Outstanding != 0 || len(r.m.exchanges.byID) != 0 || len(r.m.exchanges.timers) != 0 {
		t.Error("something is left of it")
	}
}

// TestLies: an answer that is not right counts for nothing, is counted by reason, and does not end the wait for the right one.
func TestLies(t *testing.T) {
	for _, tt := range []struct {
		why  string
		say  func(q radiustest.Request) []byte
		drop Drop
		err  error // of the failure, if nothing else comes
	}{
		{"another secret", func(q radiustest.Request) []byte { return radiustest.Answer("x", q, 2, 0) }, DropAuthenticator, ErrAuthenticator},
		{"a wrong Message-Authenticator", func(q radiustest.Request) []byte {
			return radiustest.Answer(testSecret, q, 2, radiustest.WrongMessageAuthenticator)
		}, DropAuthenticator, ErrMessageAuthenticator},
		{"none", func(q radiustest.Request) []byte {
			return radiustest.Answer(testSecret, q, 2, radiustest.NoMessageAuthenticator)
		}, DropNoMessageAuthenticator, ErrNoMessageAuthenticator},
		{"another identifier", func(q radiustest.Request) []byte { q.ID++; return radiustest.Answer(testSecret, q, 2, 0) }, DropLate, nil},
		{"an accounting answer", func(q radiustest.Request) []byte { return radiustest.Answer(testSecret, q, 5, 0) }, DropCode, nil},
		{"its own request", func(q radiustest.Request) []byte { return radiustest.Answer(testSecret, q, 1, 0) }, DropCode, nil},
		{"half of it", func(q radiustest.Request) []byte { return radiustest.Answer(testSecret, q, 2, 0)[:30] }, DropMalformed, nil},
	} {
		r := newRig(t, server(1))
		r.answer = func(_ string, q radiustest.Request) []byte { return tt.say(q) }
		bad, good := r.access("", time.Minute), uint64(0)
		r.until(30 * time.Second)
		f := r.answered[bad].Failure
		want := Silent
		if tt.err != nil {
			want = Lying
		}
		if f == nil || f.Reason != want || !errors.Is(f.Tried[0].Err, tt.err) {
			t.Errorf("%s: %+v", tt.why, f)
		}
		if n := r.m.Report().Services[0].Dropped[tt.drop]; n != 4 || len(r.dropped) != 4 {
			t.Errorf("%s: counted %d times, said %d times", tt.why, n, len(r.dropped))
		}
		if len(r.turns) != 1 || !r.turns[0].Down || r.turns[0].Reason != want {
			t.Errorf("%s: turns %+v", tt.why, r.turns)
		}
		// The lie first, then the truth.
		good = r.access("", time.Minute)
		r.take()
		x := r.sent[len(r.sent)-1]
		r.m.Receive(r.now, x.socket, r.m.exchanges.services[0].stats.Addr, accept("", x.r))
		r.take()
		if got := r.answered[good]; got.Failure != nil || got.Answer.Code != AccessAccept {
			t.Errorf("%s: the truth after it is %+v", tt.why, got)
		}
	}
}

// TestSource: the right answer from another address is none, and the address is named: a server with several may answer from the wrong one.
func TestSource(t *testing.T) {
	r := newRig(t, server(1))
	r.access("", time.Minute)
	r.take()
	from := netip.MustParseAddrPort("192.0.2.77:1812")
	r.m.Receive(r.now, r.sent[0].socket, from, accept("", r.sent[0].r))
	r.take()
	if len(r.answered) != 0 || len(r.dropped) != 1 || r.dropped[0].Drop != DropSource || r.dropped[0].From != from {
		t.Errorf("%+v, %+v", r.answered, r.dropped)
	}
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.1]:1812")
	r.m.Receive(r.now, r.sent[0].socket, mapped, accept("", r.sent[0].r))
	r.take()
	if len(r.answered) != 1 {
		t.Error("the address of the server, mapped to IPv6, is another one")
	}
	r.m.Receive(r.now, r.sent[0].socket, mapped, accept("", r.sent[0].r))
	r.take()
	if r.dropped[1].Drop != DropLate {
		t.Errorf("the answer again: %+v", r.dropped)
	}
}

// TestIdentifiers: each socket has 256, others are opened up to the bound, then requests wait for one, and of those there is a bound as well.
func TestIdentifiers(t *testing.T) {
	s := server(1)
	s.Sockets, s.Tries = 2, 1
	r := newRig(t, s)
	var all []uint64
	for range 2*256 + maxWaiting + 3 {
		all = append(all, r.access("", time.Minute))
	}
	r.take()
	seen := map[string]bool{}
	for _, x := range r.sent {
		key := fmt.Sprint(x.socket, x.r.ID)
		if seen[key] {
			t.Fatalf("%s is taken twice", key)
		}
		seen[key] = true
	}
	if len(seen) != 512 || r.m.Report().Waiting != maxWaiting {
		t.Fatalf("%d under way, %d wait", len(seen), r.m.Report().Waiting)
	}
	for _, id := range all[512+maxWaiting:] {
		if f := r.answered[id].Failure; f == nil || f.Reason != TooMany {
			t.Errorf("%d: %+v", id, r.answered[id])
		}
	}
	// One is answered: the first that waits is sent, under the identifier that is free.
	x := r.sent[100]
	r.m.Receive(r.now, x.socket, netip.MustParseAddrPort("192.0.2.1:1812"), accept("", x.r))
	r.take()
	if y := r.sent[512]; y.socket != x.socket || y.r.ID != x.r.ID || r.m.Report().Waiting != maxWaiting-1 {
		t.Errorf("%+v after %+v", y.socket, x.socket)
	}
	// One is given up that waits, and one that is under way.
	r.m.Cancel(r.now, all[600])
	r.m.Cancel(r.now, all[0])
	r.answer = accept
	r.until(time.Minute)
	for i, id := range all[:512+maxWaiting] {
		if _, done := r.answered[id]; done == (i == 600 || i == 0) {
			t.Errorf("%d: done %v", i, done)
		}
	}
}

// TestLoad: of equal servers the one with fewer requests under way is asked.
func TestLoad(t *testing.T) {
	r := newRig(t, server(1), server(2))
	for range 4 {
		r.access("", time.Minute)
	}
	r.take()
	if got := r.trace(); got != "0s r1; 0s r2; 0s r1; 0s r2; " {
		t.Error(got)
	}
}

// TestSilentForOne: a server that answers others is not dead, whatever it thinks of one request.
func TestSilentForOne(t *testing.T) {
	r := newRig(t, server(1))
	r.answer = func(_ string, q radiustest.Request) []byte {
		if q.Number(5) == 7 && len(r.sent)%2 == 1 {
			return nil
		}
		return accept("", q)
	}
	r.access("", time.Minute)
	r.take()
	r.until(time.Second)
	r.sent = append(r.sent, sent{}) // the next one is answered
	r.access("", time.Minute)
	r.until(time.Minute)
	if len(r.turns) != 0 {
		t.Errorf("turns: %+v", r.turns)
	}
}

// TestConfigure: what is under way to a server that stays goes on; the rest goes to another server at once.
func TestConfigure(t *testing.T) {
	r := newRig(t, server(1), server(2))
	a, b := r.access("", time.Minute), r.access("", time.Minute)
	c := r.access("r1", time.Minute)
	r.take()
	moved := server(1)
	moved.Addrs[Authentication] = netip.MustParseAddrPort("192.0.2.11:1812")
	r.m.Configure(r.now, &Config{Servers: []Server{moved, server(2)}, Dead: time.Minute})
	r.answer = accept
	x := r.sent[1]
	r.m.Receive(r.now, x.socket, netip.MustParseAddrPort("192.0.2.2:1812"), accept("", x.r))
	r.take()
	if got := r.answered[b]; got.Failure != nil || got.Answer.Server != "r2" {
		t.Errorf("what stays: %+v", got)
	}
	if got := r.answered[a]; got.Failure != nil {
		t.Errorf("what has moved: %+v", got.Failure)
	}
	if got := r.answered[c]; got.Failure != nil || got.Answer.Server != "r1" {
		t.Errorf("what is of one conversation: %+v", got)
	}
	r.m.Configure(r.now, &Config{})
	id := r.access("", time.Minute)
	r.m.Receive(r.now, x.socket, netip.MustParseAddrPort("192.0.2.2:1812"), accept("", x.r))
	r.take()
	if f := r.answered[id].Failure; f == nil || f.Reason != NoServer {
		t.Errorf("without servers: %+v", f)
	}
}
