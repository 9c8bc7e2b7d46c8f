package revocation

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"
)

// ownCertificate is a certificate of this gateway, an answer for which is kept for peers that ask (RFC 4806).
type ownCertificate struct {
	cert, issuer *x509.Certificate
	needed       []*Needed // best first
	life         life      // of the look for an answer, while there is none
}

// maxOwn bounds the certificates of this gateway.
const maxOwn = 64

// Own is a certificate of this gateway with that of its issuer, and the rules that say where to ask.
type Own struct {
	Certificate, Issuer *x509.Certificate
	Rules               Rules
}

// SetOwn says which certificates this gateway has. From then on [Store.Due] has what to fetch so that [Store.Staple] has an answer for
// each of them that has a responder.
func (s *Store) SetOwn(now time.Time, all []Own) {
	s.own = nil
	for _, o := range all[:min(len(all), maxOwn)] {
		_, from := sourcesOf(o.Certificate, o.Issuer, &o.Rules, nil)
		own := ownCertificate{cert: o.Certificate, issuer: o.Issuer, life: life{used: now, refresh: now}}
		req, err := request(o.Certificate, o.Issuer)
		if err != nil {
			continue
		}
		for _, src := range from.list {
			own.needed = append(own.needed, &Needed{Kind: OCSP, URI: src.uri, Configured: src.configured, Certificate: o.Certificate, Issuer: o.Issuer,
				Request: req, responders: o.Rules.Responders})
		}
		if len(own.needed) > 0 {
			s.own = append(s.own, own)
		}
	}
}

// useOwn keeps the answers for this gateway's own certificates from being forgotten.
func (s *Store) useOwn(now time.Time) {
	for _, o := range s.own {
		if a := s.ownAnswer(o.cert, o.issuer); a != nil {
			a.used = now
		}
	}
}

func (s *Store) ownAnswer(c, issuer *x509.Certificate) *heldAnswer {
	i := slices.IndexFunc(s.own, func(o ownCertificate) bool { return o.cert.Equal(c) })
	if i < 0 {
		return s.answers[keyOf(c, issuer, [sha256.Size]byte{})]
	}
	var best *heldAnswer
	keys := []answerKey{keyOf(c, issuer, [sha256.Size]byte{})}
	for _, t := range s.own[i].needed[0].responders {
		keys = append(keys, keyOf(c, issuer, sha256.Sum256(t.Raw)))
	}
	for _, k := range keys {
		if a := s.answers[k]; a != nil && (best == nil || a.until.After(best.until)) {
			best = a
		}
	}
	return best
}

// missing has an answer looked for if there is none that counts.
func (o *ownCertificate) missing(now time.Time, s *Store, look func(*life)) {
	if a := s.ownAnswer(o.cert, o.issuer); a != nil && now.Before(a.until) && (a.needed != nil || a.status == Revoked) {
		return
	}
	o.life.used = now
	for _, n := range o.needed {
		o.life.needed = n
		if s.failure(now, n) == nil {
			break
		}
	}
	look(&o.life)
}

// Staple returns the answer for one of this gateway's own certificates, in DER, that it can send to a peer, and until when that counts;
// nil if there is none that says that it is good. revoked: it says that it was revoked.
func (s *Store) Staple(now time.Time, c, issuer *x509.Certificate) (der []byte, until time.Time, revoked bool) {
	a := s.ownAnswer(c, issuer)
	switch {
	case a == nil:
		return nil, time.Time{}, false
	case a.status == Revoked:
		return nil, time.Time{}, true
	case !now.Before(a.until):
		return nil, time.Time{}, false
	}
	return a.der, a.until, false
}
