package gateway

import (
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Redirect selects the IKE SAs whose peers a command sends to another gateway. What is set must fit, and something must
// be.
type Redirect struct {
	// Target names a connection or an IKE SA.
	Target Target
	// PeerAddrs are the addresses of the peers, nil for all of them, and PeerID the pattern of their identity, zero for all.
	PeerAddrs *config.Endpoint
	PeerID    identity.Identity
	// Gateway is where they are sent.
	Gateway wire.Gateway
}

// Elsewhere is a configured gateway as messages have it.
func Elsewhere(e config.Endpoint) wire.Gateway {
	if e.Name != "" {
		return wire.Gateway{FQDN: e.Name}
	}
	return wire.Gateway{Addr: e.Addr().Unmap()}
}

// Redirect sends the peers of live IKE SAs to another gateway (RFC 5685) and returns how many. It does not wait for what
// comes of it: a peer goes when it is served there.
func (g *Manager) Redirect(now time.Time, r Redirect) (int, error) {
	g.begin()
	if r.Target.Connection != "" {
		if _, err := g.configured(r.Target); err != nil {
			return 0, err
		}
	}
	n, unable, called := 0, 0, true
	w := diag.Where{Connection: r.Target.Connection, Time: now}
	var inPlace *diag.Failure
	for _, e := range g.table.all() {
		switch {
		case !g.selects(r.Target, e) || !e.alive() || r.PeerAddrs != nil && !r.PeerAddrs.Contains(e.m.Path().Remote.Addr()):
			continue
		case r.PeerID.Type != 0 && !matches(e.m, r.PeerID):
			continue
		case samePlace(e.m, r.Gateway) != "":
			p := e.m.Path()
			w := diag.Where{Connection: e.m.Config().Name, Local: p.Local, Remote: p.Remote, PeerID: e.m.RemoteID().String(), Time: now}
			inPlace = diag.RedirectsInPlace(w, r.Gateway.String(), samePlace(e.m, r.Gateway))
			g.logger(e).Info("the peer is not redirected: that leads nowhere else", "to", r.Gateway.String(), "peer", e.m.Path().Remote)
			continue
		case !e.m.Redirect(now, r.Gateway):
			why := "it has not said that it can"
			if e.caller {
				why = "this side has called it"
			}
			g.logger(e).Info("the peer can't be redirected: "+why, "to", r.Gateway.String(), "peer", e.m.Path().Remote)
			unable++
			called = called && e.caller
			w.Remote, w.PeerID = e.m.Path().Remote, e.m.RemoteID().String()
			if e.conn != nil {
				w.Connection = e.conn.conf.Name
			}
			continue
		}
		n++
		g.drain(now, e)
	}
	switch {
	case n > 0:
		return n, nil
	case inPlace != nil:
		return 0, inPlace
	case unable > 0:
		if unable > 1 { // of several, none is named
			w = diag.Where{Connection: r.Target.Connection, Time: now}
		}
		return 0, diag.NotRedirectable(w, unable, called)
	}
	return 0, diag.NothingUp(diag.Where{ConfigLine: g.conf.File}, r.what(), "only what is up can be redirected")
}

// samePlace says what a gateway is, if the peer of an IKE SA would not get elsewhere there: to itself, which it would call then, or to
// where it is. What a name stands for is known to whoever resolves it, and that is the peer.
func samePlace(m *sa.Machine, to wire.Gateway) string {
	path, id, a := m.Path(), m.RemoteID(), to.Addr.Unmap()
	switch {
	case a.IsValid() && a == path.Remote.Addr().Unmap().WithZone(""):
		return "the peer's own address"
	case a.IsValid() && a == path.Local.Addr().Unmap().WithZone(""):
		return "where the peer is already"
	case id.Type == identity.FQDN && strings.EqualFold(string(id.Data), strings.TrimSuffix(to.FQDN, ".")), a.IsValid() && id.Equal(identity.FromAddr(a)):
		return "the peer's own identity"
	}
	return ""
}

func matches(m *sa.Machine, pattern identity.Identity) bool {
	_, ok := m.RemoteID().Matches(pattern)
	return ok
}

// what is the selection in words.
func (r Redirect) what() string {
	var parts []string
	if r.Target != (Target{}) {
		parts = append(parts, r.Target.String())
	}
	if r.PeerAddrs != nil {
		parts = append(parts, "peer "+r.PeerAddrs.String())
	}
	if r.PeerID.Type != 0 {
		parts = append(parts, "peer "+r.PeerID.String())
	}
	return strings.Join(parts, ", ")
}
