package sa

import (
	"crypto/sha256"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// A certificate that a peer was let in by may be revoked later. The peer is put out as soon as that is known: whatever the policy is, it
// would not be let in again. Nothing is fetched for it here; what is in use is fetched again before it ends. Nor does a session ticket bring
// such a peer back.

// lookTime is how often it is looked whether a certificate of a peer was revoked, which is a search in memory.
const lookTime = time.Minute

// startLooking begins with it. An IKE SA that was resumed has the certificates of the first one.
func (m *Machine) startLooking(now time.Time, certs []revocation.Ref) {
	if m.resume.active {
		certs = m.resume.certs
	}
	m.auth.certs, m.auth.lookAt = certs, time.Time{}
	if len(certs) > 0 && m.env.Revoked != nil {
		m.auth.lookAt = now.Add(jittered(lookTime, lookTime/2, m.env.Jitter()))
	}
}

// withdrawn finds a certificate that is known as revoked, nil if there is none.
func (m *Machine) withdrawn(now time.Time, certs []revocation.Ref) *revocation.Withdrawn {
	if len(certs) == 0 || m.env.Revoked == nil {
		return nil
	}
	return m.env.Revoked(now, certs)
}

// expelled looks for it when it is time, and ends the IKE SA if it is so. The children go first, since the peer would have time while its
// answer to the DELETE is waited for. If this side waits for another answer, there is no DELETE.
func (m *Machine) expelled(now time.Time) bool {
	a := &m.auth
	if a.lookAt.IsZero() || now.Before(a.lookAt) {
		return false
	}
	a.lookAt = now.Add(lookTime)
	w := m.withdrawn(now, a.certs)
	if w == nil {
		return false
	}
	a.lookAt = time.Time{}
	const reason = "a certificate of the peer was revoked"
	f := withdrawnFailure(m.where(wire.ExchangeIKEAuth).Showing(m.remoteID.String()).At(m.cfg.RemoteIDLine), w)
	if m.pending != nil {
		m.close(now, reason, f)
		return true
	}
	m.emit(Failed{Failure: f})
	m.RefuseChildren()
	for _, c := range slices.Clone(m.children) {
		m.removeChild(c, reason, false)
	}
	m.Delete(now, reason)
	return true
}

func withdrawnFailure(w diag.Where, x *revocation.Withdrawn) *diag.Failure {
	reason := ""
	if x.Reason != revocation.Unspecified {
		reason = x.Reason.String()
	}
	return diag.CertRevoked(w, diag.Certificate{Subject: x.Subject, Serial: x.Number(), Issuer: x.Issuer}, x.At, reason, x.By)
}

// certNames are certificates as a session ticket has them: the CA, then the serial number. refsOf is the reverse.
func certNames(certs []revocation.Ref) (list [][]byte) {
	for _, c := range certs {
		list = append(list, slices.Concat(c.CA[:], []byte(c.Serial)))
	}
	return list
}

func refsOf(names [][]byte) (certs []revocation.Ref) {
	for _, n := range names {
		if len(n) > sha256.Size {
			certs = append(certs, revocation.Ref{CA: [sha256.Size]byte(n), Serial: string(n[sha256.Size:])})
		}
	}
	return certs
}
