package sa

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// Whatever is wrong with a certificate, the side that checks says which it is and what to do; on the wire it is AUTHENTICATION_FAILED.
func TestCertificateFailures(t *testing.T) {
	oid := asn1.ObjectIdentifier{1, 2, 3, 4}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, by *pkitest.Holder, shows, checks *certified)
		code  diag.Code
		says  []string
	}{
		"expired": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			x := pkitest.EndTemplate(shows.cfg.LocalID.String())
			x.NotBefore, x.NotAfter = epoch.Add(-240*time.Hour), epoch.Add(-73*time.Hour)
			shows.show(t, by, x)
		}, diag.CodeCertExpired, []string{"expired at 2025-12-28 23:00:00 UTC", "2026-01-01 00:00:0", "3 days later", "serial number", "'CN=Test CA'"}},
		"not yet valid": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			x := pkitest.EndTemplate(shows.cfg.LocalID.String())
			x.NotBefore, x.NotAfter = epoch.Add(5*time.Hour), epoch.Add(400*time.Hour)
			shows.show(t, by, x)
		}, diag.CodeCertEarly, []string{"not valid before 2026-01-01 05:00:00 UTC", " hours earlier"}},
		"for somebody else": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			shows.show(t, by, pkitest.EndTemplate("dave.example"))
		}, diag.CodeCertID, []string{`for "dave.example"`, ".example'"}},
		"of another CA": {func(t *testing.T, _ *pkitest.Holder, shows, _ *certified) {
			shows.show(t, pkitest.CA(t, epoch, "Rogue CA", pkitest.P256), pkitest.EndTemplate(shows.cfg.LocalID.String()))
		}, diag.CodeCertCA, []string{"'CN=Rogue CA' is not known"}},
		"of a CA of the same name": {func(t *testing.T, _ *pkitest.Holder, shows, _ *certified) {
			shows.show(t, pkitest.CA(t, epoch, "Test CA", pkitest.P256), pkitest.EndTemplate(shows.cfg.LocalID.String()))
		}, diag.CodeCertCA, []string{"signature is not that of the CA 'CN=Test CA'"}},
		"self-signed": {func(t *testing.T, _ *pkitest.Holder, shows, _ *certified) {
			shows.show(t, nil, pkitest.EndTemplate(shows.cfg.LocalID.String()))
		}, diag.CodeCertCA, []string{"self-signed", "have a CA issue the peer's certificate"}},
		"not by way of the CA of ca_id": {func(t *testing.T, _ *pkitest.Holder, _, checks *certified) {
			trust := *checks.accept.Trust
			trust.CA = mustID(t, "CN=Other CA")
			checks.accept.Trust = &trust
		}, diag.CodeCertCA, []string{"expect the CA 'CN=Other CA' in its chain", "set ca_id to a CA of the peer's chain"}},
		"for encryption only": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			x := pkitest.EndTemplate(shows.cfg.LocalID.String())
			x.KeyUsage = x509.KeyUsageKeyEncipherment
			shows.show(t, by, x)
		}, diag.CodeCertUsage, []string{"digitalSignature"}},
		"with an unknown critical extension": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			x := pkitest.EndTemplate(shows.cfg.LocalID.String())
			x.ExtraExtensions = append(x.ExtraExtensions, pkix.Extension{Id: oid, Critical: true, Value: []byte{5, 0}})
			shows.show(t, by, x)
		}, diag.CodeCertSyntax, []string{"1.2.3.4"}},
		"constrained": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			x := pkitest.CATemplate("Constrained CA")
			x.PermittedDNSDomains = []string{"elsewhere.example"}
			ca := pkitest.Issue(t, epoch, by, x, pkitest.Key(t, pkitest.P256))
			shows.show(t, ca, pkitest.EndTemplate(shows.cfg.LocalID.String()))
		}, diag.CodeCertConstraint, []string{"'CN=Constrained CA' may not issue"}},
		"pinned otherwise": {func(t *testing.T, by *pkitest.Holder, _, checks *certified) {
			checks.accept.Trust.Pinned = append(checks.accept.Trust.Pinned, by.Cert)
		}, diag.CodeCertPinned, []string{"certs of the remote table"}},
		"weak": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			pair := pkitest.Issue(t, epoch, by, pkitest.EndTemplate(shows.cfg.LocalID.String()), weakKey(t)).Pair()
			shows.own = []credential.Pair{pair}
		}, diag.CodeCertWeak, []string{"1024 bits"}},
		"garbage": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			c := *shows.own[0].Chain[0]
			c.Raw = []byte{0x30, 0x80, 1}
			shows.own[0].Chain = []*x509.Certificate{&c}
		}, diag.CodeCertSyntax, []string{"malformed"}},
		"with another key": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			other := pkitest.Key(t, pkitest.P256)
			shows.own[0].Signer, shows.own[0].Key = other, other.Public()
		}, diag.CodeSignature, []string{"ECDSA with SHA2_256", "not made with that key"}},
		"with a key of another kind": {func(t *testing.T, by *pkitest.Holder, shows, _ *certified) {
			other := pkitest.Key(t, pkitest.Ed25519)
			shows.own[0].Signer, shows.own[0].Key = other, other.Public()
		}, diag.CodeSignature, []string{"Ed25519", "which is of ECDSA P-256"}},
		"with nothing trusted": {func(t *testing.T, by *pkitest.Holder, _, checks *certified) {
			checks.accept = credential.Accepted{}
		}, diag.CodeCertCA, []string{"cacerts"}},
	} {
		for _, initiator := range []bool{true, false} {
			side := map[bool]string{true: "the initiator", false: "the responder"}[initiator]
			t.Run(name+", "+side, func(t *testing.T) {
				r, a, b := newCertRig(t, 310, pkitest.P256, nil)
				shows, checks := a, b
				if !initiator {
					shows, checks = b, a
				}
				c.spoil(t, shows.ca, shows, checks)
				r.a.connect()
				r.run(time.Minute)
				f := checks.wantFailure(c.code)
				for _, s := range c.says {
					if !strings.Contains(f.Error(), s) {
						t.Errorf("%q is not in %v", s, f)
					}
				}
				if f.PeerID != shows.cfg.LocalID.String() || f.Notify != wire.NotifyAuthenticationFailed.String() {
					t.Errorf("peer %q, notify %q", f.PeerID, f.Notify)
				}
				a.wantNothing()
				b.wantNothing()
				if f := shows.wantFailure(diag.CodeAuthRefused).Error(); !strings.Contains(f, "authenticated with the certificate '") || strings.Contains(f, "pre-shared") || strings.Contains(f, "not sent") {
					t.Errorf("what was refused is not said: %s", f)
				}
				// This is all that the peer hears.
				says := "IKE_AUTH response 1 [ N(AUTH_FAILED) ]"
				if !initiator {
					says = "INFORMATIONAL request 2 [ N(AUTH_FAILED) ]"
				}
				if !strings.Contains(r.ladder.String(), says) {
					t.Errorf("no %s", says)
				}
			})
		}
	}
}

// This side has no key: neither side is left with anything.
func TestNoKeyToSignWith(t *testing.T) {
	for _, initiator := range []bool{true, false} {
		r, a, b := newCertRig(t, 311, pkitest.P256, nil)
		without := b
		if initiator {
			without = a
		}
		without.own = nil
		r.a.connect()
		r.run(time.Minute)
		if f := without.wantFailure(diag.CodeNoKey); !strings.Contains(f.Error(), without.cfg.LocalID.String()) {
			t.Error(f)
		}
		a.wantNothing()
		b.wantNothing()
	}
}
