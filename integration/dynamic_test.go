//go:build linux

package integration

import (
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestDynamicSelectorsMove: the initiator's own address is its traffic selector, and changes. Its selectors follow on both sides, traffic
// goes on from the new address, and both sides can rekey the child.
func TestDynamicSelectorsMove(t *testing.T) {
	for _, k := range []kinds{toStrong, fromStrong} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
				roaming(true)(a, b)
				child(a).LocalTS, child(b).RemoteTS = []string{"dynamic"}, []string{"dynamic"}
				child(a).RemoteTS, child(b).LocalTS = child(a).RemoteTS[:1], child(b).LocalTS[:1]
			}})
			p.onlyIPv4(t)
			p.start(t)
			p.initiate(t)
			p.moveHost(t, p.A, otherA)
			p.wantAt(t, 15*time.Second, otherA, p.B.Outer4)
			here, there := lab.Endpoint{Host: p.A.Host, Addr: otherA}, lab.Endpoint{Host: p.B.Host, Addr: p.B.Inner4}
			check := func() {
				t.Helper()
				s := p.wantUp(t, 10*time.Second)
				want := otherA.String() + "/32"
				if got := [2]string{strings.Join(s.childA.LocalTS, " "), strings.Join(s.childB.RemoteTS, " ")}; got != [2]string{want, want} {
					t.Errorf("the selectors are %s, want %s", got, want)
				}
				p.wantPingTo(t, here, there)
			}
			check()
			for _, end := range p.peers() {
				p.rekeyChild(t, "ECP_384", end)
				check()
			}
			p.terminate(t)
		})
	}
}
