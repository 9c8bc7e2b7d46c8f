package peertest

import (
	"fmt"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Peer is one end of an IKE SA in the hands of a test. It counts message ids and sets flags as they have to be; a test that
// wants them wrong makes its messages with [SA.Seal]. Fields may be changed at any time.
type Peer struct {
	// Initiator: this end is the original initiator of the IKE SA.
	Initiator bool
	// Secret is the pre-shared key, Identity this end's.
	Secret   []byte
	Identity *wire.ID
	// SPI is this end's, Nonce that of IKE_SA_INIT, Group the key exchange method, and Proposal what it offers or answers.
	SPI      wire.SPI
	Nonce    []byte
	Group    uint16
	Proposal wire.Proposal
	// Cookie is what it was told to return with IKE_SA_INIT, if anything.
	Cookie []byte
	// Offers is what it offers in IKE_SA_INIT, if that is more than Proposal.
	Offers []wire.Proposal
	// SA is there after IKE_SA_INIT.
	SA *SA
	// NextSend and NextRecv are the message ids of the next request in each direction.
	NextSend, NextRecv uint32

	ke       suite.KeyExchange
	ni       []byte
	own, his []byte // the IKE_SA_INIT messages
}

// KE makes a public value; the returned one finishes the exchange.
func KE(group uint16) suite.KeyExchange {
	ke, err := suite.NewKeyExchange(group)
	if err != nil {
		panic(err)
	}
	return ke
}

// Respond is the other side of [KE].
func Respond(ke *wire.KE) (answer *wire.KE, shared []byte) {
	public, shared, err := suite.Respond(ke.Group, ke.Data)
	if err != nil {
		panic(err)
	}
	return &wire.KE{Group: ke.Group, Data: public}, shared
}

// offer is the proposal with the SPI that belongs in it.
func (p *Peer) offer(spi []byte) *wire.SA {
	x := p.Proposal
	x.SPI = spi
	return &wire.SA{Proposals: []wire.Proposal{x}}
}

// Init makes the IKE_SA_INIT request; more payloads follow SA, KE and Nonce.
func (p *Peer) Init(more ...wire.Payload) []byte {
	p.ke = KE(p.Group)
	p.ni = p.Nonce
	offer := p.offer(nil)
	if len(p.Offers) > 0 {
		offer = &wire.SA{Proposals: p.Offers}
	}
	msg := wire.Message{
		Header:   wire.Header{SPIi: p.SPI, Major: wire.MajorVersion, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
		Payloads: append([]wire.Payload{offer, &wire.KE{Group: p.Group, Data: p.ke.Public()}, &wire.Nonce{Data: p.Nonce}}, more...),
	}
	if p.Cookie != nil {
		msg.Payloads = append([]wire.Payload{&wire.Notify{NotifyType: wire.NotifyCookie, Data: p.Cookie}}, msg.Payloads...)
	}
	p.own = msg.Append(nil)
	p.NextSend = 1
	return p.own
}

// TakeInit takes the answer to Init and makes the keys.
func (p *Peer) TakeInit(answer []byte) ([]wire.Payload, error) {
	msg, err := wire.Parse(answer)
	if err != nil {
		return nil, err
	}
	ke, nonce := Find[*wire.KE](msg.Payloads), Find[*wire.Nonce](msg.Payloads)
	if ke == nil || nonce == nil {
		return msg.Payloads, fmt.Errorf("not an answer that makes an IKE SA: %s", msg)
	}
	shared, err := p.ke.Shared(ke.Data)
	if err != nil {
		return msg.Payloads, err
	}
	p.his = answer
	p.SA, err = New(p.SPI, msg.Header.SPIr, Find[*wire.SA](msg.Payloads), p.ni, nonce.Data, shared)
	return msg.Payloads, err
}

// AnswerInit answers an IKE_SA_INIT request and makes the keys.
func (p *Peer) AnswerInit(request []byte, more ...wire.Payload) ([]byte, error) {
	msg, err := wire.Parse(request)
	if err != nil {
		return nil, err
	}
	ke, nonce := Find[*wire.KE](msg.Payloads), Find[*wire.Nonce](msg.Payloads)
	if ke == nil || nonce == nil || ke.Group != p.Group {
		return nil, fmt.Errorf("not a request that can be answered: %s", msg)
	}
	own, shared := Respond(ke)
	out := wire.Message{
		Header:   wire.Header{SPIi: msg.Header.SPIi, SPIr: p.SPI, Major: wire.MajorVersion, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagResponse},
		Payloads: append([]wire.Payload{p.offer(nil), own, &wire.Nonce{Data: p.Nonce}}, more...),
	}
	p.his, p.own = request, out.Append(nil)
	p.NextRecv = 1
	p.SA, err = New(msg.Header.SPIi, p.SPI, p.offer(nil), nonce.Data, p.Nonce, shared)
	return p.own, err
}

// Auth is this end's identity and AUTH value.
func (p *Peer) Auth() []wire.Payload {
	id := *p.Identity
	id.Responder = !p.Initiator
	return []wire.Payload{&id, &wire.Auth{Method: wire.AuthSharedKey, Data: p.SA.AuthPSK(p.Initiator, p.Secret, p.own, &id)}}
}

// Sign is [Peer.Auth] with a signature in place of a pre-shared key: sign makes the AUTH data of a method of what is to be signed.
func (p *Peer) Sign(method wire.AuthMethod, sign func(octets []byte) []byte) []wire.Payload {
	id := *p.Identity
	id.Responder = !p.Initiator
	return []wire.Payload{&id, &wire.Auth{Method: method, Data: sign(p.SA.AuthOctets(p.Initiator, p.own, &id))}}
}

// Verify reports whether the other end's IKE_AUTH payloads prove its identity.
func (p *Peer) Verify(ps []wire.Payload) bool {
	id, a := ID(ps, p.Initiator), Find[*wire.Auth](ps)
	return id != nil && a != nil && a.Method == wire.AuthSharedKey && string(a.Data) == string(p.SA.AuthPSK(!p.Initiator, p.Secret, p.his, id))
}

func (p *Peer) header(x wire.ExchangeType, id uint32) wire.Header {
	h := wire.Header{SPIi: p.SA.SPIi, SPIr: p.SA.SPIr, Major: wire.MajorVersion, Exchange: x, MessageID: id}
	if p.Initiator {
		h.Flags = wire.FlagInitiator
	}
	return h
}

// Request makes the next request.
func (p *Peer) Request(x wire.ExchangeType, ps ...wire.Payload) []byte {
	p.NextSend++
	return p.SA.Seal(p.header(x, p.NextSend-1), ps)
}

// Answer answers a request of the other end.
func (p *Peer) Answer(request wire.Header, ps ...wire.Payload) []byte {
	h := p.header(request.Exchange, request.MessageID)
	h.Flags |= wire.FlagResponse
	return p.SA.Seal(h, ps)
}

// Open opens a message of the other end. An error is a message that no peer would take: with wrong flags, another message id
// than the next, or wrong keys.
func (p *Peer) Open(datagram []byte) (wire.Header, []wire.Payload, error) {
	h, ps, err := p.SA.Open(datagram)
	if err != nil {
		return h, ps, err
	}
	if h.Flags.Initiator() == p.Initiator || h.SPIi != p.SA.SPIi || h.SPIr != p.SA.SPIr {
		return h, ps, fmt.Errorf("flags or SPIs of the wrong side: %+v", h)
	}
	if h.Flags.Response() {
		if h.MessageID != p.NextSend-1 {
			return h, ps, fmt.Errorf("an answer with message id %d, the request had %d", h.MessageID, p.NextSend-1)
		}
		return h, ps, nil
	}
	if h.MessageID != p.NextRecv {
		return h, ps, fmt.Errorf("a request with message id %d, the next one is %d", h.MessageID, p.NextRecv)
	}
	p.NextRecv++
	return h, ps, nil
}

// Successor is this end of the IKE SA that takes the place of p's. spi is this end's; initiator: it has made the request.
func (p *Peer) Successor(sa *SA, spi wire.SPI, initiator bool) *Peer {
	return &Peer{Initiator: initiator, Secret: p.Secret, Identity: p.Identity, SPI: spi, Group: p.Group, Proposal: p.Proposal, SA: sa}
}
