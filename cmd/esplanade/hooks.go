package main

import (
	"fmt"
	"path/filepath"
	"time"

	"esplanade/config"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/hooks"
)

// hooksTime is how long commands of the operator have at the end of the daemon, after the peers have had theirs.
const hooksTime = 5 * time.Second

// openHooks makes what calls commands of the operator. Its observers are to be told what happens.
func (g *gateway) openHooks() ([]ikegw.Observer, error) {
	r, err := hooks.NewRunner(g.conf.Hooks.User)
	if err != nil {
		return nil, err
	}
	g.updown = hooks.NewUpdown(hooks.UpdownOptions{
		Log: g.log, Run: r.Run, Timeout: g.conf.Hooks.Timeout, Parallel: g.conf.Hooks.Parallel, Device: g.interfaceName(),
	})
	observers := []ikegw.Observer{g.updown}
	if e := g.conf.Events; e.Command != "" || e.Socket != "" {
		o := hooks.FeedOptions{Log: g.log, Daemon: "esplanade " + fullVersion(), Runner: r, Command: e.Command, Counters: plane{g.engine}.Counters}
		if e.Socket != "" {
			if err := config.MakeFolder(filepath.Dir(e.Socket)); err != nil {
				return nil, fmt.Errorf("events.socket: %w", err)
			}
			if o.Listener, err = hooks.Listen(e.Socket, e.Group); err != nil {
				return nil, err
			}
		}
		g.feed = hooks.NewFeed(o)
		observers = append(observers, g.feed)
	}
	return observers, nil
}

// tellReloaded tells the readers of events how a reload went.
func (g *gateway) tellReloaded(changes []string, err error) {
	if g.feed != nil {
		g.feed.Reloaded(changes, err)
	}
}

// closeHooks has commands called for what has gone with the end of the gateway. The device is still there.
func (g *gateway) closeHooks() {
	end := time.Now().Add(hooksTime)
	g.updown.Close(hooksTime)
	g.closeFeed(time.Until(end))
}

// closeFeed ends the telling of events. Only the first call does anything.
func (g *gateway) closeFeed(most time.Duration) {
	if g.feed != nil {
		g.feed.Close(max(most, 0))
	}
}
