package config

import (
	"strings"
	"testing"
)

// TestSettings: every key has its value and where that comes from, and no secret is among them.
func TestSettings(t *testing.T) {
	w := usersWorld(t)
	c := w.good(`[users]
file = "users.toml"
[credentials]
private = "*.key"
[connections.rw]
local_ts = "10.1.0.0/24"
remote_ts = "10.9.0.0/24"
local = { certs = "gw.pem" }
remote = { auth = "eap" }
[connections.aws]
preset = "aws"
remote_addrs = "198.51.100.1"
local_ts = "10.1.0.0/24"
remote_ts = "10.2.0.0/24"
secret = "kpD3y6Rr0T9mVq2xWc8sLb5nZf7hJg1u"
[secrets.eap.a]
id = "carol"
secret = "carols Passwort"
`)
	got := map[string]string{}
	for _, s := range c.Settings() {
		if _, twice := got[s.Table+" "+s.Key]; twice {
			t.Errorf("%s of %s is there twice", s.Key, s.Table)
		}
		got[s.Table+" "+s.Key] = s.Value + " # " + strings.ReplaceAll(s.From, w.dir+"/", "")
		if strings.Contains(s.Value, "Passwort") || strings.Contains(s.Value, "kpD3") {
			t.Errorf("%+v shows a secret", s)
		}
	}
	for key, want := range map[string]string{
		"users file":                                 quote(w.dir+"/users.toml") + " # gw.toml:2",
		"connections.rw dpd_delay":                   `"30s" # default`,
		"connections.rw mobike":                      `true # default`,
		"connections.rw.children.rw local_ts":        `["10.1.0.0/24"] # gw.toml:6`,
		"connections.rw.local auth":                  `"pubkey" # inferred`,
		"connections.rw.local id":                    `"vpn.example" # inferred`,
		"connections.rw.local certs":                 `["gw.pem"] # gw.toml:8`,
		"connections.rw.remote auth":                 `"eap" # gw.toml:9`,
		"connections.rw.remote eap_id":               `"%any" # default`,
		"connections.rw.remote revocation":           `"relaxed" # default`,
		"connections.aws preset":                     `"aws" # gw.toml:11`,
		"connections.aws dpd_delay":                  `"10s" # gw.toml:11 (preset)`,
		"connections.aws.children.aws esp_proposals": `["aes256gcm16-ecp384"] # gw.toml:11 (preset)`,
		"connections.aws secret":                     `[secret] # gw.toml:15`,
		"connections.aws.children.aws start_action":  `"start" # default`,
		"secrets.eap.a secret":                       `[secret] # gw.toml:18`,
		"tun mtu":                                    `1406 # default`,
		"ike port":                                   `500 # default`,
	} {
		if got[key] != want {
			t.Errorf("%s is %s, want %s", key, got[key], want)
		}
	}
	if _, ok := got["connections.rw.local groups"]; ok {
		t.Error("a key of the other side is among them")
	}
}
