package config

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/ike/eap"
	"esplanade/ike/pki/files"
)

// usersWorld has what gateways with users are made of: a CA, a certificate of a server and one of a user, and a users file.
func usersWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), now: time.Now()}
	server := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	ca := w.issue(nil, "Test CA", nil, isCA)
	gw := w.issue(ca, "gw", nil, names("vpn.example"), server)
	w.write("ca.pem", ca.pem())
	w.write("gw.pem", gw.pem())
	w.write("gw.key", gw.keyPEM(t))
	for name, edit := range map[string]func(*x509.Certificate){"plain": names("vpn.example"), "nameless": server} {
		h := w.issue(ca, name, nil, edit)
		w.write(name+".pem", h.pem())
		w.write(name+".key", h.keyPEM(t))
	}
	user := w.issue(ca, "alice", nil)
	w.write("alice.pem", user.pem())
	w.write("alice.key", user.keyPEM(t))
	w.write("users.toml", "alice = { password = \"Passwort\", groups = \"staff\" }\nbob = \"Passwort\"\n")
	w.write("nobody.toml", "# nobody\n")
	return w
}

// certOf is the certificate in a file.
func (w *world) certOf(name string) *x509.Certificate {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := files.Certificates(data)
	if err != nil {
		w.t.Fatal(err)
	}
	return list[0]
}

// gatewayFor is a gateway for users with a table local and one remote.
func gatewayFor(users, local, remote, more string) string {
	if users != "" {
		users = "[users]\nfile = " + quote(users) + "\n"
	}
	return users + "[credentials]\nprivate = \"*.key\"\n[connections.rw]\nlocal_ts = \"10.1.0.0/24\"\nremote_ts = \"10.9.0.0/24\"\n" + more +
		"[connections.rw.local]\n" + local + "\n[connections.rw.remote]\n" + remote + "\n"
}

// TestEAPServers: which methods the users of a connection are offered, by what is there.
func TestEAPServers(t *testing.T) {
	w := usersWorld(t)
	const cert = `certs = "gw.pem"`
	for _, tt := range []struct{ what, conf, want string }{
		{"a word", gatewayFor("users.toml", cert, `auth = "eap-mschapv2"`, ""), "[eap-mschapv2]"},
		{"any, with users", gatewayFor("users.toml", cert, `auth = "eap"`, ""), "[eap-mschapv2 eap-peap eap-ttls]"},
		{"any, with users and a CA", gatewayFor("users.toml", cert, "auth = \"eap-dynamic\"\ncacerts = \"ca.pem\"", ""), "[eap-mschapv2 eap-tls eap-peap eap-ttls]"},
		{"any, with a CA alone", gatewayFor("", cert, "auth = \"eap\"\ncacerts = \"ca.pem\"", ""), "[eap-tls]"},
		{"certificates", gatewayFor("", cert, "auth = \"eap-tls\"\ncacerts = \"ca.pem\"", ""), "[eap-tls]"},
		{"certificates of both sides", gatewayFor("", "auth = \"eap-tls\"\n"+cert, "auth = \"eap-tls\"\ncacerts = \"ca.pem\"", ""), "[eap-tls]"},
		{"TTLS", gatewayFor("users.toml", cert, `auth = "eap-ttls"`, ""), "[eap-ttls]"},
		{"PEAP", gatewayFor("users.toml", cert, `auth = "eap-peap"`, ""), "[eap-peap]"},
		{"GTC", gatewayFor("users.toml", cert, `auth = "eap-gtc"`, ""), "[eap-gtc]"},
		{"RADIUS", gatewayFor("", cert, `auth = "eap-radius"`, "") + "[radius.servers.a]\naddress = \"192.0.2.1\"\nsecret = \"correct-horse-battery-staple-7Gq2Zx9w\"\n", "RADIUS"},
		{"any, with RADIUS", gatewayFor("", cert, `auth = "eap"`, "") + "[radius.servers.a]\naddress = \"192.0.2.1\"\nsecret = \"correct-horse-battery-staple-7Gq2Zx9w\"\n", "RADIUS"},
		{"a key", gatewayFor("users.toml", cert, `cacerts = "ca.pem"`, ""), "none"},
	} {
		c := w.good(tt.conf)
		got := "none"
		if s, ok := c.EAP.Server("rw", 0); ok && s.Config == nil {
			got = "RADIUS"
		} else if ok {
			got = fmt.Sprint(s.Config.Methods)
			if s.Config.TLS == nil || !s.Config.AskIdentity || s.Realm == "" {
				t.Errorf("%s: %+v", tt.what, s)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
		if id := c.Connections[0].Local.ID.String(); id != "vpn.example" && tt.want != "none" {
			t.Errorf("%s: the gateway calls itself %s", tt.what, id)
		}
	}
}

// TestEAPUsersByCertificate: a user is known by the name in its certificate, whatever it says of itself, and no other CA counts.
func TestEAPUsersByCertificate(t *testing.T) {
	w := usersWorld(t)
	c := w.good(gatewayFor("users.toml", `certs = "gw.pem"`, "auth = \"eap-tls\"\ncacerts = \"ca.pem\"", ""))
	s, _ := c.EAP.Server("rw", 0)
	if s.Config.TLS.CAs == nil {
		t.Error("clients are not told which CA is meant")
	}
	ca := w.issue(nil, "Mail CA", nil, isCA)
	w.write("mail.pem", ca.pem())
	c = w.good(gatewayFor("users.toml", `certs = "gw.pem"`, "auth = \"eap-tls\"\ncacerts = \"mail.pem\"", ""))
	s, _ = c.EAP.Server("rw", 0)
	mail := w.issue(ca, "Alice", nil, func(c *x509.Certificate) { c.EmailAddresses = []string{"alice@example.org"} })
	plain, other := w.issue(ca, "alice", nil), w.issue(nil, "alice", nil)
	bob := w.issue(ca, "Robert", nil, names("bob.example", "bob"))
	for _, tt := range []struct {
		holder     *holder
		says, want string
	}{
		{mail, "", "alice@example.org"}, {mail, "alice@example.org", "alice@example.org"}, {mail, "Alice@EXAMPLE.org", "Alice@EXAMPLE.org"}, {mail, "bob@example.org", "alice@example.org"},
		{mail, "@example.org", "alice@example.org"}, {mail, " rfc822:alice@example.org ", "alice@example.org"}, {mail, "CN=Alice", "CN=Alice"}, {plain, "root", "alice"}, {plain, "CN=*", "alice"},
		// Whoever is among the users is that, whatever else its certificate is for.
		{plain, "CN=alice", "alice"}, {bob, "bob.example", "bob"}, {bob, "", "bob"}, {other, "alice", ""},
	} {
		v, err := s.Config.TLS.Judge(w.now, eap.Shown{Identity: tt.says, Chain: [][]byte{tt.holder.cert.Raw}})
		if v.Name != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q with the certificate of %s is %q, %v, want %q", tt.says, tt.holder.cert.Subject, v.Name, err, tt.want)
		}
	}
	if _, err := s.Config.TLS.Judge(w.now, eap.Shown{}); err == nil {
		t.Error("nobody is somebody")
	}
}

// TestUsersOfAnotherCA: where the users of a table are none of this gateway's, a name is not that of a user of the file, and counts together with the CA. Tables with different CAs
// have to say which they are; loaded or not, what they say counts.
func TestUsersOfAnotherCA(t *testing.T) {
	w := usersWorld(t)
	partner := w.issue(nil, "Partner CA", nil, isCA)
	w.write("partner.pem", partner.pem())
	alice, bob := w.issue(partner, "alice", nil), w.issue(partner, "Robert", nil, names("bob.example", "bob"))
	both := func(home, away string) string {
		return gatewayFor("users.toml", `certs = "gw.pem"`, "auth = \"eap-tls\"\ncacerts = \"ca.pem\"\n"+home, "") +
			"[connections.partner]\nlocal_ts = \"10.2.0.0/24\"\nremote_ts = \"10.8.0.0/24\"\nlocal = { certs = \"gw.pem\" }\n[connections.partner.remote]\nauth = \"eap-tls\"\ncacerts = \"partner.pem\"\n" + away
	}
	c := w.good(both("", "known_users = false\n"))
	judge := func(connection string, h *holder) eap.Verdict {
		t.Helper()
		s, _ := c.EAP.Server(connection, 0)
		v, err := s.Config.TLS.Judge(w.now, eap.Shown{Chain: [][]byte{h.cert.Raw}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a, b := judge("partner", alice), judge("partner", bob)
	if a.Name != "alice" || a.Foreign == "" || a.Foreign != b.Foreign {
		t.Errorf("%q of %q, %q of %q", a.Name, a.Foreign, b.Name, b.Foreign)
	}
	if b.Name != "bob.example" {
		t.Errorf("the certificate of somebody else's bob is looked for among the users: %q", b.Name)
	}
	one, _ := c.EAP.Server("rw", 0)
	other, _ := c.EAP.Server("partner", 0)
	if one.Realm == other.Realm {
		t.Error("both have one realm")
	}
	for _, x := range []struct{ home, away, want string }{
		{"", "", `gw.toml:11:1: connections.rw.remote and connections.partner.remote accept users with certificates of different CAs, and a name would be the same user in both; write known_users = true into`},
		{"known_users = true\n", "known_users = true\n", ""}, {"known_users = true\n", "", "gw.toml:20:1: connections.partner.remote and connections.rw.remote accept"}, {"known_users = false\n", "known_users = false\n", ""},
	} {
		if x.want == "" {
			w.good(both(x.home, x.away))
			continue
		}
		if _, errs := w.load(both(x.home, x.away)); !strings.Contains(errs.Error(), x.want) {
			t.Errorf("%q and %q: %v, want %s", x.home, x.away, errs, x.want)
		}
	}
	if _, errs := w.load(gatewayFor("users.toml", `certs = "gw.pem"`, "auth = \"pubkey\"\ncacerts = \"ca.pem\"\nknown_users = false", "")); !strings.Contains(errs.Error(), "known_users is for users of EAP") {
		t.Error(errs)
	}
	// What is pinned has no CA.
	if v := voucher(nil); v != "pinned" {
		t.Error(v)
	}
}

// TestEAPRealms: whom one table lets in by a certificate, another one does not that judges certificates by more.
func TestEAPRealms(t *testing.T) {
	w := usersWorld(t)
	realm := func(more string) string {
		s, _ := w.good(gatewayFor("", `certs = "gw.pem"`, "auth = \"eap-tls\"\ncacerts = \"ca.pem\"\n"+more, "")).EAP.Server("rw", 0)
		return s.Realm
	}
	plain := realm("")
	for _, more := range []string{`revocation = "strict"`, `ca_id = "CN=Test CA"`, `cert_policy = "1.2.3.4"`, `certs = "alice.pem"`, `known_users = false`} {
		if realm(more) == plain {
			t.Errorf("with %s the realm is %q", more, plain)
		}
	}
	if realm("") != plain {
		t.Error("one table has two realms")
	}
}

// TestEAPClients: what this side proves itself with as a user.
func TestEAPClients(t *testing.T) {
	w := usersWorld(t)
	client := func(local, remote, more string) string {
		return "[credentials]\nprivate = \"*.key\"\nx509ca = \"ca.pem\"\n[connections.rw]\nremote_addrs = \"198.51.100.1\"\nlocal_ts = \"dynamic\"\nremote_ts = \"10.1.0.0/24\"\n[connections.rw.local]\n" + local +
			"\n[connections.rw.remote]\nid = \"vpn.example\"\n" + remote + "\n" + more
	}
	const secret = "[secrets.eap.me]\nid = \"alice\"\nsecret = \"Passwort\"\n"
	for _, tt := range []struct{ what, conf, want string }{
		{"a password", client(`auth = "eap-mschapv2"`+"\nid = \"alice\"", "", secret), "alice [eap-mschapv2] secret"},
		{"another name within", client("id = \"laptop.example\"\neap_id = \"Alice\"", "", secret), "Alice [eap-mschapv2 eap-peap eap-ttls] secret"},
		{"a certificate", client("auth = \"eap-tls\"\ncerts = \"alice.pem\"", "", ""), "alice [eap-tls] certificate"},
		{"both", client("auth = \"eap\"\ncerts = \"alice.pem\"\neap_id = \"alice\"", "", secret), "alice [eap-tls eap-mschapv2 eap-peap eap-ttls] secret certificate"},
		{"EAP alone", client("auth = \"eap-ttls\"\neap_id = \"alice\"", "auth = \"eap-ttls\"\ncacerts = \"ca.pem\"", secret), "alice [eap-ttls] secret"},
	} {
		c := w.good(tt.conf)
		conf, ok := c.EAP.Client("rw", 0)
		if !ok {
			t.Errorf("%s: nothing", tt.what)
			continue
		}
		got := fmt.Sprint(conf.Identity, " ", conf.Methods)
		if !conf.Secret.None() {
			got += " secret"
		}
		if conf.TLS == nil || conf.TLS.Judge == nil {
			t.Errorf("%s: nobody judges the server", tt.what)
		} else if conf.TLS.Certificate != nil {
			got += " certificate"
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
	// The server within TLS has to be the gateway, or whoever aaa_id names.
	gw, alice := w.certOf("gw.pem"), w.certOf("alice.pem")
	for aaa, want := range map[string][2]bool{"": {true, false}, "aaa_id = \"CN=alice\"\n": {false, true}, "aaa_id = \"CN=*\"\n": {true, true}, "aaa_id = \"radius.example\"\n": {false, false}} {
		c := w.good(client("auth = \"eap-ttls\"\n"+aaa+"eap_id = \"alice\"", "", secret))
		conf, _ := c.EAP.Client("rw", 0)
		for i, cert := range []*x509.Certificate{gw, alice} {
			if _, err := conf.TLS.Judge(w.now, eap.Shown{Chain: [][]byte{cert.Raw}}); (err == nil) != want[i] {
				t.Errorf("%q: %s is judged %v", aaa, cert.Subject, err)
			}
		}
	}
}

// TestEAPRemarks: what can't work, and what most probably is not meant.
func TestEAPRemarks(t *testing.T) {
	w := usersWorld(t)
	const cert = `certs = "gw.pem"`
	plain, err := os.ReadFile(filepath.Join(w.dir, "plain.pem"))
	if err != nil {
		t.Fatal(err)
	}
	client := func(local, more string) string {
		return "[credentials]\nx509ca = \"ca.pem\"\nprivate = \"*.key\"\n" + more + "[connections.rw]\nremote_addrs = \"198.51.100.1\"\nlocal_ts = \"dynamic\"\nremote_ts = \"10.1.0.0/24\"\n[connections.rw.local]\n" + local + "\n"
	}
	for _, tt := range []struct{ what, conf, want string }{
		{"nothing to say", gatewayFor("users.toml", cert, "auth = \"eap\"\ngroups = \"staff\"\neap_id = \"alice\"", ""), ""},
		{"no certificate", gatewayFor("users.toml", "", `auth = "eap"`, ""), `gw.toml:8:1: connections.rw.local has auth = "pubkey", and there is no certificate with a private key for its identity`},
		{"no certificate for TLS", gatewayFor("users.toml", "auth = \"eap-ttls\"", `auth = "eap-ttls"`, ""), `gw.toml:9:1: connections.rw.local has auth = "eap-ttls", and there is no certificate with a private key for its identity`},
		{"no CA", gatewayFor("users.toml", cert, `auth = "eap-tls"`, ""), `gw.toml:11:1: nothing says which CAs connections.rw accepts of its peer; write cacerts`},
		{"nothing at all", gatewayFor("", cert, `auth = "eap"`, ""), `gw.toml:9:1: nothing says which users connections.rw lets in; write file = "FILE" into [users]`},
		{"no users", gatewayFor("nobody.toml", cert, `auth = "eap-mschapv2"`, ""), `gw.toml:11:1: there are no users: connections.rw lets nobody in; write some into …nobody.toml"`},
		{"keys of others", gatewayFor("users.toml", cert, "auth = \"pubkey\"\ncacerts = \"ca.pem\"\ngroups = \"staff\"", ""), `gw.toml:13:1: connections.rw.remote.groups is for users of EAP, and auth is "pubkey"; write auth = "eap", or remove it`},
		{"a name of others", gatewayFor("users.toml", "auth = \"pubkey\"\neap_id = \"x\"\n"+cert, "auth = \"pubkey\"\ncacerts = \"ca.pem\"", ""), `gw.toml:10:1: connections.rw.local.eap_id is for users of EAP, and auth is "pubkey"`},
		{"a group", gatewayFor("users.toml", cert, "auth = \"eap\"\ngroups = [\"staff\", \"stuff\"]", ""), `gw.toml:12:1: connections.rw.remote.groups has "stuff", which no user is in; did you mean "staff"?`},
		{"a child for a group", strings.NewReplacer("local_ts = \"10.1.0.0/24\"\nremote_ts = \"10.9.0.0/24\"\n", "", "[connections.rw.local]",
			"[connections.rw.children.x]\nlocal_ts = \"10.1.0.0/24\"\nremote_ts = \"10.9.0.0/24\"\ngroups = \"stuff\"\n[connections.rw.local]").
			Replace(gatewayFor("users.toml", cert, `auth = "eap"`, "")), `gw.toml:9:1: connections.rw.children.x.groups has "stuff", which no user is in; did you mean "staff"?`},
		{"a user", gatewayFor("users.toml", cert, "auth = \"eap-mschapv2\"\neap_id = \"alise\"", ""), `gw.toml:12:1: connections.rw.remote.eap_id is "alise", and there is no such user; did you mean "alice"?`},
		{"MD5", gatewayFor("users.toml", cert, `auth = "eap-md5"`, ""), `gw.toml:11:1: connections.rw.remote.auth is "eap-md5": it makes no key`},
		{"GTC", gatewayFor("users.toml", cert, `auth = "eap-gtc"`, ""), `gw.toml:11:1: connections.rw.remote.auth is "eap-gtc": it makes no key, and a client shows its password`},
		{"EAP alone", gatewayFor("users.toml", `auth = "eap-mschapv2"`, `auth = "eap-mschapv2"`, ""), `gw.toml:11:1: connections.rw has a method of EAP on both sides, and "eap-mschapv2" does not prove the gateway`},
		{"EAP alone, for users with passwords", gatewayFor("users.toml", `auth = "eap"`, `auth = "eap"`, ""), `gw.toml:11:1: connections.rw has a method of EAP on both sides, and "eap-mschapv2", which is all that there is something for, does not prove the gateway; write auth = "pubkey" into [connections.rw.local]`},
		{"EAP alone, with a certificate", gatewayFor("users.toml", "auth = \"eap\"\n"+cert, `auth = "eap"`, ""), ""},
		{"EAP alone, of a client", client("auth = \"eap\"\nid = \"alice\"\n[connections.rw.remote]\nauth = \"eap-mschapv2\"", "[secrets.eap.a]\nid = \"alice\"\nsecret = \"x\"\n"),
			`gw.toml:15:1: connections.rw has a method of EAP on both sides, and "eap-mschapv2" does not prove the gateway; write auth = "pubkey" into [connections.rw.remote], with cacerts`},
		{"EAP alone, of a client with a password", client("auth = \"eap-mschapv2\"\nid = \"alice\"\n[connections.rw.remote]\nauth = \"eap\"", "[secrets.eap.a]\nid = \"alice\"\nsecret = \"x\"\n"),
			`gw.toml:15:1: connections.rw has a method of EAP on both sides, and "eap-mschapv2", which is all that there is something for, does not prove the gateway; write auth = "pubkey" into [connections.rw.remote]`},
		{"resumption", gatewayFor("users.toml", cert, `auth = "eap"`, "resumption = true\n"), `gw.toml:8:1: connections.rw is for users, who prove themselves each time: their IKE SAs are not resumed`},
		{"no server", gatewayFor("users.toml", `certs = "plain.pem"`, `auth = "eap"`, ""), `gw.toml:9:1: the certificate in …plain.pem" is not one of a server (extendedKeyUsage serverAuth): Windows`},
		{"no server, with the certificate in a value", gatewayFor("users.toml", fmt.Sprintf("certs = %q", plain), `auth = "eap"`, ""), `gw.toml:9:1: the certificate in …gw.toml:9:9" is not one of a server`},
		{"no name", gatewayFor("users.toml", `certs = "nameless.pem"`, `auth = "eap"`, ""), `gw.toml:9:1: the certificate in …nameless.pem" has no DNS name`},
		{"no DNS name", gatewayFor("users.toml", cert+"\nid = \"CN=gw\"", `auth = "eap"`, ""), `gw.toml:10:1: connections.rw.local.id is "CN=gw", which is no DNS name: iPhones`},
		{"a shared key", gatewayFor("users.toml", "auth = \"psk\"\nid = \"gw\"", `auth = "eap"`, "secret = \"correct-horse-battery-staple-7Gq2Zx9w\"\n"), `gw.toml:10:1: connections.rw proves itself with a pre-shared key to users of EAP`},
		{"no pool", strings.Replace(gatewayFor("users.toml", cert, `auth = "eap"`, ""), "10.9.0.0/24", "dynamic", 1), `gw.toml:5:1: connections.rw is for users and has no pools`},
		{"no password", client("auth = \"eap-mschapv2\"\nid = \"alice\"", ""), `gw.toml:9:1: there is no password for "alice" of connections.rw.local; write a table [secrets.eap.NAME] with id = "alice"`},
		{"no name of a user", client(`auth = "eap-mschapv2"`, ""), `gw.toml:9:1: connections.rw.local has "eap-mschapv2" and no name of a user; write eap_id`},
		{"a password for all to see", client("auth = \"eap-gtc\"\nid = \"alice\"", "[secrets.eap.a]\nid = \"alice\"\nsecret = \"x\"\n"), `gw.toml:12:1: connections.rw.local.auth is "eap-gtc": it shows the password`},
		{"any gateway", client("auth = \"eap-mschapv2\"\nid = \"alice\"", "[secrets.eap.a]\nid = \"alice\"\nsecret = \"x\"\n"), `gw.toml:12:1: nothing says which gateway connections.rw is for: whoever has any certificate of a CA`},
		{"one gateway", client("auth = \"eap-mschapv2\"\nid = \"alice\"", "[secrets.eap.a]\nid = \"alice\"\nsecret = \"x\"\n") + "[connections.rw.remote]\nid = \"vpn.example\"\n", ""},
	} {
		c, errs := w.load(tt.conf)
		all := append(errs, c.Warnings...)
		if tt.want == "" {
			if len(all) > 0 {
				t.Errorf("%s: %v", tt.what, all)
			}
			continue
		}
		want := strings.Replace(tt.want, "gw.toml", w.dir+"/gw.toml", 1)
		if !matchesAny(all, want) {
			t.Errorf("%s:\n%v\nwant %s", tt.what, all, tt.want)
		}
		if strings.Contains(all.Error(), "Passwort") {
			t.Errorf("%s: a password is shown", tt.what)
		}
	}
}
