package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"esplanade/config"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/hooks"
)

// maxHookRemarks is how many commands are said to be missing: ten thousand children may have one.
const maxHookRemarks = 3

// hookRemarks are about commands of the operator that this host cannot run.
func hookRemarks(conf *config.Config) (out []hostRemark) {
	if name := conf.Hooks.User; name != "" {
		if _, err := hooks.NewRunner(name); err != nil {
			out = append(out, hostRemark{text: fmt.Sprintf("%s: %v: the daemon does not start; name a user of this host", conf.Hooks.At("user"), err)})
		}
	}
	said := map[string]bool{}
	look := func(at config.Position, key, command string) {
		program, ok := hooks.Program(command)
		if !ok || said[program] || len(said) >= maxHookRemarks {
			return
		}
		why := ""
		switch info, err := os.Stat(program); {
		case errors.Is(err, fs.ErrNotExist):
			why = "there is no such file"
		case err == nil && (info.IsDir() || info.Mode()&0o111 == 0):
			why = "it cannot be executed"
		}
		if why != "" {
			said[program] = true
			out = append(out, hostRemark{text: fmt.Sprintf("%s: %s %q: %s; write the path of a program, or chmod +x", at, key, program, why)})
		}
	}
	look(conf.Events.At("command"), "events.command", conf.Events.Command)
	for _, n := range conf.Connections {
		for _, h := range n.Children {
			if h.Updown != "" {
				look(h.At("updown"), "updown", h.Updown)
			}
		}
	}
	return out
}

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
