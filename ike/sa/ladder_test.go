package sa

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// ladder plays an exchange message by message. Nothing is delivered, lost or repeated unless the script says so. The two
// sides are x and y; every script is played with x as the original initiator of the IKE SA and once more with the roles
// exchanged.
//
// A script is a list of words:
//
//	x:rekey     x rekeys its child          x:rekeyike   x rekeys the IKE SA
//	x:delete    an operator deletes it      x:deleteike  an operator deletes the IKE SA
//	x:expire    the child x has replaced, or its only one, reaches its hard lifetime
//	x:create    x asks for the child        x:lose       x forgets the child without a word
//	x>  x>2     the oldest (second oldest) datagram of x that is on the wire arrives
//	xx  xx2     it is lost                  x+           it arrives, and stays on the wire to arrive again
//	x^          x's retransmission timer fires
//	x=TEXT      the last answer that x gave contains TEXT, in the notation of the log, with commas for spaces
//	x*TEXT      the oldest datagram of x on the wire is a request (TEXT is Q) or an answer (TEXT is A)
//	x#2         x has that many live children
//	x~          x has nothing on the wire
//	x:wait      from now on, what x asks for (sa.Request) waits
//	x.  x.2     the oldest (second oldest) of x's requests is completed
//	x.busy      it is, as one that x has no time for; x.bad as one with a defect; x.lost: it never will be
//	x?2         x has that many requests that wait
//	!           everything on the wire arrives, and time passes until all is settled
type ladder struct {
	t    *testing.T
	r    *rig
	x, y *end
	held []flight
}

// play runs a script twice and hands the ladder over to check each time. nonces are the first octets of those that x
// and y make during the script.
func play(t *testing.T, script string, edit func(x, y *Config), nonces map[string][]byte, check func(l *ladder)) {
	t.Helper()
	for _, swapped := range []bool{false, true} {
		t.Run(map[bool]string{false: "x initiated", true: "y initiated"}[swapped], func(t *testing.T) {
			l := newLadder(t, swapped, edit)
			for side, list := range nonces {
				for _, n := range list {
					e := l.side(side)
					e.nonces = append(e.nonces, nonceStarting(n))
				}
			}
			for _, w := range strings.Fields(script) {
				l.word(w)
			}
			check(l)
		})
	}
}

func newLadder(t *testing.T, swapped bool, edit func(x, y *Config)) *ladder {
	r := newRig(t, 77, func(a, b *Config) {
		for _, c := range []*Config{a, b} {
			// Only the script makes anything happen.
			c.DPDDelay, c.RekeyTime, c.HardTime, c.KeepAlive = 0, 0, 0, 0
			c.Children[0].RekeyTime, c.Children[0].HardTime = 0, 0
		}
		if edit != nil {
			if swapped {
				edit(b, a)
			} else {
				edit(a, b)
			}
		}
	})
	l := &ladder{t: t, r: r, x: r.a, y: r.b}
	if swapped {
		l.x, l.y = r.b, r.a
	}
	r.a.connect()
	r.run(10 * time.Second)
	r.wantUp(1)
	for _, e := range []*end{r.a, r.b} {
		e.events, e.failures = nil, nil
	}
	return l
}

func (l *ladder) side(s string) *end {
	switch s {
	case "x":
		return l.x
	case "y":
		return l.y
	}
	l.t.Fatalf("no side %q", s)
	return nil
}

// machine is the one that carries the children of a side, or its newest.
func (e *end) machine() *Machine {
	all := e.all()
	for _, m := range all {
		if len(m.children) > 0 && m.state != StateClosed {
			return m
		}
	}
	for _, m := range all {
		if m.state == StateEstablished || m.state == StateRekeying {
			return m
		}
	}
	e.r.t.Fatalf("%s has no IKE SA to act on", e.name)
	return nil
}

func (e *end) liveChildren() (out []*Child) {
	for _, m := range e.all() {
		for _, c := range m.children {
			if c.live() {
				out = append(out, c)
			}
		}
	}
	return out
}

// word carries out one word of a script.
func (l *ladder) word(w string) {
	l.t.Helper()
	l.hold()
	if w == "!" {
		l.release()
		return
	}
	e := l.side(w[:1])
	arg := w[2:]
	fmt.Fprintf(&l.r.ladder, "%8s  script: %s (%s)\n", l.r.now.Sub(epoch), w, e.name)
	switch w[1] {
	case ':':
		l.act(e, arg)
	case '>', 'x', '+':
		n := 1
		if arg != "" {
			n, _ = strconv.Atoi(arg)
		}
		i := l.find(e, n)
		if i < 0 {
			l.t.Fatalf("%s: %s has no %d datagrams on the wire", w, e.name, n)
		}
		f := l.held[i]
		if w[1] != '+' {
			l.held = append(l.held[:i:i], l.held[i+1:]...)
		}
		if w[1] != 'x' {
			f.to.receive(f)
		}
	case '^':
		l.retransmit(e)
	case '.':
		l.complete(w, e, arg)
	case '?':
		if got := strconv.Itoa(len(e.desk.open)); got != arg {
			l.t.Errorf("%s: it has %s", w, got)
		}
	case '=':
		if got := e.lastAnswer(); !strings.Contains(got, strings.ReplaceAll(arg, ",", " ")) {
			l.t.Errorf("%s: the last answer is %q", w, got)
		}
	case '*':
		i := l.find(e, 1)
		if i < 0 {
			l.t.Fatalf("%s: nothing on the wire", w)
		}
		if isA := headerOf(l.held[i].data).Flags.Response(); isA != (arg == "A") {
			l.t.Errorf("%s: it is not", w)
		}
	case '#':
		if got := strconv.Itoa(len(e.liveChildren())); got != arg {
			l.t.Errorf("%s: it has %s", w, got)
		}
	case '~':
		if l.find(e, 1) >= 0 {
			l.t.Errorf("%s: there is %s", w, headerOf(l.held[l.find(e, 1)].data).Exchange)
		}
	default:
		l.t.Fatalf("unknown word %q", w)
	}
	l.hold()
}

// hold takes what was sent off the wire.
func (l *ladder) hold() {
	l.held = append(l.held, l.r.wire...)
	l.r.wire = nil
}

// settleTime is longer than any pause of this package, and than the retransmissions of a request.
const settleTime = 3 * time.Minute

func (l *ladder) release() {
	for _, f := range l.held {
		f.at = l.r.now.Add(l.r.delay)
		l.r.wire = append(l.r.wire, f)
	}
	l.held = nil
	for _, e := range []*end{l.x, l.y} {
		e.desk.release(l.r.now.Add(l.r.delay))
	}
	l.r.run(settleTime)
}

// find gives the index of the n-th datagram that a side has on the wire, or -1.
func (l *ladder) find(from *end, n int) int {
	for i, f := range l.held {
		if f.to != from {
			if n--; n == 0 {
				return i
			}
		}
	}
	return -1
}

func (e *end) lastAnswer() string {
	last := ""
	for _, o := range e.events {
		if x, ok := o.(ExchangeDone); ok && !x.Initiated {
			last = x.Response
		}
	}
	return last
}

// retransmit lets the timer of the request in flight fire.
func (l *ladder) retransmit(e *end) {
	for _, m := range e.all() {
		if m.pending != nil {
			if m.pending.next.After(l.r.now) {
				l.r.now = m.pending.next
			}
			m.Advance(l.r.now)
			e.drain(m)
			return
		}
	}
	l.t.Fatalf("%s has no request in flight", e.name)
}

func (l *ladder) act(e *end, what string) {
	now := l.r.now
	m := e.machine()
	child := func() *Child {
		cs := e.liveChildren()
		if len(cs) == 0 {
			l.t.Fatalf("%s has no child", e.name)
		}
		return cs[0]
	}
	switch what {
	case "rekey":
		m.RekeyChild(now, child().ID)
	case "rekeyold":
		m.RekeyChild(now, m.children[0].ID)
	case "rekeyike":
		m.RekeyIKE(now)
	case "delete":
		m.DeleteChild(now, child().ID, "operator")
	case "deleteike":
		m.Delete(now, "operator")
	case "expire":
		m.deleteChild(now, m.children[0], "lifetime is over", false)
		m.pump(now)
	case "create":
		m.InitiateChild(now, e.cfg.Children[0], nil)
	case "wait":
		e.desk.late = func(Request) outcome { return outcome{held: true} }
		return
	case "lose":
		m.forgetChild(child())
	case "advance":
		// What is due now and nothing else.
		m.Advance(now)
	default:
		l.t.Fatalf("unknown action %q", what)
	}
	e.drain(m)
	for _, m := range e.all() {
		e.drain(m)
	}
}

// raw is a request of any payloads, for a peer that does what this package would not.
type raw struct {
	x        wire.ExchangeType
	payloads []wire.Payload
}

func (t *raw) name() string                                           { return "raw" }
func (t *raw) exchange() wire.ExchangeType                            { return t.x }
func (t *raw) build(m *Machine, now time.Time) ([]wire.Payload, bool) { return t.payloads, true }
func (t *raw) done(m *Machine, r *response)                           {}
func (t *raw) abandoned(m *Machine, now time.Time)                    {}
func (t *raw) traits() traits                                         { return traits{} }
func (e *end) send(x wire.ExchangeType, payloads ...wire.Payload) {
	e.sendOn(e.machine(), x, payloads...)
}
func (e *end) sendOn(m *Machine, x wire.ExchangeType, p ...wire.Payload) {
	m.enqueue(&raw{x, p})
	m.pump(e.r.now)
	e.drain(m)
}

// wantChild checks that one IKE SA with one child is left whose exchange was initiated by a side ("" for any), and that
// neither side reported the loss of one.
func (l *ladder) wantChild(by string) {
	l.t.Helper()
	l.r.wantUp(1)
	if by != "" && !l.side(by).liveChildren()[0].Initiator {
		l.t.Errorf("the child that is left is not that of %s's exchange", by)
	}
	for _, e := range []*end{l.x, l.y} {
		if n := countEvents[ChildDown](e); n != 0 {
			l.t.Errorf("%s reported %d children down", e.name, n)
		}
		if len(e.failures) != 0 {
			l.t.Errorf("%s reported %v", e.name, e.failures)
		}
	}
}

// wantIKE checks that one IKE SA is left, initiated by a side.
func (l *ladder) wantIKE(by string) {
	l.t.Helper()
	l.wantChild("")
	if by != "" && !l.side(by).live()[0].Initiator() {
		l.t.Errorf("the IKE SA that is left is not that of %s's exchange", by)
	}
}

// wantNoChild checks that the IKE SA is left without a child on both sides.
func (l *ladder) wantNoChild() {
	l.t.Helper()
	for _, e := range []*end{l.x, l.y} {
		if len(e.live()) != 1 || len(e.liveChildren()) != 0 || len(e.inbound)+len(e.outbound)+len(e.spis) != 0 {
			l.t.Errorf("%s has %d IKE SAs, %d children, %d inbound, %d outbound, %d SPIs", e.name, len(e.live()), len(e.liveChildren()),
				len(e.inbound), len(e.outbound), len(e.spis))
		}
	}
}

func (l *ladder) wantGone() {
	l.t.Helper()
	l.x.wantNothing()
	l.y.wantNothing()
}

func (e *end) hasFailure(code diag.Code) bool {
	for _, f := range e.failures {
		if f.Code == code {
			return true
		}
	}
	return false
}

func fields(script string) []string { return strings.Fields(script) }
