package suite

import (
	"crypto"
	"crypto/mlkem"
	"fmt"

	"esplanade/ike/wire"
)

// mlkemParams is a parameter set of ML-KEM (FIPS 203) as a key exchange method. ML-KEM-512 is registered too, but not
// implemented: there is no need for it.
type mlkemParams struct {
	group    uint16
	ekLen    int // octets of an encapsulation key: the initiator's Key Exchange Data
	ctLen    int // octets of a ciphertext: the responder's Key Exchange Data
	generate func() (crypto.Decapsulator, error)
	parse    func(ek []byte) (crypto.Encapsulator, error)
}

func mlkemFor(group uint16) (mlkemParams, bool) {
	switch group {
	case wire.KE_ML_KEM_768:
		return mlkemParams{
			group: group, ekLen: mlkem.EncapsulationKeySize768, ctLen: mlkem.CiphertextSize768,
			generate: func() (crypto.Decapsulator, error) { return mlkem.GenerateKey768() },
			parse:    func(ek []byte) (crypto.Encapsulator, error) { return mlkem.NewEncapsulationKey768(ek) },
		}, true
	case wire.KE_ML_KEM_1024:
		return mlkemParams{
			group: group, ekLen: mlkem.EncapsulationKeySize1024, ctLen: mlkem.CiphertextSize1024,
			generate: func() (crypto.Decapsulator, error) { return mlkem.GenerateKey1024() },
			parse:    func(ek []byte) (crypto.Encapsulator, error) { return mlkem.NewEncapsulationKey1024(ek) },
		}, true
	}
	return mlkemParams{}, false
}

// mlkemKE is the initiator's side of ML-KEM (draft-ietf-ipsecme-ikev2-mlkem). The responder has no key of its own; its
// side is encapsulate.
//
//	initiator                         responder
//	KeyGen -> dk, ek
//	            KE: ek  -->
//	                                  check ek; Encaps(ek) -> ct, ss
//	                     <--  KE: ct
//	Decaps(dk, ct) -> ss
//
// "Generating an ephemeral keypair and ciphertext for each ML-KEM key exchange is REQUIRED by this specification."
// https://datatracker.ietf.org/doc/draft-ietf-ipsecme-ikev2-mlkem/ section 3
type mlkemKE struct {
	redacted
	params mlkemParams
	priv   crypto.Decapsulator
	public []byte
}

func newMLKEM(p mlkemParams) (*mlkemKE, error) {
	priv, err := p.generate()
	if err != nil {
		return nil, err
	}
	return &mlkemKE{params: p, priv: priv, public: priv.Encapsulator().Bytes()}, nil
}

func (k *mlkemKE) Group() uint16  { return k.params.group }
func (k *mlkemKE) Public() []byte { return k.public }

// Shared decapsulates the responder's ciphertext. Only its length can be wrong: any other one that was not made for this
// key gives a secret that nobody else has (the implicit rejection of FIPS 203), so that the peers' keys differ and the
// next protected message fails.
func (k *mlkemKE) Shared(ct []byte) ([]byte, error) {
	if len(ct) != k.params.ctLen {
		return nil, k.params.badLength("ciphertext", len(ct), k.params.ctLen)
	}
	s, err := k.priv.Decapsulate(ct)
	if err != nil {
		return nil, &KEError{Group: k.params.group, Reason: err.Error()}
	}
	return s, nil
}

// encapsulate is the responder's side: it returns the ciphertext to send and the shared secret.
//
// A recipient of an encapsulation key must check its type, which is its length, and its modulus: all coefficients must be
// less than q = 3329. The parsing functions of crypto/mlkem do that. FIPS 203 section 7.2.
func (p mlkemParams) encapsulate(ek []byte) (ct, shared []byte, err error) {
	if len(ek) != p.ekLen {
		return nil, nil, p.badLength("encapsulation key", len(ek), p.ekLen)
	}
	key, err := p.parse(ek)
	if err != nil {
		return nil, nil, &KEError{Group: p.group, Reason: "an encapsulation key with a coefficient that is not less than q"}
	}
	shared, ct = key.Encapsulate()
	return ct, shared, nil
}

func (p mlkemParams) badLength(what string, got, want int) error {
	return &KEError{Group: p.group, Reason: fmt.Sprintf("%s of %d octets, must have %d", what, got, want)}
}
