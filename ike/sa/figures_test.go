package sa

import (
	"encoding/binary"
	"testing"
	"time"

	"esplanade/ike/peertest"
	"esplanade/ike/wire"
)

// both plays a figure with the peer as the original initiator of the IKE SA and with the machine as it.
func both(t *testing.T, play func(t *testing.T, f *figure)) {
	t.Run("peer initiated", func(t *testing.T) { play(t, newFigure(t, true).established()) })
	t.Run("machine initiated", func(t *testing.T) { play(t, newFigure(t, false).established()) })
}

// https://www.rfc-editor.org/rfc/rfc7296#section-1.2: the machine proves its identity to a peer that computes AUTH by itself,
// and the keys of the first CHILD SA come from the nonces of IKE_SA_INIT.
func TestFigureInitialExchanges(t *testing.T) {
	for _, initiator := range []bool{true, false} {
		f := newFigure(t, initiator).established()
		if !f.p.Verify(f.got) {
			t.Errorf("peer initiated: %t: the machine's AUTH is not what RFC 7296 section 2.15 gives", initiator)
		}
		f.wantKeys(initiator, nil, f.p.SA.Ni, f.p.SA.Nr)
		f.quiet("there is nothing to do")
	}
}

// A peer without the key is refused, whichever side it is on: "All errors that occur in an IKE_AUTH exchange, causing the
// authentication to fail for whatever reason (invalid shared secret, …) SHOULD result in an AUTHENTICATION_FAILED
// notification." https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
func TestFigureWrongKey(t *testing.T) {
	f := newFigure(t, true)
	f.p.Secret = []byte("another")
	f.raw(f.p.Init())
	f.takeInit()
	f.sends(wire.ExchangeIKEAuth, f.auth(true)...)
	f.wants("IKE_AUTH response { N(AUTH_FAILED) }", "the initiator's AUTH does not verify")
	if len(f.e.live()) != 0 {
		t.Error("the IKE SA is still there")
	}

	f = newFigure(t, false)
	f.p.Secret = []byte("another")
	f.e.connect()
	f.answerInit()
	f.wants("IKE_AUTH request { IDi N(INIT_CONTACT) IDr AUTH SA TSi TSr }", "")
	f.answers(f.auth(false)...)
	f.wants("INFORMATIONAL request { N(AUTH_FAILED) }", "the responder believes that the IKE SA is up, and has to be told")
	f.answers()
	if len(f.e.live()) != 0 || len(f.e.spis) != 0 {
		t.Error("the IKE SA is still there")
	}
}

// https://www.rfc-editor.org/rfc/rfc7296#section-1.3.3, with a key exchange: the peer rekeys the CHILD SA.
func TestFigurePeerRekeysChild(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		old := f.spi
		ke := peertest.KE(31)
		ps := f.child(true, true)
		rekey := &wire.Notify{Protocol: wire.ProtocolESP, SPI: binary.BigEndian.AppendUint32(nil, old), NotifyType: wire.NotifyRekeySA}
		f.sends(wire.ExchangeCreateChildSA, append([]wire.Payload{rekey, &wire.KE{Group: 31, Data: ke.Public()}}, ps...)...)
		f.wants("CREATE_CHILD_SA response { SA No KE TSi TSr }", "the old CHILD SA is rekeyed")
		shared, err := ke.Shared(peertest.Find[*wire.KE](f.got).Data)
		if err != nil {
			t.Fatal(err)
		}
		f.wantKeys(true, shared, peertest.Find[*wire.Nonce](ps).Data, peertest.Find[*wire.Nonce](f.got).Data)
		f.quiet("the initiator of the rekeying deletes the old CHILD SA, RFC 7296 2.8")
		f.sends(wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolESP, SPIs: [][]byte{binary.BigEndian.AppendUint32(nil, old)}})
		f.wants("INFORMATIONAL response { D }", "the answer deletes the other direction, RFC 7296 1.4.1")
		if len(f.e.liveChildren()) != 1 {
			t.Errorf("%d CHILD SAs", len(f.e.liveChildren()))
		}
	})
}

// The same from the machine's side.
func TestFigureMachineRekeysChild(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		m := f.e.machine()
		first := f.e.liveChildren()[0]
		m.RekeyChild(f.r.now, first.ID)
		f.e.drain(m)
		f.wants("CREATE_CHILD_SA request { N(REKEY_SA) SA No KE TSi TSr }", "RFC 7296 1.3.3")
		n := peertest.Notify(f.got, wire.NotifyRekeySA)
		if n.Protocol != wire.ProtocolESP || binary.BigEndian.Uint32(n.SPI) != first.Inbound.SPI {
			t.Errorf("REKEY_SA names %s %x: \"this is the SPI the exchange initiator would expect in inbound ESP or AH packets\", RFC 7296 1.3.3", n.Protocol, n.SPI)
		}
		ke, shared := peertest.Respond(peertest.Find[*wire.KE](f.got))
		ps := f.child(false, true)
		ni := peertest.Find[*wire.Nonce](f.got).Data
		f.answers(append([]wire.Payload{ke}, ps...)...)
		f.wantKeys(false, shared, ni, peertest.Find[*wire.Nonce](ps).Data)
		f.wants("INFORMATIONAL request { D }", "whoever rekeys deletes the old CHILD SA, RFC 7296 2.8")
		if d := peertest.Find[*wire.Delete](f.got); len(d.SPIs) != 1 || binary.BigEndian.Uint32(d.SPIs[0]) != first.Inbound.SPI {
			t.Errorf("the DELETE names %x, want the machine's inbound SPI %08x", d.SPIs, first.Inbound.SPI)
		}
		f.answers(&wire.Delete{Protocol: wire.ProtocolESP, SPIs: [][]byte{binary.BigEndian.AppendUint32(nil, f.spi-1)}})
		f.quiet("all is settled")
		if len(f.e.liveChildren()) != 1 {
			t.Errorf("%d CHILD SAs", len(f.e.liveChildren()))
		}
	})
}

// https://www.rfc-editor.org/rfc/rfc7296#section-1.3.2: the peer rekeys the IKE SA, and goes on with the new keys, as the
// original initiator of the new IKE SA and with message ids from zero.
func TestFigurePeerRekeysIKE(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		ke := peertest.KE(31)
		x := figureIKE
		x.SPI = wire.SPI(0xbbbb).Bytes()
		ni := nonceStarting(9)
		f.sends(wire.ExchangeCreateChildSA, &wire.SA{Proposals: []wire.Proposal{x}}, &wire.Nonce{Data: ni}, &wire.KE{Group: 31, Data: ke.Public()})
		f.wants("CREATE_CHILD_SA response { SA No KE }", "RFC 7296 1.3.2")
		shared, err := ke.Shared(peertest.Find[*wire.KE](f.got).Data)
		if err != nil {
			t.Fatal(err)
		}
		answer := peertest.Find[*wire.SA](f.got)
		spir, _ := wire.SPIFromBytes(answer.Proposals[0].SPI)
		sa, err := f.p.SA.Rekeyed(0xbbbb, spir, answer, ni, peertest.Find[*wire.Nonce](f.got).Data, shared)
		if err != nil {
			t.Fatal(err)
		}
		f.sends(wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
		f.wants("INFORMATIONAL response { }", "the old IKE SA goes, RFC 7296 2.8")
		f.p = f.p.Successor(sa, 0xbbbb, true)
		f.sends(wire.ExchangeInformational)
		f.wants("INFORMATIONAL response { }", "message ids begin at 0 again, and the keys are those of RFC 7296 2.18")
		if len(f.e.live()) != 1 || len(f.e.liveChildren()) != 1 {
			t.Errorf("%d IKE SAs, %d CHILD SAs: they are inherited", len(f.e.live()), len(f.e.liveChildren()))
		}
	})
}

// The same from the machine's side.
func TestFigureMachineRekeysIKE(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		m := f.e.machine()
		m.RekeyIKE(f.r.now)
		f.e.drain(m)
		f.wants("CREATE_CHILD_SA request { SA No KE }", "RFC 7296 1.3.2")
		ke, shared := peertest.Respond(peertest.Find[*wire.KE](f.got))
		x := figureIKE
		x.SPI = wire.SPI(0xbbbb).Bytes()
		spii, _ := wire.SPIFromBytes(peertest.Find[*wire.SA](f.got).Proposals[0].SPI)
		answer := &wire.SA{Proposals: []wire.Proposal{x}}
		nr := nonceStarting(9)
		sa, err := f.p.SA.Rekeyed(spii, 0xbbbb, answer, peertest.Find[*wire.Nonce](f.got).Data, nr, shared)
		if err != nil {
			t.Fatal(err)
		}
		f.answers(answer, &wire.Nonce{Data: nr}, ke)
		f.wants("INFORMATIONAL request { D }", "whoever rekeys deletes the old IKE SA, with the old keys, RFC 7296 2.8")
		f.answers()
		f.p = f.p.Successor(sa, 0xbbbb, false)
		m = f.e.machine()
		m.RekeyChild(f.r.now, f.e.liveChildren()[0].ID)
		f.e.drain(m)
		f.wants("CREATE_CHILD_SA request { N(REKEY_SA) SA No KE TSi TSr }", "the CHILD SA was inherited, and message ids begin at 0")
	})
}

// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1: both rekey the same CHILD SA at once. "[T]he SA created with the lowest
// of the four nonces used in the two exchanges SHOULD be closed by the endpoint that created it."
func TestFigureSimultaneousRekeying(t *testing.T) {
	for name, c := range map[string]struct {
		peers, machines byte // how the nonces of each exchange's initiator begin
		machineCloses   bool
	}{
		"the machine's is the lowest": {9, 1, true},
		"the peer's is the lowest":    {1, 9, false},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, f *figure) {
				f.e.nonces = [][]byte{nonceStarting(c.machines), nonceStarting(20)} // of the request and of the answer
				m := f.e.machine()
				old, mine := f.spi, f.e.liveChildren()[0]
				m.RekeyChild(f.r.now, mine.ID)
				f.e.drain(m)
				f.wants("CREATE_CHILD_SA request { N(REKEY_SA) SA No KE TSi TSr }", "")
				request, asked := f.h, f.got
				ke := peertest.KE(31)
				ps := f.child(true, true)
				peertest.Find[*wire.Nonce](ps).Data = nonceStarting(c.peers)
				rekey := &wire.Notify{Protocol: wire.ProtocolESP, SPI: binary.BigEndian.AppendUint32(nil, old), NotifyType: wire.NotifyRekeySA}
				f.sends(wire.ExchangeCreateChildSA, append([]wire.Payload{rekey, &wire.KE{Group: 31, Data: ke.Public()}}, ps...)...)
				f.wants("CREATE_CHILD_SA response { SA No KE TSi TSr }", "the peer's request is answered although ours is under way, RFC 7296 2.8.1")
				// The peer answers as well; its nonce is none of the lowest.
				answer := f.child(false, true)
				peertest.Find[*wire.Nonce](answer).Data = nonceStarting(21)
				own, _ := peertest.Respond(peertest.Find[*wire.KE](asked))
				f.raw(f.p.Answer(request, append([]wire.Payload{own}, answer...)...))
				spi := func() uint32 { return binary.BigEndian.Uint32(peertest.Find[*wire.Delete](f.got).SPIs[0]) }
				if c.machineCloses {
					f.wants("INFORMATIONAL request { D }", "the machine has made the SA with the lowest nonce")
					if spi() == mine.Inbound.SPI {
						t.Error("the machine deletes the old CHILD SA, which the peer has rekeyed; want that of its own exchange")
					}
					return
				}
				f.wants("INFORMATIONAL request { D }", "the machine's exchange has won, so that it deletes the old CHILD SA")
				if spi() != mine.Inbound.SPI {
					t.Errorf("the machine deletes %08x, want the old CHILD SA %08x", spi(), mine.Inbound.SPI)
				}
			})
		})
	}
}

// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1 and 2.25.2: what is asked of an SA that is on its way out.
func TestFigureTemporaryFailure(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		m := f.e.machine()
		f.e.nonces = nil
		m.DeleteChild(f.r.now, f.e.liveChildren()[0].ID, "operator")
		f.e.drain(m)
		f.wants("INFORMATIONAL request { D }", "")
		rekey := &wire.Notify{Protocol: wire.ProtocolESP, SPI: binary.BigEndian.AppendUint32(nil, f.spi), NotifyType: wire.NotifyRekeySA}
		ke := peertest.KE(31)
		f.sends(wire.ExchangeCreateChildSA, append([]wire.Payload{rekey, &wire.KE{Group: 31, Data: ke.Public()}}, f.child(true, true)...)...)
		f.wants("CREATE_CHILD_SA response { N(TEMP_FAIL) }", "\"If a peer receives a request to rekey a Child SA that it is currently trying to close, it SHOULD reply with TEMPORARY_FAILURE\", RFC 7296 2.25.1")
	})
	both(t, func(t *testing.T, f *figure) {
		m := f.e.machine()
		m.RekeyIKE(f.r.now)
		f.e.drain(m)
		f.wants("CREATE_CHILD_SA request { SA No KE }", "")
		ke := peertest.KE(31)
		f.sends(wire.ExchangeCreateChildSA, append([]wire.Payload{&wire.KE{Group: 31, Data: ke.Public()}}, f.child(true, true)...)...)
		f.wants("CREATE_CHILD_SA response { N(TEMP_FAIL) }", "\"If a peer receives a request to create or rekey a Child SA when it is currently rekeying the IKE SA, it SHOULD reply with TEMPORARY_FAILURE\", RFC 7296 2.25.2")
	})
	both(t, func(t *testing.T, f *figure) {
		rekey := &wire.Notify{Protocol: wire.ProtocolESP, SPI: []byte{1, 2, 3, 4}, NotifyType: wire.NotifyRekeySA}
		ke := peertest.KE(31)
		f.sends(wire.ExchangeCreateChildSA, append([]wire.Payload{rekey, &wire.KE{Group: 31, Data: ke.Public()}}, f.child(true, true)...)...)
		f.wants("CREATE_CHILD_SA response { N(NO_CHILD_SA) }", "\"If a peer receives a request to rekey a Child SA that does not exist, it SHOULD reply with CHILD_SA_NOT_FOUND\", RFC 7296 2.25.1")
		if n := peertest.Notify(f.got, wire.NotifyChildSANotFound); string(n.SPI) != string(rekey.SPI) {
			t.Errorf("CHILD_SA_NOT_FOUND names SPI %x: it \"is copied from the SPI field in the REKEY_SA notification\", RFC 7296 2.25", n.SPI)
		}
	})
}

// https://www.rfc-editor.org/rfc/rfc7296#section-1.3: a key exchange with a group that the machine does not accept, and the same
// request with the one that it names.
func TestFigureInvalidKE(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		ke := peertest.KE(19)
		ps := f.child(true, true)
		x := &peertest.Find[*wire.SA](ps).Proposals[0]
		x.Transforms = append([]wire.Transform{{Type: wire.TransformKE, ID: 19}}, x.Transforms...)
		f.sends(wire.ExchangeCreateChildSA, append([]wire.Payload{&wire.KE{Group: 19, Data: ke.Public()}}, ps...)...)
		f.wants("CREATE_CHILD_SA response { N(INVAL_KE) }", "the machine accepts Curve25519 only, RFC 7296 1.3")
		if n := peertest.Notify(f.got, wire.NotifyInvalidKEPayload); len(n.Data) != 2 || binary.BigEndian.Uint16(n.Data) != 31 {
			t.Errorf("INVALID_KE_PAYLOAD with %x, want the two octets of the accepted group, RFC 7296 3.10.1", n.Data)
		}
	})
}

// https://www.rfc-editor.org/rfc/rfc7296#section-2.5: an unknown critical payload fails the whole request, and one that is not
// critical is passed over.
func TestFigureCriticalPayload(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		f.sends(wire.ExchangeInformational, &wire.Unknown{PayloadType: 200})
		f.wants("INFORMATIONAL response { }", "\"If the critical flag is not set and the payload type is unsupported, that payload MUST be ignored\", RFC 7296 2.5")
		f.sends(wire.ExchangeInformational, &wire.Unknown{PayloadType: 200, Critical: true})
		f.wants("INFORMATIONAL response { N(CRIT) }", "\"the message MUST be rejected\", RFC 7296 2.5")
		if n := peertest.Notify(f.got, wire.NotifyUnsupportedCriticalPayload); len(n.Data) != 1 || n.Data[0] != 200 {
			t.Errorf("UNSUPPORTED_CRITICAL_PAYLOAD with %x, want the payload type", n.Data)
		}
	})
}

// https://www.rfc-editor.org/rfc/rfc7296#section-2.1 and 2.2: a repeated request is answered with the same octets, and a request
// outside the window not at all.
func TestFigureRepeatedRequest(t *testing.T) {
	both(t, func(t *testing.T, f *figure) {
		request := f.p.Request(wire.ExchangeInformational)
		f.raw(request)
		first := f.next("an answer")
		f.raw(request)
		if again := f.next("the same answer again"); string(again) != string(first) {
			t.Error("another answer to a repeated request, which is ignored \"except insofar as it causes a retransmission of the response\", RFC 7296 2.1")
		}
		f.p.NextSend += 2
		f.sends(wire.ExchangeInformational)
		f.quiet("\"An IKE endpoint MUST NOT exceed the peer's stated window size\", RFC 7296 2.3: such a request is dropped")
		f.r.run(time.Second)
		f.quiet("and nothing comes later")
	})
}
