package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"time"

	"esplanade/ike/pki"
)

// Known is which certificates are known as revoked, by what a [Store] has at a time. It is immutable, and may be used by any goroutine.
type Known struct {
	lists   map[ca][]*held
	answers map[Ref][]finding
	issuers map[ca]string
}

// Revoked returns the first of the certificates that is known as revoked, nil if none is. It takes less than a microsecond for each. Nil may
// be asked.
//
// The entry of any list of the CA counts, whatever else that is about: a CA gives no serial number twice.
func (k *Known) Revoked(now time.Time, refs []Ref) *Withdrawn {
	if k == nil {
		return nil
	}
	for _, r := range refs {
		f := k.listed(now, r)
		for _, a := range k.answers[r.bare()] {
			if a.status == Revoked || now.Before(a.until) {
				f = combine(f, a)
			}
		}
		if f.status == Revoked {
			return &Withdrawn{Ref: r, Issuer: k.issuers[r.CA], By: f.by, At: f.at, Reason: f.reason}
		}
	}
	return nil
}

// listed is what the lists say of a certificate: the first that has it, or else the newest one.
func (k *Known) listed(now time.Time, r Ref) (f finding) {
	lists := k.lists[r.CA]
	for _, base := range lists {
		if base.base != nil {
			continue
		}
		e, last, found := lookUp([]byte(r.Serial), base, deltaOf(now, base, lists))
		switch this := last.head.ThisUpdate; {
		case found:
			return finding{status: Revoked, by: last.List.describe(), this: this, at: e.at, reason: e.reason}
		case last.current(now) && this.After(f.this):
			f = finding{status: Good, this: this, until: last.head.NextUpdate}
		}
	}
	return f
}

// Known is what is known as revoked now. It is another value when that has changed.
func (s *Store) Known(now time.Time) *Known {
	if s.known != nil && !s.changed {
		return s.known
	}
	k := &Known{lists: map[ca][]*held{}, answers: map[Ref][]finding{}, issuers: map[ca]string{}}
	for _, h := range s.lists {
		k.lists[h.ca] = append(k.lists[h.ca], h)
	}
	for key, f := range s.files {
		if f.problem == nil && s.configured[key.sum] != nil && !f.held.head.ThisUpdate.After(now.Add(maxSkew)) {
			k.lists[key.ca] = append(k.lists[key.ca], f.held)
		}
	}
	for c, list := range k.lists {
		k.lists[c] = newest(list)
		k.issuers[c] = issuerOf(list[0].head)
	}
	// An answer that a certificate is good counts only against one that it was on hold.
	for _, status := range [...]Status{Revoked, Good} {
		for key, a := range s.answers {
			r := Ref{CA: key.ca, Serial: key.serial}
			if a.status != status || status == Good && k.Revoked(now, []Ref{r}) == nil || revokedResponder(now, a.answer, k.lists[key.ca]) != nil {
				continue
			}
			k.answers[r] = append(k.answers[r], finding{status: a.status, by: a.describe(), this: a.this, until: a.until, at: a.at, reason: a.reason})
			if issuer := s.issuers[key.ca]; issuer != nil {
				k.issuers[key.ca] = pki.Subject(issuer)
			}
		}
	}
	s.known, s.changed = k, false
	return k
}

// answerChanges reports whether an answer is other than what [Store.Known] says.
func (s *Store) answerChanges(now time.Time, k answerKey, a *answer) bool {
	return a.status == Revoked || s.known.Revoked(now, []Ref{{CA: k.ca, Serial: k.serial}}) != nil
}

// Use says that peers are let in by certificates: what is known of them is kept, and fetched again before it ends.
func (s *Store) Use(now time.Time, refs map[Ref]struct{}) {
	cas, certs := map[ca]bool{}, map[Ref]bool{}
	for r := range refs {
		cas[r.CA], certs[r.bare()] = true, true
	}
	for _, h := range s.lists {
		if cas[h.ca] {
			h.used = now
		}
	}
	for key, a := range s.answers {
		if certs[Ref{CA: key.ca, Serial: key.serial}] {
			a.used = now
		}
	}
}

// maxIssuers bounds the CAs that a [Store] remembers for the lists of files.
const maxIssuers = 256

// SetFiles says which CRLs there are in files, and which CAs are known: [Store.Known] has those that one of the CAs has signed, or one that
// was assessed with a chain.
func (s *Store) SetFiles(now time.Time, lists []*List, cas []*x509.Certificate) {
	s.configured, s.changed = map[[sha256.Size]byte]*List{}, true
	for _, l := range lists {
		s.configured[l.sum] = l
	}
	for k, issuer := range s.issuers {
		s.readFiles(now, k, issuer)
	}
	for _, c := range cas {
		s.meet(now, c)
	}
}

// meet remembers a CA.
func (s *Store) meet(now time.Time, issuer *x509.Certificate) {
	k := caOf(issuer)
	if s.issuers[k] != nil || len(s.issuers) >= maxIssuers {
		return
	}
	if s.issuers == nil {
		s.issuers = map[ca]*x509.Certificate{}
	}
	s.issuers[k] = issuer
	s.readFiles(now, k, issuer)
}

// readFiles verifies the lists of files that may be those of a CA.
func (s *Store) readFiles(now time.Time, k ca, issuer *x509.Certificate) {
	for _, l := range s.configured {
		if bytes.Equal(l.head.RawIssuer, issuer.RawSubject) && !otherKey(l.head.AuthorityKeyId, issuer.SubjectKeyId) {
			s.file(now, k, l, issuer)
		}
	}
}
