package gateway

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/eap/guess"
	"esplanade/ike/sa"
)

// SetUsers takes other users up, and what this side proves itself with as a user. What is proved next is proved with these; who was taken out, or
// disabled, is put out.
func (g *Manager) SetUsers(now time.Time, s *config.EAPSet) {
	g.begin()
	g.users = s
	g.expelUsers(now)
}

// expelUsers ends the IKE SAs of users of this gateway who could not come in any more: they are gone, or disabled. Another password or other groups
// count from the next authentication on.
func (g *Manager) expelUsers(now time.Time) { g.expel(now, func(*entry) bool { return true }) }

// expelMissing is expelUsers for those who were there before: others were left in; see [Manager.Clear].
func (g *Manager) expelMissing(now time.Time, before *config.Directory) {
	g.expel(now, func(e *entry) bool {
		u := e.m.User()
		if u == nil {
			return false
		}
		_, was := before.Find(u.Name)
		return was
	})
}

// expel is expelUsers for some.
func (g *Manager) expel(now time.Time, which func(*entry) bool) {
	for _, e := range g.table.all() {
		if e.leaving || !e.alive() || !which(e) {
			continue
		}
		if why := g.barred(e); why != "" {
			g.delete(now, e, why)
		}
	}
}

// userName is the user that the peer of an IKE SA is, "" for none.
func (e *entry) userName() string {
	if u := e.m.PeerUser(); u != nil {
		return u.Name
	}
	return ""
}

// barred says why the user of an IKE SA could not come in any more; "" if it could, or is none of this gateway. A conversation goes on with the
// users that there were when it began, so that it is asked again at the end.
func (g *Manager) barred(e *entry) (why string) {
	u := e.m.User()
	if u == nil || u.Server != "" || u.Foreign != "" || g.isUser(e) {
		return ""
	}
	switch x, ok := g.users.Users().Find(u.Name); {
	case ok && x.Disabled:
		return "the user " + x.User.Name + " is disabled"
	case !ok && u.Method != eap.TypeTLS.String(): // whoever has a certificate need not be written
		return "the user was removed"
	}
	return ""
}

// isUser reports whether the user of an IKE SA is this side: it calls a gateway as one.
func (g *Manager) isUser(e *entry) bool {
	c := g.conf.Connection(e.m.Config().Name)
	if c == nil {
		return false
	}
	local, _ := c.Rounds()
	return c.CanInitiate() && slices.ContainsFunc(local, func(a config.Auth) bool { return a.Method.EAP() })
}

// eapServer is what checks the users of a connection, by one of its tables. What a RADIUS server is asked the server itself has to bound.
func (g *Manager) eapServer(connection string, index int, from netip.Addr) (auth.EAPServer, bool) {
	s, ok := g.users.Server(connection, index)
	return auth.EAPServer{Config: s.Config, Guard: g.guesses.From(from), AskIdentity: s.Config == nil, Realm: s.Realm}, ok
}

// Guesses is what there is to know of wrong passwords. It may be called by any goroutine.
func (g *Manager) Guesses(now time.Time) guess.Report { return g.guesses.Report(now) }

// eapClient is what this side proves itself with as a user.
func (g *Manager) eapClient(connection string, index int) (*eap.ClientConfig, bool) {
	return g.users.Client(connection, index)
}

// userRules say which users a connection is for, by the rounds of its peer.
func userRules(c *config.Connection) (rules []sa.UserRule) {
	_, remote := c.Rounds()
	for _, a := range remote {
		rules = append(rules, sa.UserRule{ID: a.EAPID, Groups: a.Groups, IDLine: lineOf(a, "eap_id"), GroupsLine: lineOf(a, "groups")})
	}
	return rules
}

// lineOf is where a key of a table is written; "" where it is not.
func lineOf(a config.Auth, key string) string {
	if !a.Has(key) {
		return ""
	}
	return a.At(key).FileLine()
}
