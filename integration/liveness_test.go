//go:build linux

package integration

import (
	"fmt"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestIdle: a tunnel without traffic stays what it is. Whichever end asks the other for a sign of life gets it. Only one
// asks at a time, since being asked is a sign of life as well.
func TestIdle(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) { // each end asks
		for _, asker := range []string{"a", "b"} {
			t.Run(k.String()+"/asks "+asker, func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
					a.Connections[0].DPDDelay, b.Connections[0].DPDDelay = time.Second, time.Hour
					if asker == "b" {
						a.Connections[0].DPDDelay, b.Connections[0].DPDDelay = time.Hour, time.Second
					}
				}})
				seen := watchIKE(t, p)
				p.start(t)
				p.initiate(t)
				before := p.wantUp(t, time.Second)
				askedAddr := p.B.Outer4
				if asker == "b" {
					askedAddr = p.A.Outer4
				}
				lab.Eventually(t, 15*time.Second, "three signs of life", func() (bool, string) {
					n := seen.count(func(m lab.IKEMessage) bool {
						return m.Exchange == lab.Informational && m.Response && m.Src.Addr() == askedAddr
					})
					return n >= 3, fmt.Sprintf("%d answers of %v to INFORMATIONAL requests", n, askedAddr)
				})
				after := p.wantUp(t, time.Second)
				if after.ikeA.SPIi != before.ikeA.SPIi || after.childA.SPIIn != before.childA.SPIIn {
					t.Errorf("an idle tunnel was made again:\n%s", peer.DescribeSAs(p.a))
				}
				p.terminate(t)
			})
		}
	}
}

func checkLiveness(a, b *peer.Gateway) {
	a.Connections[0].DPDDelay, b.Connections[0].DPDDelay = time.Second, time.Second
}

// TestForgetsTheDead: an end that isn't told to keep the tunnel up forgets it when the other end has died, whichever of them
// made it.
func TestForgetsTheDead(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for _, victim := range []string{"a", "b"} {
			if k == toStrong && victim == "a" || k == fromStrong && victim == "b" {
				continue // it would be strongSwan that forgets
			}
			t.Run(k.String()+"/kill "+victim, func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Encap: true, Edit: checkLiveness})
				p.start(t)
				p.initiate(t)
				dead, left := p.a, p.b
				if victim == "b" {
					dead, left = p.b, p.a
				}
				dead.Kill()
				lab.Eventually(t, 15*time.Second, "the SAs with the dead are gone", func() (bool, string) {
					sas, err := peer.SAs(left)
					if err != nil {
						return false, err.Error()
					}
					return len(sas) == 0, peer.DescribeSAs(left)
				})
				if e, ok := left.(*peer.Esplanade); ok {
					p.wantDead(t, e)
				}
				dead.Start(t)
				p.wantNoState(t, 5*time.Second)
				p.initiate(t)
				p.wantPing(t)
			})
		}
	}
}

// TestTrapAfterDeath: with a trap in place of the dead tunnel, traffic brings it back when the other end has returned.
func TestTrapAfterDeath(t *testing.T) {
	for _, k := range []kinds{ours, toStrong} { // kernel-libipsec knows no traps
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
				checkLiveness(a, b)
				child(a).StartAction = "trap"
			}})
			p.start(t)
			p.wantTraffic(t, 10*time.Second)
			p.wantUp(t, 5*time.Second)
			p.b.Kill()
			lab.Eventually(t, 15*time.Second, "the SAs with the dead are gone", func() (bool, string) {
				sas, err := peer.SAs(p.a)
				return err == nil && len(sas) == 0, peer.DescribeSAs(p.a)
			})
			p.b.Start(t)
			p.wantTraffic(t, recoveryLimit)
			p.wantUp(t, 5*time.Second)
		})
	}
}
