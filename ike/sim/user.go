package sim

import (
	"fmt"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/eap"
	"esplanade/ike/gateway"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// Hosts that come in as users: they prove themselves by EAP to a gateway with a certificate, which knows the passwords itself or asks a RADIUS
// server. Nobody calls a user.

// users has the side of a link that calls be a user.
func (p *plan) users(d dice, l *linkPlan) {
	client, server := l.ends[0], l.ends[1]
	client.user = [...]policy.Auth{policy.AuthEAPMSCHAPv2, policy.AuthEAPMD5, policy.AuthEAPGTC}[d.r.IntN(3)]
	client.start, server.start, server.remote, server.signs = true, false, "%any", true
	l.radius = d.oneIn(2)
	if !p.gentle {
		p.locks = d.r.IntN(2)
	}
}

// passwordOf is the password of the user that a host is.
func passwordOf(host string) string { return "the password of " + host }

// authLines are what an end of a connection is configured with besides its identity.
func authLines(a policy.Auth, ident string) string {
	if !a.EAP() {
		return "auth = \"psk\"\n" // see tune
	}
	return fmt.Sprintf("auth = %q\neap_id = %q\n", a, ident)
}

// userTables are the users that a host knows or is, and the RADIUS server that it asks.
func userTables(h *hostPlan, locked bool) string {
	var b strings.Builder
	asks, gives := false, false
	for _, e := range h.ends {
		who := ""
		gives = gives || e.other().user != 0
		switch {
		case e.user != 0:
			who = h.ident
		case e.other().user == 0:
			continue
		case e.link.radius:
			asks = true
			continue
		default:
			who = e.peer
		}
		password := passwordOf(who)
		if locked && e.user == 0 {
			password = "another"
		}
		fmt.Fprintf(&b, "[secrets.eap.%s]\nid = [%q]\nsecret = %q\n", who, who, password)
	}
	if gives {
		b.WriteString(poolTable)
	}
	if asks {
		b.WriteString("[radius.servers.sim]\naddress = \"192.0.2.99\"\nsecret = \"correct-horse-battery-staple\"\n")
	}
	return b.String()
}

// tuneUsers has EAP take its random octets of the seed.
func (w *World) tuneUsers(h *hostPlan, c *config.Config) {
	for _, e := range h.ends {
		if s, ok := c.EAP.Server(e.peer, 0); ok && s.Config != nil {
			s.Config.Random = w.random
		}
		if x, ok := c.EAP.Client(e.peer, 0); ok {
			x.Random = w.random
		}
	}
}

// User implements eap.Users: a RADIUS server knows everybody who calls.
func (w *World) User(name string) (eap.Secret, aaa.User, bool) {
	for _, l := range w.plan.links {
		if c := l.ends[0]; c.user != 0 && w.host(c.host).plan.ident == name {
			password := passwordOf(name)
			if !w.locked.IsZero() {
				password = "another"
			}
			return eap.Password(password), aaa.User{Name: name, Groups: []string{"sim"}, Server: "sim"}, true
		}
	}
	return eap.Secret{}, aaa.User{}, false
}

// lock gives all users other passwords for a while, which none of them knows.
func (w *World) lock() {
	w.logf("the users have other passwords")
	w.locked = w.now
	w.putUsers()
	w.after(w.between(0, 3*judgedTime), func() {
		w.logf("the users have their passwords again")
		w.locked = time.Time{}
		w.putUsers()
	})
}

func (w *World) putUsers() {
	for _, h := range w.hosts {
		w.check.destroyed(h, "password")
		set := h.conf(variant{}).EAP
		h.input(func(now time.Time, g *gateway.Manager) { g.SetUsers(now, set) })
	}
}

// radiusTime is how long a gateway asks a RADIUS server again and again before it gives up.
const radiusTime = 5 * time.Second

// relay asks the RADIUS server, which loses packets as the network does, and is down for a moment now and then.
func (h *Host) relay(x gateway.Errand, r auth.EAPRelay) {
	w := h.w
	wait := w.between(time.Millisecond, w.plan.slow)
	for w.chance(w.plan.net.loss) {
		wait += time.Second
	}
	if wait > radiusTime || w.chance(w.plan.deaf/10) {
		h.later(radiusTime, func(now time.Time, g *gateway.Manager) {
			g.Completed(now, x, sa.Unfulfilled{Err: &sa.RequestError{Want: x.Want.String(), Reason: "no answer"}})
		})
		return
	}
	h.later(wait, func(now time.Time, g *gateway.Manager) {
		g.Completed(now, x, sa.Proved{Value: w.radiusSays(now, h.plan.end(r.Connection), r)})
	})
}

// radiusSays is what the server says to a packet. What it remembers of a conversation comes back as its state.
func (w *World) radiusSays(now time.Time, e *endPlan, r auth.EAPRelay) auth.Relayed {
	in := append([]byte(nil), r.In...)
	s, ok := r.State.(*eap.Server)
	if !ok {
		w.check.stats.Relayed++
		method := map[policy.Auth]eap.Type{policy.AuthEAPMSCHAPv2: eap.TypeMSCHAPv2, policy.AuthEAPMD5: eap.TypeMD5, policy.AuthEAPGTC: eap.TypeGTC}[e.other().user]
		s = eap.NewServer(&eap.ServerConfig{Methods: []eap.Type{method}, AskIdentity: true, Protected: true, Users: w, Random: w.random})
		in[1] = s.Step(now, nil).Out[1] // the gateway has asked in its place
	}
	return auth.Relayed{Step: s.Step(now, in), State: s}
}

// wantUser fails the run if a peer is in as somebody else than the user that it is.
func (h *Host) wantUser(s sa.Snapshot) {
	e := h.plan.end(s.Connection)
	want := ""
	switch {
	case e.user != 0:
		want = h.plan.ident
	case e.other().user != 0:
		want = h.w.host(e.peer).plan.ident
	}
	if s.User != want {
		h.w.fail("%s: the user of %s is %q, and not %q", h.name, s.Connection, s.User, want)
	}
	if want == "" {
		return
	}
	h.w.check.stats.Users++
	if t := h.w.locked; e.user == 0 && !t.IsZero() && h.w.now.Sub(t) > judgedTime {
		h.w.fail("%s lets the user %s in, whose password is another one", h.name, want)
	}
}
