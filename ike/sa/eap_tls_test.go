package sa

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// tlsPair is a certificate as TLS within EAP shows it.
func tlsPair(h *pkitest.Holder) *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{h.Cert.Raw}, PrivateKey: h.Key}
}

// judgeFor judges certificates as a connection does: for the name that is given, or else for a fixed one.
func judgeFor(ca *pkitest.Holder, fixed string) eap.Judge {
	trust := &pki.Trust{Anchors: []*x509.Certificate{ca.Cert}}
	return func(now time.Time, s eap.Shown) (eap.Verdict, error) {
		name := s.Identity
		if name == "" || strings.HasPrefix(name, "anonymous") {
			name = fixed
		}
		id, err := identity.Parse(name)
		if err != nil {
			return eap.Verdict{}, err
		}
		p, err := trust.Judge(now, id, pki.Presented{Certs: s.Chain})
		return eap.Verdict{Name: name, Chain: p.Chain}, err
	}
}

const annsName = "ann@example.org"

// annsCertificate is for an e-mail address.
func annsCertificate(t *testing.T, ca *pkitest.Holder) *pkitest.Holder {
	t.Helper()
	user := pkitest.EndTemplate("ann")
	user.DNSNames, user.EmailAddresses = nil, []string{annsName}
	return pkitest.Issue(t, epoch, ca, user, pkitest.Key(t, pkitest.P256))
}

// tlsRig are a client and a gateway with a method that has TLS in it; alone: EAP is all that proves either.
type tlsRig struct {
	*rig
	server eap.TLSServer
	client eap.TLSClient
	ca     *pkitest.Holder
}

func newTLSRig(t *testing.T, method eap.Type, version uint16, alone bool) *tlsRig {
	t.Helper()
	r := &tlsRig{rig: newUserRig(t, method, func(a, b *Config) {
		if alone {
			a.RemoteAuth, b.LocalAuth = policy.AuthEAPTLS, policy.AuthEAPTLS
		}
	}), ca: pkitest.CA(t, epoch, "EAP CA", pkitest.P256)}
	r.server = eap.TLSServer{Certificate: tlsPair(r.ca.End(t, epoch, "aaa.example", pkitest.P256)), Judge: judgeFor(r.ca, annsName), MaxVersion: version}
	r.client = eap.TLSClient{Certificate: tlsPair(annsCertificate(t, r.ca)), Judge: judgeFor(r.ca, "aaa.example")}
	users := people{annsName: {"correct", []string{"staff"}}}
	r.b.env.EAPServer = func(string, int, netip.Addr) (auth.EAPServer, bool) {
		return auth.EAPServer{Config: &eap.ServerConfig{Methods: []eap.Type{method}, AskIdentity: true, Users: users, TLS: &r.server}, Realm: "users"}, true
	}
	r.a.env.EAPClient = func(string, int) (*eap.ClientConfig, bool) {
		return &eap.ClientConfig{Methods: []eap.Type{method}, Identity: annsName, Anonymous: "anonymous", Secret: eap.Password("correct"), TLS: &r.client}, true
	}
	return r
}

// A user comes in by each method with TLS, with both versions, where the gateway has a certificate in IKE and where EAP is all there is
// (RFC 5998).
func TestUserComesInByTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, method := range []eap.Type{eap.TypeTLS, eap.TypeTTLS, eap.TypePEAP} {
			for _, alone := range []bool{false, true} {
				r := newTLSRig(t, method, version, alone)
				r.a.connect()
				r.run(20 * time.Second)
				ma, mb := r.wantUp(1)
				if u := mb.PeerUser(); u == nil || u.Name != annsName || !u.In("staff") || !strings.HasPrefix(u.Method, method.String()) {
					t.Errorf("%s, alone %t: the user is %+v", method, alone, u)
				}
				if u := ma.User(); u == nil || u.Name != annsName {
					t.Errorf("%s, alone %t: the client is %+v", method, alone, u)
				}
			}
		}
	}
}

// What is wrong with a certificate within EAP reads as it does for one of IKE, and nobody is let in.
func TestCertificatesInEAP(t *testing.T) {
	for name, c := range map[string]struct {
		spoil          func(r *tlsRig)
		aFails, bFails diag.Code
		says           []string
	}{
		"a user of another CA": {func(r *tlsRig) {
			r.client.Certificate = tlsPair(annsCertificate(r.t, pkitest.CA(r.t, epoch, "Other CA", pkitest.P256)))
		}, diag.CodeEAPTLS, diag.CodeCertCA, []string{"Other CA"}},
		"another user": {func(r *tlsRig) {
			r.a.env.EAPClient = func(string, int) (*eap.ClientConfig, bool) {
				return &eap.ClientConfig{Methods: []eap.Type{eap.TypeTLS}, Identity: "ben@example.org", TLS: &r.client}, true
			}
		}, diag.CodeEAPTLS, diag.CodeCertID, []string{"ben@example.org"}},
		"another server": {func(r *tlsRig) {
			r.server.Certificate = tlsPair(r.ca.End(r.t, epoch, "other.example", pkitest.P256))
		}, diag.CodeCertID, diag.CodeEAPTLS, []string{"aaa.example", "bad certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTLSRig(t, eap.TypeTLS, 0, false)
			c.spoil(r)
			r.a.connect()
			r.run(20 * time.Second)
			r.a.wantNothing()
			r.b.wantNothing()
			text := ""
			for e, code := range map[*end]diag.Code{r.a: c.aFails, r.b: c.bFails} {
				if code != "" {
					text += e.wantFailure(code).Error() + "\n"
				}
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in %s", want, text)
				}
			}
		})
	}
}

// Whether the certificate of a user was revoked is asked before it hears Success, and whether that of the server was, before the client believes
// it; and what is revoked later puts the peer out.
func TestRevokedInEAP(t *testing.T) {
	for _, byClient := range []bool{false, true} {
		for name, answer := range map[string]Result{
			"good":    Proved{revocation.Verdict{}},
			"revoked": nil,
		} {
			r := newTLSRig(t, eap.TypeTLS, 0, true)
			asks := r.b
			if byClient {
				asks = r.a
			}
			accepted := asks.env.Accepted
			asks.env.Accepted = func(name string, index int) credential.Accepted {
				a := accepted(name, index)
				a.Rules.Policy = policy.RevocationStrict
				return a
			}
			var asked []string
			asks.desk.unrevoked = func(u auth.Unrevoked) Result {
				asked = append(asked, u.Chain[0].Subject.String())
				if answer != nil {
					return answer
				}
				return Unfulfilled{&revocation.Refusal{State: revocation.State{Status: revocation.Revoked, At: epoch, By: "a list", Certificate: u.Chain[0]}}}
			}
			r.a.connect()
			r.run(20 * time.Second)
			if len(asked) != 1 {
				t.Fatalf("%s, by the client %t: asked about %v", name, byClient, asked)
			}
			if name == "good" {
				ma, mb := r.wantUp(1)
				m := mb
				if byClient {
					m = ma
				}
				if len(m.auth.certs) == 0 {
					t.Error("it is not known by which certificates")
				}
				continue
			}
			r.a.wantNothing()
			asks.wantFailure(diag.CodeCertRevoked)
		}
	}
}

// Wherever a peer falls silent, nothing is left of the handshake that was under way on either side: the bubble does not end while a coroutine of
// it is.
func TestSilenceInEAP(t *testing.T) {
	for _, method := range []eap.Type{eap.TypeTLS, eap.TypeTTLS, eap.TypePEAP} {
		for n := range 12 {
			synctest.Test(t, func(t *testing.T) {
				r := newTLSRig(t, method, 0, false)
				sent := 0
				r.drop = func(_ *end, d []byte) bool {
					if headerOf(d).Exchange == wire.ExchangeIKEAuth {
						sent++
					}
					return sent > n
				}
				r.a.connect()
				r.run(10 * time.Minute)
				r.a.wantNothing()
				r.b.wantNothing()
			})
		}
	}
}

// A client that proves itself by EAP in a second round, where the gateway has one alone, asks about the server by the table of that one.
func TestRevokedInSecondRound(t *testing.T) {
	r := newTLSRig(t, eap.TypeTLS, 0, false)
	for _, c := range []*Config{r.a.cfg, r.b.cfg} {
		mine, other := &c.LocalAuth, &c.LocalRounds
		if c == r.b.cfg {
			mine, other = &c.RemoteAuth, &c.RemoteRounds
		}
		*mine, *other = policy.AuthPubkey, []Round{{mustID(t, annsName), policy.AuthEAPTLS}}
	}
	r.b.cfg.SendCertReq = true
	for _, e := range []*end{r.a, r.b} {
		accepted := e.env.Accepted
		e.env.Accepted = func(name string, index int) credential.Accepted {
			if e == r.a && index > 0 {
				return credential.Accepted{}
			}
			a := accepted(name, index)
			a.Rules.Policy = policy.RevocationStrict
			return a
		}
	}
	asked := 0
	r.a.desk.unrevoked = func(auth.Unrevoked) Result { asked++; return Proved{revocation.Verdict{}} }
	r.a.connect()
	r.run(30 * time.Second)
	r.wantUp(1)
	if asked != 2 {
		t.Errorf("asked %d times: about the gateway, and about the server of EAP", asked)
	}
}
