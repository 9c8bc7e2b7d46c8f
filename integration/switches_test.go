//go:build linux

package integration

import (
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestSwitches: with each kernel feature switched off, one at a time, the tunnel carries TCP and UDP of both families
// unharmed, and status says that this feature, and no other that doesn't need it, is not used.
func TestSwitches(t *testing.T) {
	for _, c := range []struct {
		key string
		off string // further features that are not used without it
	}{
		{key: "none"},
		{key: "gso"}, {key: "gro"},
		{key: "tun_offload", off: "vnet_hdr tun_csum tun_tso tun_tso_ecn tun_uso tun_gso_write"},
		{key: "vnet_hdr", off: "tun_csum tun_tso tun_tso_ecn tun_uso tun_gso_write"},
		{key: "tun_tso", off: "tun_tso_ecn"}, {key: "tun_tso_ecn"}, {key: "tun_uso"}, {key: "tun_gso_write"},
		{key: "multi_queue"}, {key: "reuse_port", off: "spi_steering"}, {key: "spi_steering"}, {key: "raw_esp"},
		{key: "raw_io"},
	} {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, ours, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
				for _, g := range []*peer.Gateway{a, b} {
					g.Dataplane = map[string]string{"workers": "2", c.key: "false"}
					delete(g.Dataplane, "none")
					// Once over IP protocol 50, without UDP.
					g.Connections[0].NoEncap = c.key == "none"
				}
			}})
			p.start(t)
			for _, end := range p.peers() {
				p.wantFeatures(t, end.(*peer.Esplanade), c.key, c.off)
			}
			p.initiate(t)
			for _, v6 := range []bool{false, true} {
				p.wantBulk(t, v6, bulkBytes)
				a, b := p.ends(v6)
				for _, size := range []int{1200, 64} {
					r, err := lab.Datagrams(a, b, lab.DatagramOptions{Count: 4000, Size: size})
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("UDP: %v", r)
					if r.Duplicates > r.Resent || r.Overtaken > r.Resent {
						t.Errorf("datagrams came out twice or out of order: %v", r)
					}
				}
			}
			p.wantPing(t)
		})
	}
}

// wantFeatures looks at what status says.
func (p *pair) wantFeatures(t *testing.T, e *peer.Esplanade, key, alsoOff string) {
	t.Helper()
	var s peer.Status
	lab.Eventually(t, 5*time.Second, "status", func() (bool, string) {
		var err error
		if s, err = e.StatusAll(); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
	if key == "raw_io" {
		for _, f := range s.Gateway.DataPath.Features {
			if f.Name == key && f.Used {
				t.Errorf("%s is told to be used", key)
			}
		}
		return
	}
	off := " " + key + " " + alsoOff + " "
	seen := false
	for _, f := range s.Gateway.DataPath.Features {
		want := !strings.Contains(off, " "+f.Name+" ")
		seen = seen || f.Name == key
		if f.Used != want {
			t.Errorf("with %s = false, %s is told to be used: %v (%s)", key, f.Name, f.Used, f.Reason)
		}
	}
	if !seen && key != "none" && key != "tun_offload" {
		t.Errorf("status doesn't say a word about %s: %+v", key, s.Gateway.DataPath.Features)
	}
}
