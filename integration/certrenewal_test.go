//go:build linux

package integration

import (
	"crypto/x509"
	"regexp"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestCertificateRenewal: a certificate and its key are renewed on disk, one after the other, while packets flow. None is lost, what does not
// fit together is refused and said, the IKE SA stays, and the next authentication uses the new one.
func TestCertificateRenewal(t *testing.T) {
	t.Parallel()
	w := newCertWorld(t).lay()
	const name = connName
	w.add(way{name: name})
	w.run()
	e := w.p.a.(*peer.Esplanade)
	if out, err := peer.Initiate(e, name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before := w.p.wantUp(t, 10*time.Second)
	fresh := w.root.issue(name+".a.example", "ed25519", func(c *x509.Certificate) { c.Subject.CommonName = "renewed" })
	files := fresh.files(t, name+"-a")
	log := since(e)
	logged := func(what string) {
		t.Helper()
		lab.Eventually(t, 15*time.Second, "the log says "+what, func() (bool, string) { return strings.Contains(log(), what), log() })
	}
	w.p.underLoad(t, 0, func(progress func()) {
		e.WriteFile(t, files[0])
		logged("are not taken up")
		progress()
		out, err := e.Command("status", "--verbose")
		if err != nil || !strings.Contains(out, "not taken up") {
			t.Errorf("status has nothing of it: %v\n%s", err, out)
		}
		e.WriteFile(t, files[1])
		logged("in use from the next authentication on")
		progress()
	})
	after := w.p.wantUp(t, time.Second)
	if after.ikeA.SPIi != before.ikeA.SPIi || after.childA.SPIIn != before.childA.SPIIn {
		t.Error("the IKE SA or the CHILD SA is another one")
	}
	if out, err := e.Command("status", "--verbose"); err != nil || strings.Contains(out, "not taken up") {
		t.Errorf("status still has what is mended: %v\n%s", err, out)
	}
	heard := since(w.p.b)
	w.p.underLoad(t, queuedForDeleted, func(progress func()) {
		w.p.reauthenticate(t, e)
		progress()
	})
	for _, want := range []string{`received end entity cert ".*CN=renewed"`, `authentication of 't\.a\.example' with ED25519 successful`} {
		if !regexp.MustCompile(want).MatchString(heard()) {
			t.Errorf("strongSwan has no %q:\n%s", want, heard())
		}
	}
	w.down(t)
}
