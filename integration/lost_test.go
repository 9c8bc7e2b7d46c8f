//go:build linux

package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// setIKE adds keys of [ike].
func setIKE(g *peer.Gateway, keys map[string]string) {
	if g.IKE == nil {
		g.IKE = map[string]string{}
	}
	for k, v := range keys {
		g.IKE[k] = v
	}
}

// crashTokens has a gateway make tokens of quick crash detection, with a secret that outlasts it.
func crashTokens(t *testing.T, g *peer.Gateway) {
	setIKE(g, map[string]string{"qcd_secret_file": fmt.Sprintf("%q", filepath.Join(t.TempDir(), "qcd"))})
}

// TestCrashToken: a gateway is killed and started again. The other end repeats its requests for minutes before it takes a peer for
// dead; the token that it was given (RFC 6290) tells it with the first request that is answered.
func TestCrashToken(t *testing.T) {
	t.Parallel()
	// A request is repeated after 4, 11, 24, ... seconds and given up after 169: much more than the test waits.
	slow := map[string]string{"retransmit_timeout": `"4s"`, "retransmit_base": "1.8", "retransmit_tries": "5"}
	p := newPair(t, ours, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
		keepUp(a, b)
		setIKE(a, slow)
		crashTokens(t, b)
	}})
	p.start(t)
	before := p.wantUp(t, recoveryLimit)
	p.b.Kill()
	p.b.Start(t)
	after := p.wantUp(t, recoveryLimit)
	p.wantTraffic(t, 5*time.Second)
	if after.ikeA.SPIi == before.ikeA.SPIi {
		t.Error("it is still the old IKE SA")
	}
	if !strings.Contains(p.a.Log(), "as its QCD_TOKEN proves") {
		t.Errorf("a does not say why:\n%s", p.a.Log())
	}
	p.terminate(t)
}

// TestResumption: the path is gone until the end that keeps the tunnel up has noticed. It comes back with its ticket (RFC 5723):
// there is no second IKE_SA_INIT, traffic passes, and both ends say what they have. After a restart of the other end, which knows
// the tickets it gave no more, it comes back by IKE_SA_INIT.
func TestResumption(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
		keepUp(a, b)
		a.Connections[0].Resumption, b.Connections[0].Resumption = true, true
	}}, "nft")
	seen := watchIKE(t, p)
	count := func(exchange uint8) int {
		return seen.count(func(m lab.IKEMessage) bool { return m.Exchange == exchange && !m.Response })
	}
	wantResumed := func(when string, want bool) {
		t.Helper()
		for _, end := range p.peers() {
			if s, err := end.(*peer.Esplanade).Status(connName); err != nil || s.Resumed != want {
				t.Errorf("%s: status of %s says resumed %v, %v", when, end.Site().Name, s.Resumed, err)
			}
			out, err := peer.Swanctl(end, "--list-sas", "--raw")
			if err != nil || strings.Contains(out, "resumed=yes") != want {
				t.Errorf("%s: swanctl at %s: %v\n%s", when, end.Site().Name, err, out)
			}
		}
	}
	p.start(t)
	p.wantUp(t, recoveryLimit)
	wantResumed("the first IKE SA", false)
	inits := count(lab.IKESAInit)

	nft(t, p.B, "udp dport { 500, 4500 } drop")
	lab.Eventually(t, recoveryLimit, "a tries to resume", func() (bool, string) {
		return count(lab.IKESessionResume) > 0, peer.DescribeSAs(p.a)
	})
	if _, err := p.B.Host.Run("nft", "flush", "ruleset"); err != nil {
		t.Fatal(err)
	}
	p.wantUp(t, recoveryLimit)
	p.wantTraffic(t, 5*time.Second)
	wantResumed("the second IKE SA", true)
	if n := count(lab.IKESAInit); n != inits {
		t.Errorf("%d IKE_SA_INIT requests more", n-inits)
	}

	tries := count(lab.IKESessionResume)
	p.b.Kill()
	p.b.Start(t)
	p.wantUp(t, recoveryLimit)
	p.wantTraffic(t, 5*time.Second)
	wantResumed("after the restart", false)
	if n := count(lab.IKESessionResume); n == tries {
		t.Error("a has not tried the ticket of the resumed IKE SA")
	}
	if count(lab.IKESAInit) == inits {
		t.Error("the IKE SA after the restart was made without IKE_SA_INIT")
	}
	p.askAll(t, p.peers(), rekeyIKECommand...)
	p.wantUp(t, recoveryLimit)
	p.wantTraffic(t, 5*time.Second)
	p.terminate(t)
}

// TestPeerKnowsNoTokensOrTickets: strongSwan knows neither RFC 6290 nor RFC 5723. It ignores what it is offered, in both roles: the
// tunnel comes up, both ends rekey it, and it comes back after a crash as it does without.
func TestPeerKnowsNoTokensOrTickets(t *testing.T) {
	for _, k := range pairsOf(t, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
				keepUp(a, b)
				g := a
				if k == fromStrong {
					g = b
				}
				crashTokens(t, g)
				g.Connections[0].Resumption = true
			}})
			seen := watchIKE(t, p)
			p.start(t)
			p.wantUp(t, recoveryLimit)
			p.wantTraffic(t, 5*time.Second)
			// Either side gives tokens; it is the initiator that asks for a ticket.
			offers := []string{"N(CRASH_DET)", "N(TKT_REQ)"}
			if k == fromStrong {
				offers = offers[:1]
			}
			for _, end := range p.peers() {
				for _, offer := range offers {
					if end.Kind() == peer.KindEsplanade && !strings.Contains(end.Log(), offer) {
						t.Errorf("%s was not offered:\n%s", offer, end.Log())
					}
				}
			}
			for _, end := range p.peers() {
				before := p.wantUp(t, recoveryLimit)
				p.askAll(t, []peer.Peer{end}, rekeyIKECommand...)
				lab.Eventually(t, recoveryLimit, "the IKE SA is rekeyed by "+end.Kind(), func() (bool, string) {
					after, problem := p.look()
					return problem == "" && after.ikeA.SPIi != before.ikeA.SPIi, problem
				})
			}
			p.wantTraffic(t, 5*time.Second)
			p.b.Kill()
			p.b.Start(t)
			p.wantUp(t, recoveryLimit)
			p.wantTraffic(t, 5*time.Second)
			if n := seen.count(func(m lab.IKEMessage) bool { return m.Exchange == lab.IKESessionResume }); n != 0 {
				t.Errorf("%d messages of IKE_SESSION_RESUME, and there was no ticket", n)
			}
			p.terminate(t)
		})
	}
}
