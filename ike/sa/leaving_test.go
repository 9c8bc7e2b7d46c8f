package sa

import (
	"fmt"
	"testing"
	"time"

	"esplanade/ike/diag"
)

// Both sides ask for the same child. Before one of them has its answer it has to give up what the other has brought up, since its data
// plane could not take it, say: then its own is no twin, whatever the nonces say.
func TestTwinOfWhatLeaves(t *testing.T) {
	for _, script := range []string{"x:delete", "y:rekey y> x> x:delete", "x:delete y:rekey y> x>"} {
		eachVerdict(t, "", nil, func(l *ladder, _ string) {
			nonces := [2][][]byte{l.x.nonces, l.y.nonces}
			l.x.nonces, l.y.nonces = nil, nil
			for _, w := range fields("x:delete x> y> !") {
				l.word(w)
			}
			l.wantNoChild()
			l.x.nonces, l.y.nonces = nonces[0], nonces[1]
			for _, w := range fields("x:create y:create xx y> x>") { // x waits for its answer, and has y's
				l.word(w)
			}
			for _, w := range fields(script + " x^ !") {
				l.word(w)
			}
			l.r.wantUp(1)
			if c := l.x.liveChildren()[0]; !c.Initiator {
				l.t.Error("what x was to delete is left")
			}
		})
	}
}

// A child that is asked for while the present one waits to be deleted is made, and not taken for one that there is.
func TestChildAskedForWhileItLeaves(t *testing.T) {
	play(t, "x:rekeyike", nil, nil, func(l *ladder) {
		m := l.x.machine()
		c := m.children[0]
		m.InitiateChild(l.r.now, c.Config, nil)
		m.DeleteChild(l.r.now, c.ID, "a test")
		l.x.drain(m)
		l.word("!")
		l.r.run(time.Minute) // it was put off while the IKE SA was rekeyed
		l.r.wantUp(1)
		if got := l.x.liveChildren()[0]; got == c {
			l.t.Error("the child is the one that was to be deleted")
		}
	})
}

// Whoever asks for more children than may wait is told so for each of the others, and can ask again.
func TestMoreChildrenThanMayWait(t *testing.T) {
	play(t, "x:rekey", nil, nil, func(l *ladder) {
		m := l.x.machine()
		for i := range maxQueuedTasks + 20 {
			c := *m.cfg.Children[0]
			c.Name = fmt.Sprintf("net%d", i)
			m.InitiateChild(l.r.now, &c, nil)
		}
		l.x.drain(m)
		if n := len(l.x.failures); n != 20 {
			l.t.Fatalf("%d failures, want 20", n)
		}
		l.x.wantFailure(diag.CodeBusy)
		l.x.failures = nil
		m.Delete(l.r.now, "a test") // no failure of its own: the end of the IKE SA is reported
		m.InitiateChild(l.r.now, m.cfg.Children[0], nil)
		l.x.drain(m)
		if len(l.x.failures) > 0 {
			l.t.Errorf("%v", l.x.failures)
		}
	})
}
