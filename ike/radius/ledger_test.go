package radius

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/radius/radiustest"
)

func entry(session string, s aaa.Status, at time.Time) aaa.Record {
	return aaa.Record{
		Status: s, At: at, Addresses: []netip.Addr{netip.MustParseAddr("10.3.0.9"), netip.MustParseAddr("2001:db8::9")},
		Session: aaa.Session{ID: session, User: &aaa.User{Name: "alice", Class: [][]byte{{0, 1}, []byte("b")}}, Connection: "rw", Began: start},
		Local:   netip.MustParseAddrPort("198.51.100.1:4500"), Remote: netip.MustParseAddrPort("203.0.113.9:1024"),
		Volume: aaa.Volume{InOctets: 5<<32 + 7, OutOctets: 9, InPackets: 3, OutPackets: 4}, Why: aaa.UserRequest,
	}
}

// TestAccounting: a record is the attributes of RFC 2866, with volumes above four gigabytes, and says how old it is.
func TestAccounting(t *testing.T) {
	r := newRig(t, server(1))
	r.answer = accept
	r.now = start.Add(90 * time.Second)
	r.m.Account(r.now, entry("s-1", aaa.Stop, start.Add(60*time.Second)))
	r.take()
	q := r.sent[0].r
	if q.Code != 4 || r.sent[0].socket.Service != Accounting {
		t.Fatalf("%+v", r.sent[0])
	}
	for attr, want := range map[byte]int64{40: 2, 41: 30, 42: 7, 52: 5, 43: 9, 53: -1, 46: 60, 47: 3, 48: 4, 49: 1, 45: 1, 61: 5, 55: start.Unix() + 60} {
		if got := q.Number(attr); got != want {
			t.Errorf("attribute %d is %d, want %d", attr, got, want)
		}
	}
	for attr, want := range map[byte]string{44: "s-1", 1: "alice", 8: "\x0a\x03\x00\x09", 31: "203.0.113.9[1024]", 32: "gw", 87: "rw"} {
		if got := q.Text(attr); got != want {
			t.Errorf("attribute %d is %q, want %q", attr, got, want)
		}
	}
	if c := q.Values(25); len(c) != 2 || string(c[1]) != "b" {
		t.Errorf("Class: %q", c)
	}
	if len(q.Values(168)) != 1 {
		t.Error("no Framed-IPv6-Address")
	}
	if l := r.m.Report().Ledger; l.Sent != 1 || l.Waiting != 0 {
		t.Errorf("%+v", l)
	}
}

// records are what was sent of sessions.
func (r *rig) recordsSent() (list []string) {
	for _, x := range r.sent {
		list = append(list, fmt.Sprintf("%s %d", x.r.Text(44), x.r.Number(40)))
	}
	return list
}

// TestLedger: records wait until a server takes them. Those of a session stay in order; of interim records only the latest counts, and none
// once the session has ended; nothing is lost.
func TestLedger(t *testing.T) {
	s := server(1)
	s.Tries = 1
	r := newRig(t, s)
	for i := range 5 {
		r.m.Account(r.now, entry("s-1", []aaa.Status{aaa.Start, aaa.Interim, aaa.Interim, aaa.Interim, aaa.Stop}[i], start.Add(time.Duration(i)*time.Second)))
	}
	r.m.Account(r.now, entry("s-2", aaa.Start, start))
	r.m.Account(r.now, entry("s-2", aaa.Interim, start.Add(time.Second)))
	if n := r.m.Records(); n != 4 {
		t.Fatalf("%d records wait", n)
	}
	r.until(5 * time.Minute)
	if len(r.records) == 0 || len(r.turns) != 1 {
		t.Errorf("nothing is said of it: %+v, %+v", r.records, r.turns)
	}
	// While everything waits, a session begins and ends: both are told.
	r.m.Account(r.now, entry("s-3", aaa.Start, r.now))
	r.m.Account(r.now, entry("s-3", aaa.Stop, r.now))
	tries := len(r.sent)
	if tries > 12 {
		t.Errorf("%d attempts in five minutes at a dead server: %v", tries, r.trace())
	}
	r.answer, r.sent = accept, nil
	r.until(7 * time.Minute)
	got := map[string]int{}
	for i, x := range r.recordsSent() {
		got[x] = i + 1
	}
	if len(got) != 6 || got["s-1 1"] > got["s-1 2"] || got["s-3 1"] == 0 || got["s-3 1"] > got["s-3 2"] || got["s-2 1"] > got["s-2 3"] || r.m.Records() != 0 {
		t.Errorf("%v, %d wait", r.recordsSent(), r.m.Records())
	}
	// The stop record says how long it has waited, and the time of the end.
	for _, x := range r.sent {
		if x.r.Text(44) == "s-1" && x.r.Number(40) == 2 && (x.r.Number(41) < 290 || x.r.Number(55) != start.Unix()+4) {
			t.Errorf("delay %d, timestamp %d", x.r.Number(41), x.r.Number(55)-start.Unix())
		}
	}
	if l := r.m.Report().Ledger; l.Sent != 6 || l.Replaced != 3 || l.Lost != 0 {
		t.Errorf("%+v", l)
	}
}

// TestLedgerBound: when too many wait, interim records go before others.
func TestLedgerBound(t *testing.T) {
	s := server(1)
	r := newRig(t, s)
	for i := range maxRecords - 1 {
		r.m.Account(r.now, entry(fmt.Sprint("s-", i), aaa.Start, start))
	}
	r.m.Account(r.now, entry("s-9", aaa.Interim, start))
	r.m.Account(r.now, entry("new", aaa.Start, start))
	r.m.Account(r.now, entry("newer", aaa.Start, start))
	if n := r.m.Records(); n != maxRecords {
		t.Fatalf("%d wait", n)
	}
	if l := r.m.Report().Ledger; l.Lost != 2 {
		t.Errorf("%+v", l)
	}
	s.Addrs[Accounting] = netip.MustParseAddrPort("192.0.2.200:1813")
	s.Sockets = 4
	r.answer = accept
	r.m.Configure(r.now, &Config{Servers: []Server{s}, Dead: time.Minute})
	r.sent = nil
	r.until(time.Minute)
	all := map[string]bool{}
	for _, x := range r.recordsSent() {
		all[x] = true
	}
	if all["s-9 3"] || !all["s-9 1"] || !all["new 1"] || !all["newer 1"] || len(all) != maxRecords {
		t.Errorf("%d records were taken", len(all))
	}
	if r.m.Records() != 0 || len(r.m.ledger.open) != 0 || len(r.m.ledger.out) != 0 {
		t.Error("something is left of it")
	}
}

// TestLedgerPoison: a record that servers do not take, while they take others, is not in the way of these, and is given up in the end. The records
// of its session stay in order. One that no packet can hold is given up at once.
func TestLedgerPoison(t *testing.T) {
	r := newRig(t, server(1))
	poison := true
	r.answer = func(s string, q radiustest.Request) []byte {
		if poison && q.Text(44) == "bad" {
			return nil
		}
		return accept(s, q)
	}
	long := entry("long", aaa.Start, start)
	long.Session.User = &aaa.User{Name: "alice"}
	for range 20 {
		long.Session.User.Class = append(long.Session.User.Class, make([]byte, maxValue))
	}
	r.m.Account(r.now, long)
	r.m.Account(r.now, entry("bad", aaa.Start, start))
	r.m.Account(r.now, entry("bad", aaa.Stop, start))
	for i := range 200 {
		r.m.Account(r.now, entry(fmt.Sprint("s-", i), aaa.Start, start))
	}
	r.until(time.Minute)
	if l := r.m.Report().Ledger; l.Sent != 200 || l.Lost != 1 || l.Waiting != 2 {
		t.Fatalf("%+v", l)
	}
	for i := range 60 {
		r.m.Account(r.now, entry(fmt.Sprint("t-", i), aaa.Start, r.now))
		r.until(time.Minute + time.Duration(i)*30*time.Second)
	}
	if l := r.m.Report().Ledger; l.Sent != 260 || l.Lost != 3 || l.Waiting != 0 {
		t.Errorf("%+v", l)
	}
	if got := r.m.ledger; len(got.open) != 0 || len(got.out) != 0 {
		t.Error("something is left of it")
	}
	poison = true
	r.m.Account(r.now, entry("bad", aaa.Start, r.now))
	r.m.Account(r.now, entry("bad", aaa.Stop, r.now))
	r.until(r.now.Sub(start) + 20*time.Second) // it has gone behind
	r.m.Account(r.now, entry("u", aaa.Start, r.now))
	poison, r.sent = false, nil
	r.until(r.now.Sub(start) + 2*time.Minute)
	got := map[string]int{}
	for i, x := range r.recordsSent() {
		got[x] = i + 1
	}
	if got["bad 1"] == 0 || got["bad 1"] > got["bad 2"] || got["u 1"] == 0 {
		t.Errorf("%v", r.recordsSent())
	}
}

// TestHurry: at the end of the gateway nothing waits for the end of a pause, nor for the next repetition.
func TestHurry(t *testing.T) {
	s := server(1)
	r := newRig(t, s)
	r.m.Account(r.now, entry("s-1", aaa.Start, start))
	r.until(15 * time.Second) // it is given up; the pause has begun
	r.m.Account(r.now, entry("s-2", aaa.Stop, start))
	r.take()
	if n := len(r.sent); n != s.Tries {
		t.Fatalf("%d were sent", n)
	}
	r.m.Hurry(r.now)
	r.until(18 * time.Second) // the server is silent still: both are sent, and one of them again
	r.m.Account(r.now, entry("s-3", aaa.Stop, start))
	r.answer = accept
	r.m.Hurry(r.now)
	r.take()
	if r.m.Records() != 0 {
		t.Errorf("%d records wait", r.m.Records())
	}
	if r.now != start.Add(18*time.Second) {
		t.Errorf("it has taken until %v", r.now)
	}
}

// TestNoServer: without a server for accounting, records wait as well; they go when there is one.
func TestNoServer(t *testing.T) {
	s := server(1)
	s.Addrs[Accounting] = netip.AddrPort{}
	r := newRig(t, s)
	r.m.Account(r.now, entry("s-1", aaa.Start, start))
	r.until(time.Minute)
	if len(r.sent) != 0 || r.m.Records() != 1 || r.records[0].Failure.Reason != NoServer {
		t.Errorf("%v, %d wait, %+v", r.recordsSent(), r.m.Records(), r.records)
	}
	r.answer = accept
	r.m.Configure(r.now, &Config{Servers: []Server{server(1)}, Dead: time.Minute})
	r.until(3 * time.Minute)
	if r.m.Records() != 0 {
		t.Error("it waits for ever")
	}
}
