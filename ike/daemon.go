package ike

import (
	"context"
	"crypto/rand"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"time"

	"esplanade/config"
	"esplanade/ike/credential"
	"esplanade/ike/gateway"
	"esplanade/ike/pki/cache"
	"esplanade/ike/pki/fetch"
	"esplanade/ike/pool"
	"esplanade/ike/radius/client"
	"esplanade/ike/sa"
)

// Options are what a [Daemon] is made of.
type Options struct {
	Config    *config.Config
	DataPlane gateway.DataPlane
	// Credentials: see [gateway.Options].
	Credentials *credential.Set
	Network     Network
	// IKEPort, NATTPort and Bound are those of the sockets: see [gateway.Options].
	IKEPort, NATTPort uint16
	Bound             []netip.Addr
	Logger            *slog.Logger
	// Observer is told what happens; nil for nobody. It is called from the event loop and must not block.
	Observer gateway.Observer
	// Resolve looks a peer's name up; nil uses the system's resolver. It is called from goroutines of the daemon, which
	// wait for it before [Daemon.Run] returns: it must heed its context.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// CrashSecret and ExportKeys: see [gateway.Options].
	CrashSecret []byte
	ExportKeys  bool
	// Workers is how many goroutines make expensive key exchanges: 0 for half as many as there are cores, and NoWorkers for the
	// event loop itself, which shows what they are good for.
	Workers int

	// FetchAllowed are networks that CRLs and OCSP answers may be fetched from although they are not of the public Internet. Cache keeps
	// on disk what was fetched; nil: nothing does.
	FetchAllowed []netip.Prefix
	Cache        *cache.Dir

	// LeaseStore keeps who was given which address, and Leases is what it has of an earlier run; nil: nothing does.
	LeaseStore LeaseStore
	Leases     []pool.Record

	// carryOut takes the place of the function of that name in tests.
	carryOut func(sa.Want) sa.Result
}

// NoWorkers: see [Options].
const NoWorkers = -1

// Daemon is the IKE daemon. [Daemon.Run] runs its event loop; the Handle methods and commands may be called from any
// goroutine.
type Daemon struct {
	o     Options
	log   *slog.Logger
	loop  loop
	stats stats
	// routing changes the host's routes in the order in which the event loop wants it.
	routing  *routing
	resolver resolver
	desk     *desk
	// revocations has fetchers of its own.
	revocations revocations
	// radius asks the RADIUS servers, about users that come through relays.
	radius *client.Client
	relays relays
	keeper keeper

	// gateway belongs to the event loop.
	gateway *gateway.Manager
}

// shutdownTime is how long the peers have for the answers to our DELETEs: with the default timers long enough for
// one repetition.
const shutdownTime = 3 * time.Second

// New makes a daemon. Nothing happens before [Daemon.Run].
func New(o Options) *Daemon {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = gateway.Observers(nil)
	}
	if o.carryOut == nil {
		o.carryOut = carryOut
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	d := &Daemon{o: o, log: o.Logger}
	d.loop.init()
	d.stats.init()
	d.resolver.init()
	d.routing = newRouting(o.Network, o.Logger, d.loop.wakeUp)
	d.desk = newDesk(workers(o.Workers), o.carryOut, d.loop.wakeUp)
	guard := fetch.Guard{Allowed: o.FetchAllowed, Own: d.ownAddresses}
	d.revocations.init(&fetch.Client{Guard: guard}, o.Cache, o.Logger, d.desk.finish)
	d.initRADIUS(&o.Config.RADIUS)
	d.keeper.init(o.LeaseStore, o.Logger, func(k gateway.Keeping, err error) {
		d.post(func(g *gateway.Manager, now time.Time) { g.Kept(now, k, err) })
	})
	d.gateway = gateway.New(gateway.Options{
		Leases: o.Leases,
		Config: o.Config, DataPlane: o.DataPlane, Host: host{d}, IKEPort: o.IKEPort, NATTPort: o.NATTPort, Bound: o.Bound,
		Observer: o.Observer, Meter: &d.stats,
		Log: o.Logger, Logs: func(l slog.Level) bool { return o.Logger.Enabled(context.Background(), l) },
		Staple: host{d}.Staple, Issued: d.revocations.setOwn, Lists: d.revocations.setFiles, Revoked: d.revocations.revoked, Credentials: o.Credentials, CrashSecret: o.CrashSecret, ExportKeys: o.ExportKeys,
		Account: d.radius.Account, Servers: d.setServers,
		Random: random, Jitter: mrand.Float64,
	})
	return d
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

// Run works until ctx ends, then deletes all SAs, waits shortly for the peers' answers, takes everything out of the
// data plane again and returns. It can be called once.
func (d *Daemon) Run(ctx context.Context) error {
	now := time.Now()
	list, known := d.addresses()
	go d.routing.run()
	d.desk.start()
	d.revocations.start()
	d.radius.Start()
	d.keeper.start()
	d.gateway.Start(now, list, known)
	// Before anything else is done, what the configuration says is protected goes into the tunnels.
	d.routing.flush()
	d.routing.complain("remove what an earlier run has left behind", d.o.Network.Prepared())
	d.gateway.Reconcile(now)
	for ctx.Err() == nil {
		d.once(ctx, time.Time{})
	}
	d.shutdown()
	return nil
}

// shutdown deletes all SAs and undoes what the start did. Nothing new is begun any more.
func (d *Daemon) shutdown() {
	now := time.Now()
	d.gateway.Shutdown(now)
	deadline := now.Add(shutdownTime)
	for d.gateway.Open() > 0 && time.Now().Before(deadline) {
		d.once(context.Background(), deadline)
	}
	d.gateway.Close(time.Now())
	d.radius.Close(time.Now().Add(recordsTime))
	d.desk.close()
	d.revocations.close()
	d.resolver.cancel()
	d.loop.close()
	d.keeper.close()
	d.routing.close()
	d.resolver.wait()
}

// InboxDropped tells how much input was dropped because the event loop had too much to do, or because it was too large.
// Requests for a new IKE SA are not among it: see [sa.IgnoreOverload].
func (d *Daemon) InboxDropped() uint64 { return d.loop.dropped.Load() }
