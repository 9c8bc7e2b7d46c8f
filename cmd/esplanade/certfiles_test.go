package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"esplanade/config"
)

// TestCertFilesAreReadWhenNobodyWrites: a change is read once, when two looks in a row have seen the same; what was refused is not read
// again before it changes again, and the files of another configuration are read once.
func TestCertFilesAreReadWhenNobodyWrites(t *testing.T) {
	state := ""
	f := &certFiles{look: func(*config.Config) string { return state }}
	one, two := &config.Config{}, &config.Config{}
	for i, x := range []struct {
		conf  *config.Config
		state string
		due   bool
	}{
		{one, "a", false}, {one, "a", true}, {one, "a", false}, // as it was at the start
		{one, "b", false}, {one, "c", false}, {one, "d", false}, // somebody writes
		{one, "d", true}, {one, "d", false}, {one, "d", false},
		{one, "e", false}, {one, "d", false}, {one, "d", false}, // it was back before it was read
		{two, "d", false}, {two, "d", true}, {two, "d", false},
	} {
		state = x.state
		if due := f.due(x.conf); due != x.due {
			t.Errorf("look %d, %q: due %v, want %v", i, x.state, due, x.due)
		}
	}
	f.renewed(one)
	for range 2 {
		if f.due(one) {
			t.Error("what was made of the files that were read is read again")
		}
	}
}

// certificate makes the certificate of a gateway and its key, in PEM.
func certificate(t *testing.T, key *ecdsa.PrivateKey, edit func(*x509.Certificate)) (cert, keyPEM string) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "right"}, DNSNames: []string{"right.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestCertificatesOnDisk: a running gateway takes up a renewed certificate, refuses one that does not fit its key, says both, and goes on
// with what it has.
func TestCertificatesOnDisk(t *testing.T) {
	l := newLab(t)
	key := newKey(t)
	cert, keyText := certificate(t, key, nil)
	l.write("gw.pem", cert)
	l.write("gw.key", keyText)
	s := rightSide()
	s.top = "[credentials]\nx509ca = \"gw.pem\"\nprivate = \"gw.key\"\n[connections.cert]\nremote_addrs = \"192.0.2.9\"\nlocal_ts = \"10.9.0.0/24\"\n" +
		"remote_ts = \"10.8.0.0/24\"\nstart_action = \"none\"\nlocal = { certs = \"gw.pem\" }\n"
	n := l.make(s)
	n.certInterval = 5 * time.Millisecond
	n.start(t, func(ctx context.Context) error { return n.run(ctx) })
	inUse := func() string {
		own := n.configuration.InForce().Set.Own("cert", 0)
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own[0].Chain[0].Raw}))
	}
	// The files are put in their place at once, as programs do that know better.
	put := func(name, text string) {
		l.write(name+".tmp", text)
		if err := os.Rename(l.path(name+".tmp"), l.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come\n%s", what, n.log)
			}
		}
	}
	warnings := func() string {
		var text strings.Builder
		for _, w := range gatewayStatus(t, n).HostWarnings {
			text.WriteString(w.Text + "\n")
		}
		return text.String()
	}

	if warnings() != "" {
		t.Errorf("before: %s", warnings())
	}
	renewed, _ := certificate(t, key, func(c *x509.Certificate) {
		c.NotAfter = time.Now().Add(10 * 24 * time.Hour)
		c.NotBefore = time.Now().Add(-90 * 24 * time.Hour)
	})
	put("gw.pem", renewed)
	await("the renewed certificate", func() bool { return inUse() == renewed })
	await("its line", func() bool { return strings.Contains(n.log.String(), "certificates have changed and are in use") })
	await("its end", func() bool { return strings.Contains(n.log.String(), "in 9 days") })
	if text := warnings(); !strings.Contains(text, "expires at") {
		t.Errorf("status has %q", text)
	}

	other, otherKey := certificate(t, newKey(t), nil)
	put("gw.pem", other)
	await("the refusal", func() bool { return strings.Contains(n.log.String(), "are not taken up") })
	if inUse() != renewed {
		t.Error("the certificate without its key is in use")
	}
	if text := warnings(); !strings.Contains(text, "not taken up") || !strings.Contains(text, "gw.key") {
		t.Errorf("status has %q", text)
	}
	put("gw.key", otherKey)
	await("the certificate with its key", func() bool { return inUse() == other })
	if text := warnings(); text != "" {
		t.Errorf("status has %q", text)
	}
	if got := strings.Count(n.log.String(), "are not taken up"); got != 1 {
		t.Errorf("the refusal was said %d times", got)
	}
}
