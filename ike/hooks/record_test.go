package hooks

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

var update = flag.Bool("update", false, "write testdata again; read the difference before you commit it")

// happened are events of every kind.
func happened(t *testing.T) []item {
	at := time.Date(2026, 11, 30, 12, 0, 0, 5e8, time.UTC)
	site := event(t, true, 1, "b.example", "10.2.0.0/24", "10.3.0.0/24[tcp/443]")
	site.SA.SPIi, site.SA.SPIr = 0x1122334455667788, 0x99
	site.Child.LocalSPI, site.Child.RemoteSPI, site.Child.UDP = 0xc0000001, 0xc0000002, true
	down := site
	down.Up, down.Reason = false, "deleted by the peer"
	user := site.SA
	user.User, user.UserMethod, user.UserGroups = "alice", "EAP-MSCHAPv2", []string{"staff"}
	user.RemoteVIPs = []netip.Addr{netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr("fd09::1")}
	other := site.SA
	other.ID = 102
	next := site.Child
	next.ID, next.LocalSPI = 2, 0xc0000003
	where := diag.Where{Connection: "gw", Remote: netip.MustParseAddrPort("192.0.2.2:500"), PeerID: "b.example", Time: at}
	narrowed := diag.SelectorsNarrowed(where, diag.Selectors{Local: []string{"10.1.0.0/24"}, Remote: []string{"10.2.0.0/16"}},
		diag.Selectors{Local: []string{"10.1.0.0/24"}, Remote: []string{"10.2.0.0/24"}}, []string{"a part of it"})
	failed := diag.Cancelled(where, "a command")
	of := *failed
	of.User = "mallory"
	counted := gateway.Counters{InBytes: 1, InPackets: 2, OutBytes: 3, OutPackets: 4}
	return []item{
		{at: at, event: gateway.IKEUpdown{Up: true, SA: site.SA}},
		{at: at, event: site},
		{at: at, event: gateway.ChildRekeyed{SA: site.SA, Old: site.Child, New: next}, counters: counted},
		{at: at, event: gateway.IKERekeyed{Old: site.SA, New: other}},
		{at: at, event: gateway.IKEMoved{SA: other, From: sa.Path{Local: netip.MustParseAddrPort("192.0.2.1:4500"), Remote: netip.MustParseAddrPort("203.0.113.1:4500")}}},
		{at: at, event: down, counters: counted},
		{at: at, event: gateway.IKEUpdown{SA: other, Reason: "a command"}},
		{at: at, event: gateway.IKEUpdown{Up: true, SA: user}},
		{at: at, event: gateway.IKEUpdown{SA: user, Reason: "deleted by the peer"}},
		{at: at, event: gateway.AddressLeased{Connection: "gw", Owner: "alice", IKE: 101, Remote: user.Path.Remote, Addresses: user.RemoteVIPs}},
		{at: at, event: gateway.AddressReleased{Connection: "gw", Owner: "alice", IKE: 101, Addresses: user.RemoteVIPs}},
		{at: at, event: gateway.Failed{Failure: narrowed}},
		{at: at, event: gateway.Failed{Failure: failed, Repeat: true}},
		{at: at, event: gateway.Failed{Failure: &of}},
		{at: at, event: reloading{changes: []string{"added x"}}},
		{at: at, event: reloading{errors: []string{"gw.toml:1:1: unknown key x; remove it"}}},
	}
}

// eventNames are all events.
func eventNames() []string {
	return []string{
		EventHello, EventIKEUp, EventIKEDown, EventIKERekeyed, EventIKEMoved, EventChildUp, EventChildDown, EventChildRekeyed, EventChildNarrowed,
		EventUserLogin, EventUserLogout, EventUserFailed, EventAddressLeased, EventAddressReleased, EventFailure, EventReloaded, EventReloadFailed, EventDropped,
	}
}

// TestRecords holds the lines of every event to what was written before: programs read them.
func TestRecords(t *testing.T) {
	var got bytes.Buffer
	seen := map[string]bool{EventHello: true, EventDropped: true}
	for _, i := range happened(t) {
		for _, r := range i.records() {
			seen[r.Event] = true
			if !slices.Contains(eventNames(), r.Event) {
				t.Errorf("a line of %s, which is no event", r.Event)
			}
			got.Write(encode(r))
		}
	}
	for _, name := range eventNames() {
		if !seen[name] {
			t.Errorf("no line of %s", name)
		}
	}
	const file = "testdata/events.jsonl"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got:\n%s\nwant:\n%s", got.Bytes(), want)
	}
}

// TestNothingSecret: neither keys nor exchanges, in which secrets are, are among what readers are told.
func TestNothingSecret(t *testing.T) {
	for _, e := range []gateway.Event{gateway.IKEKeys{}, gateway.ChildKeys{}, gateway.Exchange{}} {
		if wanted(e) {
			t.Errorf("%T is told", e)
		}
	}
}

// TestEventsAreDocumented holds docs/events.md to the code: it has a row for each event and each field, and no others.
func TestEventsAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(b), -1) {
		rows = append(rows, m[1])
	}
	want := eventNames()
	for _, s := range []struct {
		of     reflect.Type
		prefix []string
	}{
		{reflect.TypeFor[Record](), []string{""}}, {reflect.TypeFor[IKERecord](), []string{"ike."}}, {reflect.TypeFor[ChildRecord](), []string{"child."}},
		{reflect.TypeFor[PathRecord](), []string{"from."}}, {reflect.TypeFor[FailureRecord](), []string{"failure."}},
	} {
		for i := range s.of.NumField() {
			name, _, _ := strings.Cut(s.of.Field(i).Tag.Get("json"), ",")
			if f := s.of.Field(i).Type; f.Kind() != reflect.Pointer || name == "old_ike" || name == "old_child" {
				want = append(want, s.prefix[0]+name)
			}
		}
	}
	for _, name := range want {
		if !slices.Contains(rows, name) {
			t.Errorf("docs/events.md has no row for %s", name)
		}
	}
	for _, name := range rows {
		if !slices.Contains(want, name) {
			t.Errorf("docs/events.md has a row for %s, which there is not", name)
		}
	}
	if !strings.Contains(string(b), "`version` | 1 |") && !strings.Contains(string(b), "version 1") {
		t.Error("docs/events.md does not name the version")
	}
}
