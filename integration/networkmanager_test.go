//go:build linux

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// networkManager is NetworkManager with charon-nm, which its plugin for strongSwan is, on a host. It has a bus of its own, and /etc/NetworkManager is a folder of
// the host's. ESP is in user space, as with the other strongSwans of the lab.
type networkManager struct {
	t       *testing.T
	site    *lab.Site
	dir     string
	address string // of the bus
}

// charonNM is where the plugin's daemon is.
const charonNM = "/usr/lib/ipsec/charon-nm"

// nmBus lets anybody on the bus do anything.
const nmBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow send_type="method_call"/> <allow send_type="signal"/>
    <allow receive_type="method_call"/> <allow receive_type="signal"/> <allow receive_type="method_return"/> <allow receive_type="error"/>
  </policy>
</busconfig>
`

// nmConf leaves the host's addresses, routes and DNS servers as they are, but for what a VPN brings.
const nmConf = `[main]
plugins = keyfile
dns = none
rc-manager = unmanaged
no-auto-default = *
auth-polkit = false
[keyfile]
unmanaged-devices = except:interface-name:%s
`

const nmCharon = `charon-nm {
  load = random nonce openssl aes sha1 sha2 hmac kdf gcm curve25519 pem pkcs1 pkcs8 x509 constraints pubkey kernel-libipsec kernel-netlink socket-default eap-identity eap-mschapv2 md4
  plugins {
    kernel-libipsec {
      allow_peer_ts = yes
    }
    kernel-netlink {
      fwmark = !0x42
    }
    socket-default {
      fwmark = 0x42
    }
  }
  filelog {
    log {
      path = %s
      flush_line = yes
      append = yes
      default = 1
    }
  }
}
`

// nmScript has the folders of NetworkManager be those of a host. A /sys that can't be written keeps it from waiting for udev, which there is none of.
const nmScript = `set -e
mount -t tmpfs none /run
mount -t sysfs -o ro sysfs /sys
mount --bind "$1/etc" /etc/NetworkManager
mount --bind "$1/var" /var/lib/NetworkManager
exec NetworkManager --debug
`

// newNetworkManager runs one on a site of the lab.
func newNetworkManager(t *testing.T, s *lab.Site) *networkManager {
	t.Helper()
	n := &networkManager{t: t, site: s, dir: filepath.Join(s.Dir, "nm")}
	n.address = "unix:path=" + filepath.Join(n.dir, "bus")
	for _, d := range []string{"etc/system-connections", "etc/certs", "etc/conf.d", "etc/VPN", "var"} {
		if err := os.MkdirAll(filepath.Join(n.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	n.write("bus.conf", fmt.Sprintf(nmBus, filepath.Join(n.dir, "bus")))
	n.write("strongswan.conf", fmt.Sprintf(nmCharon, filepath.Join(n.dir, "charon.log")))
	n.write("etc/NetworkManager.conf", fmt.Sprintf(nmConf, s.Link))
	n.write("etc/VPN/nm-strongswan-service.name", "[VPN Connection]\nname=strongswan\nservice=org.freedesktop.NetworkManager.strongswan\nprogram="+charonNM+"\n")
	n.run("bus", lab.Command{Args: []string{"dbus-daemon", "--config-file=" + filepath.Join(n.dir, "bus.conf"), "--nofork", "--nopidfile"}})
	lab.Eventually(t, 10*time.Second, "the bus", func() (bool, string) {
		_, err := os.Stat(filepath.Join(n.dir, "bus"))
		return err == nil, fmt.Sprint(err)
	})
	p := n.run("NetworkManager", lab.Command{Args: []string{"sh", "-c", nmScript, "sh", n.dir}, OwnMounts: true})
	lab.Eventually(t, 20*time.Second, "NetworkManager has taken the link as it is", func() (bool, string) {
		out, err := n.nmcli("--terse", "--fields", "device,state", "device")
		return err == nil && strings.Contains(out, s.Link+":connected"), out + p.Tail()
	})
	return n
}

// run starts a program that ends with the test, in which nothing but NetworkManager is a child of it.
func (n *networkManager) run(name string, c lab.Command) *lab.Process {
	n.t.Helper()
	c.Env = append(c.Env, "DBUS_SYSTEM_BUS_ADDRESS="+n.address, "STRONGSWAN_CONF="+filepath.Join(n.dir, "strongswan.conf"))
	p, err := n.site.Start(name, c)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := p.Stop(10 * time.Second); err != nil {
			p.Kill()
		}
		if n.t.Failed() {
			n.t.Logf("%s, end of the log:\n%s", name, p.Tail())
		}
	})
	return p
}

func (n *networkManager) write(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// nmcli runs a command of it.
func (n *networkManager) nmcli(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(n.t.Context(), 40*time.Second)
	defer cancel()
	return n.site.RunContext(ctx, lab.Command{Args: append([]string{"nmcli"}, args...), Env: []string{"DBUS_SYSTEM_BUS_ADDRESS=" + n.address}})
}

// charonLog is what the plugin says.
func (n *networkManager) charonLog() string {
	b, err := os.ReadFile(filepath.Join(n.dir, "charon.log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestExportNetworkManager: NetworkManager with its plugin for strongSwan comes in with the keyfiles that export has written, unmodified: as a user with a
// password, and with a certificate. It gets an address, reaches what the pool names, and goes again.
func TestExportNetworkManager(t *testing.T) {
	t.Parallel()
	lab.NeedRoot(t, "NetworkManager", "nmcli", "dbus-daemon", charonNM)
	w := newExportWorld(t)
	w.gw.Start(t)
	n := newNetworkManager(t, w.p.A)
	laptop := w.root.issue("road.example.org", "p256")
	n.write("etc/certs/road.example.org.crt", string(pemOf(laptop.cert)))
	n.write("etc/certs/road.example.org.key", string(laptop.keyPEM(t)))
	for _, x := range []struct{ connection, who, address string }{
		{"people", "bob@people.example", "10.31.0.1"},
		{"road", "road.example.org", "10.30.0.7"},
	} {
		t.Run(x.connection, func(t *testing.T) {
			n.write("etc/certs/"+x.connection+"-ca.crt", string(pemOf(w.root.cert)))
			file := filepath.Join(n.dir, "etc/system-connections", x.connection+".nmconnection")
			if said, err := w.gw.Offline("export", "networkmanager", "--with-secret", "-c", w.gw.ConfigPath(), "--gateway", w.p.B.Outer(false).String(), "-o", file, x.connection, x.who); err != nil {
				t.Fatal(said, err)
			}
			out, err := n.nmcli("connection", "load", "/etc/NetworkManager/system-connections/"+filepath.Base(file))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			name, err := n.nmcli("--terse", "--fields", "name,type", "connection")
			id := ""
			for line := range strings.Lines(name) {
				if before, ok := strings.CutSuffix(strings.TrimSpace(line), ":vpn"); ok && strings.Contains(before, x.connection) {
					id = before
				}
			}
			if id == "" {
				t.Fatalf("no connection: %s, %v", name, err)
			}
			if out, err := n.nmcli("connection", "up", id, "ifname", w.p.A.Link); err != nil {
				t.Fatalf("%v\n%s\n%s\n%s", err, out, n.charonLog(), w.gw.Log())
			}
			lab.Eventually(t, 10*time.Second, "a ping from "+x.address, func() (bool, string) {
				out, err := w.p.A.Run("ping", "-c1", "-W1", "-I", x.address, w.p.B.Inner4.String())
				return err == nil, out
			})
			sas, err := peer.Swanctl(w.gw, "--list-sas")
			if err != nil || !strings.Contains(sas, x.who) || !strings.Contains(sas, x.address) {
				t.Errorf("the gateway shows %v\n%s", err, sas)
			}
			if out, err := n.nmcli("connection", "down", id); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			lab.Eventually(t, 20*time.Second, "the gateway has no IKE SA", func() (bool, string) {
				sas, err := peer.SAs(w.gw)
				return err == nil && len(sas) == 0, peer.DescribeSAs(w.gw)
			})
		})
	}
}
