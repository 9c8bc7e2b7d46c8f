//go:build linux

package integration

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// The outer addresses of the documents' examples. The inner ones are those of every lab.
const docOuterA, docOuterB = "203.0.113.10", "198.51.100.20"

// bareHosts makes two hosts with nothing but the outer addresses of the documents' examples: no inner address, no forwarding.
func bareHosts(t *testing.T) *lab.Lab {
	t.Helper()
	lab.NeedRoot(t, append(peer.Programs(peer.KindEsplanade, peer.KindStrongSwan), "sysctl")...)
	l := lab.New(t, lab.Options{})
	for _, x := range []struct {
		*lab.Site
		own, other string
	}{{l.A, docOuterA, docOuterB}, {l.B, docOuterB, docOuterA}} {
		if err := x.IP("addr flush dev lo", "addr add 127.0.0.1/8 dev lo", "addr flush dev "+x.Link, "addr add "+x.own+"/32 dev "+x.Link,
			"route add "+x.other+"/32 dev "+x.Link); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Run("sysctl", "-qw", "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0"); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// tomlBlock is the first block of TOML below a heading of a document.
func tomlBlock(t *testing.T, file, heading string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "\n"+heading+"\n")
	m := regexp.MustCompile("(?s)```toml\n(.*?)```").FindStringSubmatch(rest)
	if !ok || m == nil {
		t.Fatalf("%s has no example below %q", file, heading)
	}
	return m[1]
}

// mirrored is the configuration of the other site.
func mirrored(text string) string {
	return strings.NewReplacer(docOuterA, docOuterB, docOuterB, docOuterA, "10.10.0.", "10.20.0.", "10.20.0.", "10.10.0.").Replace(text)
}

// runsOn starts an Esplanade with a configuration as somebody has typed it. Only the control socket is added: the hosts of a lab have one
// file system.
func runsOn(t *testing.T, s *lab.Site, file string) *lab.Process {
	t.Helper()
	path, err := peer.Binary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "\n[control]\nsocket = \""+filepath.Join(s.Dir, "vici")+"\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := s.Start("esplanade", lab.Command{Args: []string{path, "run", "-c", file}, Dir: filepath.Dir(file)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("on %s:\n%s", s.Name, p.Log())
		}
	})
	return p
}

// wantPlainPing pings as somebody at the shell does: the system chooses the source.
func wantPlainPing(t *testing.T, from, to *lab.Site) {
	t.Helper()
	lab.Eventually(t, 30*time.Second, "a ping from "+from.Name+" to "+to.Name, func() (bool, string) {
		var own netip.AddrPort
		if err := from.Do(func() error {
			c, err := net.Dial("udp4", netip.AddrPortFrom(to.Inner4, 9).String()) // sends nothing
			if err != nil {
				return err
			}
			own = c.LocalAddr().(*net.UDPAddr).AddrPort()
			return c.Close()
		}); err != nil {
			return false, err.Error()
		}
		r, err := lab.Ping(lab.Endpoint{Host: from.Host, Addr: own.Addr()}, lab.Endpoint{Host: to.Host, Addr: to.Inner4}, lab.PingOptions{Count: 1, Patience: time.Second})
		if err != nil {
			return false, err.Error()
		}
		return r.Lost() == 0, r.String()
	})
}

// TestBareHosts: what the documents show, and what pair writes, gives a ping between two hosts that have nothing but an outer address,
// typed as it stands.
func TestBareHosts(t *testing.T) {
	l := bareHosts(t)
	path, err := peer.Binary()
	if err != nil {
		t.Fatal(err)
	}
	typed := func(t *testing.T, text string) [2]string {
		t.Helper()
		var files [2]string
		for i, s := range l.Sites() {
			dir := filepath.Join(s.Dir, strings.ReplaceAll(t.Name(), "/", "-"))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			files[i] = filepath.Join(dir, "esplanade.toml")
			for name, text := range map[string]string{"esplanade.toml": text, "office.psk": psk + "\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text = mirrored(text)
		}
		return files
	}
	both := func(t *testing.T, files [2]string) (a, b *lab.Process) {
		t.Helper()
		a, b = runsOn(t, l.A, files[0]), runsOn(t, l.B, files[1])
		wantPlainPing(t, l.A, l.B)
		wantPlainPing(t, l.B, l.A)
		return a, b
	}
	t.Run("README", func(t *testing.T) {
		both(t, typed(t, tomlBlock(t, "../README.md", "## A tunnel between two sites")))
	})
	t.Run("five lines", func(t *testing.T) {
		text := tomlBlock(t, "../docs/configuration.md", "### The short form")
		if n := strings.Count(text, "\n"); n != 5 {
			t.Errorf("it has %d lines", n)
		}
		a, _ := both(t, typed(t, text))
		if !strings.Contains(a.Log(), "it gets 10.10.0.1/32 on ipsec0") {
			t.Errorf("nothing is said of the address that it got:\n%s", a.Log())
		}
		// A LAN comes up: the address may be that of another host there.
		if err := l.A.IP("addr add 10.10.0.50/24 dev lo"); err != nil {
			t.Fatal(err)
		}
		lab.Eventually(t, 20*time.Second, "the address is gone from the device", func() (bool, string) {
			out, err := l.A.Run("ip", "-o", "addr", "show", "dev", "ipsec0")
			return err == nil && !strings.Contains(out, "10.10.0.1"), out
		})
		wantPlainPing(t, l.A, l.B)
		if err := l.A.IP("addr del 10.10.0.50/24 dev lo"); err != nil {
			t.Fatal(err)
		}
	})
	written := func(t *testing.T, more ...string) string {
		t.Helper()
		dir := filepath.Join(l.Dir, "pair"+more[0])
		out, err := l.A.Run(append([]string{path, "pair", "--here", docOuterA + "=10.10.0.0/24", "--there", docOuterB + "=10.20.0.0/24", "--out", dir}, more[1:]...)...)
		if err != nil {
			t.Fatal(err, out)
		}
		return dir
	}
	t.Run("pair", func(t *testing.T) {
		dir := written(t, "")
		both(t, [2]string{filepath.Join(dir, "here", "esplanade.toml"), filepath.Join(dir, "there", "esplanade.toml")})
	})
	t.Run("pair with certificates", func(t *testing.T) {
		dir := written(t, "-certs", "--certs")
		both(t, [2]string{filepath.Join(dir, "here", "esplanade.toml"), filepath.Join(dir, "there", "esplanade.toml")})
	})
	withStrongSwan := func(t *testing.T, dir string) {
		if err := l.B.IP("addr replace " + l.B.Inner4.String() + "/32 dev lo"); err != nil {
			t.Fatal(err)
		}
		strong := peer.New(t, peer.KindStrongSwan, l.B, peer.Gateway{})
		conf, err := os.ReadFile(filepath.Join(dir, "there", "tunnel.conf"))
		if err != nil {
			t.Fatal(err)
		}
		swanctl := filepath.Join(l.B.Dir, "ss", "swanctl")
		if err := os.WriteFile(filepath.Join(swanctl, "swanctl.conf"), conf, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, folder := range map[string]string{"tunnel.crt": "x509", "tunnel-ca.crt": "x509ca", "tunnel.key": "private"} {
			data, err := os.ReadFile(filepath.Join(dir, "there", name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // it has a key of the other kind
			}
			if err := errors.Join(err, os.MkdirAll(filepath.Join(swanctl, folder), 0o700), os.WriteFile(filepath.Join(swanctl, folder, name), data, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		strong.Start(t)
		runsOn(t, l.A, filepath.Join(dir, "here", "esplanade.toml"))
		wantPlainPing(t, l.A, l.B)
	}
	t.Run("pair with strongSwan", func(t *testing.T) { withStrongSwan(t, written(t, "-strongswan", "--peer", "strongswan")) })
	t.Run("pair with certificates and strongSwan", func(t *testing.T) {
		withStrongSwan(t, written(t, "-strongswan-certs", "--peer", "strongswan", "--certs"))
	})
}
