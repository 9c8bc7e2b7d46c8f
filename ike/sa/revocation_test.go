package sa

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// showsAndChecks are the two ways round: who shows a certificate, and who checks.
func showsAndChecks(a, b *certified, initiator bool) (shows, checks *certified) {
	if initiator {
		return a, b
	}
	return b, a
}

// TestRevoked: what becomes of a peer whose certificate was revoked, or of which that is not known, in both roles; and what an operator
// hears.
func TestRevoked(t *testing.T) {
	for name, c := range map[string]struct {
		state revocation.State
		code  diag.Code
		says  []string
	}{
		"good": {revocation.State{Status: revocation.Good}, "", nil},
		"revoked": {revocation.State{Status: revocation.Revoked, At: epoch, Reason: revocation.KeyCompromise, By: "the CRL http://x.example/ca.crl"}, diag.CodeCertRevoked,
			[]string{"which was revoked at 2026-01-01 00:00:00 UTC (keyCompromise)", "know that from the CRL http://x.example/ca.crl", "serial number"}},
		"unknown": {revocation.State{Problems: []error{errors.New("CRL http://x.example/ca.crl: nobody there")}}, diag.CodeCertStatus,
			[]string{`revocation = "strict"`, "http://x.example/ca.crl: nobody there", "fetch_allow"}[:2]},
	} {
		for _, initiator := range []bool{true, false} {
			r, a, b := newCertRig(t, 320, pkitest.P256, nil)
			shows, checks := showsAndChecks(a, b, initiator)
			checks.accept.Rules.Policy = policy.RevocationStrict
			var asked []auth.Unrevoked
			checks.desk.unrevoked = func(u auth.Unrevoked) Result {
				asked = append(asked, u)
				if c.code == "" {
					return Proved{revocation.Verdict{}}
				}
				s := c.state
				s.Certificate = u.Chain[0]
				return Unfulfilled{&revocation.Refusal{State: s, Policy: u.Rules.Policy}}
			}
			r.a.connect()
			r.run(time.Minute)
			if len(asked) != 1 || len(asked[0].Chain) != 2 || !asked[0].Chain[0].Equal(shows.own[0].Chain[0]) {
				t.Fatalf("%s, initiator %v: asked %v", name, initiator, asked)
			}
			if c.code == "" {
				r.wantUp(1)
				continue
			}
			f := checks.wantFailure(c.code)
			for _, s := range c.says {
				if !strings.Contains(f.Error(), s) {
					t.Errorf("%q is not in %v", s, f)
				}
			}
		}
	}
}

// TestRevocationAfterSignature: nothing is asked about a peer that has not proved that it has the key, nor about one whose chain ends
// nowhere; nor where there is nothing to ask.
func TestRevocationAfterSignature(t *testing.T) {
	for name, spoil := range map[string]func(shows, checks *certified){
		"another key": func(shows, _ *certified) {
			other := pkitest.Key(t, pkitest.P256)
			shows.own[0].Signer, shows.own[0].Key = other, other.Public()
		},
		"another CA": func(_, checks *certified) {
			checks.accept.Trust.Anchors = []*x509.Certificate{pkitest.CA(t, epoch, "x", pkitest.P256).Cert}
		},
		"nothing to ask": func(_, checks *certified) { checks.accept.Rules.Policy = policy.RevocationRelaxed },
	} {
		for _, initiator := range []bool{true, false} {
			r, a, b := newCertRig(t, 321, pkitest.P256, nil)
			shows, checks := showsAndChecks(a, b, initiator)
			checks.accept.Rules.Policy = policy.RevocationStrict
			checks.desk.unrevoked = func(auth.Unrevoked) Result {
				t.Errorf("%s, initiator %v: asked", name, initiator)
				return Proved{}
			}
			spoil(shows, checks)
			r.a.connect()
			r.run(time.Minute)
		}
	}
}

// TestStaples: who asks for an OCSP answer gets it from who sends one, and in no other case (RFC 4806).
func TestStaples(t *testing.T) {
	for _, asks := range []policy.OCSP{policy.OCSPBoth, policy.OCSPRequest, policy.OCSPReply, policy.OCSPNever} {
		for _, answers := range []policy.OCSP{policy.OCSPBoth, policy.OCSPRequest, policy.OCSPReply, policy.OCSPNever} {
			for _, initiator := range []bool{true, false} {
				r, a, b := newCertRig(t, 322, pkitest.P256, nil)
				shows, checks := showsAndChecks(a, b, initiator)
				checks.cfg.OCSP, shows.cfg.OCSP = asks, answers
				checks.accept.Rules.Policy = policy.RevocationStrict
				shows.env.Staple = func(_ time.Time, c *x509.Certificate) []byte {
					if !c.Equal(shows.own[0].Chain[0]) {
						t.Error("asked for another certificate")
					}
					return []byte("an answer")
				}
				var got [][]byte
				checks.desk.unrevoked = func(u auth.Unrevoked) Result { got = u.Staples; return Proved{revocation.Verdict{}} }
				r.a.connect()
				r.run(time.Minute)
				r.wantUp(1)
				want := asks.Asks() && answers.Answers()
				if (len(got) == 1 && string(got[0]) == "an answer") != want || !want && got != nil {
					t.Errorf("%s, %s, initiator %v: got %q", asks, answers, initiator, got)
				}
			}
		}
	}
}

// TestStapleRequest: an OCSP request names the responders that this side trusts, in a payload of its own.
func TestStapleRequest(t *testing.T) {
	_, a, _ := newCertRig(t, 323, pkitest.P256, nil)
	a.cfg.OCSP = policy.OCSPBoth
	responder := pkitest.CA(t, epoch, "responder", pkitest.P256).Cert
	a.accept.Rules.Responders = []*x509.Certificate{responder, responder}
	m := &Machine{env: a.env, cfg: a.cfg}
	out := m.requestCerts(10, a.cfg)
	i := slices.IndexFunc(out, func(p wire.Payload) bool { return p.(*wire.CertReq).Encoding == wire.CertOCSPContent })
	if len(out) != 2 || i < 0 {
		t.Fatalf("%v", out)
	}
	if h, ok := out[i].(*wire.CertReq).Hashes(); !ok || len(h) != 1 {
		t.Errorf("%v", h)
	}
}
