package ike

import (
	"crypto/x509"
	"time"

	"esplanade/ike/pki/revocation"
)

// What is known of the certificates that peers were let in by: the event loop looks it up without waiting, in a copy that is made again when
// something has come that changes it. What it looks up is in use, so that the fetchers keep it from ending.

// maxUsed bounds the certificates that are remembered as in use between two rounds of the fetchers. Of more, only the answers of OCSP can
// end: a list is used by whoever has a certificate of its CA.
const maxUsed = 8192

// files are the CRLs that there are in files, and the CAs that are known.
type files struct {
	lists []*revocation.List
	cas   []*x509.Certificate
}

// setFiles may be called from any goroutine, and does not wait.
func (r *revocations) setFiles(lists []*revocation.List, cas []*x509.Certificate) {
	r.files.Store(&files{lists, cas})
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// revoked finds a certificate that is known as revoked, nil if there is none. It may be called from any goroutine, and does not wait.
func (r *revocations) revoked(now time.Time, refs []revocation.Ref) *revocation.Withdrawn {
	r.door.Lock()
	for _, x := range refs {
		if x.Subject = ""; len(r.used) < maxUsed {
			r.used[x] = struct{}{}
		}
	}
	r.door.Unlock()
	return r.known.Load().Revoked(now, refs)
}

// takeUsed takes up what setFiles was told last, and what revoked was asked for. mu is held.
func (r *revocations) takeUsed(now time.Time) {
	if f := r.files.Swap(nil); f != nil {
		r.store.SetFiles(now, f.lists, f.cas)
	}
	r.door.Lock()
	used := r.used
	r.used = map[revocation.Ref]struct{}{}
	r.door.Unlock()
	r.store.Use(now, used)
}

// publishKnown makes what is known as revoked known to the event loop. mu is held.
func (r *revocations) publishKnown(now time.Time) { r.known.Store(r.store.Known(now)) }
