package sa

import (
	"testing"
	"time"

	"esplanade/ike/wire"
)

// notClosed are the machines of a side that have not ended.
func (e *end) notClosed() (out []*Machine) {
	for _, m := range e.all() {
		if m.state != StateClosed {
			out = append(out, m)
		}
	}
	return out
}

// Both sides rekey the IKE SA, and the peer is done before this side has computed the secret of its own: the peer's DELETE of the old one
// is here, and the redundant IKE SA, which is this side's to delete, has no keys yet. It is deleted all the same, before anything else
// than a DELETE would end it.
func TestEndWaitsForTheRedundant(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"completed", "x~ x."},
		{"the DELETE is repeated meanwhile", "y+ x~ y^ y> y> x~ x?1 x."},
		{"the answer is repeated meanwhile", "x~ x:advance x?1 x."},
		{"the child is rekeyed on the new one meanwhile", "x:rekey x."},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "x:rekeyike y:rekeyike x> x:wait y> x?1 x. y> x?1 x> y*Q y+ "+c.script, nil,
				map[string][]byte{"x": {1, 6}, "y": {5, 7}}, func(l *ladder) {
					for l.find(l.x, 1) >= 0 || l.find(l.y, 1) >= 0 {
						for _, e := range []string{"x", "y"} {
							if l.find(l.side(e), 1) >= 0 {
								l.word(e + ">")
							}
						}
					}
					for _, e := range []*end{l.x, l.y} {
						if n := len(e.notClosed()); n != 1 {
							l.t.Errorf("%s has %d IKE SAs", e.name, n)
						}
					}
					l.word("!")
					l.wantIKE("y")
				})
		})
	}
}

// What waits for a completion that fails, or never comes, does not wait for ever: the IKE SA ends, and the peer's new one is in use.
func TestEndWaitsInVain(t *testing.T) {
	for _, how := range []string{"busy", "bad", "lost"} {
		play(t, "x:rekeyike y:rekeyike x> x:wait y> x. y> x?1 x> y> x~ x."+how+" x*A", nil,
			map[string][]byte{"x": {1, 6}, "y": {5, 7}}, func(l *ladder) {
				if n := len(l.x.notClosed()); n != 1 {
					l.t.Errorf("%s: x has %d IKE SAs", how, n)
				}
				l.x.failures = nil // that of the completion
				l.word("!")
				l.wantIKE("y")
				l.r.run(supersededTime)
				if n := len(l.x.all()) + len(l.y.all()); n != 2 {
					l.t.Errorf("%s: %d IKE SAs are left", how, n)
				}
			})
	}
}

// A peer that has answered our rekeying deletes the old IKE SA itself, before we have the keys of the new one: that is the one in use.
func TestEndWaitsForTheSuccessor(t *testing.T) {
	play(t, "x:rekeyike x> x:wait y> x?1", nil, nil, func(l *ladder) {
		for _, m := range l.y.all() {
			if m.Replaced() {
				l.y.sendOn(m, wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
			}
		}
		for _, w := range fields("y> x~ x. x*A x> !") {
			l.word(w)
		}
		l.wantIKE("x")
		if n := len(l.x.notClosed()); n != 1 {
			l.t.Errorf("x has %d IKE SAs", n)
		}
	})
}

// A peer that deletes the old IKE SA uses its own. What it says there holds at once, also that it ends.
func TestEndSettlesTheCollision(t *testing.T) {
	play(t, "x:rekeyike y:rekeyike x> x:wait y> x. y> x> y> x?1 x#1 y:deleteike y*Q y> x#0 x?1 x. !", nil,
		map[string][]byte{"x": {1, 6}, "y": {5, 7}}, (*ladder).wantGone)
}

// Nothing but the keys of a new IKE SA holds up a DELETE: not the answer that wants another group, nor the CHILD SAs, which end with it.
func TestEndDoesNotWait(t *testing.T) {
	t.Run("for another group", func(t *testing.T) {
		play(t, "", func(x, y *Config) {
			x.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp256-x25519")
			y.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256")
		}, nil, func(l *ladder) {
			l.y.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519")
			l.x.machine().chosen.KE = wire.KE_ECP_256
			for _, w := range fields("x:rekeyike x> y=N(INVAL_KE) x:wait y> x?1 y:deleteike y> x*A x> !") {
				l.word(w)
			}
			l.wantGone()
		})
	})
	for _, c := range []struct{ name, script string }{
		{"for the secret of a CHILD SA", "x:rekey x> x:wait y> x?1 y:deleteike y> x> !"},
		{"for a request that is being built", "x:wait x:rekeyike y:deleteike y> x> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) {
				l.wantGone()
			})
		})
	}
}

// Other ends that cross an answer which waits: what the peer has made is not left to nobody either.
func TestOtherEndsWhileAnAnswerWaits(t *testing.T) {
	low := map[string][]byte{"x": {1, 6}, "y": {5, 7}}
	high := map[string][]byte{"x": {5, 6}, "y": {1, 7}}
	for _, c := range []struct {
		name, script string
		nonces       map[string][]byte
		check        func(l *ladder)
	}{
		{"an operator deletes the IKE SA", "x:rekeyike x> x:wait y> x?1 x:deleteike x~ x. !", nil, (*ladder).wantGone},
		{"and the peer deletes it", "x:rekeyike x> x:wait y> x?1 x:deleteike y:deleteike x. !", nil, (*ladder).wantGone},
		{"an operator deletes the child", "x:rekey x> x:wait y> x?1 x:delete x. !", nil, (*ladder).wantNoChild},
		{"the peer deletes the old child, its own one stays", "x:rekey y:rekey x> x:wait y> x?1 x. y> x> y*Q y> x. !", low,
			func(l *ladder) { l.wantChild("y") }},
		{"the peer deletes its own child, ours stays", "x:rekey y:rekey x> x:wait y> x?1 x. y> x> y*Q y> x. !", high,
			func(l *ladder) { l.wantChild("x") }},
		{"the peer deletes its own IKE SA, ours stays", "x:rekeyike y:rekeyike x> x:wait y> x?1 x. y> x> y*Q y> x. !", high,
			func(l *ladder) { l.wantIKE("x") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, c.nonces, func(l *ladder) {
				c.check(l)
				l.r.run(supersededTime + time.Minute)
				for _, e := range []*end{l.x, l.y} {
					if n := len(e.all()); n > 1 {
						l.t.Errorf("%s has %d IKE SAs left", e.name, n)
					}
				}
			})
		})
	}
}
