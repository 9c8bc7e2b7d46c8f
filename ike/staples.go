package ike

import (
	"crypto/sha256"
	"crypto/x509"
	"time"

	"esplanade/ike/pki/revocation"
)

// stapled are the OCSP answers for this gateway's own certificates, by the sum of the certificate. It is not changed.
type stapled struct{ of map[[sha256.Size]byte]staple }

type staple struct {
	der   []byte
	until time.Time
}

// setOwn says which certificates this gateway has, with their issuers, so that an OCSP answer for each is there for the peers that ask for
// it (RFC 4806). It may be called from any goroutine, and does not wait.
func (r *revocations) setOwn(list []revocation.Own) {
	r.issued.Store(&list)
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// takeOwn takes up what setOwn was told last. mu is held.
func (r *revocations) takeOwn(now time.Time) {
	if list := r.issued.Swap(nil); list != nil {
		r.own = *list
		r.store.SetOwn(now, r.own)
	}
}

// publish makes the answers for this gateway's own certificates known to the event loop. mu is held.
func (r *revocations) publish(now time.Time) {
	if len(r.own) == 0 && r.staples.Load() == nil {
		return
	}
	out := stapled{map[[sha256.Size]byte]staple{}}
	for _, o := range r.own {
		der, until, revoked := r.store.Staple(now, o.Certificate, o.Issuer)
		if revoked {
			r.complaints.revoked(r.log, now, o.Certificate)
		}
		if der != nil {
			out.of[sha256.Sum256(o.Certificate.Raw)] = staple{der, until}
		}
	}
	r.staples.Store(&out)
}

// Staple is the OCSP answer for a certificate of this gateway, nil if there is none that counts.
func (h host) Staple(now time.Time, c *x509.Certificate) []byte {
	all := h.d.revocations.staples.Load()
	if all == nil {
		return nil
	}
	if s, ok := all.of[sha256.Sum256(c.Raw)]; ok && now.Before(s.until) {
		return s.der
	}
	return nil
}
