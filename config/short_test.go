package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"esplanade/ike/policy"
)

// TestShortForm: the short form is the same connection as the long one that it stands for, in a file and in a section.
func TestShortForm(t *testing.T) {
	long, err := Parse("long.toml", []byte(`
[connections.office]
remote_addrs = ["198.51.100.20"]
secret = "`+testKey+`"
[connections.office.local]
auth = "psk"
id = "%any"
[connections.office.remote]
auth = "psk"
[connections.office.children.office]
local_ts = ["10.10.0.0/24"]
remote_ts = ["10.20.0.0/24"]
start_action = "start"
`))
	if err != nil {
		t.Fatal(err)
	}
	short, err := Parse("short.toml", []byte(`[connections.office]
remote_addrs = "198.51.100.20"
local_ts = "10.10.0.0/24"
remote_ts = "10.20.0.0/24"
secret = "`+testKey+`"
`))
	if err != nil || len(short.Warnings) > 0 {
		t.Fatal(err, short.Warnings)
	}
	want := long.Connections[0]
	for name, c := range map[string]*Config{"short": short} {
		got := c.Connections[0]
		if len(Changes(want, got)) > 0 || len(got.Children) != 1 {
			t.Fatalf("%s: %v", name, Changes(want, got))
		}
		equalTables(t, name, reflect.ValueOf(*want), reflect.ValueOf(*got))
		equalTables(t, name, reflect.ValueOf(*want.Children[0]), reflect.ValueOf(*got.Children[0]))
	}
	if at := short.Connections[0].Children[0].At("remote_ts").String(); at != "short.toml:4:1" {
		t.Error(at)
	}
	if notes := Errors(short.Notes).Error(); notes != `short.toml:1:1: connections.office means: auth is "psk", with the key of connections.office (short.toml:5); `+
		`child "office" has 10.10.0.0/24 === 10.20.0.0/24 (short.toml:3), start_action "start"; local.id is the address that it sends from; `+
		`remote.id is whatever the peer with that key calls itself` {
		t.Error(notes)
	}
	if long.Notes != nil {
		t.Error(long.Notes)
	}
}

// TestOwnKey: a connection's own key is for that connection, before all others and whatever its peer calls itself, and for no other one.
func TestOwnKey(t *testing.T) {
	c := mustLoad(t, "short")
	a, b := id(t, "a.example"), id(t, "b.example")
	for _, tt := range []struct {
		connection, want string
		guess            bool
	}{
		{"office", "connections.office", false}, {"office", "connections.office", true}, {"callers", "connections.callers", false},
		{"named", "secrets.ike.named", false}, {"named", "secrets.ike.named", true}, {"gone", "secrets.ike.named", false},
	} {
		s, ok := c.Credential(tt.connection, a, b, tt.guess)
		if !ok || s.FullName() != tt.want || s.Key.Len() != len(testKey) && tt.want != "secrets.ike.named" {
			t.Errorf("%s: %v, want %s", tt.connection, s, tt.want)
		}
	}
	if s, ok := c.Credential("named", a, id(t, "198.51.100.20"), false); ok {
		t.Errorf("a peer without a key has %s", s.FullName())
	}
	for name, want := range map[string]string{"office": "connections.office", "named": "secrets.ike.named"} {
		if keys := c.PeerKeys(c.Connection(name)); len(keys) != 1 || keys[0].FullName() != want {
			t.Errorf("%s: %v", name, keys)
		}
	}
	n := c.Connection("named")
	if h := n.Child("named"); n.RekeyTime.Hours() != 2 || h.RekeyTime.Hours() != 1 || h.Mode != policy.ModeTunnel || h.AfterClose() != policy.StartStart || h.ReqID != 7 || h.ReplayWindow != 64 ||
		len(h.LocalTS) != 2 || len(n.Proposals) != 1 || n.LocalAddrs[0].Text != "203.0.113.10" {
		t.Errorf("%+v %+v", n, h)
	}
}

// TestOwnKeyInReadableConfiguration: a key in the connection is a key in the configuration, which others must not read.
func TestOwnKeyInReadableConfiguration(t *testing.T) {
	dir := t.TempDir()
	text := "[connections.x]\nremote_addrs = \"198.51.100.20\"\nremote_ts = \"10.20.0.0/24\"\nsecret = \"" + testKey + "\"\n"
	for name, mode := range map[string]os.FileMode{"mine.toml": 0o600, "everybodys.toml": 0o644} {
		c, err := Load(write(t, filepath.Join(dir, name), text, mode))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Contains(Errors(c.Warnings).Error(), name+":4:1: the key stands in a file that others can read or change")
		if want := mode == 0o644; got != want {
			t.Errorf("%s: %v", name, c.Warnings)
		}
	}
}
