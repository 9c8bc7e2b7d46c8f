package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"esplanade/config"
	"esplanade/dataplane"
	"esplanade/ike"
	"esplanade/ike/control"
	ikegw "esplanade/ike/gateway"
	"esplanade/ike/hooks"
	"esplanade/ike/pki/acme"
	"esplanade/ike/pki/cache"
	"esplanade/ike/pool/store"
	"esplanade/ike/vici"
	"esplanade/tun"
	"esplanade/tun/hostdns"
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
	updown   *hooks.Updown
	feed     *hooks.Feed   // nil unless somebody is to be told
	acme     *acme.Manager // nil without a certificate from an ACME server
	leases   *store.Store  // nil without pools

	// configuration is the one in force, which reloads and commands change; conf is what the process was started with, as device and sockets
	// have it.
	configuration *control.Configuration
	loader        *loader
	// read is config.Load, which a test may delay.
	read func(string) (*config.Config, error)
	// certs is how it goes with certificates that change on disk.
	certs certState
	// certInterval is the constant of that name, which a test may shorten.
	certInterval time.Duration
	level        *slog.LevelVar // nil if the log has none that can be changed

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
	// read reads the configuration again for a reload; nil stands for config.Load.
	read func(string) (*config.Config, error)
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
	g := &gateway{conf: conf, ephemeral: o.ephemeral, level: o.level,
		loader: newLoader(), read: config.Load, certInterval: certInterval}
	defer func() {
		if err != nil {
			if g.socket != nil {
				time.Sleep(o.failurePause)
			}
			g.close()
		}
	}()
	if o.read != nil {
		g.read = o.read
	}
	be := &control.Backend{
		About:    aboutThis(),
		DataPath: g.dataPath, Drops: g.drops, NoPolicy: g.lastStray, HostWarnings: g.hostWarnings,
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
	observers := ikegw.Observers{&control.Events{Server: g.vici, Counters: plane{g.engine}.Counters}}
	if g.http != nil {
		observers = append(observers, g.http.durations)
	}
	called, err := g.openHooks()
	if err != nil {
		return nil, err
	}
	observers = append(observers, called...)
	if o.observer != nil {
		observers = append(observers, o.observer)
	}
	if dir := conf.Debug.SaveKeys; dir != "" {
		if g.keys, err = newKeyLog(dir, g.log); err != nil {
			return nil, err
		}
		observers = append(observers, g.keys)
	}
	if g.acme, err = newACME(g); err != nil {
		return nil, err
	}
	secret, err := crashSecret(conf)
	if err != nil {
		return nil, err
	}
	g.host = newNetwork(g.link, g.interfaceName())
	g.host.prepared = g.sayLeftBehind
	if g.link != nil {
		g.host.mark = g.conf.IKE.FWMark
		g.host.dns = hostdns.New(hostdns.Options{State: g.conf.TUN.StateFile, Log: g.log})
		if err := g.host.dns.Recover(); err != nil {
			g.log.Warn("cannot put back what an earlier run has left in the resolver of this host", "error", err)
		}
	}
	var kept *cache.Dir
	if dir := conf.Credentials.CacheDir; dir != "" {
		if kept, err = cache.Open(dir); err != nil {
			return nil, fmt.Errorf("credentials.cache_dir: %w", err)
		}
	}
	leases, err := g.openLeases(conf)
	if err != nil {
		return nil, err
	}
	g.daemon = ike.New(ike.Options{
		LeaseStore: g.leaseStore(), Leases: leases,
		FetchAllowed: conf.Credentials.FetchAllow, Cache: kept,
		Config: conf, DataPlane: plane{g.engine}, Network: g.host, Logger: g.log, Observer: observers,
		IKEPort: g.port(dataplane.SocketIKE), NATTPort: g.port(dataplane.SocketNATT), ExportKeys: conf.Debug.SaveKeys != "",
		Bound: boundAddrs(conf), CrashSecret: secret, Resolve: g.lookUp(),
	})
	g.commands = control.Commands{Loop: g.daemon}
	g.configuration = control.NewConfiguration(g.commands, conf, g.log)
	g.configuration.Prepare = g.keepLeases
	be.Configuration = g.configuration
	be.Work = func() (workers, busy, waiting int) {
		w := g.daemon.Work()
		return w.Workers, w.Busy, w.Peers + w.Strangers
	}
	be.Flush, be.Fetched = g.daemon.Flush, g.daemon.Fetched
	be.RADIUS = func() ([]vici.RADIUSStatus, int) { return radiusStatus(g.daemon) }
	be.Guesses = func() *vici.GuessStatus { return guessStatus(g.daemon.Guesses(), time.Now()) }
	h.Daemon, be.Commands, be.Counters = g.daemon, g.commands, plane{g.engine}.Counters
	be.Sequences = g.engine.Sequences
	return g, nil
}

// listen opens the control socket and the metrics' port.
func (g *gateway) listen() (err error) {
	if err := config.MakeFolder(filepath.Dir(g.conf.Control.Socket)); err != nil {
		return controlFailure(g.conf, err)
	}
	group, err := controlGroup(g.conf)
	if err != nil {
		return err
	}
	if g.socket, err = vici.ListenFor(g.conf.Control.Socket, group); err != nil {
		return controlFailure(g.conf, err)
	}
	if addr := g.conf.Metrics.Listen; addr != "" {
		if g.http, err = newMetricsServer(addr, g); err != nil {
			return fmt.Errorf("metrics.listen (%s): %w; free the address or name another one", g.conf.Metrics.At("listen").FileLine(), err)
		}
	}
	return nil
}

// controlGroup is the number of the group that may use the control socket.
func controlGroup(conf *config.Config) (int, error) {
	name := conf.Control.Group
	if name == "" {
		return vici.NoGroup, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	found, err := user.LookupGroup(name)
	if err == nil {
		var n uint64
		if n, err = strconv.ParseUint(found.Gid, 10, 31); err == nil {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("control.group (%s): %w; name a group of this host, or make it: groupadd %s", conf.Control.At("group").FileLine(), err, name)
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
