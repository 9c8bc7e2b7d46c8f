package peertest

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"esplanade/ike/wire"
)

// Recording is the content of a file: lines of words.
//
//	# a comment
//	psk TEXT          the pre-shared key
//	ppk TEXT          the post-quantum preshared key, if there is one
//	shared HEX        the secrets of the key exchanges, in the order of the exchanges
//	a 500 500 HEX     a message from a to b, with its ports, and b's to a the same
type Recording struct {
	PSK, PPK []byte
	Shared   [][]byte
	Messages []Message
}

// Message is a datagram as it was recorded, without the non-ESP marker.
type Message struct {
	From             string // "a" or "b"
	SrcPort, DstPort uint16
	Datagram         []byte
}

// Read parses a recording.
func Read(r io.Reader) (*Recording, error) {
	rec := &Recording{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch kind {
		case "", "#":
		case "psk":
			rec.PSK = []byte(rest)
		case "ppk":
			rec.PPK = []byte(rest)
		case "shared":
			var s []byte
			s, err = hex.DecodeString(rest)
			rec.Shared = append(rec.Shared, s)
		case "a", "b":
			m, text := Message{From: kind}, ""
			if _, err = fmt.Sscanf(rest, "%d %d %s", &m.SrcPort, &m.DstPort, &text); err == nil {
				m.Datagram, err = hex.DecodeString(text)
			}
			rec.Messages = append(rec.Messages, m)
		default:
			err = fmt.Errorf("unknown word %q", kind)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return rec, lines.Err()
}

// Step is a message of a recording in the clear.
type Step struct {
	Message
	Header   wire.Header
	Payloads []wire.Payload
	// SA is the IKE SA that protects it, nil for IKE_SA_INIT. Made is the IKE SA that the exchange makes, nil for none; it is
	// set for the request and for the answer, as Shared is, the secret of the exchange's key exchange.
	SA, Made *SA
	Shared   []byte
	// Answer is the place of the answer among the steps, -1 for a step that is one.
	Answer int
}

// Open decrypts a recording and checks every AUTH value in it.
func (rec *Recording) Open() ([]*Step, error) {
	o := opener{rec: rec, sas: map[[2]wire.SPI]*SA{}, shared: rec.Shared}
	for i, m := range rec.Messages {
		if err := o.message(m); err != nil {
			return o.steps, fmt.Errorf("message %d, from %s: %w", i+1, m.From, err)
		}
	}
	if len(o.shared) != 0 {
		return o.steps, fmt.Errorf("%d secrets of key exchanges are left", len(o.shared))
	}
	return o.steps, nil
}

type opener struct {
	rec    *Recording
	sas    map[[2]wire.SPI]*SA
	shared [][]byte
	steps  []*Step
	// init are both IKE_SA_INIT messages of the IKE SA that is being made.
	init [2][]byte
}

func (o *opener) message(m Message) error {
	h, err := wire.ParseHeader(m.Datagram)
	if err != nil {
		return err
	}
	s := &Step{Message: m, Header: h, Answer: -1}
	if h.Exchange == wire.ExchangeIKESAInit {
		msg, err := wire.Parse(m.Datagram)
		if err != nil {
			return err
		}
		s.Payloads = msg.Payloads
	} else {
		if s.SA = o.sas[[2]wire.SPI{h.SPIi, h.SPIr}]; s.SA == nil {
			return fmt.Errorf("an IKE SA that was not made: %s", h.SPIi)
		}
		if _, s.Payloads, err = s.SA.Open(m.Datagram); err != nil {
			return err
		}
	}
	o.steps = append(o.steps, s)
	if !h.Flags.Response() {
		if h.Exchange == wire.ExchangeIKESAInit {
			o.init[0] = m.Datagram
		}
		return nil
	}
	q := o.request(s)
	if q == nil {
		return errors.New("an answer to no request")
	}
	q.Answer = len(o.steps) - 1
	return o.answer(q, s)
}

// request is the request that an answer belongs to.
func (o *opener) request(s *Step) *Step {
	for i := len(o.steps) - 2; i >= 0; i-- {
		q := o.steps[i]
		if !q.Header.Flags.Response() && q.From != s.From && q.Header.Exchange == s.Header.Exchange && q.Header.MessageID == s.Header.MessageID &&
			q.Header.SPIi == s.Header.SPIi {
			return q
		}
	}
	return nil
}

func (o *opener) answer(q, s *Step) (err error) {
	sa, ke := Find[*wire.SA](s.Payloads), Find[*wire.KE](s.Payloads)
	if sa != nil && ke != nil {
		if len(o.shared) == 0 {
			return errors.New("no secret is left for the key exchange")
		}
		q.Shared, s.Shared, o.shared = o.shared[0], o.shared[0], o.shared[1:]
	}
	nonces := func() (ni, nr []byte) { return Find[*wire.Nonce](q.Payloads).Data, Find[*wire.Nonce](s.Payloads).Data }
	switch {
	case s.Header.Exchange == wire.ExchangeIKESAInit && ke != nil:
		ni, nr := nonces()
		o.init[1] = s.Datagram
		s.Made, err = New(s.Header.SPIi, s.Header.SPIr, sa, ni, nr, s.Shared)
	case s.Header.Exchange == wire.ExchangeCreateChildSA && sa != nil && sa.Proposals[0].Protocol == wire.ProtocolIKE:
		ni, nr := nonces()
		spii, ok1 := wire.SPIFromBytes(Find[*wire.SA](q.Payloads).Proposals[0].SPI)
		spir, ok2 := wire.SPIFromBytes(sa.Proposals[0].SPI)
		if !ok1 || !ok2 {
			return errors.New("rekeying without SPIs")
		}
		s.Made, err = s.SA.Rekeyed(spii, spir, sa, ni, nr, s.Shared)
	case s.Header.Exchange == wire.ExchangeIKEAuth:
		return o.auth(q, s)
	}
	if s.Made != nil {
		q.Made = s.Made
		o.sas[[2]wire.SPI{s.Made.SPIi, s.Made.SPIr}] = s.Made
	}
	return err
}

// auth checks both AUTH values of an IKE_AUTH exchange.
func (o *opener) auth(q, s *Step) error {
	if Notify(s.Payloads, wire.NotifyPPKIdentity) != nil {
		if err := s.SA.MixPPK(o.rec.PPK); err != nil {
			return err
		}
	}
	for i, x := range []*Step{q, s} {
		a, id := Find[*wire.Auth](x.Payloads), ID(x.Payloads, i == 1)
		if a == nil || id == nil {
			return errors.New("no AUTH or no identity")
		}
		if a.Method != wire.AuthSharedKey || !bytes.Equal(a.Data, s.SA.AuthPSK(i == 0, o.rec.PSK, o.init[i], id)) {
			return fmt.Errorf("the AUTH value of %s is not the one that RFC 7296 section 2.15 gives", x.From)
		}
	}
	return nil
}

// Ladder writes the steps as lines that people read.
func Ladder(steps []*Step) string {
	var b strings.Builder
	for _, s := range steps {
		to := "b"
		if s.From == "b" {
			to = "a"
		}
		fmt.Fprintf(&b, "%s --> %s  %s\n", s.From, to, wire.Summary(s.Header, s.Payloads))
	}
	return b.String()
}
