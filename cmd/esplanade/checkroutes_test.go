package main

import (
	"net/netip"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/tun"
)

// check says what the tunnels take from the host, and what they leave.
func TestHostOverlaps(t *testing.T) {
	text := `[connections.site]
local_addrs = ["192.0.2.1"]
remote_addrs = ["192.0.2.2"]
[connections.site.local]
auth = "psk"
id = "a.example"
[connections.site.remote]
auth = "psk"
id = "b.example"
[connections.site.children.net]
local_ts = ["10.10.0.0/24"]
remote_ts = ["10.0.0.0/8", "172.16.5.0/24", "192.168.7.128/25", "fd00::/8", "198.51.100.1-198.51.100.6"]
[secrets.ike.site]
secret = "Ahth3ohreiv7eiBo1shaeng2ohqu"
`
	route := func(dst, dev string, connected bool) tun.HostRoute {
		return tun.HostRoute{Dst: netip.MustParsePrefix(dst), Device: dev, Connected: connected}
	}
	host := []tun.HostRoute{
		route("10.10.0.0/24", "lan", true), route("10.50.0.0/16", "lan", false), route("172.16.5.0/24", "dmz", true),
		route("192.168.7.0/24", "wifi", true), route("203.0.113.0/24", "wan", true), route("fd00:10::/64", "lan", true),
		route("198.51.100.0/24", "wan", false), route("10.10.0.0/24", "lan", true),
	}
	for local, want := range map[string][]string{
		"keep": {
			"note: 10.10.0.0/24 (device lan) of this host keeps its way, outside the tunnel of site/net (10.0.0.0/8)",
			"note: 10.50.0.0/16 (device lan) of this host keeps its way",
			"warning: the tunnel of site/net takes 172.16.5.0/24 (device dmz) of this host",
			"warning: the tunnel of site/net takes 192.168.7.128/25, a part of 192.168.7.0/24 (device wifi)",
			"note: fd00:10::/64 (device lan) of this host keeps its way",
			"note: the tunnel of site/net takes 198.51.100.1/32, a part of 198.51.100.0/24",
		},
		"connected": {"note: 10.10.0.0/24 (device lan)", "warning: the tunnel of site/net (10.0.0.0/8) takes 10.50.0.0/16"},
		"tunnel":    {"warning: the tunnel of site/net (10.0.0.0/8) takes 10.10.0.0/24 (device lan) of this host: ike.local_routes"},
	} {
		conf, err := config.Parse("t.toml", []byte("[ike]\nlocal_routes = \""+local+"\"\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(hostOverlaps(conf, host), "\n")
		for _, w := range want {
			if strings.Count(got, w) != 1 {
				t.Errorf("%s: no line %q in\n%s", local, w, got)
			}
		}
		if strings.Contains(got, "203.0.113") {
			t.Errorf("%s: a network that no tunnel meets:\n%s", local, got)
		}
		conf.IKE.InstallRoutes = false
		if l := hostOverlaps(conf, host); l != nil {
			t.Errorf("without routes: %q", l)
		}
	}
}
