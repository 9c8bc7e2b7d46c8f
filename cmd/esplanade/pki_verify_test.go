package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"esplanade/ike/pki/revocation"
)

// TestRevocationText: a chain is called not revoked only if that is known of each certificate in it.
func TestRevocationText(t *testing.T) {
	of := func(status revocation.Status) revocation.State {
		name := pkix.Name{CommonName: "x"}.ToRDNSequence()
		raw, err := asn1.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{RawSubject: raw}
		c.Subject.FillFromRDNSequence(&name)
		return revocation.State{Certificate: c, Status: status}
	}
	good, unknown := of(revocation.Good), of(revocation.Unknown)
	some := []*revocation.List{{}}
	for _, x := range []struct {
		lists  []*revocation.List
		states []revocation.State
		want   string
	}{
		{nil, []revocation.State{good}, "no revocation list was looked at"},
		{some, []revocation.State{good, good}, "not revoked"},
		{some, []revocation.State{unknown, good}, "no revocation list that counts is about CN=x"},
		{some, []revocation.State{good, unknown}, "no revocation list that counts is about CN=x"},
		{some, nil, "no revocation list was looked at"},
	} {
		if got := revocationText(x.lists, x.states); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}
