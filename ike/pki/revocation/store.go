package revocation

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"
)

// Store is what is known of revocations. It belongs to whoever has it: one goroutine at a time may use it. The zero value is empty. What
// is in it was verified, and is bounded in number and size; what was used last stays longest.
type Store struct {
	lists   map[string]*held // by the key of what was needed
	files   map[fileKey]*heldFile
	answers map[answerKey]*heldAnswer
	own     []ownCertificate
	failed  map[string]*failure // by what must not be asked again for a while
	octets  int                 // of lists and answers

	// configured are the lists of files that count for everybody, and issuers the CAs that they may be of. See [Store.Known].
	configured map[[sha256.Size]byte]*List
	issuers    map[ca]*x509.Certificate
	known      *Known
	changed    bool // known is to be made again
}

// The bounds of a [Store].
const (
	maxLists       = 64
	maxFiles       = 64
	maxHeldAnswers = 4096
	maxFailures    = 1024
	// maxOctets bounds lists and answers together.
	maxOctets = 128 << 20
)

// answerKey is what an answer is for, and the sum of the responder's certificate if only the configuration trusts it.
type answerKey struct {
	ca        ca
	serial    string
	responder [sha256.Size]byte
}

type fileKey struct {
	sum [sha256.Size]byte
	ca  ca
}

// Assess says what is known at a time of a chain, end first and anchor last, each of which has signed the one before it, all of that
// verified, and the peer has proved that it has the key of the first one. Staples are the OCSP answers that the peer has sent, in DER:
// they count like those of a responder, when they are signed like them. It takes a few microseconds for each certificate, and the time to
// verify a signature for each staple and for a list of a file that is used for the first time.
func (s *Store) Assess(now time.Time, chain []*x509.Certificate, r Rules, staples [][]byte) Verdict {
	var v Verdict
	staples = staples[:min(len(staples), maxStaples)]
	for i := range len(chain) - 1 {
		state, needed := s.assess(now, chain[i], chain[i+1], &r, staples)
		v.States = append(v.States, state)
		if needed != nil {
			v.Needed = append(v.Needed, *needed)
		}
	}
	v.judge(r.Policy)
	return v
}

// maxStaples bounds the staples of a peer that are looked at: one for each certificate of a long chain.
const maxStaples = 8

// assess says what is known of one certificate, and what to fetch next to know more.
func (s *Store) assess(now time.Time, c, issuer *x509.Certificate, r *Rules, staples [][]byte) (State, *Needed) {
	state := State{Certificate: c}
	s.meet(now, issuer)
	points := pointsOf(c, oidPoints)
	crl, ocsp := sourcesOf(c, issuer, r, points)
	lists := s.listsOf(now, issuer, r, &state.Problems)
	state.Expected = crl.any() || ocsp.any() || len(lists) > 0 || len(state.Problems) > 0

	byAnswer := s.byAnswers(now, c, issuer, r, staples, lists, &state.Problems)
	byList, bases := byLists(now, c, points, lists, &state.Problems)
	switch f := combine(byAnswer, byList); f.status {
	case Revoked:
		state.Status, state.By, state.At, state.Reason, state.Problems = Revoked, f.by, f.at, f.reason, nil
		// A hold may have been taken back since the list or answer has ended that has it.
		if f.reason != CertificateHold || now.Before(f.until) {
			return state, nil
		}
	case Good:
		state.Status, state.By, state.Until = Good, f.by, f.until
	case Unknown: // as the state is already
	}
	// "the client SHOULD attempt to contact the OCSP responder first. Clients MAY attempt to retrieve the CRL if no OCSPResponse is
	// received" https://www.rfc-editor.org/rfc/rfc5019#section-3.1
	if byAnswer.status == Good {
		return state, nil
	}
	if n := s.next(now, OCSP, ocsp, c, issuer, r, &state.Problems); n != nil {
		return state, n
	}
	if byList.status != Good {
		if n := s.next(now, CRL, crl, c, issuer, r, &state.Problems); n != nil {
			return state, n
		}
	}
	return state, s.nextDelta(now, c, issuer, r, bases, lists, &state.Problems)
}

// combine makes one finding of two. A certificate that was revoked stays revoked, whoever says something else; but one that was on hold
// may have been released, and then the newer one of the two is right.
func combine(a, b finding) finding {
	if a.status != Revoked {
		a, b = b, a
	}
	switch {
	case a.status == Revoked && a.reason == CertificateHold && b.status == Good && b.this.After(a.this):
		return b
	case a.status == Revoked && a.reason == CertificateHold && b.status == Revoked:
		return b
	case a.status == Revoked:
		return a
	case a.status == Good && b.status == Good:
		if a.until.Before(b.until) {
			return b
		}
		return a
	case b.status == Good:
		return b
	}
	return a
}

// next is the first of several sources that may be asked now, if any. What became of the others goes to problems.
func (s *Store) next(now time.Time, k Kind, from sources, c, issuer *x509.Certificate, r *Rules, problems *[]error) *Needed {
	for _, src := range from.list {
		n := Needed{Kind: k, URI: src.uri, Configured: src.configured, Certificate: c, Issuer: issuer}
		if k == delta {
			n.Kind, n.delta = CRL, true
		}
		// What was fetched from there and has not ended says nothing of this certificate: it is not fetched again for it.
		if h := s.lists[n.Key()]; h != nil && h.current(now) {
			continue
		}
		if k == OCSP {
			var err error
			if n.Request, err = request(c, issuer); err != nil {
				*problems = append(*problems, problem(FaultSyntax, "no request can be made for it: %v", err).of(k, src.uri))
				return nil
			}
			n.responders = r.Responders
		}
		if f := s.failure(now, &n); f != nil {
			*problems = append(*problems, f.describe(&n))
			continue
		}
		return &n
	}
	if len(from.list) == 0 && from.unusable > 0 {
		*problems = append(*problems, problem(FaultFetch, "the addresses in the certificate are not of http or https").of(k, "of "+k.place()))
	}
	return nil
}

// place is where addresses of a kind are in a certificate.
func (k Kind) place() string {
	if k == OCSP {
		return "authorityInfoAccess"
	}
	return "cRLDistributionPoints"
}

// nextDelta is the source of a delta that would make one of the bases newer, if there is none.
func (s *Store) nextDelta(now time.Time, c, issuer *x509.Certificate, r *Rules, bases, lists []*held, problems *[]error) *Needed {
	for _, base := range bases {
		if deltaOf(now, base, lists) != nil {
			continue
		}
		var from sources
		for _, p := range slices.Concat(pointsOf(c, oidFreshest), base.fresh) {
			if !p.indirect {
				from.add(false, p.uris...)
			}
		}
		if n := s.next(now, delta, from, c, issuer, r, problems); n != nil {
			return n
		}
	}
	return nil
}
