package contest

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"esplanade/bench/report"
	"esplanade/integration/lab"
)

const (
	wgDevice = "wg0"
	wgPort   = 51820
	// wgMTU is what wg-quick chooses for a path of 1500.
	wgMTU = "1420"
	// wgRun is where wireguard-go makes its control socket; each gateway gets one of its own there.
	wgRun = "/var/run"
)

// WireGuard is wireguard-go, built from the module that go.mod names.
func WireGuard(binary, version string) *Contestant {
	return &Contestant{
		Contestant: report.Contestant{Key: report.KeyWireGuard, Title: "wireguard-go", Version: version, Cipher: "ChaCha20-Poly1305"},
		Device:     wgDevice,
		start: func(ctx context.Context, l *lab.Lab, t *Tunnel) error {
			var keys [2]*ecdh.PrivateKey
			for i := range keys {
				k, err := ecdh.X25519().GenerateKey(rand.Reader)
				if err != nil {
					return err
				}
				keys[i] = k
			}
			for i, s := range l.Sites() {
				dir, err := siteDir(s, "wg")
				if err != nil {
					return err
				}
				if err := os.Mkdir(filepath.Join(dir, "wireguard"), 0o700); err != nil {
					return err
				}
				p, err := s.Start("wireguard-go", lab.Command{
					Args:      []string{"sh", "-c", `mount --bind "$1" ` + wgRun + ` && exec "$2" -f ` + wgDevice, "sh", dir, binary},
					OwnMounts: true,
				})
				if err != nil {
					return err
				}
				if i == 0 {
					t.A = p
				} else {
					t.B = p
				}
				socket := filepath.Join(dir, "wireguard", wgDevice+".sock")
				if err := waitFile(ctx, p, socket); err != nil {
					return err
				}
				o := l.Other(s)
				if err := wgSet(socket, keys[i], keys[1-i].PublicKey(), o); err != nil {
					return err
				}
				if err := s.IP("link set "+wgDevice+" mtu "+wgMTU+" up",
					"route add "+o.Net4.String()+" dev "+wgDevice+" src "+s.Inner4.String()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// wgSet configures a device over its control socket, as https://www.wireguard.com/xplatform/ describes.
func wgSet(socket string, own *ecdh.PrivateKey, peer *ecdh.PublicKey, other *lab.Site) error {
	c, err := net.DialTimeout("unix", socket, startLimit)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(startLimit)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c, "set=1\nprivate_key=%s\nlisten_port=%d\npublic_key=%s\nendpoint=%s:%d\nallowed_ip=%s\n\n",
		hex.EncodeToString(own.Bytes()), wgPort, hex.EncodeToString(peer.Bytes()), other.Outer4, wgPort, other.Net4)
	if err != nil {
		return err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "errno=0" {
		return fmt.Errorf("wireguard-go answers %q", answer)
	}
	return nil
}
