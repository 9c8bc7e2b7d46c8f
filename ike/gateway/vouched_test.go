package gateway

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/pki/pkitest"
)

// certificateFiles writes the certificate of a gateway, with its key, and that of its CA.
func certificateFiles(t *testing.T, ca *pkitest.Holder, id string) (own, trusted string) {
	t.Helper()
	end := ca.End(t, bubble, id, pkitest.P256)
	key, err := x509.MarshalPKCS8PrivateKey(end.Key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, blocks ...*pem.Block) string {
		var b bytes.Buffer
		for _, x := range blocks {
			if err := pem.Encode(&b, x); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("own.pem", &pem.Block{Type: "CERTIFICATE", Bytes: end.Cert.Raw}, &pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		write("ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw})
}

// bubble is when a synctest bubble begins.
var bubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// signed has a connection of a configuration by toml prove both sides by certificates; accepts are keys of its remote table.
func signed(text, name, own, accepts string) string {
	for side, keys := range map[string]string{"local": fmt.Sprintf("certs = %q\n", own), "remote": accepts} {
		head := "[connections." + name + "." + side + "]\nauth = "
		text = strings.Replace(text, head+"\"psk\"\n", head+"\"pubkey\"\n"+keys, 1)
	}
	return text
}

// TestSiblingsAcceptTheSame: a peer that one connection lets in gets no child of another that would not let it in: one for the same
// identities, by certificates as well, and of another CA, or by way of another one, or by stricter rules.
func TestSiblingsAcceptTheSame(t *testing.T) {
	ca, other := pkitest.CA(t, bubble, "CA", pkitest.P256), pkitest.CA(t, bubble, "another CA", pkitest.P256)
	ownA, trusted := certificateFiles(t, ca, "a.example")
	ownB, _ := certificateFiles(t, ca, "b.example")
	_, elsewhere := certificateFiles(t, other, "a.example")
	office := fmt.Sprintf("cacerts = %q\n", trusted)
	for name, c := range map[string]struct {
		voice string
		may   bool
	}{
		"the same":     {office, true},
		"another CA":   {fmt.Sprintf("cacerts = %q\n", elsewhere), false},
		"a CA below":   {office + "ca_id = \"CN=another CA\"\n", false},
		"a policy":     {office + "cert_policy = \"1.2.3\"\n", false},
		"a rule":       {office + "revocation = \"strict\"\n", false},
		"a pinned end": {fmt.Sprintf("certs = %q\n", ownA), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				hub := signed(signed(toml("", twoConns()...), "office", ownB, office), "voice", ownB, c.voice)
				b := f.start(addrB, hub)
				one := left("none")
				one.children = []kid{{"office", "10.1.0.0/16", "10.2.0.0/24", "none", ""}, {"voice", "10.1.0.0/16", "10.2.1.0/24", "none", ""}}
				a := f.start(addrA, signed(toml("", one), "b", ownA, office))
				settle(time.Second)
				if err := a.d.Initiate(t.Context(), Target{Child: "office"}, false, nil); err != nil {
					t.Fatalf("%v\n%s", err, b.log)
				}
				err := a.d.Initiate(t.Context(), Target{Child: "voice"}, false, nil)
				settle(5 * time.Second)
				if up := b.child("voice/net").Phase == "up"; up != c.may || (err == nil) != c.may {
					t.Errorf("the other child is up: %v, %v", up, err)
				}
				if b.child("office/net").Phase != "up" {
					t.Error("its own child is not up")
				}
			})
		})
	}
}

// TestSameNameFromAnotherCA: whoever has a certificate for a peer's name by a CA that another connection accepts is not that peer: what it
// says of its earlier IKE SAs (INITIAL_CONTACT) ends none of the other's.
func TestSameNameFromAnotherCA(t *testing.T) {
	ca, other := pkitest.CA(t, bubble, "CA", pkitest.P256), pkitest.CA(t, bubble, "another CA", pkitest.P256)
	ownB, trusted := certificateFiles(t, ca, "b.example")
	ownA, _ := certificateFiles(t, ca, "a.example")
	ownC, elsewhere := certificateFiles(t, other, "a.example")
	for name, c := range map[string]struct {
		accepts, own string
		stays        bool
	}{
		"another CA":  {fmt.Sprintf("cacerts = %q\n", elsewhere), ownC, true},
		"the same CA": {fmt.Sprintf("cacerts = %q\n", trusted), ownA, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				visitor := right("none")
				visitor.name, visitor.remote, visitor.children[0].remote = "c", addrC, "10.3.0.0/16"
				hub := toml("", right("none"), visitor)
				b := f.start(addrB, signed(signed(hub, "a", ownB, fmt.Sprintf("cacerts = %q\n", trusted)), "c", ownB, c.accepts))
				f.start(addrA, signed(toml("", left("start")), "b", ownA, fmt.Sprintf("cacerts = %q\n", trusted)))
				settle(5 * time.Second)
				first := b.child("a/net").SAs[0].ID
				there := left("start")
				there.local, there.children[0].local = addrC, "10.3.0.0/16"
				f.start(addrC, signed(toml("", there), "b", c.own, fmt.Sprintf("cacerts = %q\n", trusted)))
				settle(5 * time.Second)
				if b.child("c/net").Phase != "up" {
					t.Fatalf("the visitor is not there\n%s", b.log)
				}
				list := b.child("a/net").SAs
				if stays := len(list) == 1 && list[0].ID == first; stays != c.stays {
					t.Errorf("the IKE SA of the other connection stays: %v", stays)
				}
			})
		})
	}
}
