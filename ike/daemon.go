package ike

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/sa"
	"esplanade/ike/suite"
	"esplanade/ike/ticket"
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
	// Bound are the local addresses that the sockets are bound to, none when they are bound to all. A reload names
	// connections that need another one.
	Bound  []netip.Addr
	Logger *slog.Logger
	// Observer is told what happens; nil for nobody. Its methods are called from the event loop and must not block.
	Observer Observer
	// Resolve looks a peer's name up; nil uses the system's resolver. It is called from goroutines of the daemon, which
	// wait for it before [Daemon.Run] returns: it must heed its context.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// CrashSecret is what the tokens of quick crash detection are made with (RFC 6290). It must be the same after a restart,
	// and nobody else's; nil makes no tokens.
	CrashSecret []byte
	// ExportKeys hands the keys of all SAs to Observer.IKEKeys and ChildKeys, for decoding captures in a laboratory.
	ExportKeys bool

	// respond takes the place of [suite.Respond] in tests.
	respond func(group uint16, peer []byte) (public, shared []byte, err error)
}

// Daemon is the IKE daemon. [Daemon.Run] runs its event loop; the Handle methods and commands may be called from any
// goroutine.
type Daemon struct {
	o     Options
	log   *slog.Logger
	loop  loop
	stats stats
	// routing changes the host's routes in the order in which the event loop wants it.
	routing *routing

	// workers are the goroutines beside the event loop, which look names up; cancel ends them.
	workers sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc

	// From here on everything belongs to the event loop.

	env   *sa.Env
	conf  *config.Config
	conns []*connection // in the order of the configuration
	dir   directory
	names names
	table table
	addrs addrs
	// policies are the configured children by the number of their policy.
	policies map[uint64]*child
	// installed is what the data plane has of CHILD SAs, by their number.
	installed map[uint64]*installed
	compared  int            // pairs of selectors in this turn; see mayCompare
	dirty     []*child       // to be reconciled
	wakes     agenda[*child] // children by when they have to be reconciled at the latest
	cookies   *sa.Cookies
	failures  diag.Collapser
	loaded    loaded
	stopping  bool
	since     time.Time
	// waits are commands that wait for a state.
	waits []*wait

	nextID    uint64
	reqids    uint32
	stateless *unprotected // answers to messages of SAs that do not exist
	surge     surge
	// expensive and costly are for the key exchanges of strangers; cookied: the request that is being judged has a cookie.
	expensive, costly budget
	cookied           bool
}

// Limits of the daemon.
const (
	// maxIKEDatagram is the largest IKE message that is taken, pitfall F12: more than any certificate chain needs.
	maxIKEDatagram = 16 << 10
	// shutdownTime is how long the peers have for the answers to our DELETEs: with the default timers long enough for
	// one repetition.
	shutdownTime = 3 * time.Second
)

// New makes a daemon. Nothing happens before [Daemon.Run].
func New(o Options) *Daemon {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.respond == nil {
		o.respond = suite.Respond
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	d := &Daemon{
		o: o, log: o.Logger, conf: o.Config, policies: map[uint64]*child{}, installed: map[uint64]*installed{},
		stateless: newUnprotected(),
		expensive: budget{limits: expensiveLimits()}, costly: budget{limits: costlyLimits()},
		surge: surge{rate: rateLimit{per: time.Second, max: refusalsPerSecond}},
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.routing = newRouting(o.Network, o.Logger)
	d.table.init()
	d.loop.init()
	d.names.init()
	d.stats.init()
	d.env = d.newEnv()
	return d
}

// newEnv gives the machines what they need of the world.
func (d *Daemon) newEnv() *sa.Env {
	return &sa.Env{
		Nonce:   random,
		Tickets: ticket.NewKeyring(random),
		NewSPI: func() wire.SPI {
			for {
				if spi := wire.SPI(binary.BigEndian.Uint64(random(8))); spi != 0 && d.table.bySPI[spi] == nil && d.table.refused.bySPI[spi] == nil {
					return spi
				}
			}
		},
		AllocateSPI: d.o.DataPlane.AllocateSPI, ReleaseSPI: d.o.DataPlane.ReleaseSPI,
		NewKeyExchange: suite.NewKeyExchange,
		Respond:        d.o.respond,
		Admit:          d.admit,
		NextID:         d.newID,
		Jitter:         mrand.Float64,
		Connections:    d.connectionsFor,
		PSK:            func(local, remote identity.Identity) ([]byte, bool) { return octetsOf(d.conf.PSK(local, remote)) },
		OfferPSK:       func(local, remote identity.Identity) ([]byte, bool) { return octetsOf(d.conf.OfferPSK(local, remote)) },
		PPK:            d.ppk, FreePPK: d.freePPK, HasPPK: d.hasFreePPK,
		FirstContact: d.firstContact, Kept: d.kept, IKEFull: d.ikeFull, ChildFull: d.childFull, Taken: d.taken, CrashToken: crashTokens(d.o.CrashSecret),
		HasAddr: d.addrs.has, LocalAddrs: d.localAddrs, SourceFor: d.sourceFor, Acceptable: d.acceptable, Foreign: d.foreign, Siblings: d.siblings,
		LastInbound: func(child uint64) time.Time {
			c, _ := d.o.DataPlane.Counters(child)
			return c.LastIn
		},
		LastOnPath: func(child uint64) time.Time {
			c, _ := d.o.DataPlane.Counters(child)
			return c.LastOnPath
		},
		Tunnelled:  d.tunnelled,
		ExportKeys: d.o.ExportKeys,
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

func (d *Daemon) newID() uint64 { d.nextID++; return d.nextID }

// Run works until ctx ends, then deletes all SAs, waits shortly for the peers' answers, takes everything out of the
// data plane again and returns. It can be called once.
func (d *Daemon) Run(ctx context.Context) error {
	now := time.Now()
	d.since = now
	d.loaded = loaded{at: now}
	d.cookies = sa.NewCookies(now, random)
	for _, c := range d.conf.Connections {
		d.conns = append(d.conns, d.newConnection(now, c))
	}
	d.rebuild()
	d.arrange()
	d.readAddresses()
	go d.routing.run()
	for _, c := range d.conns {
		d.setUp(now, c)
	}
	// Before anything else is done, what the configuration says is protected goes into the tunnels.
	d.routing.flush()
	d.routing.complain("remove what an earlier run has left behind", d.o.Network.Prepared())
	d.refreshNames(now)
	d.reconcile(now)
	for ctx.Err() == nil {
		d.once(ctx, time.Time{})
	}
	d.shutdown()
	return nil
}

// newConnection makes the state of a configured connection.
func (d *Daemon) newConnection(now time.Time, c *config.Connection) *connection {
	cfg := d.machineConfig(c)
	conn := &connection{conf: c, cfg: &cfg, entries: entrySet{}, elsewhere: d.childElsewhere}
	for _, h := range c.Children {
		d.number(conn.addChild(h, now))
	}
	return conn
}

// machineConfig is a connection as a machine wants it, without the children.
func (d *Daemon) machineConfig(c *config.Connection) sa.Config {
	cfg := machineConfig(d.conf, c)
	if d.o.NATTPort != 0 {
		cfg.LocalNATPort = d.o.NATTPort
	}
	return cfg
}

// number gives a child its numbers.
func (d *Daemon) number(h *child) {
	if h.cfg.ReqID == 0 {
		d.reqids++
		h.cfg.ReqID = d.reqids
	}
	h.policy = d.newID()
	d.policies[h.policy] = h
}

// forgetChild undoes number and prepare.
func (d *Daemon) forgetChild(h *child) {
	h.gone = true
	d.unprepare(h)
	delete(d.policies, h.policy)
	d.wakes.set(h, time.Time{})
}

// setUp does what a connection asks for before anything happens: policies, routes, the peer's addresses kept out of the
// tunnel.
func (d *Daemon) setUp(now time.Time, c *connection) {
	for _, h := range c.children {
		d.prepare(h)
		d.touch(h)
	}
	for _, e := range c.conf.RemoteAddrs {
		if a := e.Addr(); a.IsValid() && !c.excludes(a) {
			d.routing.exclude(a)
			c.excluded = append(c.excluded, a)
		}
	}
}

// arrange gives the children their places in the configuration.
func (d *Daemon) arrange() {
	n := 0
	for _, x := range d.conns {
		for _, c := range x.conf.Children {
			for _, h := range x.children {
				if h.conf == c {
					h.order = n
				}
			}
			n++
		}
	}
}

// takeDown undoes setUp.
func (d *Daemon) takeDown(c *connection) {
	for _, h := range c.children {
		d.forgetChild(h)
	}
	for _, a := range c.excluded {
		d.routing.unexclude(a)
	}
	c.excluded = nil
}

// shutdown deletes all SAs and undoes what setUp did. Nothing new is begun any more.
func (d *Daemon) shutdown() {
	d.stopping = true
	now := time.Now()
	for _, c := range d.conns {
		for _, h := range c.children {
			h.finish(diag.Cancelled(whereOf(c), "the daemon ends"))
		}
	}
	for _, e := range d.table.all() {
		d.delete(now, e, "the daemon ends")
	}
	deadline := now.Add(shutdownTime)
	for d.table.open > 0 && time.Now().Before(deadline) {
		d.once(context.Background(), deadline)
	}
	now = time.Now()
	for _, e := range d.table.all() {
		d.abandon(now, e, "the daemon ends")
	}
	for _, c := range d.conns {
		d.takeDown(c)
	}
	d.checkWaits()
	d.cancel()
	d.loop.close()
	d.routing.close()
	d.workers.Wait()
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

// InboxDropped tells how much input was dropped because the event loop had too much to do, or because it was too large.
// Requests for a new IKE SA are not among it: see [sa.IgnoreOverload].
func (d *Daemon) InboxDropped() uint64 { return d.loop.dropped.Load() }
