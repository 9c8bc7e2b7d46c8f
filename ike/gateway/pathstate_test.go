package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// PathState implements DataPlane.
func (p *fakePlane) PathState(child uint64) (PathState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.out[child]
	if s, apart := p.states[child]; apart {
		return s, ok
	}
	return p.state, ok
}

// A path that swallows large packets is a remark on the child, which stays up, as long as it lasts. An MTU that ICMP has told is none.
func TestPathRemark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a, b := f.start(addrA, toml("", left("start"))), f.start(addrB, toml("", right("none")))
		settle(3 * time.Second)
		since := time.Now()
		look := func(s PathState) ChildInfo {
			a.plane.mu.Lock()
			a.plane.state = s
			a.plane.mu.Unlock()
			i := a.child("b/net")
			if !i.Up() || i.Path != s || i.Last != nil {
				t.Errorf("path %+v: %+v", s, i)
			}
			return i
		}
		for _, s := range []PathState{{}, {MTU: 1500, Inner: 1438}, {MTU: 1400, Inner: 1338, TooBig: true, Since: since}} {
			if i := look(s); len(i.Remarks) != 0 || i.Remarked(diag.CodeMTU) {
				t.Errorf("path %+v: %+v", s, i.Remarks)
			}
		}
		i := look(PathState{MTU: 1280, Inner: 1218, BlackHole: true, Was: 1500, Since: since})
		if len(i.Remarks) != 1 || !i.Remarked(diag.CodeMTU) || !i.Remarks[0].First.Equal(since) {
			t.Fatalf("remarks: %+v", i.Remarks)
		}
		text := i.Remarks[0].Failure.Error()
		for _, part := range []string{"E-MTU b/net", "1280", "1500", addrB, addrA, "type 3 code 4"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not name %q", text, part)
			}
		}
		if i := look(PathState{MTU: 1500, Inner: 1438}); len(i.Remarks) != 0 {
			t.Errorf("afterwards: %+v", i.Remarks)
		}
		stopAll(t, a, b)
	})
}

// Of many peers of a child those behind a path that swallows packets are not hidden by one whose path is narrower and says so.
func TestPathRemarkOfManyPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", called("*.example", "no")))
		a := f.start(addrA, toml("", callerAt(addrA, "a.example", "10.1.1.0/24")))
		c := f.start(addrC, toml("", callerAt(addrC, "c.example", "10.1.2.0/24")))
		settle(10 * time.Second)
		child := func() ChildInfo { return b.info().Conns[0].Children[0] }
		sas := child().SAs
		if len(sas) != 2 {
			t.Fatalf("%d CHILD SAs", len(sas))
		}
		told, hole := PathState{MTU: 1280, TooBig: true}, PathState{MTU: 1400, BlackHole: true, Was: 1500}
		worse := PathState{MTU: 1350, BlackHole: true, Was: 1500}
		for _, s := range []struct {
			paths [2]PathState
			mtu   int
			hole  string
		}{
			{[2]PathState{hole, told}, 1280, "1400"}, {[2]PathState{told, hole}, 1280, "1400"}, {[2]PathState{hole, worse}, 1350, "1350"},
			{[2]PathState{worse, hole}, 1350, "1350"}, {[2]PathState{told, told}, 1280, ""},
		} {
			b.plane.mu.Lock()
			b.plane.states = map[uint64]PathState{sas[0].ID: s.paths[0], sas[1].ID: s.paths[1]}
			b.plane.mu.Unlock()
			i := child()
			if i.Path.MTU != s.mtu || i.Remarked(diag.CodeMTU) != (s.hole != "") || len(i.Remarks) > 1 {
				t.Errorf("%+v: MTU %d, %+v", s.paths, i.Path.MTU, i.Remarks)
			} else if s.hole != "" && !strings.Contains(i.Remarks[0].Failure.Error(), "at most "+s.hole) {
				t.Errorf("%+v: %v", s.paths, i.Remarks[0].Failure)
			}
		}
		stopAll(t, a, b, c)
	})
}

// Of the paths of several CHILD SAs the narrowest counts, and one that is not there does not.
func TestNarrowestPath(t *testing.T) {
	wide, narrow := PathState{MTU: 1500}, PathState{MTU: 1400, TooBig: true}
	for _, c := range []struct{ a, b, want PathState }{
		{PathState{}, wide, wide}, {wide, PathState{}, wide}, {wide, narrow, narrow}, {narrow, wide, narrow}, {narrow, narrow, narrow},
	} {
		if got := c.a.narrower(c.b); got != c.want {
			t.Errorf("%+v and %+v: %+v", c.a, c.b, got)
		}
	}
}
