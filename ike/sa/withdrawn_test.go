package sa

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// newWithdrawnRig is a rig with certificates and resumption; revoke has a side know that the certificate of the other one is revoked.
func newWithdrawnRig(t *testing.T, edit func(a, b *Config)) (r *rig, revoke func(by, whom *certified), a, b *certified) {
	t.Helper()
	r, a, b = newCertRig(t, 331, pkitest.P256, func(a, b *Config) {
		a.Resumption, b.Resumption = true, true
		if edit != nil {
			edit(a, b)
		}
	})
	revoked := map[*end][]revocation.Ref{}
	for _, e := range []*end{r.a, r.b} {
		e.env.Revoked = func(_ time.Time, refs []revocation.Ref) *revocation.Withdrawn {
			for _, x := range refs {
				if slices.ContainsFunc(revoked[e], func(y revocation.Ref) bool { return x.CA == y.CA && x.Serial == y.Serial }) {
					return &revocation.Withdrawn{Ref: x, Issuer: "CN=Test CA", By: "the CRL of the test", At: epoch, Reason: revocation.KeyCompromise}
				}
			}
			return nil
		}
	}
	revoke = func(by, whom *certified) {
		revoked[by.end] = append(revoked[by.end], revocation.Refs([]*x509.Certificate{whom.own[0].Chain[0], whom.ca.Cert})...)
	}
	return r, revoke, a, b
}

// A peer whose certificate is revoked while its IKE SA is up is put out, whichever side it is, and whatever the IKE SA has come from. Its
// packets go nowhere from the moment on, whether it answers the DELETE or not.
func TestRevokedWhileUp(t *testing.T) {
	for name, prepare := range map[string]func(r *rig){
		"new":     func(*rig) {},
		"rekeyed": func(r *rig) { r.run(3 * time.Minute) },
		"resumed": func(r *rig) {
			s := r.a.session()
			r.a.lose()
			r.b.lose()
			r.run(time.Minute)
			r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(true)
		},
	} {
		for _, initiator := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				r, revoke, a, b := newWithdrawnRig(t, func(a, _ *Config) {
					if name == "rekeyed" {
						a.RekeyTime = 2 * time.Minute
					}
				})
				looks, shows := a, b
				if initiator {
					looks, shows = b, a
				}
				r.a.connect()
				r.run(time.Second)
				prepare(r)
				r.run(2 * lookTime)
				r.wantUp(1)

				revoke(looks, shows)
				r.drop = func(e *end, d []byte) bool {
					return e == looks.end && headerOf(d).Exchange == wire.ExchangeInformational
				}
				for at := r.now; len(looks.failures) == 0 && r.now.Sub(at) < lookTime; {
					r.run(time.Second)
				}
				f := looks.wantFailure(diag.CodeCertRevoked)
				for _, s := range []string{"the CRL of the test", "keyCompromise", "issued by 'CN=Test CA'"} {
					if !strings.Contains(f.Error(), s) {
						t.Errorf("%q is not in %v", s, f)
					}
				}
				if f.PeerID != shows.cfg.LocalID.String() || f.Notify != "" {
					t.Errorf("peer %q, notify %q", f.PeerID, f.Notify)
				}
				if len(looks.inbound)+len(looks.outbound)+len(looks.spis) != 0 {
					t.Errorf("%d inbound and %d outbound CHILD SAs are there still", len(looks.inbound), len(looks.outbound))
				}
				r.drop = nil
				r.run(lookTime)
				looks.wantNothing()
				if n := len(looks.failures); n != 1 {
					t.Errorf("it is said %d times", n)
				}
			})
		}
	}
}

// While this side waits for an answer, it cannot send a DELETE: the peer is put out without.
func TestRevokedWhileWaiting(t *testing.T) {
	r, revoke, a, b := newWithdrawnRig(t, nil)
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	r.drop = func(*end, []byte) bool { return true }
	b.live()[0].RekeyChild(r.now, b.live()[0].Children()[0].ID)
	b.drain(b.live()[0])
	revoke(b, a)
	r.run(lookTime)
	b.wantFailure(diag.CodeCertRevoked)
	b.wantNothing()
}

// What is revoked is not let in again with a ticket, and the other way round: this side does not go back to a gateway that is.
func TestRevokedSinceTheTicket(t *testing.T) {
	for name, who := range map[string]func(a, b *certified) (by, whom *certified){
		"the client's":  func(a, b *certified) (*certified, *certified) { return b, a },
		"the gateway's": func(a, b *certified) (*certified, *certified) { return a, b },
	} {
		t.Run(name, func(t *testing.T) {
			r, revoke, a, b := newWithdrawnRig(t, nil)
			s := r.lost()
			by, whom := who(a, b)
			revoke(by, whom)
			r.a.resume(s)
			r.run(time.Second)
			f := by.wantFailure(diag.CodeResume)
			if !strings.Contains(f.Error(), "revoked") || !strings.Contains(f.Error(), "the CRL of the test") {
				t.Error(f)
			}
			r.wantResumed(false) // nobody says at the signature that it is revoked
		})
	}
}

// One that somebody else has is no reason.
func TestOthersRevoked(t *testing.T) {
	r, revoke, a, b := newWithdrawnRig(t, nil)
	s := r.lost()
	revoke(a, a)
	revoke(b, b)
	r.a.resume(s)
	r.run(5 * lookTime)
	r.wantResumed(true)
}
