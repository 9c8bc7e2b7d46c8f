package contest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"esplanade/bench/report"
	"esplanade/integration/lab"
)

// Debian's packages of strongSwan; the plugin kernel-libipsec is in the last one.
const swanPackages = "Debian: charon-systemd strongswan-swanctl libcharon-extra-plugins libcharon-extauth-plugins libstrongswan-extra-plugins"

// swanDevice is what kernel-libipsec calls its TUN device.
const swanDevice = "ipsec0"

// StrongSwan is strongSwan with the plugin that does ESP in user space.
func StrongSwan(version string) *Contestant {
	return &Contestant{
		Contestant: report.Contestant{Key: report.KeySwan, Title: "strongSwan kernel-libipsec", Version: version, Cipher: "AES-128-GCM"},
		Device:     swanDevice,
		Programs:   map[string]string{"charon-systemd": swanPackages, "swanctl": swanPackages},
		start: func(ctx context.Context, l *lab.Lab, t *Tunnel) (err error) {
			// The responder first.
			if t.B, err = startSwan(ctx, l, l.B); err != nil {
				return err
			}
			if t.A, err = startSwan(ctx, l, l.A); err != nil {
				return err
			}
			_, _, err = l.A.Output(ctx, swanctl(filepath.Join(l.A.Dir, "swan"), "--initiate", "--child", "net", "--timeout", "15"))
			return err
		},
	}
}

// startSwan starts the daemon on a host and loads its configuration.
func startSwan(ctx context.Context, l *lab.Lab, s *lab.Site) (*lab.Process, error) {
	dir, err := siteDir(s, "swan")
	if err != nil {
		return nil, err
	}
	o := l.Other(s)
	return StartStrongSwan(ctx, s, dir, SwanOptions{Connection: fmt.Sprintf(`local_addrs = %s
    remote_addrs = %s
    local {
      auth = psk
      id = %[1]s
    }
    remote {
      auth = psk
      id = %[2]s
    }
    children {
      net {
        local_ts = %s
        remote_ts = %s
        esp_proposals = aes128gcm16
      }
    }`, s.Outer4, o.Outer4, s.Net4, o.Net4)})
}

// SwanOptions are what differs between uses of strongSwan.
type SwanOptions struct {
	// Daemon are lines of strongswan.conf's section of the daemon.
	Daemon string
	// Connection are lines of the one connection in swanctl.conf.
	Connection string
	// Secrets are sections of its secrets, Tables further sections of the file.
	Secrets, Tables string
	// Plugins are loaded in addition to those that all need.
	Plugins string
}

// StartStrongSwan runs charon-systemd on a host with one connection; dir is its own. The process is given also with an error.
func StartStrongSwan(ctx context.Context, s *lab.Site, dir string, o SwanOptions) (*lab.Process, error) {
	conf := fmt.Sprintf(`charon-systemd {
  load = random nonce openssl aes aesni sha1 sha2 hmac kdf gcm curve25519 pem pkcs1 pkcs8 x509 pubkey kernel-libipsec kernel-netlink socket-default vici updown %s
%s
  plugins {
    vici {
      socket = unix://%s/vici
    }
    kernel-libipsec {
      allow_peer_ts = yes
    }
  }
}
`, o.Plugins, o.Daemon, dir)
	conns := fmt.Sprintf(`connections {
  bench {
    version = 2
    proposals = %s
    encap = yes
    %s
  }
}
secrets {
  ike-bench {
    secret = %q
  }
%s}
%s`, IKEProposal, o.Connection, PSK, o.Secrets, o.Tables)
	for _, sub := range []string{"conf.d", "x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private", "rsa", "ecdsa",
		"pkcs8", "pkcs12"} {
		if err := os.MkdirAll(filepath.Join(dir, "swanctl", sub), 0o700); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{"strongswan.conf": conf, "swanctl/swanctl.conf": conns} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	p, err := s.Start("charon-systemd", lab.Command{Args: []string{"charon-systemd"}, Env: swanEnv(dir)})
	if err != nil {
		return nil, err
	}
	if err := waitFile(ctx, p, filepath.Join(dir, "vici")); err != nil {
		return p, err
	}
	if out, _, err := s.Output(ctx, swanctl(dir, "--load-all")); err != nil {
		return p, fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return p, nil
}

func swanEnv(dir string) []string {
	return []string{"STRONGSWAN_CONF=" + filepath.Join(dir, "strongswan.conf"), "SWANCTL_DIR=" + filepath.Join(dir, "swanctl")}
}

func swanctl(dir string, args ...string) lab.Command {
	return lab.Command{Args: append(append([]string{"swanctl"}, args...), "--uri", "unix://"+filepath.Join(dir, "vici")), Env: swanEnv(dir)}
}
