package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"esplanade/ike/policy"
)

// TestEAPMethods: the words of both sides, what follows where a side writes none, and where what is wrong stands.
func TestEAPMethods(t *testing.T) {
	conf := func(local, remote string) string {
		return "[connections.a]\nlocal_ts = \"10.1.0.0/24\"\n[connections.a.local]\n" + local + "\n[connections.a.remote]\n" + remote + "\n"
	}
	read := func(text string) (*Config, string) {
		c, errs := parse("gw.toml", []byte(text))
		errs = slices.DeleteFunc(errs, func(p Problem) bool {
			return strings.Contains(p.What, "certificate") || strings.Contains(p.What, "no secret") || strings.Contains(p.What, "CAs") ||
				strings.Contains(p.What, "RADIUS")
		})
		return c, errs.Error()
	}
	for _, tt := range []struct {
		local, remote string
		want          [2]policy.Auth
	}{
		{`auth = "pubkey"`, `auth = "eap-mschapv2"`, [2]policy.Auth{policy.AuthPubkey, policy.AuthEAPMSCHAPv2}},
		{``, `auth = "eap-radius"`, [2]policy.Auth{policy.AuthPubkey, policy.AuthEAPRADIUS}},
		{``, `auth = "eap-dynamic"`, [2]policy.Auth{policy.AuthPubkey, policy.AuthEAPDynamic}},
		{``, `groups = "staff"`, [2]policy.Auth{policy.AuthPubkey, policy.AuthEAP}},
		{``, `eap_id = "*@example.org"`, [2]policy.Auth{policy.AuthPubkey, policy.AuthEAP}},
		{`eap_id = "ann"`, ``, [2]policy.Auth{policy.AuthEAP, policy.AuthPubkey}},
		{`auth = "eap-ttls"`, `id = "gw.example"`, [2]policy.Auth{policy.AuthEAPTTLS, policy.AuthPubkey}},
		{`auth = "eap-tls"`, `auth = "eap-tls"`, [2]policy.Auth{policy.AuthEAPTLS, policy.AuthEAPTLS}},
	} {
		c, errs := read(conf(tt.local, tt.remote))
		if errs != "" {
			t.Errorf("%s, %s: %s", tt.local, tt.remote, errs)
		}
		if n := c.Connections[0]; [2]policy.Auth{n.Local.Method, n.Remote.Method} != tt.want {
			t.Errorf("%s, %s: %s, %s, want %v", tt.local, tt.remote, n.Local.Method, n.Remote.Method, tt.want)
		}
	}
	c, _ := read(conf("eap_id = \"ann\"\naaa_id = \"CN=radius.example.org\"", "eap_id = 'EX\\*'\ngroups = [\"staff\", \"ops\", \"staff\"]"))
	n := c.Connections[0]
	if got := fmt.Sprint(n.Local.EAPID, n.Local.AAAID, n.Remote.EAPID, n.Remote.Groups); got != `ann CN=radius.example.org EX\* [staff ops]` {
		t.Errorf("the keys are %s", got)
	}
	for _, tt := range []struct{ local, remote, want string }{
		{`auth = "eap-radius"`, ``, `gw.toml:4:8: connections.a.local.auth is "eap-radius"; it is for remote: a gateway asks for it; write "eap" for a side that answers`},
		{``, `auth = "eap-mschap2"`, `gw.toml:6:8: connections.a.remote.auth is "eap-mschap2"; did you mean "eap-mschapv2"? It is one of "psk", "pubkey", "eap",`},
		{``, `auth = "eap-ttls:ecdsa-sha256"`, `gw.toml:6:8: connections.a.remote.auth = "eap-ttls:ecdsa-sha256" is not supported by this version; write auth = "eap-ttls": `},
		{``, `auth = "eap-aka"`, `gw.toml:6:8: connections.a.remote.auth = "eap-aka" is not supported by this version; write auth = "psk",`},
		{`eap_id = "*@x"`, ``, `gw.toml:4:10: connections.a.local.eap_id is "*@x", a pattern; write the name of the user`},
		{``, `eap_id = "a*b"`, `gw.toml:6:10: connections.a.remote.eap_id is "a*b": "*" is in the middle`},
		{``, `groups = []`, `gw.toml:6:10: connections.a.remote.groups is empty`},
		{``, `groups = ["a,b"]`, `gw.toml:6:11: an element of connections.a.remote.groups is "a,b"; write the name of a group`},
		{`groups = "x"`, ``, `gw.toml:4:1: unknown key connections.a.local.groups; groups belongs in [connections.NAME.remote]`},
		{``, `aaa_id = "x"`, `gw.toml:6:1: unknown key connections.a.remote.aaa_id; aaa_id belongs in [connections.NAME.local]`},
	} {
		if _, errs := read(conf(tt.local, tt.remote)); !strings.HasPrefix(errs, tt.want) {
			t.Errorf("%s, %s:\n%s\nwant %s", tt.local, tt.remote, errs, tt.want)
		}
	}
}
