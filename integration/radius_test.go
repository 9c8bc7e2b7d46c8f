//go:build linux

package integration

import (
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// radiusTable is the configuration of a gateway with servers at the ports.
func radiusTable(ports ...int) string {
	var b strings.Builder
	b.WriteString("[radius]\nclass_group = true\naccounting = true\nretransmit_tries = 2\nretransmit_timeout = \"300ms\"\ndead_time = \"2s\"\n[radius.dae]\nenable = true\nlisten = \"127.0.0.1\"\n")
	for i, port := range ports {
		fmt.Fprintf(&b, "[radius.servers.s%d]\naddress = \"127.0.0.1\"\nauth_port = %d\npreference = %d\nsecret = %q\n", i+1, port, 10-i, radiusSecret)
	}
	return b.String()
}

// TestRADIUS: users whom a FreeRADIUS knows come in by every method, with what it says of them; accounting is what went through the tunnel; the server
// ends a session. A server that is dead, one that lies and one that says no have their names in the failure, nobody gets in by them, and all works
// again when the server is back.
func TestRADIUS(t *testing.T) {
	t.Parallel()
	ca := newCA(t, "RADIUS test CA", nil)
	dave := ca.issue("dave", "p256", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	var gwA, gwB peer.Gateway
	p := newPair(t, ours, tunnel{Edit: func(a, b *peer.Gateway) {
		a.Files = append(dave.files(t, "dave"), ca.file("radius"))
		b.Connections[0].RemoteAuth = peer.Auth{Method: "eap-radius", Extra: map[string]string{"groups": "staff"}}
		b.Files = ca.issue("b.example", "p256").files(t, "b")
		b.Connections[0].LocalAuth = peer.Auth{Method: "pubkey", Certs: []string{"b.pem"}}
		a.Connections[0].RemoteAuth = peer.Auth{Method: "pubkey", CACerts: []string{"radius.pem"}}
		b.More = radiusTable(1812)
		asUser(a, "alice", "alices Passwort", "eap-mschapv2")
		gwA, gwB = *a, *b
	}}, "freeradius", "radclient")
	f := newFreeRADIUS(t, p.B.Host, p.B.Dir, ca)
	f.start()
	p.start(t)
	a, b := p.a.(*peer.Esplanade), p.b.(*peer.Esplanade)

	// A user comes in, and what went through is accounted for.
	p.initiate(t)
	begin := f.record("Start", 0)
	if on := f.records()[0]; on["Acct-Status-Type"] != "Accounting-On" || on["NAS-IP-Address"] == "" || on["User-Name"] != "" {
		t.Errorf("the first record: %v", on)
	}
	if begin["User-Name"] != "alice" || begin["Class"] != "0x"+fmt.Sprintf("%x", "staff") || begin["NAS-Port-Id"] != connName || !strings.HasSuffix(begin["Calling-Station-Id"], "]") {
		t.Errorf("Start: %v", begin)
	}
	p.wantPing(t)
	// The server ends it.
	if out := f.order("disconnect", `User-Name = "nobody"`); !strings.Contains(out, "Disconnect-NAK") || !strings.Contains(out, "Session-Context-Not-Found") {
		t.Errorf("an order for nobody: %s", out)
	}
	if out := f.order("coa", `User-Name = "alice"`, "Session-Timeout = 3600"); !strings.Contains(out, "CoA-ACK") {
		t.Errorf("a limit: %s", out)
	}
	if out := f.order("disconnect", "Acct-Session-Id = "+strconv.Quote(begin["Acct-Session-Id"])); !strings.Contains(out, "Disconnect-ACK") {
		t.Errorf("an order: %s", out)
	}
	end := f.record("Stop", 1)
	octets, _ := strconv.Atoi(end["Acct-Input-Octets"])
	if end["Acct-Session-Id"] != begin["Acct-Session-Id"] || end["Acct-Terminate-Cause"] != "Admin-Reset" || octets < 6*84 || end["Acct-Input-Packets"] == "0" || end["User-Name"] != "alice" {
		t.Errorf("Stop: %v", end)
	}
	p.wantNoState(t, 10*time.Second)

	// The other methods.
	for _, u := range []struct{ name, password, method string }{
		{"bob", "bobs Passwort", "eap-ttls"}, {"carol", "carols Passwort", "eap-peap"}, {"dave", "", "eap-tls"},
	} {
		asUser(&gwA, u.name, u.password, u.method)
		a.Configure(t, gwA)
		a.Reload(t)
		n := len(f.records())
		p.initiate(t)
		if r := f.record("Start", n); r["User-Name"] != u.name {
			t.Errorf("%s: Start: %v", u.method, r)
		}
		terminateAll(t, p)
		if r := f.record("Stop", n); r["Acct-Terminate-Cause"] != "User-Request" {
			t.Errorf("%s: Stop: %v", u.method, r)
		}
	}

	// Who may not come in.
	refusedUser(t, p, a, b, &gwA, "mallory", "eap-mschapv2", "E-RADIUS-REJECT", "account locked")
	refusedUser(t, p, a, b, &gwA, "guest", "eap-mschapv2", "E-EAP-ALLOWED", "groups are staff")
	// The log has three refusals of one address a minute, and there are two more to come.
	b.Stop(t)
	b.Start(t)

	// The server is dead while a user is in: the end of the session is told when it is back.
	asUser(&gwA, "alice", "alices Passwort", "eap-mschapv2")
	a.Configure(t, gwA)
	a.Reload(t)
	p.initiate(t)
	n := len(f.records())
	f.stop()
	terminateAll(t, p)
	refusedUser(t, p, a, b, &gwA, "alice", "eap-mschapv2", "E-RADIUS-SILENT", "s1 (127.0.0.1:1812)")
	// Another one lies. It is not believed, and the log says what is wrong with it.
	forger(t, p.B.Host, 11812)
	gwB.More = radiusTable(11812)
	b.Configure(t, gwB)
	b.Reload(t)
	refusedUser(t, p, a, b, &gwA, "alice", "eap-mschapv2", "E-RADIUS-LYING", "s1 (127.0.0.1:11812)")
	// Both are there: the liar is asked first, and the user comes in by the other.
	gwB.More = radiusTable(11812, 1812)
	b.Configure(t, gwB)
	b.Reload(t)
	f.start()
	if r := f.record("Stop", n); r["User-Name"] != "alice" || r["Acct-Delay-Time"] == "0" {
		t.Errorf("Stop of a session that ended while the server was dead: %v", r)
	}
	asUser(&gwA, "alice", "alices Passwort", "eap-mschapv2")
	a.Configure(t, gwA)
	a.Reload(t)
	p.initiate(t)
	n = len(f.records())
	b.Stop(t)
	if r := f.record("Stop", n); r["Acct-Terminate-Cause"] != "Admin-Reboot" {
		t.Errorf("Stop at the end of the gateway: %v", r)
	}
	f.record("Accounting-Off", n)
	if strings.Contains(b.Log(), radiusSecret) || strings.Contains(b.Log(), "alices Passwort") {
		t.Error("the log has a secret")
	}
}

// asUser has a client come as a user.
func asUser(g *peer.Gateway, name, password, method string) {
	local := peer.Auth{Method: method, Extra: map[string]string{"eap_id": name}}
	if method != "eap-mschapv2" {
		local.Extra["aaa_id"] = "radius.example"
	}
	if method == "eap-tls" {
		local.Certs = []string{"dave.pem"}
	}
	g.Connections[0].LocalAuth = local
	g.More = ""
	if password != "" {
		g.More = fmt.Sprintf("[secrets.eap.me]\nid = %q\nsecret = %q\n", name, password)
	}
}

// terminateAll has the client end its tunnel.
func terminateAll(t *testing.T, p *pair) {
	t.Helper()
	p.askAll(t, []peer.Peer{p.a}, "--terminate", "--ike", connName)
	p.wantNoState(t, 10*time.Second)
}

// refusedUser has a client come as a user, and waits until the gateway says why it may not.
func refusedUser(t *testing.T, p *pair, a, b *peer.Esplanade, g *peer.Gateway, name, method, code, words string) {
	t.Helper()
	password := "a guest"
	if name == "alice" {
		password = "alices Passwort"
	}
	asUser(g, name, password, method)
	a.Configure(t, *g)
	a.Reload(t)
	if _, err := peer.Initiate(p.a, childName); err == nil {
		t.Errorf("%s has come in", name)
	}
	lab.Eventually(t, 20*time.Second, "the gateway says "+code+" of "+name, func() (bool, string) {
		for line := range strings.Lines(b.Log()) {
			if strings.Contains(line, code) && strings.Contains(line, words) && strings.Contains(line, name) {
				return true, ""
			}
		}
		return false, b.Log()[max(0, len(b.Log())-3000):]
	})
	p.wantNoState(t, 10*time.Second)
}
