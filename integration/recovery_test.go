//go:build linux

package integration

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// recoveryLimit is how long a tunnel may take to be back once both ends run: a liveness check, its repetitions,
// the pause before another attempt, and the exchanges. The configurations below have all of these short.
const recoveryLimit = 30 * time.Second

// keepUp makes a keep the tunnel up and both ends notice within seconds that the other is gone. What b does by
// itself is to forget a dead peer.
func keepUp(a, b *peer.Gateway) {
	for _, g := range []*peer.Gateway{a, b} {
		g.Connections[0].DPDDelay = time.Second
		g.IKE = map[string]string{"half_open_timeout": `"4s"`}
	}
	child(a).StartAction, child(a).KeepUp = "start", true
}

// TestPeerDiesAndReturns: the end that keeps the tunnel up notices that the other is dead, says so, and has the
// tunnel back when the other returns. Nobody gives a command.
func TestPeerDiesAndReturns(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: keepUp})
			p.start(t)
			p.wantUp(t, recoveryLimit)
			p.wantTraffic(t, 5*time.Second)

			p.b.Kill()
			lab.Eventually(t, recoveryLimit, "a notices that b is dead", func() (bool, string) {
				ike, _, _ := established(p.a)
				return ike.State != "ESTABLISHED", peer.DescribeSAs(p.a)
			})
			if e, ok := p.a.(*peer.Esplanade); ok {
				p.wantDead(t, e)
			}
			p.b.Start(t)
			p.wantUp(t, recoveryLimit)
			p.wantTraffic(t, 5*time.Second)
			if e, ok := p.a.(*peer.Esplanade); ok {
				p.wantStatusUp(t, e)
			}

			p.b.Stop(t) // in an orderly way this time: b deletes the SAs
			p.b.Start(t)
			p.wantUp(t, recoveryLimit)
			p.wantTraffic(t, 5*time.Second)
		})
	}
}

// wantDead checks that status says that the connection is wanted and down, and why.
func (p *pair) wantDead(t *testing.T, e *peer.Esplanade) {
	t.Helper()
	lab.Eventually(t, 10*time.Second, "status says that the peer is dead", func() (bool, string) {
		s, err := e.Status(connName)
		if err != nil {
			return false, err.Error()
		}
		ok := s.State != "up" && s.Failure != nil && (s.Failure.Code == "E-DPD" || strings.HasPrefix(s.Failure.Code, "E-TIMEOUT") || s.Failure.Code == "E-UNREACHABLE")
		return ok, fmt.Sprintf("%+v, failure %v", s, s.Failure)
	})
}

// wantStatusUp checks that status says that all is well.
func (p *pair) wantStatusUp(t *testing.T, e *peer.Esplanade) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, "status says that the connection is up", func() (bool, string) {
		s, err := e.Status(connName)
		if err != nil {
			return false, err.Error()
		}
		return s.State == "up" && s.Failure == nil && s.Since != "", fmt.Sprintf("%+v, failure %v", s, s.Failure)
	})
}

// moment is a point in a tunnel's life at which an end is killed: when the capture sees a certain message.
type moment struct {
	name     string
	exchange uint8
	response bool
	// command makes the message come, once the tunnel is up; nil for those of bringing it up.
	command []string
}

var (
	rekeyChildCommand = []string{"--rekey", "--child", childName}
	rekeyIKECommand   = []string{"--rekey", "--ike", connName}
)

var moments = []moment{
	{"IKE_SA_INIT request", lab.IKESAInit, false, nil},
	{"IKE_SA_INIT response", lab.IKESAInit, true, nil},
	{"IKE_AUTH request", lab.IKEAuth, false, nil},
	{"IKE_AUTH response", lab.IKEAuth, true, nil},
	{"CHILD rekey request", lab.CreateChildSA, false, rekeyChildCommand},
	{"CHILD rekey response", lab.CreateChildSA, true, rekeyChildCommand},
	{"CHILD delete request", lab.Informational, false, rekeyChildCommand},
	{"CHILD delete response", lab.Informational, true, rekeyChildCommand},
	{"IKE rekey request", lab.CreateChildSA, false, rekeyIKECommand},
	{"IKE rekey response", lab.CreateChildSA, true, rekeyIKECommand},
	{"IKE delete request", lab.Informational, false, rekeyIKECommand},
	{"IKE delete response", lab.Informational, true, rekeyIKECommand},
}

// TestKilledAtAnyPoint kills either end the moment a certain message is on the wire, starts it again, and waits
// for the tunnel.
func TestKilledAtAnyPoint(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		for _, m := range moments {
			for _, victim := range []string{"a", "b"} {
				if k != ours && m.command != nil && m.response != (victim == "a") {
					continue // with strongSwan the table is thinned out: the end that would act next dies
				}
				if m.command != nil && (k == toStrong && victim == "b" || k == fromStrong && victim == "a") {
					continue // a strongSwan that dies in a rekeying is as silent as an Esplanade
				}
				t.Run(fmt.Sprintf("%v/%s/kill %s", k, m.name, victim), func(t *testing.T) {
					t.Parallel()
					p := newPair(t, k, tunnel{Encap: true, Edit: keepUp})
					end := p.a
					if victim == "b" {
						end = p.b
					}
					if m.command == nil {
						hit := p.killAt(t, m, end)
						p.b.Launch(t)
						p.a.Launch(t)
						<-hit
					} else {
						p.start(t)
						p.wantUp(t, recoveryLimit)
						hit := p.killAt(t, m, end)
						_, _ = peer.Swanctl(p.a, m.command...) // its end may be the one that dies
						<-hit
					}
					end.Start(t)
					p.wantUp(t, recoveryLimit)
					p.wantTraffic(t, 5*time.Second)
				})
			}
		}
	}
}

// killAt kills end when the message passes a's link. The channel is closed when end is dead; a message that doesn't
// come fails the test.
func (p *pair) killAt(t *testing.T, m moment, end peer.Peer) <-chan struct{} {
	t.Helper()
	seen := make(chan struct{})
	var once sync.Once
	capture, err := p.A.StartCapture("kill", func(frame []byte) {
		ike, ok := lab.ParseIKE(frame)
		// Liveness checks are INFORMATIONAL too; those from a come from the end that was commanded, as the delete does.
		if ok && ike.Exchange == m.exchange && ike.Response == m.response {
			once.Do(func() { close(seen) })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := capture.Stop(); err != nil {
			t.Error(err)
		}
	})
	dead := make(chan struct{})
	go func() {
		defer close(dead)
		select {
		case <-seen:
			end.Kill()
		case <-time.After(recoveryLimit):
			t.Errorf("no %s within %v", m.name, recoveryLimit)
		}
	}()
	return dead
}
