package sa

import (
	"testing"

	"esplanade/ike/wire"
)

// Creating CHILD SAs, RFC 7296 section 1.3.1.
func TestChildCreate(t *testing.T) {
	t.Run("duplicate", func(t *testing.T) {
		// Both sides ask for the same child at the same time: one is left, in use in both directions.
		for _, script := range []string{
			"x:create y:create x> y> y> x> !",
			"x:create y:create x> y> x> y> !",
			"x:create y:create x> y>2 y> x> !", // y's request arrives when x's exchange is complete
			"x:create y:create x> yx y> y^ y> x> !",
			"x:create x> y:create y> !", // y has it by x's request already
		} {
			t.Run(script, func(t *testing.T) {
				eachVerdict(t, "", nil, func(l *ladder, _ string) {
					nonces := [2][][]byte{l.x.nonces, l.y.nonces}
					l.x.nonces, l.y.nonces = nil, nil
					for _, w := range fields("x:delete x> y> !") {
						l.word(w)
					}
					l.wantNoChild()
					l.x.nonces, l.y.nonces = nonces[0], nonces[1]
					for _, w := range fields(script) {
						l.word(w)
					}
					l.r.wantUp(1)
				})
			})
		}
	})
	t.Run("already there", func(t *testing.T) {
		play(t, "x:create x~ y:create y~", nil, nil, func(l *ladder) { l.wantChild("") })
	})
	t.Run("collision_ike_rekey", func(t *testing.T) {
		// "If a peer receives a request to create or rekey a Child SA when it is currently rekeying the IKE SA, it SHOULD
		// reply with TEMPORARY_FAILURE": https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
		play(t, "x:delete x> y> ! x:create y:rekeyike x> y=N(TEMP_FAIL) y> x=N(TEMP_FAIL) y> x> !", nil, nil, func(l *ladder) {
			l.r.wantUp(1)
		})
	})
}

// Deleting CHILD SAs, RFC 7296 section 1.4.1.
func TestChildDelete(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		// "Normally, the response in the INFORMATIONAL exchange will contain Delete payloads for the paired SAs going in the
		// other direction."
		{"regular", "x:delete x> y=[,D,] y> !"},
		// "If, by chance, both ends of a set of SAs independently decide to close them, each may send a Delete payload and the
		// two requests may cross in the network. If a node receives a delete request for SAs for which it has already issued a
		// delete request, it MUST delete the outgoing SAs while processing the request and the incoming SAs while processing
		// the response. In that case, the responses MUST NOT include Delete payloads for the deleted SAs, since that would
		// result in duplicate deletion and could in theory delete the wrong SA."
		{"collision", "x:delete y:delete x> y=[,] y> x=[,] x> y> !"},
		{"collision, answers first", "x:delete y:delete x> y>2 y> x> !"},
		{"collision_drop", "x:delete y:delete xx y> x=[,] x> x^ x> y=[,] y> !"},
		{"collision_drop, both", "x:delete y:delete xx yx x^ y^ x> y> x> y> !"},
		{"repeated", "x:delete x+ yx x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantNoChild() })
		})
	}
	// "If a peer receives a request to delete a Child SA when it is currently rekeying the IKE SA, it SHOULD reply as usual,
	// with a Delete payload": https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
	for _, c := range []struct{ name, script string }{
		{"collision_ike_rekey", "x:delete y:rekeyike x> y=[,D,] y> x=N(TEMP_FAIL) y> x> !"},
		{"collision_ike_rekey, answered first", "x:delete y:rekeyike y> x=N(TEMP_FAIL) x>2 x> y> !"},
		{"waits for the IKE rekeying", "x:rekeyike x:delete x> y> x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantNoChild() })
		})
	}
	for _, c := range []struct{ name, script string }{
		{"collision_ike_delete", "x:delete y:deleteike x> y=[,D,] y> x=[,] y> x> !"},
		{"collision_ike_delete, IKE first", "x:delete y:deleteike y> x=[,] x>2 x> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantGone() })
		})
	}
}

// Deleting the IKE SA, RFC 7296 section 1.4.1: "The response to a request that deletes the IKE SA is an empty
// INFORMATIONAL response."
func TestIKEDelete(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"regular", "x:deleteike x> y=[,] y> !"},
		// "If a peer receives a request to close an IKE SA that it is currently trying to close, it SHOULD reply as usual, and
		// forget about its own close request": https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
		{"collision", "x:deleteike y:deleteike x> y=[,] y> x=[,] !"},
		{"answer is lost", "x:deleteike x> yx x^ x> y> !"},
		{"never answered", "x:deleteike xx x^ xx x^ xx x^ y:deleteike yx y^ yx y^ yx y^"},
		{"while a request is outstanding", "x:rekey x:deleteike x> y> x> y> x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) {
				l.wantGone()
				for _, e := range []*end{l.x, l.y} {
					l.r.run(lingerTime)
					if n := len(e.all()); n != 0 {
						l.t.Errorf("%s holds %d IKE SAs", e.name, n)
					}
				}
			})
		})
	}
}

// Both sides ask for the same child, and the peer's is rekeyed before our answer comes: the rule of the nonces is for what
// has become of it as well.
func TestChildCreateDuplicateIsRekeyedMeanwhile(t *testing.T) {
	eachVerdict(t, "", nil, func(l *ladder, winner string) {
		nonces := [2][][]byte{l.x.nonces, l.y.nonces}
		l.x.nonces, l.y.nonces = nil, nil
		for _, w := range fields("x:delete x> y> !") {
			l.word(w)
		}
		l.x.nonces, l.y.nonces = nonces[0], nonces[1]
		// y's answer to x stays away; y has its own child and rekeys it.
		for _, w := range fields("x:create y:create x> y> x> yx") {
			l.word(w)
		}
		for _, c := range l.y.liveChildren() {
			if m := l.y.machine(); c.Initiator {
				m.RekeyChild(l.r.now, c.ID)
				l.y.drain(m)
				l.hold()
			}
		}
		for l.find(l.y, 1) >= 0 || l.find(l.x, 1) >= 0 {
			for l.find(l.y, 1) >= 0 {
				l.word("y>")
			}
			for l.find(l.x, 1) >= 0 {
				l.word("x>")
			}
		}
		l.word("x^")
		l.word("!")
		l.r.wantUp(1)
	})
}

// The same from the other side: x's child is there and rekeyed when y's request, made at the same time, arrives.
func TestChildCreateDuplicateAfterRekeying(t *testing.T) {
	eachVerdict(t, "", nil, func(l *ladder, winner string) {
		nonces := [2][][]byte{l.x.nonces, l.y.nonces}
		l.x.nonces, l.y.nonces = nil, nil
		for _, w := range fields("x:delete x> y> !") {
			l.word(w)
		}
		l.x.nonces, l.y.nonces = nonces[0], nonces[1]
		for _, w := range fields("x:create y:create x> yx y>") { // y's request is lost
			l.word(w)
		}
		// What was meant for y's request is left for its answer.
		l.word("x:rekey")
		for _, w := range fields("x> y> x> y> y^ y> x> !") {
			l.word(w)
		}
		l.r.wantUp(1)
	})
}

// "IKEv2 deliberately allows parallel SAs with the same Traffic Selectors": a second SA that the peer asks for on purpose
// closes none of ours. https://www.rfc-editor.org/rfc/rfc7296#section-2.8
func TestParallelChildrenAreKept(t *testing.T) {
	eachVerdict(t, "", nil, func(l *ladder, _ string) {
		nonces := [2][][]byte{l.x.nonces, l.y.nonces}
		l.x.nonces, l.y.nonces = nil, nil
		for _, w := range fields("x:delete x> y> !") {
			l.word(w)
		}
		l.x.nonces, l.y.nonces = nonces[0], nonces[1]
		for _, w := range fields("x:create x> y>") {
			l.word(w)
		}
		// y has made another request since: the next one is no crossing.
		l.y.send(wire.ExchangeInformational)
		for _, w := range fields("y> x>") {
			l.word(w)
		}
		p := offered(l.y.machine(), l.r.now, l.y.cfg.Children[0], nil)
		l.y.send(wire.ExchangeCreateChildSA, p...)
		for _, w := range fields("y> x=TSr x*A x> x~ x#2") {
			l.word(w)
		}
	})
}
