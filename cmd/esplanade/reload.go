package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"esplanade/config"
)

// reloader is a daemon that takes a new configuration while it runs: what is the same in both goes on undisturbed.
type reloader interface {
	Reload(ctx context.Context, conf *config.Config) error
}

// loaded is which configuration is in force and how the latest attempt to replace it went.
type loaded struct {
	mu   sync.Mutex
	conf *config.Config
	at   time.Time
	// failure is why the latest attempt failed, empty if it did not; failed is when.
	failure string
	failed  time.Time
	busy    sync.Mutex // one reload at a time
}

func (l *loaded) set(conf *config.Config, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conf, l.at, l.failure = conf, now, ""
}

func (l *loaded) fail(err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure, l.failed = err.Error(), now
}

// state is a copy: the configuration in force and when it was loaded, and the latest failure.
func (l *loaded) state() (conf *config.Config, at time.Time, failure string, failed time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conf, l.at, l.failure, l.failed
}

// errNoReload is the answer of a daemon that can't.
var errNoReload = errors.New("this version cannot replace its connections while it runs: restart it")

// reload reads the configuration again and puts it in force. Whatever is wrong with it is logged and returned, and the
// old one stays in force as it is.
func (g *gateway) reload(ctx context.Context) error {
	g.loaded.busy.Lock()
	defer g.loaded.busy.Unlock()
	old, _, _, _ := g.loaded.state()
	conf, err := g.replace(ctx, old)
	if err != nil {
		g.loaded.fail(err, time.Now())
		problems := config.Errors{}
		if !errors.As(err, &problems) {
			g.log.Error("the configuration was not reloaded, the old one stays in force", "config", old.File, "error", err)
			return err
		}
		for _, p := range problems {
			g.log.Error("the configuration was not reloaded, the old one stays in force", "problem", p.String())
		}
		return err
	}
	g.loaded.set(conf, time.Now())
	if g.level != nil {
		g.level.Set(conf.Log.Level)
	}
	g.log.Info("configuration reloaded", "config", conf.File, "connections", len(conf.Connections))
	for _, w := range conf.Warnings {
		g.log.Warn(w.String())
	}
	for _, what := range needRestart(g.conf, conf) {
		g.log.Warn("a change of the configuration waits for a restart", "what", what)
	}
	return nil
}

// replace loads the file of the configuration old and hands it to the daemon.
func (g *gateway) replace(ctx context.Context, old *config.Config) (*config.Config, error) {
	conf, err := config.Load(old.File)
	if err != nil {
		var list config.Errors
		if !errors.As(err, &list) {
			err = unreadable(old.File, err)
		}
		return nil, err
	}
	if err := g.servable(conf); err != nil {
		return nil, err
	}
	if g.reloader == nil {
		return nil, errNoReload
	}
	if err := g.reloader.Reload(ctx, conf); err != nil {
		return nil, err
	}
	return conf, nil
}

// servable is an error if the configuration has connections that the sockets of this process can't serve: their
// local addresses were not bound when it started.
func (g *gateway) servable(conf *config.Config) error {
	bound := boundAddrs(g.conf)
	if bound == nil {
		return nil // all addresses
	}
	var problems config.Errors
	for _, c := range conf.Connections {
		for _, e := range c.LocalAddrs {
			if a := e.Addr(); !a.IsValid() || !slices.Contains(bound, a) {
				problems = append(problems, config.Problem{
					Position: c.At("local_addrs"),
					What:     fmt.Sprintf("connections.%s.local_addrs: this process has no socket for %s, only for %s", c.Name, e, addrList(bound)),
					Want:     "restart the daemon",
				})
			}
		}
	}
	if problems != nil {
		return problems
	}
	return nil
}

func addrList(addrs []netip.Addr) string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return strings.Join(out, ", ")
}

// needRestart lists what differs between two configurations and can't be changed while the process runs.
func needRestart(running, fresh *config.Config) []string {
	var out []string
	differ := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, what)
		}
	}
	differ("control.socket", running.Control.Socket, fresh.Control.Socket)
	differ("metrics.listen", running.Metrics.Listen, fresh.Metrics.Listen)
	differ("log.format", running.Log.Format, fresh.Log.Format)
	differ("debug.save_keys", running.Debug.SaveKeys, fresh.Debug.SaveKeys)
	a, b := running.TUN, fresh.TUN
	a.Source, b.Source = config.Source{}, config.Source{}
	differ("[tun]", a, b)
	c, d := running.Dataplane, fresh.Dataplane
	c.Source, d.Source = config.Source{}, config.Source{}
	differ("[dataplane]", c, d)
	differ("ike.port", running.IKE.Port, fresh.IKE.Port)
	differ("ike.port_nat_t", running.IKE.PortNATT, fresh.IKE.PortNATT)
	differ("ike.routing_table", running.IKE.RoutingTable, fresh.IKE.RoutingTable)
	differ("ike.fwmark", running.IKE.FWMark, fresh.IKE.FWMark)
	if needsRawESP(fresh) && !needsRawESP(running) {
		out = append(out, "sockets for encap = false")
	}
	return out
}
