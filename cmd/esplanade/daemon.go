package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"esplanade/config"
	"esplanade/dataplane"
	"esplanade/ike"
	"esplanade/ike/control"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/vici"
	"esplanade/tun"
)

// gateway is a whole daemon: device, packet loop, IKE, control socket and metrics. run.go has one, demo.go two.
type gateway struct {
	conf   *config.Config
	log    *slog.Logger
	device tun.Device
	routes *routeLog
	link   tun.Link // nil with netstack
	// taken are the addresses that this host has got by itself; the goroutine that watches addresses has them from the start on.
	taken  []netip.Prefix
	host   *network
	net    *tun.Net // nil with a TUN device
	engine *dataplane.Engine
	daemon *ike.Daemon
	// commands are those of the daemon.
	commands control.Commands
	vici     *vici.Server
	socket   net.Listener // nil without a control socket
	http     *metricsServer
	keys     *keyLog // nil unless keys are saved

	// reloading has a token during a reload. The configuration in force is the daemon's; conf is what the process was started
	// with, as device and sockets have it.
	reloading chan struct{}
	loader    *loader
	// read is config.Load, which a test may delay.
	read  func(string) (*config.Config, error)
	level *slog.LevelVar // nil if the log has none that can be changed

	ephemeral bool
	closed    sync.Once
	// stopped says that the end is wanted. Any other end, also one before the beginning, leaves behind what refuses packets.
	stopped bool
}

// gatewayOptions are what differs between `run` and `demo`.
type gatewayOptions struct {
	log slog.Handler
	// level is that of log, where a reload can change it.
	level *slog.LevelVar
	// observer is told what happens, in addition to the VICI clients.
	observer ikegw.Observer
	// noControl leaves the control socket and the metrics out.
	noControl bool
	// failurePause is how long a start that has failed stays, with its control socket, before it takes everything down. Whoever
	// starts the gateway again and again does not spin, and whoever waits for the socket sees that it came and went.
	failurePause time.Duration
	// ephemeral has one socket on a port that the system chooses instead of the configured two.
	ephemeral bool
}

// handler lets the engine be made before the daemon, which needs the engine. The engine calls nobody before it runs.
type handler struct{ *ike.Daemon }

// plane is the engine as the daemon wants it: the two packages know nothing of each other's types.
type plane struct{ *dataplane.Engine }

// Counters implements the interface of package ike/gateway.
func (p plane) Counters(child uint64) (ikegw.Counters, bool) {
	c, ok := p.Engine.Counters(child)
	return ikegw.Counters(c), ok
}

// PathState implements the interface of package ike/gateway.
func (p plane) PathState(child uint64) (ikegw.PathState, bool) {
	s, ok := p.Engine.PathState(child)
	return ikegw.PathState(s), ok
}

// newGateway sets everything up and starts nothing. What it set up is taken down by close, also after an error.
func newGateway(conf *config.Config, o gatewayOptions) (_ *gateway, err error) {
	g := &gateway{conf: conf, ephemeral: o.ephemeral, level: o.level, reloading: make(chan struct{}, 1),
		loader: newLoader(), read: config.Load}
	defer func() {
		if err != nil {
			if g.socket != nil {
				time.Sleep(o.failurePause)
			}
			g.close()
		}
	}()
	be := &control.Backend{
		About:    aboutThis(),
		DataPath: g.dataPath, Drops: g.drops, NoPolicy: g.lastStray,
		Reload: g.reload,
	}
	// Not g.log, whose lines go to the clients as well: what is said about a client would be sent to it.
	g.vici = vici.NewServer(be, vici.Options{Logger: slog.New(o.log)})
	be.EventsDropped = g.vici.Dropped
	g.log = slog.New(slog.NewMultiHandler(o.log, vici.NewLogHandler(g.vici)))
	g.routes = newRouteLog(g.log)

	// The control socket comes first: if another daemon has it, nothing else is touched, and that is what the error says.
	if !o.noControl {
		if err := g.listen(); err != nil {
			return nil, err
		}
	}
	if err := g.openDevice(); err != nil {
		return nil, err
	}
	h := &handler{}
	if g.engine, err = dataplane.New(g.engineConfig(h)); err != nil {
		return nil, g.bindFailure(err)
	}
	observers := ikegw.Observers{control.Events{Server: g.vici, Counters: plane{g.engine}.Counters}}
	if g.http != nil {
		observers = append(observers, g.http.durations)
	}
	if o.observer != nil {
		observers = append(observers, o.observer)
	}
	if dir := conf.Debug.SaveKeys; dir != "" {
		if g.keys, err = newKeyLog(dir, g.log); err != nil {
			return nil, err
		}
		observers = append(observers, g.keys)
	}
	secret, err := crashSecret(conf)
	if err != nil {
		return nil, err
	}
	g.host = newNetwork(g.link, g.interfaceName())
	g.host.prepared = g.sayLeftBehind
	if g.link != nil {
		g.host.mark = g.conf.IKE.FWMark
	}
	g.daemon = ike.New(ike.Options{
		Config: conf, DataPlane: plane{g.engine}, Network: g.host, Logger: g.log, Observer: observers,
		IKEPort: g.port(dataplane.SocketIKE), NATTPort: g.port(dataplane.SocketNATT), ExportKeys: conf.Debug.SaveKeys != "",
		Bound: boundAddrs(conf), CrashSecret: secret,
	})
	g.commands = control.Commands{Loop: g.daemon}
	h.Daemon, be.Commands, be.Counters = g.daemon, g.commands, plane{g.engine}.Counters
	return g, nil
}

// listen opens the control socket and the metrics' port.
func (g *gateway) listen() (err error) {
	if err := config.MakeFolder(filepath.Dir(g.conf.Control.Socket)); err != nil {
		return controlFailure(g.conf, err)
	}
	if g.socket, err = vici.Listen(g.conf.Control.Socket); err != nil {
		return controlFailure(g.conf, err)
	}
	if addr := g.conf.Metrics.Listen; addr != "" {
		if g.http, err = newMetricsServer(addr, g); err != nil {
			return fmt.Errorf("metrics.listen (%s): %w; free the address or name another one", g.conf.Metrics.At("listen").FileLine(), err)
		}
	}
	return nil
}

// controlFailure says which key of the configuration names the socket that can't be had.
func controlFailure(conf *config.Config, err error) error {
	where := "control.socket"
	if conf.Control.Has("socket") {
		where += " (" + conf.Control.At("socket").FileLine() + ")"
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; run as root, or name a path in a directory that this user may write to", err)
	case errors.Is(err, syscall.EROFS):
		err = fmt.Errorf("%w; mount a writable directory there (container: --tmpfs /run, Kubernetes: an emptyDir), or name a path in one", err)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// openDevice makes the device that the configuration asks for and configures it.
func (g *gateway) openDevice() (err error) {
	c := &g.conf.TUN
	if c.Device == config.DeviceNetstack {
		var addrs []netip.Addr
		for _, p := range c.Addresses {
			addrs = append(addrs, p.Addr())
		}
		g.device, g.net, err = tun.NewNetstack(addrs, c.MTU)
		return err
	}
	if g.device, err = g.openTUN(); err != nil {
		return err
	}
	o := linkOptions(g.conf)
	o.Restored, o.Overlapping = g.routes.restored, g.routes.overlapping
	if g.link, err = tun.Configure(g.device, o); err != nil {
		return err
	}
	if err := g.link.SetUp(c.MTU); err != nil {
		return err
	}
	return g.addAddresses()
}

// openTUN opens raw queues where the system has them and nothing forbids it, and a plain device otherwise.
func (g *gateway) openTUN() (tun.Device, error) {
	c, d := &g.conf.TUN, &g.conf.Dataplane
	if d.RawIO {
		q, err := tun.OpenQueues(queueOptions(c, d, g.workers()))
		if err == nil || !errors.Is(err, tun.ErrUnsupported) {
			return q, err
		}
	}
	name := c.Name
	if !c.Has("name") {
		name = tun.DefaultName // which is another one where devices have numbers
	}
	return tun.Create(name, c.MTU)
}

// workers is the number of packet loops in each direction, and of the device's queues.
func (g *gateway) workers() int {
	if n := g.conf.Dataplane.Workers; n > 0 {
		return n
	}
	return dataplane.DefaultWorkers()
}

// engineConfig translates the configuration for the packet loop.
func (g *gateway) engineConfig(h dataplane.Handler) dataplane.Config {
	d := &g.conf.Dataplane
	c := dataplane.Config{
		Device: g.device, Handler: h, Logger: g.log, Workers: g.workers(), WaitRing: d.WaitPackets, PathMTU: d.PathMTU,
		CopyDSCP: d.CopyDSCP, BlackHoles: d.BlackHoleDetection,
		Sockets:  g.sockets(),
		Features: switches(g.conf),
	}
	if d.WaitPackets == 0 {
		c.WaitRing = -1
	}
	if !d.MSSClamp {
		c.MSSClamp = -1
	}
	return c
}

// port is the port of a kind of sockets, 0 when there is none.
func (g *gateway) port(k dataplane.SocketKind) uint16 {
	for _, s := range g.engine.LocalAddrs() {
		if s.Kind == k {
			return s.Local.Port()
		}
	}
	return 0
}

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
	g.announce()
	// The routes stay until the link is closed, which knows what is to be left behind. The host's network is told first.
	daemonCtx, stopDaemon := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDaemon()
	defer context.AfterFunc(ctx, func() { g.host.leave(); stopDaemon() })()
	err := g.daemon.Run(daemonCtx)
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

// plural is a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// close takes down what newGateway set up. Only the first call does anything.
func (g *gateway) close() { g.closed.Do(g.takeDown) }

func (g *gateway) takeDown() {
	if g.http != nil {
		g.http.close()
	}
	g.closeLink()
	switch {
	case g.engine != nil:
		g.engine.Close() // closes the device
	case g.device != nil:
		g.device.Close()
	}
	if g.host != nil {
		_ = g.host.close() // there is nothing to lose
	}
	if g.keys != nil {
		g.keys.close()
	}
	// Last: as long as anything of this daemon is left, another one has to find out that it is not alone.
	if g.socket != nil {
		g.socket.Close()
	}
}

func (g *gateway) closeLink() {
	if g.link == nil {
		return
	}
	end := g.link.Abandon
	if g.stopped {
		end = g.link.Close
	}
	if err := end(); err != nil {
		g.log.Warn("cannot undo the configuration of the device", "error", err)
	}
}

func aboutThis() vici.Version {
	return vici.Version{Daemon: "esplanade", Version: fullVersion(), Sysname: runtime.GOOS, Machine: runtime.GOARCH}
}

// drops are the drop counters that are not zero.
func (g *gateway) drops() []vici.Drop {
	counts := g.engine.Drops()
	var out []vici.Drop
	for _, r := range dataplane.DropReasons() {
		if n := counts[r]; n > 0 {
			out = append(out, vici.Drop{Direction: r.Direction().String(), Reason: r.String(), Packets: n})
		}
	}
	return out
}
