package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// An answer may narrow what was proposed, on each side for itself, and nothing else: a peer that widens one side would draw traffic
// to itself that is none of the tunnel's, or reach what it has no business in. https://www.rfc-editor.org/rfc/rfc7296#section-1.3.3
func TestAnswerMayOnlyNarrow(t *testing.T) {
	side := func(responder bool, ts ...wire.TrafficSelector) func([]wire.Payload) []wire.Payload {
		return swap(func(p *wire.TS) {
			if p.Responder == responder {
				p.Selectors = ts
			}
		})
	}
	for name, c := range map[string]struct {
		change func([]wire.Payload) []wire.Payload
		want   string // a's view; empty: no child
	}{
		"narrower":              {side(true, wireTS("10.2.7.0", "10.2.7.255", 0)), "10.1.0.0/16 === 10.2.7.0/24"},
		"narrower here":         {side(false, wireTS("10.1.7.0", "10.1.7.255", 0)), "10.1.7.0/24 === 10.2.0.0/16"},
		"the peer's side wider": {side(true, wireTS("10.0.0.0", "10.255.255.255", 0)), ""},
		"our side wider":        {side(false, wireTS("10.0.0.0", "10.255.255.255", 0)), ""},
		"the peer's side more":  {side(true, wireTS("10.2.0.0", "10.2.255.255", 0), wireTS("192.168.0.0", "192.168.0.255", 0)), ""},
		"our side more":         {side(false, wireTS("10.1.0.0", "10.1.255.255", 0), wireTS("192.168.0.0", "192.168.0.255", 0)), ""},
		"the peer's side other": {side(true, wireTS("fd02::", "fd02::ffff", 0)), ""},
		"the peer's side empty": {side(true, wireTS("10.2.255.255", "10.2.0.0", 0)), ""},
		"our side empty":        {side(false, wireTS("10.1.255.255", "10.1.0.0", 0)), ""},
		"the sides changed over": {func(ps []wire.Payload) []wire.Payload {
			return swap(func(p *wire.TS) { p.Responder = !p.Responder })(ps)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 50, nil)
			n := r.edit(r.b, wire.ExchangeIKEAuth, true, c.change)
			r.a.connect()
			r.run(time.Second)
			if *n != 1 {
				t.Fatalf("%d answers were changed", *n)
			}
			if c.want == "" {
				r.a.wantFailure(diag.CodeTS)
				if len(r.a.inbound)+len(r.a.outbound) != 0 {
					t.Error("a CHILD SA is installed")
				}
				return
			}
			if cs := r.a.liveChildren(); len(cs) != 1 || cs[0].TS.String() != c.want {
				t.Errorf("%v", cs)
			}
		})
	}
}

// A request is for a child when both of its sides have something in common with the child's.
func TestRequestNeedsBothSides(t *testing.T) {
	ours, theirs := wireTS("10.2.0.0", "10.2.255.255", 0), wireTS("10.1.0.0", "10.1.255.255", 0)
	other := wireTS("172.16.0.0", "172.16.255.255", 0)
	for name, c := range map[string]struct{ tsi, tsr wire.TrafficSelector }{
		"initiator's side": {other, ours}, "responder's side": {theirs, other},
	} {
		play(t, "", nets(t), nil, func(l *ladder) {
			l.offerTS(false, []wire.TrafficSelector{c.tsi}, []wire.TrafficSelector{c.tsr})
			l.word("y=N(TS_UNACCEPT)")
			if len(l.y.inbound) != 1 {
				l.t.Errorf("%s: %d CHILD SAs", name, len(l.y.inbound))
			}
		})
	}
}

// A rekeying is of one child: it is not turned into another one that its selectors would fit as well.
func TestRekeyingStaysWithItsChild(t *testing.T) {
	play(t, "", nets(t), nil, func(l *ladder) {
		second := *l.y.cfg.Children[0]
		second.Name = "second"
		second.LocalTS, second.RemoteTS = mustTS(t, "10.12.0.0/16"), mustTS(t, "10.11.0.0/16")
		l.y.cfg.Children = append(l.y.cfg.Children, &second)
		l.offerTS(true, []wire.TrafficSelector{wireTS("10.11.0.0", "10.11.255.255", 0)}, []wire.TrafficSelector{wireTS("10.12.0.0", "10.12.255.255", 0)})
		l.word("y=N(TS_UNACCEPT)")
		l.word("y#1")
		for _, c := range l.y.liveChildren() {
			if c.Config.Name != "net" {
				l.t.Errorf("there is a child %s", c.Config.Name)
			}
		}
	})
}
