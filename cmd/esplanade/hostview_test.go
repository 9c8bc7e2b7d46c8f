package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/ike/control"
	"esplanade/tun"
)

// fiveLines is the shortest configuration.
const fiveLines = `[connections.office]
remote_addrs = "198.51.100.20"
local_ts     = "10.10.0.0/24"
remote_ts    = "10.20.0.0/24"
secret       = "kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u"
`

// bare is a host with nothing but an outer address.
func bare() hostView {
	return hostView{
		addrs:     []hostAddr{{netip.MustParsePrefix("127.0.0.1/8"), "lo"}, {netip.MustParsePrefix("203.0.113.10/24"), "eth0"}},
		routes:    []tun.HostRoute{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Device: "eth0"}, {Dst: netip.MustParsePrefix("203.0.113.0/24"), Device: "eth0", Connected: true}},
		forwards4: forwardingOff, forwards6: forwardingOff,
	}
}

func conf(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("x.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestInnerAddress: a host that can only mean itself by local_ts gets an address in it. Wherever the address may be another's, it gets
// none, and is told so.
func TestInnerAddress(t *testing.T) {
	const cannot = "x.toml:3:1: no address of this host is in local_ts 10.10.0.0/24: this host itself cannot use the tunnel; set tun.addresses, such as to \"10.10.0.1/32\""
	const idle = "net.ipv4.ip_forward is 0 on this host"
	addr := func(v *hostView, device, prefix string) {
		v.addrs = append(v.addrs, hostAddr{netip.MustParsePrefix(prefix), device})
	}
	route := func(v *hostView, dst string) {
		v.routes = append(v.routes, tun.HostRoute{Dst: netip.MustParsePrefix(dst), Device: "eth1"})
	}
	for name, tt := range map[string]struct {
		edit func(*hostView)
		head string
		from string // what is another text in the configuration, and to
		to   string
		want string // the addresses
		say  string // a part of the remarks; "" none
	}{
		"bare":              {want: "[10.10.0.1/32]", say: "it gets 10.10.0.1/32 on ipsec0"},
		"started":           {edit: func(v *hostView) { v.started = true }, want: "[]", say: cannot},
		"forwards":          {edit: func(v *hostView) { v.forwards4 = forwardingOn }, want: "[]", say: cannot},
		"unknown":           {edit: func(v *hostView) { v.forwards4 = forwardingUnknown }, want: "[]", say: cannot},
		"a route":           {edit: func(v *hostView) { route(v, "10.10.0.0/25") }, want: "[]", say: cannot},
		"a wider route":     {edit: func(v *hostView) { route(v, "10.0.0.0/8") }, want: "[]", say: cannot},
		"a LAN":             {edit: func(v *hostView) { addr(v, "eth1", "10.10.0.254/24") }, want: "[]", say: idle},
		"a gateway":         {edit: func(v *hostView) { addr(v, "eth1", "10.10.0.254/24"); v.forwards4 = forwardingOn }, want: "[]"},
		"configured":        {head: "[tun]\naddresses = \"10.10.0.9\"\n", want: "[10.10.0.9/32]", say: idle},
		"none, on purpose":  {head: "[tun]\naddresses = []\n", want: "[]", say: "this host itself cannot use the tunnel"},
		"no routes":         {head: "[ike]\ninstall_routes = false\n", want: "[]", say: idle},
		"one address":       {from: "10.10.0.0/24", to: "10.10.0.7", want: "[10.10.0.7/32]", say: "gets 10.10.0.7/32"},
		"a range":           {from: "10.10.0.0/24", to: "10.10.0.7-10.10.0.9", want: "[10.10.0.7/32]", say: "gets 10.10.0.7/32"},
		"IPv6":              {from: "10.10.0.0/24\"\nremote_ts    = \"10.20.0.0/24", to: "fd10::/64\"\nremote_ts    = \"fd20::/64", want: "[fd10::1/128]", say: "net.ipv6.conf.all.forwarding is 0"},
		"the peer's":        {from: "10.20.0.0/24", to: "10.10.0.0/30", want: "[]", say: cannot},
		"the peer's outer":  {from: "198.51.100.20", to: "10.10.0.1", want: "[]", say: cannot},
		"everything":        {from: "10.10.0.0/24", to: "0.0.0.0/0", want: "[]", say: idle},
		"dynamic":           {from: "10.10.0.0/24", to: "dynamic", want: "[]"},
		"two at once":       {from: "\"10.10.0.0/24\"", to: "[\"10.10.0.0/24\", \"10.11.0.0/24\"]", want: "[10.10.0.1/32]", say: "gets 10.10.0.1/32"},
		"one of two here":   {edit: func(v *hostView) { addr(v, "eth1", "10.11.0.1/24"); v.forwards4 = forwardingOn }, from: "\"10.10.0.0/24\"", to: "[\"10.10.0.0/24\", \"10.11.0.0/24\"]", want: "[]"},
		"within netstack":   {head: "[tun]\ndevice = \"netstack\"\naddresses = \"10.10.0.1\"\n", want: "[10.10.0.1/32]"},
		"on two interfaces": {head: "[tun]\naddresses = \"10.10.0.1/24\"\n", edit: func(v *hostView) { addr(v, "eth1", "10.10.0.1/24"); v.forwards4 = forwardingOn }, want: "[10.10.0.1/24]", say: "is on the interface eth1 of this host (10.10.0.1/24) as well: packets for it may go into the tunnel's device; write \"10.10.0.1/32\""},
		"as a host address": {head: "[tun]\naddresses = \"10.10.0.1/32\"\n", edit: func(v *hostView) { addr(v, "eth1", "10.10.0.1/24"); v.forwards4 = forwardingOn }, want: "[10.10.0.1/32]"},
	} {
		v := bare()
		if tt.edit != nil {
			tt.edit(&v)
		}
		text := fiveLines
		if tt.from != "" {
			if text = strings.Replace(text, tt.from, tt.to, 1); text == fiveLines {
				t.Fatal(name)
			}
		}
		c := conf(t, text+tt.head)
		if got := fmt.Sprint(append(ownAddresses(c, v), c.TUN.Addresses...)); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		var said []string
		for _, r := range hostRemarks(c, v) {
			said = append(said, r.String())
		}
		if all := strings.Join(said, "\n"); tt.say == "" && all != "" || !strings.Contains(all, tt.say) {
			t.Errorf("%s: %s; want %q", name, all, tt.say)
		}
	}
}

// TestInnerAddressesOfSeveral: connections with one network share the address, others get their own.
func TestInnerAddressesOfSeveral(t *testing.T) {
	text := fiveLines
	for i, net := range []string{"10.10.0.0/24", "10.11.0.0/24"} {
		text += strings.NewReplacer("office", fmt.Sprint("c", i), "10.10.0.0/24", net, "10.20.0.0/24", fmt.Sprintf("10.3%d.0.0/24", i)).Replace(fiveLines)
	}
	if got := fmt.Sprint(ownAddresses(conf(t, text), bare())); got != "[10.10.0.1/32 10.11.0.1/32]" {
		t.Error(got)
	}
}

// TestInnerAddressIsKept: an address is kept until there is another way to its network. Containers that are started are none.
func TestInnerAddressIsKept(t *testing.T) {
	c, v := conf(t, fiveLines), bare()
	v.forwards4 = forwardingOn
	v.addrs = append(v.addrs, hostAddr{netip.MustParsePrefix("172.17.0.1/16"), "docker0"})
	if got := fmt.Sprint(stillOwn(c, v)); got != "[10.10.0.1/32]" {
		t.Errorf("forwarding: %s", got)
	}
	v.routes = append(v.routes, tun.HostRoute{Dst: netip.MustParsePrefix("10.10.0.0/16"), Device: "eth1"})
	if got := stillOwn(c, v); len(got) > 0 {
		t.Errorf("a route: %v", got)
	}
	if v = bare(); len(stillOwn(c, v)) != 1 {
		t.Error("nothing has changed")
	}
	v.addrs = append(v.addrs, hostAddr{netip.MustParsePrefix("10.10.0.254/24"), "eth1"})
	if got := stillOwn(c, v); len(got) > 0 {
		t.Errorf("an interface: %v", got)
	}
}

// TestHostWarnings: the status has the warnings, each with the child that this host can't use, and so many at most. Notes are left out.
func TestHostWarnings(t *testing.T) {
	v := bare()
	if got := hostWarnings(hostRemarks(conf(t, fiveLines), v)); got != nil {
		t.Errorf("a note is a warning: %+v", got)
	}
	v.started = true // the address that it would have got is not there
	got := hostWarnings(hostRemarks(conf(t, fiveLines), v))
	if len(got) != 2 || got[0].Connection != "office" || got[0].Child != "office" || !strings.Contains(got[0].Text, "this host itself cannot use the tunnel") ||
		got[1].Connection != "" || !strings.Contains(got[1].Text, "net.ipv4.ip_forward is 0") {
		t.Errorf("%+v", got)
	}
	text := ""
	for i := range maxHostWarnings + 1 {
		text += strings.NewReplacer("office", fmt.Sprint("c", i), "10.10.0.0/24", fmt.Sprintf("10.10.%d.0/24", i), "10.20.0.0/24", fmt.Sprintf("10.20.%d.0/24", i)).Replace(fiveLines)
	}
	if got = hostWarnings(hostRemarks(conf(t, text), v)); len(got) != maxHostWarnings+1 || !strings.Contains(got[maxHostWarnings].Text, "esplanade check lists them") {
		t.Errorf("%d of many: %+v", len(got), got[len(got)-1])
	}
}

// TestReadHost: this machine has addresses, and its switches can be read where the system has them.
func TestReadHost(t *testing.T) {
	v := readHost("ipsec0")
	if len(v.addrs) == 0 {
		t.Error("no address")
	}
	if readForwarding("/proc/sys/net/ipv4/conf/lo/tag") == forwardingUnknown && readForwarding("/proc/sys/net/ipv4/conf/*/forwarding") != forwardingUnknown {
		t.Error("a file that is there can't be read")
	}
	if readForwarding(t.TempDir()+"/*") != forwardingUnknown {
		t.Error("what is not there is known")
	}
}

// TestPresentAfterReload: what is said about this host goes by the connections in force and by the device of the start. A reload changes
// the former alone.
func TestPresentAfterReload(t *testing.T) {
	start := conf(t, "[tun]\naddresses = \"10.10.0.9/32\"\n"+fiveLines)
	fresh := conf(t, "[tun]\naddresses = \"10.11.0.9/32\"\n"+strings.Replace(fiveLines, "10.10.0.0/24", "10.11.0.0/24", 1))
	g := &gateway{conf: start}
	g.configuration = control.NewConfiguration(control.Commands{}, start, nil)
	if l := lackingAddresses(g.present(), bare()); len(l) > 0 {
		t.Errorf("before: %v", l)
	}
	g.configuration = control.NewConfiguration(control.Commands{}, fresh, nil)
	if l := lackingAddresses(g.present(), bare()); len(l) != 1 || l[0].ts.String() != "10.11.0.0/24" {
		t.Errorf("after: %v", l)
	}
	if got := g.configuration.InForce().TUN.Addresses[0].String(); got != "10.11.0.9/32" {
		t.Errorf("the configuration in force was changed: %s", got)
	}
}
