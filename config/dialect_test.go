package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/policy"
	"esplanade/ike/vici"
)

// TestSwanctlDefaults: a section that says nothing is what strongSwan makes of it, but for what the table of defaults says.
func TestSwanctlDefaults(t *testing.T) {
	file, err := Parse("x.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	m := new(vici.Message)
	m.Sub("a").SetList("remote_addrs", "198.51.100.1").Sub("children").Sub("net")
	c, errs := loading(t, file, sent(t, m))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	n := c.Connection("a")
	h := n.Child("net")
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"encap", n.Encap, false}, {"dpd_delay", n.DPDDelay, time.Duration(0)}, {"keyingtries", n.KeyingTries, 0}, {"local.auth", n.Local.Method, policy.AuthPubkey},
		{"remote.auth", n.Remote.Method, policy.AuthPubkey}, {"start_action", h.StartAction, policy.StartNone}, {"dpd_action", h.DPDAction, policy.StartNone},
		{"close_action", h.CloseAction, policy.StartNone}, {"replay_window", h.ReplayWindow, 4096}, {"mobike", n.MOBIKE, true}, {"fragmentation", n.Fragmentation, true},
		{"unique", n.Unique, policy.UniqueNo}, {"childless", n.Childless, policy.ChildlessAllow}, {"send_cert", n.SendCert, policy.SendCertIfAsked}, {"send_certreq", n.SendCertReq, true},
		{"rekey_time", n.RekeyTime, 4 * time.Hour}, {"reauth_time", n.ReauthTime, time.Duration(0)}, {"over_time", n.OverTime, 24 * time.Minute}, {"rand_time", n.RandTime, 24 * time.Minute},
		{"child.rekey_time", h.RekeyTime, time.Hour}, {"child.life_time", h.LifeTime, 66 * time.Minute}, {"child.rand_time", h.RandTime, 6 * time.Minute},
		{"local_ts", h.DynamicLocal(), true}, {"remote_ts", h.DynamicRemote(), true}, {"local.id", n.Local.ID.Any(), true}, {"remote.id", n.Remote.ID.Any(), true},
		{"local_port", n.LocalPort, uint16(500)}, {"remote_port", n.RemotePort, uint16(500)}, {"ppk_required", n.PPKRequired, false},
		{"revocation", n.Remote.Revocation, policy.RevocationRelaxed},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	// What the table says of TOML is so.
	toml, err := Parse("x.toml", []byte(viciHead))
	if err != nil {
		t.Fatal(err)
	}
	o := toml.Connections[0]
	if !o.Encap || o.DPDDelay != 30*time.Second || o.KeyingTries != 0 || o.Children[0].StartAction != policy.StartStart || o.Children[0].ReplayWindow != 4096 {
		t.Errorf("TOML has other defaults than the table: %+v", o)
	}
}

// TestSwanctlWords: what strongSwan takes, and what it comes to; "" is an error that names the key and the connection.
func TestSwanctlWords(t *testing.T) {
	file, err := Parse("x.toml", []byte("[pools.p]\naddrs = \"10.3.0.0/24\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	conn := func(key, value string) func(*vici.Message) { return func(m *vici.Message) { m.Set(key, value) } }
	child := func(key, value string) func(*vici.Message) {
		return func(m *vici.Message) { m.Section("children", "net").Set(key, value) }
	}
	side := func(side, key, value string) func(*vici.Message) {
		return func(m *vici.Message) { m.Section(side).Set(key, value) }
	}
	action := func(c *Connection) any { return c.Children[0].StartAction }
	for _, tt := range []struct {
		edit func(*vici.Message)
		is   func(*Connection) any
		want any
		err  string
	}{
		{conn("version", "0"), nil, nil, ""}, {conn("version", "2"), nil, nil, ""},
		{conn("version", "1"), nil, nil, "connections.a.version is \"1\": only IKEv2 is supported"},
		{conn("fragmentation", "accept"), func(c *Connection) any { return c.Fragmentation }, true, ""},
		{conn("fragmentation", "force"), func(c *Connection) any { return c.Fragmentation }, true, ""},
		{conn("fragmentation", "no"), func(c *Connection) any { return c.Fragmentation }, false, ""},
		{conn("unique", "replace"), func(c *Connection) any { return c.Unique }, policy.UniqueReplace, ""},
		{conn("unique", "yes"), func(c *Connection) any { return c.Unique }, policy.UniqueReplace, ""},
		{conn("send_cert", "yes"), func(c *Connection) any { return c.SendCert }, policy.SendCertAlways, ""},
		{conn("send_cert", "no"), func(c *Connection) any { return c.SendCert }, policy.SendCertNever, ""},
		{conn("mobike", "disabled"), func(c *Connection) any { return c.MOBIKE }, false, ""},
		{conn("rekey_time", "7200"), func(c *Connection) any { return c.RekeyTime }, 2 * time.Hour, ""},
		{conn("rekey_time", "2d"), func(c *Connection) any { return c.RekeyTime }, 48 * time.Hour, ""},
		{conn("dpd_timeout", "150s"), nil, nil, ""}, {conn("aggressive", "no"), nil, nil, ""}, {conn("pull", "yes"), nil, nil, ""},
		{conn("dscp", "000000"), nil, nil, ""}, {conn("if_id_in", "0"), nil, nil, ""}, {conn("mediation", "no"), nil, nil, ""},
		{conn("aggressive", "yes"), nil, nil, "connections.a.aggressive is not supported by this version (IKEv1)"},
		{conn("pull", "no"), nil, nil, "connections.a.pull is not supported by this version (IKEv1)"},
		{conn("dscp", "101110"), nil, nil, "connections.a.dscp is not supported by this version"},
		{conn("if_id_in", "42"), nil, nil, "connections.a.if_id_in is not supported by this version (the marks"},
		{conn("mediation", "yes"), nil, nil, "connections.a.mediation is not supported by this version (mediation)"},
		{conn("dpd_dealy", "1s"), nil, nil, "unknown key connections.a.dpd_dealy; did you mean dpd_delay?"},
		{child("start_action", "trap|start"), action, policy.StartStart, ""}, {child("start_action", "route"), action, policy.StartTrap, ""},
		{child("start_action", "none"), action, policy.StartNone, ""}, {child("start_action", "Start"), action, policy.StartStart, ""}, {child("start_action", "Trap|Start"), action, policy.StartStart, ""},
		{child("start_action", "begin"), nil, nil, `connections.a.children.net.start_action is "begin"`},
		{conn("unique", "Replace"), func(c *Connection) any { return c.Unique }, policy.UniqueReplace, ""}, {side("remote", "revocation", "Strict"), nil, nil, ""},
		{conn("rekey_time", "2H"), func(c *Connection) any { return c.RekeyTime }, 2 * time.Hour, ""},
		{conn("rekey_time", "90 m"), func(c *Connection) any { return c.RekeyTime }, 90 * time.Minute, ""},
		{conn("rekey_time", "0x1C20"), func(c *Connection) any { return c.RekeyTime }, 2 * time.Hour, ""},
		{conn("rekey_time", "010m"), func(c *Connection) any { return c.RekeyTime }, 8 * time.Minute, ""},
		{conn("rekey_time", "0"), func(c *Connection) any { return c.RekeyTime }, time.Duration(0), ""},
		{conn("rekey_time", "1hh"), nil, nil, "connections.a.rekey_time is"}, {conn("rekey_time", "1_0m"), nil, nil, "connections.a.rekey_time is"},
		{child("dpd_action", "restart"), func(c *Connection) any { return c.Children[0].DPDAction }, policy.StartStart, ""},
		{child("dpd_action", "hold"), func(c *Connection) any { return c.Children[0].DPDAction }, policy.StartTrap, ""},
		{child("close_action", "clear"), func(c *Connection) any { return c.Children[0].CloseAction }, policy.StartNone, ""},
		{child("rekey_packets", "10k"), func(c *Connection) any { return c.Children[0].RekeyPackets }, uint64(10000), ""},
		{child("rekey_bytes", "1G"), func(c *Connection) any { return c.Children[0].RekeyBytes }, uint64(1 << 30), ""},
		{child("mode", "transport"), nil, nil, `connections.a.children.net.mode = "transport" is not supported by this version`},
		{child("mode", "drop"), nil, nil, "drop these packets with a firewall"}, {child("mode", "pass"), nil, nil, "leave its networks out of remote_ts of the others"},
		{conn("if_id_out", "42"), nil, nil, "write into remote_ts what is to go into the tunnel"}, {child("if_id_in", "42"), nil, nil, "write into remote_ts what is to go into the tunnel"},
		{child("label", "x:y:z"), nil, nil, "if all packets between local_ts and remote_ts"}, {child("policies", "no"), nil, nil, "if all packets between local_ts and remote_ts"},
		{child("mark_in", "0/0x0"), nil, nil, ""}, {child("mark_in", "42"), nil, nil, "connections.a.children.net.mark_in is not supported by this version"},
		{child("mark_in", "%unique"), nil, nil, "connections.a.children.net.mark_in is not supported by this version"},
		{child("set_mark_out", "0"), nil, nil, ""}, {child("hw_offload", "auto"), nil, nil, ""}, {child("hw_offload", "yes"), nil, nil, "children.net.hw_offload is not supported"},
		{child("policies", "yes"), nil, nil, ""}, {child("policies", "no"), nil, nil, "children.net.policies is not supported by this version"},
		{child("ipcomp", "no"), nil, nil, ""}, {child("ipcomp", "yes"), nil, nil, "children.net.ipcomp is not supported by this version (IPComp)"},
		{child("inactivity", "0s"), nil, nil, ""}, {child("inactivity", "5m"), nil, nil, "children.net.inactivity is not supported by this version"},
		{child("copy_dscp", "out"), nil, nil, ""}, {child("copy_dscp", "yes"), nil, nil, `children.net.copy_dscp = "yes" is not supported by this version`},
		{child("label_mode", "system"), nil, nil, ""}, {child("sha256_96", "no"), nil, nil, ""}, {child("interface", ""), nil, nil, ""},
		{child("tfc_padding", "mtu"), nil, nil, `children.net.tfc_padding = "mtu" is not supported by this version`},
		{side("remote", "eap_id", "%any"), nil, nil, ""}, {side("local", "auth", "psk"), func(c *Connection) any { return c.Local.Method }, policy.AuthPSK, ""},
		{side("remote", "auth", "pubkey-sha256"), nil, nil, `connections.a.remote.auth = "pubkey-sha256" is not supported by this version`},
		{side("local", "xauth_id", "x"), nil, nil, "connections.a.local.xauth_id is not supported by this version (IKEv1)"},
	} {
		m := new(vici.Message)
		a := m.Sub("a").SetList("remote_addrs", "198.51.100.1")
		a.Sub("local").Set("id", "gw.example")
		a.Sub("remote").Set("id", "peer.example")
		a.Sub("children").Sub("net").SetList("remote_ts", "10.2.0.0/16")
		tt.edit(a)
		c, errs := loading(t, file, sent(t, m))
		switch {
		case tt.err == "" && len(errs) > 0:
			t.Errorf("%s: %v", a, errs)
		case tt.err != "" && (len(errs) != 1 || !strings.Contains(errs[0].String(), tt.err)):
			t.Errorf("%s: %v, want %s", a, errs, tt.err)
		case tt.is != nil && tt.is(c.Connection("a")) != tt.want:
			t.Errorf("%s: it is %v, want %v", a, tt.is(c.Connection("a")), tt.want)
		}
	}
}

// TestSwanctlLacks: a connection without what it needs, or that can't do what it says, is loaded as strongSwan loads it, with a warning.
func TestSwanctlLacks(t *testing.T) {
	file, err := Parse("x.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		edit func(*vici.Message)
		want string
	}{
		{func(m *vici.Message) {}, `there is no certificate with a private key for "gw.example"`},
		{func(m *vici.Message) {}, `nothing says which CAs connections.a accepts of its peer`},
		{func(m *vici.Message) { m.Section("local").Set("auth", "psk"); m.Section("remote").Set("auth", "psk") }, `there is no secret for connections.a, and none names "peer.example"`},
		{func(m *vici.Message) { m.SetList("pools", "nowhere") }, `connections.a.pools names "nowhere", and there is no such pool`},
		{func(m *vici.Message) { m.Set("ppk_id", "p1") }, `there is no key for connections.a.ppk_id "p1"`},
		{func(m *vici.Message) {
			m.SetList("remote_addrs", "%any")
			m.Section("children", "net").Set("start_action", "trap")
		}, `start_action is "trap", but connections.a has no remote address to start with`},
		{func(m *vici.Message) { m.Section("remote").Set("auth", "eap-radius") }, `has its users checked by RADIUS, and there is no server`},
		{func(m *vici.Message) { m.Section("remote").Set("auth", "eap-mschapv2") }, `there are no users: connections.a lets nobody in`},
	} {
		m := new(vici.Message)
		a := m.Sub("a").SetList("remote_addrs", "198.51.100.1")
		a.Sub("local").Set("id", "gw.example")
		a.Sub("remote").Set("id", "peer.example")
		a.Sub("children").Sub("net").SetList("remote_ts", "10.2.0.0/16")
		tt.edit(a)
		c, errs := loading(t, file, sent(t, m))
		if len(errs) > 0 || !slices.ContainsFunc(c.Warnings, func(p Problem) bool { return strings.Contains(p.What, tt.want) }) {
			t.Errorf("%s: %v, %v\nwant a warning with %s", a, errs, c.Warnings, tt.want)
		}
	}
}
