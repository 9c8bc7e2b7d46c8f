package sa

import "testing"

// What the nonces of a collision of two rekeyings decide, as the first octets of the nonces that each side makes: its
// request, then its answer. "If redundant SAs are created through such a collision, the SA created with the lowest of
// the four nonces used in the two exchanges SHOULD be closed by the endpoint that created it."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1
var verdicts = []struct {
	name   string
	nonces map[string][]byte
	winner string
}{
	{"lowest in x's request", map[string][]byte{"x": {1, 7}, "y": {6, 5}}, "y"},
	{"lowest in y's answer", map[string][]byte{"x": {5, 7}, "y": {6, 1}}, "y"},
	{"lowest in y's request", map[string][]byte{"x": {5, 7}, "y": {1, 6}}, "x"},
	{"lowest in x's answer", map[string][]byte{"x": {5, 1}, "y": {6, 7}}, "x"},
}

// eachVerdict plays a script with each outcome of the nonces.
func eachVerdict(t *testing.T, script string, edit func(x, y *Config), check func(l *ladder, winner string)) {
	t.Helper()
	for _, v := range verdicts {
		t.Run(v.name, func(t *testing.T) {
			play(t, script, edit, v.nonces, func(l *ladder) { check(l, v.winner) })
		})
	}
}

// Both sides rekey the same CHILD SA, RFC 7296 section 2.8.1. Whatever the order of the messages, one child is left, it
// is the one that the nonces say, and no side ever reports a loss.
func TestChildRekeyCollision(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		// Both requests, both answers.
		{"collision", "x:rekey y:rekey x> y> y*A x*A y> x> !"},
		{"collision, answers first to y", "x:rekey y:rekey x> y> x*A x> y> !"},
		// One side has its answer, and its DELETE reaches the other before that one has its own answer.
		{"delayed_response", "x:rekey y:rekey x> y> x> y>2 x> y> !"},
		{"delayed_response of x", "x:rekey y:rekey x> y> y> x>2 y> x> !"},
		// The answer to y is lost and comes again.
		{"delayed_response, repeated", "x:rekey y:rekey x> y> xx y> x> y^ y>2 x> !"},
		{"both requests are repeated", "x:rekey y:rekey x+ y+ x> y> !"},
		{"both requests are lost", "x:rekey y:rekey xx yx x^ y^ !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachVerdict(t, c.script, nil, func(l *ladder, winner string) { l.wantChild(winner) })
		})
	}
}

// The request of y arrives when x has finished its own rekeying: y's request is no collision any more for x, and y learns
// from the answer, or from x's request that it has answered, that there is nothing left to do.
func TestChildRekeyDelayedRequest(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		// x's exchange is complete but for the DELETE. x answers TEMPORARY_FAILURE: "If a peer receives a request to rekey a
		// Child SA that it is currently trying to close, it SHOULD reply with TEMPORARY_FAILURE."
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1
		{"delayed_request", "x:rekey y:rekey x> y>2 y> x=N(TEMP_FAIL) x> x> y> !"},
		// The same, with x's DELETE arriving before x's refusal.
		{"delayed_request_more", "x:rekey y:rekey x> y>2 y> x=N(TEMP_FAIL) x> y> x> !"},
		// x's DELETE is complete before y's request arrives: the child is gone. "A CHILD_SA_NOT_FOUND notification SHOULD be
		// sent when a peer receives a request to rekey a Child SA that does not exist."
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.25
		{"delayed_request_more_delete", "x:rekey y:rekey x> y>2 x> y>2 y> x=N(NO_CHILD_SA) x> !"},
		// y has no request of its own; it answers while x repeats.
		{"delayed_request, repeated by x", "x:rekey xx x^ y:rekey x> y>2 y> x=N(TEMP_FAIL) x> x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantChild("x") })
		})
	}
}

// Rekeyings that collide while INVALID_KE_PAYLOAD makes one of them start over.
func TestChildRekeyCollisionInvalidKE(t *testing.T) {
	both := groups(t, "aes128gcm16-x25519-ecp256", "aes128gcm16-ecp256-x25519")
	// x prefers a group that y does not have.
	xWrong := groups(t, "aes128gcm16-x25519-ecp256", "aes128gcm16-ecp256")
	t.Run("both groups are accepted", func(t *testing.T) {
		eachVerdict(t, "x:rekey y:rekey x> y> y> x> !", both, func(l *ladder, winner string) { l.wantChild(winner) })
	})
	for _, c := range []struct{ name, script, winner string }{
		// y's request is answered before x starts over: y's is complete for y, and x is refused, or finds the child gone.
		{"ke_invalid", "x:rekey y:rekey x> y=N(INVAL_KE) y> x> !", ""},
		{"ke_invalid, x's refusal first", "x:rekey y:rekey x> y>2 y> x> x> !", ""},
		{"ke_invalid_delayed_retry", "x:rekey y:rekey x> y>2 y> x>2 x> !", ""},
		{"ke_invalid_delayed_retry, y deletes first", "x:rekey y:rekey x> y>2 y> x>2 y>1 x> !", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, xWrong, nil, func(l *ladder) { l.wantChild(c.winner) })
		})
	}
}

// A peer that deletes the wrong SA after a collision.
func TestChildRekeyCollisionIncorrectDelete(t *testing.T) {
	// y's SA is redundant by the nonces; y deletes the old one instead of it, as if it had won. Both then have x's SA, and
	// y's until it is taken away after a while.
	play(t, "x:rekey y:rekey x> y>", nil, verdicts[2].nonces, func(l *ladder) {
		l.word("y>") // the answer to x
		l.word("x>") // the answer to y
		// y's DELETE of its own SA is on the wire: the wrong one comes instead.
		l.word("y*Q")
		m := l.y.machine()
		old := m.pending.task.(*deleteChildTask).child
		if old.live() {
			l.t.Fatal("y deletes what is in use")
		}
		l.word("!")
		l.wantChild("x")
	})
}

// A rekeying meets the DELETE of the same child. "If a peer receives a request to close a Child SA that it is currently
// rekeying, it SHOULD reply as usual, with a Delete payload. … If a peer receives a request to rekey a Child SA
// that it is currently trying to close, it SHOULD reply with TEMPORARY_FAILURE."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1
func TestChildRekeyCollidesWithDelete(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"delete", "x:rekey y:delete x> y=N(TEMP_FAIL) y> x=[,D,] y> x> !"},
		{"delete, refusal first", "x:rekey y:delete x> y>2 y> x=[,D,] x> !"},
		{"drop_delete", "x:rekey y:delete x> yx y> y^ y> x=[,D,] x> !"},
		{"drop_rekey", "x:rekey y:delete xx y> x=[,D,] x> x^ x> y=N( y> !"},
		// y has answered the rekeying and deletes the new SA: the DELETE comes first, and x must not keep what is gone.
		{"delayed_response", "x:rekey x> y:delete y>2 x> y> !"},
		{"delayed_response, repeated", "x:rekey x> yx y:delete y> x> x^ x> y> !"},
		// x's own operator deletes while the rekeying is in flight: the successor goes as well.
		{"by the side that rekeys", "x:rekey x:delete x> y> !"},
		{"by the side that rekeys, at its end", "x:rekey x> x:delete y> !"},
		{"crossing, both delete", "x:rekey x> x:delete y:delete !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantNoChild() })
		})
	}
}

// A rekeying of a CHILD SA meets one of the IKE SA. "If a peer receives a request to rekey the IKE SA, and it is
// currently creating, rekeying, or closing a Child SA of that IKE SA, it SHOULD reply with TEMPORARY_FAILURE", and the other way
// round. https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1
func TestChildRekeyCollidesWithIKERekey(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"ike_rekey", "x:rekey y:rekeyike x> y=N(TEMP_FAIL) y> x=N(TEMP_FAIL) y> x> !"},
		{"ike_rekey, child first", "x:rekey x> y:rekeyike y> y> x> !"},
		{"ike_rekey, delayed request", "x:rekey y:rekeyike y> x=N(TEMP_FAIL) x>2 x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) {
				l.wantChild("")
				if n := countEvents[ChildReplaced](l.x); n == 0 {
					l.t.Error("the child was never rekeyed")
				}
			})
		})
	}
}

// A rekeying of a CHILD SA meets the DELETE of the IKE SA: everything ends.
func TestChildRekeyCollidesWithIKEDelete(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"ike_delete", "x:rekey y:deleteike x> y=N(TEMP_FAIL) y> x=[,] x> !"},
		{"ike_delete, delete first", "x:rekey y:deleteike y> x=[,] x>2 x> !"},
		{"ike_delete, rekeying answered late", "x:rekey x> y:deleteike y>2 x> y> !"},
		{"ike_delete by the side that rekeys", "x:rekey x:deleteike x> y> x> y> !"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.script, nil, nil, func(l *ladder) { l.wantGone() })
		})
	}
}
