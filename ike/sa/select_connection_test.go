package sa

import (
	"net/netip"
	"testing"
	"time"

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
