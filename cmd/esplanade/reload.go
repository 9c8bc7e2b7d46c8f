package main

import (
	"context"
	"errors"

	"esplanade/config"
)

// reload reads the configuration again and puts it in force. Whatever is wrong with it is logged, shown by the status and
// returned, and the old one stays in force as it is.
func (g *gateway) reload(ctx context.Context) error {
	select {
	case g.reloading <- struct{}{}:
		defer func() { <-g.reloading }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	conf, err := g.loader.load(ctx, g.conf.File, g.read)
	if err != nil {
		if list := (config.Errors)(nil); !errors.As(err, &list) {
			err = unreadable(g.conf.File, err)
		}
		return errors.Join(err, g.commands.ReloadFailed(ctx, err))
	}
	fresh := *conf
	if fresh.Log.Format == g.conf.Log.Format {
		// The level takes effect below, so that the daemon need not say that a restart is needed for it.
		fresh.Log = g.conf.Log
	}
	if _, err := g.commands.Reload(ctx, &fresh); err != nil {
		return err
	}
	if g.level != nil {
		g.level.Set(conf.Log.Level)
	}
	for _, w := range conf.Warnings {
		g.log.Warn(w.String())
	}
	if g.link != nil {
		host := readHost("") // the addresses of the tunnel's device are this host's by now
		host.started = true
		g.remark(hostRemarks(conf, host))
	}
	return nil
}
