package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/vici"
)

var statusNow = time.Date(2026, 5, 4, 10, 2, 3, 0, time.UTC)

// manyTunnels is a gateway with n connections, of which bad ones wait, some others have silent peers, and the rest are up.
func manyTunnels(n, bad, silent int) vici.Status {
	st := vici.Status{Gateway: vici.GatewayStatus{Version: "1.2.3", Since: statusNow.Add(-time.Hour), Config: "/etc/esplanade/esplanade.toml", LoadedAt: statusNow,
		Drops: []vici.Drop{{Direction: "out", Reason: "no_policy", Packets: 2}}, IKESAs: n, HalfOpen: 2,
		NoPolicy: "203.0.113.10 > 10.20.0.1 icmp/8(0)", NoPolicyAt: statusNow.Add(-3 * time.Second),
		DataPath: vici.DataPath{Device: "ipsec0", Features: []vici.Feature{{Name: "gso", Used: true}}}}}
	for i := range n {
		name := fmt.Sprintf("branch-%04d", i)
		remote := fmt.Sprintf("198.51.%d.%d:4500", i/250, i%250)
		up := vici.State{Desired: "up", Current: "up", Since: statusNow.Add(-26 * time.Hour), NextRekey: statusNow.Add(time.Hour)}
		c := vici.ConnStatus{Name: name, Local: "203.0.113.10:4500", Remote: remote, LocalID: "hub.example", RemoteID: name + ".example", State: up}
		h := vici.ChildStatus{Name: "net", State: up, LocalTS: []string{"10.10.0.0/24"}, RemoteTS: []string{"10.20.0.0/24"}, SAs: 1, BytesIn: 1 << 30, BytesOut: 12_345}
		p := vici.PeerStatus{ID: uint64(i + 1), State: "established", Since: up.Since, UpSince: up.Since, Local: c.Local, Remote: remote, LocalID: c.LocalID, RemoteID: c.RemoteID,
			SPIi: "0123456789abcdef", SPIr: "fedcba9876543210", Proposal: "aes256gcm16-prfsha384-x25519",
			Children: []vici.SAStatus{{ID: uint64(i + 1), State: "installed", SPIIn: "c0000001", SPIOut: "c0000002", Transport: "udp", Traffic: vici.Traffic{Child: "net"}}}}
		switch silence := (&vici.Silence{Request: "liveness check", Since: statusNow.Add(-23 * time.Second), Repeated: 2, Tries: 5,
			Failure: &vici.FailureStatus{Code: "E-DPD", Text: "E-DPD " + name + ": the peer is dead: no answer.", Fix: "look at the peer.", Count: 1}}); {
		case i >= n-bad:
			c.Peers, p.Children, h.SAs = nil, nil, 0
			h.State = vici.State{Desired: "up", Current: "waiting", Since: statusNow.Add(-time.Minute), WaitsFor: "the next attempt at 10:02:15", NextTry: statusNow.Add(12 * time.Second),
				LastFailure: &vici.FailureStatus{Code: "E-TIMEOUT-INIT", Text: "E-TIMEOUT-INIT " + name + ": the peer is silent in IKE_SA_INIT: peer " + remote + " (id '" + name + ".example') sent nothing at all; we (203.0.113.10:500, /etc/esplanade/esplanade.toml:12) sent IKE_SA_INIT 6 times.",
					Fix: "check the address, and that UDP ports 500 and 4500 pass both ways.", Count: 12, First: statusNow.Add(-time.Hour), Last: statusNow.Add(-time.Minute)}}
			c.State = h.State
		case i >= n-bad-silent:
			h.State.Silence, p.Silence = silence, silence
			fallthrough
		default:
			c.Peers = []vici.PeerStatus{p}
		}
		c.Children = []vici.ChildStatus{h}
		st.Connections = append(st.Connections, c)
	}
	return st
}

func statusText(st vici.Status, s screen, o statusOptions) string {
	var b bytes.Buffer
	newStatusReport(st).print(&b, statusNow, s, o)
	return b.String()
}

// A thousand tunnels are one screen: the worst of them, with the reason, and how many others there are.
func TestStatusIsOneScreen(t *testing.T) {
	for _, c := range []struct {
		bad, silent int
		screen      screen
	}{
		{3, 2, screen{119, 40}}, {1000, 0, screen{119, 40}}, {0, 0, screen{80, 24}}, {300, 300, screen{60, 24}}, {1, 0, screen{100, 60}},
	} {
		st := manyTunnels(1000, c.bad, c.silent)
		st.Gateway.HalfOpen = 5000
		for i := range 4 {
			st.Connections[i].Refused = 2
		}
		text := statusText(st, c.screen, statusOptions{})
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) > c.screen.lines {
			t.Errorf("%+v: %d lines\n%s", c, len(lines), text)
		}
		for _, line := range lines {
			if n := columns(line); n > c.screen.width {
				t.Errorf("%+v: %d columns: %s", c, n, line)
			}
		}
		if want := fmt.Sprintf("1000 tunnels: %d up, ", 1000-c.bad); !strings.Contains(text, want) {
			t.Errorf("%+v: no %q in\n%s", c, want, text)
		}
		first := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "NAME ") }) + 1
		if c.bad > 0 && (!strings.Contains(lines[first], "waiting") || !strings.Contains(text, "Fix: check the address")) {
			t.Errorf("%+v: the worst is not first, or has no reason\n%s", c, text)
		}
		if c.bad > 0 && !strings.Contains(strings.Join(strings.Fields(text), " "), ", last 1m0s ago)") {
			t.Errorf("%+v: it is not said when it failed last\n%s", c, text)
		}
		if !strings.Contains(text, " more: ") || !strings.Contains(text, "packets dropped: out no_policy 2\n") || !strings.Contains(text, "  no child selects 203.0.113.10 > 10.20.0.1 icmp/8(0),") || strings.Contains(text, "gso") {
			t.Errorf("%+v:\n%s", c, text)
		}
	}
	text := statusText(manyTunnels(1000, 2, 1), screen{119, 40}, statusOptions{all: true})
	if strings.Contains(text, " more: ") || strings.Count(text, "\nbranch-") != 1000 {
		t.Errorf("--all shows %d tunnels", strings.Count(text, "\nbranch-"))
	}
	order := []string{"branch-0998/net", "branch-0999/net", "branch-0997/net", "branch-0000/net"}
	for i := 1; i < len(order); i++ {
		if strings.Index(text, order[i-1]) > strings.Index(text, order[i]) {
			t.Errorf("%s comes after %s", order[i-1], order[i])
		}
	}
	if !strings.Contains(text, "up, no answer for 23s") || !strings.Contains(text, "no answer to liveness check for 23s, sent again 2 of 5 times; if it stays so:") {
		t.Errorf("a silent peer does not show:\n%s", text[:2000])
	}
}

// What has been said at once, as an ICMP error is, is no "if it stays so" any more.
func TestStatusOfWhatIsSaid(t *testing.T) {
	for _, said := range []bool{false, true} {
		st := manyTunnels(1, 0, 1)
		c := &st.Connections[0]
		f := &vici.FailureStatus{Code: "E-UNREACHABLE", Text: "E-UNREACHABLE branch-0000: refused.", Fix: "look there.", Count: 1, First: statusNow, Last: statusNow}
		silent := vici.State{Desired: "up", Current: "connecting", Since: statusNow.Add(-8 * time.Second),
			Silence: &vici.Silence{Request: "IKE_SA_INIT", Since: statusNow.Add(-8 * time.Second), Repeated: 2, Tries: 3, Failure: f}}
		if said {
			silent.LastFailure = f
		}
		c.Peers, c.State, c.Children[0].State = nil, silent, silent
		for _, o := range []statusOptions{{}, {details: true}} {
			text := statusText(st, screen{119, 40}, o)
			if strings.Contains(text, "if it stays so") == said || strings.Count(text, "E-UNREACHABLE branch-0000: refused.") != 1 {
				t.Errorf("said %v, %+v:\n%s", said, o, text)
			}
		}
	}
}

// A user has its name in the table, and is shown by it, whatever its device calls itself.
func TestStatusNamesUsers(t *testing.T) {
	st := manyTunnels(1, 0, 0)
	c := &st.Connections[0]
	c.Name = "people"
	for i, user := range []string{"alice", "bob"} {
		p := c.Peers[0]
		p.ID, p.RemoteID, p.Remote, p.User = uint64(10+i), "192.168.1.5", fmt.Sprintf("198.18.0.1%d:4500", i), user
		c.Peers = append(c.Peers, p)
	}
	c.Peers = c.Peers[1:]
	text := statusText(st, screen{119, 40}, statusOptions{})
	for _, want := range []string{"alice 198.18.0.10:4500", "bob 198.18.0.11:4500"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if r := newStatusReport(st).only("bob"); len(r.Connections) != 1 || len(r.Connections[0].Peers) != 1 || r.Connections[0].Peers[0].ID != 11 {
		t.Errorf("of bob: %+v", r.Connections)
	}
}

// Each peer of a connection has a line of its own, with its traffic; the failure of an attempt that leaves them as they are is nobody's.
func TestStatusOfSeveralPeers(t *testing.T) {
	st := manyTunnels(1, 0, 0)
	c := &st.Connections[0]
	c.Name = "spokes"
	for i := range 3 {
		p := c.Peers[0]
		p.ID, p.RemoteID, p.Remote = uint64(10+i), fmt.Sprintf("s%d.spoke.example", i), fmt.Sprintf("198.18.0.1%d:4500", i)
		p.Traffic = []vici.Traffic{{Child: "net", BytesIn: uint64(i+1) * 1000}, {Child: "other", BytesIn: 77_000}}
		c.Peers = append(c.Peers, p)
	}
	c.Peers = c.Peers[1:]
	c.Children[0].Path = &vici.PathStatus{MTU: 1280, Inner: 1206, LoweredBy: vici.ByBlackHole, Since: statusNow.Add(-time.Hour)}
	c.Peers[2].Silence = &vici.Silence{Request: "liveness check", Since: statusNow.Add(-time.Minute), Failure: &vici.FailureStatus{Code: "E-DPD", Text: "E-DPD spokes: dead: it.", Fix: "x"}}
	aside := &vici.FailureStatus{Code: "E-AUTH-PSK", Text: "E-AUTH-PSK spokes: wrong key: s9.", Fix: "y", Last: statusNow}
	c.State.Aside, c.Children[0].State.Aside = aside, aside
	text := statusText(st, screen{119, 40}, statusOptions{})
	for _, want := range []string{"s0.spoke.example 198.18.0.10:4500", "s1.spoke.example 198.18.0.11:4500  2.0 kB", "up, no answer for 1m0s", "3 tunnels: 3 up, 1 not as wanted"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "E-AUTH-PSK") {
		t.Errorf("a failure of another attempt is shown:\n%s", text)
	}
	if text := statusText(st, screen{119, 40}, statusOptions{details: true}); !strings.Contains(text, "path MTU 1280, within the tunnel 1206: larger packets vanish, since 1h0m ago") ||
		!strings.Contains(text, "what is up is not concerned: another attempt failed") {
		t.Errorf("the details lack it:\n%s", text)
	}
	one := newStatusReport(st).only("s1.spoke.example")
	if len(one.Connections) != 1 || len(one.Connections[0].Peers) != 1 || one.Connections[0].Peers[0].ID != 11 {
		t.Errorf("a peer by its name: %+v", one.Connections)
	}
	if r := newStatusReport(st).only("198.18.0.12"); len(r.Connections) != 1 || r.Connections[0].Peers[0].ID != 12 {
		t.Errorf("a peer by its address: %+v", r.Connections)
	}
	st.Connections[0].Peers[1].Remote = "[2001:db8::11]:4500"
	for _, name := range []string{"2001:db8::11", "[2001:db8::11]:4500"} {
		if r := newStatusReport(st).only(name); len(r.Connections) != 1 || len(r.Connections[0].Peers) != 1 || r.Connections[0].Peers[0].ID != 11 {
			t.Errorf("a peer by %s: %+v", name, r.Connections)
		}
	}
	down := vici.Status{Connections: []vici.ConnStatus{{Name: "office", Remote: "198.51.100.20, 2001:db8::20", RemoteID: "b.example"}}}
	for name, want := range map[string]int{"2001:db8::20": 1, "198.51.100.20": 1, "b.example": 1, "198.51.100.2": 0, "": 0} {
		if r := newStatusReport(down).only(name); len(r.Connections) != want {
			t.Errorf("a peer that is down by %q: %+v", name, r.Connections)
		}
	}
	if r := newStatusReport(st).only("spokes/net"); len(r.Connections) != 1 || len(r.Connections[0].Peers) != 3 {
		t.Errorf("a child: %+v", r.Connections)
	}
	j, err := json.Marshal(newStatusReport(st))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"peers":[{"id":10,`, `"remote_id":"s2.spoke.example"`, `"message":"E-DPD spokes: dead: it."`, `"aside":{"code":"E-AUTH-PSK"`, `"failure":null`} {
		if !strings.Contains(string(j), want) {
			t.Errorf("no %s in %s", want, j)
		}
	}
}

// Whatever the names are, a line is no wider than the screen, and what is cut is cut in the middle.
func TestStatusWidth(t *testing.T) {
	st := manyTunnels(3, 1, 0)
	for i := range st.Connections {
		c := &st.Connections[i]
		c.Name, c.Remote = strings.Repeat("long", 20)+c.Name, strings.Repeat("x", 90)+c.Remote
		for j := range c.Peers {
			c.Peers[j].Remote = c.Remote
		}
	}
	for _, width := range []int{40, 60, 80, 119} {
		for _, o := range []statusOptions{{}, {details: true, verbose: true}} {
			text := statusText(st, screen{width, 40}, o)
			for line := range strings.Lines(text) {
				if n := columns(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d columns on a screen of %d: %s", n, width, line)
				}
			}
			if !o.verbose && (!strings.Contains(text, "…") || !strings.Contains(text, "2/net")) {
				t.Errorf("the end of a name is lost:\n%s", text)
			}
		}
	}
}

func TestShortDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 1400 * time.Millisecond: "1s", 160 * time.Second: "2m40s", 90 * time.Minute: "1h30m", 76 * time.Hour: "3d4h", 24000 * time.Hour: "1000d",
	} {
		if got := short(d); got != want {
			t.Errorf("%s is shown as %s, want %s", d, got, want)
		}
	}
}

// BenchmarkStatusText is what it takes to show a thousand tunnels that the daemon has told.
func BenchmarkStatusText(b *testing.B) {
	st := manyTunnels(1000, 10, 10)
	for b.Loop() {
		newStatusReport(st).print(io.Discard, statusNow, screen{119, 40}, statusOptions{})
	}
}

// told is a daemon that has nothing but a status to tell.
type told struct {
	vici.Backend
	status vici.Status
}

func (d told) Status(_ context.Context, _ string, yield func(vici.ConnStatus) error) (vici.GatewayStatus, error) {
	for _, c := range d.status.Connections {
		if err := yield(c); err != nil {
			return vici.GatewayStatus{}, err
		}
	}
	return d.status.Gateway, nil
}

// BenchmarkStatus is `esplanade status` of a thousand tunnels, from the command line to the last line, without what the daemon does to
// know it.
func BenchmarkStatus(b *testing.B) {
	path := filepath.Join(b.TempDir(), "vici")
	l, err := vici.Listen(path)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(b.Context())
	go func() { done <- vici.NewServer(told{status: manyTunnels(1000, 10, 10)}, vici.Options{}).Serve(ctx, l) }()
	for b.Loop() {
		if code, out, stderr := cli("status", "--socket", path); code != exitOK || !strings.Contains(out, "1000 tunnels") {
			b.Fatalf("%d %s %s", code, out, stderr)
		}
	}
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
}

// TestStatusHostWarnings: that this host cannot use a tunnel that is up is a line; all that there is to say of the host is in the details.
func TestStatusHostWarnings(t *testing.T) {
	st := manyTunnels(3, 1, 0)
	for i, c := range []string{"", "branch-0002", "branch-0001", "branch-0000", "gone"} {
		st.Gateway.HostWarnings = append(st.Gateway.HostWarnings, vici.HostWarning{Connection: c, Child: strings.Repeat("net", min(len(c), 1)), Text: fmt.Sprint("what is wrong #", i)})
	}
	text := statusText(st, screen{119, 40}, statusOptions{})
	if !strings.Contains(text, "\nwarning: what is wrong #2\nand 1 warning more; --verbose shows all\n") || strings.Count(text, "what is wrong") != 1 {
		t.Errorf("no warning, or more than one:\n%s", text)
	}
	if text = statusText(st, screen{119, 40}, statusOptions{verbose: true}); strings.Count(text, "\nwarning: what is wrong #") != 5 || strings.Contains(text, "warning more;") {
		t.Errorf("the details lack some:\n%s", text)
	}
	st.Gateway.HostWarnings = st.Gateway.HostWarnings[:2]
	if text = statusText(st, screen{119, 40}, statusOptions{}); strings.Contains(text, "warning") {
		t.Errorf("a warning about a tunnel that is down:\n%s", text)
	}
	for i := range fewCertificates + 2 {
		st.Gateway.HostWarnings = append(st.Gateway.HostWarnings, vici.HostWarning{Certificate: true, Text: fmt.Sprint("certificate #", i)})
	}
	if text = statusText(st, screen{119, 40}, statusOptions{}); strings.Count(text, "\nwarning: certificate #") != fewCertificates ||
		!strings.Contains(text, "\nand 2 warnings more; --verbose shows all\n") {
		t.Errorf("certificates are not warned of, or too much:\n%s", text)
	}
}

// TestStatusAges: what is being replaced or deleted has not been so since it was installed.
func TestStatusAges(t *testing.T) {
	st := manyTunnels(1, 0, 0)
	p := &st.Connections[0].Peers[0]
	p.Children[0].Since = statusNow.Add(-time.Hour)
	want := func(words ...string) {
		t.Helper()
		text := statusText(st, screen{119, 40}, statusOptions{verbose: true})
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("no %q in\n%s", w, text)
			}
		}
	}
	want("IKE SA #1 established for 1d2h, ", "net #1 installed for 1h0m; ")
	p.State, p.Children[0].State = "rekeying", "deleted"
	want("IKE SA #1 rekeying, established 1d2h ago, ", "net #1 deleted, installed 1h0m ago; ")
	p.State = "connecting"
	want("IKE SA #1 connecting for 1d2h, ")
}

// TestStatusOfSiblings: the details have the failure and the remarks of each child, and those that are the connection's once.
func TestStatusOfSiblings(t *testing.T) {
	st := manyTunnels(1, 1, 0)
	c := &st.Connections[0]
	more := c.Children[0]
	more.Name = "voice"
	more.State.LastFailure = &vici.FailureStatus{Code: "E-TS", Text: "E-TS branch/voice: nothing in common.", Fix: "compare.", Count: 1, Last: statusNow}
	more.State.Remarks = []vici.FailureStatus{{Code: "E-MTU", Text: "E-MTU branch/voice: large packets vanish.", Fix: "let them pass.", Count: 1, Last: statusNow}}
	c.Children = append(c.Children, more)
	text := statusText(st, screen{119, 40}, statusOptions{details: true})
	for _, want := range []string{"remark on voice 0s ago:\n    E-MTU branch/voice: ", "last failure of voice 0s ago:\n    E-TS branch/voice: ", "E-TIMEOUT-INIT branch-0000: "} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is there %d times in\n%s", want, strings.Count(text, want), text)
		}
	}
}

// TestStatusOfStrangers: peers that have begun and not authenticated are one line, and change nothing of a connection's; refused ones are
// counted although another peer is up.
func TestStatusOfStrangers(t *testing.T) {
	st := manyTunnels(2, 0, 0)
	healthy := statusText(st, screen{119, 40}, statusOptions{})
	c := &st.Connections[0]
	for i := range 3 {
		c.Peers = append(c.Peers, vici.PeerStatus{ID: uint64(100 + i), State: "connecting", Remote: "192.0.2.9:500"})
	}
	st.Gateway.HalfOpen, c.HalfOpen = 5000, 5000
	text := statusText(st, screen{119, 40}, statusOptions{})
	const line = "5000 half-open: peers that have begun and not authenticated\n"
	if strings.Count(text, line) != 1 || strings.Replace(text, line, "", 1) != healthy {
		t.Errorf("with strangers:\n%s\nwithout:\n%s", text, healthy)
	}
	if text := statusText(st, screen{119, 40}, statusOptions{verbose: true}); !strings.Contains(text, "\n  and 4997 more half-open: ") {
		t.Errorf("the details do not count the others:\n%s", text)
	}
	st.Gateway.HalfOpen = fewHalfOpen
	if text := statusText(st, screen{119, 40}, statusOptions{}); text != healthy {
		t.Errorf("a few peers that are about to authenticate have a line:\n%s", text)
	}
	c.Refused = 2
	if text := statusText(st, screen{119, 40}, statusOptions{}); !strings.Contains(text, "\n2 peers were refused, see `esplanade status branch-0000`\n") {
		t.Errorf("refused peers are not counted:\n%s", text)
	}
	c.State.Aside = &vici.FailureStatus{Code: "E-AUTH-PSK", Text: "E-AUTH-PSK x: wrong key.", Fix: "y", Last: statusNow.Add(-refusedShown)}
	if text := statusText(st, screen{119, 40}, statusOptions{}); text != healthy {
		t.Errorf("peers that were refused long ago have a line:\n%s", text)
	}
	many := manyTunnels(5, 0, 0)
	for i := range many.Connections {
		many.Connections[i].Refused = 1
	}
	const want = "\n5 peers of 5 connections were refused, see --verbose\n"
	if text := statusText(many, screen{119, 40}, statusOptions{}); !strings.Contains(text, want) {
		t.Errorf("several connections:\n%s", text)
	}
}

// TestStatusOfFailedReload: each error has a line of its own.
func TestStatusOfFailedReload(t *testing.T) {
	st := manyTunnels(1, 0, 0)
	st.Gateway.ReloadError = "gw.toml:3:1: unknown key\ngw.toml:7:2: no such address"
	if text := statusText(st, screen{119, 40}, statusOptions{}); !strings.Contains(text, "\n    gw.toml:3:1: unknown key\n    gw.toml:7:2: no such address\n") {
		t.Errorf("the errors:\n%s", text)
	}
}

// TestPeerName: an identity that is the address is not said twice.
func TestPeerName(t *testing.T) {
	for _, c := range []struct{ addr, id, want string }{
		{"198.51.100.20:4500", "198.51.100.20", "198.51.100.20:4500"}, {"[2001:db8::1]:500", "2001:db8::1", "[2001:db8::1]:500"},
		{"198.51.100.20:4500", "198.51.100.21", "198.51.100.21 198.51.100.20:4500"}, {"198.51.100.20:4500", "", "198.51.100.20:4500"},
	} {
		if got := peerName(c.addr, c.id, true); got != c.want {
			t.Errorf("%s at %s is %q", c.id, c.addr, got)
		}
	}
}

// TestColumns: COLUMNS says how wide text is, unless that is too little for anything.
func TestColumns(t *testing.T) {
	for value, want := range map[string]int{"40": 40, "60": 60, "39": maxWidth, "": maxWidth, "x": maxWidth, "500": 500} {
		t.Setenv("COLUMNS", value)
		if got := screenOf(io.Discard).width; got != want {
			t.Errorf("COLUMNS=%s is %d columns", value, got)
		}
	}
}
