package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"esplanade/ike/policy"
)

// configurationLines are the lines of a text that are neither empty nor comments.
func configurationLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestTenLines: a gateway for road warriors has ten lines, the same in the example and in the documentation, and the defaults make of them what the
// systems' own clients need.
func TestTenLines(t *testing.T) {
	example, err := os.ReadFile("../docs/examples/roadwarriors.toml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/users.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := configurationLines(string(example))
	_, block, _ := strings.Cut(string(page), "```toml\n")
	block, _, _ = strings.Cut(block, "```")
	if len(lines) > 10 || strings.Join(lines, "\n") != strings.Join(configurationLines(block), "\n") {
		t.Errorf("%d lines; the page has %q", len(lines), block)
	}
	w := usersWorld(t)
	c := w.good(string(example))
	n := c.Connections[0]
	h := n.Children[0]
	for _, x := range []struct{ what, got, want string }{
		{"local", fmt.Sprint(n.Local.Method, " ", n.Local.ID), "pubkey vpn.example.org"},
		{"remote", fmt.Sprint(n.Remote.Method, " ", n.Remote.ID, " ", n.Remote.EAPID), "eap %any %any"},
		{"certificate", fmt.Sprint(n.SendCert, " ", c.Credentials.ACME.Key), "always rsa3072"},
		{"child", fmt.Sprint(h.LocalTS, " ", h.DynamicRemote(), " ", h.StartAction), "[0.0.0.0/0 ::/0] true none"},
		{"times", fmt.Sprint(n.DPDDelay, n.RekeyTime, n.ReauthTime, h.RekeyTime, h.LifeTime), "5m0s 24h0m0s 0s 8h0m0s 8h48m0s"},
		{"pools", fmt.Sprint(n.Pools), "[people]"},
	} {
		if x.got != x.want {
			t.Errorf("%s is %s, want %s", x.what, x.got, x.want)
		}
	}
	s, ok := c.EAP.Server("people", 0)
	if !ok || s.Config == nil || len(s.Config.Methods) == 0 {
		t.Fatalf("nothing checks users: %+v", s)
	}
	if _, u, ok := s.Config.Users.User("alice"); !ok || u.Name != "alice" {
		t.Errorf("alice is %+v", u)
	}
	for _, p := range c.Warnings {
		if !strings.Contains(p.What, "has no certificate yet") {
			t.Errorf("a warning: %s", p)
		}
	}
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0].What, `pools set dpd_delay = "5m"`) || !strings.Contains(c.Notes[0].What, `remote.auth is "eap", which is eap-mschapv2`) {
		t.Errorf("notes: %v", c.Notes)
	}
}

// TestClientsDefaults: what is written goes before what pools bring, and how the peers of such a connection prove themselves follows from what there is.
func TestClientsDefaults(t *testing.T) {
	w := usersWorld(t)
	text := func(top, keys, tables string) string {
		return top + "[credentials]\nprivate = \"*.key\"\nx509 = \"gw.pem\"\nx509ca = \"ca.pem\"\n[pools.p]\naddrs = \"10.30.0.0/24\"\n[connections.rw]\npools = \"p\"\n" + keys + tables
	}
	const users = "[users]\nfile = \"users.toml\"\n"
	const radius = "[radius.servers.a]\naddress = \"192.0.2.1\"\nsecret = \"correct-horse-battery-staple-7Gq2Zx9w\"\n"
	for _, x := range []struct {
		what, text string
		want       policy.Auth
	}{
		{"users", text(users, "", ""), policy.AuthEAP},
		{"a table of secrets", text("[secrets.eap.a]\nid = \"a\"\nsecret = \"x\"\n", "", ""), policy.AuthEAP},
		{"RADIUS", text(radius, "", ""), policy.AuthEAPRADIUS},
		{"both", text(users+radius, "", ""), policy.AuthEAP},
		{"a key of its own", text(users, "secret = \"correct-horse-battery-staple-7Gq2Zx9w\"\n", ""), policy.AuthPSK},
		{"certificates", text(users, "", "[connections.rw.remote]\ncacerts = \"ca.pem\"\n"), policy.AuthPubkey},
		{"a word", text(users, "", "[connections.rw.remote]\nauth = \"pubkey\"\n"), policy.AuthPubkey},
		{"a word for a method", text(users, "", "[connections.rw.remote]\nauth = \"eap-mschapv2\"\n"), policy.AuthEAPMSCHAPv2},
		{"nobody", text("", "secret = \"correct-horse-battery-staple-7Gq2Zx9w\"\n", ""), policy.AuthPSK},
	} {
		if c := w.good(x.text); c.Connections[0].Remote.Method != x.want {
			t.Errorf("%s: %s, want %s", x.what, c.Connections[0].Remote.Method, x.want)
		}
	}
	c := w.good(text(users, "dpd_delay = \"30s\"\nreauth_time = \"8h\"\nsend_cert = \"ifasked\"\nlocal_ts = \"10.1.0.0/16\"\n", ""))
	n := c.Connections[0]
	if n.DPDDelay != 30*time.Second || n.RekeyTime != 0 || n.SendCert != policy.SendCertIfAsked || fmt.Sprint(n.Children[0].LocalTS) != "[10.1.0.0/16]" || n.Children[0].RekeyTime != 8*time.Hour {
		t.Errorf("written: %+v, %+v", n, n.Children[0])
	}
	c = w.good(text(users, "", "[connections.rw.children.a]\nlocal_ts = \"10.1.0.0/16\"\nlife_time = \"1h\"\n[connections.rw.children.b]\n"))
	if n = c.Connections[0]; len(n.Children) != 2 || n.Children[0].RekeyTime != 54*time.Minute || fmt.Sprint(n.Children[1].LocalTS) != "[0.0.0.0/0 ::/0]" {
		t.Errorf("children with tables: %+v", n.Children)
	}
	c = w.good(strings.Replace(text(users, "local_ts = \"10.1.0.0/16\"\n", "[connections.rw.remote]\nauth = \"eap\"\n"), "pools = \"p\"\n", "", 1))
	if n = c.Connections[0]; n.DPDDelay != 30*time.Second || n.Children[0].RekeyTime != time.Hour {
		t.Errorf("without pools: %+v", n)
	}
}
