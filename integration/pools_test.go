//go:build linux

package integration

import (
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestPools: strongSwan as a client is given an address by Esplanade, and gets it again after Esplanade was killed and started again. swanctl shows who
// has it.
func TestPools(t *testing.T) {
	t.Parallel()
	p := newPair(t, kinds{peer.KindStrongSwan, peer.KindEsplanade}, tunnel{Edit: func(a, b *peer.Gateway) {
		a.Connections[0].VIPs = []string{"0.0.0.0"}
		child(a).LocalTS, child(a).StartAction = []string{"dynamic"}, "none"
		child(b).RemoteTS, child(b).StartAction = []string{"dynamic"}, "none"
		b.Connections[0].Extra = map[string]string{"pools": "four"}
		b.More = "[pools.four]\naddrs = \"10.77.0.0/24\"\n"
	}})
	p.start(t)
	list := func(want ...string) {
		t.Helper()
		lab.Eventually(t, 5*time.Second, "swanctl --list-pools", func() (bool, string) {
			out, err := peer.Swanctl(p.b, "--list-pools", "--leases")
			ok := err == nil
			for _, w := range want {
				ok = ok && strings.Contains(out, w)
			}
			return ok, out
		})
	}
	for range 2 {
		if out, err := peer.Initiate(p.a, "net"); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, p.b.Log())
		}
		list("10.77.0.1 ", "online", "1 / 0 / 254")
		p.b.(*peer.Esplanade).Kill()
		_, _ = peer.Swanctl(p.a, "--terminate", "--ike", "t", "--force", "--timeout", "1") // nobody answers
		p.b.Start(t)
	}
}
