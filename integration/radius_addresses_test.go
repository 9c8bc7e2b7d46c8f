//go:build linux

package integration

import (
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestRADIUSAddresses: strongSwan as a client comes in as users of a FreeRADIUS, and is given the addresses that the server says, or one of the pool that
// it names; swanctl shows who has them, and accounting is told.
func TestRADIUSAddresses(t *testing.T) {
	t.Parallel()
	ca := newCA(t, "RADIUS addresses test CA", nil)
	p := newPair(t, kinds{peer.KindStrongSwan, peer.KindEsplanade}, tunnel{Edit: func(a, b *peer.Gateway) {
		a.Files, a.Plugins = append(a.Files, ca.file("radius")), eapPlugins
		a.Connections[0].VIPs = []string{"0.0.0.0", "::"}
		a.Connections[0].RemoteAuth = peer.Auth{Method: "pubkey", CACerts: []string{"radius.pem"}}
		child(a).LocalTS, child(a).StartAction = []string{"dynamic"}, "none"
		child(b).RemoteTS, child(b).StartAction = []string{"dynamic"}, "none"
		b.Files = ca.issue("b.example", "p256").files(t, "b")
		b.Connections[0].LocalAuth = peer.Auth{Method: "pubkey", Certs: []string{"b.pem"}}
		b.Connections[0].RemoteAuth = peer.Auth{Method: "eap-radius", Extra: map[string]string{"groups": "staff"}}
		b.Connections[0].Extra = map[string]string{"pools": "four"}
		b.More = radiusTable(1812) + "[pools.four]\naddrs = \"10.77.0.0/28\"\n[pools.office]\naddrs = \"10.88.0.0/28\"\n"
		// The client has a connection for each user.
		a.More = userSecrets("erin", "erins Passwort", "frank", "franks Passwort")
		second := a.Connections[0]
		second.Name, second.Children = "second", []peer.Child{second.Children[0]}
		second.Children[0].Name = "second"
		a.Connections[0].LocalAuth = peer.Auth{Method: "eap-mschapv2", Extra: map[string]string{"eap_id": "erin"}}
		second.LocalAuth = peer.Auth{Method: "eap-mschapv2", Extra: map[string]string{"eap_id": "frank"}}
		a.Connections = append(a.Connections, second)
	}}, "freeradius", "radclient")
	f := newFreeRADIUS(t, p.B.Host, p.B.Dir, ca)
	f.start()
	p.start(t)
	for _, u := range []struct{ name, connection, child, v4, v6 string }{
		{"erin", connName, childName, "10.77.0.9", "2001:db8:77::9"},
		{"frank", "second", "second", "10.88.0.1", ""},
	} {
		n := len(f.records())
		if out, err := peer.Initiate(p.a, u.child); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", u.name, err, out, p.b.Log())
		}
		begin := f.record("Start", n)
		lab.Eventually(t, 5*time.Second, "the address of "+u.name+" is shown", func() (bool, string) {
			client, err1 := peer.Swanctl(p.a, "--list-sas")
			gateway, err2 := peer.Swanctl(p.b, "--list-sas")
			return err1 == nil && err2 == nil && strings.Contains(client, u.v4) && strings.Contains(client, u.v6) && strings.Contains(gateway, u.v4), client + gateway
		})
		_, _ = peer.Swanctl(p.a, "--terminate", "--ike", u.connection)
		end := f.record("Stop", n)
		for _, r := range []map[string]string{begin, end} {
			if r["User-Name"] != u.name || r["Framed-IP-Address"] != u.v4 || r["Framed-IPv6-Address"] != u.v6 {
				t.Errorf("%s: accounting has %v", u.name, r)
			}
		}
	}
}
