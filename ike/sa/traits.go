package sa

import (
	"net/netip"
	"time"

	"esplanade/ike/diag"
)

// TaskKind says what a request of this side is for.
type TaskKind uint8

// The kinds of tasks.
const (
	TaskInit         TaskKind = iota + 1 // IKE_SA_INIT
	TaskResume                           // IKE_SESSION_RESUME
	TaskIntermediate                     // IKE_INTERMEDIATE
	TaskAuth                             // IKE_AUTH
	TaskReject                           // the peer's authentication is not accepted
	TaskCreateChild
	TaskRekeyChild
	TaskDeleteChild
	TaskRejectChild // the peer has created one that this side does not accept
	TaskRekeyIKE
	TaskDeleteIKE
	TaskLiveness   // whether the peer is there
	TaskUpdate     // MOBIKE: the addresses of the IKE SA
	TaskAnnounce   // MOBIKE: further addresses of this side
	TaskRoute      // MOBIKE: a return routability check
	TaskRedirect   // the peer is sent to another gateway
	TaskTicket     // a session ticket is asked for
	TaskToken      // the token of quick crash detection is told
	TaskInvalidSPI // the peer uses an SPI that nobody has here
	TaskLifetime   // the peer is told when to authenticate again
)

// traits are what the core asks of a task, each at one place.
type traits struct {
	kind TaskKind
	// early: the request is made before the peer is authenticated. All others wait for the end of IKE_AUTH (see mayBuild).
	early bool
	// tries is how often the request is repeated at most; 0: as often as is configured. Nothing depends on the answer to such a
	// request: it is not waited for longer than that (see triesOf, patient and repeat).
	tries int
	// creates: the answer may create a CHILD SA (see creatingChild). changes: so it may, or it closes one (see busyWithChildren).
	creates, changes bool
	// follows: the task is about what moves to the successor of the IKE SA, and goes there with it (see handOver).
	follows bool
	// to is where the request goes instead of to the peer's address. It is asked for after build (see launch and repeat).
	to netip.AddrPort
}

func (*initTask) traits() traits         { return traits{kind: TaskInit, early: true} }
func (*resumeTask) traits() traits       { return traits{kind: TaskResume, early: true, tries: resumeTries} }
func (*intermediateTask) traits() traits { return traits{kind: TaskIntermediate, early: true} }
func (*authTask) traits() traits         { return traits{kind: TaskAuth, early: true} }
func (*rejectTask) traits() traits       { return traits{kind: TaskReject, early: true} }
func (*createChildTask) traits() traits {
	return traits{kind: TaskCreateChild, creates: true, changes: true, follows: true}
}
func (*rekeyChildTask) traits() traits {
	return traits{kind: TaskRekeyChild, creates: true, changes: true, follows: true}
}
func (*deleteChildTask) traits() traits {
	return traits{kind: TaskDeleteChild, changes: true, follows: true}
}
func (*rejectChildTask) traits() traits { return traits{kind: TaskRejectChild, follows: true} }
func (*rekeyIKETask) traits() traits    { return traits{kind: TaskRekeyIKE} }
func (*deleteIKETask) traits() traits {
	return traits{kind: TaskDeleteIKE, early: true, tries: deleteTries}
}
func (livenessTask) traits() traits    { return traits{kind: TaskLiveness} }
func (remindTask) traits() traits      { return traits{kind: TaskLiveness} }
func (*updateTask) traits() traits     { return traits{kind: TaskUpdate, follows: true} }
func (*announceTask) traits() traits   { return traits{kind: TaskAnnounce, follows: true} }
func (t *routeTask) traits() traits    { return traits{kind: TaskRoute, follows: true, to: t.esp} }
func (*redirectTask) traits() traits   { return traits{kind: TaskRedirect} }
func (ticketTask) traits() traits      { return traits{kind: TaskTicket} }
func (tokenTask) traits() traits       { return traits{kind: TaskToken} }
func (*invalidSPITask) traits() traits { return traits{kind: TaskInvalidSPI} }
func (lifetimeTask) traits() traits    { return traits{kind: TaskLifetime, follows: true} }

// What only some tasks know of.
type (
	// silentTask is a task to which it means something of its own that the last repetition of its request has no answer.
	silentTask interface {
		// silent reports whether it has dealt with that. If it has not, the task is abandoned and the IKE SA ends.
		silent(m *Machine, now time.Time, p *outstanding) bool
	}
	// verdictTask is a task whose request may fail with something of its own when there is no answer.
	verdictTask interface {
		// verdict is what, or nil for what is usual.
		verdict(m *Machine, now time.Time, p *outstanding) *diag.Failure
	}
	// strayingTask is a task that has to know when its request has been sent on another path as well: the answer does not say which
	// of them works.
	strayingTask interface{ strayed() }
	// stayingTask is a task that has to be made on an IKE SA that the peer has rekeyed, in addition to where it goes.
	stayingTask interface {
		// stays is the task for the old IKE SA, or nil.
		stays() task
	}
)

// strays tells the task of a request that it is sent on another path as well.
func (p *outstanding) strays() {
	if t, ok := p.task.(strayingTask); ok {
		t.strayed()
	}
}
