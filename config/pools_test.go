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

// TestOwnAddressesOfPools: a pool may have the addresses of its servers and of this gateway in it, as with strongSwan. No client gets them, they are routed
// as if the pool did not have them, and there is a warning for each.
func TestOwnAddressesOfPools(t *testing.T) {
	w := newWorld(t)
	c := w.good(`
[tun]
addresses = ["10.30.0.1/24"]
[pools.office]
addrs = "10.30.0.0/24"
dns = ["10.30.0.53", "10.30.0.1"]
nbns = "10.30.0.53"
exclude = "10.30.0.1"
[pools.lab]
addrs = "10.31.0.0/29"
dhcp = "10.31.0.3"
[connections.rw]
local_addrs = "10.31.0.5"
local_ts = "0.0.0.0/0"
pools = ["office", "lab"]
secret = "0x0123456789abcdef0123456789abcdef"
local.id = "gw.example"
remote.id = "client.example"
`)
	office, lab := c.Pool("office"), c.Pool("lab")
	if n := office.Pool().Size(); n != 252 || office.Pool().Contains(netip.MustParseAddr("10.30.0.53")) || lab.Pool().Contains(netip.MustParseAddr("10.31.0.3")) {
		t.Errorf("%d addresses: %v %v", n, office.Pool().Spans(), lab.Pool().Spans())
	}
	for _, s := range slices.Concat(office.Routes(), lab.Routes()) {
		if s.Contains(netip.MustParseAddr("10.30.0.53")) || s.Contains(netip.MustParseAddr("10.31.0.3")) {
			t.Errorf("%s is routed to clients", s)
		}
	}
	for _, a := range []string{"10.30.0.1", "10.30.0.53", "10.31.0.3"} {
		if !slices.Contains(c.Reserved(), netip.MustParseAddr(a)) {
			t.Errorf("%s is not reserved: %v", a, c.Reserved())
		}
	}
	var got []string
	for _, p := range c.Warnings {
		if strings.Contains(p.Error(), "which no client gets") {
			got = append(got, p.Error())
		}
	}
	if all := strings.Join(got, "\n"); len(got) != 3 || !strings.Contains(all, "pools.office has 10.30.0.53, which no client gets: it is a server that they are told of") ||
		!strings.Contains(all, "pools.lab has 10.31.0.3") || !strings.Contains(all, `pools.lab has 10.31.0.5, which no client gets: it is this gateway's own: connections.rw.local_addrs`) {
		t.Errorf("warnings:\n%s", all)
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
