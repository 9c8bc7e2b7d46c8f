package strongswan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esplanade/config/migrate"
	"esplanade/config/swanctl"
	"esplanade/config/tree"
)

// A child with everything that goes by routes to a device would take all of the host's traffic here.
func TestRouted(t *testing.T) {
	for _, c := range []struct {
		remote, key, id string
		want            bool
	}{
		{"0.0.0.0/0", "if_id_out", "1337", true},
		{"0.0.0.0/0", "mark_in", "%unique", true},
		{"0.0.0.0/0", "interface", "eth1", true},
		{"10.1.0.0/16, ::/0", "if_id_in", "0x2a", true},
		{"0.0.0.0/1, 128.0.0.0/1", "if_id_in", "42", true},
		{"0.0.0.0-255.255.255.255", "if_id_in", "42", true},
		{"0.0.0.1-223.255.255.255[tcp]", "if_id_in", "42", true},
		{"0.0.0.0/0[tcp/443]", "if_id_in", "42", true},
		{"2000::/3", "if_id_in", "42", true},
		{"0.0.0.0/0", "if_id_in", "0", false},
		{"0.0.0.0/0", "reqid", "5", false},
		{"10.1.0.0/16", "if_id_out", "1337", false},
		{"10.0.0.0/8, fc00::/7, 10.0.0.0-10.255.255.255, 192.0.2.1, dynamic", "if_id_out", "1337", false},
		{"", "if_id_out", "1337", false},
	} {
		from, with := tree.New("test"), tree.New("test")
		from.AddText("remote_ts", c.remote)
		with.AddText(c.key, c.id)
		if f := routed(from, with); (f != nil) != c.want {
			t.Errorf("%q with %s = %s of the connection: %v", c.remote, c.key, c.id, f)
		}
		from.AddText(c.key, c.id)
		if f := routed(from, tree.New("test")); (f != nil) != c.want {
			t.Errorf("%q with %s = %s: %v", c.remote, c.key, c.id, f)
		}
	}
}

// TestTakesNoMore: what a child takes is never more than it took, and what its connection says counts for it.
func TestTakesNoMore(t *testing.T) {
	for _, c := range []struct{ connection, child, left string }{
		{"if_id_in = 42", "remote_ts = 0.0.0.0/0", "if_id_in = 42"},
		{"if_id_out = 42", "remote_ts = 0.0.0.0/1,128.0.0.0/1", "if_id_out = 42"},
		{"", "remote_ts = 10.1.0.0/16\n policies = no", "policies = no"},
		{"", "remote_ts = 10.1.0.0/16\n label = system_u:object_r:x_t:s0", "label = system_u"},
		{"", "remote_ts = 10.1.0.0/16\n mode = drop", "out in the clear: drop it with a firewall"},
		{"", "remote_ts = 10.1.0.0/16\n mode = pass", "leave it out of that one's remote_ts"},
		{"", "remote_ts = 10.1.0.0/16\n mode = transport", "only the mode tunnel"},
	} {
		r := oneChild(t, c.connection, c.child)
		if strings.Contains(r.TOML(), "[connections.a") || len(r.Left) != 1 || !strings.Contains(r.Left[0].String(), c.left) {
			t.Errorf("%s { %s }: %v\n%s", c.connection, c.child, r.Left, r.TOML())
		}
	}
}

// TestGroupsOfCertificates: groups that are not those of users would let in everybody.
func TestGroupsOfCertificates(t *testing.T) {
	for auth, kept := range map[string]bool{"auth = pubkey": false, "": false, "auth = psk": false, "auth = eap-radius": true, "auth = eap-mschapv2": true} {
		dir := t.TempDir()
		text := "connections {\n a {\n local {\n auth = pubkey\n }\n remote {\n groups = staff\n " + auth + "\n }\n }\n}\n"
		if err := os.WriteFile(filepath.Join(dir, "swanctl.conf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Import(dir, "", migrate.Options{Files: swanctl.Disk{}})
		if err != nil || strings.Contains(r.TOML(), `groups = "staff"`) != kept || strings.Contains(r.TOML(), "[connections.a") != kept {
			t.Errorf("%q: %v, %v\n%s", auth, err, r.Left, r.TOML())
		}
	}
}

// TestWordsOfStrongSwan: words in capitals and times with spaces are those that strongSwan reads. One that it does not read is its default here,
// and not ours, with which the tunnel would come up.
func TestWordsOfStrongSwan(t *testing.T) {
	for _, c := range []struct{ connection, child, want string }{
		{"", "start_action = Trap", `start_action = "trap"`},
		{"", "start_action = Trap|Start", `start_action = "start"`},
		{"", "start_action = sometimes", `start_action = "none"`},
		{"", "mode = Tunnel", `[connections.a.children.net]`},
		{"encap = perhaps", "", `encap        = false`},
		{"unique = Replace", "", `unique       = "replace"`},
		{"fragmentation = Force", "", `= true`},
		{"rekey_time = 1H", "", `rekey_time   = "1h"`},
		{"rekey_time = 90 m", "", `rekey_time   = "90m"`},
		{"rekey_time = 0x1e", "", `rekey_time   = "30s"`},
		{"rekey_time = 010m", "", `rekey_time   = "8m"`},
		{"", "rekey_bytes = 1 G", `rekey_bytes  = "1GiB"`},
	} {
		if toml := oneChild(t, c.connection, c.child).TOML(); !strings.Contains(toml, c.want) {
			t.Errorf("%s { %s }: there is no %s in\n%s", c.connection, c.child, c.want, toml)
		}
	}
}

// oneChild is what is made of a connection with a child, with keys of both.
func oneChild(t *testing.T, connection, child string) *migrate.Result {
	t.Helper()
	dir := t.TempDir()
	text := "connections {\n a {\n remote_addrs = 192.0.2.1\n" + connection + "\n local {\n auth = psk\n }\n remote {\n auth = psk\n }\n children {\n net {\n" + child + "\n }\n }\n }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "swanctl.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Import(dir, "", migrate.Options{Files: swanctl.Disk{}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
