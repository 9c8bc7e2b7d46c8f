package sa

import (
	"testing"
	"time"
)

// Delete and Abandon in every state leave nothing behind and nothing waiting.
func TestEndInEveryState(t *testing.T) {
	for _, script := range []string{
		"", "x:rekey", "x:rekeyike", "x:delete", "x:deleteike", "x:rekey x:rekeyike x:create", "y:rekey y> xx", "y:rekeyike y> xx",
		"x:rekeyike y:rekeyike x> y>", "x:rekey y:rekey x> y>",
	} {
		for _, how := range []string{"Delete", "Abandon"} {
			t.Run(script+"/"+how, func(t *testing.T) {
				play(t, script, nil, nil, func(l *ladder) {
					l.held = nil
					for _, m := range l.x.all() {
						if how == "Delete" {
							m.Delete(l.r.now, "test")
						} else {
							m.Abandon(l.r.now, "test")
						}
						l.x.drain(m)
					}
					l.r.drop = func(*end, []byte) bool { return true }
					l.r.run(10 * time.Minute)
					l.x.wantNothing()
					if n := len(l.x.all()); n != 0 {
						l.t.Errorf("x holds %d machines", n)
					}
				})
			})
		}
	}
}

// A half-open initiator whose SA is deleted is gone at once.
func TestDeleteWhileConnecting(t *testing.T) {
	r := newRig(t, 33, nil)
	m := r.a.connect()
	m.Delete(r.now, "test")
	r.a.drain(m)
	r.a.wantNothing()
	if len(r.a.all()) != 0 {
		t.Error("the machine is still there")
	}
}
