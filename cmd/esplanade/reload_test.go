package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"esplanade/ike/vici"
)

// gatewayStatus is the part of `status --json` about the gateway.
func gatewayStatus(t *testing.T, n *node) vici.GatewayStatus {
	t.Helper()
	code, stdout, stderr := cli("status", "--json", "--socket", n.socket)
	var r statusReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %s, %v", code, stderr, err)
	}
	return r.Gateway
}

// TestReload: what did not change goes on, what is new is there, and status and metrics say when.
func TestReload(t *testing.T) {
	l := newLab(t)
	left, right := l.pair(nil)
	before := gatewayStatus(t, left).LoadedAt

	text := l.text(leftSide(right.natt()))
	more := `
[connections.second]
local_addrs = ["127.0.0.1"]
remote_addrs = ["%any"]
[connections.second.local]
auth = "psk"
id = "left.example"
[connections.second.remote]
auth = "psk"
id = "second.example"
[connections.second.children.net]
local_ts = ["10.1.0.1/32"]
remote_ts = ["10.9.0.0/24"]
[secrets.ike.second]
id = ["second.example"]
secret = "` + testPSK + `"
`
	l.write("left.toml", "[log]\nlevel = \"warn\"\n"+text+more)
	// As `swanctl --reload-settings` asks for it.
	c, err := vici.DialContext(t.Context(), left.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Call(t.Context(), "reload-settings", nil); err != nil {
		t.Fatal(err)
	}
	after := gatewayStatus(t, left)
	if !after.LoadedAt.After(before) || after.ReloadError != "" || after.Config != left.conf.File {
		t.Errorf("%+v", after)
	}
	if left.level.Level().String() != "WARN" {
		t.Errorf("the log has the level %s", left.level.Level())
	}
	if strings.Contains(left.log.String(), "takes effect after a restart") {
		t.Errorf("nothing has to wait for a restart:\n%s", left.log)
	}
	m := scrape(t, left)
	if value(t, m, "ipsec_config_last_reload_successful") != 1 || value(t, m, "ipsec_connection_configured", "connection=second") != 1 ||
		value(t, m, "ipsec_config_last_reload_success_timestamp_seconds") != float64(after.LoadedAt.UnixMilli())/1000 {
		t.Error("the metrics do not say so")
	}
	echo(t, left, right, "the old tunnel")
	left.seen.mu.Lock()
	defer left.seen.mu.Unlock()
	if left.seen.down != 0 || left.seen.up != 1 || left.seen.childRekeys != 0 {
		t.Errorf("the old tunnel was touched: %d down, %d up", left.seen.down, left.seen.up)
	}
}

// TestReloadRefused: whatever is wrong, the old configuration stays in force, and log, status and metrics say why.
func TestReloadRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(l *lab, file, text string)
		want   []string // in the error
	}{
		{"two errors", func(l *lab, _, text string) {
			text = strings.Replace(text, "secret =", "secrte =", 1)
			l.write("right.toml", strings.Replace(text, `auth = "psk"`, `auth = "pks"`, 1))
		}, []string{"unknown key secrets.ike.lab.secrte", `auth is "pks"`}},
		{"no TOML", func(l *lab, _, _ string) { l.write("right.toml", "[[[") }, []string{"right.toml:1:"}},
		{"no file", func(_ *lab, file, _ string) { os.Remove(file) }, []string{"cannot read the configuration", "no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			n := l.start(rightSide())
			before := gatewayStatus(t, n).LoadedAt
			c.change(l, n.conf.File, l.text(rightSide()))

			_, err := n.reload(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			s := gatewayStatus(t, n)
			if !s.LoadedAt.Equal(before) {
				t.Error("status says that it was loaded")
			}
			t.Setenv("COLUMNS", "5000")
			code, text, _ := cli("status", "lab", "--socket", n.socket)
			if code != exitOK || !strings.Contains(text, "\nlab: down") {
				t.Errorf("the old connection is not there: %s", text)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) || !strings.Contains(s.ReloadError, want) || !strings.Contains(text, want) ||
					!strings.Contains(strings.ReplaceAll(n.log.String(), `\"`, `"`), want) {
					t.Errorf("%q is not in one of:\n%v\n%s\n%s\n%s", want, err, s.ReloadError, text, n.log)
				}
			}
			if !strings.Contains(text, "  RELOADING FAILED, and nothing was changed: what was loaded before stays in force:\n    ") {
				t.Errorf("not in the status: %s", text)
			}
			if value(t, scrape(t, n), "ipsec_config_last_reload_successful") != 0 {
				t.Error("not in the metrics")
			}

			// The next good one clears it.
			l.write("right.toml", l.text(rightSide()))
			if _, err := n.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s := gatewayStatus(t, n); s.ReloadError != "" || value(t, scrape(t, n), "ipsec_config_last_reload_successful") != 1 {
				t.Errorf("still there: %s", s.ReloadError)
			}
		})
	}
}

// TestReloadNamesWhatHasToWait: what can't change while the process runs is named in the log.
func TestReloadNamesWhatHasToWait(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{`device = "netstack"`, "device = \"netstack\"\nmtu = 1300", "[tun]"},
		{"retransmit_tries = 2", "retransmit_tries = 2\nport_nat_t = 4501", "ike.port_nat_t"},
		{`local_addrs = ["127.0.0.1"]`, `local_addrs = ["127.0.0.2"]`, "connections.lab.local_addrs (127.0.0.2)"},
		{"[control]", "[log]\nformat = \"json\"\n[control]", "[log]"},
		{"retransmit_tries = 2", "retransmit_tries = 2\nlocal_routes = \"tunnel\"", "ike.local_routes"},
		{"retransmit_tries = 2", "retransmit_tries = 2\nqcd_secret_file = \"/nowhere/qcd.secret\"", "ike.qcd_secret_file"},
	} {
		t.Run(c.want, func(t *testing.T) {
			l := newLab(t)
			n := l.start(rightSide())
			l.write("right.toml", strings.Replace(l.text(rightSide()), c.from, c.to, 1))
			if _, err := n.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if log := n.log.String(); !strings.Contains(log, `msg="reload: takes effect after a restart only" what="`+c.want+`"`) &&
				!strings.Contains(log, `msg="reload: takes effect after a restart only" what=`+c.want+"\n") {
				t.Errorf("no word about %s:\n%s", c.want, log)
			}
		})
	}
}
