package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// swanctlFolder writes a folder of swanctl with a connection, and an empty strongswan.conf beside it.
func (l *lab) swanctlFolder(more string) (folder, daemon string) {
	l.t.Helper()
	folder = l.path("swanctl")
	if err := os.MkdirAll(filepath.Join(folder, "conf.d"), 0o700); err != nil {
		l.t.Fatal(err)
	}
	l.write("swanctl/swanctl.conf", "include conf.d/*.conf\n"+more)
	l.write("swanctl/conf.d/office.conf", `connections {
  office {
    remote_addrs = 198.51.100.1
    local { auth = psk
    }
    remote { auth = psk
    }
    children {
      net {
        local_ts = 10.1.0.0/24
        remote_ts = 10.2.0.0/24
        start_action = trap
      }
    }
  }
}
secrets {
  ike-office {
    secret = "`+testPSK+`"
  }
}
`)
	return folder, l.write("strongswan.conf", "charon {\n  port = 1500\n  interfaces_use = eth0\n}\n")
}

// TestCheckSwanctl: a folder of swanctl is checked with strongswan.conf and a file above, and every key says where it comes from.
func TestCheckSwanctl(t *testing.T) {
	l := newLab(t)
	folder, daemon := l.swanctlFolder("")
	above := l.write("above.toml", "[ike]\nport_nat_t = 4600\n[tun]\nname = \"vpn7\"\n")
	code, stdout, stderr := cli("check", "--swanctl", folder, "--strongswan-conf", daemon, "-c", above, "--explain")
	if code != exitOK || strings.Contains(stdout+stderr, testPSK) {
		t.Fatalf("%d, %s, %s", code, stdout, stderr)
	}
	conf := filepath.Join(folder, "swanctl.conf")
	for _, want := range []string{
		conf + " is valid: office/net (trap)\n",
		"\nname = \"vpn7\" ", above + ":4\n",
		"\nport = 1500 ", daemon + ":2\n",
		"\nport_nat_t = 4600 ", above + ":2\n",
		"\nsocket = \"/var/run/charon.vici\" ",
		"\n[connections.office]\n", filepath.Join(folder, "conf.d/office.conf") + ":3\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if want := "warning: " + daemon + ":3:3: charon.interfaces_use is left out"; !strings.Contains(stderr, want) {
		t.Errorf("no %q in\n%s", want, stderr)
	}
}

// TestCheckSwanctlErrors: what is wrong has its place, in whichever file it is; what can't be read has its name.
func TestCheckSwanctlErrors(t *testing.T) {
	l := newLab(t)
	folder, daemon := l.swanctlFolder("connections {\n  other {\n    version = 1\n    mobike = maybe\n  }\n}\n")
	conf := filepath.Join(folder, "swanctl.conf")
	bad := l.write("bad.conf", "charon {\n  port = many\n}\n")
	open := l.write("open.conf", "charon {\n")
	for _, tt := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"--swanctl", folder, "--strongswan-conf", daemon}, exitFailed, []string{conf + ":4:", conf + ":5:"}},
		{[]string{"--swanctl", folder, "--strongswan-conf", bad}, exitFailed, []string{bad + ":2:10: ike.port"}},
		{[]string{"--swanctl", folder, "--strongswan-conf", open}, exitFailed, []string{open + ":1:1: this section is never closed"}},
		{[]string{"--swanctl", folder, "--strongswan-conf", l.path("none")}, exitFailed, []string{"cannot read the configuration " + l.path("none") + ": no such file"}},
		{[]string{"--swanctl", folder, "--strongswan-conf", daemon, "-c", l.path("none")}, exitFailed, []string{"cannot read the configuration " + l.path("none") + ": no such file"}},
		{[]string{"--swanctl", l.path("none"), "--strongswan-conf", daemon}, exitFailed, []string{"cannot read the configuration " + l.path("none/swanctl.conf") + ": no such file"}},
		{[]string{"--swanctl", ""}, exitUsage, []string{"--swanctl needs the name of a folder"}},
		{[]string{"--strongswan-conf", daemon}, exitUsage, []string{"--strongswan-conf goes with --swanctl"}},
	} {
		code, stdout, stderr := cli(append([]string{"check"}, tt.args...)...)
		if code != tt.code {
			t.Errorf("%v: exit code %d, %s%s", tt.args, code, stdout, stderr)
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: no %q in\n%s", tt.args, want, stderr)
			}
		}
		if strings.Contains(stdout+stderr, testPSK) {
			t.Errorf("%v: the secret is shown: %s%s", tt.args, stdout, stderr)
		}
	}
}
