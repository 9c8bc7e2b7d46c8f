package peertest

import (
	"errors"
	"fmt"
	"slices"

	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// SA is an IKE SA with its keys. Its methods know both directions.
type SA struct {
	SPIi, SPIr wire.SPI
	// Chosen is what was negotiated, Ni and Nr are the nonces that the keys were made with.
	Chosen proposal.Chosen
	Ni, Nr []byte
	Keys   suite.Keys
	prf    suite.PRF
	// i and r protect what the original initiator and responder send.
	i, r suite.Protection
}

// New derives the keys of a new IKE SA: https://www.rfc-editor.org/rfc/rfc7296#section-2.14. answer is the responder's SA
// payload, shared the result of the key exchange.
func New(spii, spir wire.SPI, answer *wire.SA, ni, nr, shared []byte) (*SA, error) {
	s := &SA{SPIi: spii, SPIr: spir, Ni: ni, Nr: nr}
	if err := s.choose(answer); err != nil {
		return nil, err
	}
	return s, s.derive(suite.SKEYSEED(s.prf, ni, nr, shared))
}

// Rekeyed derives the keys of the IKE SA that takes this one's place: https://www.rfc-editor.org/rfc/rfc7296#section-2.18.
// The side that has made the request is the original initiator of the new one.
func (s *SA) Rekeyed(spii, spir wire.SPI, answer *wire.SA, ni, nr, shared []byte) (*SA, error) {
	n := &SA{SPIi: spii, SPIr: spir, Ni: ni, Nr: nr}
	if err := n.choose(answer); err != nil {
		return nil, err
	}
	return n, n.derive(suite.RekeySKEYSEED(s.prf, s.Keys.D, shared, ni, nr))
}

// choose reads what was negotiated from an answer, which has one proposal with one transform of a type.
func (s *SA) choose(answer *wire.SA) error {
	if answer == nil || len(answer.Proposals) != 1 {
		return errors.New("the answer does not have one proposal")
	}
	p := answer.Proposals[0]
	s.Chosen = proposal.Chosen{Number: p.Number, Protocol: p.Protocol, SPI: p.SPI}
	for _, t := range p.Transforms {
		switch t.Type {
		case wire.TransformENCR:
			s.Chosen.Encr = t
		case wire.TransformPRF:
			s.Chosen.PRF = t.ID
		case wire.TransformINTEG:
			s.Chosen.Integ = t.ID
		case wire.TransformKE:
			s.Chosen.KE = t.ID
		default:
			return fmt.Errorf("an answer with transform type %s", t.Type)
		}
	}
	var err error
	s.prf, err = suite.NewPRF(s.Chosen.PRF)
	return err
}

func (s *SA) derive(skeyseed []byte) (err error) {
	if s.Keys, err = suite.DeriveKeys(s.Chosen, skeyseed, s.Ni, s.Nr, s.SPIi, s.SPIr); err != nil {
		return err
	}
	if s.i, err = suite.NewProtection(s.Chosen, s.Keys.Ei, s.Keys.Ai); err != nil {
		return err
	}
	s.r, err = suite.NewProtection(s.Chosen, s.Keys.Er, s.Keys.Ar)
	return err
}

// MixPPK puts a post-quantum preshared key into SK_d, SK_pi and SK_pr: https://www.rfc-editor.org/rfc/rfc8784#section-3.
func (s *SA) MixPPK(ppk []byte) (err error) {
	s.Keys, err = suite.MixPPK(s.prf, ppk, s.Keys)
	return err
}

func (s *SA) protection(h wire.Header) suite.Protection {
	if h.Flags.Initiator() {
		return s.i
	}
	return s.r
}

// Open decrypts a message of either side that is not in fragments.
func (s *SA) Open(datagram []byte) (wire.Header, []wire.Payload, error) {
	msg, err := wire.Parse(datagram)
	if err != nil {
		return wire.Header{}, nil, err
	}
	e := msg.Encrypted
	if e == nil || e.Fragment {
		return msg.Header, nil, errors.New("not a message with an SK payload")
	}
	plain, err := s.protection(msg.Header).Open(datagram, e.AADLen)
	if err != nil {
		return msg.Header, nil, err
	}
	ps, err := wire.ParsePayloads(e.First, plain, 0)
	return msg.Header, ps, err
}

// Seal makes a message; the initiator flag of the header says whose keys are used.
func (s *SA) Seal(h wire.Header, payloads []wire.Payload) []byte {
	plain := wire.AppendPayloads(nil, payloads)
	p := s.protection(h)
	b := wire.AppendProtected(nil, h, wire.FirstType(payloads), p.BodyLen(len(plain)))
	out, err := p.Seal(b, len(b), plain)
	if err != nil {
		panic(err)
	}
	return out
}

// AuthPSK is the AUTH value of one side: prf(prf(secret, "Key Pad for IKEv2"), message | nonce | prf(SK_p, ID body)).
// message is that side's own IKE_SA_INIT message: https://www.rfc-editor.org/rfc/rfc7296#section-2.15
func (s *SA) AuthPSK(initiator bool, secret, message []byte, id *wire.ID) []byte {
	return s.prf.Sum(s.prf.Sum(secret, []byte("Key Pad for IKEv2")), s.AuthOctets(initiator, message, id))
}

// AuthOctets are what a side signs: message | nonce | prf(SK_p, ID body).
func (s *SA) AuthOctets(initiator bool, message []byte, id *wire.ID) []byte {
	skp, nonce := s.Keys.Pr, s.Ni
	if initiator {
		skp, nonce = s.Keys.Pi, s.Nr
	}
	return slices.Concat(message, nonce, s.prf.Sum(skp, id.AppendBody(nil)))
}

// ChildKeys is KEYMAT of a CHILD SA, n octets; shared is nil without a key exchange of its own:
// https://www.rfc-editor.org/rfc/rfc7296#section-2.17
func (s *SA) ChildKeys(shared, ni, nr []byte, n int) []byte {
	k, err := s.prf.Plus(s.Keys.D, append(append(append([]byte(nil), shared...), ni...), nr...), n)
	if err != nil {
		panic(err)
	}
	return k
}

// Find returns the first payload of type P, or nil.
func Find[P wire.Payload](ps []wire.Payload) (p P) {
	for _, x := range ps {
		if x, ok := x.(P); ok {
			return x
		}
	}
	return p
}

// Notify returns the first notification of a type, or nil.
func Notify(ps []wire.Payload, t wire.NotifyType) *wire.Notify {
	for _, x := range ps {
		if n, ok := x.(*wire.Notify); ok && n.NotifyType == t {
			return n
		}
	}
	return nil
}

// ID returns IDi or IDr, or nil.
func ID(ps []wire.Payload, responder bool) *wire.ID {
	for _, x := range ps {
		if id, ok := x.(*wire.ID); ok && id.Responder == responder {
			return id
		}
	}
	return nil
}

// TS returns TSi or TSr, or nil.
func TS(ps []wire.Payload, responder bool) *wire.TS {
	for _, x := range ps {
		if ts, ok := x.(*wire.TS); ok && ts.Responder == responder {
			return ts
		}
	}
	return nil
}
