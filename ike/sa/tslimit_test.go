package sa

import (
	"fmt"
	"net/netip"
	"testing"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// ragged gives n ranges within one network that are no prefixes: every range of IPv4 is 6 of them, of IPv6 14.
func ragged(n int, v6 bool) []wire.TrafficSelector {
	var out []wire.TrafficSelector
	for i := range n {
		from, to := [4]byte{10, 1, byte(i), 1}, [4]byte{10, 1, byte(i), 14}
		s := wire.TrafficSelector{EndPort: 65535, Start: netip.AddrFrom4(from), End: netip.AddrFrom4(to)}
		if v6 {
			s.Start, s.End = netip.MustParseAddr(fmt.Sprintf("fd01:0:0:%x::1", i)), netip.MustParseAddr(fmt.Sprintf("fd01:0:0:%x::fe", i))
		}
		out = append(out, s)
	}
	return out
}

func hosts(n int) []wire.TrafficSelector {
	var out []wire.TrafficSelector
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i), 1})
		out = append(out, wire.TrafficSelector{EndPort: 65535, Start: a, End: a})
	}
	return out
}

// What a peer can make of the selectors of a CHILD SA is bounded, as responder in a new child and in a rekeying.
func TestSelectorsAreBounded(t *testing.T) {
	ours := hosts(maxSelectors + 1)
	for i := range ours {
		a := ours[i].Start.As4()
		a[1] = 2
		ours[i].Start, ours[i].End = netip.AddrFrom4(a), netip.AddrFrom4(a)
	}
	yNet, x6 := wireTS("10.2.0.0", "10.2.255.255", 0), "fd01::/16"
	for _, c := range []struct {
		name string
		tsi  []wire.TrafficSelector
		tsr  []wire.TrafficSelector // nil for y's network
		good bool
	}{
		{"as many ranges as allowed", hosts(maxSelectors), nil, true},
		{"one range more", hosts(maxSelectors + 1), nil, false},
		{"as many prefixes as allowed", ragged(maxTSPrefixes/6, false), nil, true},
		{"more prefixes", ragged(maxTSPrefixes/6+1, false), nil, false},
		{"one range more on our side", hosts(1), ours, false},
		{"IPv6", ragged(maxTSPrefixes/14+1, true), nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, rekey := range []bool{false, true} {
				play(t, "", func(x, y *Config) {
					nets(t)(x, y)
					x.Children[0].LocalTS = append(x.Children[0].LocalTS, mustTS(t, x6)...)
					y.Children[0].RemoteTS = append(y.Children[0].RemoteTS, mustTS(t, x6)...)
				}, nil, func(l *ladder) {
					before := len(l.y.machine().children)
					tsr := []wire.TrafficSelector{yNet}
					if c.tsr != nil {
						tsr = c.tsr
					}
					l.offerTS(rekey, c.tsi, tsr)
					if c.good && !rekey {
						l.word("y=TSi,TSr")
						return
					}
					l.word("y=N(TS_UNACCEPT)")
					if c.good { // and narrower than what is in use
						l.y.wantFailure(diag.CodeNarrowed)
						return
					}
					if !l.y.hasFailure(diag.CodeLimit) || len(l.y.machine().children) != before {
						t.Error("not refused with E-LIMIT")
					}
				})
			}
		})
	}
}

// What is configured is allowed, however much it is, for both roles.
func TestConfiguredSelectorsAreNotBounded(t *testing.T) {
	play(t, "", func(x, y *Config) {
		var many []string
		for _, s := range hosts(200) {
			many = append(many, s.Start.String())
		}
		a, b := mustTS(t, many...), mustTS(t, "10.2.0.1-10.2.255.254")
		x.Children[0].LocalTS, x.Children[0].RemoteTS, y.Children[0].LocalTS, y.Children[0].RemoteTS = a, b, b, a
	}, nil, func(l *ladder) {
		if n := len(l.y.liveChildren()[0].TS.Remote); n != 200 {
			t.Errorf("the child has %d selectors", n)
		}
	})
}

// An initiator refuses an answer that has more than it offered and more than the bounds.
func TestSelectorsOfAnAnswerAreBounded(t *testing.T) {
	offered := mustTS(t, "10.1.0.0/16")
	answer := fromWireTS(&wire.TS{Selectors: hosts(maxSelectors + 1)})
	if tsLimitOf := sideLimit(answer, offered); tsLimitOf == "" {
		t.Error("an answer of too many selectors is taken")
	}
}

// All CHILD SAs of one IKE SA have so many prefixes at most, since all of them may go in one turn of the event loop.
func TestPrefixesOfAllChildrenAreBounded(t *testing.T) {
	play(t, "", nets(t), nil, func(l *ladder) {
		yNet := []wire.TrafficSelector{wireTS("10.2.0.0", "10.2.255.255", 0)}
		for i := 0; ; i++ {
			if i > maxChildren {
				t.Fatal("no end")
			}
			l.offerTS(false, hosts(maxSelectors), yNet)
			if l.y.hasFailure(diag.CodeLimit) {
				l.word("y=N(NO_ADD_SAS)")
				break
			}
			l.word("y=TSi,TSr")
			l.word("y>")
		}
		all := 0
		for _, c := range l.y.machine().children {
			all += prefixes(c.TS.Remote)
		}
		if all > maxSAPrefixes || all < maxSAPrefixes-2*maxSelectors {
			t.Errorf("%d prefixes", all)
		}
	})
}
