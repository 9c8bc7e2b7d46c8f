package control

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/vici"
)

// pkiFolder is a folder with ca.pem, and gw.pem and gw.key which that has issued, and key.pub, a bare public key.
func pkiFolder(t *testing.T) (dir string, ca, gw *pkitest.Holder) {
	t.Helper()
	dir = t.TempDir()
	now := time.Now()
	ca = pkitest.CA(t, now, "Test CA", pkitest.P256)
	gw = ca.End(t, now, "gw.example", pkitest.P256)
	key, err := x509.MarshalPKCS8PrivateKey(gw.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]pem.Block{
		"ca.pem": {Type: "CERTIFICATE", Bytes: ca.Cert.Raw}, "gw.pem": {Type: "CERTIFICATE", Bytes: gw.Cert.Raw}, "gw.key": {Type: "PRIVATE KEY", Bytes: key},
		"key.pub": {Type: "PUBLIC KEY", Bytes: ca.Cert.RawSubjectPublicKeyInfo},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, ca, gw
}

// signed is a configuration in a folder of pkiFolder: a connection by certificates, and one whose peer has a bare key.
const signed = `
[credentials]
private = ["gw.key"]
[authorities.root]
cacert = "ca.pem"
crl_uris = ["http://pki.example/ca.crl"]
[connections.office]
remote_addrs = ["192.0.2.2"]
reauth_time = "3h"
[connections.office.local]
auth = "pubkey"
certs = ["gw.pem"]
[connections.office.remote]
auth = "pubkey"
id = "CN=site-b"
cacerts = ["ca.pem"]
ca_id = "CN=Test CA"
cert_policy = ["1.2.3.4"]
revocation = "strict"
[connections.office.children.net]
remote_ts = ["10.2.0.0/16"]
start_action = "trap"
close_action = "start"
[connections.raw]
remote_addrs = ["192.0.2.3"]
[connections.raw.local]
auth = "pubkey"
certs = ["gw.pem"]
[connections.raw.remote]
auth = "pubkey"
id = "site-c.example"
pubkeys = ["key.pub"]
revocation = "ifuri"
[connections.raw.children.net]
remote_ts = ["10.3.0.0/16"]
`

// signedBackend is the backend of a gateway with the configuration signed.
func signedBackend(t *testing.T) (b *Backend, ca, gw *pkitest.Holder) {
	t.Helper()
	dir, ca, gw := pkiFolder(t)
	path := filepath.Join(dir, "gw.toml")
	if err := os.WriteFile(path, []byte(signed), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return &Backend{Commands: Commands{stillOf(c)}, Counters: nowhere{}.Counters}, ca, gw
}

// What each round of authentication asks for has strongSwan's words.
func TestConnectionRounds(t *testing.T) {
	b, _, _ := signedBackend(t)
	var got []vici.Conn
	if err := b.ListConns(t.Context(), "", func(v vici.Conn) error { got = append(got, v); return nil }); err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range []struct{ local, remote []vici.Auth }{
		{[]vici.Auth{{Class: "public key", ID: "CN=gw.example", Certs: []string{"CN=gw.example"}}},
			[]vici.Auth{{Class: "public key", ID: "CN=site-b", CAID: "CN=Test CA", CertPolicies: []string{"1.2.3.4"}, Revocation: "GOOD", CACerts: []string{"CN=Test CA"}}}},
		{[]vici.Auth{{Class: "public key", ID: "CN=gw.example", Certs: []string{"CN=gw.example"}}},
			[]vici.Auth{{Class: "public key", ID: "site-c.example", Revocation: "SKIPPED", Certs: []string{"site-c.example"}}}},
	} {
		if !reflect.DeepEqual(got[i].LocalAuth, want.local) || !reflect.DeepEqual(got[i].RemoteAuth, want.remote) {
			t.Errorf("%s: got %+v and %+v, want %+v", got[i].Name, got[i].LocalAuth, got[i].RemoteAuth, want)
		}
	}
	// What is configured, not what becomes of it together with start_action.
	if h := got[0].Children[0]; h.DPDAction != "none" || h.CloseAction != "start" {
		t.Errorf("dpd_action %s, close_action %s", h.DPDAction, h.CloseAction)
	}
	got = nil
	if err := b.ListConns(t.Context(), "raw", func(v vici.Conn) error { got = append(got, v); return nil }); err != nil || len(got) != 1 || got[0].Name != "raw" {
		t.Errorf("one of them: %v, %v", got, err)
	}
}

// Users have strongSwan's names of their methods.
func TestUsersRounds(t *testing.T) {
	c, err := config.Parse("test.toml", []byte(`
[connections.client]
remote_addrs = ["192.0.2.2"]
[connections.client.local]
auth = "eap-mschapv2"
id = "laptop"
eap_id = "ann"
aaa_id = "aaa.example"
[connections.client.remote]
auth = "psk"
id = "gw.example"
[connections.client.children.net]
remote_ts = ["10.2.0.0/16"]
[secrets.eap.ann]
id = "ann"
secret = "correct-horse-battery-staple-2026"
[secrets.ike.gw]
secret = "correct-horse-battery-staple-2026"
`))
	if err != nil {
		t.Fatal(err)
	}
	v := conn(c.Connections[0], c.Set)
	if want := []vici.Auth{{Class: "EAP", EAPType: "EAP_MSCHAPV2", ID: "laptop", EAPID: "ann", AAAID: "aaa.example"}}; !reflect.DeepEqual(v.LocalAuth, want) {
		t.Errorf("got %+v, want %+v", v.LocalAuth, want)
	}
	if want := []vici.Auth{{Class: "pre-shared key", ID: "gw.example"}}; !reflect.DeepEqual(v.RemoteAuth, want) {
		t.Errorf("got %+v, want %+v", v.RemoteAuth, want)
	}
}

// What was not loaded by a command is none of swanctl's to unload.
func TestGetConns(t *testing.T) {
	b, _ := backend(t, office)
	if names, err := b.GetConns(t.Context(), false); err != nil || slices.Contains(names, "office") {
		t.Errorf("get-conns: %v, %v", names, err)
	}
}
