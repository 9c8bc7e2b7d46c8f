package revocation

import (
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// heldAnswer is an answer that was fetched, or that a peer has sent.
type heldAnswer struct {
	*answer
	life
}

// keyOf is that of an answer about a certificate.
func keyOf(c, issuer *x509.Certificate, responder [sha256.Size]byte) answerKey {
	return answerKey{caOf(issuer), string(serialOctets(c)), responder}
}

// byAnswers says what is known of a certificate from OCSP. The staples are judged first and kept, when they are newer than what is known.
func (s *Store) byAnswers(now time.Time, c, issuer *x509.Certificate, r *Rules, staples [][]byte, lists []*held, problems *[]error) finding {
	for _, der := range staples {
		a, p := judgeAnswer(now, der, c, issuer, r.Responders)
		switch {
		case p == nil:
			a.from = fromPeer
			s.keepAnswer(now, c, issuer, a, nil)
		case p.Fault != FaultOther: // it may be about another certificate of the chain
			*problems = append(*problems, p.of(OCSP, fromPeer))
		}
	}
	var f finding
	keys := []answerKey{keyOf(c, issuer, [sha256.Size]byte{})}
	for _, t := range r.Responders {
		keys = append(keys, keyOf(c, issuer, sha256.Sum256(t.Raw)))
	}
	for _, k := range keys {
		a := s.answers[k]
		if a == nil {
			continue
		}
		a.used = now
		if p := a.usable(now, lists); p != nil {
			*problems = append(*problems, p.of(OCSP, a.from))
			continue
		}
		f = combine(f, finding{status: a.status, by: a.describe(), this: a.this, until: a.until, at: a.at, reason: a.reason})
	}
	return f
}

// usable says why an answer does not count, nil if it does.
func (a *heldAnswer) usable(now time.Time, lists []*held) *Problem {
	if a.status == Good && !now.Before(a.until) {
		return problem(FaultStale, "it has ended at %s, %s ago: it is %s here", stamp(a.until), ago(now.Sub(a.until)), stamp(now))
	}
	return revokedResponder(now, a.answer, lists)
}

// revokedResponder says that the responder's certificate was revoked, nil if nothing is known of that. The CA has not said that it need
// not be looked up; so it is, where the CRLs of the CA are at hand. Nothing is fetched for it: RFC 6960 section 4.2.2.2.1 leaves that to
// the policy of this side, and a CA that cares makes such certificates short.
func revokedResponder(now time.Time, a *answer, lists []*held) *Problem {
	if a.signer == nil {
		return nil
	}
	var unused []error
	if f, _ := byLists(now, a.signer, pointsOf(a.signer, oidPoints), lists, &unused); f.status == Revoked {
		return problem(FaultSigner, "the certificate of the responder was revoked at %s%s, says %s", stamp(f.at), f.reason.because(), f.by)
	}
	return nil
}

// keepAnswer keeps an answer if there is none that is newer.
func (s *Store) keepAnswer(now time.Time, c, issuer *x509.Certificate, a *answer, n *Needed) {
	k := keyOf(c, issuer, a.responder)
	old := s.answers[k]
	if old != nil && old.this.After(a.this) {
		return
	}
	l := life{used: now, octets: len(a.der) + heldOctets, needed: n}
	if old != nil {
		s.octets -= old.octets
		// What the peer sends is fetched ahead as before.
		if n == nil {
			l.needed = old.needed
		}
	}
	l.refresh = refreshAt(now, a.this, a.until)
	if s.answers == nil {
		s.answers = map[answerKey]*heldAnswer{}
	}
	s.answers[k] = &heldAnswer{a, l}
	s.changed = s.changed || s.answerChanges(now, k, a)
	s.octets += l.octets
	s.trim()
}
