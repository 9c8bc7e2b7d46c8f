package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	ikegw "esplanade/ike/gateway"
	"esplanade/tun"
)

// run works until ctx ends or a part of the gateway fails. It takes everything down in the order in which that is safe:
// IKE first, which sends its DELETEs through the engine, and the control socket last.
func (g *gateway) run(ctx context.Context) error {
	defer g.close()
	asked := ctx
	engineCtx, stopEngine := context.WithCancel(context.Background())
	defer stopEngine()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.engine.Run(engineCtx); err != nil {
			stop(g.loopFailure(err))
		}
	})
	if g.socket != nil {
		wg.Go(func() {
			if err := g.vici.Serve(ctx, keep(g.socket)); err != nil {
				stop(fmt.Errorf("control socket: %w", err))
			}
		})
	}
	if g.http != nil {
		wg.Go(func() {
			if err := g.http.serve(ctx); err != nil {
				stop(fmt.Errorf("metrics: %w", err))
			}
		})
	}
	wg.Go(func() { g.watchAddresses(ctx) })
	wg.Go(func() { g.watchCertificates(ctx) })
	wg.Go(func() { g.runACME(ctx) })
	g.announce()
	// The routes stay until the link is closed, which knows what is to be left behind. The host's network is told first.
	daemonCtx, stopDaemon := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDaemon()
	defer context.AfterFunc(ctx, func() { g.host.leave(); stopDaemon() })()
	err := g.daemon.Run(daemonCtx)
	g.closeHooks()
	g.stopped = wanted(ctx, asked)
	stop(nil)
	g.closeLink() // while there is a device: it would be taken for one that somebody has removed
	stopEngine()
	wg.Wait()
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// wanted reports whether ctx has ended because asked has, and not because a part of the gateway has failed.
func wanted(ctx, asked context.Context) bool {
	return asked.Err() != nil && context.Cause(ctx) == context.Cause(asked)
}

// loopFailure says what has ended the packet loop.
func (g *gateway) loopFailure(err error) error {
	if name := g.interfaceName(); name != "" && tun.Removed(err) {
		return fmt.Errorf("packet loop: somebody has removed the device %s: %w; the packets of the tunnels are refused until the next start. "+
			"Fix: start the gateway again; find what removed the device (`ip link del`, a network manager), or have it leave %s alone",
			name, err, name)
	}
	return fmt.Errorf("packet loop: %w", err)
}

// announce says in the log what runs on what.
func (g *gateway) announce() {
	dp := g.dataPath()
	g.log.Info("esplanade runs", "version", fullVersion(), "config", g.conf.File, "device", dp.Device, "mtu", dp.MTU, "sockets", dp.Sockets)
	for _, w := range g.conf.Warnings {
		g.log.Warn(w.String())
	}
	for _, w := range g.conf.CertificateRemarks(time.Now()) {
		g.log.Warn(w.String())
	}
	for _, p := range g.engine.Paths() {
		g.log.Debug("data path: " + p)
	}
}

// summary is the state of the gateway in one line, for a service manager.
func (g *gateway) summary(info ikegw.Info) string {
	s := fmt.Sprintf("%s: %s", info.File, plural(len(info.Conns), "connection"))
	if info.ReloadError != "" {
		s += "; the last reload failed"
	}
	return s
}
