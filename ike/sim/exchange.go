package sim

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"esplanade/ike/auth"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
)

// realEvery is how many seeds share one that uses the real key exchanges. The others use sharedByHash: nearly half of the
// time of a run would go into curves, which have their own tests, and a run would not be the same twice.
const realEvery = 16

func (w *World) newKeyExchange(group uint16) (suite.KeyExchange, error) {
	n, known := w.publicLen[group]
	if !known || w.seed%realEvery == 0 {
		k, err := suite.NewKeyExchange(group)
		if err != nil || w.seed%realEvery == 0 {
			return k, err
		}
		n = len(k.Public())
		w.publicLen[group] = n
	}
	public := make([]byte, n)
	for i := range public {
		public[i] = byte(w.rng.Uint32())
	}
	return &sharedByHash{group: group, public: public}, nil
}

// respond is the other side of newKeyExchange.
func (w *World) respond(group uint16, peer []byte) (public, shared []byte, err error) {
	if w.seed%realEvery == 0 {
		return suite.Respond(group, peer)
	}
	k, err := w.newKeyExchange(group)
	if err != nil {
		return nil, nil, err
	}
	shared, err = k.Shared(peer)
	return k.Public(), shared, err
}

// sharedByHash is a key exchange without a secret: what both sides get is a hash of both public values.
type sharedByHash struct {
	group  uint16
	public []byte
}

func (k *sharedByHash) Group() uint16  { return k.group }
func (k *sharedByHash) Public() []byte { return k.public }

func (k *sharedByHash) Shared(peer []byte) ([]byte, error) {
	if len(peer) != len(k.public) {
		return nil, &suite.KEError{Group: k.group, Reason: "another length"}
	}
	both := slices.Concat(k.public, peer)
	if bytes.Compare(k.public, peer) > 0 {
		both = slices.Concat(peer, k.public)
	}
	sum := sha256.Sum256(both)
	return sum[:], nil
}

// carryOut does what a machine has asked for.
func (w *World) carryOut(want sa.Want) sa.Result {
	var k sa.KeyExchange
	switch want := want.(type) {
	case sa.KeyExchange:
		k = want
	case sa.Proof:
		return w.prove(want)
	default:
		panic("BUG: a request that nobody carries out")
	}
	var x sa.Exchanged
	var err error
	switch {
	case k.Own != nil:
		x.Shared, err = k.Own.Shared(k.Peer)
	case k.Peer != nil:
		x.Public, x.Shared, err = w.respond(k.Group, k.Peer)
	default:
		x.Own, err = w.newKeyExchange(k.Group)
	}
	if err != nil {
		return sa.Unfulfilled{Err: err}
	}
	return x
}

// prove signs, or judges a signature and what goes with it.
func (w *World) prove(p sa.Proof) sa.Result {
	r := p.CarryOut()
	switch p.Want.(type) {
	case auth.Sign:
		w.check.stats.Signatures++
	case auth.Judge:
		if _, ok := r.(sa.Proved); ok {
			w.check.stats.Judged++
		} else {
			w.check.stats.Refused++
		}
	case auth.EAPStep:
	default:
		panic("BUG: a proof that nobody makes")
	}
	return r
}
