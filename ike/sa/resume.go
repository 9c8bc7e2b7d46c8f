package sa

import (
	"net/netip"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// An IKE SA that the peer was lost with can be resumed with a session ticket (RFC 5723). It takes no key exchange and no
// a new authentication: the keys come from SK_d of the old IKE SA, and IKE_AUTH proves that both sides have it.
//
//	HDR, [N(COOKIE),] Ni, N(TICKET_OPAQUE), N+  -->
//	                                            <--  HDR, Nr, N+      or  HDR, N(TICKET_NACK)
//	HDR, SK {IDi, AUTH, SAi2, TSi, TSr, ...}    -->
//	                                            <--  HDR, SK {IDr, AUTH, SAr2, TSi, TSr, ...}
//
// The exchange opens an IKE SA as IKE_SA_INIT does: message id 0, in the clear, the SPIs in the header.

// Opens reports whether an exchange is one that makes an IKE SA out of nothing, in the clear.
func Opens(x wire.ExchangeType) bool {
	return x == wire.ExchangeIKESAInit || x == wire.ExchangeIKESessionResume
}

// Session is what the side that got a ticket keeps with it.
type Session struct {
	Ticket  []byte
	Expires time.Time
	// Gateway is where the ticket came from. It is presented to nobody else.
	Gateway           netip.Addr
	LocalID, RemoteID identity.Identity
	// Chosen are the algorithms, and Keys has SK_d alone.
	Chosen proposal.Chosen
	Keys   suite.Keys
	// Authenticated is when the two sides authenticated each other, ReauthAt when they were to do so again: zero for never.
	Authenticated, ReauthAt time.Time
	// Until is when the certificate ends that the gateway proved itself with, or what is known of its revocation; zero for one without an end.
	Until time.Time
	// Certs are those that it was let in by.
	Certs []revocation.Ref

	mark [ticket.MarkLen]byte
	// transcribed is that of the IKE SA.
	transcribed bool
}

// SessionGranted hands a session over that the IKE SA could be resumed with if the peer is lost.
type SessionGranted struct{ Session *Session }

// Renumbered tells that the machine has another local SPI: it begins again from scratch, after an attempt to resume.
type Renumbered struct{ Old wire.SPI }

// SessionSpent tells that the session which this machine was made with is of no use any more: "a ticket is considered as used only
// when an IKE SA has been established successfully with it", or the peer has refused it, or the configuration does not allow it
// any more. Until then it is good for another attempt. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.1
type SessionSpent struct{}

// Resumes tells a responder's owner which IKE SA the peer has resumed: "the old SA SHOULD be silently deleted without sending a DELETE
// informational exchange". https://www.rfc-editor.org/rfc/rfc5723#section-4.3.4
type Resumes struct{ SPI wire.SPI }

func (SessionSpent) output()   {}
func (Resumes) output()        {}
func (SessionGranted) output() {}
func (Renumbered) output()     {}

// resumption is what an IKE SA that was resumed has of the old one. The zero value stands for one that was not.
type resumption struct {
	active    bool
	own, peer identity.Identity
	// since is when the two sides authenticated each other, reauthAt when this side was to do so again.
	since, reauthAt time.Time
	// until is when the certificate ends that the peer proved itself with, or what is known of its revocation.
	until time.Time
	// certs are those that the peer was let in by.
	certs []revocation.Ref
	// serial is the ticket's, and of the SPI of the IKE SA that it was given with, on the responder.
	serial ticket.Serial
	of     wire.SPI
	// granted: the peer has given a ticket, so that it will give another. A rekeying hands this on, and nothing else.
	granted bool
}

// maxPeerTicket is the longest ticket of another gateway that is kept, and presented in one datagram.
const maxPeerTicket = 1200

// authenticatedAt is when the two sides authenticated each other. Neither a resumption nor a rekeying does: the time is that of the
// first IKE SA.
func (m *Machine) authenticatedAt() time.Time {
	switch {
	case !m.auth.since.IsZero():
		return m.auth.since
	case m.resume.active:
		return m.resume.since
	}
	return m.establishedAt
}

// provedUntil is how long what the peer has proved may be relied on without a look at its certificates; zero for ever.
func (m *Machine) provedUntil() time.Time { return earliest(m.auth.until, m.auth.good) }

// authOver reports whether an authentication is so old that the IKE SA would be closed for it.
func (c *Config) authOver(since, now time.Time) bool {
	return c.ReauthTime > 0 && !now.Before(since.Add(c.ReauthTime))
}

// otherThanResumed refuses an identity that is not exactly the one which was authenticated once: IDi and IDr of a resumed IKE SA
// must be those of the ticket. https://www.rfc-editor.org/rfc/rfc5723#section-4.3.3
func (m *Machine) otherThanResumed(got identity.Identity) *diag.Failure {
	if !m.resume.active || got.Equal(m.resume.peer) {
		return nil
	}
	w := m.where(wire.ExchangeIKEAuth).At(m.cfg.RemoteIDLine).Answering(wire.NotifyAuthenticationFailed)
	return diag.ResumedIDMismatch(w, m.resume.peer.String(), got.String())
}

// whereResumed is where, for what an IKE SA is not resumed for.
func (m *Machine) whereResumed() diag.Where { return m.where(wire.ExchangeIKESessionResume) }

// takeKeys derives the keys of a resumed IKE SA; SPIs and nonces are those of the new exchange. "Resumption" takes the place of
// a shared secret: https://www.rfc-editor.org/rfc/rfc5723#section-5.1
func (m *Machine) takeKeys(chosen proposal.Chosen, skD []byte) error {
	prf, err := suite.NewPRF(chosen.PRF)
	if err != nil {
		return err
	}
	m.chosen, m.prf = chosen, prf
	return m.setKeys(suite.ResumeSKEYSEED(prf, skD, m.init.ni, m.init.nr), m.init.ni, m.init.nr)
}

// usesPPK reports whether a PPK is a part of the connection. Such IKE SAs are not resumed: whether the peer has the PPK would have
// to be known from the ticket, and a changed one be noticed.
func (m *Machine) usesPPK() bool { return m.ppk.used || m.cfg.PPKID != "" || m.cfg.PPKRequired }
