//go:build linux

package integration

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// statusCA is a CA whose certificates have a state that somebody can be asked for, and whom.
type statusCA struct {
	*testCA
	name string
	// revoked are those that it has revoked, index is all of them as openssl ocsp has them.
	revoked []leaf
	index   string
}

// authority is the table [authorities.NAME] of a CA, with one source.
func (s *statusCA) authority(key, url string) string {
	return fmt.Sprintf("[authorities.%s]\ncacert = %q\n%s = [%q]\n", s.name, filepath.Join(peer.X509CA, s.name+".pem"), key, url)
}

// entry adds a certificate to the index that openssl ocsp answers from.
func (s *statusCA) entry(l leaf, revoked bool) {
	const form = "060102150405Z"
	state, when := "V", ""
	if revoked {
		state, when = "R", l.cert.NotBefore.UTC().Format(form)+",keyCompromise"
	}
	s.index += fmt.Sprintf("%s\t%s\t%s\t%X\tunknown\t/CN=%s\n", state, l.cert.NotAfter.UTC().Format(form), when, l.cert.SerialNumber, l.cert.Subject.CommonName)
}

// responder runs openssl ocsp on a host. signer is whose key it signs with, the CA itself unless the answers are to be wrong.
func (s *statusCA) responder(t *testing.T, site *lab.Site, port int, signer *testCA) string {
	t.Helper()
	dir := filepath.Join(site.Dir, "ocsp-"+s.name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p, err := site.Start("ocsp-"+s.name, lab.Command{Args: []string{"openssl", "ocsp", "-port", fmt.Sprint(port), "-ignore_err", "-ndays", "1",
		"-index", file("index.txt", []byte(s.index)), "-CA", file("ca.pem", pemOf(s.cert)),
		"-rsigner", file("signer.pem", pemOf(signer.cert)), "-rkey", file("signer.key", leaf{key: signer.key}.keyPEM(t))}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	// A connection that brings no request would block it for good.
	lab.Eventually(t, 10*time.Second, "openssl ocsp listens", func() (bool, string) {
		return strings.Contains(p.Log(), "waiting for OCSP client connections"), p.Log()
	})
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// serve runs a web server of the test's on a host.
func serve(t *testing.T, site *lab.Site, port int, h http.HandlerFunc) string {
	t.Helper()
	var l net.Listener
	if err := site.Do(func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return fmt.Sprintf("http://127.0.0.1:%d/", port)
}

// TestCertificateRevocation: a certificate that a CRL or an OCSP responder has as revoked is refused under each policy; where the responder is
// late, signs wrongly or is not there, it goes by the policy. What is known lets the peer in under the strictest.
func TestCertificateRevocation(t *testing.T) {
	t.Parallel()
	w := newCertWorld(t).lay("openssl")
	policies := []string{"relaxed", "ifuri", "strict"}
	type outcome struct {
		name, code string
		words      []string
	}
	var all []outcome
	// add adds a connection for each policy, whose peer shows a certificate of the CA.
	add := func(s *statusCA, what string, revoked bool, policies []string, outcomes func(policy string) (code string, words []string)) {
		for _, policy := range policies {
			x := way{name: s.name + "-" + what + "-" + policy}
			_, id := x.names()
			l := s.issue(id, "p256")
			s.entry(l, revoked)
			if revoked {
				s.revoked = append(s.revoked, l)
			}
			x.bShows = w.showing(&w.b, x.name, l)
			x.aWants = peer.Auth{Method: "pubkey", CACerts: []string{s.name + ".pem"}, Extra: map[string]string{"revocation": policy}}
			w.add(x)
			code, words := outcomes(policy)
			all = append(all, outcome{name: x.name, code: code, words: words})
		}
	}
	each := func(s *statusCA, what string, revoked bool, outcomes func(policy string) (code string, words []string)) {
		add(s, what, revoked, policies, outcomes)
	}
	ca := func(name string) *statusCA {
		s := &statusCA{testCA: newCA(t, "CA "+name, nil), name: name}
		w.a.Files = append(w.a.Files, s.file(name))
		return s
	}
	letIn := func(string) (string, []string) { return "", nil }
	known := func(string) (string, []string) {
		return "E-CERT-REVOKED", []string{`CN=not `, `revoked at 20\d\d-`, `(?i)keyCompromise`}
	}
	byPolicy := func(words ...string) func(string) (string, []string) {
		return func(policy string) (string, []string) {
			if policy == "relaxed" {
				return "", nil
			}
			return "E-CERT-STATUS", append([]string{`revocation = \\?"` + policy + `\\?"`}, words...)
		}
	}

	list, web, ocsp, forged, absent := ca("list"), ca("web"), ca("ocsp"), ca("forged"), ca("absent")
	each(list, "good", false, letIn)
	each(list, "revoked", true, known)
	each(web, "good", false, letIn)
	each(web, "revoked", true, known)
	each(ocsp, "good", false, letIn)
	each(ocsp, "revoked", true, known)
	// A source that has failed is not asked again for a while: for each policy to wait there must be one of its own.
	var late []*statusCA
	for _, p := range policies {
		s := ca("late-" + p)
		late = append(late, s)
		add(s, "good", false, []string{p}, byPolicy(`127\.0\.0\.1:8882`, `too long`))
	}
	each(forged, "good", false, byPolicy(`127\.0\.0\.1:8883`))
	each(absent, "good", false, byPolicy(`127\.0\.0\.1:8884`, `refused`))
	w.a.Files = append(w.a.Files, peer.File{Kind: peer.X509CRL, Name: "list.crl", Data: list.crl(list.revoked...)})
	crl := web.crl(web.revoked...)
	block, _ := pem.Decode(crl)
	url := serve(t, w.p.A, 8880, func(rw http.ResponseWriter, _ *http.Request) { rw.Write(block.Bytes) })
	slow := serve(t, w.p.A, 8882, func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(15 * time.Second):
		case <-r.Context().Done():
		}
	})
	w.a.More = web.authority("crl_uris", url+"web.crl") + ocsp.authority("ocsp_uris", ocsp.responder(t, w.p.A, 8881, ocsp.testCA)) +
		forged.authority("ocsp_uris", forged.responder(t, w.p.A, 8883, w.other)) +
		absent.authority("ocsp_uris", "http://127.0.0.1:8884/")
	for _, s := range late {
		w.a.More += s.authority("ocsp_uris", slow+s.name)
	}
	w.run()
	e := w.p.a.(*peer.Esplanade)
	for _, o := range all {
		t.Run(o.name, func(t *testing.T) {
			if o.code == "" {
				w.up(t, o.name, e, nil, nil)
				return
			}
			heard, counted := since(w.p.b), w.failures(t, o.code)
			out, err := peer.Initiate(e, o.name)
			if err == nil {
				w.down(t)
				t.Fatalf("the tunnel came up:\n%s", out)
			}
			w.told(t, e, o.name, o.code, o.words, func() string { return out })
			if n := w.failures(t, o.code); n != counted+1 {
				t.Errorf("the metric counts %d failures, before %d", n, counted)
			}
			lab.Eventually(t, 5*time.Second, "the peer is told no more than that", func() (bool, string) { return wire.MatchString(heard()), heard() })
			w.p.wantNoState(t, 10*time.Second)
		})
	}
	// The same when strongSwan asks: it hears no more either.
	for _, name := range []string{"list-revoked-relaxed", "ocsp-revoked-ifuri"} {
		t.Run(name+"/responder", func(t *testing.T) {
			heard := since(w.p.b)
			if out, err := peer.Initiate(w.p.b, name); err == nil {
				t.Fatalf("the tunnel came up:\n%s", out)
			}
			if !wire.MatchString(heard()) || strings.Contains(heard(), "REVOKED") {
				t.Errorf("it hears:\n%s", heard())
			}
			w.p.wantNoState(t, 10*time.Second)
		})
	}
	w.up(t, "ocsp-good-strict", w.p.b, nil, nil)
}
