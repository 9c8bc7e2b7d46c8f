package main

import (
	"time"

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
	return []ikegw.Observer{g.updown}, nil
}

// closeHooks has commands called for what has gone with the end of the gateway. The device is still there.
func (g *gateway) closeHooks() { g.updown.Close(hooksTime) }
