package strangers

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

const (
	// answerTime is how long a caller waits for an answer, hurry how long one does that wants the work done and no more.
	answerTime = time.Second
	hurry      = 100 * time.Millisecond
	loginTries = 5
)

// errNoAnswer: nothing came in time.
var errNoAnswer = errors.New("no answer")

// caller is an initiator that does as it is told, and no more.
type caller struct {
	conn *net.UDPConn
	to   netip.AddrPort // the port that takes the non-ESP marker
	ours proposal.Proposal
	ke   suite.KeyExchange

	spii, spir wire.SPI
	ni, nr     []byte
	first      []byte
	prf        suite.PRF
	keys       suite.Keys
	out, in    suite.Protection
	id         uint32 // of the next request

	// patience is how long it waits for an answer; keyless makes no keys of it.
	patience time.Duration
	keyless  bool
}

func newCaller(conn *net.UDPConn, to netip.AddrPort, ike string) (*caller, error) {
	p, err := proposal.Parse(wire.ProtocolIKE, ike)
	if err != nil {
		return nil, err
	}
	c := &caller{conn: conn, to: to, ours: p, patience: answerTime}
	for _, t := range p.Transforms {
		if t.Type == wire.TransformKE {
			if c.ke, err = suite.NewKeyExchange(t.ID); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

// ask sends a message and waits for one of the same IKE SA.
func (c *caller) ask(b []byte) (*wire.Message, []byte, error) {
	if _, err := c.conn.WriteToUDPAddrPort(append(make([]byte, marker), b...), c.to); err != nil {
		return nil, nil, err
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return nil, nil, err
	}
	buf := make([]byte, 1<<16)
	for {
		n, _, err := c.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, nil, errNoAnswer
		}
		if err != nil {
			return nil, nil, err
		}
		if n < marker || binary.BigEndian.Uint32(buf) != 0 {
			continue
		}
		got := buf[marker:n]
		if m, err := wire.Parse(got); err == nil && m.Header.SPIi == c.spii && m.Header.Flags.Response() {
			return m, got, nil
		}
	}
}

// marker is the length of the non-ESP marker.
const marker = 4

// begin makes IKE_SA_INIT, with a cookie if one is demanded. Each time is another attempt with the same public value.
func (c *caller) begin() error {
	c.spii, c.ni = wire.SPI(binary.BigEndian.Uint64(random(8))), random(32)
	var cookie []wire.Payload
	for range 2 {
		m := wire.Message{
			Header: wire.Header{SPIi: c.spii, Major: 2, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagInitiator},
			Payloads: append(cookie, &wire.SA{Proposals: []wire.Proposal{c.ours.Wire(1, nil)}},
				&wire.KE{Group: c.ke.Group(), Data: c.ke.Public()}, &wire.Nonce{Data: c.ni}),
		}
		c.first = m.Append(nil)
		answer, _, err := c.ask(c.first)
		if err != nil {
			return err
		}
		var ke *wire.KE
		var chosen proposal.Chosen
		for _, p := range answer.Payloads {
			switch p := p.(type) {
			case *wire.Notify:
				if p.NotifyType == wire.NotifyCookie {
					cookie = []wire.Payload{p}
				} else if p.NotifyType.IsError() {
					return fmt.Errorf("IKE_SA_INIT was answered %s", p.NotifyType)
				}
			case *wire.KE:
				ke = p
			case *wire.Nonce:
				c.nr = p.Data
			case *wire.SA:
				if chosen, err = proposal.Verify([]proposal.Proposal{c.ours}, p.Proposals, proposal.Options{}); err != nil {
					return err
				}
			}
		}
		if ke != nil {
			c.spir, c.id = answer.Header.SPIr, 1
			if c.keyless {
				return nil
			}
			return c.derive(chosen, ke.Data)
		}
	}
	return errors.New("a second cookie was demanded")
}

func (c *caller) derive(chosen proposal.Chosen, peer []byte) error {
	shared, err := c.ke.Shared(peer)
	if err != nil {
		return err
	}
	if c.prf, err = suite.NewPRF(chosen.PRF); err != nil {
		return err
	}
	if c.keys, err = suite.DeriveKeys(chosen, suite.SKEYSEED(c.prf, c.ni, c.nr, shared), c.ni, c.nr, c.spii, c.spir); err != nil {
		return err
	}
	if c.out, err = suite.NewProtection(chosen, c.keys.Ei, c.keys.Ai); err != nil {
		return err
	}
	c.in, err = suite.NewProtection(chosen, c.keys.Er, c.keys.Ar)
	return err
}

// exchange makes a protected exchange, and gives the payloads of the answer.
func (c *caller) exchange(x wire.ExchangeType, ps ...wire.Payload) ([]wire.Payload, error) {
	plain := wire.AppendPayloads(nil, ps)
	h := wire.Header{SPIi: c.spii, SPIr: c.spir, Major: 2, Exchange: x, Flags: wire.FlagInitiator, MessageID: c.id}
	b := wire.AppendProtected(nil, h, wire.FirstType(ps), c.out.BodyLen(len(plain)))
	b, err := c.out.Seal(b, len(b), plain)
	if err != nil {
		return nil, err
	}
	m, got, err := c.ask(b)
	if err != nil {
		return nil, err
	}
	c.id++
	if m.Encrypted == nil {
		return nil, fmt.Errorf("%s was answered in the clear", x)
	}
	if plain, err = c.in.Open(got, m.Encrypted.AADLen); err != nil {
		return nil, err
	}
	return wire.ParsePayloads(m.Encrypted.First, plain, 0)
}

// login authenticates, without a CHILD SA. It begins again when something was lost.
func (c *caller) login(id string, psk []byte) (err error) {
	for range loginTries {
		if err = c.tryLogin(id, psk); !errors.Is(err, errNoAnswer) {
			break
		}
	}
	return err
}

func (c *caller) tryLogin(id string, psk []byte) error {
	if err := c.begin(); err != nil {
		return err
	}
	idi := &wire.ID{IDType: wire.IDFQDN, Data: []byte(id)}
	octets := auth.SignedOctets(c.prf, c.first, c.nr, c.keys.Pi, idi.AppendBody(nil))
	ps, err := c.exchange(wire.ExchangeIKEAuth, idi, &wire.Auth{Method: wire.AuthSharedKey, Data: auth.PSK(c.prf, psk, octets)})
	if err != nil {
		return err
	}
	for _, p := range ps {
		if _, ok := p.(*wire.Auth); ok {
			return nil
		}
	}
	return fmt.Errorf("IKE_AUTH was answered with %d payloads, and no AUTH", len(ps))
}
