package sa

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// groups gives the children of both sides key exchange methods.
func groups(t *testing.T, x, y string) func(cx, cy *Config) {
	return func(cx, cy *Config) {
		cx.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, x)
		cy.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, y)
	}
}

// Rekeyings of a CHILD SA that meet no other exchange, RFC 7296 sections 1.3.3 and 2.8.
func TestChildRekey(t *testing.T) {
	t.Run("regular", func(t *testing.T) {
		// The responder of the rekeying has the new SA and goes on sending on the old one until the DELETE tells it that the
		// initiator is ready; no moment is without an SA in either direction.
		play(t, "x:rekey x>", nil, nil, func(l *ladder) {
			old := l.x.liveChildren()[0]
			yOut := l.y.outbound[l.y.liveChildren()[0].Policy]
			if yOut.Outbound.SPI != old.Inbound.SPI {
				t.Error("y sends on the new SA before x can know of it")
			}
			l.word("y=SA,No,KE,TSi,TSr")
			l.word("y>")
			if out := l.x.outbound[old.Policy]; out == old {
				t.Error("x has the answer and still sends on the old SA")
			}
			l.word("x>")
			l.word("y=[,D,]")
			if out := l.y.outbound[l.y.liveChildren()[0].Policy]; out == yOut {
				t.Error("y has the DELETE and still sends on the old SA")
			}
			l.word("y>")
			// Packets that are still on the way find the old inbound SA for a while.
			if len(l.x.inbound) != 2 || len(l.y.inbound) != 2 {
				t.Error("the old inbound SA has gone at once")
			}
			l.word("!")
			l.wantChild("x")
		})
	})
	t.Run("without PFS", func(t *testing.T) {
		play(t, "x:rekey x> y=SA,No,TSi,TSr y> x> y> !", groups(t, "aes128gcm16", "aes128gcm16"), nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("ke_invalid", func(t *testing.T) {
		play(t, "x:rekey x> y=N(INVAL_KE) y> x*Q x> y=KE y> x> y> !", groups(t, "aes128gcm16-x25519-ecp256", "aes128gcm16-ecp256"), nil,
			func(l *ladder) { l.wantChild("x") })
	})
	t.Run("ke_invalid with a group that was not offered", func(t *testing.T) {
		// "INVALID_KE_PAYLOAD" names the group that the responder wants; one that we do not offer ends the attempt, and the
		// old child stays in use.
		play(t, "x:rekey x> y>", groups(t, "aes128gcm16-x25519", "aes128gcm16-ecp256"), nil, func(l *ladder) {
			l.word("x~")
			l.word("x#1")
			l.word("y#1")
			if len(l.x.failures) != 1 || len(l.x.spis) != 1 {
				l.t.Errorf("x reported %v and holds %d SPIs", l.x.failures, len(l.x.spis))
			}
		})
	})
	t.Run("responder_ignore_soft_expire", func(t *testing.T) {
		// The soft limit of a child that the peer has replaced asks for nothing.
		play(t, "x:rekey x> y:rekeyold y*A yx y~ x^ x> y> x> y> !", nil, nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("responder_handle_hard_expire", func(t *testing.T) {
		// x never gets its DELETE through: y deletes the old child itself, and the successor stays.
		play(t, "x:rekey x> y> xx y:expire y*Q y> x=[ x> !", nil, nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("responder_deletes_what_was_never_deleted", func(t *testing.T) {
		// The same, by itself: a peer that rekeys and does not delete the old child has it deleted by us after a while.
		play(t, "x:rekey x> y> xx", nil, nil, func(l *ladder) {
			l.x.machine().pending = nil
			l.x.machine().window.nextSend--
			l.r.run(supersededTime + 10*time.Second)
			l.wantChild("x")
			for _, c := range l.y.machine().children {
				if c.outboundPending {
					l.t.Error("y still waits for a sign of x")
				}
			}
		})
	})
	t.Run("responder_delete", func(t *testing.T) {
		// Both delete the old child: the DELETEs cross, and neither answer lists it.
		play(t, "x:rekey x> y> y:expire y> x=[,] x> y=[,] x> y> !", nil, nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("responder_lost_sa", func(t *testing.T) {
		// "A peer that receives a CHILD_SA_NOT_FOUND notification SHOULD silently delete the Child SA (if it still exists) and
		// send a request to create a new Child SA from scratch": https://www.rfc-editor.org/rfc/rfc7296#section-2.25
		play(t, "y:lose x:rekey x> y=N(NO_CHILD_SA) y> x#0 x*Q x> y=TSr y> !", nil, nil, func(l *ladder) {
			l.r.wantUp(1)
			if n := countEvents[ChildUp](l.x); n != 1 {
				l.t.Errorf("x reported %d children up", n)
			}
		})
	})
	t.Run("responder_incorrect_delete", func(t *testing.T) {
		// A DELETE of SPIs that do not exist, among them our own inbound one, changes nothing.
		play(t, "x:rekey x> y> x> y>", nil, nil, func(l *ladder) {
			c := l.y.liveChildren()[0]
			for _, spi := range []uint32{c.Outbound.SPI, 0xdeadbeef, 7} {
				l.y.send(wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolESP, SPIs: [][]byte{binary.BigEndian.AppendUint32(nil, spi)}})
				l.word("y>")
				l.word("x=[,]")
				l.word("x>")
			}
			l.word("!")
			l.wantChild("x")
		})
	})
	t.Run("delete_timeout", func(t *testing.T) {
		// The old inbound SA outlives the DELETE by lateTraffic, no longer.
		play(t, "x:rekey x> y> x> y>", nil, nil, func(l *ladder) {
			if lateTraffic < 2*time.Second {
				l.t.Errorf("packets may be on the way for longer than %s", lateTraffic)
			}
			l.r.run(lateTraffic - time.Millisecond)
			if len(l.x.inbound) != 2 || len(l.y.inbound) != 2 {
				l.t.Error("an inbound SA has gone too early")
			}
			l.r.run(time.Second)
			if len(l.x.inbound) != 1 || len(l.y.inbound) != 1 {
				l.t.Error("an inbound SA has not gone")
			}
			l.wantChild("x")
		})
	})
	t.Run("temporary failure", func(t *testing.T) {
		// "it MUST NOT immediately retry the operation": https://www.rfc-editor.org/rfc/rfc7296#section-2.25
		play(t, "y:delete yx x:rekey x> y=N(TEMP_FAIL) y> x~", nil, nil, func(l *ladder) { l.word("x#1") })
	})
	t.Run("no additional SAs", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			l.y.env.AllocateSPI = func() (uint32, error) { return 0, errNoSPI }
			for _, w := range []string{"x:rekey", "x>", "y=N(NO_ADD_SAS)", "y>", "x~", "x#1", "y#1"} {
				l.word(w)
			}
			if len(l.x.spis) != 1 {
				l.t.Errorf("x holds %d SPIs for one child", len(l.x.spis))
			}
		})
	})
	t.Run("retransmitted request", func(t *testing.T) {
		// A repeated request gets the same answer and makes no second SA (pitfall M1).
		play(t, "x:rekey x+ yx x> y*A y> x> y> !", nil, nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("second request for the same child", func(t *testing.T) {
		// A confused peer rekeys again what it has rekeyed (pitfall C4).
		play(t, "x:rekey x>", nil, nil, func(l *ladder) {
			m := l.x.machine()
			l.word("y>")
			l.word("xx") // its DELETE
			old := m.children[0]
			m.pending, m.window.nextSend = nil, m.window.nextSend-1
			l.x.send(wire.ExchangeCreateChildSA, rekeyPayloads(l.x, old)...)
			l.word("x>")
			l.word("y=N(TEMP_FAIL)")
			l.word("y#1")
		})
	})
}

var errNoSPI = errors.New("no SPI left")

// rekeyPayloads is a request to rekey a child, made by hand.
func rekeyPayloads(e *end, c *Child) []wire.Payload {
	m := e.machine()
	p := offered(m, e.r.now, c.Config, c)
	return append([]wire.Payload{&wire.Notify{
		Protocol: wire.ProtocolESP, SPI: binary.BigEndian.AppendUint32(nil, c.Inbound.SPI), NotifyType: wire.NotifyRekeySA,
	}}, p...)
}

// REKEY_SA notifies that name nothing, or in a way that has brought down others (CVE-2023-38710).
func TestChildRekeyOfNothing(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol wire.ProtocolID
		spi      []byte
	}{
		{"protocol 0", 0, nil},
		{"protocol IKE", wire.ProtocolIKE, make([]byte, 8)},
		{"protocol AH", wire.ProtocolAH, []byte{0, 0, 16, 1}},
		{"unknown SPI", wire.ProtocolESP, []byte{0xde, 0xad, 0xbe, 0xef}},
		{"reserved SPI", wire.ProtocolESP, []byte{0, 0, 0, 255}},
		{"SPI of three octets", wire.ProtocolESP, []byte{1, 2, 3}},
		{"no SPI", wire.ProtocolESP, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "", nil, nil, func(l *ladder) {
				p := rekeyPayloads(l.x, l.x.liveChildren()[0])
				p[0].(*wire.Notify).Protocol, p[0].(*wire.Notify).SPI = c.protocol, c.spi
				l.x.send(wire.ExchangeCreateChildSA, p...)
				l.word("x>")
				l.word("y=N(NO_CHILD_SA)")
				l.word("y#1")
			})
		})
	}
}
