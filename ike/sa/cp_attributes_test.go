package sa

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"esplanade/ike/pool"
	"esplanade/ike/wire"
)

// What an answer has of all that there can be, for those who ask for everything, and for those who ask for an address alone.
func TestConfigAttributes(t *testing.T) {
	addrs := func(list ...string) (out []netip.Addr) {
		for _, s := range list {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	l := Leased{
		Addresses: []netip.Addr{ip4, ip6, netip.MustParseAddr("10.3.0.8")},
		Attributes: pool.Attributes{
			Netmask: netip.MustParseAddr("255.255.255.0"), PrefixLen: 64,
			DNS: addrs("10.0.0.53", "2001:db8::53"), NBNS: addrs("10.0.0.42", "2001:db8::42"), DHCP: addrs("10.0.0.67", "2001:db8::67"),
			Servers:  addrs("10.0.0.9", "2001:db8::9"),
			Subnets:  []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("0.0.0.0/0")},
			Excluded: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("2001:db8:9::/48")}, Domains: []string{"corp.example", "lab.example"},
		},
	}
	const always = "ADDR=0a030007 MASK=ffffff00 ADDR6=20010db8000300000000000000000007" + "40 ADDR=0a030008 DNS=0a000035 DNS6=20010db8000000000000000000000053 NBNS=0a00002a " +
		"DHCP=0a000043 DHCP6=20010db8000000000000000000000067 SUBNET=0a000000ff000000 SUBNET6=20010db800000000000000000000000020 SUBNET=0000000000000000"
	every := asking{attributes: []wire.CfgAttrType{wire.CfgInternalDNSDomain, wire.CfgInternalIP4Server, wire.CfgInternalIP6Server, wire.CfgUnityLocalLAN}}
	text := func(list []wire.CfgAttr) (s string) {
		for i, a := range list {
			if i > 0 {
				s += " "
			}
			s += fmt.Sprintf("%s=%s", a.Type.Short(), hex.EncodeToString(a.Value))
		}
		return s
	}
	if got := text(configAttributes(l, asking{})); got != always {
		t.Errorf("nothing asked for:\n%s\nwant\n%s", got, always)
	}
	want := always + " DOMAIN=" + hex.EncodeToString([]byte("corp.example")) + " DOMAIN=" + hex.EncodeToString([]byte("lab.example")) +
		" SRV=0a000009 SRV6=20010db8000000000000000000000009 U_LOCALLAN=0a090000ffff0000000000000000"
	if got := text(configAttributes(l, every)); got != want {
		t.Errorf("everything asked for:\n%s\nwant\n%s", got, want)
	}
	l.Attributes = pool.Attributes{Domains: []string{"corp.example"}}
	if got := text(configAttributes(l, every)); got != "ADDR=0a030007 ADDR6=20010db8000300000000000000000007"+"80 ADDR=0a030008" {
		t.Errorf("domains without servers: %s", got)
	}
	l.Attributes.DNS = slices.Repeat(addrs("10.0.0.1"), 100_000)
	if got := configAttributes(l, every); len(got) != maxReplyAttributes {
		t.Errorf("%d attributes", len(got))
	}
	l.Attributes.Domains = slices.Repeat([]string{string(make([]byte, 10_000))}, 9)
	l.Attributes.DNS = addrs("10.0.0.1")
	if n := len(wire.AppendPayloads(nil, []wire.Payload{&wire.CP{CfgType: wire.CfgReply, Attributes: configAttributes(l, every)}})); n > maxReplyOctets+100 {
		t.Errorf("%d octets", n)
	}
}

// Whatever a peer sends as a request is read within bounds, and the answer can be sent and read.
func FuzzConfigRequest(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 25, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 1, 0, 4, 10, 3, 0, 7, 0, 8, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64})
	f.Add([]byte{2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		payloads, err := wire.ParsePayloads(wire.PayloadCP, append([]byte{0, 0, byte((len(body) + 4) >> 8), byte(len(body) + 4)}, body...), 0)
		if err != nil || len(body) > 60_000 {
			return
		}
		a, ok := configRequest(payloads)
		if ok != (len(a.addrs) > 0) || len(a.attributes) > maxAskedAttributes {
			t.Fatalf("%v, %+v", ok, a)
		}
		for _, x := range a.addrs {
			if !x.IsValid() || x.Is4In6() || x.Zone() != "" {
				t.Fatalf("asks for %v", x)
			}
		}
		reply := &wire.CP{CfgType: wire.CfgReply, Attributes: configAttributes(Leased{Addresses: a.addrs[:min(len(a.addrs), 8)],
			Attributes: pool.Attributes{DNS: a.addrs, Domains: []string{"a.example"}}}, a)}
		if _, err := wire.ParsePayloads(wire.PayloadCP, wire.AppendPayloads(nil, []wire.Payload{reply}), 0); err != nil {
			t.Fatal(err)
		}
	})
}
