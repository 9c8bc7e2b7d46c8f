package sa

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// severalKEs gives both sides two additional key exchanges, one of them a KEM, for the IKE SA and its children.
func severalKEs(t *testing.T) func(x, y *Config) {
	return sides(t, "aes128gcm16-prfsha256-x25519-ke1_mlkem768-ke2_ecp256", "aes128gcm16-x25519-ke1_mlkem768-ke3_ecp256")
}

func sides(t *testing.T, ike, esp string) func(x, y *Config) {
	return func(x, y *Config) {
		for _, c := range []*Config{x, y} {
			c.Proposals = mustProposals(t, wire.ProtocolIKE, ike)
			c.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, esp)
		}
	}
}

// oneKE is severalKEs with a single one.
func oneKE(t *testing.T) func(x, y *Config) {
	return sides(t, "aes128gcm16-prfsha256-x25519-ke1_ecp256", "aes128gcm16-x25519-ke1_ecp256")
}

// RFC 9370 section 2.2.4: IKE_FOLLOWUP_KE exchanges behind CREATE_CHILD_SA in its three uses. The SA exists after the last.
func TestFollowup(t *testing.T) {
	t.Run("child rekey", func(t *testing.T) {
		play(t, "x:rekey x> y=SA,No,KE,TSi,TSr,N(ADD_KE) y> x*Q x> y=[,KE,N(ADD_KE),] x#1 y#1 y> x*Q x> y=[,KE,]", severalKEs(t), nil, func(l *ladder) {
			l.word("y>")
			l.word("x>")
			l.word("y=[,D,]")
			l.word("!")
			l.wantChild("x")
			if c := l.x.liveChildren()[0].Chosen; c.String() != "aes128gcm16-x25519-ke1_mlkem768-ke3_ecp256" {
				t.Errorf("the child has %s", c)
			}
		})
	})
	t.Run("IKE rekey", func(t *testing.T) {
		play(t, "x:rekeyike x> y=SA,No,KE,N(ADD_KE) y> x*Q x> y=[,KE,N(ADD_KE),] y> x> y=[,KE,] y> x> !", severalKEs(t), nil, func(l *ladder) {
			l.wantIKE("x")
			if !bytes.Equal(l.x.live()[0].keys.D, l.y.live()[0].keys.D) {
				t.Error("SK_d differs")
			}
		})
	})
	t.Run("child creation", func(t *testing.T) {
		play(t, "x:delete ! x:create x> y=SA,No,KE,TSi,TSr,N(ADD_KE) y> x> y> x#0 x> y#1 y> x#1 !", severalKEs(t), nil, func(l *ladder) {
			l.r.wantUp(1)
		})
	})
	t.Run("the first group is not the peer's", func(t *testing.T) {
		play(t, "x:rekey x> y=N(INVAL_KE) y> x> y=N(ADD_KE) y> x> y=KE y> !", func(x, y *Config) {
			x.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes128gcm16-ecp256-x25519-ke1_mlkem768")
			y.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes128gcm16-x25519-ke1_mlkem768")
		}, nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("NONE is chosen", func(t *testing.T) {
		play(t, "x:rekey x> y=SA,No,KE,TSi,TSr y> x> y=[,D,] !", func(x, y *Config) {
			x.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes128gcm16-x25519-ke1_mlkem768-ke1_none")
		}, nil, func(l *ladder) { l.wantChild("x") })
	})
	t.Run("every message is lost once", func(t *testing.T) {
		small := sides(t, "aes128gcm16-prfsha256-x25519-ke1_ecp256-ke2_ecp384", "aes128gcm16-x25519-ke1_ecp256-ke2_ecp384")
		for _, what := range []string{"rekey", "rekeyike"} {
			play(t, "x:"+what+" xx x^ x> yx x^ x> y> xx x^ x> yx x^ x> y> xx x^ x> yx x^ x> y> !", small, nil, func(l *ladder) { l.wantChild("") })
		}
	})
	t.Run("fragments", func(t *testing.T) {
		play(t, "x:rekey ! x:rekeyike ! y:rekey ! y:rekeyike !", func(x, y *Config) {
			severalKEs(t)(x, y)
			x.FragmentSize, y.FragmentSize = 200, 300
		}, nil, func(l *ladder) { l.wantIKE("y") })
	})
}

// The keys are those of the formulas: KEYMAT = prf+ (SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n)), and the same for SKEYSEED.
func TestFollowupKeys(t *testing.T) {
	play(t, "", severalKEs(t), nil, func(l *ladder) {
		var nonces, secrets [][]byte
		record := func(e *end) {
			nonce := e.env.Nonce
			e.desk.carryOut = func(k KeyExchange) Result {
				r := k.CarryOut()
				if x, ok := r.(Exchanged); ok && k.Own == nil && k.Peer != nil {
					secrets = append(secrets, x.Shared)
				}
				return r
			}
			e.env.Nonce = func(n int) []byte {
				b := nonce(n)
				if n == nonceLen {
					nonces = append(nonces, b)
				}
				return b
			}
		}
		record(l.x)
		record(l.y)
		m := l.x.machine()
		for _, w := range strings.Fields("x:rekey x> y> x> y> x> y> x> y>") {
			l.word(w)
		}
		if len(secrets) != 3 || len(nonces) != 2 {
			t.Fatalf("%d secrets, %d nonces", len(secrets), len(nonces))
		}
		c := l.x.liveChildren()[0]
		mat, err := suite.ChildKeyMat(m.prf, m.keys.D, secrets[0], nonces[0], nonces[1], 40, secrets[1:]...)
		if err != nil || !bytes.Equal(c.Outbound.EncrKey, mat[:20]) || !bytes.Equal(c.Inbound.EncrKey, mat[20:]) {
			t.Errorf("the child has other keys: %v", err)
		}
		secrets, nonces = nil, nil
		for _, w := range strings.Fields("x:rekeyike x> y> x> y> x> y>") {
			l.word(w)
		}
		fresh := m.successor
		if fresh == nil {
			t.Fatal("no successor")
		}
		keys, err := suite.DeriveKeys(fresh.chosen, suite.RekeySKEYSEED(m.prf, m.keys.D, secrets[0], nonces[0], nonces[1], secrets[1:]...),
			nonces[0], nonces[1], fresh.spii(), fresh.spir())
		if err != nil || !bytes.Equal(keys.D, fresh.keys.D) || !bytes.Equal(keys.Er, fresh.keys.Er) {
			t.Errorf("the IKE SA has other keys: %v", err)
		}
	})
}

// Both sides rekey at once. With additional key exchanges nothing is made yet when the nonces decide: whoever has used the
// lowest stops.
func TestFollowupCollision(t *testing.T) {
	for _, c := range []struct {
		name   string
		x, y   []byte // first octets of their nonces: of the request, of the answer
		winner string
	}{
		{"lowest in x's request", []byte{1, 7}, []byte{6, 5}, "y"},
		{"lowest in y's answer to x", []byte{5, 7}, []byte{6, 1}, "y"},
		{"lowest in y's request", []byte{5, 7}, []byte{1, 6}, "x"},
		{"lowest in x's answer to y", []byte{5, 1}, []byte{7, 6}, "x"},
	} {
		// x-nonces: request then answer; the links take nonces as well, which follow.
		nonces := map[string][]byte{"x": c.x, "y": c.y}
		loser := map[string]string{"x": "y", "y": "x"}[c.winner]
		for _, what := range []string{"rekey", "rekeyike"} {
			want := func(l *ladder) {
				if what == "rekey" {
					l.wantChild(c.winner)
				} else {
					l.wantIKE(c.winner)
				}
			}
			start := fmt.Sprintf("x:%s y:%s ", what, what)
			for i, script := range []string{
				// Requests cross, the answers cross.
				start + "x> y> x> y> " + loser + "~ !",
				// The winner's answer comes late: the other one's series runs meanwhile.
				start + "x> y> " + loser + "> " + winnerRuns(c.winner) + " !",
				// The loser's answer comes first.
				start + "x> y> " + c.winner + "> " + loser + "*A " + loser + "> " + loser + "~ " + c.winner + "*Q !",
				// Repeated requests.
				start + "x+ y+ x> y> !",
			} {
				t.Run(fmt.Sprintf("%s, %s, %d", what, c.name, i), func(t *testing.T) {
					play(t, script, severalKEs(t), nonces, want)
				})
			}
		}
	}
}

// winnerRuns plays the winner's series up to its last exchange while the loser still waits for its answer.
func winnerRuns(w string) string {
	o := map[string]string{"x": "y", "y": "x"}[w]
	// The winner has its answer; the one it gave is still on the wire in front of its requests.
	return fmt.Sprintf("%s>2 %s> %s>2 %s>", w, o, w, o)
}

// A request of one side is lost, so that the other does not know of it and goes on with its series: "a TEMPORARY_FAILURE
// notification MUST be sent in response to such a request" when it comes at last (RFC 9370 section 2.2.4).
func TestFollowupTemporaryFailure(t *testing.T) {
	for _, what := range []string{"rekey", "rekeyike"} {
		for _, nonces := range []map[string][]byte{{"x": {1, 2}, "y": {3, 4}}, {"x": {3, 4}, "y": {1, 2}}} {
			t.Run(fmt.Sprint(what, nonces["x"]), func(t *testing.T) {
				start := fmt.Sprintf("x:%s y:%s xx ", what, what)
				// In the middle of the series.
				play(t, start+"y> x> y*Q x^ x> y=N(TEMP_FAIL) !", severalKEs(t), nonces, func(l *ladder) { l.wantChild("") })
				// After it.
				play(t, start+"y> x> y> x> y> x> x^ x> y=N(TEMP_FAIL) !", severalKEs(t), nonces, func(l *ladder) { l.wantChild("") })
				// After its end is known to both.
				play(t, start+"y> x> y> x> y> x> y> x> !", severalKEs(t), nonces, func(l *ladder) { l.wantChild("") })
			})
		}
	}
	t.Run("IKE rekey during a child's series", func(t *testing.T) {
		play(t, "x:rekey x> y> y:rekeyike y> x=N(TEMP_FAIL) x> y> x> !", severalKEs(t), nil, func(l *ladder) { l.wantChild("") })
	})
	t.Run("child rekey during the IKE SA's series", func(t *testing.T) {
		// y waits for the end of it.
		play(t, "x:rekeyike x> y> y:rekey y~ x> y> x> y> !", severalKEs(t), nil, func(l *ladder) { l.wantChild("") })
	})
	t.Run("the child is deleted during its series", func(t *testing.T) {
		play(t, "x:rekey x> y> y:delete x> y=N(TEMP_FAIL)", severalKEs(t), nil, func(l *ladder) {
			l.word("!")
			l.wantNoChild()
		})
		play(t, "x:rekey x> y> y:delete y> x> !", severalKEs(t), nil, func(l *ladder) { l.wantNoChild() })
		play(t, "x:rekey x> y> x:delete x> y> !", severalKEs(t), nil, func(l *ladder) { l.wantNoChild() })
	})
	t.Run("the IKE SA is deleted during a series", func(t *testing.T) {
		for _, what := range []string{"rekey", "rekeyike"} {
			play(t, "x:"+what+" x> y> y:deleteike !", severalKEs(t), nil, func(l *ladder) { l.wantGone() })
			play(t, "x:"+what+" x> y> x:deleteike !", severalKEs(t), nil, func(l *ladder) { l.wantGone() })
			play(t, "x:"+what+" x> y> x> y:deleteike y> !", severalKEs(t), nil, func(l *ladder) { l.wantGone() })
		}
	})
}

// Both sides create the child at once.
func TestFollowupTwins(t *testing.T) {
	for _, script := range []string{
		"x:create y:create !", "x:create x> y:create !", "x:create y:create x> y> x> y> !",
		"x:create y:create x> y> y> x> y> x> y> x> !", "x:create y:create x> y> x> y> xx y> !",
	} {
		for _, n := range []map[string][]byte{{"x": {1, 2}, "y": {3, 4}}, {"x": {3, 4}, "y": {1, 2}}, {"x": {4, 1}, "y": {2, 3}}} {
			play(t, "x:delete ! "+script, oneKE(t), n, func(l *ladder) { l.r.wantUp(1) })
		}
	}
}

// The responder forgets a series whose next request does not come, and says STATE_NOT_FOUND; the initiator tries again.
func TestFollowupStateNotFound(t *testing.T) {
	for _, what := range []string{"rekey", "rekeyike"} {
		t.Run(what, func(t *testing.T) {
			play(t, "x:"+what+" x> y> xx", severalKEs(t), nil, func(l *ladder) {
				y := l.y.machine()
				l.r.now = l.r.now.Add(followupTimeout)
				y.Advance(l.r.now)
				l.y.drain(y)
				if len(y.answering) != 0 || len(l.y.spis) != 1 {
					t.Errorf("y keeps %d series and %d SPIs", len(y.answering), len(l.y.spis))
				}
				for _, w := range strings.Fields("x^ x> y=N(STATE_NOT_FOUND)") {
					l.word(w)
				}
				l.word("!")
				l.wantChild("")
				if countEvents[ChildReplaced](l.x)+countEvents[Replaced](l.x) != 1 {
					t.Error("x has not tried again")
				}
			})
		})
	}
	t.Run("again and again", func(t *testing.T) {
		for _, what := range []string{"rekey", "rekeyike", "create"} {
			play(t, "", severalKEs(t), nil, func(l *ladder) {
				if what == "create" {
					l.word("x:delete")
					l.word("!")
				}
				l.r.drop = func(e *end, d []byte) bool {
					if e == l.x && headerOf(d).Exchange == wire.ExchangeIKEFollowupKE {
						for _, m := range l.y.all() {
							m.dropAllAnswering()
						}
					}
					return false
				}
				l.word("x:" + what)
				for range 4 {
					l.word("!")
				}
				l.wantGone()
				found := false
				for _, f := range l.x.failures {
					found = found || f.Notify == "STATE_NOT_FOUND"
				}
				if !found {
					t.Errorf("%s: x reported %v", what, l.x.failures)
				}
			})
		}
	})
}

// Messages that make no sense, and a bound on what is kept for a peer.
func TestFollowupMalformed(t *testing.T) {
	link := func(l *ladder) *wire.Notify {
		return &wire.Notify{NotifyType: wire.NotifyAdditionalKeyExchange, Data: l.y.machine().answering[0].link}
	}
	good := &wire.KE{Group: wire.KE_ML_KEM_768}
	for _, c := range []struct {
		name    string
		request func(l *ladder) []wire.Payload
		answer  string
		fatal   bool
	}{
		{"no link", func(l *ladder) []wire.Payload { return []wire.Payload{good} }, "N(STATE_NOT_FOUND)", false},
		{"nothing", func(l *ladder) []wire.Payload { return nil }, "N(STATE_NOT_FOUND)", false},
		{"another link", func(l *ladder) []wire.Payload {
			n := link(l)
			n.Data = append([]byte{n.Data[0] ^ 1}, n.Data[1:]...)
			return []wire.Payload{good, n}
		}, "N(STATE_NOT_FOUND)", false},
		{"an empty link", func(l *ladder) []wire.Payload {
			return []wire.Payload{good, &wire.Notify{NotifyType: wire.NotifyAdditionalKeyExchange}}
		}, "N(STATE_NOT_FOUND)", false},
		{"no KE", func(l *ladder) []wire.Payload { return []wire.Payload{link(l)} }, "N(INVAL_SYN)", true},
		{"the method of the second", func(l *ladder) []wire.Payload { return []wire.Payload{&wire.KE{Group: wire.KE_ECP_256}, link(l)} }, "N(INVAL_SYN)", true},
		{"a value of a wrong length", func(l *ladder) []wire.Payload { return []wire.Payload{good, link(l)} }, "N(INVAL_SYN)", true},
		{"a value that is not one", func(l *ladder) []wire.Payload {
			return []wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: bytes.Repeat([]byte{0xff}, 1184)}, link(l)}
		}, "N(INVAL_SYN)", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, "x:rekey x> yx", severalKEs(t), nil, func(l *ladder) {
				m := l.x.machine()
				m.pending = nil
				l.x.send(wire.ExchangeIKEFollowupKE, c.request(l)...)
				l.word("x>")
				l.word("y=" + c.answer)
				if c.fatal != l.y.hasFailure(diag.CodeSyntax) {
					t.Errorf("y reported %v", l.y.failures)
				}
				if c.fatal && len(l.y.spis) != 0 {
					t.Errorf("y holds %d SPIs", len(l.y.spis))
				}
			})
		})
	}
	t.Run("answers", func(t *testing.T) {
		for name, change := range map[string]func([]wire.Payload) []wire.Payload{
			"no link":        func(p []wire.Payload) []wire.Payload { return p[:1] },
			"no KE":          func(p []wire.Payload) []wire.Payload { return p[1:] },
			"another method": func(p []wire.Payload) []wire.Payload { p[0].(*wire.KE).Group = wire.KE_ML_KEM_1024; return p },
			"a short value":  func(p []wire.Payload) []wire.Payload { p[0].(*wire.KE).Data = make([]byte, 5); return p },
		} {
			for _, what := range []string{"rekey", "rekeyike"} {
				play(t, "x:"+what+" x> y>", severalKEs(t), nil, func(l *ladder) {
					m := l.x.machine()
					r := &response{now: l.r.now, header: wire.Header{Exchange: wire.ExchangeIKEFollowupKE},
						payloads: change([]wire.Payload{&wire.KE{Group: wire.KE_ML_KEM_768, Data: make([]byte, 1088)},
							&wire.Notify{NotifyType: wire.NotifyAdditionalKeyExchange, Data: []byte{1}}})}
					carriedOut(m, func() { m.pending.task.(protectedTask).done(m, r) })
					if len(l.x.failures) == 0 {
						l.x.drain(m)
					}
					if len(l.x.failures) != 1 {
						t.Errorf("%s, %s: x reported %v", what, name, l.x.failures)
					}
					if c := m.children[0]; !c.live() {
						t.Errorf("%s, %s: the child is %s", what, name, c.State)
					}
				})
			}
		}
	})
	t.Run("a peer that begins and begins", func(t *testing.T) {
		play(t, "", severalKEs(t), nil, func(l *ladder) {
			for range 3 * maxAnswering {
				p := offered(l.x.machine(), l.r.now, l.x.cfg.Children[0], nil)
				l.x.send(wire.ExchangeCreateChildSA, p...)
				l.word("x>")
				l.word("y=N(ADD_KE)")
				l.word("y>")
			}
			y := l.y.machine()
			if len(y.answering) != maxAnswering || len(l.y.spis) != maxAnswering+1 {
				t.Errorf("y keeps %d series and %d SPIs", len(y.answering), len(l.y.spis))
			}
			l.r.run(followupTimeout + time.Second)
			if len(y.answering) != 0 || len(l.y.spis) != 1 {
				t.Errorf("y keeps %d series and %d SPIs", len(y.answering), len(l.y.spis))
			}
		})
	})
}
