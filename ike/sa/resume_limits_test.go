package sa

import (
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// A ticket that would not fit into a datagram is not kept; one that does is.
func TestTicketOfAnyLength(t *testing.T) {
	for length, kept := range map[int]bool{1: true, maxPeerTicket: true, maxPeerTicket + 1: false} {
		r := newResumeRig(t, 60, func(a, b *Config) { b.FragmentSize = 4000 })
		n := r.edit(r.b, wire.ExchangeIKEAuth, true, func(ps []wire.Payload) []wire.Payload {
			for i, p := range ps {
				if x, ok := p.(*wire.Notify); ok && x.NotifyType == wire.NotifyTicketLTOpaque {
					ps[i] = wire.NewTicketLTOpaque(time.Hour, make([]byte, length))
				}
			}
			return ps
		})
		r.a.connect()
		r.run(time.Second)
		r.wantUp(1)
		if got := countEvents[SessionGranted](r.a) == 1; *n != 1 || got != kept {
			t.Errorf("a ticket of %d octets: kept is %v", length, got)
		}
	}
}

// resumption = false holds for the tickets that there are: one of such a connection is refused, also by a gateway that resumes
// IKE SAs of another one.
func TestTicketOfAConnectionThatDoesNotResume(t *testing.T) {
	r := newResumeRig(t, 61, nil)
	other := *r.b.cfg
	other.Name = "other"
	s := r.lost()
	r.b.cfg.Resumption = false
	r.b.connections(r.b.cfg, &other)
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(false)
	if f := r.a.wantFailure(diag.CodeResume); f.Notify != wire.NotifyTicketNack.String() {
		t.Errorf("%v", f)
	}
}
