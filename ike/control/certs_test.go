package control

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"esplanade/ike/pki/pkitest"
	"esplanade/ike/vici"
)

// certs are what list-certs shows: type, flag, whether there is a private key, and what it is by its octets.
func certs(t *testing.T, b *Backend, f vici.CertFilter, names map[string][]byte) (out []string) {
	t.Helper()
	if err := b.ListCerts(t.Context(), f, func(c vici.Cert) error {
		name := "?"
		for n, der := range names {
			if bytes.Equal(der, c.DER) {
				name = n
			}
		}
		text := fmt.Sprintf("%s %s %s", c.Type, c.Flag, name)
		if c.HasPrivateKey {
			text += " private"
		}
		if c.Subject != "" {
			text += " " + c.Subject
		}
		out = append(out, text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestListCerts(t *testing.T) {
	b, ca, gw := signedBackend(t)
	conf, _, err := b.inForce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Configuration = NewConfiguration(b.Commands, conf, slog.New(slog.DiscardHandler))
	now := time.Now()
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	other := pkitest.CA(t, now, "Other CA", pkitest.P256)
	template := pkitest.EndTemplate("ocsp.example")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	responder := pkitest.Issue(t, now, other, template, pkitest.Key(t, pkitest.P256))
	b.Fetched = func() (lists, answers [][]byte) { return [][]byte{crl}, [][]byte{[]byte("answer")} }
	names := map[string][]byte{"ca": ca.Cert.Raw, "gw": gw.Cert.Raw, "key": ca.Cert.RawSubjectPublicKeyInfo, "crl": crl, "answer": []byte("answer"),
		"other": other.Cert.Raw, "responder": responder.Cert.Raw}
	all := []string{"PUBKEY  key site-c.example", "X509 NONE gw private", "X509 CA ca", "X509_CRL  crl", "OCSP_RESPONSE  answer"}
	for _, x := range []struct {
		filter vici.CertFilter
		want   []string
	}{
		{vici.CertFilter{}, all},
		{vici.CertFilter{Type: vici.CertX509}, all[1:3]},
		{vici.CertFilter{Type: vici.CertX509, Flag: vici.CertFlagCA}, all[2:3]},
		{vici.CertFilter{Type: vici.CertX509, Flag: vici.CertFlagAA}, nil},
		{vici.CertFilter{Type: vici.CertX509CRL}, all[3:4]},
		{vici.CertFilter{Type: vici.CertPubkey}, all[:1]},
		{vici.CertFilter{Subject: "CN=Test CA"}, all[2:4]},
		{vici.CertFilter{Subject: "gw.example"}, all[1:2]}, // a name of the certificate
		{vici.CertFilter{Subject: "site-c.example"}, all[:1]},
		{vici.CertFilter{Subject: "CN=nobody"}, nil},
	} {
		if got := certs(t, b, x.filter, names); !slices.Equal(got, x.want) {
			t.Errorf("%+v: got %q, want %q", x.filter, got, x.want)
		}
	}
	// What is loaded is there before any connection uses it, and goes with the others of its kind.
	for _, c := range []*pkitest.Holder{other, responder} {
		flag := map[bool]string{true: vici.CertFlagCA, false: vici.CertFlagOCSP}[c.Cert.IsCA]
		if err := b.LoadCert(t.Context(), vici.LoadCert{Type: vici.CertX509, Flag: flag, Data: c.Cert.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(responder.Key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.LoadKey(t.Context(), "any", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})); err != nil {
		t.Fatal(err)
	}
	want := []string{all[1], all[2], "X509 CA other", "X509 OCSP responder private"}
	if got := certs(t, b, vici.CertFilter{Type: vici.CertX509}, names); !slices.Equal(got, want) {
		t.Errorf("loaded: got %q, want %q", got, want)
	}
	if err := b.ClearCreds(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := certs(t, b, vici.CertFilter{}, names); !slices.Equal(got, all) {
		t.Errorf("cleared: got %q, want %q", got, all)
	}
}

func TestListAuthorities(t *testing.T) {
	b, ca, _ := signedBackend(t)
	conf, _, err := b.inForce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Configuration = NewConfiguration(b.Commands, conf, slog.New(slog.DiscardHandler))
	list := func(name string) (out []vici.Authority) {
		if err := b.ListAuthorities(t.Context(), name, func(a vici.Authority) error { out = append(out, a); return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	root := vici.Authority{Name: "root", CACert: "CN=Test CA", CRLURIs: []string{"http://pki.example/ca.crl"}}
	if got := list(""); !reflect.DeepEqual(got, []vici.Authority{root}) {
		t.Errorf("got %+v", got)
	}
	m := new(vici.Message).Set("cacert", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw}))).SetList("ocsp_uris", "http://pki.example/ocsp")
	if err := b.LoadAuthority(t.Context(), "more", m); err != nil {
		t.Fatal(err)
	}
	more := vici.Authority{Name: "more", CACert: "CN=Test CA", OCSPURIs: []string{"http://pki.example/ocsp"}}
	if got := list(""); !reflect.DeepEqual(got, []vici.Authority{root, more}) {
		t.Errorf("got %+v", got)
	}
	if got := list("more"); !reflect.DeepEqual(got, []vici.Authority{more}) {
		t.Errorf("got %+v", got)
	}
	if got := list("none"); got != nil {
		t.Errorf("got %+v", got)
	}
}

// What is flushed is what was asked for, and nothing where it is of a kind that nothing is fetched of.
func TestFlushCerts(t *testing.T) {
	b, _ := backend(t, office)
	var got []string
	b.Flush = func(lists, answers bool) { got = append(got, fmt.Sprint(lists, answers)) }
	for _, kind := range []string{"", vici.CertX509CRL, vici.CertOCSPResponse, vici.CertX509} {
		if err := b.FlushCerts(t.Context(), kind); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"true true", "true false", "false true", "false false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Flush = nil
	if err := b.FlushCerts(t.Context(), ""); err != nil {
		t.Error(err)
	}
}
