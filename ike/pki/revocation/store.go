package revocation

import (
	"crypto/x509"
	"time"
)

// Store is what is known of revocations. It belongs to whoever has it: one goroutine at a time may use it. The zero value is empty.
type Store struct{}

// Assess says what is known at a time of a chain, end first and anchor last, each of which has signed the one before it, all of that
// verified. Staples are the OCSP answers that the peer has sent, in DER: they count like those of a responder, when they are signed like
// them. It takes a microsecond or two for each certificate, and the time to verify a signature for each staple.
func (s *Store) Assess(now time.Time, chain []*x509.Certificate, r Rules, staples [][]byte) Verdict {
	var v Verdict
	for i := range len(chain) - 1 {
		v.States = append(v.States, State{Certificate: chain[i]})
	}
	v.judge(r.Policy)
	return v
}
