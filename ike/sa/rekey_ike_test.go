package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Rekeyings of the IKE SA that meet no other exchange, RFC 7296 sections 1.3.2, 2.8 and 2.18.
func TestIKERekey(t *testing.T) {
	t.Run("regular", func(t *testing.T) {
		play(t, "x:rekeyike x> y=SA,No,KE y> x*Q x> y=[,] y> !", nil, nil, func(l *ladder) {
			l.wantIKE("x")
			mx, my := l.x.live()[0], l.y.live()[0]
			// "The Message ID is reset to zero in the new IKE SA after the IKE SA is rekeyed", and whoever rekeys is the
			// original initiator of the new IKE SA: https://www.rfc-editor.org/rfc/rfc7296#section-2.2 (M4 and M6).
			if !mx.Initiator() || my.Initiator() || mx.window.nextSend != 0 || mx.window.nextRecv != 0 {
				l.t.Errorf("initiator %v/%v, next ids %d and %d", mx.Initiator(), my.Initiator(), mx.window.nextSend, mx.window.nextRecv)
			}
			// Both can go on from there, in both directions.
			for _, w := range []string{"y:rekey", "y>", "x>", "y>", "x>", "x:rekey", "x>", "y>", "x>", "y>", "!"} {
				l.word(w)
			}
			l.wantChild("x")
		})
	})
	t.Run("ke_invalid", func(t *testing.T) {
		ike := func(x, y *Config) {
			x.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp256-x25519")
			y.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256")
		}
		play(t, "", ike, nil, func(l *ladder) {
			// The group in use is no longer what y accepts.
			l.y.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519")
			l.x.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp256-x25519")
			l.x.machine().chosen.KE = wire.KE_ECP_256
			for _, w := range []string{"x:rekeyike", "x>", "y=N(INVAL_KE)", "y>", "x*Q", "x>", "y=KE", "y>", "x>", "y>", "!"} {
				l.word(w)
			}
			l.wantIKE("x")
		})
	})
	t.Run("no common proposal", func(t *testing.T) {
		// The SA in use stays.
		play(t, "", nil, nil, func(l *ladder) {
			l.y.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256-sha512-modp2048")
			for _, w := range []string{"x:rekeyike", "x>", "y=N(NO_PROP)", "y>", "x~", "x#1", "y#1"} {
				l.word(w)
			}
			if m := l.x.machine(); m.State() != StateEstablished || !l.x.hasFailure(diag.CodeProposalIKE) || !l.y.hasFailure(diag.CodeProposalIKE) {
				l.t.Errorf("x is %s and reported %v, y %v", m.State(), l.x.failures, l.y.failures)
			}
		})
	})
	t.Run("peer never deletes the old SA", func(t *testing.T) {
		play(t, "x:rekeyike x> y> xx", nil, nil, func(l *ladder) {
			for _, m := range l.x.all() {
				if m.state == StateDeleting {
					m.pending, m.state = nil, StateRekeyed
				}
			}
			l.r.run(2*supersededTime + time.Minute)
			l.wantIKE("x")
			if n := len(l.y.all()) + len(l.x.all()); n != 2 {
				l.t.Errorf("%d IKE SAs are left", n)
			}
		})
	})
	t.Run("answer of no use", func(t *testing.T) {
		// The peer takes the rekeying for done and has moved the children; nothing is kept of what it no longer has.
		play(t, "x:rekeyike x>", nil, nil, func(l *ladder) {
			// x has forgotten its offer: whatever it gets back is wrong.
			l.x.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256-sha512-modp2048")
			l.word("y>")
			l.word("!")
			if len(l.x.live()) != 0 || len(l.x.inbound)+len(l.x.spis) != 0 {
				l.t.Errorf("x keeps %d IKE SAs, %d inbound SAs, %d SPIs", len(l.x.live()), len(l.x.inbound), len(l.x.spis))
			}
			if !l.x.hasFailure(diag.CodeProposalIKE) {
				l.t.Errorf("x reported %v", l.x.failures)
			}
		})
	})
	t.Run("waiting requests go on", func(t *testing.T) {
		// A request that waited for the rekeying is made by the successor at once, without anything else having to happen.
		play(t, "x:rekeyike x:rekey x> y> x> y>", nil, nil, func(l *ladder) {
			m := l.x.live()[0]
			if at := m.NextTimeout(); at.After(l.r.now) || at.IsZero() {
				l.t.Errorf("the successor wants to be called at %v, it is %v", at, l.r.now)
			}
			l.word("!")
			l.wantChild("x")
			if countEvents[ChildReplaced](l.x) != 1 {
				l.t.Error("the rekeying that waited was never made")
			}
		})
	})
	t.Run("operator deletes meanwhile", func(t *testing.T) {
		// What an operator wants to end does not live on as the successor.
		for _, script := range []string{"x:rekeyike x:deleteike x> y> !", "x:rekeyike x> x:deleteike y> !"} {
			play(t, script, nil, nil, func(l *ladder) { l.wantGone() })
		}
	})
	t.Run("lifetime ends meanwhile", func(t *testing.T) {
		// The end of the old SA's lifetime is no reason to end the successor.
		play(t, "x:rekeyike", nil, nil, func(l *ladder) {
			l.x.machine().delete(l.r.now, "lifetime is over", false)
			l.word("!")
			l.wantIKE("x")
		})
	})
}

// Both sides rekey the IKE SA. "The new IKE SA containing the lowest nonce SHOULD be deleted by the node that created it,
// and the other surviving new IKE SA MUST inherit all the Child SAs."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.2
func TestIKERekeyCollision(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"collision", "x:rekeyike y:rekeyike x> y> y*A x*A y> x> !"},
		{"collision, answers first to y", "x:rekeyike y:rekeyike x> y> x> y> !"},
		// The DELETE of one side overtakes its answer to the other.
		{"collision_delayed_response", "x:rekeyike y:rekeyike x> y> y> x>2 y> x> !"},
		{"collision_delayed_response, repeated", "x:rekeyike y:rekeyike x> y> xx y> y^ y> !"},
		// A request is lost and comes again.
		{"collision_dropped_request", "x:rekeyike y:rekeyike x> yx y> y^ y> x> !"},
		{"both requests are repeated", "x:rekeyike y:rekeyike x+ y+ x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachVerdict(t, c.script, nil, func(l *ladder, winner string) {
				l.wantIKE("")
				if c.name == "collision" || c.name == "both requests are repeated" {
					l.wantIKE(winner)
				}
				l.r.run(supersededTime)
				if n := len(l.x.all()) + len(l.y.all()); n != 2 {
					l.t.Errorf("%d IKE SAs are left", n)
				}
			})
		})
	}
}

// The request of y arrives when x has finished: it is for an SA that x is closing. "If a peer receives a request to rekey
// an IKE SA that it is currently trying to close, it SHOULD reply with TEMPORARY_FAILURE."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
func TestIKERekeyDelayedRequest(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"collision_delayed_request", "x:rekeyike y:rekeyike x> y>2 y> x=N(TEMP_FAIL) x>2 x> y> !"},
		{"collision_delayed_request_and_delete", "x:rekeyike y:rekeyike x> y>2 x> y> !"},
		{"collision_delayed_request, repeated by x", "x:rekeyike xx x^ y:rekeyike x> y>2 y> x=N(TEMP_FAIL) !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantIKE("x") })
		})
	}
}

// Rekeyings of the IKE SA collide while INVALID_KE_PAYLOAD makes one of them start over.
func TestIKERekeyCollisionInvalidKE(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"collision_ke_invalid", "x:rekeyike y:rekeyike x> y=N(INVAL_KE) y> y> x> x> y> !"},
		{"collision_ke_invalid_delayed_retry", "x:rekeyike y:rekeyike x> y>2 y> x>2 x> y> !"},
		{"collision_ke_invalid_delayed_retry, lost", "x:rekeyike y:rekeyike x> y>2 y> xx x> x^ x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "", func(x, y *Config) {
				x.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-ecp256-x25519")
				y.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519-ecp256")
			}, nil, func(l *ladder) {
				l.y.cfg.Proposals = mustProposals(t, wire.ProtocolIKE, "aes128gcm16-prfsha256-x25519")
				l.x.machine().chosen.KE = wire.KE_ECP_256
				l.y.machine().chosen.KE = wire.KE_CURVE25519
				for _, w := range fields(c.script) {
					l.word(w)
				}
				l.wantIKE("")
			})
		})
	}
}

// A rekeying of the IKE SA meets its DELETE. "If a peer receives a request to close an IKE SA that it is currently
// rekeying, it SHOULD reply as usual, and forget about its own rekeying request."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
func TestIKERekeyCollidesWithDelete(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"collision_delete", "x:rekeyike y:deleteike x> y=N(TEMP_FAIL) y> x=[,] y> x> !"},
		{"collision_delete, DELETE first", "x:rekeyike y:deleteike y> x=[,] x>2 x> !"},
		{"collision_delete_drop_delete", "x:rekeyike y:deleteike x> yx y> y^ y> x=[,] x> !"},
		{"collision_delete, answered and then deleted", "x:rekeyike x> y:deleteike y>2 y> x> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantGone() })
		})
	}
}
