package sa

import (
	"fmt"
	"testing"
)

// Every row of the rule. What both sides find must fit together, too: see TestBothSidesSettleAlike.
func TestCollisionRule(t *testing.T) {
	low, high := []byte{1, 9}, []byte{2, 0}
	for _, c := range []struct {
		ours, theirs attempt
		want         verdict
	}{
		// One side alone, or nobody.
		{attempt{}, attempt{}, verdict{}},
		{attempt{stageBegun, low}, attempt{}, verdict{ours: fateStays, wait: true}},
		{attempt{stageMade, low}, attempt{}, verdict{ours: fateStays}},
		{attempt{}, attempt{stageBegun, low}, verdict{theirs: fateStays, wait: true}},
		{attempt{}, attempt{stageMade, low}, verdict{theirs: fateStays}},
		{attempt{}, attempt{stageSettled, low}, verdict{theirs: fateStays}},
		// Ours has the lowest nonce: "the initiator of this exchange just stops the rekeying process", if there is nothing to delete.
		// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4-12
		{attempt{stageBegun, low}, attempt{stageBegun, high}, verdict{ours: fateStops, theirs: fateStays, wait: true}},
		{attempt{stageBegun, low}, attempt{stageMade, high}, verdict{ours: fateStops, theirs: fateStays}},
		{attempt{stageBegun, low}, attempt{stageSettled, high}, verdict{ours: fateStops, theirs: fateStays}},
		// "[T]he SA created with the lowest of the four nonces used in the two exchanges SHOULD be closed by the endpoint that created it."
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1
		{attempt{stageMade, low}, attempt{stageBegun, high}, verdict{ours: fateCloses, theirs: fateStays, wait: true}},
		{attempt{stageMade, low}, attempt{stageMade, high}, verdict{ours: fateCloses, theirs: fateStays}},
		{attempt{stageMade, low}, attempt{stageSettled, high}, verdict{ours: fateCloses, theirs: fateStays}},
		// The peer's has it.
		{attempt{stageBegun, high}, attempt{stageBegun, low}, verdict{ours: fateStays, theirs: fateStops, wait: true}},
		{attempt{stageBegun, high}, attempt{stageMade, low}, verdict{ours: fateStays, theirs: fateCloses, wait: true}},
		{attempt{stageMade, high}, attempt{stageBegun, low}, verdict{ours: fateStays, theirs: fateStops}},
		{attempt{stageMade, high}, attempt{stageMade, low}, verdict{ours: fateStays, theirs: fateCloses}},
		// Whatever the nonces say, if the peer has shown that it goes on with its own.
		{attempt{stageBegun, high}, attempt{stageSettled, low}, verdict{ours: fateStops, theirs: fateStays}},
		{attempt{stageMade, high}, attempt{stageSettled, low}, verdict{ours: fateCloses, theirs: fateStays}},
		// A peer that sends our own nonce back can make them equal. Then nobody closes anything: no SA is lost.
		{attempt{stageMade, low}, attempt{stageMade, low}, verdict{ours: fateStays, theirs: fateCloses}},
	} {
		if got := (collision{c.ours, c.theirs}).settle(); got != c.want {
			t.Errorf("ours %v, theirs %v: %+v, want %+v", c.ours, c.theirs, got, c.want)
		}
	}
}

// Both sides look at the same two exchanges, each with its own as ours: one of them stays for both, and what closes or stops for one
// does for the other.
func TestBothSidesSettleAlike(t *testing.T) {
	nonces := [][]byte{{}, {1}, {1, 0}, {1, 1}, {2}, {255}}
	for _, a := range []stage{stageNone, stageBegun, stageMade} {
		for _, b := range []stage{stageNone, stageBegun, stageMade} {
			for i, x := range nonces {
				for j, y := range nonces {
					if i == j {
						continue
					}
					here := collision{attempt{a, x}, attempt{b, y}}.settle()
					there := collision{attempt{b, y}, attempt{a, x}}.settle()
					at := fmt.Sprintf("stages %d and %d, nonces %v and %v: %+v, the other side %+v", a, b, x, y, here, there)
					if here.ours != there.theirs || here.theirs != there.ours || here.wait != there.wait {
						t.Errorf("the two sides differ; %s", at)
					}
					stays := 0
					for _, f := range []fate{here.ours, here.theirs} {
						if f == fateStays {
							stays++
						}
					}
					if want := min(1, int(a)+int(b)); stays != want {
						t.Errorf("%d stay, want %d; %s", stays, want, at)
					}
				}
			}
		}
	}
}

// "Lowest" is `an octet-by-octet comparison … If you reach the end of one nonce, that nonce is the lower one.`
// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1
func TestLowestNonce(t *testing.T) {
	for _, c := range []struct{ lower, higher []byte }{
		{[]byte{1}, []byte{2}},
		{[]byte{1, 255, 255}, []byte{2}}, // as large integers it would be the other way round
		{[]byte{1, 2}, []byte{1, 2, 0}},
		{[]byte{127}, []byte{128}}, // octets have no sign
		{nil, []byte{0}},
	} {
		if !lessNonce(c.lower, c.higher) || lessNonce(c.higher, c.lower) {
			t.Errorf("%v is not lower than %v", c.lower, c.higher)
		}
		for _, low := range [][]byte{lowest(c.lower, c.higher), lowest(c.higher, c.lower)} {
			if string(low) != string(c.lower) {
				t.Errorf("lowest of %v and %v is %v", c.lower, c.higher, low)
			}
		}
	}
	if lessNonce([]byte{3, 4}, []byte{3, 4}) {
		t.Error("a nonce is lower than itself")
	}
}
