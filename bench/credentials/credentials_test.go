package credentials

import (
	"net/netip"
	"strings"
	"testing"
)

// Each way makes what both gateways' configurations need, and nothing of another one.
func TestSet(t *testing.T) {
	network, gateway := netip.MustParsePrefix("10.64.0.0/16"), netip.MustParseAddr("192.0.2.1")
	for _, how := range Ways() {
		c, err := New(how, t.TempDir(), gateway, "example", 3, network)
		if err != nil {
			t.Fatal(err)
		}
		if (c == nil) != (how == PSK) || c.Users() != (how == EAP) {
			t.Errorf("%s: set %v, users %v", how, c != nil, c.Users())
		}
		pools, ts := c.Pool("pools", network)
		if users := how == EAP; users != (pools == "pools") || users != (ts == "dynamic") || !users && ts != network.String() {
			t.Errorf("%s: pools %q, selectors %q", how, pools, ts)
		}
		_, remote, tables := c.Esplanade()
		secrets, _ := c.StrongSwanTables()
		if n := strings.Count(secrets, "secret ="); how == EAP && (n != 3 || !strings.Contains(remote, "eap-mschapv2") || !strings.Contains(tables, "[users]")) || how != EAP && n != 0 {
			t.Errorf("%s: %d users, %q, %q", how, n, remote, tables)
		}
	}
}
