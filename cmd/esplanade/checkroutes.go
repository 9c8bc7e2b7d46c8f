package main

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"

	"esplanade/config"
	"esplanade/tun"
)

// maxRouteLines bounds what check says of the host's routes: a host in the middle of the Internet has a million.
const maxRouteLines = 50

// hostOverlaps says which of this host's routes the tunnels of a configuration would take, and which keep their way. The
// routes are those of the host that check runs on.
func hostOverlaps(conf *config.Config, host []tun.HostRoute) []string {
	if conf.TUN.Device == config.DeviceNetstack || !conf.IKE.InstallRoutes {
		return nil
	}
	names, tunnel := map[netip.Prefix]string{}, new(bart.Lite)
	for _, c := range conf.Connections {
		for _, h := range c.Children {
			for _, s := range h.RemoteTS {
				for _, p := range s.Prefixes() {
					if tunnel.Insert(p); names[p] == "" {
						names[p] = c.Name + "/" + h.Name
					}
				}
			}
		}
	}
	var lines []string
	seen := map[netip.Prefix]bool{}
	for _, r := range host {
		if seen[r.Dst] {
			continue
		}
		seen[r.Dst] = true
		lines = append(lines, overlapLines(conf.IKE.LocalRoutes, r, tunnel, names)...)
	}
	if n := len(lines); n > maxRouteLines {
		lines = append(lines[:maxRouteLines:maxRouteLines], fmt.Sprintf("and %d more routes of this host that meet those of tunnels", n-maxRouteLines))
	}
	return lines
}

// overlapLines is what becomes of one route of the host.
func overlapLines(local config.LocalRoutes, r tun.HostRoute, tunnel *bart.Lite, names map[netip.Prefix]string) []string {
	what := fmt.Sprintf("%s (device %s) of this host", r.Dst, r.Device)
	if tunnel.Get(r.Dst) {
		return []string{fmt.Sprintf("warning: the tunnel of %s takes %s: its remote_ts names exactly that", names[r.Dst], what)}
	}
	var lines []string
	cover, covered := netip.Prefix{}, false
	if r.Dst.Bits() > 0 {
		cover, covered = tunnel.LookupPrefixLPM(r.Dst)
	}
	switch {
	case !covered:
	case local == config.LocalRoutesTunnel || local == config.LocalRoutesConnected && !r.Connected:
		lines = append(lines, fmt.Sprintf("warning: the tunnel of %s (%s) takes %s: ike.local_routes is %q", names[cover], cover, what, local))
	default:
		lines = append(lines, fmt.Sprintf("note: %s keeps its way, outside the tunnel of %s (%s)", what, names[cover], cover))
	}
	for p := range tunnel.Subnets(r.Dst) {
		text := "note"
		if r.Connected {
			text = "warning"
		}
		lines = append(lines, fmt.Sprintf("%s: the tunnel of %s takes %s, a part of %s", text, names[p], p, what))
	}
	return lines
}
