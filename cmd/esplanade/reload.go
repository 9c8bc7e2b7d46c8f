package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/ike/control"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// reload reads the configuration again and puts it in force. It says what that has changed, a line each. Whatever is wrong with it is
// logged, shown by the status and returned, and the old one stays in force as it is.
func (g *gateway) reload(ctx context.Context) (lines []string, err error) {
	defer func() { g.tellReloaded(lines, err) }()
	level := g.conf.Log.Level
	var warnings []config.Problem
	conf, changes, err := g.configuration.Reload(ctx, func(loaded *config.Loaded) (r control.Reading, err error) {
		read, err := g.loader.load(ctx, g.conf.File, g.read)
		if err != nil {
			if list := (config.Errors)(nil); !errors.As(err, &list) {
				err = unreadable(g.conf.File, err)
			}
			return r, err
		}
		fresh := *read.OfFile()
		warnings = read.Warnings
		if level = fresh.Log.Level; fresh.Log.Format == g.conf.Log.Format {
			// The level takes effect below, so that the daemon need not say that a restart is needed for it.
			fresh.Log = g.conf.Log
		}
		return control.Reading{File: &fresh, Loaded: loaded.KeptIn(read.Loaded())}, nil
	})
	if err != nil {
		return nil, err
	}
	if g.level != nil {
		g.level.Set(level)
	}
	g.certs.set(time.Time{}, nil)
	warnings = append(slices.Clone(warnings), conf.CertificateRemarks(time.Now())...)
	for _, w := range warnings {
		g.log.Warn(w.String())
	}
	lines = changed(changes)
	for _, w := range warnings {
		lines = append(lines, "warning: "+w.String())
	}
	if g.link != nil {
		remarks := runningRemarks(g.present())
		g.remark(remarks)
		for _, r := range remarks {
			lines = append(lines, r.String())
		}
	}
	return lines, nil
}

// changed says what a reload has done, a line each.
func changed(c ikegw.Changes) (lines []string) {
	for _, l := range []struct {
		what string
		list []string
	}{{"added", c.Added}, {"removed", c.Removed}, {"changed", c.Changed}, {"takes effect after a restart only:", c.Restart}} {
		for _, x := range l.list {
			lines = append(lines, l.what+" "+x)
		}
	}
	return append(lines, plural(len(c.Kept), "connection")+" unchanged")
}

func newReload() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the daemon read its configuration again",
		Long: `Reload has the running daemon read its configuration again, as SIGHUP does, and prints what that has changed. Connections that did
not change keep their SAs. If anything is wrong with the file, the old configuration stays in force as it is; reload prints every
error as file:line:column, and the exit code is 1.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := dial(c, socket)
			if err != nil {
				return err
			}
			defer cl.Close()
			m, err := cl.reload(c.Context())
			var answer *vici.CommandError
			if errors.As(err, &answer) {
				lines := answer.Response.List("errors")
				if len(lines) == 0 {
					return err
				}
				for _, line := range lines {
					fmt.Fprintln(c.ErrOrStderr(), line)
				}
				return errors.New("the old configuration stays in force")
			}
			if err != nil {
				return err
			}
			for _, line := range m.List("changes") {
				fmt.Fprintln(c.OutOrStdout(), line)
			}
			return nil
		},
	}
	socketFlag(c, &socket)
	return c
}
