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
	}{
		{"none", nil, false, false, false},
		{"no NAT", []wire.Payload{src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false},
		{"peer behind a NAT", []wire.Payload{src(hash("10.0.0.2:500")), dst(hash("192.0.2.1:500"))}, true, false, true},
		{"another port is a NAT", []wire.Payload{src(hash("192.0.2.2:1024")), dst(hash("192.0.2.1:500"))}, true, false, true},
		{"we are", []wire.Payload{src(hash("192.0.2.2:500")), dst(hash("10.0.0.1:500"))}, true, true, false},
		{"several sources, one fits", []wire.Payload{src(hash("10.0.0.2:500")), src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false},
		{"a hash of 19 octets is none", []wire.Payload{src(hash("192.0.2.2:500")[:19]), dst(hash("192.0.2.1:500"))}, false, false, false},
		{"a hash of 21 octets beside a good one", []wire.Payload{src(make([]byte, 21)), src(hash("192.0.2.2:500")), dst(hash("192.0.2.1:500"))}, true, false, false},
		{"forced by the peer", natPayloads(i, r, p.Reversed(), true), true, false, true},
		{"honest", natPayloads(i, r, p.Reversed(), false), true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n nat
			n.detect(i, r, p, c.payloads)
			if n.supported != c.supported || n.local != c.local || n.remote != c.remote {
				t.Errorf("%+v", n)
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
