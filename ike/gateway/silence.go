package gateway

import (
	"strconv"
	"time"

	"esplanade/ike/sa"
)

// silence is set while the peer of a child does not answer: while an attempt is under way, for what that waits for, and while the
// child is up, if none of its CHILD SAs has a peer that answers. Of several it is the latest: a child is as good as the best of them.
func (g *Manager) silence(h *child) *sa.Silence {
	switch {
	case h.state == phaseConnecting && h.machine != nil:
		return h.machine.Silence()
	case h.state != phaseUp:
		return nil
	}
	var latest *sa.Silence
	var of uint64
	for id := range h.live {
		i := g.installed[id]
		if i == nil || !inUse(i.child) {
			continue
		}
		s := i.owner.m.Silence()
		if s == nil {
			return nil
		}
		if latest == nil || s.Since.After(latest.Since) || s.Since.Equal(latest.Since) && id < of {
			latest, of = s, id
		}
	}
	return latest
}

// retransmitted handles a request that was sent again. Each repetition is worth a line for those who look closer; from the second on
// the peer counts as silent, which is said once, with what it comes to if no answer comes. The same silence attempt after attempt is
// said less and less often, as a failure is.
func (g *Manager) retransmitted(now time.Time, e *entry, o sa.Retransmitted) {
	g.o.Meter.Add(CountRetransmits)
	e.conn.count(func(l *Lives) { l.Retransmits++ })
	g.logger(e).Debug("retransmitting request", "exchange", o.Exchange.String(), "message_id", o.MessageID, "try", o.Try, "to", o.Path.Remote)
	if e.conn == nil {
		return
	}
	e.conn.tell(1, "retransmit "+strconv.Itoa(o.Try)+" of "+o.Exchange.String()+" request with message ID "+strconv.Itoa(int(o.MessageID)))
	first := e.silent == nil
	if e.silent = o.Silence; e.silent == nil || !first {
		return
	}
	f := e.silent.Failure
	since := "no answer for " + now.Sub(e.silent.Since).Round(100*time.Millisecond).String()
	if e.hasReported(f) {
		e.conn.tell(1, since) // an ICMP error has said why
		return
	}
	e.conn.tell(1, since+"; if it stays so: "+f.Error())
	r, log := g.provisional.Add(f, now)
	if e.silenceSaid = log; log {
		g.progress(e).Warn("no answer yet; "+string(f.Code)+" if it stays so"+r.Suffix(), "request", e.silent.Request, "sent_again", e.silent.Repeated,
			"of", e.silent.Tries, "remote", o.Path.Remote, "fix", f.Advice())
	}
}

// answersAgain ends the silence of a peer with its first answer. What was reported of one that counted as dead is taken back.
func (g *Manager) answersAgain(now time.Time, e *entry, x sa.ExchangeDone) {
	s := e.silent
	if s == nil || !x.Initiated {
		return
	}
	if !s.Dead.IsZero() {
		g.failures.Withdraw(s.Failure)
	}
	if said := e.silenceSaid || !s.Dead.IsZero(); said {
		g.progress(e).Info("the peer answers again", "request", s.Request, "after", now.Sub(s.Since).Round(time.Millisecond), "remote", x.Path.Remote)
	}
	e.silent, e.silenceSaid = nil, false
}
