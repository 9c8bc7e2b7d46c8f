package sa

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// An answer that creates an SA which this side cannot accept is taken back at the peer: an SA that only one side has would
// swallow what is sent on it.
func TestUselessAnswerIsTakenBack(t *testing.T) {
	widen := func(c *ChildConfig) { c.RemoteTS = mustTS(t, "10.0.0.0/8"); c.LocalTS = mustTS(t, "10.0.0.0/8") }
	t.Run("create", func(t *testing.T) {
		play(t, "x:delete x> y> !", nil, nil, func(l *ladder) {
			l.word("x:create")
			// While the request is on the way, what x offers shrinks: the answer is wider than that.
			task := l.x.machine().pending.task.(*createChildTask)
			task.offer.ts = selector.Pair{Local: mustTS(t, "10.1.1.0/24"), Remote: mustTS(t, "10.2.1.0/24")}
			widen(l.y.cfg.Children[0])
			// With no child to carry, x closes the IKE SA, and that of y with it.
			for _, w := range []string{"x>", "y#1", "y>", "x#0", "x*Q", "x>", "y=[,]", "y#0", "y>", "!"} {
				l.word(w)
			}
			if !l.x.hasFailure(diag.CodeTS) {
				l.t.Errorf("x reported %v", l.x.failures)
			}
			l.wantGone()
		})
	})
	t.Run("rekey", func(t *testing.T) {
		play(t, "x:rekey", nil, nil, func(l *ladder) {
			task := l.x.machine().pending.task.(*rekeyChildTask)
			task.offer.ts = selector.Pair{Local: mustTS(t, "10.1.1.0/24"), Remote: mustTS(t, "10.2.1.0/24")}
			for _, w := range []string{"x>", "y>", "x#1", "x*Q", "x>", "y=[,D,]", "y>"} {
				l.word(w)
			}
			if l.x.machine().children[0].State != ChildInstalled || len(l.x.spis) != 1 {
				l.t.Errorf("the old child is %s, %d SPIs", l.x.machine().children[0].State, len(l.x.spis))
			}
		})
	})
}

// Public values that RFC 6989 forbids end the exchange as a matter of syntax and never as one of proposals or limits.
func TestBadPublicValue(t *testing.T) {
	zero := make([]byte, 32) // of X25519: the shared secret would be zero
	t.Run("CREATE_CHILD_SA request", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			p := rekeyPayloads(l.x, l.x.liveChildren()[0])
			ke, _ := find[*wire.KE](p)
			ke.Data = zero
			l.x.send(wire.ExchangeCreateChildSA, p...)
			l.word("x>")
			l.word("y=N(INVAL_SYN)")
			if !l.y.hasFailure(diag.CodeSyntax) || len(l.y.spis) != 0 {
				l.t.Errorf("y reported %v and holds %d SPIs", l.y.failures, len(l.y.spis))
			}
		})
	})
	t.Run("IKE rekeying request", func(t *testing.T) {
		play(t, "", nil, nil, func(l *ladder) {
			m := l.x.machine()
			p := built(m, l.r.now, &rekeyIKETask{})
			ke, _ := find[*wire.KE](p)
			ke.Data = zero
			l.x.send(wire.ExchangeCreateChildSA, p...)
			l.word("x>")
			l.word("y=N(INVAL_SYN)")
		})
	})
	t.Run("IKE_SA_INIT request", func(t *testing.T) {
		r := newRig(t, 31, nil)
		r.a.desk.carryOut = func(k KeyExchange) Result { return Exchanged{Own: badKE{k.Group, zero}} }
		r.a.connect()
		r.run(time.Minute)
		if f := r.b.wantFailure(diag.CodeKEValue); f.Notify != "INVALID_SYNTAX" {
			t.Errorf("answered with %s", f.Notify)
		}
		r.a.wantNothing()
		r.b.wantNothing()
	})
	t.Run("IKE_SA_INIT response", func(t *testing.T) {
		r := newRig(t, 32, nil)
		// The responder computes what it likes and sends zero.
		r.b.desk.carryOut = func(KeyExchange) Result { return Exchanged{Public: zero, Shared: slices.Repeat([]byte{1}, 32)} }
		r.a.connect()
		r.run(time.Minute)
		r.a.wantFailure(diag.CodeKEValue)
		r.a.wantNothing()
	})
}

// badKE sends a public value of its own choice.
type badKE struct {
	group  uint16
	public []byte
}

func (k badKE) Group() uint16                      { return k.group }
func (k badKE) Public() []byte                     { return k.public }
func (k badKE) Shared(peer []byte) ([]byte, error) { return slices.Repeat([]byte{1}, 32), nil }

// A peer can have so many CHILD SAs and no more: NO_ADDITIONAL_SAS (pitfall C14).
func TestChildLimit(t *testing.T) {
	play(t, "", groups(t, "aes128gcm16", "aes128gcm16"), nil, func(l *ladder) {
		more := func() {
			p := offered(l.x.machine(), l.r.now, l.x.cfg.Children[0], nil)
			l.x.send(wire.ExchangeCreateChildSA, p...)
			l.word("x>")
		}
		for len(l.y.machine().children) < maxChildren {
			more()
			l.word("y=TSr")
			l.word("y>")
		}
		more()
		l.word("y=N(NO_ADD_SAS)")
		l.word("y>")
		if !l.y.hasFailure(diag.CodeLimit) {
			l.t.Errorf("y reported %v", l.y.failures)
		}
		// A rekeying is no further child.
		l.x.send(wire.ExchangeCreateChildSA, rekeyPayloads(l.x, l.x.liveChildren()[0])...)
		l.word("x>")
		l.word("y=TSr")
	})
}

// "In the unlikely event that Message IDs grow too large to fit in 32 bits, the IKE SA MUST be closed or rekeyed."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.2
func TestMessageIDsRunOut(t *testing.T) {
	for _, sender := range []string{"x", "y"} {
		t.Run(sender+"'s requests", func(t *testing.T) {
			play(t, "", nil, nil, func(l *ladder) {
				e, o := l.side(sender), l.y
				if sender == "y" {
					o = l.x
				}
				e.machine().window.nextSend, o.machine().window.nextRecv = rekeyMessageID, rekeyMessageID
				e.send(wire.ExchangeInformational)
				l.word("!")
				l.r.wantUp(1)
				if countEvents[Replaced](l.x) != 1 {
					l.t.Errorf("the IKE SA was rekeyed %d times", countEvents[Replaced](l.x))
				}
			})
			play(t, "", nil, nil, func(l *ladder) {
				e, o := l.side(sender), l.y
				if sender == "y" {
					o = l.x
				}
				l.x.machine().life.rekeyAt, l.y.machine().life.rekeyAt = time.Time{}, time.Time{}
				e.machine().window.nextSend, o.machine().window.nextRecv = maxMessageID, maxMessageID
				e.send(wire.ExchangeInformational)
				l.word(sender + ">")
				l.word("!")
				l.wantGone()
			})
		})
	}
}

// "If a peer continues to receive TEMPORARY_FAILURE on the same IKE SA after several minutes, it SHOULD conclude that the
// state information is out of sync and close the IKE SA." https://www.rfc-editor.org/rfc/rfc7296#section-2.25
func TestTemporaryFailureForEver(t *testing.T) {
	for _, what := range []string{"rekey", "rekeyike"} {
		t.Run(what, func(t *testing.T) {
			play(t, "", nil, nil, func(l *ladder) {
				// y waits for an answer that never comes: it can neither rekey nor be rekeyed.
				m := l.y.machine()
				m.pending = &outstanding{task: &rekeyIKETask{rival: &Machine{state: StateClosed}}, id: m.window.nextSend}
				if what == "rekeyike" {
					m.pending.task = &deleteChildTask{child: m.children[0]}
				}
				m.pending.next = l.r.now.Add(time.Hour)
				l.word("x:" + what)
				l.word("x>")
				l.word("y=N(TEMP_FAIL)")
				l.word("y>")
				l.word("x~") // not at once
				l.r.run(temporaryLimit - time.Second)
				if len(l.x.live()) != 1 {
					l.t.Fatal("the IKE SA is gone too early")
				}
				asked := 0
				for _, o := range l.x.events {
					if d, ok := o.(ExchangeDone); ok && d.Initiated && d.Exchange == wire.ExchangeCreateChildSA {
						asked++
					}
				}
				if asked < 10 || asked > 70 {
					l.t.Errorf("x asked %d times in %s", asked, temporaryLimit)
				}
				l.r.run(time.Minute)
				if len(l.x.live()) != 0 {
					l.t.Error("the IKE SA is still there")
				}
			})
		})
	}
}

// A request that waits and is put off does not keep its SPI when the SA ends before its time has come.
func TestWaitingRequestsReleaseTheirSPIs(t *testing.T) {
	play(t, "y:delete y:create yx x:rekey x> y=N(TEMP_FAIL)", nil, nil, func(l *ladder) {
		l.word("x:create")
		l.word("y:rekeyike")
		l.word("y>")
		for _, e := range []*end{l.x, l.y} {
			for _, m := range e.all() {
				m.Abandon(l.r.now, "test")
				e.drain(m)
			}
		}
		l.wantGone()
	})
}

// The peer behind a NAT whose mapping changes is followed while a rekeying is outstanding as well: its answer, and our
// repetitions, depend on it.
func TestPeerMovesWhileRekeying(t *testing.T) {
	play(t, "y:rekeyike yx", nil, nil, func(l *ladder) {
		m := l.y.machine()
		m.nat.local, m.nat.remote = false, true
		from := withPort(m.path.Remote, 31337)
		m.PeerMoved(l.r.now, m.children[0].ID, from)
		l.y.drain(m)
		if m.Path().Remote != from {
			l.t.Errorf("the path is %s", m.Path())
		}
		l.word("y^")
		if f := l.held[len(l.held)-1]; f.path.Local != from {
			l.t.Errorf("the repetition goes to %s", f.path.Local)
		}
	})
}

// A responder whose data plane has no SPI left answers NO_ADDITIONAL_SAS in IKE_AUTH as well, and the IKE SA is up.
func TestNoSPIInAuth(t *testing.T) {
	r := newRig(t, 34, nil)
	r.b.env.AllocateSPI = func() (uint32, error) { return 0, errors.New("none left") }
	r.a.connect()
	r.run(time.Second)
	r.a.wantFailure(diag.CodeLimit)
	r.b.wantFailure(diag.CodeInstall)
	r.run(time.Minute)
	r.a.wantNothing()
	r.b.wantNothing()
}

// espSPIBytes is an SPI as payloads carry it.
func espSPIBytes(spi uint32) []byte { return binary.BigEndian.AppendUint32(nil, spi) }

// INVALID_SYNTAX "is considered fatal in both peers, meaning that the IKE SA is deleted without needing an explicit Delete
// payload": the side that made the request closes as well. https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3
func TestInvalidSyntaxEndsBothSides(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		p := rekeyPayloads(l.x, l.x.liveChildren()[0])
		l.x.send(wire.ExchangeCreateChildSA, p[:2]...) // N(REKEY_SA) and SA
		for _, w := range []string{"x>", "y=N(INVAL_SYN)", "y>", "x~", "!"} {
			l.word(w)
		}
		if len(l.x.live())+len(l.y.live()) != 0 || !l.x.hasFailure(diag.CodeSyntax) {
			l.t.Errorf("%d and %d IKE SAs are left; x reported %v", len(l.x.live()), len(l.y.live()), l.x.failures)
		}
	})
}

// "If an SA has expired or is about to expire and rekeying attempts using the mechanisms described here fail, an
// implementation MUST close the IKE SA and any associated Child SAs and then MAY start new ones."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.8
func TestExpiryAfterRefusedRekeying(t *testing.T) {
	lifetimes := func(x, y *Config) { x.Children[0].RekeyTime, x.Children[0].HardTime = time.Minute, 2*time.Minute }
	t.Run("refused", func(t *testing.T) {
		play(t, "", lifetimes, nil, func(l *ladder) {
			l.y.env.AllocateSPI = func() (uint32, error) { return 0, errNoSPI } // NO_ADDITIONAL_SAS, for ever
			l.r.run(3 * time.Minute)
			l.wantGone()
			if !l.x.hasFailure(diag.CodeExpired) || !l.x.hasFailure(diag.CodeLimit) {
				l.t.Errorf("x reported %v", l.x.failures)
			}
		})
	})
	t.Run("never tried", func(t *testing.T) {
		// A lifetime without rekeying ends the child and nothing else.
		play(t, "", func(x, y *Config) { x.Children[0].HardTime = time.Minute }, nil, func(l *ladder) {
			l.r.run(3 * time.Minute)
			l.wantNoChild()
		})
	})
}

// A late copy of the IKE_SA_INIT request of an SA that is established makes nothing new: "it belongs to an existing IKE SA
// where the IKE_AUTH request has been already received (in which case the responder ignores it)".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.1
func TestLateInit(t *testing.T) {
	r := newRig(t, 35, nil)
	r.a.connect()
	f := r.wire[0]
	r.run(time.Second)
	r.wantUp(1)
	f.at = r.now
	r.b.receive(f)
	if len(r.wire) != 0 || len(r.b.all()) != 1 {
		t.Errorf("%d answers, %d SAs", len(r.wire), len(r.b.all()))
	}
}

// An initiator that cannot accept the answer to IKE_AUTH says so in an INFORMATIONAL exchange with one of three errors,
// "the only ones to cause the IKE SA to be deleted or not created, without a Delete payload".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
func TestErrorsAfterAuth(t *testing.T) {
	for n, ends := range map[wire.NotifyType]bool{
		wire.NotifyAuthenticationFailed: true, wire.NotifyInvalidSyntax: true, wire.NotifyUnsupportedCriticalPayload: true,
		wire.NotifyTSUnacceptable: false, wire.NotifyNoProposalChosen: false, wire.NotifyInvalidSPI: false, 40000: false,
	} {
		play(t, "", nil, nil, func(l *ladder) {
			l.x.send(wire.ExchangeInformational, &wire.Notify{NotifyType: n})
			l.word("x>")
			l.word("y=[,]")
			if got := len(l.y.live()) == 0; got != ends {
				l.t.Errorf("%s: the SA has ended: %v", n, got)
			}
		})
	}
}

// An IKE SA that has ended repeats its last answer, and takes no further request.
func TestEndedTakesNoFurtherRequest(t *testing.T) {
	play(t, "", nil, nil, func(l *ladder) {
		p := rekeyPayloads(l.x, l.x.liveChildren()[0])
		l.x.send(wire.ExchangeCreateChildSA, p[:2]...) // N(REKEY_SA) and SA
		l.word("x>")
		l.word("y=N(INVAL_SYN)")
		l.x.machine().pending = nil // whatever was answered
		l.x.send(wire.ExchangeInformational)
		l.y.events = nil
		l.word("x>")
		if i, ok := l.y.events[len(l.y.events)-1].(Ignored); !ok || i.Reason != IgnoreMessageID {
			t.Errorf("y made of it %v", l.y.events)
		}
	})
}
