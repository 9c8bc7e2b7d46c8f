package sa

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// I8 and I14: what the hashes of NAT_DETECTION_* say.
func TestNATDetection(t *testing.T) {
	p := Path{Local: netip.MustParseAddrPort("192.0.2.1:500"), Remote: netip.MustParseAddrPort("192.0.2.2:500")}
	src := func(b []byte) wire.Payload { return &wire.Notify{NotifyType: wire.NotifyNATDetectionSourceIP, Data: b} }
	dst := func(b []byte) wire.Payload {
		return &wire.Notify{NotifyType: wire.NotifyNATDetectionDestinationIP, Data: b}
	}
	const i, r = wire.SPI(1), wire.SPI(0)
	hash := func(s string) []byte { return natHash(i, r, netip.MustParseAddrPort(s)) }
	for _, c := range []struct {
		name                     string
		payloads                 []wire.Payload
		supported, local, remote bool
		seen                     string
	}{
		{"none", nil, false, false, false, "unknown"},
		{"no NAT", []wire.Payload{src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false, "none"},
		{"peer behind a NAT", []wire.Payload{src(hash("10.0.0.2:500")), dst(hash("192.0.2.1:500"))}, true, false, true, "remote"},
		{"another port is a NAT", []wire.Payload{src(hash("192.0.2.2:1024")), dst(hash("192.0.2.1:500"))}, true, false, true, "remote"},
		{"we are", []wire.Payload{src(hash("192.0.2.2:500")), dst(hash("10.0.0.1:500"))}, true, true, false, "local"},
		{"several sources, one fits", []wire.Payload{src(hash("10.0.0.2:500")), src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false, "none"},
		{"a hash of 19 octets is none", []wire.Payload{src(hash("192.0.2.2:500")[:19]), dst(hash("192.0.2.1:500"))}, false, false, false, "unknown"},
		{"a hash of 21 octets beside a good one", []wire.Payload{src(make([]byte, 21)), src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false, "none"},
		{"forced by the peer", natPayloads(i, r, p.Reversed(), true), true, false, true, "none"},
		{"forced by the peer, which is behind a NAT", natPayloads(i, r, Path{Local: netip.MustParseAddrPort("10.0.0.2:500"), Remote: p.Local}, true), true, false, true, "remote"},
		{"forced by the peer, we are behind a NAT", natPayloads(i, r, Path{Local: p.Remote, Remote: netip.MustParseAddrPort("10.0.0.1:500")}, true), true, true, true, "local"},
		{"forced by another peer", []wire.Payload{src(make([]byte, 20)), dst(hash("192.0.2.1:500"))}, true, false, true, "remote"},
		{"honest", natPayloads(i, r, p.Reversed(), false), true, false, false, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n nat
			n.detect(i, r, p, c.payloads)
			if n.supported != c.supported || n.local != c.local || n.remote != c.remote {
				t.Errorf("%+v", n)
			}
			if got := n.seen().Word(); got != c.seen {
				t.Errorf("the operator is told: %s", got)
			}
		})
	}
}

// I9 and I11: a NAT that rewrites ports, and forgets its mapping between IKE_SA_INIT and IKE_AUTH.
func TestNATRewritesPorts(t *testing.T) {
	r := newRig(t, 67, func(a, b *Config) { a.ForceEncap, b.ForceEncap = false, false })
	outside := netip.MustParseAddr("198.51.100.7")
	r.translate = func(f *flight) {
		if f.to == r.b {
			f.path.Remote = netip.AddrPortFrom(outside, 20000+f.path.Remote.Port()%100)
		} else {
			f.path.Local = r.a.live()[0].Path().Local
		}
	}
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	if !ma.nat.local || !mb.nat.remote || mb.nat.local {
		t.Errorf("a: %+v, b: %+v", ma.nat, mb.nat)
	}
	if a, b := ma.Snapshot().NAT.Word(), mb.Snapshot().NAT.Word(); a != "local" || b != "remote" {
		t.Errorf("the operators are told: %s, %s", a, b)
	}
	if got := mb.Path(); got.Local.Port() != 4500 || got.Remote != netip.AddrPortFrom(outside, 20000) {
		t.Errorf("b's path is %s", got)
	}
	if n := countEvents[Moved](r.a) + countEvents[Moved](r.b); n != 0 {
		t.Errorf("%d moves: the ports changed between IKE_SA_INIT and IKE_AUTH only", n)
	}
	if c := mb.Children()[0]; !c.Path.UDP || c.Path.Remote != mb.Path().Remote {
		t.Errorf("ESP goes to %v", c.Path)
	}
}

// Forcing encapsulation hides no NAT, and shows none where there is none.
func TestNATSeenThroughPretence(t *testing.T) {
	for _, translated := range []bool{false, true} {
		r := newRig(t, 67, func(a, b *Config) { a.ForceEncap, b.ForceEncap = true, true })
		outside := netip.MustParseAddr("198.51.100.7")
		if translated {
			r.translate = func(f *flight) {
				if f.to == r.b {
					f.path.Remote = netip.AddrPortFrom(outside, f.path.Remote.Port())
				} else {
					f.path.Local = r.a.live()[0].Path().Local
				}
			}
		}
		r.a.connect()
		r.run(time.Second)
		ma, mb := r.wantUp(1)
		want := map[bool][2]string{
			false: {"none (both sides force ESP in UDP)", "none (both sides force ESP in UDP)"},
			true:  {"in front of this side", "in front of the peer (or the peer forces ESP in UDP)"},
		}[translated]
		if a, b := ma.Snapshot().NAT.String(), mb.Snapshot().NAT.String(); a != want[0] || b != want[1] {
			t.Errorf("translated %v: %s; %s", translated, a, b)
		}
		if !ma.nat.udp() || !mb.nat.udp() {
			t.Errorf("translated %v: ESP is not in UDP", translated)
		}
	}
}
