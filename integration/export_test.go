//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// exportWorld is a gateway, on b, with a connection for each way in which somebody can come in.
type exportWorld struct {
	p    *pair
	gw   *peer.Esplanade
	root *testCA
}

func newExportWorld(t *testing.T) *exportWorld {
	lab.NeedRoot(t, peer.Programs(peer.KindEsplanade, peer.KindStrongSwan)...)
	p := &pair{Lab: lab.New(t, lab.Options{})}
	here, there := p.B.Net4, p.A.Net4
	connection := func(name, remote string) string {
		return fmt.Sprintf("[connections.%s]\nlocal_addrs = %q\nlocal = { id = \"vpn.example.org\", certs = \"x509/gw.pem\" }\nremote = %s\nsend_cert = \"always\"\n"+
			"local_ts = %q\nremote_ts = %q\n", name, p.B.Outer(false), remote, here, there)
	}
	root := newCA(t, "Export Root", nil)
	files := append(root.issue("vpn.example.org", "p256").files(t, "gw"), root.file("root"))
	gw := peer.New(t, peer.KindEsplanade, p.B, peer.Gateway{Files: files, More: connection("laptops", `{ auth = "pubkey", id = "laptop.example.org", cacerts = "x509ca/root.pem" }`) +
		connection("phones", `{ auth = "eap-mschapv2", eap_id = "*@example.org" }`) +
		fmt.Sprintf("[connections.office]\nlocal_addrs = %q\nlocal = { id = \"vpn.example.org\" }\nremote = { id = \"office.example.org\" }\nsecret = %q\nlocal_ts = %q\nremote_ts = %q\n",
			p.B.Outer(false), psk, here, there) +
		fmt.Sprintf("[connections.road]\nlocal_addrs = %q\nlocal = { id = \"vpn.example.org\", certs = \"x509/gw.pem\" }\n"+
			"remote = { auth = \"pubkey\", id = \"road.example.org\", cacerts = \"x509ca/root.pem\" }\nlocal_ts = \"0.0.0.0/0\"\npools = \"road\"\n"+
			"[pools.road]\naddrs = \"10.30.0.7/32\"\nsplit_include = %q\n", p.B.Outer(false), here) +
		fmt.Sprintf("[connections.people]\nlocal_addrs = %q\nlocal = { id = \"vpn.example.org\", certs = \"x509/gw.pem\" }\n"+
			"remote = { auth = \"eap-mschapv2\", eap_id = \"*@people.example\" }\nlocal_ts = \"0.0.0.0/0\"\npools = \"people\"\n"+
			"[pools.people]\naddrs = \"10.31.0.0/24\"\nsplit_include = %q\n", p.B.Outer(false), here) +
		"[secrets.eap.alice]\nid = \"alice@example.org\"\nsecret = \"alice's \\\"own\\\" secret\"\n[secrets.eap.bob]\nid = \"bob@people.example\"\nsecret = \"bob's secret; with = all of \\\\ it \"\n"}).(*peer.Esplanade)
	p.b = gw
	return &exportWorld{p, gw, root}
}

// TestExport: strongSwan comes in with each swanctl.conf that export has written for it, unmodified, with a key, with a certificate, as a user, and
// as a client that gets an address and reaches what the pool names.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newExportWorld(t)
	w.gw.Start(t)
	withCert := func(connection, name string) []peer.File {
		c := w.root.issue(name, "p256")
		return []peer.File{{Kind: peer.X509CA, Name: connection + "-ca.crt", Data: pemOf(w.root.cert)},
			{Kind: peer.X509, Name: name + ".crt", Data: pemOf(c.cert)}, {Kind: peer.Private, Name: name + ".key", Data: c.keyPEM(t)}}
	}
	for _, x := range []struct {
		args  []string
		files []peer.File
		own   netip.Addr
	}{
		{[]string{"office"}, nil, w.p.A.Inner4},
		{[]string{"laptops", "laptop.example.org"}, withCert("laptops", "laptop.example.org"), w.p.A.Inner4},
		{[]string{"phones", "alice@example.org"}, []peer.File{{Kind: peer.X509CA, Name: "phones-ca.crt", Data: pemOf(w.root.cert)}}, w.p.A.Inner4},
		{[]string{"road", "road.example.org"}, withCert("road", "road.example.org"), netip.MustParseAddr("10.30.0.7")},
	} {
		t.Run(x.args[0], func(t *testing.T) {
			out := filepath.Join(w.p.B.Dir, x.args[0]+".conf")
			if said, err := w.gw.Offline(append([]string{"export", "swanctl", "--with-secret", "-c", w.gw.ConfigPath(), "--gateway", w.p.B.Outer(false).String(), "-o", out}, x.args...)...); err != nil {
				t.Fatal(said, err)
			}
			conf, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			w.p.a = peer.New(t, peer.KindStrongSwan, w.p.A, peer.Gateway{More: string(conf), Files: x.files, Plugins: []string{"eap-identity", "eap-mschapv2"}})
			w.p.a.Start(t) // which is to bring the tunnel up: the gateway does not
			w.p.wantUp(t, 20*time.Second)
			w.p.wantPingTo(t, lab.Endpoint{Host: w.p.A.Host, Addr: x.own}, lab.Endpoint{Host: w.p.B.Host, Addr: w.p.B.Inner4})
			w.p.a.Stop(t)
			lab.Eventually(t, 20*time.Second, "the gateway has no IKE SA", func() (bool, string) {
				sas, err := peer.SAs(w.gw)
				return err == nil && len(sas) == 0, peer.DescribeSAs(w.gw)
			})
		})
	}
}
