package sa

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/wire"
)

// Two connections between the same gateways with the same identities, one for each network: the request gets the one with the child
// for its selectors, whatever the order. Where none has one, the first says what does not fit.
func TestConnectionWithTheChild(t *testing.T) {
	for _, c := range []struct{ asks, want string }{
		{"10.2.0.0/24", "office"}, {"10.2.1.0/24", "voice"}, {"10.2.0.0/16", "office"}, {"10.2.1.128/25", "voice"}, {"10.9.0.0/24", ""},
	} {
		for _, turned := range []bool{false, true} {
			r := newRig(t, 3, func(a, b *Config) { a.Children[0].RemoteTS = mustTS(t, c.asks) })
			var list []*Config
			for _, x := range [][2]string{{"office", "10.2.0.0/23"}, {"voice", "10.2.1.0/24"}} {
				cfg, child := *r.b.cfg, *r.b.cfg.Children[0]
				cfg.Name, child.LocalTS = x[0], mustTS(t, x[1])
				cfg.Children = []*ChildConfig{&child}
				list = append(list, &cfg)
			}
			if turned {
				list[0], list[1] = list[1], list[0]
			}
			r.b.env.Connections = func(netip.Addr, netip.Addr) []*Config { return list }
			r.a.connect()
			r.run(time.Second)
			if c.want == "" {
				if f := r.b.failures; len(f) == 0 || f[0].Connection != list[0].Name {
					t.Errorf("%s: %v", c.asks, f)
				}
				continue
			}
			if _, m := r.wantUp(1); m.Config().Name != c.want {
				t.Errorf("%s, turned %v: %s, want %s", c.asks, turned, m.Config().Name, c.want)
			}
		}
	}
}

// A responder knows which identity is wrong, and says of which connection.
func TestWhichIdentityIsWrong(t *testing.T) {
	type ids struct{ name, local, remote string }
	one, two := ids{"one", "b.example", "a.example"}, ids{"two", "b.example", "c.example"}
	for _, c := range []struct {
		name         string
		shows, asks  string
		have         []ids
		code         diag.Code
		connection   string
		ours, theirs string
	}{
		{"the peer's", "x.example", "b.example", []ids{one}, diag.CodeAuthID, "one", "a.example", "x.example"},
		{"ours", "a.example", "y.example", []ids{one}, diag.CodeAuthID, "one", "b.example", "y.example"},
		{"both", "x.example", "y.example", []ids{one}, diag.CodeConnNone, "one", "one (b.example <-> a.example)", "'y.example'"},
		{"the peer's, of two", "x.example", "b.example", []ids{one, two}, diag.CodeConnNone, "one", "two (b.example <-> c.example)", "x.example"},
		{"the peer's, one has what it asks for", "x.example", "b.example", []ids{{"far", "d.example", "c.example"}, one}, diag.CodeAuthID, "one", "a.example", "x.example"},
		{"ours, of two", "c.example", "y.example", []ids{one, two}, diag.CodeAuthID, "two", "b.example", "y.example"},
		{"ours, the closest", "c.example", "y.example", []ids{{"any", "d.example", "%any"}, two}, diag.CodeAuthID, "two", "b.example", "y.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 3, func(a, b *Config) { a.LocalID, a.RemoteID = mustID(t, c.shows), mustID(t, c.asks) })
			var list []*Config
			for _, x := range c.have {
				cfg := *r.b.cfg
				cfg.Name, cfg.LocalID, cfg.RemoteID = x.name, mustID(t, x.local), mustID(t, x.remote)
				list = append(list, &cfg)
			}
			r.b.env.Connections = func(netip.Addr, netip.Addr) []*Config { return list }
			r.a.connect()
			r.run(time.Second)
			f := r.b.wantFailure(c.code)
			if f.Connection != c.connection || f.PeerID != c.shows || !strings.Contains(f.Ours, c.ours) || !strings.Contains(f.Theirs, c.theirs) {
				t.Errorf("%v", f)
			}
			if f := r.a.wantFailure(diag.CodeAuthRefused); f.PeerID != "" || !strings.Contains(f.Ours, "'"+c.shows+"', and asked for '"+c.asks+"'") {
				t.Errorf("%v", f)
			}
		})
	}
}

// Whoever asks has proved nothing: only the first selectors decide, however many there are.
func TestFewSelectorsDecideAboutTheConnection(t *testing.T) {
	for _, n := range []int{0, 1, maxWanted, 255} {
		tsi, tsr := &wire.TS{}, &wire.TS{Responder: true}
		for i := range n {
			a := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
			ts := wire.TrafficSelector{Start: a, End: a, EndPort: 65535}
			tsi.Selectors, tsr.Selectors = append(tsi.Selectors, ts), append(tsr.Selectors, ts)
		}
		got := wanted([]wire.Payload{tsi, tsr})
		if want := min(n, maxWanted); len(got.Local) != want || len(got.Remote) != want {
			t.Errorf("of %d selectors %d and %d count, want %d", n, len(got.Local), len(got.Remote), want)
		}
	}
}

// FuzzSelectConnections: whoever the peer says it is and asks for, only connections for these identities are tried, each once, and
// none that matches less closely than another.
func FuzzSelectConnections(f *testing.F) {
	f.Add(uint8(2), []byte("a.example"), uint8(0), []byte(nil))
	f.Add(uint8(2), []byte("a.example"), uint8(2), []byte("b.example"))
	f.Add(uint8(3), []byte("me@a.example"), uint8(1), []byte{192, 0, 2, 2})
	f.Add(uint8(1), []byte{192, 0, 2, 1}, uint8(5), []byte("b"))
	f.Add(uint8(11), []byte{}, uint8(9), []byte{0x30, 0})
	f.Fuzz(func(t *testing.T, kind uint8, data []byte, hintKind uint8, hint []byte) {
		m := &Machine{env: &Env{}, path: Path{Local: netip.MustParseAddrPort("192.0.2.2:500"), Remote: netip.MustParseAddrPort("192.0.2.1:500")}}
		for _, x := range [][2]string{
			{"b.example", "%any"}, {"b.example", "*.example"}, {"b.example", "a.example"}, {"192.0.2.2", "192.0.2.0/24"}, {"b.example", "a.example"},
			{"c.example", "*@a.example"}, {"%any", "192.0.2.1"},
		} {
			c := &Config{}
			c.Name, c.LocalID, c.RemoteID = x[0]+x[1], mustID(t, x[0]), mustID(t, x[1])
			m.candidates = append(m.candidates, c)
		}
		m.cfg = m.candidates[0]
		idi := &wire.ID{IDType: wire.IDType(kind), Data: data}
		var idr *wire.ID
		if hintKind != 0 {
			idr = &wire.ID{Responder: true, IDType: wire.IDType(hintKind), Data: hint}
		}
		got, failure := m.selectConnections(idi, idr, nil)
		if (len(got) == 0) != (failure != nil) {
			t.Fatalf("%d connections, %v", len(got), failure)
		}
		last := 0
		for i, c := range got {
			peer, err := identity.FromWire(kind, data)
			if err != nil {
				t.Fatalf("a connection for an identity that is none: %v", err)
			}
			score, ok := peer.Matches(c.RemoteID)
			if !ok || i > 0 && score != last || slices.Contains(got[:i], c) {
				t.Errorf("%s for %s at %d, with %d after %d", c.Name, peer, i, score, last)
			}
			last = score
			if m.cfg = c; idr == nil {
				continue
			}
			if want, err := identity.FromWire(hintKind, hint); err != nil || !want.Equal(m.ownIdentity()) {
				t.Errorf("%s for somebody who asks for %s", c.Name, want)
			}
		}
	})
}

// Two connections between the same gateways have other proposals. Which of them a request is for shows in IKE_AUTH: the proposal that
// was chosen has to be one that the connection accepts, not the one that it would have chosen by itself. A connection that does not
// accept it is never used.
func TestConnectionThatAcceptsTheProposal(t *testing.T) {
	for _, c := range []struct {
		name     string
		branches []string // the proposals of the connection that is meant, the second one
		code     diag.Code
	}{
		{"its own first choice is another one", []string{"aes256gcm16-prfsha384-x25519", "aes128gcm16-prfsha256-x25519"}, ""},
		{"one proposal with several algorithms", []string{"aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384-x25519"}, ""},
		{"not among its proposals", []string{"aes256gcm16-prfsha384-x25519"}, diag.CodeAuthID},
		{"another key exchange", []string{"aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384"}, diag.CodeAuthID},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 3, func(a, b *Config) {
				a.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256gcm16-prfsha384-x25519-ecp384", "aes128gcm16-prfsha256-x25519-ecp384")
			})
			office, branch := *r.b.cfg, *r.b.cfg
			office.Name, office.Proposals = "office", mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519")
			office.RemoteID = mustID(t, "somebody.example")
			branch.Name, branch.Proposals = "branch", mustProposals(t, wire.ProtocolIKE, c.branches...)
			r.b.connections(&office, &branch)
			r.a.connect()
			r.run(time.Second)
			if c.code != "" {
				if f := r.b.wantFailure(c.code); f.Connection != "office" {
					t.Errorf("%v", f)
				}
				return
			}
			if _, m := r.wantUp(1); m.Config().Name != "branch" || m.chosen.String() != "aes128gcm16-prfsha256-x25519" {
				t.Errorf("%s with %s, want branch with aes128gcm16-prfsha256-x25519", m.Config().Name, m.chosen)
			}
		})
	}
}
