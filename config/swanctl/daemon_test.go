package swanctl

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/config"
)

const daemonSample = `
charon {
  port = 1500
  port_nat_t = 14500
  retransmit_timeout = 1.5
  retransmit_tries = 4
  retransmit_base = 1.2
  half_open_timeout = 40
  keep_alive = 30s
  cookie_threshold = 20
  init_limit_half_open = 500
  ikesa_limit = 0
  block_threshold = 7
  make_before_break = no
  threads = 32
  load_modular = yes
  install_routes = yes
  send_vendor_id = no
  initiator_only = yes
  dns1 = 192.0.2.53
  interfaces_use = eth0, eth1
  plugins {
    include conf.d/*.conf
    vici { socket = unix:///run/x.vici
      load = yes }
    openssl { fips_mode = 0
    }
    attr { dns = 192.0.2.1
    }
    eap-radius {
      accounting = yes
      accounting_interval = 300
      retransmit_timeout = 3.0
      close_all_on_timeout = yes
      dae { enable = yes
        listen = 192.0.2.9
        secret = zRkW7qv9Lk4Tz8HX
      }
      servers {
        a { address = 192.0.2.1
          secret = zRkW7qv9Lk4Tz8HX
          auth_port = 11812
          preference = 5
        }
        b { address = 192.0.2.2
          secret = zRkW7qv9Lk4Tz8HY
          sockets = 7
        }
      }
    }
  }
  filelog { charon { path = /var/log/charon.log
      default = 1
      ike = 2
      append = no
    } }
  syslog { daemon { default = -1 
    } }
}
charon-systemd {
  port = 2500
  journal { default = 1 
  }
  start-scripts { creds = /usr/sbin/swanctl --load-all --noprompt
    more = /bin/more }
}
swanctl { load = pem
}
libtls { version_min = 1.3
}
charon { group = vpnadmin }
`

// TestReadDaemon: what strongswan.conf says is what our configuration has, from the place where it stands there, and the rest is said once.
func TestReadDaemon(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "strongswan.conf")
	writeFile(t, file, daemonSample)
	writeFile(t, filepath.Join(dir, "conf.d/revocation.conf"), "revocation { load = no\nenable_ocsp = no\n}\n")
	d, err := ReadDaemon(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadOver("", filepath.Join(dir, "swanctl.conf"), d.Settings)
	if err != nil {
		t.Fatal(err)
	}
	type values struct {
		port, natt                       uint16
		timeout, half, keep              time.Duration
		tries, cookie, limit, block, all int
		base                             float64
		mbb                              bool
		socket, group                    string
	}
	got := values{c.IKE.Port, c.IKE.PortNATT, c.IKE.RetransmitTimeout, c.IKE.HalfOpenTimeout, c.IKE.KeepAlive, c.IKE.RetransmitTries, c.IKE.CookieThreshold,
		c.IKE.HalfOpenLimit, c.IKE.BlockThreshold, c.IKE.IKESALimit, c.IKE.RetransmitBase, c.IKE.MakeBeforeBreak, c.Control.Socket, c.Control.Group}
	want := values{2500, 14500, 1500 * time.Millisecond, 40 * time.Second, 30 * time.Second, 4, 20, 500, 7, 16384, 1.2, false, "/run/x.vici", "vpnadmin"}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if at := c.IKE.At("port").String(); at != file+":61:3" {
		t.Errorf("port is at %s", at)
	}
	if c.Log.Level.String() != "DEBUG" {
		t.Errorf("level is %v", c.Log.Level)
	}
	x := c.RADIUS
	if x.NASIdentifier != "strongSwan" || !x.Accounting || x.AccountingInterval != 5*time.Minute || x.RetransmitTimeout != 3*time.Second || !x.DAE.Enable ||
		x.DAE.Listen.String() != "192.0.2.9" || len(x.Servers) != 2 || x.Servers[0].AuthPort != 11812 || x.Servers[0].Preference != 5 || x.Servers[1].Sockets != 7 ||
		x.Servers[1].Address.String() != "192.0.2.2" {
		t.Errorf("radius is %+v", x)
	}
	var warned []string
	for _, w := range d.Warnings {
		at, what, _ := strings.Cut(strings.TrimPrefix(w.String(), dir+"/"), ": ")
		warned = append(warned, at+" "+strings.Fields(what)[0])
	}
	slices.Sort(warned)
	expected := []string{
		"conf.d/revocation.conf:2:1 charon.plugins.revocation.enable_ocsp",
		"strongswan.conf:19:3 charon.initiator_only",
		"strongswan.conf:20:3 charon.dns1",
		"strongswan.conf:21:3 charon.interfaces_use",
		"strongswan.conf:28:12 charon.plugins.attr.dns",
		"strongswan.conf:34:7 charon.plugins.eap-radius.close_all_on_timeout",
		"strongswan.conf:52:13 the",
		"strongswan.conf:65:5 the",
		"strongswan.conf:69:10 libtls.version_min",
	}
	slices.Sort(expected)
	if !slices.Equal(warned, expected) {
		t.Errorf("the warnings are\n%s\nwant\n%s", strings.Join(warned, "\n"), strings.Join(expected, "\n"))
	}
}

// TestReadDaemonDefaults: without strongswan.conf there is charon's socket, and ours for the rest; what is wrong is said where it stands.
func TestReadDaemonDefaults(t *testing.T) {
	t.Setenv(DaemonFileVariable, "")
	empty := filepath.Join(t.TempDir(), "strongswan.conf")
	writeFile(t, empty, "")
	d, err := ReadDaemon(empty)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadOver("", "swanctl.conf", d.Settings)
	if err != nil {
		t.Fatal(err)
	}
	if c.Control.Socket != DefaultSocket || c.IKE.Port != config.DefaultPort || c.RADIUS.NASIdentifier != "esplanade" {
		t.Errorf("%+v", c)
	}

	toml := filepath.Join(t.TempDir(), "x.toml")
	writeFile(t, toml, "[ike]\nport = 700\n[tun]\nname = \"x0\"\n")
	writeFile(t, empty, "charon {\n port = 600\n port_nat_t = 601\n}\n")
	if d, err = ReadDaemon(empty); err != nil {
		t.Fatal(err)
	}
	if c, err = config.LoadOver(toml, "", d.Settings); err != nil {
		t.Fatal(err)
	}
	if c.IKE.Port != 700 || c.IKE.PortNATT != 601 || c.TUN.Name != "x0" || c.File != toml {
		t.Errorf("the file is not above the rest: %+v", c.IKE)
	}

	writeFile(t, empty, "charon {\n port = many\n}\n")
	if d, err = ReadDaemon(empty); err != nil {
		t.Fatal(err)
	}
	if _, err = config.LoadOver("", "swanctl.conf", d.Settings); err == nil || !strings.HasPrefix(err.Error(), empty+":2:9: ike.port") {
		t.Errorf("a wrong port: %v", err)
	}
	writeFile(t, empty, "charon {\n")
	if _, err := ReadDaemon(empty); err == nil || !strings.HasPrefix(err.Error(), empty+":1:1: this section is never closed") {
		t.Errorf("a section that is open: %v", err)
	}
	if _, err := ReadDaemon(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is read")
	}
}
