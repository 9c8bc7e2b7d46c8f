//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestRADIUSAddresses: strongSwan as a client comes in as users of a FreeRADIUS, and is given the addresses that the server says, or one of the pool that
// it names; swanctl shows who has them, and accounting is told. The client asks the DNS servers that the server says. All of it comes in as well by a server whose
// answers take 1.9 s, come behind a repetition of their request, or come in bursts. One whose answers come when nobody waits any more is named, and is asked again
// when it is quick.
func TestRADIUSAddresses(t *testing.T) {
	t.Parallel()
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	var gwB peer.Gateway
	ca := newCA(t, "RADIUS addresses test CA", nil)
	p := newPair(t, kinds{peer.KindStrongSwan, peer.KindEsplanade}, tunnel{Edit: func(a, b *peer.Gateway) {
		a.Files, a.Plugins = append(a.Files, ca.file("radius")), append(slices.Clone(eapPlugins), "resolve")
		a.PluginConf = "resolve {\n      file = " + resolv + "\n    }"
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
		gwB = *b
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
		dns := []string{"10.20.0.53", "10.20.0.54", "2001:db8:77::53"}
		if u.name != "erin" {
			dns = nil
		}
		wantDNS(t, resolv, dns)
		_, _ = peer.Swanctl(p.a, "--terminate", "--ike", u.connection)
		end := f.record("Stop", n)
		for _, r := range []map[string]string{begin, end} {
			if r["User-Name"] != u.name || r["Framed-IP-Address"] != u.v4 || r["Framed-IPv6-Address"] != u.v6 {
				t.Errorf("%s: accounting has %v", u.name, r)
			}
		}
	}
	b := p.b.(*peer.Esplanade)
	path := newSlowPath(t, p.B.Host, 11812, 1812)
	with := func(radius string) {
		t.Helper()
		gwB.More = radius + "[pools.four]\naddrs = \"10.77.0.0/28\"\n"
		b.Configure(t, gwB)
		b.Reload(t)
	}
	comesIn := func(how string, answer func(func())) (requests, answers int) {
		t.Helper()
		path.behaves(answer)
		if out, err := peer.Initiate(p.a, childName); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", how, err, out, b.Log())
		}
		wantDNS(t, resolv, []string{"10.20.0.53", "10.20.0.54", "2001:db8:77::53"})
		_, _ = peer.Swanctl(p.a, "--terminate", "--ike", connName)
		p.wantNoState(t, 10*time.Second)
		return path.counts()
	}
	// retransmit_timeout is two seconds, without a word. The client waits for 2.5 s.
	patient := func(timeout string) string {
		return strings.NewReplacer("retransmit_tries = 2\n", "", "retransmit_timeout = \"300ms\"\n", timeout).Replace(radiusTable(11812))
	}
	with(patient(""))
	comesIn("answers take 1.9 s", after(1900*time.Millisecond))
	with(patient("retransmit_timeout = \"1200ms\"\n"))
	if requests, answers := comesIn("answers come behind a repetition", after(1900*time.Millisecond)); requests < 6 || answers < requests {
		t.Errorf("%d requests and %d answers: each of three or more requests should have been repeated, and the repetition answered again", requests, answers)
	}
	comesIn("answers come in bursts", bursts(t, time.Second))
	p.wantMetric(t, b, `ipsec_radius_up{server="s1",service="authentication"}`, func(v string) bool { return v == "1" })
	// A request is given up after 720 ms.
	with(radiusTable(11812))
	path.behaves(after(1500 * time.Millisecond))
	if _, err := peer.Initiate(p.a, childName); err == nil {
		t.Error("a user comes in by answers that come when nobody waits any more")
	}
	lab.Eventually(t, 10*time.Second, "the server that is too slow is named", func() (bool, string) {
		return strings.Contains(b.Log(), "E-RADIUS-SILENT") && strings.Contains(b.Log(), "s1 (127.0.0.1:11812)"), b.Log()[max(0, len(b.Log())-3000):]
	})
	p.wantMetric(t, b, `ipsec_radius_dropped_total{reason="late",server="s1",service="authentication"}`, func(v string) bool { return v != "0" })
	comesIn("the server is quick again", after(0))
}

// wantDNS waits until a client asks these DNS servers, and no other.
func wantDNS(t *testing.T, resolv string, servers []string) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, "the DNS servers of the client", func() (bool, string) {
		text, err := os.ReadFile(resolv)
		if err != nil && !os.IsNotExist(err) {
			return false, err.Error()
		}
		ok := strings.Count(string(text), "nameserver ") == len(servers)
		for _, s := range servers {
			ok = ok && strings.Contains(string(text), "nameserver "+s)
		}
		return ok, string(text)
	})
}
