package peertest

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"

	"esplanade/ike/wire"
)

// AuthEAP is the AUTH value of this end after EAP, which is made with the MSK in the place of a pre-shared key:
// https://www.rfc-editor.org/rfc/rfc7296#section-2.16
func (p *Peer) AuthEAP(msk []byte) *wire.Auth {
	id := *p.Identity
	id.Responder = !p.Initiator
	return &wire.Auth{Method: wire.AuthSharedKey, Data: p.SA.AuthPSK(p.Initiator, msk, p.own, &id)}
}

// VerifyEAP reports whether AUTH of the other end, whose identity came before, was made with the MSK.
func (p *Peer) VerifyEAP(ps []wire.Payload, id *wire.ID, msk []byte) bool {
	a := Find[*wire.Auth](ps)
	return a != nil && a.Method == wire.AuthSharedKey && string(a.Data) == string(p.SA.AuthPSK(!p.Initiator, msk, p.his, id))
}

// VerifyECDSA checks AUTH and CERT of the other end, which has a key on P-256, as clients check a gateway: with or without the
// AlgorithmIdentifier of RFC 7427. It gives the certificate.
func (p *Peer) VerifyECDSA(ps []wire.Payload) (*x509.Certificate, error) {
	id, a, c := ID(ps, p.Initiator), Find[*wire.Auth](ps), Find[*wire.Cert](ps)
	if id == nil || a == nil || c == nil {
		return nil, fmt.Errorf("not IDr, CERT and AUTH: %d payloads", len(ps))
	}
	cert, err := x509.ParseCertificate(c.Data)
	if err != nil {
		return nil, err
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of the type %T", cert.PublicKey)
	}
	digest := sha256.Sum256(p.SA.AuthOctets(!p.Initiator, p.his, id))
	var r, s *big.Int
	switch {
	case a.Method == wire.AuthECDSA256 && len(a.Data) == 64:
		r, s = new(big.Int).SetBytes(a.Data[:32]), new(big.Int).SetBytes(a.Data[32:])
	case a.Method == wire.AuthDigitalSignature && len(a.Data) > 0 && len(a.Data) > int(a.Data[0])+1:
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(a.Data[int(a.Data[0])+1:], &sig); err != nil {
			return nil, err
		}
		r, s = sig.R, sig.S
	default:
		return nil, fmt.Errorf("AUTH by %s with %d octets", a.Method, len(a.Data))
	}
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil, fmt.Errorf("the signature of %s is wrong", cert.Subject)
	}
	return cert, nil
}

// SealFragments makes a message in fragments of at most size octets of payloads: https://www.rfc-editor.org/rfc/rfc7383#section-2.5
func (s *SA) SealFragments(h wire.Header, payloads []wire.Payload, size int) (out [][]byte) {
	plain := wire.AppendPayloads(nil, payloads)
	p := s.protection(h)
	total := (len(plain) + size - 1) / size
	for n := range total {
		part := plain[n*size : min((n+1)*size, len(plain))]
		b := wire.AppendProtectedFragment(nil, h, wire.FirstType(payloads), uint16(n+1), uint16(total), p.BodyLen(len(part)))
		sealed, err := p.Seal(b, len(b), part)
		if err != nil {
			panic(err)
		}
		out = append(out, sealed)
	}
	return out
}

// RequestFragments is [Peer.Request] in fragments.
func (p *Peer) RequestFragments(x wire.ExchangeType, size int, ps ...wire.Payload) [][]byte {
	p.NextSend++
	return p.SA.SealFragments(p.header(x, p.NextSend-1), ps, size)
}
