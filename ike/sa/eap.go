package sa

import (
	"slices"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// Users in IKE_AUTH: what of [auth.CheckEAP] and [auth.ProveEAP] depends on connections.
//
// IDi of a user is what the device calls itself: an address, a name, whatever. So a connection for users is chosen three times, each time
// among fewer: by IDi and by that there is no AUTH, by the name that the user gives, and by the user that EAP has proved. Between the first
// answer and the last only connections count that would have answered alike.

// UserRule says which users may use a connection, in a round of its peer.
type UserRule struct {
	// ID is a pattern for their names.
	ID identity.UserPattern
	// Groups are those of which a user must be in one; none: any.
	Groups []string
	// IDLine and GroupsLine are where they are configured, "gw.toml:14".
	IDLine, GroupsLine string
}

// refuses is why a user may not come in; "" if it may.
func (r UserRule) refuses(u *aaa.User) string {
	if _, ok := r.ID.Matches(u.Name); !ok {
		return "eap_id is " + r.ID.String()
	}
	if len(r.Groups) > 0 && !slices.ContainsFunc(r.Groups, u.In) {
		return "groups are " + listed(r.Groups)
	}
	return ""
}

// userRule is that of a round of the peer, from 0.
func (c *Config) userRule(round int) UserRule {
	if round < len(c.Users) {
		return c.Users[round]
	}
	return UserRule{}
}

// User is whom the peer has turned out to be by EAP, or on the side of the client this side; nil if nobody has used EAP. It must not be
// changed. It is there from the moment on at which the peer has proved itself, and rekeyed IKE SAs have it as well.
func (m *Machine) User() *aaa.User {
	if f := m.flow; f != nil {
		return f.t.User
	}
	return m.auth.user
}

// PeerUser is the user that the peer is; nil if it is none, as on the side of the client.
func (m *Machine) PeerUser() *aaa.User {
	if f := m.flow; f != nil && m.initiator || f == nil && !m.auth.responder {
		return nil
	}
	return m.User()
}

// provesByEAP reports whether this side has a round with EAP.
func (c *Config) provesByEAP() bool {
	return c.LocalAuth.EAP() || slices.ContainsFunc(c.LocalRounds, func(r Round) bool { return r.Auth.EAP() })
}

// usesEAP reports whether either side has.
func (c *Config) usesEAP() bool {
	return c.provesByEAP() || c.RemoteAuth.EAP() || slices.ContainsFunc(c.RemoteRounds, func(r Round) bool { return r.Auth.EAP() })
}

// eapMethod makes the proofs of a round with EAP. EAP itself proves the initiator; a responder that has it as its own method proves itself by
// that of the initiator.
func (m *Machine) eapMethod(round int) method {
	return method{
		Prove: func(auth.Secret) auth.Authenticator {
			if !m.initiator {
				return auth.ProveByEAP()
			}
			return auth.ProveEAP(auth.EAPProving{
				Client: func() (*eap.ClientConfig, bool) {
					if m.env.EAPClient == nil {
						return nil, false
					}
					return m.env.EAPClient(m.cfg.Name, round)
				},
				Only: m.cfg.RemoteAuth.EAP(),
				// Its server is judged by the gateway's table, of which there may be fewer.
				Rules: func() revocation.Rules { return m.accepted(m.cfg, min(round, len(m.cfg.RemoteRounds))).Rules },
			})
		},
		Check: func(auth.Secret) auth.Authenticator {
			if m.initiator {
				return auth.CheckByEAP()
			}
			return auth.CheckEAP(m.eapChecking(round))
		},
	}
}

// eapChecking is how a user is checked in a round.
func (m *Machine) eapChecking(round int) auth.EAPChecking {
	return auth.EAPChecking{
		Server:     func() (auth.EAPServer, bool) { return m.eapServer(m.cfg, round) },
		Identified: func(name string) (auth.EAPServer, error) { return m.identified(round, name) },
		Admit:      func(u *aaa.User) error { return m.admitUser(round, u) },
		Identity:   func() string { return m.flow.peer.String() },
		Only:       m.cfg.LocalAuth.EAP(),
		Rules:      func() revocation.Rules { return m.accepted(m.cfg, round).Rules },
		Relay: func() auth.EAPRelay {
			return auth.EAPRelay{Connection: m.cfg.Name, Index: round, IKE: m.id, Local: m.path.Local, Remote: m.path.Remote, Identity: m.flow.peer.String()}
		},
	}
}

// eapServer is what checks the users of a connection.
func (m *Machine) eapServer(c *Config, round int) (auth.EAPServer, bool) {
	if m.env.EAPServer == nil {
		return auth.EAPServer{}, false
	}
	return m.env.EAPServer(c.Name, round, m.path.Remote.Addr())
}

// identified takes the name that a user gives, before anything is proved: the connection whose eap_id fits it best has its methods. If it fits
// none, the present one goes on: the name may be another one within a tunnel.
func (m *Machine) identified(round int, name string) (auth.EAPServer, error) {
	best, most := m.cfg, 0
	if round == 0 {
		for _, c := range m.alike() {
			if score, ok := c.userRule(0).ID.Matches(name); ok && score > most {
				best, most = c, score
			}
		}
	}
	server, ok := m.eapServer(best, round)
	if !ok {
		return auth.EAPServer{}, auth.ErrNoEAP
	}
	m.cfg = best
	return server, nil
}

// admitUser judges a user whom EAP has proved. If the present connection is not for it, another one may be that checks users in the same way.
func (m *Machine) admitUser(round int, u *aaa.User) error {
	why := m.cfg.userRule(round).refuses(u)
	if why == "" {
		return nil
	}
	refused := &userError{user: u, round: round, tried: []diag.Tried{{Connection: m.cfg.Name, Why: why}}}
	if round > 0 {
		return refused
	}
	here, _ := m.eapServer(m.cfg, 0)
	for _, c := range m.alike() {
		there, ok := m.eapServer(c, 0)
		why := c.userRule(0).refuses(u)
		switch {
		case c == m.cfg:
			continue
		case !ok || !there.Alike(here):
			why = "its users are checked in another way"
		case why == "":
			m.cfg = c
			return nil
		}
		refused.tried = append(refused.tried, diag.Tried{Connection: c.Name, Why: why})
	}
	return refused
}

// alike are the candidates that would have answered the first request as the present connection has, that one among them.
func (m *Machine) alike() (list []*Config) {
	for _, c := range m.candidates {
		if c == m.cfg || m.answersAlike(c) {
			list = append(list, c)
		}
	}
	return list
}

func (m *Machine) answersAlike(c *Config) bool {
	now := m.cfg
	if !c.RemoteAuth.EAP() || c.LocalAuth != now.LocalAuth || len(c.LocalRounds)+len(now.LocalRounds) > 0 || !sameRounds(c, now) ||
		c.PPKID != now.PPKID || c.PPKRequired != now.PPKRequired || !m.localOf(c).Equal(m.localOf(now)) {
		return false
	}
	switch c.LocalAuth {
	case policy.AuthPubkey:
		return m.signedFor(c)
	case policy.AuthPSK:
		mine, ok1 := m.env.Credentials(auth.Query{Connection: now.Name, Local: m.localID, Remote: m.flow.peer})
		other, ok2 := m.env.Credentials(auth.Query{Connection: c.Name, Local: m.localID, Remote: m.flow.peer})
		return ok1 && ok2 && mine.Mark() == other.Mark()
	default:
		// By EAP alone the gateway has not proved anything yet.
		return true
	}
}

// sameRounds reports whether the peers of two connections prove themselves by the same methods in all rounds but the first: what checks them was
// made when IKE_AUTH began, and a name must not lead around a second proof.
func sameRounds(a, b *Config) bool {
	return a.RSASHA1 == b.RSASHA1 && slices.EqualFunc(a.RemoteRounds, b.RemoteRounds, func(x, y Round) bool { return x.Auth == y.Auth })
}

// signedFor reports whether a connection has the certificate that this side has signed with.
func (m *Machine) signedFor(c *Config) bool {
	signed := m.flow.t.Own
	if m.env.Own == nil || signed.Cert == nil {
		return false
	}
	for _, p := range m.env.Own(c.Name, 0) {
		if len(p.Chain) > 0 && p.Chain[0].Equal(signed.Cert) {
			return true
		}
	}
	return false
}

// userError: EAP has proved who a user is, and no connection is for it.
type userError struct {
	user  *aaa.User
	round int
	tried []diag.Tried
}

func (e *userError) Error() string { return "no connection is for the user" }

// proves reports whether a request has AUTH, without which the peer asks for EAP.
func proves(payloads []wire.Payload) bool {
	_, ok := find[*wire.Auth](payloads)
	return ok
}

// eapFirst puts connections in order by whether they take what a first request proves itself with: those for users are for one without AUTH,
// and for no other. Those that don't fit are left out, unless all do: what is wrong is that of the best one then.
func eapFirst(list []candidate, proves bool) []candidate {
	fit := slices.DeleteFunc(slices.Clone(list), func(c candidate) bool { return c.cfg.RemoteAuth.EAP() == proves })
	if len(fit) == 0 {
		return list
	}
	return fit
}
