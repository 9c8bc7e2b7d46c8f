package sa

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

func testToken(side string) func(i, r wire.SPI) []byte {
	return func(i, r wire.SPI) []byte {
		b := binary.BigEndian.AppendUint64([]byte(side), uint64(i))
		h := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(r)))
		return h[:]
	}
}

// lost is what a peer that has lost an IKE SA says, with tokens.
func lost(m *Machine, t wire.NotifyType, tokens ...[]byte) []byte {
	h := wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: wire.ExchangeInformational,
		Flags: m.flags() ^ wire.FlagInitiator | wire.FlagResponse, MessageID: m.pending.id}
	msg := wire.Message{Header: h, Payloads: []wire.Payload{&wire.Notify{NotifyType: t}}}
	for _, x := range tokens {
		msg.Payloads = append(msg.Payloads, wire.NewQCDToken(x))
	}
	return msg.Append(nil)
}

// Both sides take the token of the other, for the first IKE SA and for those that replace it, whoever asks for that; and
// only the right one, in the right message, ends an IKE SA: RFC 6290 sections 4.2, 4.3 and 4.5.
func TestCrashTokens(t *testing.T) {
	for _, rekeyer := range []string{"", "a", "b"} {
		for _, victim := range []string{"a", "b"} {
			t.Run("rekeyed by "+rekeyer+", "+victim+" is lost", func(t *testing.T) {
				r := newRig(t, 1, nil)
				r.a.env.CrashToken, r.b.env.CrashToken = testToken("a"), testToken("b")
				r.a.connect()
				r.run(time.Second)
				ma, mb := r.wantUp(1)
				old := [][]byte{ma.peerToken, mb.peerToken}
				if rekeyer != "" {
					e, m := r.a, ma
					if rekeyer == "b" {
						e, m = r.b, mb
					}
					m.RekeyIKE(r.now)
					e.drain(m)
					r.run(time.Second)
					ma, mb = r.wantUp(1)
				}
				if string(ma.peerToken) != string(testToken("b")(ma.spii(), ma.spir())) {
					t.Fatal("a does not have the token of b")
				}
				if string(mb.peerToken) != string(testToken("a")(mb.spii(), mb.spir())) {
					t.Fatal("b does not have the token of a")
				}
				e, m, stale := r.a, ma, old[0]
				if victim == "a" {
					e, m, stale = r.b, mb, old[1]
				}
				m.requeue(livenessTask{})
				m.pump(r.now)
				e.drain(m)
				right := m.peerToken
				wrong := append([]byte(nil), right...)
				wrong[31] ^= 1
				bad := [][]byte{
					lost(m, wire.NotifyInvalidIKESPI), lost(m, wire.NotifyInvalidIKESPI, wrong), lost(m, wire.NotifyInvalidIKESPI, right[:16]),
					lost(m, wire.NotifyInvalidIKESPI, m.ownTokenForTest()),
					lost(m, wire.NotifyInvalidIKESPI, wrong, wrong, wrong, wrong, right),
				}
				if rekeyer != "" {
					bad = append(bad, lost(m, wire.NotifyInvalidIKESPI, stale))
				}
				for i, b := range bad {
					m.Receive(r.now, b, e.path())
					if m.State() != StateEstablished {
						t.Fatalf("message %d ended the IKE SA", i)
					}
				}
				e.drain(m)
				e.lastFailureNone(t)
				m.Receive(r.now, lost(m, wire.NotifyInvalidIKESPI, wrong, right), e.path())
				e.drain(m)
				if m.State() != StateClosed || len(e.inbound) != 0 || len(e.outbound) != 0 {
					t.Fatalf("%s with the right token", m.State())
				}
				e.wantFailure(diag.CodeSPI)
			})
		}
	}
}

// ownTokenForTest is the token that this side makes, reflected to it.
func (m *Machine) ownTokenForTest() []byte { return m.env.CrashToken(m.spii(), m.spir()) }

func (e *end) lastFailureNone(t *testing.T) {
	t.Helper()
	if n := countEvents[Failed](e); n != 0 {
		t.Errorf("%d failures for messages that prove nothing", n)
	}
}

// A side that makes no tokens still believes those of the peer, and tokens of a wrong length are none.
func TestCrashTokenOneSided(t *testing.T) {
	for _, n := range []int{0, 15, 16, 128, 129} {
		r := newRig(t, 1, nil)
		r.b.env.CrashToken = func(i, s wire.SPI) []byte { return make([]byte, n) }
		r.a.connect()
		r.run(time.Second)
		ma, mb := r.wantUp(1)
		if want := n >= 16 && n <= 128; (len(ma.peerToken) == n && n > 0) != want {
			t.Errorf("a token of %d octets: %d were kept", n, len(ma.peerToken))
		}
		if mb.peerToken != nil {
			t.Error("a token of a side that makes none")
		}
	}
}

// The token proves the loss wherever RFC 6290 shows it: with INVALID_IKE_SPI, with INVALID_SPI in answer to ESP, and alone, with
// or without a request that is outstanding, and from any address. https://www.rfc-editor.org/rfc/rfc6290#section-4.5
func TestCrashTokenWhereverItIs(t *testing.T) {
	for name, beside := range map[string][]wire.Payload{
		"INVALID_IKE_SPI": {&wire.Notify{NotifyType: wire.NotifyInvalidIKESPI}},
		"INVALID_SPI":     {&wire.Notify{NotifyType: wire.NotifyInvalidSPI, Data: []byte{1, 2, 3, 4}}},
		"alone":           nil,
	} {
		for _, pending := range []bool{true, false} {
			for _, response := range []bool{true, false} {
				for _, side := range []string{"a", "b"} {
					r := newRig(t, 3, nil)
					r.a.env.CrashToken, r.b.env.CrashToken = testToken("a"), testToken("b")
					r.a.connect()
					r.run(time.Second)
					m, mb := r.wantUp(1)
					e := r.a
					if side == "b" {
						e, m = r.b, mb
					}
					if pending {
						m.requeue(livenessTask{})
						m.pump(r.now)
						e.drain(m)
					}
					message := func(token []byte) []byte {
						h := wire.Header{SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: wire.ExchangeInformational, Flags: m.flags() ^ wire.FlagInitiator}
						if response {
							h.Flags |= wire.FlagResponse
						}
						if pending {
							h.MessageID = m.pending.id
						}
						x := wire.Message{Header: h, Payloads: append([]wire.Payload{}, beside...)}
						x.Payloads = append(x.Payloads, wire.NewQCDToken(token))
						return x.Append(nil)
					}
					elsewhere := e.path()
					elsewhere.Remote = netip.MustParseAddrPort("203.0.113.66:4500")
					wrong := append([]byte(nil), m.peerToken...)
					wrong[0] ^= 1
					m.Receive(r.now, message(wrong), elsewhere)
					if m.State() != StateEstablished {
						t.Fatalf("%s: a wrong token ended the IKE SA", name)
					}
					m.Receive(r.now, message(m.peerToken), elsewhere)
					e.drain(m)
					if m.State() != StateClosed {
						t.Errorf("%s, request outstanding %v, a response %v, %s: %s", name, pending, response, side, m.State())
					}
				}
			}
		}
	}
}

// Wrong tokens from anywhere are looked at so often and no more; those of the peer's address are counted by themselves.
func TestCrashTokensAreBounded(t *testing.T) {
	r := newRig(t, 4, nil)
	r.a.env.CrashToken, r.b.env.CrashToken = testToken("a"), testToken("b")
	r.a.connect()
	r.run(time.Second)
	m, _ := r.wantUp(1)
	m.requeue(livenessTask{})
	m.pump(r.now)
	r.a.drain(m)
	wrong := append([]byte(nil), m.peerToken...)
	wrong[0] ^= 1
	elsewhere := r.a.path()
	elsewhere.Remote = netip.MustParseAddrPort("203.0.113.66:4500")
	for range 10 * maxTokenChecks {
		m.Receive(r.now, lost(m, wire.NotifyInvalidIKESPI, wrong), elsewhere)
	}
	right := m.peerToken
	m.Receive(r.now, lost(m, wire.NotifyInvalidIKESPI, right), elsewhere)
	if m.State() != StateEstablished {
		t.Fatal("more tokens were compared than are to be")
	}
	m.Receive(r.now, lost(m, wire.NotifyInvalidIKESPI, right), r.a.path())
	r.a.drain(m)
	if m.State() != StateClosed {
		t.Error("the peer's own token was not looked at")
	}
}
