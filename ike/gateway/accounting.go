package gateway

import (
	"cmp"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// account is the session of a user who has come in by EAP, from IKE_AUTH on. An IKE SA that takes the place of another one by rekeying goes on with it; one that
// authenticates again has its own, since the server may say something else of the user then.
type account struct {
	slot    // when accounting is told in between
	session aaa.Session
	// e is the IKE SA, or what it was rekeyed to.
	e *entry
	// past is what went through CHILD SAs that are gone.
	past aaa.Volume
	// told: accounting knows of it.
	told bool
	// cause is why this gateway ends it; 0: it does not.
	cause aaa.Cause
}

// accounts are the sessions of users, by their ID.
type accounts struct {
	byID map[string]*account
	due  agenda[*account]
	// own are the addresses that accounting was told to be up, nil for none.
	own []netip.Addr
}

// sessionID is the length of the random part of a session's ID, in octets: none is given twice, also not after a restart.
const sessionID = 8

// beginAccount begins the session of the user of an IKE SA that is established.
func (g *Manager) beginAccount(now time.Time, e *entry) {
	u := e.m.User()
	if u == nil || e.m.Initiator() || e.conn == nil {
		return
	}
	a := &account{e: e, session: aaa.Session{ID: hex.EncodeToString(g.o.Random(sessionID)), User: u, Connection: e.conn.conf.Name, Began: now}}
	if g.accounts.byID == nil {
		g.accounts.byID = map[string]*account{}
	}
	e.account, g.accounts.byID[a.session.ID] = a, a
	g.account(now, a, aaa.Start)
	g.armAccount(now, a)
}

// maxOwnAddresses is how many addresses of this gateway servers are told to have come up, and to go.
const maxOwnAddresses = 8

// accountOn tells accounting that this gateway has begun: what servers have of sessions of before is over, also where a crash has ended them. A server knows
// the sessions of a gateway by its address, of which there may be several.
func (g *Manager) accountOn(now time.Time) {
	if g.o.Account == nil || !g.conf.RADIUS.Accounting || g.accounts.own != nil {
		return
	}
	for _, a := range g.addrs.list {
		if a.IsGlobalUnicast() && len(g.accounts.own) < maxOwnAddresses {
			g.accounts.own = append(g.accounts.own, a)
		}
	}
	if g.accounts.own == nil {
		g.accounts.own = []netip.Addr{{}}
	}
	g.accountOwn(now, aaa.On)
}

// accountOff tells accounting that this gateway ends, after all of its sessions.
func (g *Manager) accountOff(now time.Time) {
	if g.accounts.own != nil {
		g.accountOwn(now, aaa.Off)
	}
}

func (g *Manager) accountOwn(now time.Time, s aaa.Status) {
	for _, a := range g.accounts.own {
		g.o.Account(aaa.Record{Status: s, At: now, Local: netip.AddrPortFrom(a, 0), Session: aaa.Session{ID: hex.EncodeToString(g.o.Random(sessionID)), Began: now}})
	}
}

// armAccount sets when accounting is told of a session the next time.
func (g *Manager) armAccount(now time.Time, a *account) {
	d := cmp.Or(a.session.User.Interim, g.conf.RADIUS.AccountingInterval)
	if d == 0 || !g.conf.RADIUS.Accounting {
		g.accounts.due.set(a, time.Time{})
		return
	}
	g.accounts.due.set(a, now.Add(d))
}

// reloadAccounts takes another configuration up for all sessions. One that accounting was not told of begins for it now.
func (g *Manager) reloadAccounts(now time.Time) {
	g.accountOn(now)
	for _, id := range slices.Sorted(maps.Keys(g.accounts.byID)) {
		a := g.accounts.byID[id]
		if !a.told {
			g.account(now, a, aaa.Start)
		}
		g.armAccount(now, a)
	}
}

// advanceAccounts tells accounting of the sessions whose time it is.
func (g *Manager) advanceAccounts(now time.Time) {
	for n := g.accounts.due.len(); n > 0; n-- {
		a, ok := g.accounts.due.due(now)
		if !ok {
			return
		}
		g.account(now, a, aaa.Interim)
		g.armAccount(now, a)
	}
}

// endAccount ends the session of an IKE SA that is closed and was not rekeyed.
func (g *Manager) endAccount(now time.Time, e *entry, o sa.Closed) {
	a := e.account
	if a == nil || e.heir != nil {
		return
	}
	a.cause = cmp.Or(a.cause, g.causeOf(e, o))
	g.account(now, a, aaa.Stop)
	g.accounts.due.set(a, time.Time{})
	delete(g.accounts.byID, a.session.ID)
	e.account = nil
}

// causeOf is why an IKE SA has ended, in the words of accounting.
func (g *Manager) causeOf(e *entry, o sa.Closed) aaa.Cause {
	switch {
	case g.stopping:
		return aaa.AdminReboot
	case e.commanded || o.Reason == byCommand:
		return aaa.AdminReset
	case o.Reason == sa.DeletedByPeer:
		return aaa.UserRequest
	case o.Failure == nil:
		return aaa.NASRequest
	}
	switch o.Failure.Code {
	case diag.CodeDPD, diag.CodeTimeout:
		return aaa.LostCarrier
	}
	return aaa.NASError
}

// noteExpiry notes that the session of an IKE SA has come to its end, and nobody has authenticated again.
func (e *entry) noteExpiry(o sa.Failed) {
	if e.account != nil && o.Child == nil && o.Failure.Code == diag.CodeExpired {
		e.account.cause = aaa.SessionTimeout
	}
}

// bookAccount adds what went through a CHILD SA that goes.
func (e *entry) bookAccount(c Counters) {
	if e.account != nil {
		e.account.past.Add(volume(c))
	}
}

// volume is what has gone through a CHILD SA; in is from the user.
func volume(c Counters) aaa.Volume {
	return aaa.Volume{InOctets: c.InBytes, OutOctets: c.OutBytes, InPackets: c.InPackets, OutPackets: c.OutPackets}
}

// account tells accounting of a session.
func (g *Manager) account(now time.Time, a *account, s aaa.Status) {
	if g.o.Account == nil || !g.conf.RADIUS.Accounting && !(s == aaa.Stop && a.told) {
		return
	}
	a.told = true
	g.o.Account(g.record(now, a, s))
}

// record is what there is to say of a session.
func (g *Manager) record(now time.Time, a *account, s aaa.Status) aaa.Record {
	r := a.place()
	r.Status, r.At, r.Volume, r.Why = s, now, a.past, a.cause
	for _, c := range slices.Concat(a.e.m.Children(), a.e.retired.late) {
		if i := g.installed[c.ID]; i != nil {
			counters, _ := g.o.DataPlane.Counters(c.ID)
			r.Volume.Add(volume(counters))
		}
	}
	return r
}

// place is who and where the user is.
func (a *account) place() aaa.Record {
	_, addrs := a.e.m.Virtual()
	p := a.e.m.Path()
	return aaa.Record{Session: a.session, Local: p.Local, Remote: p.Remote, Addresses: addrs}
}

// Order carries out an order of a server, and reports for how many sessions.
func (g *Manager) Order(now time.Time, o aaa.Order) (sessions int) {
	g.begin()
	for _, id := range slices.Sorted(maps.Keys(g.accounts.byID)) {
		a := g.accounts.byID[id]
		if a == nil || !a.e.alive() { // it has ended together with one before
			continue
		}
		if r := a.place(); !o.Which.Matches(&r) {
			continue
		}
		sessions++
		if !o.Disconnect {
			g.logger(a.e).Info("a server limits the session of a user", "user", a.session.User.Name, "server", o.From, "session", o.Session)
			a.e.m.LimitSession(now, o.Session)
			g.drain(now, a.e)
			continue
		}
		g.logger(a.e).Info("a server ends the session of a user", "user", a.session.User.Name, "server", o.From)
		a.cause = aaa.AdminReset
		g.delete(now, a.e, "the RADIUS server "+o.From+" has ended the session")
	}
	return sessions
}

// tellServers says which RADIUS servers are configured.
func (g *Manager) tellServers() {
	if g.o.Servers != nil {
		g.o.Servers(&g.conf.RADIUS)
	}
}
