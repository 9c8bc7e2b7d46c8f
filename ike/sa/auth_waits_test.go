package sa

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// proofs has a side's requests for parts of a proof end as how says; key exchanges are completed at once. It returns how many there
// were.
func (e *end) proofs(how func(n int) outcome) *int {
	n := new(int)
	e.desk.late = func(r Request) outcome {
		if _, ok := r.Want.(Proof); !ok {
			return outcome{}
		}
		*n++
		return how(*n)
	}
	return n
}

// waiters are the proofs that wait: who proves itself, and whether it is the one who makes the proof or the one who checks it.
func waiters(t *testing.T, f func(t *testing.T, who string, k talk, waiter func(r *rig) *end)) {
	for _, who := range []string{"initiator", "responder"} {
		for _, checks := range []bool{false, true} {
			for _, messages := range []int{1, 3} {
				k := talk{messages: messages, proverAsks: 2}
				if checks {
					k = talk{messages: messages, checkerAsks: 2}
				}
				t.Run(fmt.Sprintf("%s, checked %v, %d messages", who, checks, messages), func(t *testing.T) {
					f(t, who, k, func(r *rig) *end {
						if (who == "initiator") != checks {
							return r.a
						}
						return r.b
					})
				})
			}
		}
	}
}

// A proof waits for what it needs, in each role, and nothing is asked for, sent or counted twice.
func TestProofWaits(t *testing.T) {
	for name, how := range map[string]func(int) outcome{
		"for a while":   func(int) outcome { return outcome{after: 300 * time.Millisecond} },
		"for long":      func(int) outcome { return outcome{after: 7 * time.Second} },
		"done twice":    func(int) outcome { return outcome{after: time.Second, twice: true} },
		"one at a time": func(n int) outcome { return outcome{after: time.Duration(n) * time.Second} },
	} {
		t.Run(name, func(t *testing.T) {
			waiters(t, func(t *testing.T, who string, k talk, waiter func(r *rig) *end) {
				r := newTalkRig(t, who, k, ikeProposals(t, hybrid, hybrid))
				e := waiter(r)
				n := e.proofs(how)
				r.a.connect()
				r.run(25 * time.Second)
				r.wantUp(1)
				if *n != 2 {
					t.Errorf("%d requests", *n)
				}
				for _, e := range []*end{r.a, r.b} {
					if got := len(e.rounds()); got != k.messages {
						t.Errorf("%s: %d rounds", e.name, got)
					}
					if len(e.failures) != 0 {
						t.Errorf("%s: %v", e.name, e.failures)
					}
				}
				if name == "for long" && e == r.b && r.b.ignored(IgnorePending) == 0 {
					t.Error("no copy of the request came while it waited")
				}
			})
		})
	}
}

// Both proofs of one message wait, one after the other.
func TestBothProofsWait(t *testing.T) {
	r := newTalkRig(t, "both", talk{messages: 2, proverAsks: 2, checkerAsks: 1}, nil)
	na := r.a.proofs(func(int) outcome { return outcome{after: time.Second} })
	nb := r.b.proofs(func(int) outcome { return outcome{after: time.Second} })
	r.a.connect()
	r.run(20 * time.Second)
	r.wantUp(1)
	if *na != 3 || *nb != 3 {
		t.Errorf("%d and %d requests", *na, *nb)
	}
}

// A proof comes to nothing when what it needs does.
func TestProofWaitsInVain(t *testing.T) {
	for _, how := range []string{"a defect", "no time", "lost"} {
		t.Run(how, func(t *testing.T) {
			waiters(t, func(t *testing.T, who string, k talk, waiter func(r *rig) *end) {
				r := newTalkRig(t, who, k, nil)
				e := waiter(r)
				n := e.proofs(func(int) outcome {
					switch how {
					case "a defect":
						return outcome{after: time.Second, err: errors.New("a defect")}
					case "no time":
						return outcome{after: time.Second, err: &RequestError{"a proof", "no worker"}}
					}
					return outcome{lost: true}
				})
				r.a.connect()
				r.run(10 * time.Minute)
				code := diag.CodeBusy
				if how == "a defect" {
					code = diag.CodeInternal
				}
				e.wantFailure(code)
				if countEvents[ChildUp](e) != 0 {
					t.Error("it came up")
				}
				// An answer that can't be judged now is taken for lost, and asked for again, as often as any other.
				if most := 2 * (1 + r.a.cfg.Retransmit.Tries); *n > most {
					t.Errorf("%d requests", *n)
				}
				r.a.wantNothing()
				if e == r.b || k.checkerAsks == 0 {
					r.b.wantNothing()
				}
			})
		})
	}
}

// What could not be had at first is had when the answer comes again.
func TestProofIsJudgedLater(t *testing.T) {
	r := newTalkRig(t, "responder", talk{messages: 1, checkerAsks: 1}, nil)
	r.a.proofs(func(n int) outcome {
		if n == 1 {
			return outcome{after: time.Second, err: &RequestError{"a proof", "no worker"}}
		}
		return outcome{after: time.Second}
	})
	r.a.connect()
	r.run(20 * time.Second)
	r.wantUp(1)
}

// What is kept of a first request counts while its proof is judged: nobody has proved anything yet.
func TestHeldWhileProofWaits(t *testing.T) {
	r := newTalkRig(t, "initiator", talk{messages: 1, checkerAsks: 1}, nil)
	r.b.proofs(func(int) outcome { return outcome{held: true} })
	r.a.connect()
	r.run(15 * time.Millisecond)
	m := r.b.all()[0]
	before := m.Held()
	r.run(time.Second)
	if got, want := m.Held()-before, len(wire.AppendPayloads(nil, m.flow.first.payloads)); got != want || want < 150 {
		t.Errorf("%d octets more are held, want %d", got, want)
	}
}

// The end comes first: what is done afterwards does nothing.
func TestEndWhileProofWaits(t *testing.T) {
	for _, how := range []string{"operator", "half-open for too long"} {
		t.Run(how, func(t *testing.T) {
			waiters(t, func(t *testing.T, who string, k talk, waiter func(r *rig) *end) {
				r := newTalkRig(t, who, k, func(a, b *Config) { b.HalfOpenTimeout = 12 * time.Second })
				e := waiter(r)
				e.proofs(func(int) outcome { return outcome{held: true} })
				r.a.connect()
				r.run(time.Second)
				if len(e.desk.open) != 1 {
					t.Fatalf("%d requests wait", len(e.desk.open))
				}
				if how == "operator" {
					for _, m := range e.all() {
						m.Delete(r.now, how)
						e.drain(m)
					}
				}
				r.run(12 * time.Second)
				if e == r.b || how == "operator" {
					if n := len(e.live()); n != 0 {
						t.Fatalf("%d IKE SAs are left", n)
					}
				}
				before := len(e.events)
				if x := e.desk.open[0]; how == "operator" || e == r.b {
					e.desk.complete(e, x)
					if len(e.events) != before {
						t.Errorf("%T", e.events[before])
					}
				}
				r.run(5 * time.Minute)
				e.wantNothing()
			})
		})
	}
}
