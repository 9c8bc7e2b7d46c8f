//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestPools: strongSwan as a client is given an IPv4 and an IPv6 address by Esplanade, of two pools, with a DNS server, reaches
// what is behind it with both, and gets them again after Esplanade was killed and started again. swanctl shows who has them.
func TestPools(t *testing.T) {
	t.Parallel()
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	p := newPair(t, kinds{peer.KindStrongSwan, peer.KindEsplanade}, tunnel{Edit: func(a, b *peer.Gateway) {
		a.Plugins, a.PluginConf = []string{"resolve"}, "resolve {\n      file = "+resolv+"\n    }"
		a.Connections[0].VIPs = []string{"0.0.0.0", "::"}
		child(a).LocalTS, child(a).StartAction = []string{"dynamic"}, "none"
		child(b).RemoteTS, child(b).StartAction = []string{"dynamic"}, "none"
		b.Connections[0].Pools = []string{"four", "six"}
		b.More = "[pools.four]\naddrs = \"10.77.0.0/24\"\ndns = \"10.20.0.53\"\n[pools.six]\naddrs = \"fd77::/112\"\n"
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
		list("10.77.0.1 ", "fd77::1 ", "online", "1 / 0 / 254")
		if out, err := peer.Swanctl(p.a, "--list-sas"); err != nil || !strings.Contains(out, "[10.77.0.1 fd77::1]") {
			t.Errorf("the client shows other addresses: %v\n%s", err, out)
		}
		if text, err := os.ReadFile(resolv); err != nil || !strings.Contains(string(text), "nameserver 10.20.0.53") {
			t.Errorf("the client knows nothing of the DNS server: %q, %v", text, err)
		}
		for source, to := range map[string]string{"10.77.0.1": p.B.Inner4.String(), "fd77::1": p.B.Inner6.String()} {
			lab.Eventually(t, 5*time.Second, "a ping from "+source, func() (bool, string) {
				out, err := p.A.Run("ping", "-c1", "-W1", "-I", source, to)
				return err == nil, out
			})
		}
		p.b.(*peer.Esplanade).Kill()
		_, _ = peer.Swanctl(p.a, "--terminate", "--ike", "t", "--force", "--timeout", "1") // nobody answers
		p.b.Start(t)
	}
}
