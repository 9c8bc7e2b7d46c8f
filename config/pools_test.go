package config

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/policy"
)

// TestPools: what clients are given of a pool, and that the child of a connection with pools waits for those who call.
func TestPools(t *testing.T) {
	c := mustLoad(t, "pools")
	p := c.Pool("office").Pool()
	if p.Size() != 254-7+11-1 || p.Base() != "10.30.0.0" || p.Name() != "office" {
		t.Errorf("%d addresses of %s", p.Size(), p.Base())
	}
	for a, want := range map[string]bool{"10.30.0.0": false, "10.30.0.7": false, "10.30.0.8": true, "10.30.0.255": false, "10.30.1.15": false, "10.30.1.20": true} {
		if p.Contains(netip.MustParseAddr(a)) != want {
			t.Errorf("%s is in the pool: %v", a, !want)
		}
	}
	x := p.Attributes()
	if x.Netmask.String() != "255.255.255.0" || x.PrefixLen != 0 || len(x.DNS) != 2 || len(x.NBNS) != 1 || len(x.DHCP) != 1 || len(x.Servers) != 1 ||
		len(x.Subnets) != 3 || len(x.Excluded) != 1 || !slices.Equal(x.Domains, []string{"corp.example", "Lab.example"}) {
		t.Errorf("%+v", x)
	}
	six := c.Pool("six").Pool()
	if six.Attributes().PrefixLen != 64 || six.Contains(netip.MustParseAddr("2001:db8:3::ff")) || !six.Contains(netip.MustParseAddr("2001:db8:3::100")) {
		t.Errorf("%v", six.Spans())
	}
	n := c.Connection("rw")
	if h := n.Children[0]; !slices.Equal(n.Pools, []string{"office", "six"}) || !h.DynamicRemote() || h.StartAction != policy.StartNone {
		t.Errorf("%v, %v", n.Pools, h.StartAction)
	}
	if c.Pool("none") != nil || len(c.Pools) != 3 {
		t.Errorf("%d pools", len(c.Pools))
	}
}

// TestReserved: the addresses of users are nobody else's.
func TestReserved(t *testing.T) {
	w := newWorld(t)
	w.write("users.toml", `alice = { password = "correct horse battery", addresses = ["10.30.0.7", "2001:db8:3::7"] }`+"\n")
	c := w.good(`
[users]
file = "users.toml"
[pools.office]
addrs = "10.30.0.0/24"
[connections.rw]
local_ts = "0.0.0.0/0"
pools = "office"
local = { certs = "gw.pem", id = "gw.example" }
remote = { auth = "eap-mschapv2" }
[credentials]
private = "gw.key"
`)
	var got []string
	for _, a := range c.Reserved() {
		got = append(got, a.String())
	}
	if strings.Join(got, " ") != "10.30.0.7 2001:db8:3::7" {
		t.Errorf("%v", got)
	}
}
