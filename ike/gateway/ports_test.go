package gateway

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestPorts: local_port and remote_port say from where a peer is called, and where.
func TestPorts(t *testing.T) {
	for _, tt := range []struct{ head, keys, want string }{
		{"", "", "500 500"},
		{"", "local_port = 500", "500 500"},
		{"", "local_port = 4500", "4500 4500"},
		{"", "remote_port = 4500", "4500 4500"},
		{"", "local_port = 4500\nremote_port = 5000", "4500 5000"},
		// With two ports of its own, the keys go by these names; the rig's sockets keep 500 and 4500.
		{"[ike]\nport = 1500\nport_nat_t = 14500\n", "", "500 500"},
		{"[ike]\nport = 1500\nport_nat_t = 14500\n", "local_port = 14500", "4500 4500"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			first := ""
			f.setDeliver(func(from, to netip.AddrPort, _ []byte) bool {
				if first == "" {
					first = fmt.Sprintf("%d %d", from.Port(), to.Port())
				}
				return true
			})
			l := left("start")
			l.extra = tt.keys
			b := f.start(addrB, toml("", right("none")))
			a := f.start(addrA, toml(tt.head, l))
			settle(10 * time.Second)
			if first != tt.want {
				t.Errorf("%q: called from and at %s, want %s", tt.keys, first, tt.want)
			}
			if paired(t, a, b) != 1 {
				t.Errorf("%q: no tunnel", tt.keys)
			}
			a.stop()
			b.stop()
		})
	}
}
