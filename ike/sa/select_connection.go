package sa

import (
	"cmp"
	"slices"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// selectConnections lists the connections that a request may be for, the best first: the peer's identity must match remote.id, and
// the identity that the peer wants to talk to, if it names one, must be ours. The closest match wins. Of those that match alike it is
// the one with the child that fits the selectors best: there may be a connection for each network between the same two gateways.
func (m *Machine) selectConnections(idi, idr *wire.ID, asks []wire.Payload) ([]*Config, *diag.Failure) {
	w := m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyAuthenticationFailed)
	peer, err := identity.FromWire(uint8(idi.IDType), idi.Data)
	if err != nil {
		return nil, diag.IDUnreadable(w, "", idi.IDType.String(), err)
	}
	w = w.Showing(peer.String())
	var hint identity.Identity
	if idr != nil {
		if hint, err = identity.FromWire(uint8(idr.IDType), idr.Data); err != nil {
			return nil, diag.OwnIDUnreadable(w, idr.IDType.String(), err)
		}
	}
	var accept, forPeer, asked []candidate
	for _, c := range m.candidates {
		score, known := peer.Matches(c.RemoteID)
		called := idr == nil || hint.Equal(m.localOf(c))
		x := candidate{cfg: c, score: score}
		switch {
		case known && called:
			accept = append(accept, x)
		case known:
			forPeer = append(forPeer, x)
		case called:
			asked = append(asked, x)
		}
	}
	if len(accept) > 0 {
		return m.ranked(eapFirst(accept, proves(asks)), wanted(asks)), nil
	}
	return nil, m.noConnection(w, peer, hint, forPeer, asked)
}

// noConnection says which of the two identities of a request is wrong: forPeer are the connections that are for the peer and have
// another identity than the one it asks for, asked those of the identity that it asks for, if it does, and that are for other peers.
func (m *Machine) noConnection(w diag.Where, peer, hint identity.Identity, forPeer, asked []candidate) *diag.Failure {
	switch {
	case len(forPeer) > 0:
		c := slices.MaxFunc(forPeer, func(a, b candidate) int { return cmp.Compare(a.score, b.score) }).cfg
		w.Connection = c.Name
		return diag.OwnIDMismatch(w.At(c.LocalIDLine), m.localOf(c).String(), hint.String())
	case len(asked) == 1:
		c := asked[0].cfg
		w.Connection = c.Name
		return diag.IDMismatch(w.At(c.RemoteIDLine), c.RemoteID.String(), peer.String())
	}
	var have []string
	for _, c := range m.candidates {
		have = append(have, c.Name+" ("+m.localOf(c).String()+" <-> "+c.RemoteID.String()+")")
	}
	if hint.Type == 0 {
		return diag.NoConnectionForID(w, "", have)
	}
	return diag.NoConnectionForID(w, hint.String(), have)
}

// localOf is the identity of this side in a connection.
func (m *Machine) localOf(c *Config) identity.Identity {
	return m.configured(c.LocalID)
}

// candidate is a connection that has the identities of a request.
type candidate struct {
	cfg   *Config
	score int   // how closely the peer's identity matches
	fits  []fit // its children for the traffic, the best first
}

// ranked orders those of the candidates that match most closely, the best first; of equal ones the order is that of the configuration.
func (m *Machine) ranked(list []candidate, traffic selector.Pair) (out []*Config) {
	closest := slices.MaxFunc(list, func(a, b candidate) int { return cmp.Compare(a.score, b.score) }).score
	list = slices.DeleteFunc(list, func(c candidate) bool { return c.score < closest })
	if len(list) > 1 {
		for i := range list {
			list[i].fits = fits(list[i].cfg.Children, traffic, m.possible)
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		if fit := min(len(b.fits), 1) - min(len(a.fits), 1); fit != 0 {
			return fit
		}
		if len(a.fits) > 0 {
			if better := a.fits[0].better(b.fits[0]); better != 0 {
				return better
			}
		}
		return m.shutLast(a.cfg, b.cfg)
	})
	for _, c := range list {
		out = append(out, c.cfg)
	}
	return out
}

// shutLast orders two connections that are as good for a request, so that one which an operator keeps down is not what a peer gets
// while it can have the other.
func (m *Machine) shutLast(a, b *Config) int {
	if m.env.Shut == nil {
		return 0
	}
	switch x, y := m.env.Shut(a), m.env.Shut(b); {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

// maxWanted is how many selectors of each side decide about the connection. The peer has proved nothing yet: to compare 255 with
// those of each child takes a millisecond a child, more than all else that the request costs.
const maxWanted = 16

// wanted are the selectors that a request is for, as this side sees them, the first of them.
func wanted(payloads []wire.Payload) selector.Pair {
	tsi, tsr := findTS(payloads, false), findTS(payloads, true)
	if tsi == nil || tsr == nil {
		return selector.Pair{}
	}
	local, remote := fromWireTS(tsr), fromWireTS(tsi)
	return selector.Pair{Local: local[:min(len(local), maxWanted)], Remote: remote[:min(len(remote), maxWanted)]}
}
