package sa

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// both starts an action on the machines of both sides at the same moment.
func (r *rig) both(ma, mb *Machine, action func(m *Machine)) {
	action(ma)
	action(mb)
	r.a.drain(ma)
	r.b.drain(mb)
}

// Both sides rekey the child at once. The four nonces decide; whatever they say, one child is left, and traffic has an
// SA in both directions at any time (RFC 7296 section 2.8.1).
func TestCollisionChildRekey(t *testing.T) {
	for _, c := range []struct {
		name                                 string
		aRequest, bAnswer, bRequest, aAnswer byte
		winner                               string // whose exchange survives
	}{
		{"lowest in a's request", 1, 5, 6, 7, "b"},
		{"lowest in b's answer to a", 5, 1, 6, 7, "b"},
		{"lowest in b's request", 5, 6, 1, 7, "a"},
		{"lowest in a's answer to b", 5, 6, 7, 1, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 20, nil)
			r.a.connect()
			r.run(time.Second)
			ma, mb := r.wantUp(1)
			// Each side first makes its request, then answers the other's.
			r.a.nonces = [][]byte{nonceStarting(c.aRequest), nonceStarting(c.aAnswer)}
			r.b.nonces = [][]byte{nonceStarting(c.bRequest), nonceStarting(c.bAnswer)}
			r.both(ma, mb, func(m *Machine) { m.RekeyChild(r.now, m.Children()[0].ID) })
			r.run(30 * time.Second)
			ma, _ = r.wantUp(1)
			byA := false
			for _, x := range ma.Children() {
				if x.live() {
					byA = x.Initiator
				}
			}
			if got := map[bool]string{true: "a", false: "b"}[byA]; got != c.winner {
				t.Errorf("%s's exchange survived, want %s's", got, c.winner)
			}
		})
	}
}

// The same for the IKE SA, RFC 7296 section 2.8.2.
func TestCollisionIKERekey(t *testing.T) {
	for _, c := range []struct {
		name                                 string
		aRequest, bAnswer, bRequest, aAnswer byte
		winner                               string
	}{
		{"lowest in a's request", 1, 5, 6, 7, "b"},
		{"lowest in b's answer to a", 5, 1, 6, 7, "b"},
		{"lowest in b's request", 5, 6, 1, 7, "a"},
		{"lowest in a's answer to b", 5, 6, 7, 1, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 21, nil)
			r.a.connect()
			r.run(time.Second)
			ma, mb := r.wantUp(1)
			r.a.nonces = [][]byte{nonceStarting(c.aRequest), nonceStarting(c.aAnswer)}
			r.b.nonces = [][]byte{nonceStarting(c.bRequest), nonceStarting(c.bAnswer)}
			r.both(ma, mb, func(m *Machine) { m.RekeyIKE(r.now) })
			r.run(30 * time.Second)
			ma, _ = r.wantUp(1)
			if got := map[bool]string{true: "a", false: "b"}[ma.Initiator()]; got != c.winner {
				t.Errorf("%s's exchange survived, want %s's", got, c.winner)
			}
		})
	}
}

// One side rekeys the child while the other rekeys the IKE SA: TEMPORARY_FAILURE sorts it out (section 2.25).
func TestCollisionChildAndIKERekey(t *testing.T) {
	r := newRig(t, 22, nil)
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	ma.RekeyChild(r.now, ma.Children()[0].ID)
	mb.RekeyIKE(r.now)
	r.a.drain(ma)
	r.b.drain(mb)
	r.run(time.Minute)
	r.wantUp(1)
	if countEvents[ChildReplaced](r.a) == 0 || countEvents[Replaced](r.b) == 0 {
		t.Error("one of the two rekeyings was never done")
	}
}

// Deletes of the IKE SA that cross.
func TestCollisionDelete(t *testing.T) {
	r := newRig(t, 23, nil)
	r.a.connect()
	r.run(time.Second)
	ma, mb := r.wantUp(1)
	r.both(ma, mb, func(m *Machine) { m.Delete(r.now, "test") })
	r.run(time.Minute)
	r.a.wantNothing()
	r.b.wantNothing()
}

// Random rekeyings and deletions from both sides over a network that loses, repeats and reorders: in the end there is
// one IKE SA with one child, and both sides agree on it.
func TestRandomLife(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRig(t, uint64(seed)+1000, func(a, b *Config) {
				if seed%2 == 1 {
					severalKEs(t)(a, b)
				}
			})
			r.drop = func(e *end, d []byte) bool {
				r.delay = time.Duration(1+r.rng.IntN(400)) * time.Millisecond
				if r.rng.IntN(10) == 0 { // a copy
					o := r.other(e)
					path := o.path()
					if headerOf(d).Exchange != 34 {
						path.Local, path.Remote = withPort(path.Local, 4500), withPort(path.Remote, 4500)
					}
					r.wire = append(r.wire, flight{to: o, path: path, data: d, at: r.now.Add(time.Duration(r.rng.IntN(3000)) * time.Millisecond)})
				}
				return r.rng.IntN(5) == 0
			}
			r.a.connect()
			r.run(2 * time.Minute)
			for range 12 {
				for _, e := range []*end{r.a, r.b} {
					for _, m := range e.live() {
						switch r.rng.IntN(4) {
						case 0:
							for _, c := range m.Children() {
								m.RekeyChild(r.now, c.ID)
							}
						case 1:
							m.RekeyIKE(r.now)
						}
						e.drain(m)
					}
				}
				r.run(time.Duration(r.rng.IntN(4000)) * time.Millisecond)
			}
			r.drop, r.delay = nil, 10*time.Millisecond
			r.run(10 * time.Minute)
			if len(r.a.live()) == 0 && len(r.b.live()) == 0 {
				// Six datagrams in a row were lost: the SA is gone on both sides, which is what RFC 7296 section 2.4 asks.
				r.a.wantNothing()
				r.b.wantNothing()
				return
			}
			r.wantUp(1)
		})
	}
}

func withPort(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}
