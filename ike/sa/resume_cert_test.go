package sa

import (
	"errors"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/ticket"
)

// newCertResumeRig is a rig with certificates and resumption.
func newCertResumeRig(t *testing.T) (r *rig, a, b *certified) {
	return newCertRig(t, 330, pkitest.P256, func(a, b *Config) { a.Resumption, b.Resumption = true, true })
}

// An IKE SA that certificates have proved is resumed, again and again, without a signature.
func TestResumptionWithCertificates(t *testing.T) {
	r, a, _ := newCertResumeRig(t)
	s := r.lost()
	proofs := r.b.proofs(func(int) outcome { return outcome{} })
	for range 2 {
		r.a.resume(s)
		r.run(time.Second)
		r.wantResumed(true)
		s = r.a.session()
		r.a.lose()
		r.b.lose()
		r.run(time.Minute)
	}
	if *proofs != 0 {
		t.Errorf("%d signatures", *proofs)
	}
	if !s.Until.Equal(a.accept.Trust.Anchors[0].NotAfter) {
		t.Errorf("the session is good until %v", s.Until)
	}
}

// What the two sides prove themselves with is another: nothing is resumed, and the IKE SA is made with what is there now.
func TestCertificatesChangedSinceTheTicket(t *testing.T) {
	for name, change := range map[string]func(r *rig, a, b *certified){
		"its own": func(r *rig, a, b *certified) { b.show(r.t, b.ca, pkitest.EndTemplate("b.example")) },
		"a CA more": func(r *rig, a, b *certified) {
			b.accept.Trust = &pki.Trust{Anchors: append(pkitest.CA(r.t, epoch, "more", pkitest.P256).Chain(), b.accept.Trust.Anchors...)}
		},
		"a rule": func(r *rig, a, b *certified) { b.accept.Rules.Policy = policy.RevocationStrict },
		"here":   func(r *rig, a, b *certified) { a.show(r.t, a.ca, pkitest.EndTemplate("a.example")) },
	} {
		t.Run(name, func(t *testing.T) {
			r, a, b := newCertResumeRig(t)
			s := r.lost()
			change(r, a, b)
			r.a.resume(s)
			r.run(time.Second)
			r.wantResumed(false)
		})
	}
}

// A ticket is good for no longer than the certificate that was shown.
func TestTicketEndsWithTheCertificate(t *testing.T) {
	r, a, b := newCertResumeRig(t)
	for _, c := range []*certified{a, b} {
		x := pkitest.EndTemplate(c.cfg.LocalID.String())
		x.NotBefore, x.NotAfter = epoch.Add(-time.Hour), epoch.Add(30*time.Minute)
		c.show(t, c.ca, x)
	}
	s := r.lost()
	if got := s.Expires.Sub(epoch); got > 30*time.Minute || got < 29*time.Minute {
		t.Errorf("the session is good for %v", got)
	}
	r.run(s.Expires.Sub(r.now) + time.Second)
	if _, _, err := r.b.env.Tickets.Open(r.now, s.Ticket); !errors.Is(err, ticket.ErrExpired) {
		t.Errorf("the gateway says %v", err)
	}
}

// A ticket is good for no longer than what is known of revocations, on either side, however often it is resumed: whoever was revoked since is
// looked at then.
func TestTicketEndsWithWhatIsKnownOfRevocations(t *testing.T) {
	for _, initiator := range []bool{true, false} {
		r, a, b := newCertResumeRig(t)
		_, checks := showsAndChecks(a, b, !initiator)
		checks.accept.Rules.Policy = policy.RevocationStrict
		asked := 0
		checks.desk.unrevoked = func(auth.Unrevoked) Result {
			asked++
			return Proved{revocation.Verdict{Until: r.now.Add(30 * time.Minute)}}
		}
		begin := r.now
		s := r.lost()
		r.run(20 * time.Minute)
		r.a.resume(s)
		r.run(time.Second)
		r.wantResumed(true)
		s = r.a.session()
		if left := s.Expires.Sub(r.now); left > 10*time.Minute || left < 8*time.Minute {
			t.Errorf("the initiator knows %v: after a resumption the session is good for %v", initiator, left)
		}
		r.a.lose()
		r.b.lose()
		r.run(begin.Add(31 * time.Minute).Sub(r.now))
		r.a.resume(s)
		r.run(time.Second)
		r.wantResumed(false)
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
	}
}

// After a resumption the end of the certificate is as near as before.
func TestResumptionKeepsTheCertificatesEnd(t *testing.T) {
	r, a, _ := newCertResumeRig(t)
	x := pkitest.EndTemplate("a.example")
	x.NotBefore, x.NotAfter = epoch.Add(-time.Hour), epoch.Add(30*time.Minute)
	a.show(t, a.ca, x)
	s := r.lost()
	r.run(20 * time.Minute)
	r.a.resume(s)
	r.run(time.Second)
	r.wantResumed(true)
	if got := r.b.live()[0].auth.until; !got.Equal(epoch.Add(30 * time.Minute)) {
		t.Errorf("it is %v", got)
	}
}
