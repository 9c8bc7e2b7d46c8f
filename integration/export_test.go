//go:build linux

package integration

import (
	"fmt"
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
		"[secrets.eap.alice]\nid = \"alice@example.org\"\nsecret = \"alice's \\\"own\\\" secret\"\n"}).(*peer.Esplanade)
	p.b = gw
	return &exportWorld{p, gw, root}
}

// TestExport: strongSwan comes in with each swanctl.conf that export has written for it, unmodified, with a key, with a certificate and as a user.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newExportWorld(t)
	w.gw.Start(t)
	laptop := w.root.issue("laptop.example.org", "p256")
	for _, x := range []struct {
		args  []string
		files []peer.File
	}{
		{[]string{"office"}, nil},
		{[]string{"laptops", "laptop.example.org"}, []peer.File{{Kind: peer.X509CA, Name: "laptops-ca.crt", Data: pemOf(w.root.cert)},
			{Kind: peer.X509, Name: "laptop.example.org.crt", Data: pemOf(laptop.cert)}, {Kind: peer.Private, Name: "laptop.example.org.key", Data: laptop.keyPEM(t)}}},
		{[]string{"phones", "alice@example.org"}, []peer.File{{Kind: peer.X509CA, Name: "phones-ca.crt", Data: pemOf(w.root.cert)}}},
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
			w.p.wantPingTo(t, lab.Endpoint{Host: w.p.A.Host, Addr: w.p.A.Inner4}, lab.Endpoint{Host: w.p.B.Host, Addr: w.p.B.Inner4})
			w.p.a.Stop(t)
			lab.Eventually(t, 20*time.Second, "the gateway has no IKE SA", func() (bool, string) {
				sas, err := peer.SAs(w.gw)
				return err == nil && len(sas) == 0, peer.DescribeSAs(w.gw)
			})
		})
	}
}
