package sa

import (
	"testing"
	"time"
)

// What counts as the peer's side of a collision of two rekeyings of a child.
func TestChildCollisionStages(t *testing.T) {
	low := []byte{7}
	series := &answering{lowest: low}
	for name, c := range map[string]struct {
		task rekeyChildTask
		want attempt
	}{
		"the peer has not asked":               {rekeyChildTask{}, attempt{}},
		"its key exchanges go on":              {rekeyChildTask{rivalSeries: series}, attempt{stageBegun, low}},
		"its key exchanges have been given up": {rekeyChildTask{rivalSeries: &answering{lowest: low}}, attempt{}},
		"its child is up":                      {rekeyChildTask{rival: &Child{State: ChildInstalled, lowestNonce: low}}, attempt{stageMade, low}},
		"its child has gone":                   {rekeyChildTask{rival: &Child{State: ChildDeleted, lowestNonce: low}}, attempt{}},
		"its child has been rekeyed":           {rekeyChildTask{rival: &Child{State: ChildRekeyed, lowestNonce: low, successor: &Child{}}}, attempt{stageMade, low}},
		"its child has been rekeyed and is gone": {
			rekeyChildTask{rival: &Child{State: ChildDeleted, lowestNonce: low, successor: &Child{}}}, attempt{stageMade, low},
		},
	} {
		m := &Machine{answering: []*answering{series}}
		ours := attempt{stageMade, []byte{8}}
		got := c.task.meets(m, ours)
		if got.theirs.stage != c.want.stage || string(got.theirs.lowest) != string(c.want.lowest) {
			t.Errorf("%s: %v, want %v", name, got.theirs, c.want)
		}
		if got.ours.stage != ours.stage || string(got.ours.lowest) != string(ours.lowest) {
			t.Errorf("%s: ours is %v", name, got.ours)
		}
	}
}

// The same for the IKE SA.
func TestIKECollisionStages(t *testing.T) {
	low := []byte{7}
	series := &answering{lowest: low}
	up, closed := &Machine{state: StateEstablished}, &Machine{state: StateClosed}
	for name, c := range map[string]struct {
		state State
		task  rekeyIKETask
		want  attempt
	}{
		"the peer has not asked":               {StateRekeying, rekeyIKETask{}, attempt{}},
		"its key exchanges go on":              {StateRekeying, rekeyIKETask{rivalSeries: series, rivalLowest: low}, attempt{stageBegun, low}},
		"its key exchanges have been given up": {StateRekeying, rekeyIKETask{rivalSeries: &answering{}, rivalLowest: low}, attempt{}},
		"its IKE SA is up":                     {StateRekeying, rekeyIKETask{rival: up, rivalLowest: low}, attempt{stageMade, low}},
		"its IKE SA has been rekeyed":          {StateRekeying, rekeyIKETask{rival: &Machine{state: StateClosed, successor: up}, rivalLowest: low}, attempt{stageMade, low}},
		"its IKE SA has gone":                  {StateRekeying, rekeyIKETask{rival: closed, rivalLowest: low}, attempt{}},
		"the peer uses its IKE SA":             {StateRekeyed, rekeyIKETask{rival: up, rivalLowest: low}, attempt{stageSettled, low}},
		"it did, and has closed it":            {StateRekeyed, rekeyIKETask{rival: closed, rivalLowest: low}, attempt{stageSettled, low}},
	} {
		m := &Machine{state: c.state, answering: []*answering{series}}
		got := c.task.meets(m, attempt{stageMade, []byte{8}}).theirs
		if got.stage != c.want.stage || string(got.lowest) != string(c.want.lowest) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What a verdict does to the peer's side of a collision of two rekeyings of a child.
func TestHeedChildVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		verdict
		old, rival ChildState // afterwards
		pending    bool       // the rival's outbound direction still waits for a sign of the peer
		series     bool       // the peer's key exchanges go on
	}{
		"theirs stays":                  {verdict{theirs: fateStays}, ChildRekeyed, ChildInstalled, true, true},
		"theirs stays, when it is made": {verdict{theirs: fateStays, wait: true}, ChildInstalled, ChildInstalled, true, true},
		"theirs stops":                  {verdict{theirs: fateStops}, ChildRekeying, ChildInstalled, true, false},
		"theirs closes":                 {verdict{theirs: fateCloses}, ChildRekeying, ChildRekeyed, false, true},
		// Until ours is made, theirs is what there is if nothing comes of ours.
		"theirs closes, when ours is made": {verdict{theirs: fateCloses, wait: true}, ChildRekeying, ChildInstalled, true, true},
		"nothing of theirs":                {verdict{ours: fateStays}, ChildRekeying, ChildInstalled, true, true},
	} {
		r := newRig(t, 1, nil)
		r.a.connect()
		r.run(time.Second)
		m, _ := r.wantUp(1)
		old, series := m.children[0], &answering{}
		old.State, m.answering = ChildRekeying, []*answering{series}
		rival := &Child{Config: old.Config, State: ChildInstalled, outboundPending: true}
		task := &rekeyChildTask{old: old, rival: rival, rivalSeries: series}
		task.heed(m, r.now, c.verdict)
		if old.State != c.old || rival.State != c.rival || rival.outboundPending != c.pending || series.running(m) != c.series {
			t.Errorf("%s: old %v, rival %v, pending %v, series %v", name, old.State, rival.State, rival.outboundPending, series.running(m))
		}
		if superseded := old.successor == rival; superseded != (c.old == ChildRekeyed) {
			t.Errorf("%s: the rival succeeds: %v", name, superseded)
		}
		if c.rival == ChildRekeyed && rival.supersededAt != r.now {
			t.Errorf("%s: nobody would ever close the rival", name)
		}
	}
}

// The same for the IKE SA.
func TestHeedIKEVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		verdict
		old, rival State // afterwards
		unsettled  bool  // the rival may still be the one to stay, or not
		children   int   // that the rival has then
		series     bool  // the peer's key exchanges go on
	}{
		"theirs stays":                     {verdict{theirs: fateStays}, StateRekeyed, StateEstablished, false, 1, false},
		"theirs stays, when it is made":    {verdict{theirs: fateStays, wait: true}, StateEstablished, StateEstablished, true, 0, true},
		"theirs stops":                     {verdict{theirs: fateStops}, StateRekeying, StateEstablished, true, 0, false},
		"theirs closes":                    {verdict{theirs: fateCloses}, StateRekeying, StateRekeyed, false, 0, true},
		"theirs closes, when ours is made": {verdict{theirs: fateCloses, wait: true}, StateRekeying, StateEstablished, true, 0, true},
		"nothing of theirs":                {verdict{ours: fateStays}, StateRekeying, StateEstablished, true, 0, true},
	} {
		r := newRig(t, 1, nil)
		r.a.connect()
		r.run(time.Second)
		m, _ := r.wantUp(1)
		series := &answering{}
		m.state, m.answering = StateRekeying, []*answering{series}
		rival := &Machine{env: m.env, cfg: m.cfg, state: StateEstablished, rivalOf: m}
		task := &rekeyIKETask{rival: rival, rivalSeries: series}
		task.heed(m, r.now, c.verdict)
		if m.state != c.old || rival.state != c.rival || rival.rivalOf == m != c.unsettled || len(rival.children) != c.children || series.running(m) != c.series {
			t.Errorf("%s: old %v, rival %v, unsettled %v, %d children, series %v", name, m.state, rival.state, rival.rivalOf == m, len(rival.children), series.running(m))
		}
		if c.rival == StateRekeyed && !rival.life.expireAt.Equal(r.now.Add(redundantTime)) {
			t.Errorf("%s: a peer that does not know of the rival would never close it", name)
		}
	}
}

// A collision of which the peer knows nothing: it has never seen our request, has finished its own, and the old IKE SA is gone over
// there without our having heard of it. When our request has had no answer to the end, the peer's IKE SA is the one, since the peer
// answers on it.
func TestPeerHasForgottenTheCollision(t *testing.T) {
	asks := func(x, y *Config) { x.DPDDelay = 20 * time.Second }
	play(t, "x:rekeyike y:rekeyike y> xx x> yx", asks, nil, func(l *ladder) {
		for _, m := range l.y.all() {
			if m.Replaced() {
				m.Abandon(l.r.now, "as if it had been deleted")
				l.y.drain(m)
			}
		}
		l.word("!")
		l.wantIKE("y")
	})
}
