package sa

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// failOption fills in one part of a failure.
type failOption func(*diag.Failure)

func failCause(err error) failOption { return func(f *diag.Failure) { f.Cause = err } }

// failNotify names the notification that we answer with.
func failNotify(t wire.NotifyType) failOption {
	return func(f *diag.Failure) { f.Notify = t.String() }
}

// failByPeer names the notification that the peer answered with.
func failByPeer(t wire.NotifyType) failOption {
	return func(f *diag.Failure) { f.Notify, f.ByPeer = t.String(), true }
}

func failSides(ours, theirs string) failOption {
	return func(f *diag.Failure) { f.Ours, f.Theirs = ours, theirs }
}

func failChild(c *ChildConfig, line string) failOption {
	return func(f *diag.Failure) {
		if c != nil {
			f.Child, f.ConfigLine = c.Name, line
		}
	}
}

// failFix says what to do about it where the code's usual advice does not fit.
func failFix(fix string) failOption { return func(f *diag.Failure) { f.Fix = fix } }

func failLine(line string) failOption { return func(f *diag.Failure) { f.ConfigLine = line } }

func newFailure(code diag.Code, connection string, x wire.ExchangeType, path Path) *diag.Failure {
	return &diag.Failure{Code: code, Connection: connection, Exchange: x.String(), Local: path.Local, Remote: path.Remote}
}

// failure starts a failure of this SA. The loop stamps its time.
func (m *Machine) failure(code diag.Code, x wire.ExchangeType, opts ...failOption) *diag.Failure {
	f := newFailure(code, m.cfg.Name, x, m.path)
	f.ConfigLine = m.cfg.Line
	if !m.remoteID.Any() {
		f.PeerID = m.remoteID.String()
	}
	for _, o := range opts {
		o(f)
	}
	return f
}

// proposalFailure tells what proposals of both sides differ in.
func (m *Machine) proposalFailure(code diag.Code, x wire.ExchangeType, err error, c *ChildConfig) *diag.Failure {
	f := m.failure(code, x, failLine(m.cfg.ProposalsLine))
	if c != nil {
		failChild(c, c.ProposalsLine)(f)
	}
	var mm *proposal.MismatchError
	if !errors.As(err, &mm) {
		f.Cause = err
		return f
	}
	f.Ours, f.Theirs = proposalList(mm.Ours), wireProposalList(mm.Theirs)
	if mm.ClosestOurs >= 0 && mm.ClosestOurs < len(mm.Ours) && mm.ClosestTheirs >= 0 && mm.ClosestTheirs < len(mm.Theirs) {
		f.Closest = fmt.Sprintf("our %s, the peer's %s", mm.Ours[mm.ClosestOurs], proposal.FormatWire(mm.Theirs[mm.ClosestTheirs]))
	}
	var diffs []string
	for _, d := range mm.Differs {
		if d.Reason != "" {
			diffs = append(diffs, d.String())
			continue
		}
		have := strings.Join(d.Have, ", ")
		if have == "" {
			have = "none"
		}
		want := strings.Join(d.Want, ", ")
		if want == "" {
			want = "none"
		}
		diffs = append(diffs, fmt.Sprintf("%s (we want %s, the peer has %s)", d.Type, want, have))
	}
	f.Differs = strings.Join(diffs, "; ")
	return f
}

func proposalList(ps []proposal.Proposal) string {
	var s []string
	for _, p := range ps {
		s = append(s, p.String())
	}
	return strings.Join(s, ", ")
}

// maxListed is how many of the peer's proposals are written out: it can send 255, and anybody can be the peer.
const maxListed = 8

func wireProposalList(ps []wire.Proposal) string {
	var s []string
	for _, p := range ps[:min(len(ps), maxListed)] {
		s = append(s, proposal.FormatWire(p))
	}
	if n := len(ps) - maxListed; n > 0 {
		s = append(s, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(s, ", ")
}

// keFailure is the failure of a key exchange, see [keCode].
func keFailure(w diag.Where, err error) *diag.Failure {
	var bad *suite.KEError
	switch {
	case errors.As(err, &bad):
		return diag.BadKEValue(w, groupName(bad.Group), err)
	case NotNow(err):
		return diag.NoTime(w, err)
	}
	return diag.Internal(w, err)
}

// keCode says what a failed key exchange is: the peer's fault, if it sent a value that must not be used, or a matter of time.
func keCode(err error) diag.Code {
	var bad *suite.KEError
	switch {
	case errors.As(err, &bad):
		return diag.CodeKEValue
	case NotNow(err):
		return diag.CodeBusy
	}
	return diag.CodeInternal
}

// selectorText is "local === remote", as swanctl prints it.
func selectorText(p selector.Pair) string {
	join := func(l []selector.Selector) string {
		var s []string
		for _, x := range l {
			s = append(s, x.String())
		}
		return strings.Join(s, " ")
	}
	return join(p.Local) + " === " + join(p.Remote)
}

// peerRefusedInit is an error notify in an IKE_SA_INIT response.
func (m *Machine) peerRefusedInit(n *wire.Notify) *diag.Failure {
	return diag.Refused(m.whereProposals(wire.ExchangeIKESAInit), n.NotifyType, m.proposed())
}

func (m *Machine) refusedGroup(group uint16) *diag.Failure {
	return diag.KEGroupRefused(m.whereProposals(wire.ExchangeIKESAInit), wire.NotifyInvalidKEPayload, proposalTexts(m.cfg.Proposals), groupName(group))
}

// peerRefusedChild is an error notify instead of a CHILD SA.
func (m *Machine) peerRefusedChild(x wire.ExchangeType, c *ChildConfig, ts selector.Pair, n *wire.Notify) *diag.Failure {
	line := c.Line
	switch n.NotifyType {
	case wire.NotifyNoProposalChosen, wire.NotifyInvalidKEPayload:
		line = c.ProposalsLine
	case wire.NotifyTSUnacceptable:
		line = c.LocalTSLine
	}
	return diag.Refused(m.where(x).Of(c.Name, line), n.NotifyType, diag.Offer{Proposals: proposalTexts(c.Proposals), Selectors: selectorTexts(ts)})
}

// giveUp ends the SA after the last retransmission stayed without an answer. "An endpoint MUST
// conclude that the other endpoint has failed only when repeated attempts to contact it have gone unanswered for a timeout
// period": https://www.rfc-editor.org/rfc/rfc7296#section-2.4
func (m *Machine) giveUp(now time.Time, p *outstanding) {
	m.pending = nil
	if t, ok := p.task.(silentTask); ok && t.silent(m, now, p) {
		return
	}
	switch {
	case p.stuck != nil:
		m.endUnanswered(now, p, p.stuck)
	case p.unreached != nil && m.state == StateConnecting:
		m.endUnanswered(now, p, p.unreached)
	default:
		m.endUnanswered(now, p, m.silence(now, p))
	}
}

// endUnanswered ends the SA for a request that stayed without an answer.
func (m *Machine) endUnanswered(now time.Time, p *outstanding, f *diag.Failure) {
	p.task.abandoned(m, now)
	m.window.response = nil // a peer that is silent does not ask again
	m.close(now, p.task.exchange().String()+" was not answered", f)
}

// silence is the failure of a request that stayed without an answer.
func (m *Machine) silence(now time.Time, p *outstanding) *diag.Failure {
	w, connecting := m.where(p.task.exchange()), m.state == StateConnecting
	switch {
	case p.unreachable > 0 && connecting:
		return diag.UnreachableAfter(w, p.unreachErr, p.sent(now))
	case p.task.traits().kind == TaskLiveness && !connecting:
		return diag.Dead(w, now.Sub(m.lastInbound()), p.sent(now))
	}
	return diag.Silent(w, connecting, p.sent(now))
}

// sent is what was sent for a request so far.
func (p *outstanding) sent(now time.Time) diag.Sent {
	return diag.Sent{Times: p.tries + 1, Over: now.Sub(p.firstSent)}
}
