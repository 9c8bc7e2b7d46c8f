//go:build linux

package integration

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// secondAddr is another address of host b: the gateway that is redirected to. secondConn is the connection there.
var secondAddr = netip.MustParseAddr("198.18.0.22")

const secondConn = "t2"

// newRedirectPair makes a gateway on b that has two addresses and a connection for each of them, as if it were two gateways.
// to is where the first one sends its peers, "" nowhere. With inAuth there is a connection beside it that redirects nobody,
// so that it can't be said before the client is known.
func newRedirectPair(t *testing.T, k kinds, to string, inAuth bool) *pair {
	t.Helper()
	p := newPair(t, k, tunnel{Encap: true, Edit: func(_, b *peer.Gateway) {
		second := b.Connections[0]
		second.Name, second.Local = secondConn, secondAddr
		if to != "" {
			b.Connections[0].Extra = map[string]string{"redirect_to": to}
		}
		if inAuth {
			other := b.Connections[0]
			other.Name, other.RemoteID, other.Extra = "other", "other.example", nil
			other.Children = []peer.Child{{Name: "other", LocalTS: []string{"10.98.0.0/24"}, RemoteTS: []string{"10.99.0.0/24"}}}
			b.Connections = append(b.Connections, other)
		}
		b.Connections = append(b.Connections, second)
	}})
	if err := p.B.IP("addr add " + secondAddr.String() + "/24 dev b0"); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	return p
}

// wantAtGateway waits until both ends have the same tunnel and nothing else, and the one on a is with this address of b.
func (p *pair) wantAtGateway(t *testing.T, at netip.Addr) {
	t.Helper()
	lab.Eventually(t, 20*time.Second, "the tunnel is with "+at.String(), func() (bool, string) {
		s, problem := p.look()
		return problem == "" && strings.HasPrefix(s.ikeA.Remote, at.String()+"["), problem + "\n" + peer.DescribeSAs(p.a)
	})
	p.wantTraffic(t, 10*time.Second)
}

// redirect has swanctl send the peer of b to an address.
func (p *pair) redirect(t *testing.T, to netip.Addr, by ...string) {
	t.Helper()
	if out, err := peer.Swanctl(p.b, append([]string{"--redirect", "--gateway", to.String()}, by...)...); err != nil {
		t.Fatalf("swanctl --redirect: %v\n%s", err, out)
	}
}

// TestRedirect: our gateway sends a client that calls its first address to the second one before there is an IKE SA, or with
// IKE_AUTH, and afterwards back by a command. It knows then that the client comes from the second one, and does not send it
// there again. charon 5.9.8 as a client does not survive a redirect in IKE_AUTH: it resets the IKE SA while it still goes
// through the tasks that the answer is for, and dies of a segmentation fault or hangs, wherever REDIRECT is in the answer.
func TestRedirect(t *testing.T) {
	for _, k := range pairsOf(t, ours, fromStrong) {
		for exchange, inAuth := range map[string]bool{"IKE_SA_INIT": false, "IKE_AUTH": true} {
			if inAuth && k.a == peer.KindStrongSwan {
				continue
			}
			t.Run(k.String()+"/"+exchange, func(t *testing.T) {
				t.Parallel()
				p := newRedirectPair(t, k, secondAddr.String(), inAuth)
				if _, err := peer.Initiate(p.a, childName); err != nil {
					t.Fatal(err)
				}
				p.wantAtGateway(t, secondAddr)
				if k.a == peer.KindEsplanade && !strings.Contains(p.a.Log(), "exchange="+exchange+"\n") {
					t.Error("it was not redirected in " + exchange)
				}
				p.redirect(t, p.B.Outer4, "--ike", secondConn)
				p.wantAtGateway(t, p.B.Outer4)
				p.terminate(t)
			})
		}
	}
}

// TestRedirectedByStrongSwan: strongSwan's gateway sends our client from one address to the other and back, by what it
// knows the client by.
func TestRedirectedByStrongSwan(t *testing.T) {
	for _, k := range pairsOf(t, toStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newRedirectPair(t, k, "", false)
			p.initiate(t)
			p.wantAtGateway(t, p.B.Outer4)
			p.redirect(t, secondAddr, "--peer-id", id(p.A))
			p.wantAtGateway(t, secondAddr)
			p.redirect(t, p.B.Outer4, "--peer-ip", p.A.Outer4.String()+"/32")
			p.wantAtGateway(t, p.B.Outer4)
			if k.a == peer.KindEsplanade && strings.Count(p.a.Log(), "redirected to another gateway") != 2 {
				t.Error("the log has not two lines about redirects")
			}
			p.terminate(t)
		})
	}
}
