package radius

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/radius/radiustest"
)

// ofGateway is a record of the gateway itself.
func ofGateway(id string, s aaa.Status, at time.Time) aaa.Record {
	return aaa.Record{Status: s, At: at, Session: aaa.Session{ID: id, Began: at}, Local: netip.MustParseAddrPort("198.51.100.1:0")}
}

// TestAccountingOn: a record of the gateway says which gateway it is, and has nothing of a session.
func TestAccountingOn(t *testing.T) {
	r := newRig(t, server(1))
	r.answer = accept
	r.m.Account(r.now, ofGateway("boot", aaa.On, start))
	r.m.Account(r.now, ofGateway("end", aaa.Off, start))
	r.take()
	if got := r.recordsSent(); !slices.Equal(got, []string{"boot 7", "end 8"}) {
		t.Fatalf("%v", got)
	}
	q := r.sent[0].r
	if q.Text(32) != "gw" || q.Text(4) != "\xc6\x33\x64\x01" || q.Number(55) != start.Unix() {
		t.Errorf("NAS-Identifier %q, NAS-IP-Address %x, Event-Timestamp %d", q.Text(32), q.Text(4), q.Number(55))
	}
	for _, attr := range []byte{1, 8, 30, 31, 46, 49, 61} {
		if len(q.Values(attr)) > 0 {
			t.Errorf("it has the attribute %d", attr)
		}
	}
}

// TestAccountingOnIsFirst: no session is told of before a server knows that the gateway has begun, which ends all sessions there, and none after it knows that the gateway
// ends, whatever servers leave unanswered.
func TestAccountingOnIsFirst(t *testing.T) {
	r := newRig(t, server(1))
	silent := map[string]int{"boot": 2, "a": 3, "end": 1}
	var taken []string
	r.answer = func(s string, q radiustest.Request) []byte {
		id := q.Text(44)
		if silent[id] > 0 && q.Number(40) != 2 {
			if silent[id]--; true {
				return nil
			}
		}
		taken = append(taken, fmt.Sprintf("%s %d", id, q.Number(40)))
		return accept(s, q)
	}
	r.m.Account(r.now, ofGateway("boot", aaa.On, start))
	for _, id := range []string{"a", "b"} {
		r.m.Account(r.now, entry(id, aaa.Start, start))
		r.m.Account(r.now, entry(id, aaa.Stop, start))
	}
	r.m.Account(r.now, ofGateway("end", aaa.Off, start))
	r.m.Account(r.now, entry("c", aaa.Start, start))
	r.until(10 * time.Minute)
	at := func(x string) int { return slices.Index(taken, x) }
	if len(taken) != 7 || taken[0] != "boot 7" || taken[5] != "end 8" || taken[6] != "c 1" || at("a 1") > at("a 2") || at("b 1") > at("b 2") {
		t.Errorf("%v", taken)
	}
	if l := r.m.Report().Ledger; l.Waiting != 0 || l.Lost != 0 {
		t.Errorf("%+v", l)
	}
}

// TestAccountingOnIsUnknown: a server that does not know such a record does not keep others from being told.
func TestAccountingOnIsUnknown(t *testing.T) {
	r := newRig(t, server(1))
	tries := 0
	r.answer = func(s string, q radiustest.Request) []byte {
		if q.Number(40) > 3 {
			tries++
			return nil
		}
		return accept(s, q)
	}
	r.m.Account(r.now, ofGateway("boot", aaa.On, start))
	for i := range maxRecords + 10 {
		r.m.Account(r.now, entry(fmt.Sprint("s-", i), aaa.Start, start))
	}
	if r.m.ledger.queue.Front().Value.(*record).Status != aaa.On {
		t.Error("it was dropped for others")
	}
	r.until(10 * time.Minute)
	if l := r.m.Report().Ledger; l.Waiting != 0 || l.Sent != maxRecords-1 || l.Lost != 12 || tries == 0 {
		t.Errorf("%+v after %d tries", l, tries)
	}
}
