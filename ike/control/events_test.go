package control

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
)

// While no client listens, events cost a look and no memory: every handshake has some.
func TestEventsForNobody(t *testing.T) {
	asked := 0
	e := &Events{Server: vici.NewServer(nil, vici.Options{}), Counters: func(uint64) (gateway.Counters, bool) { asked++; return gateway.Counters{}, true }}
	s := sa.Snapshot{ID: 1, Connection: "x", Children: []sa.ChildSnapshot{{ID: 2, Name: "net"}}}
	events := []gateway.Event{
		gateway.IKEUpdown{Up: true, SA: s}, gateway.ChildUpdown{Up: true, SA: s, Child: s.Children[0]}, gateway.IKERekeyed{Old: s, New: s},
		gateway.IKEMoved{SA: s},
		gateway.Displaced{SA: s}, gateway.Failed{Failure: &diag.Failure{Code: diag.CodeAuthPSK}, SA: func() sa.Snapshot { asked++; return s }},
		gateway.ChildRekeyed{SA: s, Old: s.Children[0], New: s.Children[0]},
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, x := range events {
			e.Observe(x)
		}
	}); n > 0 || asked > 0 {
		t.Errorf("%v allocations, counters read %d times", n, asked)
	}
}

// listener is a client of a server, which ends with the test: one that ends before the client has a last event for it.
func listener(t *testing.T) (*vici.Server, *vici.Client) {
	t.Helper()
	dir, err := os.MkdirTemp("", "v") // that of the test may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	l, err := vici.Listen(filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := backend(t, office)
	s := vici.NewServer(b, vici.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	c, err := vici.DialContext(ctx, filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return s, c
}

// The events of an end have strongSwan's order and states: an IKE SA is said to have ended before the children that go with it, which were installed; a child that
// is deleted alone is deleted.
func TestEndsAreInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, c := listener(t)
	raise := func() {
		e := &Events{Server: s, Counters: nowhere{}.Counters}
		child := func(n uint64) sa.ChildSnapshot { return sa.ChildSnapshot{ID: n, Name: "net", State: sa.ChildDeleting} }
		one := sa.Snapshot{ID: 7, Connection: "office", State: sa.StateEstablished}
		e.Observe(gateway.ChildUpdown{SA: one, Child: child(1)})
		one.State = sa.StateClosed
		e.Observe(gateway.ChildUpdown{SA: one, Child: child(2)})
		e.Observe(gateway.ChildUpdown{SA: one, Child: child(3)})
		e.Observe(gateway.IKEUpdown{SA: one})
		one.ID = 8
		e.Observe(gateway.IKEUpdown{SA: one})
	}
	want := []string{"child-updown 7 ESTABLISHED net-1 DELETED", "ike-updown 7 DELETING", "child-updown 7 DELETING net-2 INSTALLED", "child-updown 7 DELETING net-3 INSTALLED",
		"ike-updown 8 DELETING"}
	var got []string
	err := c.Listen(ctx, []string{vici.EventIKEUpdown, vici.EventChildUpdown}, raise, func(event string, m *vici.Message) error {
		of := m.Section("office")
		text := event + " " + of.Get("uniqueid") + " " + of.Get("state")
		for name, child := range of.Section("child-sas").Sections() {
			text += " " + name + " " + child.Get("state")
		}
		if got = append(got, text); len(got) == len(want) {
			cancel()
		}
		return nil
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

// Alerts have strongSwan's types, why something was rejected before what has failed by that, and the IKE SA as far as it is known.
func TestAlerts(t *testing.T) {
	var got []string
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, c := listener(t)
	raise := func() {
		if !s.Listening(vici.EventAlert) {
			t.Error("the registration was confirmed, and nobody listens")
		}
		e := &Events{Server: s, Counters: nowhere{}.Counters}
		x := sa.Snapshot{ID: 7, Connection: "office", State: sa.StateEstablished}
		e.Observe(gateway.Failed{Failure: &diag.Failure{Code: diag.CodeCertExpired}, SA: func() sa.Snapshot { return x }})
		e.Observe(gateway.Failed{Failure: &diag.Failure{Code: diag.CodeProposalIKE, Connection: "lab", Remote: netip.MustParseAddrPort("192.0.2.9:500")}})
		e.Observe(gateway.Failed{Failure: &diag.Failure{Code: diag.CodeConnNone}})
		e.Observe(gateway.Failed{Failure: &diag.Failure{Code: diag.CodeProposalIKE}})
		e.Observe(gateway.Displaced{SA: x})
		e.Observe(gateway.Displaced{SA: x, Keep: true})
	}
	want := []string{"cert-expired office 7 ESTABLISHED", "peer-auth-failed office 7 ESTABLISHED", "proposal-mismatch-ike lab 0 CREATED", "proposal-mismatch-ike",
		"unique-replace office 7 ESTABLISHED", "unique-keep office 7 ESTABLISHED"}
	err := c.Listen(ctx, []string{vici.EventAlert}, raise, func(_ string, m *vici.Message) error {
		text := m.Get("type")
		for name, s := range m.Section("ike-sa").Sections() {
			text += " " + name + " " + s.Get("uniqueid") + " " + s.Get("state")
		}
		if got = append(got, text); len(got) == len(want) {
			cancel()
		}
		return nil
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
