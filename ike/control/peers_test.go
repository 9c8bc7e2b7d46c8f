package control

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/identity"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// The status has every IKE SA of a connection, with what has gone through it and those it was rekeyed from.
func TestStatusHasEveryPeer(t *testing.T) {
	b, _ := backend(t, office)
	b.Counters = func(child uint64) (gateway.Counters, bool) {
		return gateway.Counters{InBytes: 10 * child, OutPackets: 1}, true
	}
	info, err := b.Commands.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := info.Conns[0]
	first, created := time.Unix(1000, 0), time.Unix(5000, 0)
	add := func(s sa.Snapshot, past map[string]gateway.Counters, children ...sa.ChildSnapshot) {
		s.Children = children
		c.SAs, c.Lines = append(c.SAs, s), append(c.Lines, gateway.LineInfo{First: first, Past: past})
	}
	id := func(s string) identity.Identity {
		x, err := identity.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	add(sa.Snapshot{ID: 3, State: sa.StateRekeyed, RemoteID: id("s1.example")}, nil) // replaced by the next
	add(sa.Snapshot{ID: 4, State: sa.StateEstablished, RemoteID: id("s1.example"), Initiator: true, Tasks: []sa.Task{{Name: "liveness check", InFlight: true}}},
		map[string]gateway.Counters{"net": {InBytes: 1}, "gone": {OutBytes: 5}}, sa.ChildSnapshot{ID: 7, Name: "net", State: sa.ChildInstalled, UDP: true},
		sa.ChildSnapshot{ID: 8, Name: "net", State: sa.ChildRekeyed})
	add(sa.Snapshot{ID: 5, State: sa.StateConnecting, Created: created}, nil)
	got := b.connStatus(c).Peers
	if len(got) != 2 || got[0].ID != 4 || got[1].ID != 5 || got[1].State != "connecting" || !got[1].Since.Equal(created) {
		t.Fatalf("%+v", got)
	}
	p := got[0]
	if p.RemoteID != "s1.example" || !p.UpSince.Equal(first) || len(p.Requests) != 1 || len(p.Children) != 2 || p.Children[0].Transport != "udp" || p.Children[1].Transport != "esp" {
		t.Errorf("%+v", p)
	}
	if len(p.Traffic) != 2 || p.Traffic[0] != (vici.Traffic{Child: "gone", BytesOut: 5}) || p.Traffic[1] != (vici.Traffic{Child: "net", BytesIn: 1 + 70 + 80, PacketsOut: 2}) {
		t.Errorf("traffic %+v", p.Traffic)
	}
}

// The failure of an attempt that leaves what is up as it is stands aside, and is the last one of what is not up.
func TestFailureAside(t *testing.T) {
	r := &diag.Repeat{Failure: &diag.Failure{Code: diag.CodeTimeoutInit, Aside: true}, Count: 1}
	if last, aside := lastFailure(r, true); last != nil || aside == nil {
		t.Errorf("of what is up: %v, %v", last, aside)
	}
	if last, aside := lastFailure(r, false); last == nil || aside != nil {
		t.Errorf("of what is down: %v, %v", last, aside)
	}
	if last, aside := lastFailure(&diag.Repeat{Failure: &diag.Failure{Code: diag.CodeInstall}}, true); last == nil || aside != nil {
		t.Errorf("of what is up and has a trouble: %v, %v", last, aside)
	}
	if last, aside := lastFailure(nil, true); last != nil || aside != nil {
		t.Errorf("nothing: %v, %v", last, aside)
	}
}
