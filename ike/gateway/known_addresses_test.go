package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"esplanade/ike/peertest"
	"esplanade/ike/wire"
)

// pooled is what the clients' gateway has in addition where they get addresses.
const pooled = `
[pools.six]
addrs = "2001:db8:3::1/128"
[pools.road]
addrs   = "10.3.0.1/32"
dns     = ["10.1.0.53", "2001:db8:1::53"]
nbns    = "10.1.0.54"
subnet  = "10.1.0.0/16"
server  = "10.1.0.55"
domains = "example.com"
`

// single is one address as selectors have it.
func single(s string) wire.TrafficSelector {
	a := netip.MustParseAddr(s)
	return wire.TrafficSelector{StartPort: 0, EndPort: 65535, Start: a, End: a}
}

// TestKnownClientsAddresses: each client gets an address of each family that it asks for, with what goes with it, and its CHILD SA is for that
// address, also after its renewal. What only some know comes to those that have asked for it.
func TestKnownClientsAddresses(t *testing.T) {
	for name, l := range users() {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("send_cert", `pools = ["road", "six"]`+"\nsend_cert", `"10.1.0.0/16"`, `["10.1.0.0/16", "2001:db8:1::/48"]`).Replace(roadWarriors(t)) + pooled
			synctest.Test(t, func(t *testing.T) {
				p := meetWith(t, peertest.KnownAs(name), text)
				p.everything = true
				l.password = "alices password"
				if !p.comesIn(l) {
					t.Fatalf("the user is refused\n%s", p.n.log)
				}
				p.up()
				request := p.known.Auth[slices.IndexFunc(p.known.Auth, func(x wire.Payload) bool { return x.Type() == wire.PayloadCP })].(*wire.CP)
				asked := func(t wire.CfgAttrType) bool {
					return slices.ContainsFunc(request.Attributes, func(a wire.CfgAttr) bool { return a.Type == t })
				}
				reply := peertest.Find[*wire.CP](p.got)
				if reply == nil || reply.CfgType != wire.CfgReply {
					t.Fatalf("no CFG_REPLY: %s\n%s", wire.Summary(p.h, p.got), p.n.log)
				}
				for _, x := range []struct {
					t     wire.CfgAttrType
					value string
					only  bool // to those that ask for it
				}{
					{wire.CfgInternalIP4Address, "\x0a\x03\x00\x01", true},
					{wire.CfgInternalIP6Address, string(append(netip.MustParseAddr("2001:db8:3::1").AsSlice(), 128)), true},
					{wire.CfgInternalIP4DNS, "\x0a\x01\x00\x35", false},
					{wire.CfgInternalIP6DNS, string(netip.MustParseAddr("2001:db8:1::53").AsSlice()), false},
					{wire.CfgInternalIP4NBNS, "\x0a\x01\x00\x36", false},
					{wire.CfgInternalIP4Subnet, "\x0a\x01\x00\x00\xff\xff\x00\x00", false},
					{wire.CfgInternalDNSDomain, "example.com", true},
					{wire.CfgInternalIP4Server, "\x0a\x01\x00\x37", true},
				} {
					var got []string
					for _, a := range reply.Attributes {
						if a.Type == x.t {
							got = append(got, string(a.Value))
						}
					}
					if want := !x.only || asked(x.t); want && (len(got) != 1 || got[0] != x.value) || !want && len(got) > 0 {
						t.Errorf("%s: %q", x.t, got)
					}
				}
				p.narrowed(p.got)
				p.rekeys()
				p.narrowed(p.renewed)
				p.up()
				p.quiet()
			})
		})
	}
}

// narrowed checks the selectors of an answer for a client that asks for all traffic: its own are its addresses.
func (p *product) narrowed(answer []wire.Payload) {
	p.t.Helper()
	own, reached := peertest.TS(answer, false), peertest.TS(answer, true)
	if own == nil || reached == nil || !slices.Equal(own.Selectors, []wire.TrafficSelector{single("10.3.0.1"), single("2001:db8:3::1")}) ||
		len(reached.Selectors) != 2 || reached.Selectors[0].Start != netip.MustParseAddr("10.1.0.0") {
		p.t.Errorf("%s: the selectors are %+v and %+v", p.known.Name, own, reached)
	}
}
