package vici

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// manySelectors are more than fit a message.
func manySelectors(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("10.%d.%d.0/24[tcp/%d]", i>>8&0xff, i&0xff, i%65536))
	}
	return out
}

// sizes asks for a stream and returns the sections of its events, none of which may be longer than the protocol allows.
func sizes(t *testing.T, b Backend, command, event string) map[string]int {
	t.Helper()
	_, path := startServer(t, b, Options{})
	got := map[string]int{}
	m, err := dial(t, path).Stream(t.Context(), command, event, nil, func(m *Message) error {
		if seg, err := encodeSegment(Packet{Type: Event, Name: event, Message: m}); err != nil || len(seg) > MaxSegment {
			t.Errorf("an event of %d octets: %v", len(seg), err)
		}
		for name, s := range m.Sections() {
			got[name]++
			for _, list := range []string{"children", "child-sas"} {
				for child := range s.Section(list).Sections() {
					got[name+"/"+child]++
				}
			}
		}
		return nil
	})
	if err != nil || m.Get("errmsg") != "" {
		t.Fatalf("%s: %v, %v", command, err, m)
	}
	return got
}

// TestLargeSAHidesNoOther: an SA that is too large for a message is cut, and those after it are listed.
func TestLargeSAHidesNoOther(t *testing.T) {
	b := newFake()
	large, after := testSA(), testSA()
	large.Name, after.Name = "large", "after"
	child := large.Children[0]
	large.Children = nil
	for i := range 5 {
		child.UniqueID, child.RemoteTS = uint32(i), manySelectors(1000*i)
		large.Children = append(large.Children, child)
	}
	child.UniqueID, child.RemoteTS, child.LocalTS = 5, manySelectors(60000), []string{strings.Repeat("x", 1<<20)}
	large.Children = append(large.Children, child)
	large.RemoteID = strings.Repeat("é", 100000)
	b.sas = []IKESA{*large, *after}
	got := sizes(t, b, "list-sas", EventListSA)
	if got["after"] != 1 || got["large"] < 2 {
		t.Errorf("%v", got)
	}
	for i := range 6 {
		if got[fmt.Sprintf("large/%s-%d", child.Name, i)] != 1 {
			t.Errorf("child %d is listed %d times", i, got[fmt.Sprintf("large/%s-%d", child.Name, i)])
		}
	}
	if len(child.RemoteTS) != 60000 {
		t.Error("the caller's list was cut")
	}
}

// TestManyConnections: the lists of connections and of the status are cut by size as well.
func TestManyConnections(t *testing.T) {
	b := newFake()
	one, two := testConn(), testConn()
	one.Name, two.Name = "one", "two"
	c := one.Children[0]
	one.Children = nil
	st := ConnStatus{Name: "one"}
	for i := range 4000 {
		c.Name, c.RemoteTS = fmt.Sprintf("child%d", i), manySelectors(10)
		one.Children = append(one.Children, c)
		st.Children = append(st.Children, ChildStatus{Name: c.Name, RemoteTS: c.RemoteTS})
	}
	b.conns = []Conn{one, two}
	if got := sizes(t, b, "list-conns", EventListConn); got["two"] != 1 || got["one/child3999"] != 1 || got["one/child0"] != 1 || got["one"] < 2 {
		t.Errorf("%d events of one, %d of two", got["one"], got["two"])
	}
	// Two peers, one of which carries so much that it comes in several events.
	sas := make([]SAStatus, 4000)
	for i := range sas {
		sas[i] = SAStatus{ID: uint64(i + 1), Traffic: Traffic{Child: "net"}, RemoteTS: manySelectors(10)}
	}
	st.Peers = []PeerStatus{{ID: 1, Children: sas, Traffic: []Traffic{{Child: "net"}}}, {ID: 2}}
	b.state = &Status{Connections: []ConnStatus{st, {Name: "two"}}}
	_, path := startServer(t, b, Options{})
	s, err := dial(t, path).Status(t.Context(), "")
	if err != nil || len(s.Connections) != 2 || len(s.Connections[0].Children) != 4000 || s.Connections[1].Name != "two" {
		t.Fatalf("%d connections, %v", len(s.Connections), err)
	}
	if p := s.Connections[0].Peers; len(p) != 2 || len(p[0].Children) != 4000 || p[0].Children[3999].ID != 4000 || len(p[0].Traffic) != 1 || p[1].ID != 2 {
		t.Errorf("%d peers", len(p))
	}
}

// TestLargeEventsArrive: an event about something large is cut, not lost.
func TestLargeEventsArrive(t *testing.T) {
	sa := testSA()
	sa.Children[0].RemoteTS = manySelectors(60000)
	p := Packet{Type: Event, Name: EventChildUpdown, Message: childUpdown(sa, &sa.Children[0], true, testNow)}
	seg, err := encode(p, true)
	if err != nil || len(seg) > MaxSegment {
		t.Fatalf("%d octets, %v", len(seg), err)
	}
	back, err := ParsePacket(seg[4:])
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range back.Message.Sections() {
		for _, c := range s.Section("child-sas").Sections() {
			list := c.List("remote-ts")
			if n := len(list); n < 100 || !strings.HasSuffix(list[n-1], " more") || !slices.Equal(list[:10], sa.Children[0].RemoteTS[:10]) {
				t.Errorf("%d selectors, the last is %q", n, list[n-1])
			}
		}
	}
}

// TestManyCounters: the counters of thousands of connections are one answer.
func TestManyCounters(t *testing.T) {
	b := newFake()
	for i := range 5000 {
		b.counters = append(b.counters, Counters{Name: fmt.Sprintf("conn%d", i), Values: map[string]uint64{"invalid": uint64(i)}})
	}
	_, path := startServer(t, b, Options{})
	m, err := dial(t, path).Call(t.Context(), "get-counters", new(Message).Set("all", "yes"))
	if err != nil || m.Get("counters", "conn4999", "invalid") != "4999" {
		t.Errorf("%v, %q", err, m.Get("counters", "conn4999", "invalid"))
	}
}
