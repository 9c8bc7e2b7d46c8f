package sa

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/pool"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

var (
	dynamicTS = []selector.Selector{{EndPort: selector.AnyEndPort}}
	ip4       = netip.MustParseAddr("10.3.0.7")
	ip6       = netip.MustParseAddr("2001:db8:3::7")
	ask4      = wire.CfgAttr{Type: wire.CfgInternalIP4Address}
	ask6      = wire.CfgAttr{Type: wire.CfgInternalIP6Address}
)

// roadWarrior is a client, a, of a gateway, b, that gives addresses.
type roadWarrior struct {
	*rig
	// asked are the requests for addresses, answer the payloads of the gateway's last answer in IKE_AUTH.
	asked  []Lease
	answer []wire.Payload
}

func newRoadWarrior(t *testing.T, edit func(a, b *Config), attrs ...wire.CfgAttr) *roadWarrior {
	w := &roadWarrior{}
	w.rig = newRig(t, 12, func(a, b *Config) {
		a.Children[0].LocalTS, a.Children[0].RemoteTS = mustTS(t, "0.0.0.0/0", "::/0"), mustTS(t, "0.0.0.0/0", "::/0")
		b.Children[0].LocalTS, b.Children[0].RemoteTS = mustTS(t, "0.0.0.0/0", "::/0"), dynamicTS
		b.Pools, b.Children[0].Pools, b.PoolsLine = true, true, "b.toml:9"
		if edit != nil {
			edit(a, b)
		}
	})
	w.b.desk.lease = func(l Lease) Result {
		w.asked = append(w.asked, l)
		out := Leased{Attributes: pool.Attributes{DNS: []netip.Addr{netip.MustParseAddr("10.0.0.53")}}}
		for _, a := range l.Asked {
			if a.Is4() {
				out.Addresses = append(out.Addresses, ip4)
			} else {
				out.Addresses = append(out.Addresses, ip6)
			}
		}
		return out
	}
	if attrs != nil {
		w.edit(w.a, wire.ExchangeIKEAuth, false, func(ps []wire.Payload) []wire.Payload {
			i := slices.IndexFunc(ps, func(p wire.Payload) bool { return p.Type() == wire.PayloadSA })
			return slices.Insert(slices.Clone(ps), i, wire.Payload(&wire.CP{CfgType: wire.CfgRequest, Attributes: attrs}))
		})
	}
	w.edit(w.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload { w.answer = ps; return ps })
	return w
}

// connect has the client call, and gives the gateway's machine as soon as it has answered: a client without a CHILD SA gives the IKE SA up.
func (w *roadWarrior) connect() *Machine {
	w.t.Helper()
	m := w.a.connect()
	m.InitiateChild(w.now, w.a.cfg.Children[0], nil)
	w.a.drain(m)
	w.run(35 * time.Millisecond)
	if len(w.b.live()) != 1 {
		w.t.Fatalf("the gateway has %d IKE SAs", len(w.b.live()))
	}
	return w.b.live()[0]
}

// reply is the CFG_REPLY of the gateway, "" for none.
func (w *roadWarrior) reply() string {
	var out []string
	for _, p := range w.answer {
		if cp, ok := p.(*wire.CP); ok {
			out = append(out, cp.CfgType.String())
			for _, a := range cp.Attributes {
				out = append(out, a.Type.Short())
			}
		}
	}
	return strings.Join(out, " ")
}

// A client gets addresses and what goes with them, and its selectors become those addresses.
func TestConfigReply(t *testing.T) {
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	unknown := wire.CfgAttr{Type: 20000, Value: []byte{1, 2, 3}}
	for _, c := range []struct {
		name  string
		attrs []wire.CfgAttr
		asked []netip.Addr
		reply string
		ts    string
	}{
		{"IPv4", []wire.CfgAttr{ask4}, []netip.Addr{any4}, "CFG_REPLY ADDR DNS", "0.0.0.0/0 ::/0 === 10.3.0.7/32"},
		{"both", []wire.CfgAttr{ask4, ask6, {Type: wire.CfgInternalIP4DNS}, unknown}, []netip.Addr{any4, any6}, "CFG_REPLY ADDR ADDR6 DNS",
			"0.0.0.0/0 ::/0 === 10.3.0.7/32 2001:db8:3::7/128"},
		{"a certain one", []wire.CfgAttr{{Type: wire.CfgInternalIP4Address, Value: []byte{10, 3, 0, 99}}}, []netip.Addr{netip.MustParseAddr("10.3.0.99")},
			"CFG_REPLY ADDR DNS", "0.0.0.0/0 ::/0 === 10.3.0.7/32"},
		{"with a prefix length", []wire.CfgAttr{{Type: wire.CfgInternalIP6Address, Value: append(ip6.AsSlice(), 64)}}, []netip.Addr{ip6},
			"CFG_REPLY ADDR6 DNS", "0.0.0.0/0 ::/0 === 2001:db8:3::7/128"},
		{"of a length that is none", []wire.CfgAttr{{Type: wire.CfgInternalIP4Address, Value: []byte{10, 3}}}, []netip.Addr{any4}, "CFG_REPLY ADDR DNS",
			"0.0.0.0/0 ::/0 === 10.3.0.7/32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRoadWarrior(t, nil, c.attrs...)
			m := w.connect()
			w.run(time.Second)
			if len(w.asked) != 1 || !slices.Equal(w.asked[0].Asked, c.asked) || w.asked[0].Connection != "b-conn" || w.asked[0].Remote != m.Path().Remote || !w.asked[0].Contact {
				t.Errorf("asked for %+v", w.asked)
			}
			if got := w.reply(); got != c.reply {
				t.Errorf("the answer has %q", got)
			}
			at := func(p wire.PayloadType) int {
				return slices.IndexFunc(w.answer, func(x wire.Payload) bool { return x.Type() == p })
			}
			if at(wire.PayloadAUTH) > at(wire.PayloadCP) || at(wire.PayloadCP) > at(wire.PayloadSA) {
				t.Errorf("the answer is %s", wire.Summary(wire.Header{}, w.answer))
			}
			if got := m.Children()[0].TS.String(); got != c.ts {
				t.Errorf("selectors %s", got)
			}
			if _, peer := m.Virtual(); !slices.Equal(peer, m.Snapshot().RemoteVIPs) {
				t.Errorf("the snapshot has %v", m.Snapshot().RemoteVIPs)
			}
			w.wantUp(1)
		})
	}
}

// A client that asks for no address, or for none that there is, gets no CHILD SA, and the IKE SA is there.
func TestNoAddress(t *testing.T) {
	empty := &pool.EmptyError{Owner: "a.example", Pools: []pool.Stats{{Name: "office", Size: 2, Online: 2}}}
	for _, c := range []struct {
		name   string
		attrs  []wire.CfgAttr
		err    error
		notify wire.NotifyType
		code   diag.Code
	}{
		{"no CP", nil, nil, wire.NotifyFailedCPRequired, diag.CodeCPRequired},
		{"no address in it", []wire.CfgAttr{{Type: wire.CfgInternalIP4DNS}}, nil, wire.NotifyFailedCPRequired, diag.CodeCPRequired},
		{"none left", []wire.CfgAttr{ask4}, empty, wire.NotifyInternalAddressFailure, diag.CodePoolEmpty},
		{"somebody has it", []wire.CfgAttr{ask4}, &pool.TakenError{Addr: ip4, By: "x"}, wire.NotifyInternalAddressFailure, diag.CodePoolAddress},
		{"no such pool", []wire.CfgAttr{ask4}, &pool.UnknownError{Pool: "x"}, wire.NotifyInternalAddressFailure, diag.CodePoolAddress},
		{"a full disk", []wire.CfgAttr{ask4}, &pool.StoreError{Err: errors.New("no space left")}, wire.NotifyInternalAddressFailure, diag.CodePoolStore},
		{"no time", []wire.CfgAttr{ask4}, &RequestError{"an address", "too many wait"}, wire.NotifyInternalAddressFailure, diag.CodeBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRoadWarrior(t, nil, c.attrs...)
			if c.err != nil {
				w.b.desk.lease = func(Lease) Result { return Unfulfilled{c.err} }
			}
			m := w.connect()
			if m.State() != StateEstablished || len(m.Children()) != 0 {
				t.Errorf("%s with %d children", m.State(), len(m.Children()))
			}
			if n := errorNotify(w.answer); n == nil || n.NotifyType != c.notify || w.reply() != "" {
				t.Errorf("the answer is %s", wire.Summary(wire.Header{}, w.answer))
			}
			if f := w.b.wantFailure(c.code); f.ConfigLine != "b.toml:9" || f.PeerID != "a.example" && c.err != empty && c.attrs != nil && f.PeerID != "" {
				t.Errorf("%v at %s", f, f.ConfigLine)
			}
		})
	}
}

// A connection without pools ignores the request; one with pools needs no address for a child whose networks are configured.
func TestConfigRequestNotNeeded(t *testing.T) {
	w := newRoadWarrior(t, func(a, b *Config) {
		b.Pools, b.Children[0].Pools = false, false
	}, ask4)
	if m := w.connect(); w.reply() != "" || len(w.asked) != 0 || m.Children()[0].TS.String() != "0.0.0.0/0 ::/0 === 192.0.2.1/32" {
		t.Errorf("%q, %s", w.reply(), m.Children()[0].TS)
	}
	w = newRoadWarrior(t, func(a, b *Config) { b.Children[0].RemoteTS = mustTS(t, "10.1.0.0/16") })
	if m := w.connect(); len(m.Children()) != 1 || m.Children()[0].TS.String() != "0.0.0.0/0 ::/0 === 10.1.0.0/16" {
		t.Errorf("%v", m.Children())
	}
}

// A client gets no selector but its own address, whichever it asks for, within IKE_AUTH and after it.
func TestNoOtherAddress(t *testing.T) {
	for tsi, want := range map[string]string{"10.3.0.0/24": "0.0.0.0/0 ::/0 === 10.3.0.7/32", "10.3.0.8": "", "192.0.2.1": "", "::/0": ""} {
		w := newRoadWarrior(t, func(a, b *Config) { a.Children[0].LocalTS = mustTS(t, tsi) }, ask4)
		m := w.connect()
		got := ""
		if len(m.Children()) > 0 {
			got = m.Children()[0].TS.String()
		}
		if got != want {
			t.Errorf("%s: %s", tsi, got)
		}
		if want == "" && w.b.wantFailure(diag.CodeTS) == nil {
			t.Error("no failure")
		}
	}
	w := newRoadWarrior(t, nil, ask4)
	m := w.connect()
	w.run(time.Second)
	l := &ladder{t: t, r: w.rig, x: w.a, y: w.b}
	// With the request for another address, as RouterOS sends it with every CHILD SA.
	l.offerTS(false, []wire.TrafficSelector{wireTS("10.3.0.8", "10.3.0.8", 0)}, []wire.TrafficSelector{wireTS("0.0.0.0", "255.255.255.255", 0)},
		&wire.CP{CfgType: wire.CfgRequest, Attributes: []wire.CfgAttr{ask4}})
	w.run(time.Second)
	if len(m.Children()) != 1 || len(w.asked) != 1 || w.b.wantFailure(diag.CodeTS) == nil {
		t.Errorf("%d children, %d requests", len(m.Children()), len(w.asked))
	}
}

// Nothing is answered before the addresses are there. Repetitions of the request ask for nothing, and a gateway that can't give any in time
// says so.
func TestLeaseTakesTime(t *testing.T) {
	for _, lost := range []bool{false, true} {
		w := newRoadWarrior(t, nil, ask4)
		w.b.desk.late = func(r Request) outcome {
			if _, ok := r.Want.(Lease); !ok {
				return outcome{}
			}
			return outcome{after: 5 * time.Second, lost: lost}
		}
		m := w.a.connect()
		m.InitiateChild(w.now, w.a.cfg.Children[0], nil)
		w.a.drain(m)
		w.run(4 * time.Second)
		if len(w.answer) > 0 || w.b.live()[0].State() != StateConnecting {
			t.Fatalf("answered: %s", wire.Summary(wire.Header{}, w.answer))
		}
		w.run(20 * time.Second)
		if !lost {
			w.wantUp(1)
			if len(w.asked) != 1 || w.reply() != "CFG_REPLY ADDR DNS" {
				t.Errorf("%d requests, %s", len(w.asked), w.reply())
			}
			continue
		}
		if n := errorNotify(w.answer); n == nil || n.NotifyType != wire.NotifyInternalAddressFailure {
			t.Errorf("the answer is %s", wire.Summary(wire.Header{}, w.answer))
		}
		w.b.wantFailure(diag.CodeBusy)
	}
}

// A rekeyed IKE SA has the addresses, for whichever CHILD SA is made on it.
func TestRekeyedKeepsAddress(t *testing.T) {
	w := newRoadWarrior(t, nil, ask4)
	w.connect()
	w.run(time.Second)
	for range 2 {
		for _, e := range []*end{w.a, w.b} {
			e.live()[0].RekeyIKE(w.now)
			e.drain(e.live()[0])
			w.run(20 * time.Second)
			m := w.b.live()[0]
			if _, peer := m.Virtual(); !slices.Equal(peer, []netip.Addr{ip4}) || m.Configured(w.b.cfg.Children[0]).String() != "0.0.0.0/0 ::/0 === 10.3.0.7/32" {
				t.Fatalf("%v", peer)
			}
			w.wantUp(1)
		}
	}
	if len(w.asked) != 1 {
		t.Errorf("%d requests for addresses", len(w.asked))
	}
}
