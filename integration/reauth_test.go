//go:build linux

package integration

import (
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// reauthenticate has one end authenticate again and waits until another IKE SA with another CHILD SA has taken the place
// of the old ones at both ends.
func (p *pair) reauthenticate(t *testing.T, end peer.Peer) {
	t.Helper()
	before := p.wantUp(t, 5*time.Second)
	p.askAll(t, []peer.Peer{end}, "--rekey", "--ike", connName, "--reauth")
	lab.Eventually(t, 20*time.Second, "a new IKE SA after "+end.Kind()+" on "+end.Site().Name+" authenticated again", func() (bool, string) {
		after, problem := p.look()
		if problem != "" {
			return false, problem
		}
		return after.ikeA.SPIi != before.ikeA.SPIi && after.ikeB.SPIi == after.ikeA.SPIi && after.childA.SPIIn != before.childA.SPIIn,
			"still the old one\n" + peer.DescribeSAs(p.a)
	})
}

// overlap makes strongSwan set up the new IKE SA before the old one goes; Esplanade does so unless it is told otherwise.
func overlap(k kinds) func(a, b *peer.Gateway) {
	return func(a, b *peer.Gateway) {
		for kind, g := range map[string]*peer.Gateway{k.a: a, k.b: b} {
			if kind == peer.KindStrongSwan {
				g.IKE = map[string]string{"make_before_break": "true"}
			}
		}
	}
}

// queuedForDeleted is how many packets of the probe strongSwan may lose: as soon as a DELETE of an IKE SA is sent or
// arrives, kernel-libipsec drops what waits to be encrypted or decrypted for its CHILD SAs, be there others or not.
const queuedForDeleted = 32

// TestReauthentication: each end in turn has both prove again who they are, while a transfer and a probe run of which not
// one packet is lost.
func TestReauthentication(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: overlap(k)})
			allowed := 0
			if k.has(peer.KindStrongSwan) {
				allowed = queuedForDeleted
			}
			p.start(t)
			p.initiate(t)
			for _, end := range p.peers() {
				t.Logf("%s on %s authenticates again", end.Kind(), end.Site().Name)
				p.underLoad(t, allowed, func(progress func()) {
					p.reauthenticate(t, end)
					progress()
				})
			}
			p.terminate(t)
		})
	}
}

// TestReauthenticationBreaksFirst: strongSwan by default takes the old IKE SA down first. The tunnel is back at once.
func TestReauthenticationBreaksFirst(t *testing.T) {
	for _, k := range pairsOf(t, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true})
			p.start(t)
			p.initiate(t)
			for _, end := range p.peers() {
				if end.Kind() == peer.KindStrongSwan {
					p.reauthenticate(t, end)
				}
			}
			p.wantTraffic(t, 10*time.Second)
			p.terminate(t)
		})
	}
}

// TestAuthLifetime: the end that answers has a lifetime for the other's authentication. Esplanade says so (RFC 4478), and
// the other end, which has no such time of its own, authenticates again; strongSwan, with a pre-shared key, does it itself.
func TestAuthLifetime(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
				overlap(k)(a, b)
				// As short as it goes: the one that asks is to do it after 60 s less a share.
				b.Connections[0].Extra = map[string]string{"reauth_time": "60s", "rand_time": "1s", "over_time": "30s"}
				// strongSwan takes its own over_time off what it is told.
				a.Connections[0].Extra = map[string]string{"over_time": "15s"}
			}})
			p.start(t)
			p.initiate(t)
			before := p.wantUp(t, 5*time.Second)
			lab.Eventually(t, 90*time.Second, "a new IKE SA", func() (bool, string) {
				after, problem := p.look()
				return problem == "" && after.ikeA.SPIi != before.ikeA.SPIi, problem
			})
			p.wantTraffic(t, 10*time.Second)
			p.terminate(t)
		})
	}
}

// TestChildless: IKE_AUTH without a child (RFC 6023), and the child after it.
func TestChildless(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
				for _, g := range []*peer.Gateway{a, b} {
					g.Connections[0].Extra = map[string]string{"childless": "force"}
				}
			}})
			p.start(t)
			p.initiate(t)
			// The keys of a child that came with IKE_AUTH are those of IKE_SA_INIT; this one has an exchange of its own.
			if s := p.wantUp(t, 5*time.Second); s.childA.DH == "" {
				t.Errorf("the child came with IKE_AUTH: %+v", s.childA)
			}
			p.wantPing(t)
			p.wantBulk(t, false, 1<<20)
			p.terminate(t)
		})
	}
}
