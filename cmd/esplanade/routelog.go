package main

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"esplanade/config"
	"esplanade/ike/vici"
	"esplanade/tun"
)

// routeLines is how many lines about the host's routing are logged in routePeriod: somebody who fights over the routes, or
// a routing daemon with many, must not fill the log. The counters go on.
const (
	routeLines  = 20
	routePeriod = time.Minute
)

// routeLog says what happens to the host's routing, and counts what had to be put back.
type routeLog struct {
	log *slog.Logger

	mu      sync.Mutex
	counts  map[string]uint64
	last    time.Time
	contest bool
	missing string
	lines   int
	since   time.Time
	silent  uint64 // lines that were not written
}

func newRouteLog(log *slog.Logger) *routeLog { return &routeLog{log: log, counts: map[string]uint64{}} }

// linkOptions are what the configuration says of the host's routing.
func linkOptions(conf *config.Config) tun.LinkOptions {
	local := map[config.LocalRoutes]tun.LocalRoutes{
		config.LocalRoutesKeep: tun.LocalKept, config.LocalRoutesConnected: tun.LocalConnected, config.LocalRoutesTunnel: tun.LocalTunnelled,
	}
	return tun.LinkOptions{
		Mark: conf.IKE.FWMark, Table: conf.IKE.RoutingTable, Ports: []uint16{conf.IKE.Port, conf.IKE.PortNATT},
		Local: local[conf.IKE.LocalRoutes], BlockWhenStopped: conf.TUN.BlockWhenStopped,
	}
}

// restorables are the kinds of what can vanish.
func restorables() []string { return []string{"addresses", "device", "routes", "rules"} }

// say writes a line if there is room for one. The mutex is held.
func (l *routeLog) say(now time.Time, level slog.Level, text string, args ...any) {
	if now.Sub(l.since) >= routePeriod {
		if l.silent > 0 {
			l.log.Warn("lines about the host's routing were left out", "lines", l.silent)
		}
		l.since, l.lines, l.silent = now, 0, 0
	}
	if l.lines++; l.lines > routeLines {
		l.silent++
		return
	}
	l.log.Log(context.Background(), level, text, args...)
}

// restored is told that something had vanished.
func (l *routeLog) restored(r tun.Restored) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if r.Up {
		l.counts["device"]++
	}
	for what, n := range map[string]int{"addresses": r.Addresses, "routes": r.Routes, "rules": r.Rules} {
		if n > 0 {
			l.counts[what] += uint64(n)
		}
	}
	if r.Any() {
		l.last = now
		args := []any{"device_up", r.Up, "rules", r.Rules, "routes", r.Routes, "addresses", r.Addresses}
		l.say(now, slog.LevelWarn, "somebody has changed the host's routing, put back what the tunnels need", args...)
	}
	if r.Contested && !l.contest {
		l.log.Error("what the tunnels need of the host's routing is taken away again and again; it is put back more slowly now",
			"fix", "find the program that removes routes and rules of others: see docs/operations.md, The host's routing")
	}
	l.contest, l.missing = r.Contested, ""
	if r.Err != nil {
		l.missing = r.Err.Error()
		l.say(now, slog.LevelError, "cannot put back what the tunnels need of the host's routing", "error", r.Err)
	}
	if r.Crowded {
		l.say(now, slog.LevelError, "the host has more routes within those of the tunnels than can keep their way: the rest goes into the tunnels")
	}
}

// overlapping is told how routes of the host and of the tunnels meet.
func (l *routeLog) overlapping(o tun.Overlap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case o.Kept:
		l.say(time.Now(), slog.LevelInfo, "a network of this host keeps its way outside the tunnels", "network", o.Host, "within", o.Tunnel)
	case o.Host == o.Tunnel:
		l.say(time.Now(), slog.LevelWarn, "a tunnel takes a network of this host", "network", o.Host)
	default:
		l.say(time.Now(), slog.LevelInfo, "a tunnel takes a part of a network of this host", "network", o.Host, "part", o.Tunnel)
	}
}

// state is what the status says; nil if nothing has ever vanished.
func (l *routeLog) state() *vici.Routing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.counts) == 0 && l.missing == "" {
		return nil
	}
	return &vici.Routing{Restored: maps.Clone(l.counts), Last: l.last, Contested: l.contest, Missing: l.missing}
}
