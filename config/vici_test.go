package config

import (
	"reflect"
	"strings"
	"testing"

	"esplanade/config/tree"
	"esplanade/ike/vici"
)

// fill makes a tree of a message, as the VICI side does.
func fill(t *tree.Table, m *vici.Message) *tree.Table {
	for e := range m.All() {
		switch e.Kind {
		case vici.KindValue:
			t.AddText(e.Name, e.Value)
		case vici.KindList:
			t.AddTexts(e.Name, e.List)
		case vici.KindSection:
			fill(t.AddSection(e.Name), e.Section)
		}
	}
	return t
}

// sent is a message as it arrives over VICI.
func sent(t *testing.T, m *vici.Message) *tree.Table {
	t.Helper()
	b, err := vici.Packet{Type: vici.CmdRequest, Name: "load-conn", Message: m}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := vici.ParsePacket(b)
	if err != nil {
		t.Fatal(err)
	}
	return fill(tree.New("load-conn"), p.Message)
}

// loading is what With makes of a configuration and of the connections of a tree in addition to those that it has been loaded with already.
func loading(t *testing.T, c *Config, conns *tree.Table) (*Config, Errors) {
	t.Helper()
	l := c.Loaded()
	for e := range conns.All() {
		sub, is := e.Value.Data.(*tree.Table)
		if !is {
			continue
		}
		var err error
		if l, err = l.WithConnection(Section{Name: e.Name, At: Position{File: "load-conn"}, Table: sub}); err != nil {
			t.Fatal(err)
		}
	}
	return c.With(l)
}

const viciHead = `[connections.other]
remote_addrs = ["192.0.2.9"]
local = { auth = "psk", id = "gw.example" }
remote = { auth = "psk", id = "other.example" }
children.net = { remote_ts = ["10.9.0.0/16"] }
[secrets.ike.all]
secret = "7Hq2vXw9Lk4Tz8Rb5Nc1Mf6Pj3Gd0Sa"
`

// office is one connection in both notations. The message is what swanctl makes of swanctl.conf: lists where it knows that the key
// has one, texts otherwise.
func office() (toml string, m *vici.Message) {
	toml = `
[connections.office]
version = 2
local_addrs = ["203.0.113.10"]
remote_addrs = ["198.51.100.20", "peer.example"]
local_port = 4500
remote_port = 4500
proposals = ["aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"]
encap = false
mobike = false
mobike_check = "never"
fragmentation = true
dpd_delay = "30s"
keyingtries = 3
unique = "replace"
childless = "prefer"
rekey_time = "4h"
reauth_time = "10h"
over_time = "5m"
rand_time = "90s"
[connections.office.local]
auth = "psk"
id = "gw.example"
[connections.office.remote]
auth = "psk"
id = "*.example"
[connections.office.children.net]
local_ts = ["10.1.0.0/16", "10.3.0.0/16[tcp/443]"]
remote_ts = ["dynamic"]
esp_proposals = ["aes256gcm16-ecp384"]
mode = "tunnel"
rekey_time = "1h"
life_time = "66m"
rand_time = "0s"
rekey_bytes = "1GiB"
life_bytes = 2000000000
rekey_packets = 1000000
start_action = "trap"
replay_window = 1024
reqid = 16
copy_df = true
copy_ecn = true
copy_dscp = "out"
[connections.office.children.lab]
remote_ts = ["10.7.0.0/16"]
replay_window = 0
start_action = "none"
`
	m = new(vici.Message)
	c := m.Sub("office")
	c.Set("version", "2").SetList("local_addrs", "203.0.113.10").SetList("remote_addrs", "198.51.100.20", "peer.example").
		Set("local_port", "4500").Set("remote_port", "4500").SetList("proposals", "aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048").
		Set("encap", "no").Set("mobike", "no").Set("mobike_check", "never").Set("fragmentation", "yes").Set("dpd_delay", "30s").Set("keyingtries", "3").
		Set("unique", "replace").Set("childless", "prefer").Set("rekey_time", "4h").Set("reauth_time", "36000").Set("over_time", "5m").
		Set("rand_time", "90")
	c.Sub("local").Set("auth", "psk").Set("id", "gw.example")
	c.Sub("remote").Set("auth", "psk").Set("id", "*.example")
	net := c.Sub("children").Sub("net")
	net.SetList("local_ts", "10.1.0.0/16", "10.3.0.0/16[tcp/443]").SetList("remote_ts", "dynamic").SetList("esp_proposals", "aes256gcm16-ecp384").
		Set("mode", "tunnel").Set("rekey_time", "1h").Set("life_time", "3960s").Set("rand_time", "0").Set("rekey_bytes", "1G").Set("life_bytes", "2000000000").
		Set("rekey_packets", "1000000").Set("start_action", "trap").Set("replay_window", "1024").Set("reqid", "0x10").Set("copy_df", "1").
		Set("copy_ecn", "enabled").Set("copy_dscp", "out")
	c.Section("children").Sub("lab").SetList("remote_ts", "10.7.0.0/16").Set("replay_window", "0").Set("start_action", "none")
	return toml, m
}

// TestSameFromBoth: a connection is the same from a file and from VICI, but for the places.
func TestSameFromBoth(t *testing.T) {
	toml, m := office()
	want, err := Parse("x.toml", []byte(viciHead+toml))
	if err != nil {
		t.Fatal(err)
	}
	base, err := Parse("x.toml", []byte(viciHead))
	if err != nil {
		t.Fatal(err)
	}
	got, errs := loading(t, base, sent(t, m))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if len(got.Connections) != 2 || len(base.Connections) != 1 || got.Connections[0] != base.Connections[0] {
		t.Fatalf("%d connections, and %d before", len(got.Connections), len(base.Connections))
	}
	a, b := want.Connection("office"), got.Connection("office")
	if b == nil || len(b.Children) != 2 {
		t.Fatalf("%+v", b)
	}
	equalTables(t, "office", reflect.ValueOf(*a), reflect.ValueOf(*b))
	for i, h := range a.Children {
		equalTables(t, h.Name, reflect.ValueOf(*h), reflect.ValueOf(*b.Children[i]))
	}
	if len(got.Warnings) == 0 || got.Warnings[0].String() != "load-conn: connections.office.children.lab.replay_window is 0: replayed packets are accepted; "+
		"write a number of packets such as 4096" {
		t.Errorf("warnings: %v", got.Warnings)
	}
	if p := b.At("dpd_delay"); p.IsValid() || p.FileLine() != "" || p.String() != "load-conn" || !b.Has("dpd_delay") || b.Has("ppk_id") {
		t.Errorf("dpd_delay is at %v", p)
	}
	// Another message for it takes its place.
	m.Section("office").Set("dpd_delay", "40s").SetList("remote_addrs", "198.51.100.20")
	again, errs := loading(t, got, sent(t, m))
	if len(errs) > 0 || len(again.Connections) != 2 || again.Connection("office").DPDDelay.Seconds() != 40 {
		t.Errorf("%v, %+v", errs, again.Connections)
	}
	if diff := Changes(b, again.Connection("office")); len(diff) != 2 {
		t.Errorf("the differences are %v", diff)
	}
}

// equalTables compares the fields of two structs of tables, in all but where they stand.
func equalTables(t *testing.T, name string, a, b reflect.Value) {
	t.Helper()
	for i := range a.NumField() {
		if f := a.Type().Field(i); f.IsExported() && f.Name != "Source" && f.Name != "Children" && !same(a.Field(i), b.Field(i)) {
			t.Errorf("%s.%s is %v in the file and %v from VICI", name, f.Name, a.Field(i), b.Field(i))
		}
	}
}

// TestBadSections: what is wrong is said as for a file, without lines, and with what is right in a section.
func TestBadSections(t *testing.T) {
	base, err := Parse("x.toml", []byte(viciHead))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		edit func(c *vici.Message)
		want string
	}{
		{func(c *vici.Message) { c.Set("encap", "maybe") }, `load-conn: connections.office.encap is "maybe", not a boolean; write yes or no`},
		{func(c *vici.Message) { c.Set("dpd_dealy", "1") }, `load-conn: unknown key connections.office.dpd_dealy; did you mean dpd_delay?`},
		{func(c *vici.Message) { c.Set("dpd_delay", "soon") }, `load-conn: connections.office.dpd_delay is "soon": that is not a time; `},
		{func(c *vici.Message) { c.Set("dpd_delay", "-1") }, `load-conn: connections.office.dpd_delay is "-1": `},
		{func(c *vici.Message) { c.SetList("dpd_delay", "1s") }, `load-conn: connections.office.dpd_delay is a list, not a time in quotes; `},
		{func(c *vici.Message) { c.Set("keyingtries", "many") }, `load-conn: connections.office.keyingtries is "many", not a whole number; write a number from 0 to 1048576`},
		{func(c *vici.Message) { c.Set("keyingtries", "-1") }, `load-conn: connections.office.keyingtries is -1; `},
		{func(c *vici.Message) { c.Set("unique", "sometimes") }, `load-conn: connections.office.unique is "sometimes"; write "no", "keep", "replace" or "never"`},
		{func(c *vici.Message) { c.Set("version", "1") }, `load-conn: connections.office.version is "1": only IKEv2 is supported; `},
		{func(c *vici.Message) { c.Set("local_addrs", "203.0.113.10,203.0.113.11") }, `load-conn: connections.office.local_addrs is "203.0.113.10,203.0.113.11", not a list; write local_addrs = ["203.0.113.10", "203.0.113.11"]`},
		{func(c *vici.Message) { c.Set("local_ts", "10.1.0.0/16") }, `load-conn: connections.office.local_ts stands for a lone child, and there is connections.office.children as well; move it into [connections.office.children.NAME], or remove that table`},
		{func(c *vici.Message) { c.Set("children", "net") }, `load-conn: connections.office.children is a string, not a table; write [connections.office.children]`},
		{func(c *vici.Message) { c.Sub("local-2").Set("auth", "eap-sim") }, `load-conn: connections.office.local-2.auth = "eap-sim" is not supported by this version; write auth = "psk", "pubkey", "eap", `},
		{func(c *vici.Message) { c.Section("children", "net").Set("rekey_bytes", "some") }, `load-conn: connections.office.children.net.rekey_bytes is "some": that is not a size; `},
		{func(c *vici.Message) { c.Section("children", "net").Set("mode", "transport") }, `load-conn: connections.office.children.net.mode = "transport" is not supported by this version; `},
		{func(c *vici.Message) { c.Section("children", "net").SetList("remote_ts", "10.0.0.1/40") }, `load-conn: connections.office.children.net.remote_ts: "10.0.0.1/40" is not a valid traffic selector: `},
		{func(c *vici.Message) { c.Section("children", "lab").Set("reqid", "16") }, `load-conn: connections.office.children.lab has the reqid 16 of connections.office.children.net; choose another number`},
	} {
		_, m := office()
		tt.edit(m.Section("office"))
		_, errs := loading(t, base, sent(t, m))
		if len(errs) == 0 || !strings.HasPrefix(errs[0].String(), tt.want) {
			t.Errorf("%v\nwant %s", errs, tt.want)
		}
	}
}

// FuzzSections: no message makes a connection that a file could not make, and none makes the reader panic.
func FuzzSections(f *testing.F) {
	_, m := office()
	b, err := vici.Packet{Type: vici.CmdRequest, Name: "load-conn", Message: m}.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	base, err := Parse("x.toml", []byte(viciHead))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := vici.ParsePacket(data)
		if err != nil || p.Message == nil {
			return
		}
		c, errs := loading(t, base, fill(tree.New("load-conn"), p.Message))
		for _, e := range append(errs, c.Warnings...) {
			if e.What == "" || strings.ContainsAny(e.String(), "\n\r") {
				t.Fatalf("%q is not a message of one line", e)
			}
		}
		if len(errs) == 0 {
			checkComplete(t, c)
		}
	})
}
