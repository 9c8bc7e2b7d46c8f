package sa

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// oneOfEach is a task of each kind, with as little in it as it needs to be asked for its traits.
func oneOfEach() []task {
	return []task{
		&initTask{}, &resumeTask{}, &intermediateTask{}, &authTask{}, &rejectTask{}, &createChildTask{}, &rekeyChildTask{},
		&deleteChildTask{}, &rejectChildTask{}, &rekeyIKETask{}, &deleteIKETask{}, livenessTask{}, &updateTask{}, &announceTask{must: true},
		&routeTask{}, &redirectTask{}, ticketTask{}, tokenTask{}, &invalidSPITask{},
	}
}

// Each task has a kind of its own: control socket and status tell them apart by it.
func TestTaskKinds(t *testing.T) {
	var kinds []TaskKind
	for _, x := range oneOfEach() {
		tr := x.traits()
		if slices.Contains(kinds, tr.kind) {
			t.Errorf("%T has the kind of another", x)
		}
		kinds = append(kinds, tr.kind)
		_, opens := x.(openingTask)
		if _, protected := x.(protectedTask); opens == protected || opens != Opens(x.exchange()) {
			t.Errorf("%T has not one way for its answers: opening %v, protected %v", x, opens, protected)
		}
		if tr.creates && !tr.changes {
			t.Errorf("%T may create a CHILD SA and changes none", x)
		}
	}
	for k := TaskInit; k <= TaskInvalidSPI; k++ {
		if !slices.Contains(kinds, k) {
			t.Errorf("no task has kind %d", k)
		}
	}
	r := newRig(t, 1, nil)
	m := r.a.connect()
	if s := m.Summary(); len(s.Tasks) != 2 || s.Tasks[0] != (Task{TaskInit, "IKE_SA_INIT", true}) || s.Tasks[1] != (Task{TaskCreateChild, "create child net", false}) {
		t.Errorf("the tasks are %+v", s.Tasks)
	}
}

// Before the peer is authenticated, only what has to be asked then is asked. The others wait for the end of IKE_AUTH.
func TestWhatIsAskedBeforeAuth(t *testing.T) {
	early := []TaskKind{TaskInit, TaskResume, TaskIntermediate, TaskAuth, TaskReject, TaskDeleteIKE}
	for _, x := range oneOfEach() {
		if slices.Contains(early, x.traits().kind) {
			continue // tests of these exchanges show it
		}
		r := newRig(t, 1, nil)
		m := r.a.connect()
		m.pending, m.queue = nil, []task{x}
		m.pump(r.now)
		if m.pending != nil || len(m.queue) != 1 {
			t.Errorf("%T does not wait", x)
		}
	}
}

// When the IKE SA is rekeyed, what is about the CHILD SAs and the addresses moves to the new one; what is about the old IKE SA alone
// ends with it. That this side has moved is said on the old one as well, if the peer has not been heard on the new one.
func TestWhatFollowsToTheSuccessor(t *testing.T) {
	follows := []TaskKind{TaskCreateChild, TaskRekeyChild, TaskDeleteChild, TaskRejectChild, TaskUpdate, TaskAnnounce, TaskRoute}
	stays := []TaskKind{TaskUpdate, TaskAnnounce}
	for _, x := range oneOfEach() {
		r := newRig(t, 1, nil)
		r.a.connect()
		r.run(time.Second)
		m, _ := r.wantUp(1)
		s := &Machine{env: m.env, cfg: m.cfg, state: StateEstablished}
		m.queue = []task{x}
		m.handOver(r.now, s)
		kind := x.traits().kind
		if got, want := slices.ContainsFunc(s.delayed, func(d delayed) bool { return d.task == x }), slices.Contains(follows, kind); got != want {
			t.Errorf("%T follows: %v", x, got)
		}
		if got, want := len(m.queue) == 1 && m.queue[0].traits().kind == kind, slices.Contains(stays, kind); got != want {
			t.Errorf("%T stays as well: %v", x, got)
		}
	}
	if (&announceTask{}).stays() != nil {
		t.Error("a list of addresses that changes nothing is told on an IKE SA that is going")
	}
}

// The DELETE of a new CHILD SA overtakes the answer that creates it: the side that has asked for it must not keep what is gone, nor an IKE SA with nothing in it.
func TestDeleteOvertakesNewChild(t *testing.T) {
	play(t, "x:delete ! x:create x> y:delete y>2 x> y> !", nil, nil, func(l *ladder) { l.wantGone() })
}

// A DELETE is a courtesy: also a responder with MOBIKE, which is patient otherwise, does not go on with it. In return it is tried on
// other paths at once.
func TestDeleteIsACourtesy(t *testing.T) {
	m := newMobileRig(t, nil)
	_, mb := m.up()
	m.reach = func(*end, Path) bool { return false }
	mb.Delete(m.now, "")
	m.b.drain(mb)
	m.run(time.Minute)
	if mb.state != StateClosed {
		t.Error("the responder still waits for the answer to a DELETE")
	}

	m = newMobileRig(t, nil)
	m.addrs[m.b] = []netip.Addr{b1, b2}
	ma, mb := m.up()
	m.reach = func(from *end, p Path) bool { return p.Local.Addr() == b2 || p.Remote.Addr() == b2 }
	ma.Delete(m.now, "")
	m.a.drain(ma)
	m.run(time.Minute)
	if mb.state != StateClosed {
		t.Error("the DELETE has not reached the peer at its other address")
	}
}

// A request that goes on by a new path has been sent by two: its answer proves neither, also if the old path is back by then.
func TestRequestOnTwoPaths(t *testing.T) {
	for _, x := range []task{&routeTask{}, &updateTask{}} {
		m := newMobileRig(t, nil)
		m.addrs[m.b] = []netip.Addr{b1, b2}
		ma, _ := m.up()
		ma.requeue(x)
		ma.pump(m.now)
		if ma.pending == nil || ma.pending.task != x {
			t.Fatalf("%T is not in flight", x)
		}
		before := ma.path
		ma.repath(m.now, Path{Local: before.Local, Remote: netip.AddrPortFrom(b2, before.Remote.Port())}, "")
		ma.repath(m.now, before, "")
		if c, ok := x.(*routeTask); ok && !c.elsewhere {
			t.Error("the check is taken for one of the present address alone")
		}
		if c, ok := x.(*updateTask); ok && !c.spread {
			t.Error("the update is taken for one by the present path alone")
		}
	}
}

// The peer does not answer on an IKE SA that it has rekeyed: that is no failure, and what it has not heard there is said on the new one.
func TestSilenceOnReplacedIKESA(t *testing.T) {
	for _, x := range []task{&updateTask{}, &announceTask{must: true}} {
		play(t, "x:rekeyike x>", nil, nil, func(l *ladder) {
			i := slices.IndexFunc(l.y.all(), func(m *Machine) bool { return m.Replaced() })
			if i < 0 {
				l.t.Fatal("y has not replaced its IKE SA")
			}
			m := l.y.all()[i]
			m.queue = nil
			m.requeue(x)
			m.pump(l.r.now)
			for range 20 {
				if m.pending != nil {
					l.r.now = m.pending.next
					m.advanceRetransmit(l.r.now)
				}
			}
			told := slices.ContainsFunc(m.outputs, func(o Output) bool { c, ok := o.(Closed); return ok && c.Reason == "replaced" && c.Failure == nil })
			if m.state != StateClosed || !told {
				l.t.Errorf("%T: the IKE SA is %s: %v", x, m.state, m.outputs)
			}
			s := m.newest()
			if got := s.tasks(); len(got) == 0 || got[0].Kind != x.traits().kind {
				l.t.Errorf("%T: the peer is not told on the new IKE SA, but %v", x, got)
			}
		})
	}
}

// Nothing of a task's request is in the traits that could be asked before it is built, but for where it goes.
func TestWhereARequestGoes(t *testing.T) {
	r := newRig(t, 1, nil)
	r.a.connect()
	r.run(time.Second)
	m, _ := r.wantUp(1)
	elsewhere := netip.MustParseAddrPort("198.51.100.9:4500")
	for to, x := range map[netip.AddrPort]task{m.path.Remote: &routeTask{}, elsewhere: &routeTask{esp: elsewhere}} {
		m.pending, m.outputs = nil, nil
		m.launch(r.now, x, []wire.Payload{wire.NewCookie2(make([]byte, cookie2Len))})
		for _, o := range m.outputs {
			if s, ok := o.(Send); ok && s.Path.Remote != to {
				t.Errorf("the request goes to %s, not to %s", s.Path.Remote, to)
			}
		}
		if got := fmt.Sprint(m.pending.path.Remote); got != fmt.Sprint(to) {
			t.Errorf("it is kept as one to %s", got)
		}
	}
}
