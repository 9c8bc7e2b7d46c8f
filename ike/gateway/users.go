package gateway

import (
	"time"

	"esplanade/config"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/sa"
)

// SetUsers takes other users up, and what this side proves itself with as a user. What is proved next is proved with these.
func (g *Manager) SetUsers(_ time.Time, s *config.EAPSet) {
	g.users = s
}

// eapServer is what checks the users of a connection, by one of its tables.
func (g *Manager) eapServer(connection string, index int) (auth.EAPServer, bool) {
	s, ok := g.users.Server(connection, index)
	return auth.EAPServer{Config: s.Config, AskIdentity: s.Config == nil, Realm: s.Realm}, ok
}

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
