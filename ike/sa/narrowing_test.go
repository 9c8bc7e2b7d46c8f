package sa

import (
	"net/netip"
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// nets gives x and y their networks, whoever is the original initiator.
func nets(t *testing.T) func(x, y *Config) {
	return func(x, y *Config) {
		a, b := mustTS(t, "10.1.0.0/16"), mustTS(t, "10.2.0.0/16")
		x.Children[0].LocalTS, x.Children[0].RemoteTS, y.Children[0].LocalTS, y.Children[0].RemoteTS = a, b, b, a
	}
}

// offerTS asks y for a child, or for the rekeying of the one there is, with traffic selectors of any kind.
func (l *ladder) offerTS(rekey bool, tsi, tsr []wire.TrafficSelector, more ...wire.Payload) {
	p := rekeyPayloads(l.x, l.x.liveChildren()[0])
	for _, x := range p {
		if ts, ok := x.(*wire.TS); ok {
			ts.Selectors = tsi
			if ts.Responder {
				ts.Selectors = tsr
			}
		}
	}
	if !rekey {
		p = p[1:]
	}
	l.x.send(wire.ExchangeCreateChildSA, append(p, more...)...)
	l.word("x>")
}

func wireTS(start, end string, protocol uint8, ports ...uint16) wire.TrafficSelector {
	ts := wire.TrafficSelector{IPProtocol: protocol, EndPort: 65535, Start: netip.MustParseAddr(start), End: netip.MustParseAddr(end)}
	if len(ports) == 2 {
		ts.StartPort, ts.EndPort = ports[0], ports[1]
	}
	return ts
}

// C12 and C9: what a responder makes of the selectors of a request, RFC 7296 section 2.9.
func TestSelectorsOfARequest(t *testing.T) {
	xNet, yNet := wireTS("10.1.0.0", "10.1.255.255", 0), wireTS("10.2.0.0", "10.2.255.255", 0)
	for _, c := range []struct {
		name     string
		tsi, tsr []wire.TrafficSelector
		want     string // y's view, or the notify
		narrower bool   // than what is configured, and in use
	}{
		{"as configured", []wire.TrafficSelector{xNet}, []wire.TrafficSelector{yNet}, "10.2.0.0/16 === 10.1.0.0/16", false},
		{"super-net (Windows)", []wire.TrafficSelector{wireTS("0.0.0.0", "255.255.255.255", 0)}, []wire.TrafficSelector{wireTS("0.0.0.0", "255.255.255.255", 0)}, "10.2.0.0/16 === 10.1.0.0/16", false},
		{"subset", []wire.TrafficSelector{wireTS("10.1.1.0", "10.1.1.255", 0)}, []wire.TrafficSelector{yNet}, "10.2.0.0/16 === 10.1.1.0/24", true},
		{"one protocol and port", []wire.TrafficSelector{wireTS("10.1.0.0", "10.1.255.255", 6)}, []wire.TrafficSelector{wireTS("10.2.0.0", "10.2.255.255", 6, 443, 443)}, "10.2.0.0/16[tcp/443] === 10.1.0.0/16[tcp]", true},
		{"start after end", []wire.TrafficSelector{wireTS("10.1.255.255", "10.1.0.0", 0)}, []wire.TrafficSelector{yNet}, "N(TS_UNACCEPT)", false},
		{"start after end beside a good one", []wire.TrafficSelector{wireTS("10.1.255.255", "10.1.0.0", 0), xNet}, []wire.TrafficSelector{yNet}, "10.2.0.0/16 === 10.1.0.0/16", false},
		{"ports the wrong way round", []wire.TrafficSelector{wireTS("10.1.0.0", "10.1.255.255", 6, 20, 10)}, []wire.TrafficSelector{yNet}, "N(TS_UNACCEPT)", false},
		{"elsewhere", []wire.TrafficSelector{wireTS("10.9.0.0", "10.9.255.255", 0)}, []wire.TrafficSelector{yNet}, "N(TS_UNACCEPT)", false},
		{"IPv6 beside IPv4", []wire.TrafficSelector{wireTS("fd00::", "fd00::ffff", 0), xNet}, []wire.TrafficSelector{yNet}, "10.2.0.0/16 === 10.1.0.0/16", false},
		{"IPv6 only", []wire.TrafficSelector{wireTS("fd00::", "fd00::ffff", 0)}, []wire.TrafficSelector{yNet}, "N(TS_UNACCEPT)", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, rekey := range []bool{false, true} {
				play(t, "", nets(t), nil, func(l *ladder) {
					l.offerTS(rekey, c.tsi, c.tsr)
					if c.narrower && rekey {
						// "[T]he new SA MUST NOT have narrower selectors than the original."
						// https://www.rfc-editor.org/rfc/rfc7296#section-2.9.2
						l.word("y=N(TS_UNACCEPT)")
						l.y.wantFailure(diag.CodeNarrowed)
						return
					}
					if c.want[0] == 'N' {
						l.word("y=" + c.want)
						l.word("y#1")
						return
					}
					l.word("y=TSi,TSr")
					m := l.y.machine()
					fresh := m.children[len(m.children)-1]
					if got := fresh.TS.String(); got != c.want {
						l.t.Errorf("%s, want %s", got, c.want)
					}
				})
			}
		})
	}
}

// C9: a rekeying offers what is in use, also when what is configured is wider.
func TestRekeyingKeepsTheSelectors(t *testing.T) {
	narrow := func(x, y *Config) {
		nets(t)(x, y)
		y.Children[0].LocalTS = mustTS(t, "10.2.7.0/24")
	}
	play(t, "", narrow, nil, func(l *ladder) {
		want := l.x.liveChildren()[0].TS.String()
		for _, e := range []string{"x", "y"} {
			l.word(e + ":rekey")
			l.word("!")
			if got := l.x.liveChildren()[0].TS.String(); got != want || got != "10.1.0.0/16 === 10.2.7.0/24" {
				l.t.Errorf("%s, was %s", got, want)
			}
		}
		l.wantChild("y")
	})
}

// C13: transport mode is declined by not mentioning it, and the child is in tunnel mode.
func TestTransportModeIsDeclined(t *testing.T) {
	play(t, "", nets(t), nil, func(l *ladder) {
		l.offerTS(false, []wire.TrafficSelector{wireTS("10.1.0.0", "10.1.255.255", 0)}, []wire.TrafficSelector{wireTS("10.2.0.0", "10.2.255.255", 0)},
			&wire.Notify{NotifyType: wire.NotifyUseTransportMode})
		l.word("y=[,SA,No,KE,TSi,TSr,]")
	})
}

// The selectors of the packet that wants a child go in front of what is configured.
func TestTriggerGoesFirst(t *testing.T) {
	p := selector.Packet{Src: netip.MustParseAddr("10.1.2.3"), Dst: netip.MustParseAddr("10.2.3.4"), Protocol: 17, HasPorts: true, SrcPort: 1000, DstPort: 53}
	ts := specific(selector.Pair{Local: mustTS(t, "10.1.0.0/16"), Remote: mustTS(t, "10.2.0.0/16")}, &p)
	if got, want := ts.String(), "10.1.2.3/32[udp/1000] 10.1.0.0/16 === 10.2.3.4/32[udp/53] 10.2.0.0/16"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
