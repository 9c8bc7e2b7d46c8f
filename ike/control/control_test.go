package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	if names, err := b.GetConns(t.Context(), true); err != nil || !slices.Equal(names, []string{"office"}) {
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
	for _, tt := range []struct {
		r vici.RedirectRequest
		// unusable is how strongSwan refuses a request that it looks for nothing with.
		unusable string
	}{
		{vici.RedirectRequest{PeerIP: "192.0.2.128/25", Gateway: "192.0.2.3"}, ""},
		{vici.RedirectRequest{PeerID: "*.other", Gateway: "192.0.2.3"}, ""},
		{vici.RedirectRequest{IKE: "nobody", Gateway: "192.0.2.3"}, ""},
		{vici.RedirectRequest{IKEID: 99, Gateway: "192.0.2.3"}, ""},
		{vici.RedirectRequest{IKE: "office", PeerIP: "not an address", Gateway: "%any"}, "unsupported gateway identity"},
		{vici.RedirectRequest{IKE: "office", PeerIP: "not an address", Gateway: "192.0.2.3"}, "invalid peer IP selector"},
		{vici.RedirectRequest{IKE: "office", PeerIP: "gw.example", Gateway: "192.0.2.3"}, "invalid peer IP selector"},
		{vici.RedirectRequest{IKE: "office", PeerID: "@#xyz", Gateway: "192.0.2.3"}, "invalid peer identity selector"},
	} {
		n, err := b.Redirect(t.Context(), tt.r)
		if n != 0 || err == nil || !strings.HasPrefix(err.Error(), tt.unusable) || errors.As(err, new(vici.Unusable)) != (tt.unusable != "") {
			t.Errorf("redirect %+v: %d, %v", tt.r, n, err)
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
	var said []string
	if r, err := b.Terminate(t.Context(), vici.TerminateRequest{IKE: "office", Force: true}, func(_ int, _, msg string) { said = append(said, msg) }); err != nil || r.Terminated != 1 {
		t.Errorf("terminate: %+v, %v", r, err)
	}
	if len(said) != 2 || !strings.HasPrefix(said[0], "deleting IKE_SA office[1] between 192.0.2.1[") || said[1] != "IKE_SA deleted" {
		t.Errorf("what is said of it: %q", said)
	}
	lines = 0
	if err := b.Commands.Initiate(t.Context(), gateway.Target{Child: "net"}, true, nil); err != nil {
		t.Error(err)
	}
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
	c.SAs, c.Lines = append(c.SAs, s), append(c.Lines, gateway.LineInfo{})
	if cs := b.connStatus(c); cs.PPK != "office" || cs.Proposal != chosen.String() || cs.NAT != "local" || cs.NATText != "in front of this side" {
		t.Errorf("the status shows PPK %q and %q, NAT %q (%q)", cs.PPK, cs.Proposal, cs.NAT, cs.NATText)
	}
}

// Counters have strongSwan's names, and there is a response to each request.
func TestCounters(t *testing.T) {
	v := counters(gateway.Tally{
		IKERekeysInitiated: 1, IKERekeysAnswered: 2, ChildRekeys: 3, Malformed: 4, UnknownSPI: 5,
		Initiated: gateway.Exchanges{Init: 6, Auth: 7, CreateChild: 8, Informational: 9}, Answered: gateway.Exchanges{Init: 10, Auth: 11, CreateChild: 12, Informational: 13},
	})
	want := []uint64{1, 2, 3, 4, 5, 10, 6, 6, 10, 11, 7, 7, 11, 12, 8, 8, 12, 13, 9, 9, 13}
	for i, name := range vici.CounterNames() {
		if v[name] != want[i] {
			t.Errorf("%s is %d, want %d", name, v[name], want[i])
		}
	}
	if len(v) != len(want) {
		t.Errorf("counters without a name: %v", v)
	}
	b, _ := backend(t, office)
	for _, c := range []struct {
		name string
		all  bool
		n    int
	}{{"", false, 1}, {"office", false, 1}, {"", true, 0}} { // nothing has happened to the connection
		if list, err := b.GetCounters(t.Context(), c.name, c.all); err != nil || len(list) != c.n {
			t.Errorf("counters of %q, %v: %v, %v", c.name, c.all, list, err)
		}
		if err := b.ResetCounters(t.Context(), c.name, c.all); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.GetCounters(t.Context(), "ofice", false); err == nil || !strings.Contains(err.Error(), `did you mean 'office'`) {
		t.Errorf("an unknown connection: %v", err)
	}
	if err := b.ResetCounters(t.Context(), "ofice", false); err == nil {
		t.Error("counters of an unknown connection are reset")
	}
}

// What a policy says follows the commands.
func TestPolicies(t *testing.T) {
	b, _ := backend(t, strings.Replace(office, `remote_ts = ["10.2.0.0/16"]`, `remote_ts = ["10.2.0.0/16[tcp/22]"]
start_action = "none"`, 1))
	list := func() (out []string) {
		t.Helper()
		f := vici.PolicyFilter{Trap: true, Drop: true, Pass: true}
		if err := b.ListPolicies(t.Context(), f, func(p vici.Policy) error {
			out = append(out, fmt.Sprintf("%s/%s %s %s %s", p.IKE, p.Child, p.Mode, p.LocalTS, p.RemoteTS))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := func(mode string) {
		t.Helper()
		if got := list(); !slices.Equal(got, []string{"office/net " + mode + " [10.1.0.0/16] [10.2.0.0/16[tcp/ssh]]"}) {
			t.Errorf("%q, want %s", got, mode)
		}
	}
	want("DROP")
	if err := b.Install(t.Context(), "", "net"); err != nil {
		t.Fatal(err)
	}
	want("TUNNEL")
	if err := b.Uninstall(t.Context(), "office", "net"); err != nil {
		t.Fatal(err)
	}
	want("DROP")
	for _, c := range []struct{ ike, child, want string }{{"office", "net", "no trap to remove"}, {"", "nat", `did you mean 'office/net'`}} {
		if err := b.Uninstall(t.Context(), c.ike, c.child); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Every algorithm has the name that list-sas shows, once. The kinds are those of strongSwan in its order; this daemon has no XOFs and DRBGs of its own.
func TestAlgorithms(t *testing.T) {
	got := map[string][]string{}
	var kinds []string
	for _, k := range new(Backend).Algorithms() {
		kinds = append(kinds, k.Kind)
		got[k.Kind] = k.Names
		if (len(k.Names) == 0) != (k.Kind == "xof" || k.Kind == "drbg") || k.Provider != "esplanade" {
			t.Errorf("%+v", k)
		}
	}
	if want := "encryption integrity aead hasher prf xof kdf drbg dh rng nonce-gen"; strings.Join(kinds, " ") != want {
		t.Errorf("kinds %q, want %s", kinds, want)
	}
	for kind, name := range map[string]string{"encryption": "AES_CBC", "integrity": "HMAC_SHA2_256_128", "aead": "CHACHA20_POLY1305", "prf": "PRF_HMAC_SHA2_512", "dh": "ML_KEM_768"} {
		if n := strings.Count(" "+strings.Join(got[kind], " ")+" ", " "+name+" "); n != 1 {
			t.Errorf("%s has %s %d times: %q", kind, name, n, got[kind])
		}
	}
}

// A NAT is faked where there is none.
func TestFakedNAT(t *testing.T) {
	for _, c := range []struct {
		nat  sa.NAT
		fake bool
	}{
		{sa.NAT{Known: true, Forced: true}, true}, {sa.NAT{Known: true, Forced: true, PeerForced: true}, true}, {sa.NAT{Known: true, PeerForced: true}, false},
		{sa.NAT{Forced: true}, false}, // there is no answer yet
		{sa.NAT{Known: true, Forced: true, Local: true}, false}, {sa.NAT{Known: true, Forced: true, Remote: true}, false},
	} {
		if v := IKESA(sa.Snapshot{State: sa.StateEstablished, NAT: c.nat}); v.NATFake != c.fake || v.NATLocal != c.nat.Local || v.NATRemote != c.nat.Remote || v.NATAny != c.nat.Known {
			t.Errorf("%+v is %+v", c.nat, v)
		}
	}
}
