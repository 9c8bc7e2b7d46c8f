package sa

import (
	"bytes"

	"esplanade/ike/wire"
)

// When both sides ask for the same thing at once (to replace a CHILD SA, to replace the IKE SA, to create a child), each of the two
// exchanges makes an SA, and one SA is enough. Each side looks at it when the answer to its own request has come; what it finds then
// is a collision, and what is to be done about it a verdict. There is one rule for all three:
//
// "If redundant SAs are created through such a collision, the SA created with the lowest of the four nonces used in the two exchanges
// SHOULD be closed by the endpoint that created it. … The node that initiated the surviving rekeyed SA should delete the replaced SA
// after the new one is established." (second paragraph of https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1)
//
// "The new IKE SA containing the lowest nonce SHOULD be deleted by the node that created it, and the other surviving new IKE SA MUST
// inherit all the Child SAs." (second paragraph of https://www.rfc-editor.org/rfc/rfc7296#section-2.8.2)
//
// Where further key exchanges follow the one with the lowest nonce, "because there is nothing to delete yet, the initiator of this
// exchange just stops the rekeying process, and it MUST NOT initiate the IKE_FOLLOWUP_KE exchange".
// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4-12
//
// Until then, each side answers the other "as usual, and SHOULD prepare to close redundant SAs later based on the nonces".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1

// stage is how far the exchange of one side has come.
type stage uint8

const (
	// stageNone: there is no exchange, or nothing has come of it, or what it made has been deleted by the side that made it.
	stageNone stage = iota
	// stageBegun: CREATE_CHILD_SA is done, and IKE_FOLLOWUP_KE exchanges are to follow. There is no SA yet.
	stageBegun
	// stageMade: there is a new SA.
	stageMade
	// stageSettled: the peer has shown that its own SA is the one that stays. This is for the peer's side alone.
	stageSettled
)

// attempt is the exchange of one side.
type attempt struct {
	stage  stage
	lowest []byte // of the two nonces of the exchange
}

// collision is what the exchanges of both sides have come to.
type collision struct{ ours, theirs attempt }

// fate is what becomes of the exchange of one side, or of the SA that it has made.
type fate uint8

const (
	// fateNone: there is nothing.
	fateNone fate = iota
	// fateStays: the SA carries the traffic; if it is not made yet, its exchanges go on.
	fateStays
	// fateStops: no SA is made. The side that began says nothing more about it.
	fateStops
	// fateCloses: the side that asked for the SA deletes it. Nobody sends on it.
	fateCloses
)

// verdict is what this side makes of a collision. If ours stays, this side deletes what is replaced; if theirs stays, the peer does.
type verdict struct {
	ours, theirs fate
	// wait: the one that stays is not made yet. What is replaced remains in use until it is. If the peer's is the one that closes, it is
	// still what there is if nothing comes of ours.
	wait bool
}

// settle says which of the two stays. Both sides come to the same verdict, unless one of them does not see a collision.
func (c collision) settle() verdict {
	theirsStays := c.theirs.stage != stageNone &&
		(c.ours.stage == stageNone || c.theirs.stage == stageSettled || lessNonce(c.ours.lowest, c.theirs.lowest))
	if theirsStays {
		return verdict{ours: c.ours.stage.redundant(), theirs: fateStays, wait: c.theirs.stage == stageBegun}
	}
	if c.ours.stage == stageNone {
		return verdict{}
	}
	return verdict{ours: fateStays, theirs: c.theirs.stage.redundant(), wait: c.ours.stage == stageBegun}
}

// redundant is the fate of the exchange that loses.
func (s stage) redundant() fate {
	switch s {
	case stageNone:
		return fateNone
	case stageBegun:
		return fateStops
	case stageMade, stageSettled:
		return fateCloses
	}
	panic("BUG: no such stage of an exchange")
}

// lowest is the lower of two nonces. `"Lowest" means an octet-by-octet comparison (instead of, for instance, comparing the
// nonces as large integers). … If you reach the end of one nonce, that nonce is the lower one.`
// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1
func lowest(a, b []byte) []byte {
	if lessNonce(b, a) {
		return b
	}
	return a
}

// lowestWith is the lower one of our nonce and that of an answer. One without a nonce, which is of no use to this side, loses.
func lowestWith(own []byte, r *response) []byte {
	n, ok := find[*wire.Nonce](r.payloads)
	if !ok {
		return nil
	}
	return lowest(own, n.Data)
}

func lessNonce(a, b []byte) bool {
	n := min(len(a), len(b))
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c < 0
	}
	return len(a) < len(b)
}
