//go:build linux

package integration

import (
	"crypto/x509"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// badCert is what is wrong with the certificate that strongSwan shows, and what an operator must be told by Esplanade.
type badCert struct {
	name string
	show func(w *certWorld, name, id string) peer.Auth // what strongSwan proves itself with
	edit func(a, b *peer.Connection)
	code string
	// words are patterns that the failure must have: which certificate, which name, which date, which CA.
	words []string
}

// badCerts has every kind of certificate that must be refused.
func badCerts() []badCert {
	issued := func(more ...maker) func(w *certWorld, name, id string) peer.Auth {
		return func(w *certWorld, name, id string) peer.Auth {
			return w.showing(&w.b, name, w.root.issue(id, "p256", more...))
		}
	}
	date := func(d time.Duration) string { return regexp.QuoteMeta(time.Now().Add(d).UTC().Format("2006-01-02")) }
	return []badCert{
		{name: "expired", show: issued(between(-72*time.Hour, -26*time.Hour)), code: "E-CERT-EXPIRED",
			words: []string{`CN=not expired`, `expired at ` + date(-26*time.Hour), date(0), `(1 day|26 hours|1d|26h)`}},
		{name: "early", show: issued(between(26*time.Hour, 72*time.Hour)), code: "E-CERT-EARLY",
			words: []string{`CN=not early`, `not valid before ` + date(26*time.Hour), date(0)}},
		{name: "identity", code: "E-CERT-ID", words: []string{`somebody-else\.example`, `identity-.\.b\.example`},
			show: func(w *certWorld, name, _ string) peer.Auth {
				return w.showing(&w.b, name, w.root.issue("somebody-else.example", "p256"))
			}},
		{name: "authority", code: "E-CERT-CA", words: []string{`CN=not authority`, `CN=Other Root`},
			show: func(w *certWorld, name, id string) peer.Auth {
				return w.showing(&w.b, name, w.other.issue(id, "p256"), w.other.cert)
			}},
		{name: "intermediate", code: "E-CERT-CA", words: []string{`CN=not intermediate`, `CN=Unknown Intermediate`},
			show: func(w *certWorld, name, id string) peer.Auth {
				return w.showing(&w.b, name, newCA(w.t, "Unknown Intermediate", w.root).issue(id, "p256"))
			}},
		{name: "usage", show: issued(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), code: "E-CERT-USAGE", words: []string{`CN=not usage`, `key usage`}},
		{name: "constraint", code: "E-CERT-CONSTRAINT", words: []string{`constraint-.\.b\.example`, `CN=Constrained`, `not permitted`},
			show: func(w *certWorld, name, id string) peer.Auth {
				ca := newCA(w.t, "Constrained", w.root, func(c *x509.Certificate) {
					c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"corp.example"}
				})
				return w.showing(&w.b, name, ca.issue(id, "p256"), ca.cert)
			}},
		{name: "none", show: issued(), code: "E-CERT-NONE", words: []string{`none-.\.b\.example`},
			edit: func(_, b *peer.Connection) { b.Extra = map[string]string{"send_cert": "never"} }},
		{name: "pinned", show: issued(), code: "E-CERT-PINNED", words: []string{`CN=not pinned`},
			edit: func(a, _ *peer.Connection) { a.RemoteAuth = peer.Auth{Method: "pubkey", Certs: []string{"pin.pem"}} }},
	}
}

// wire is how strongSwan, which has decrypted it, shows that Esplanade has said no more than that. As an initiator Esplanade says so in an
// exchange of its own, for strongSwan believes that the IKE SA is up.
var wire = regexp.MustCompile(`parsed (IKE_AUTH response 1|INFORMATIONAL request \d+) \[ N\(AUTH_FAILED\) \]`)

// TestCertificateFailures: each certificate that is refused names itself to the operator, in the log, in status, in swanctl and in the
// metrics, in both roles, and the peer is told AUTHENTICATION_FAILED and nothing else.
func TestCertificateFailures(t *testing.T) {
	t.Parallel()
	w := newCertWorld(t).lay()
	pin := w.root.issue("pin.example", "p256")
	w.a.Files = append(w.a.Files, peer.File{Kind: peer.X509, Name: "pin.pem", Data: pemOf(pin.cert)})
	roles := []string{"i", "r"} // what Esplanade is
	for _, bad := range badCerts() {
		for _, role := range roles {
			x := way{name: bad.name + "-" + role}
			_, id := x.names()
			x.bShows = bad.show(w, x.name+"-b", id)
			w.add(x)
			if bad.edit != nil {
				bad.edit(&w.a.Connections[len(w.a.Connections)-1], &w.b.Connections[len(w.b.Connections)-1])
			}
		}
	}
	w.run()
	e := w.p.a.(*peer.Esplanade)
	watch := peer.Watch(t, e, "--log")
	for _, bad := range badCerts() {
		for _, role := range roles {
			t.Run(bad.name+"/"+map[string]string{"i": "initiator", "r": "responder"}[role], func(t *testing.T) {
				name := bad.name + "-" + role
				counted := w.failures(t, bad.code)
				heard, mark := since(w.p.b), len(watch.Log())
				end := map[string]peer.Peer{"i": w.p.a, "r": w.p.b}[role]
				out, err := peer.Initiate(end, name)
				if err == nil {
					t.Fatalf("the tunnel came up:\n%s", out)
				}
				shown := func() string { return watch.Log()[mark:] }
				if role == "i" {
					shown = func() string { return out }
				}
				w.told(t, e, name, bad.code, bad.words, shown)
				lab.Eventually(t, 5*time.Second, "the metric counts", func() (bool, string) {
					n := w.failures(t, bad.code)
					return n == counted+1, fmt.Sprintf("%d failures, before %d", n, counted)
				})
				lab.Eventually(t, 5*time.Second, "the peer is told no more than that", func() (bool, string) {
					return wire.MatchString(heard()), heard()
				})
				for _, x := range []string{"CERT", "not " + bad.name, "expired", "Constrained"} {
					if regexp.MustCompile(`parsed (IKE_AUTH response 1|INFORMATIONAL request).*` + x).MatchString(heard()) {
						t.Errorf("the wire has more:\n%s", heard())
					}
				}
				w.p.wantNoState(t, 10*time.Second)
			})
		}
	}
}

// told checks that the failure of a connection is in the log, in status in both forms, and in what swanctl shows.
func (w *certWorld) told(t *testing.T, e *peer.Esplanade, name, code string, words []string, shown func() string) {
	t.Helper()
	line := regexp.MustCompile(`\b` + code + `\b.*` + regexp.QuoteMeta(name) + `|` + regexp.QuoteMeta(name) + `.*\b` + code + `\b`)
	look := func(where string, text func() string) {
		t.Helper()
		lab.Eventually(t, 10*time.Second, "the failure is shown", func() (bool, string) {
			all := text()
			found := passage(all, line)
			if found == "" {
				return false, fmt.Sprintf("%s has no %s of %s:\n%s", where, code, name, all)
			}
			for _, x := range append([]string{`(?i)\bfix(:|=)`}, words...) {
				if !regexp.MustCompile(x).MatchString(found) {
					return false, fmt.Sprintf("%s has no %q in:\n%s", where, x, found)
				}
			}
			return true, ""
		})
	}
	look("the log", e.Log)
	look("swanctl", shown)
	status := func(args ...string) func() string {
		return func() string {
			out, err := e.Command(append([]string{"status"}, args...)...)
			if err != nil {
				return err.Error()
			}
			return out
		}
	}
	look("status", status(name))
	lab.Eventually(t, 5*time.Second, "status --json has it", func() (bool, string) {
		s, err := e.Status(name)
		if err != nil {
			return false, err.Error()
		}
		for _, x := range append([]peer.StateStatus{s.StateStatus}, s.Children...) {
			if x.Failure != nil && x.Failure.Code == code && x.Failure.Fix != "" {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%+v", s)
	})
}

// failures is what the metrics count of a code, which is "cert_expired" there for E-CERT-EXPIRED.
func (w *certWorld) failures(t *testing.T, code string) (n int) {
	t.Helper()
	reason := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(code, "E-")), "-", "_")
	text, err := scrape(w.p.a.(*peer.Esplanade))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "ipsec_exchange_failures_total{") && strings.Contains(line, `reason="`+reason+`"`) {
			v, err := strconv.Atoi(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]))
			if err != nil {
				t.Fatal(err)
			}
			n += v
		}
	}
	return n
}
