package sa

import (
	"strings"
	"testing"

	"esplanade/ike/wire"
)

// demandsOf counts the answers of a side that demand another group.
func (e *end) demandsOf() (n int) {
	for _, o := range e.events {
		if x, ok := o.(ExchangeDone); ok && !x.Initiated && strings.Contains(x.Response, "N(INVAL_KE)") {
			n++
		}
	}
	return n
}

// A peer demands another group once: later rekeyings of the SA, and of what it is replaced by, begin with it.
func TestDemandedGroupIsRemembered(t *testing.T) {
	child := groups(t, "aes128gcm16-x25519-ecp256-ecp384", "aes128gcm16-ecp384")
	// The group that the IKE SA has is none that y takes any more.
	ike := func(l *ladder) {
		l.x.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256-ecp384")
		l.y.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp384")
	}
	for _, c := range []struct {
		name, script string
		edit         func(x, y *Config)
		prepare      func(l *ladder)
		demands      int
	}{
		{"a child is rekeyed", "x:rekey x> y=N(INVAL_KE) y> x> y=KE ! x:rekey x> y=KE ! x:rekey x> y=KE !", child, nil, 1},
		{"a child, and nothing came of it", "x:rekey x> y=N(INVAL_KE) y> y:rekeyike x> y=N(TEMP_FAIL) !", child, nil, 1},
		{"a child, and the peer has rekeyed it", "x:rekey x> y=N(INVAL_KE) y:rekey ! x:rekey x> y=KE !", child, nil, 1},
		{"a child that the peer has rekeyed", "y:rekey ! x:rekey x> y=KE !", child, nil, 0},
		{"a child is created", "x:delete ! x:create x> y=N(INVAL_KE) y> y:rekeyike x> y=N(TEMP_FAIL) ! x:rekey x> y=KE !", child, nil, 1},
		{"the IKE SA is rekeyed", "x:rekeyike x> y=N(INVAL_KE) y> x> y=KE ! x:rekeyike x> y=KE ! x:rekeyike x> y=KE !", nil, ike, 1},
		{"the IKE SA, and nothing came of it", "x:rekeyike x> y=N(INVAL_KE) y> y:rekey x> y=N(TEMP_FAIL) !", nil, ike, 1},
		{"an IKE SA that the peer has rekeyed", "y:rekeyike ! x:rekeyike x> y=KE !", nil, ike, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "", c.edit, nil, func(l *ladder) {
				if c.prepare != nil {
					c.prepare(l)
				}
				for _, w := range fields(c.script) {
					l.word(w)
				}
				l.r.wantUp(1)
				if n := l.y.demandsOf(); n != c.demands {
					l.t.Errorf("%d demands for another group", n)
				}
				if l.x.demandsOf() > 0 || len(l.x.failures)+len(l.y.failures) > 0 {
					l.t.Errorf("%d demands of x, failures %v and %v", l.x.demandsOf(), l.x.failures, l.y.failures)
				}
				ke := wire.KE_ECP_384
				if m := l.x.machine(); c.prepare != nil && m.chosen.KE != ke || c.prepare == nil && m.children[len(m.children)-1].Chosen.KE != ke {
					l.t.Errorf("the IKE SA has group %d, its child %d", m.chosen.KE, m.children[len(m.children)-1].Chosen.KE)
				}
			})
		})
	}
}

// What a request begins with.
func TestFirstGuess(t *testing.T) {
	const x25519, ecp256, ecp384 = wire.KE_CURVE25519, wire.KE_ECP_256, wire.KE_ECP_384
	for name, c := range map[string]struct {
		offered string
		d       demands
		good    []uint16
		want    uint16
	}{
		"the most preferred":             {"aes128gcm16-x25519-ecp256", demands{}, nil, x25519},
		"what the peer demands":          {"aes128gcm16-x25519-ecp256", demands{group: ecp256}, nil, ecp256},
		"what is in use":                 {"aes128gcm16-x25519-ecp256", demands{}, []uint16{0, ecp256}, ecp256},
		"what was demanded before":       {"aes128gcm16-x25519-ecp256-ecp384", demands{}, []uint16{ecp384, ecp256}, ecp384},
		"what it demands now":            {"aes128gcm16-x25519-ecp256-ecp384", demands{group: ecp256}, []uint16{ecp384, x25519}, ecp256},
		"none that is not configured":    {"aes128gcm16-x25519", demands{group: ecp256}, []uint16{ecp384}, x25519},
		"none that was refused":          {"aes128gcm16-x25519-ecp256-ecp384", demands{refused: []uint16{x25519, ecp256}}, []uint16{ecp256}, ecp384},
		"nothing, if all were":           {"aes128gcm16-x25519", demands{refused: []uint16{x25519}}, nil, 0},
		"nothing without a key exchange": {"aes128gcm16", demands{group: ecp256}, []uint16{0, x25519}, 0},
	} {
		got, ok := c.d.guess(mustProposals(t, wire.ProtocolESP, c.offered), c.good...)
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%s: %d, %v", name, got, ok)
		}
	}
}
