package control

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// What swanctl asks about connections is answered from the configuration.
func TestConnections(t *testing.T) {
	b, _ := backend(t, office)
	if names, err := b.GetConns(t.Context()); err != nil || !slices.Equal(names, []string{"office"}) {
		t.Errorf("get-conns: %v, %v", names, err)
	}
	var got []vici.Conn
	if err := b.ListConns(t.Context(), "", func(v vici.Conn) error { got = append(got, v); return nil }); err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	v := got[0]
	if v.PPKID != "office" || v.PPKRequired || !slices.Equal(v.LocalAddrs, []string{"192.0.2.1"}) || len(v.Children) != 1 ||
		!slices.Equal(v.Children[0].RemoteTS, []string{"10.2.0.0/16"}) || v.RemoteAuth[0].ID != "b.example" {
		t.Errorf("list-conns: %+v", v)
	}
}

// What a redirect is to go to and whom it concerns is checked before anybody is sent anywhere.
func TestRedirectRequests(t *testing.T) {
	b, _ := backend(t, office)
	for _, r := range []vici.RedirectRequest{
		{PeerIP: "192.0.2.128/25", Gateway: "192.0.2.3"},
		{PeerID: "*.other", Gateway: "192.0.2.3"},
		{IKE: "nobody", Gateway: "192.0.2.3"},
		{IKEID: 99, Gateway: "192.0.2.3"},
		{IKE: "office", Gateway: "%any"},
		{IKE: "office", PeerIP: "not an address", Gateway: "192.0.2.3"},
		{IKE: "office", PeerIP: "gw.example", Gateway: "192.0.2.3"},
		{IKE: "office", PeerID: "@#xyz", Gateway: "192.0.2.3"},
	} {
		if n, err := b.Redirect(t.Context(), r); n != 0 || err == nil {
			t.Errorf("redirect %+v: %d, %v", r, n, err)
		}
	}
}

// A command whose context ends says that the attempt goes on, and nobody writes to it any more; one whose gateway ends says so.
func TestCommandsEnd(t *testing.T) {
	b, s := backend(t, office)
	var lines int
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Commands.Initiate(ctx, gateway.Target{Child: "net"}, false, func(int, string, string) { lines++; cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a command that has ended: %v", err)
	}
	if lines == 0 {
		t.Error("nobody was told of the attempt")
	}
	lines = 0
	if _, err := b.Commands.Terminate(t.Context(), gateway.Target{Connection: "office"}, gateway.Ending{Force: true}, false); err != nil {
		t.Errorf("terminate: %v", err)
	}
	if lines != 0 {
		t.Errorf("%d lines for a command that has ended", lines)
	}
	var f *diag.Failure
	if err := b.Commands.Initiate(t.Context(), gateway.Target{Child: "nte"}, false, nil); !errors.As(err, &f) {
		t.Errorf("an unknown child: %v", err)
	}
	var once sync.Once
	ends := func(int, string, string) { once.Do(s.end) }
	if err := b.Commands.Initiate(t.Context(), gateway.Target{Child: "net"}, false, ends); !errors.Is(err, errStopped) {
		t.Errorf("the gateway has ended: %v", err)
	}
	if _, err := b.Commands.Rekey(t.Context(), gateway.Target{Child: "net"}); !errors.Is(err, errEnded) {
		t.Errorf("afterwards: %v", err)
	}
}

// The names of algorithms, and whether a PPK is in use, are what the IKE SA has.
func TestShapes(t *testing.T) {
	ike, err := proposal.ParseList(wire.ProtocolIKE, []string{"aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke2_mlkem1024"})
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := proposal.Choose(ike, []wire.Proposal{ike[0].Wire(1, nil)}, proposal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sa.Snapshot{ID: 7, State: sa.StateEstablished, PPK: "office", Chosen: chosen, NAT: sa.NAT{Known: true, Local: true, Forced: true}}
	v := IKESA(s)
	if a := v.Algorithms; a.AdditionalKE[0] != "ML_KEM_768" || a.AdditionalKE[1] != "ML_KEM_1024" || a.AdditionalKE[2] != "" || !v.PPK {
		t.Errorf("VICI shows %+v", v)
	}
	b, _ := backend(t, office)
	info, err := b.Commands.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := info.Conns[0]
	c.SAs = append(c.SAs, s)
	if cs := connStatus(c); cs.PPK != "office" || cs.Proposal != chosen.String() || cs.NAT != "local" || cs.NATText != "in front of this side" {
		t.Errorf("the status shows PPK %q and %q, NAT %q (%q)", cs.PPK, cs.Proposal, cs.NAT, cs.NATText)
	}
	counters, err := b.GetCounters(t.Context(), "", true)
	if err != nil || counters[0].Values["ike-rekey-init"] != 5 || counters[0].Values["ike-auth-out-req"] != 2 {
		t.Errorf("counters: %v, %v", counters, err)
	}
}

// A NAT is faked where there is none.
func TestFakedNAT(t *testing.T) {
	for _, c := range []struct {
		nat  sa.NAT
		fake bool
	}{
		{sa.NAT{Known: true, Forced: true}, true}, {sa.NAT{Known: true, Forced: true, PeerForced: true}, true}, {sa.NAT{Known: true, PeerForced: true}, false},
		{sa.NAT{Known: true, Forced: true, Local: true}, false}, {sa.NAT{Known: true, Forced: true, Remote: true}, false},
	} {
		if v := IKESA(sa.Snapshot{State: sa.StateEstablished, NAT: c.nat}); v.NATFake != c.fake || v.NATLocal != c.nat.Local || v.NATRemote != c.nat.Remote || !v.NATAny {
			t.Errorf("%+v is %+v", c.nat, v)
		}
	}
}
