package ike

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Options are what a [Daemon] is made of.
type Options struct {
	Config    *config.Config
	DataPlane DataPlane
	Network   Network
	// NATTPort is the local port whose datagrams carry the non-ESP marker, and IKEPort the plain one; either may be 0
	// when there is no such socket. They are those of the sockets, which may differ from the configuration's when the
	// system was asked to choose.
	IKEPort, NATTPort uint16
	Logger            *slog.Logger
	// Observer is told what happens; nil for nobody. Its methods are called from the event loop and must not block.
	Observer Observer
	// Resolve looks a peer's name up; nil uses the system's resolver.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// ExportKeys hands the keys of all SAs to Observer.Keys, for decoding captures in a laboratory.
	ExportKeys bool
}

// Daemon is the IKE daemon. [Daemon.Run] runs its event loop; the Handle methods and commands may be called from any
// goroutine.
type Daemon struct {
	o    Options
	log  *slog.Logger
	env  *sa.Env
	loop loop

	// From here on everything belongs to the event loop.

	conns    []*connection
	table    table
	traps    map[uint64]*child    // by trap policy
	owner    map[uint64]*entry    // by number of the CHILD SA
	started  map[uint64]*sa.Child // by number: what the data plane has of them
	resolved map[string][]netip.Addr
	cookies  *sa.Cookies
	failures diag.Collapser
	stopping bool
	since    time.Time
	// waits are commands that wait for a state.
	waits []*wait

	nextID    uint64
	stats     stats
	stateless rateLimit // answers to messages of SAs that do not exist
}

// Limits of the daemon.
const (
	// inboxSize bounds what waits for the event loop. A datagram in it is at most 64 KiB.
	inboxSize = 4096
	// maxIKEDatagram is the largest IKE message that is taken, pitfall F12: more than any certificate chain needs.
	maxIKEDatagram = 16 << 10
	// shutdownTime is how long the peers have for the answers to our DELETEs.
	shutdownTime = 2 * time.Second
	// statelessPerSecond bounds the answers to messages for SAs that do not exist.
	statelessPerSecond = 20
)

// New makes a daemon. Nothing happens before [Daemon.Run].
func New(o Options) *Daemon {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	d := &Daemon{
		o: o, log: o.Logger, traps: map[uint64]*child{}, owner: map[uint64]*entry{}, started: map[uint64]*sa.Child{},
		resolved: map[string][]netip.Addr{}, stateless: rateLimit{per: time.Second, max: statelessPerSecond},
	}
	d.table.init()
	d.loop.init()
	d.stats.init()
	d.env = d.newEnv()
	return d
}

// newEnv gives the machines what they need of the world.
func (d *Daemon) newEnv() *sa.Env {
	return &sa.Env{
		Nonce: random,
		NewSPI: func() wire.SPI {
			for {
				if spi := wire.SPI(binary.BigEndian.Uint64(random(8))); spi != 0 && d.table.bySPI[spi] == nil {
					return spi
				}
			}
		},
		AllocateSPI: d.o.DataPlane.AllocateSPI, ReleaseSPI: d.o.DataPlane.ReleaseSPI,
		NewKeyExchange: suite.NewKeyExchange,
		NextID:         d.newID,
		Jitter:         mrand.Float64,
		Connections:    d.connectionsFor,
		PSK: func(local, remote identity.Identity) ([]byte, bool) {
			s, ok := d.o.Config.PSK(local, remote)
			if !ok {
				return nil, false
			}
			return s.Key.Bytes(), true
		},
		FirstContact: func(cfg *sa.Config) bool { return d.table.count(cfg) <= 1 },
		LastInbound: func(child uint64) time.Time {
			c, _ := d.o.DataPlane.Counters(child)
			return c.LastIn
		},
		ExportKeys: d.o.ExportKeys,
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

func (d *Daemon) newID() uint64 { d.nextID++; return d.nextID }

// connectionsFor lists the connections for a pair of addresses, the most specific first.
func (d *Daemon) connectionsFor(local, remote netip.Addr) []*sa.Config {
	type scored struct {
		cfg   *sa.Config
		score int
	}
	var fits []scored
	for _, c := range d.conns {
		if score, ok := c.serves(local, remote, d.resolved); ok {
			i := len(fits)
			for i > 0 && fits[i-1].score < score {
				i--
			}
			fits = append(fits[:i], append([]scored{{c.cfg, score}}, fits[i:]...)...)
		}
	}
	out := make([]*sa.Config, len(fits))
	for i, f := range fits {
		out[i] = f.cfg
	}
	return out
}

func (d *Daemon) connection(cfg *sa.Config) *connection {
	for _, c := range d.conns {
		if c.cfg == cfg {
			return c
		}
	}
	return nil
}

// Run works until ctx ends, then deletes all SAs, waits shortly for the peers' answers, takes everything out of the
// data plane again and returns. It can be called once.
func (d *Daemon) Run(ctx context.Context) error {
	now := time.Now()
	d.since = now
	d.cookies = sa.NewCookies(now, random)
	d.configure(now)
	d.reconcile(now)
	d.serve(ctx)
	d.shutdown()
	return nil
}

// configure sets up what the configuration asks for before anything happens: traps and routes.
func (d *Daemon) configure(now time.Time) {
	reqids := uint32(0)
	for _, c := range d.o.Config.Connections {
		conn := newConnection(d.o.Config, c, now, func() uint32 { reqids++; return reqids })
		if d.o.NATTPort != 0 {
			conn.cfg.LocalNATPort = d.o.NATTPort
		}
		d.conns = append(d.conns, conn)
		for _, h := range conn.children {
			d.prepare(now, h)
		}
		for _, e := range c.RemoteAddrs {
			if a := e.Addr(); a.IsValid() {
				d.exclude(conn, a)
			}
		}
	}
}

func (d *Daemon) exclude(c *connection, a netip.Addr) {
	for _, x := range c.excluded {
		if x == a {
			return
		}
	}
	if err := d.o.Network.Exclude(a); err != nil {
		d.log.Warn("cannot keep packets to the peer out of the tunnel", "connection", c.conf.Name, "peer", a, "error", err)
		return
	}
	c.excluded = append(c.excluded, a)
}

// prepare installs the trap and the routes of a child that is to come up by itself or on traffic. They stay while the
// tunnel is down, so that its packets wait or are refused and never leave in the clear.
func (d *Daemon) prepare(now time.Time, h *child) {
	if h.conf.StartAction == config.StartNone {
		return
	}
	path, err := d.staticPath(h.conn)
	if err != nil && (h.conf.DynamicLocal() || h.conf.DynamicRemote()) {
		d.log.Info("no trap yet for selectors that are dynamic", "connection", h.conn.conf.Name, "child", h.cfg.Name, "reason", err)
		return
	}
	ts := h.cfg.Resolve(path)
	h.trap = d.newID()
	d.traps[h.trap] = h
	d.o.DataPlane.SetTrap(h.trap, ts)
	if h.conf.StartAction == config.StartTrap {
		h.setPhase(phaseTrapped, now)
	}
	if !d.o.Config.IKE.InstallRoutes {
		return
	}
	if err := d.o.Network.AddRoutes(ts); err != nil {
		d.log.Warn("cannot add routes into the tunnel", "connection", h.conn.conf.Name, "child", h.cfg.Name, "selectors", ts, "error", err)
		return
	}
	h.routed = &ts
}

var errNoAddress = errors.New("the peer's address is not known")

// staticPath is the path of a connection whose peer has a fixed address.
func (d *Daemon) staticPath(c *connection) (sa.Path, error) {
	for _, e := range c.conf.RemoteAddrs {
		if a := e.Addr(); a.IsValid() {
			return d.pathTo(c, a)
		}
	}
	return sa.Path{}, errNoAddress
}

// pathTo is where an initiation to a peer's address starts: port 500 to port 500, or from the NAT traversal port when
// the peer listens elsewhere or there is no port 500 here.
func (d *Daemon) pathTo(c *connection, remote netip.Addr) (sa.Path, error) {
	local := netip.Addr{}
	for _, e := range c.conf.LocalAddrs {
		if a := e.Addr(); a.IsValid() && a.Is4() == remote.Is4() {
			local = a
			break
		}
	}
	if !local.IsValid() {
		var err error
		if local, err = d.o.Network.SourceFor(remote); err != nil {
			return sa.Path{}, err
		}
	}
	port := d.o.IKEPort
	if c.conf.RemotePort != config.DefaultPort || port == 0 {
		// "the non-ESP marker is on every port except 500": https://www.rfc-editor.org/rfc/rfc7296#section-2.23
		port = d.o.NATTPort
	}
	remotePort := c.conf.RemotePort
	if remotePort == config.DefaultPort && port != d.o.IKEPort {
		remotePort = c.cfg.RemoteNATPort
	}
	return sa.Path{Local: netip.AddrPortFrom(local, port), Remote: netip.AddrPortFrom(remote, remotePort)}, nil
}

// shutdown deletes all SAs and undoes what configure did.
func (d *Daemon) shutdown() {
	d.stopping = true
	now := time.Now()
	for _, e := range d.table.all() {
		e.m.Delete(now, "the daemon ends")
		d.drain(now, e)
	}
	deadline := now.Add(shutdownTime)
	for d.table.working() && time.Now().Before(deadline) {
		d.once(context.Background(), deadline)
	}
	now = time.Now()
	for _, e := range d.table.all() {
		e.m.Abandon(now, "the daemon ends")
		d.drain(now, e)
	}
	for _, c := range d.conns {
		for _, h := range c.children {
			h.finish(diag.Cancelled(whereOf(c), "the daemon ends"))
			if h.trap != 0 {
				d.o.DataPlane.ClearTrap(h.trap)
			}
			if h.routed != nil {
				d.network("remove routes", d.o.Network.RemoveRoutes(*h.routed))
			}
		}
		for _, a := range c.excluded {
			d.network("unexclude", d.o.Network.Unexclude(a))
		}
	}
	d.loop.close()
}

func (d *Daemon) network(what string, err error) {
	if err != nil {
		d.log.Warn("network configuration", "action", what, "error", err)
	}
}

// rateLimit allows so many events per interval.
type rateLimit struct {
	per   time.Duration
	max   int
	start time.Time
	n     int
}

func (r *rateLimit) allow(now time.Time) bool {
	if now.Sub(r.start) >= r.per {
		r.start, r.n = now, 0
	}
	r.n++
	return r.n <= r.max
}

// InboxDropped tells how much input was dropped because the event loop had too much to do.
func (d *Daemon) InboxDropped() uint64 { return d.loop.dropped.Load() }
