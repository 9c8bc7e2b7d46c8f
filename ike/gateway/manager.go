package gateway

import (
	"cmp"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"time"

	"esplanade/config"
	"esplanade/ike/aaa"
	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/eap/guess"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/pool"
	"esplanade/ike/sa"
)

// Options are what a [Manager] is made of. All of them must be set but where it says otherwise.
type Options struct {
	Config    *config.Config
	DataPlane DataPlane
	Host      Host
	// NATTPort is the local port whose datagrams carry the non-ESP marker, and IKEPort the plain one; either may be 0
	// when there is no such socket. They are those of the sockets, which may differ from the configuration's when the
	// system was asked to choose.
	IKEPort, NATTPort uint16
	// Bound are the local addresses that the sockets are bound to, none when they are bound to all. A reload names
	// connections that need another one.
	Bound []netip.Addr
	// Observer is told what happens, and Meter counts it.
	Observer Observer
	Meter    Meter
	// Log takes the lines for the operator, and Logs reports whether lines of a level are wanted.
	Log  *slog.Logger
	Logs func(slog.Level) bool
	// Credentials are what the gateway and its peers prove themselves with by signatures, at the start; nil is what the configuration
	// has read. See
	// [Manager.SetCredentials].
	Credentials *credential.Set
	// Staple gives the OCSP answer for a certificate of this side, see [sa.Env]; nil: there are none. Issued is told which certificates this
	// side has that can have one, whenever that has changed; it may be nil.
	Staple func(now time.Time, c *x509.Certificate) []byte
	Issued func([]revocation.Own)
	// Revoked finds a certificate that is known as revoked, see [sa.Env]; nil: nobody knows of any. Lists is told which CRLs there are in
	// files and which CAs are known, whenever they are others; it may be nil.
	Revoked func(now time.Time, refs []revocation.Ref) *revocation.Withdrawn
	Lists   func(lists []*revocation.List, cas []*x509.Certificate)
	// Account takes the records of accounting, if the configuration wants any; it must not block. Servers is told which RADIUS servers there
	// are, whenever that may have changed. Both may be nil.
	Account func(aaa.Record)
	Servers func(*config.RADIUS)
	// Leases are the addresses that an earlier run has given, as they were kept.
	Leases []pool.Record
	// CrashSecret is what the tokens of quick crash detection are made with (RFC 6290). It must be the same after a restart,
	// and nobody else's; nil makes no tokens.
	CrashSecret []byte
	// ExportKeys hands the keys of all SAs to Observer as [IKEKeys] and [ChildKeys], for decoding captures in a laboratory.
	ExportKeys bool

	// What follows is all that is random. A source that repeats itself makes a gateway that does.

	// Random returns n octets that nobody can guess, and Jitter a number in [0,1).
	Random func(n int) []byte
	Jitter func() float64
}

// Manager decides everything about the IKE SAs of a gateway. It belongs to one goroutine: no method may be called while
// another one runs.
type Manager struct {
	o   Options
	log *slog.Logger

	env  *sa.Env
	conf *config.Config
	// credentials are those of today.
	credentials *credential.Set
	// users are those of today, see [Manager.SetUsers].
	users *config.EAPSet
	// guesses bounds how often their passwords are guessed.
	guesses *guess.Table
	conns   []*connection // in the order of the configuration
	dir     directory
	// lastOrder is higher than the order of any connection.
	lastOrder int
	names     names
	table     table
	addrs     addrs
	// policies are the configured children by the number of their policy.
	policies map[uint64]*child
	// installed is what the data plane has of CHILD SAs, by their number.
	installed map[uint64]*installed
	// clients are the connections that the host was told the assignments of, by their holder.
	clients map[uint64]*connection
	// book has who was given which address, holders the IKE SAs that have them, by the number under which they do.
	book     *pool.Book
	holders  map[uint64]*entry
	giver    func(sa.Lease) sa.Result // gives addresses in the place of the book, in tests
	compared int                      // pairs of selectors in this turn; see mayCompare
	dirty    []*child                 // to be reconciled
	bares    []*connection            // whose IKE SAs were asked for
	wakes    agenda[*child]           // children by when they have to be reconciled at the latest
	cookies  *sa.Cookies
	failures diag.Collapser
	// refusedInits are attempts that were refused in the clear and have been reported.
	refusedInits refusedInits
	// provisional are failures that were said to be likely, or possible; see retransmitted and oneWay.
	provisional diag.Collapser
	talk        talk
	loaded      loaded
	loads       int // how often a configuration was loaded
	stopping    bool
	since       time.Time
	// waits are commands that wait for a state.
	waits []*wait

	accounts  accounts
	numbers   numbers
	reqids    reqids
	tally     Tally        // of all connections
	stateless *unprotected // answers to messages of SAs that do not exist
	surge     surge
	// expensive and costly are for the key exchanges of strangers; cookied: the request that is being judged has a cookie.
	expensive, costly budget
	cookied           bool
}

// New makes a manager. Nothing happens before [Manager.Start].
func New(o Options) *Manager {
	d := &Manager{
		o: o, log: o.Log, conf: o.Config, credentials: cmp.Or(o.Credentials, o.Config.Set), users: o.Config.EAP, policies: map[uint64]*child{},
		installed: map[uint64]*installed{}, clients: map[uint64]*connection{},
		guesses: guess.NewTable(), book: pool.NewBook(), holders: map[uint64]*entry{},
		stateless: newUnprotected(o.Random(statelessKey)),
		expensive: budget{limits: expensiveLimits()}, costly: budget{limits: costlyLimits()},
		surge: surge{rate: rateLimit{per: time.Second, max: refusalsPerSecond}},
	}
	d.table.init()
	d.names.init()
	d.reqids.init()
	d.env = d.newEnv()
	return d
}

// Start takes up the configuration: policies and routes are asked for, so that what is protected goes into the tunnels, and
// nothing is begun yet. That happens with the first [Manager.Reconcile], which is to follow when the routes are there. list are
// the addresses of this host, known whether they are.
func (g *Manager) Start(now time.Time, list []netip.Addr, known bool) {
	g.since = now
	g.loaded = loaded{at: now}
	g.cookies = sa.NewCookies(now, g.o.Random)
	for _, c := range g.conf.Connections {
		g.conns = append(g.conns, g.newConnection(now, c))
	}
	g.rebuild()
	g.tellIssued()
	g.tellServers()
	for _, c := range g.conns {
		c.arrange()
	}
	if known {
		g.addrs.update(list)
	}
	g.accountOn(now)
	g.configurePools(now, g.conf)
	for _, c := range g.conns {
		g.setUp(now, c)
	}
}

// begin is called at the beginning of every input.
func (g *Manager) begin() { g.compared = 0 }

// Advance does what is due, at each IKE SA at most once.
func (g *Manager) Advance(now time.Time) {
	g.table.refused.expire(now)
	for n := g.table.timers.len(); n > 0; n-- {
		e, ok := g.table.timers.due(now)
		if !ok {
			break
		}
		g.begin()
		if !e.review.IsZero() && !now.Before(e.review) {
			e.review = time.Time{}
			g.reviewRedundant(now, e)
		}
		e.m.Advance(now)
		g.advanceHandover(now, e)
		g.advanceRetired(now, e)
		g.drain(now, e)
	}
	g.advanceAccounts(now)
	g.checkWaits()
}

// Reconcile brings about what is desired, as far as inputs and time have changed something. It is to be called after every
// input, and after [Manager.Advance].
func (g *Manager) Reconcile(now time.Time) {
	if g.stopping {
		return
	}
	g.begin()
	g.refreshNames(now)
	g.reconcile(now)
	g.checkWaits()
}

// NextTimeout is when [Manager.Advance] and [Manager.Reconcile] have to be called at the latest; zero for never.
func (g *Manager) NextTimeout() time.Time {
	t := earliest(g.table.timers.next(), g.table.refused.next())
	if g.stopping {
		return t
	}
	return earliest(earliest(t, g.wakes.next()), earliest(g.names.next, g.accounts.due.next()))
}

// earliest returns the earlier of two times, of which zero stands for never.
func earliest(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero() || a.Before(b):
		return a
	}
	return b
}

// Shutdown deletes all SAs. Nothing new is begun any more. The peers' answers are to be waited for, as long as there is time
// and [Manager.Open] is not 0, and then [Manager.Close] is to be called.
func (g *Manager) Shutdown(now time.Time) {
	g.begin()
	g.stopping = true
	for _, c := range g.conns {
		c.finishBare(diag.Cancelled(whereOf(c), "the daemon ends"))
		for _, h := range c.children {
			h.finish(diag.Cancelled(whereOf(c), "the daemon ends"))
		}
	}
	for _, e := range g.table.all() {
		if e.m.Silence() != nil {
			// The DELETE would wait behind the request that has no answer: nothing is gained by waiting for it.
			g.abandon(now, e, "the daemon ends")
			continue
		}
		g.delete(now, e, "the daemon ends")
	}
}

// Open is how many IKE SAs have not ended.
func (g *Manager) Open() int { return g.table.open }

// Close ends what is left and takes everything out of the data plane and the host's network again.
func (g *Manager) Close(now time.Time) {
	g.begin()
	for _, e := range g.table.all() {
		g.abandon(now, e, "the daemon ends")
	}
	g.accountOff(now)
	for _, c := range g.conns {
		g.takeDown(c)
	}
	g.checkWaits()
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
