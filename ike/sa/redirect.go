package sa

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"esplanade/ike/wire"
)

// redirection is what the two ends of an IKE SA know of RFC 5685, by which a gateway sends its client to another one.
// A rekeying hands it on.
type redirection struct {
	// from is the gateway that has sent this side to the present one, or the peer here.
	from wire.Gateway
	// announced: this side has said in IKE_SA_INIT that it can be redirected. supported: the peer has.
	announced, supported bool
	// away: the peer was redirected with IKE_AUTH. The IKE SA only waits for its DELETE.
	away bool
}

// NewRedirected is [NewInitiator] for a gateway that another one has sent this side to.
func NewRedirected(env *Env, now time.Time, cfg *Config, path Path, children []*ChildConfig, from wire.Gateway) *Machine {
	m := newInitiator(env, now, cfg, path, children)
	m.redirect.from = from
	return m.begin(now, &initTask{})
}

// RedirectedFrom is the gateway that has sent this side to the present one, or the peer to this side; zero if none has.
func (m *Machine) RedirectedFrom() wire.Gateway { return m.redirect.from }

// redirectNotifies are what an initiator says in its IKE_SA_INIT request: that it can be redirected, and who has done it.
// https://www.rfc-editor.org/rfc/rfc5685#section-3
func (m *Machine) redirectNotifies() []wire.Payload {
	m.redirect.announced = m.cfg.FollowRedirects
	if !m.redirect.announced {
		return nil
	}
	out := []wire.Payload{&wire.Notify{NotifyType: wire.NotifyRedirectSupported}}
	if m.redirect.from != (wire.Gateway{}) {
		out = append(out, wire.NewRedirectedFrom(m.redirect.from))
	}
	return out
}

// redirectedInInit handles REDIRECT in an answer to IKE_SA_INIT, or to IKE_SESSION_RESUME, and reports whether that is all there is to the answer.
// Nothing protects it: that it carries the nonce of the request proves that it comes from somebody who has seen the
// request, and no more. The gateway that this side is sent to has to prove what the present one would have had to.
func (m *Machine) redirectedInInit(now time.Time, msg *wire.Message, datagram []byte, path Path) bool {
	asked := m.redirect.announced
	to, nonce, found := m.redirectIn(msg.Payloads, path)
	if !found || !asked {
		return false // what else is in the answer counts
	}
	if to == (wire.Gateway{}) {
		return true
	}
	if !bytes.Equal(nonce, m.init.ni) {
		m.ignore(path, IgnoreRedirect, "not the nonce of the request")
		return true
	}
	m.initExchanged(now, msg, datagram, path)
	m.emit(Redirected{Gateway: to, Exchange: msg.Header.Exchange})
	m.close(now, "redirected to "+to.String(), nil)
	return true
}

// redirectedInAuth handles REDIRECT in an IKE_AUTH answer whose sender has proven who it is. There is no CHILD SA then,
// and the IKE SA has no further use: "When the client receives the IKE_AUTH response with the REDIRECT payload, it SHOULD
// delete the IKEv2 security association with the gateway by sending an INFORMATIONAL message with a DELETE payload."
// https://www.rfc-editor.org/rfc/rfc5685#section-6
func (m *Machine) redirectedInAuth(r *response) bool {
	to, _, _ := m.redirectIn(r.payloads, r.path)
	if to == (wire.Gateway{}) {
		return false
	}
	m.abandonTasks(r.now)
	m.emit(Redirected{Gateway: to, Exchange: wire.ExchangeIKEAuth})
	if !m.flow.done {
		m.close(r.now, "redirected to "+to.String(), nil) // "the IKEv2 SA is not created in this case"
		return true
	}
	m.requeue(&deleteIKETask{reason: "redirected to " + to.String()})
	return true
}

// redirectedLive handles REDIRECT in an INFORMATIONAL request of the gateway. The IKE SA stays for now: the new one comes
// first. https://www.rfc-editor.org/rfc/rfc5685#section-5
func (m *Machine) redirectedLive(r *request) {
	to, _, _ := m.redirectIn(r.payloads, r.path)
	if to == (wire.Gateway{}) {
		return
	}
	if m.state != StateEstablished && m.state != StateRekeying || m.closing != nil {
		m.ignore(r.path, IgnoreRedirect, "while "+m.state.String())
		return
	}
	m.emit(Redirected{Gateway: to, Exchange: wire.ExchangeInformational})
}

// redirectIn finds the REDIRECT of a message. The gateway is zero when there is none that can be followed: this side has
// not asked for any, there are several, or it does not say where to. Those are counted.
func (m *Machine) redirectIn(payloads []wire.Payload, path Path) (to wire.Gateway, nonce []byte, found bool) {
	var only *wire.Notify
	for _, n := range notifies(payloads) {
		if n.NotifyType != wire.NotifyRedirect {
			continue
		}
		if only != nil {
			m.ignore(path, IgnoreRedirect, "more than one REDIRECT")
			return wire.Gateway{}, nil, true
		}
		only = n
	}
	if only == nil {
		return wire.Gateway{}, nil, false
	}
	if !m.redirect.announced {
		m.ignore(path, IgnoreRedirect, "not asked for")
		return wire.Gateway{}, nil, true
	}
	to, nonce, err := only.Redirect()
	if err == nil && !reachable(to, path) {
		m.ignore(path, IgnoreRedirect, "a gateway that can't be one")
		return wire.Gateway{}, nil, true
	}
	if err != nil {
		m.ignore(path, IgnoreRedirect, err.Error())
		return wire.Gateway{}, nil, true
	}
	return to, nonce, true
}

// maxGatewayName is the length of the longest DNS name.
const maxGatewayName = 253

// reachable reports whether a gateway has an address or a name that somebody on the path can be sent to: not to itself, and not
// to a link-local IPv6 address, which has no interface with it. What a peer calls a name goes to the resolver and into log
// lines.
func reachable(g wire.Gateway, path Path) bool {
	if a := g.Addr.Unmap(); a.IsValid() {
		return !a.IsUnspecified() && !a.IsMulticast() && !(a.Is6() && a.IsLinkLocalUnicast()) &&
			(!a.IsLoopback() || path.Remote.Addr().IsLoopback())
	}
	if len(g.FQDN) > maxGatewayName {
		return false
	}
	for _, l := range strings.Split(strings.TrimSuffix(g.FQDN, "."), ".") {
		if l == "" || len(l) > 63 || strings.ContainsFunc(l, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
	}
	return true
}

// sameGateway reports whether two gateways are called the same.
func sameGateway(a, b wire.Gateway) bool {
	return a.Addr.Unmap() == b.Addr.Unmap() && strings.EqualFold(strings.TrimSuffix(a.FQDN, "."), strings.TrimSuffix(b.FQDN, "."))
}

// redirectsFrom reads what an initiator says about redirection in IKE_SA_INIT. That it was redirected tells as well that
// it can be.
func redirectsFrom(payloads []wire.Payload) redirection {
	var r redirection
	r.supported = notify(payloads, wire.NotifyRedirectSupported) != nil
	if n := notify(payloads, wire.NotifyRedirectedFrom); n != nil {
		if g, err := n.RedirectedFrom(); err == nil {
			r.supported, r.from = true, g
		}
	}
	return r
}

// target is where a connection sends a peer that has said so much: nowhere, if it can't be redirected, and not back to
// the gateway that it was sent here by, or the two would go on for ever. Nor is a peer sent to itself, or to where it is.
func (r redirection) target(cfg *Config, path Path) (to wire.Gateway, ok bool) {
	to = cfg.RedirectTo
	if a := to.Addr.Unmap(); a.IsValid() && (a == path.Local.Addr().Unmap() || a == path.Remote.Addr().Unmap()) {
		return to, false
	}
	return to, r.supported && to != (wire.Gateway{}) && !sameGateway(to, r.from)
}

// redirectInit answers an IKE_SA_INIT or IKE_SESSION_RESUME request with REDIRECT, without keeping anything, where all connections that
// it may be for send their peers to one gateway. The responder's SPI stays zero, since there is no IKE SA.
// https://www.rfc-editor.org/rfc/rfc5685#section-3
func redirectInit(h wire.Header, payloads []wire.Payload, fits []*Config, path Path, ni []byte) (answer []byte, to wire.Gateway, ok bool) {
	r := redirectsFrom(payloads)
	if to, ok = r.target(fits[0], path); !ok {
		return nil, to, false
	}
	if slices.ContainsFunc(fits, func(c *Config) bool { return !sameGateway(c.RedirectTo, to) }) {
		return nil, to, false // which of them it is comes out in IKE_AUTH
	}
	n := wire.NewRedirect(to, ni)
	return statelessAnswer(h, n), to, true
}

// redirectAuth is what a responder adds to its IKE_AUTH answer instead of a CHILD SA. The peer deletes the IKE SA; if it
// does not, this side does.
func (m *Machine) redirectAuth(asked *request) []wire.Payload {
	to, _ := m.redirect.target(m.cfg, asked.path)
	m.childlessUntil = asked.now.Add(childlessTime)
	m.emit(Redirecting{Gateway: to, Exchange: wire.ExchangeIKEAuth})
	return []wire.Payload{wire.NewRedirect(to, nil)}
}

// RedirectedAway reports whether the peer was sent elsewhere in IKE_AUTH, so that the IKE SA is none to be used.
func (m *Machine) RedirectedAway() bool { return m.redirect.away }

// Redirect sends the peer of an IKE SA in use to another gateway. It reports false for a peer that can't be: one that has
// not said that it can, or that was asked for the IKE SA by this side. The peer does the rest, when it can reach that
// gateway.
func (m *Machine) Redirect(now time.Time, to wire.Gateway) bool {
	if !m.redirect.supported || m.state != StateEstablished && m.state != StateRekeying {
		return false
	}
	if _, ok := queued(m, func(t *redirectTask) bool { return sameGateway(t.to, to) }); !ok {
		m.enqueue(&redirectTask{to: to})
	}
	m.pump(now)
	return true
}

// redirectTask is the INFORMATIONAL exchange that redirects a peer.
type redirectTask struct{ to wire.Gateway }

func (t *redirectTask) name() string                        { return "redirect to " + t.to.String() }
func (t *redirectTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (t *redirectTask) abandoned(m *Machine, now time.Time) {}
func (t *redirectTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	return []wire.Payload{wire.NewRedirect(t.to, nil)}, true
}
func (t *redirectTask) done(m *Machine, r *response) {
	m.emit(Redirecting{Gateway: t.to, Exchange: wire.ExchangeInformational})
}
