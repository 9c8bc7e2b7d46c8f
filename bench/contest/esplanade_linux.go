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

// espDevice is Esplanade's default name of its device.
const espDevice = "ipsec0"

// Esplanade is the binary with its defaults and one ESP proposal.
func Esplanade(binary, version, espProposal string, c report.Contestant) *Contestant {
	c.Version = version
	return &Contestant{
		Contestant: c,
		Device:     espDevice,
		Brief:      c.Key != report.KeyEsplanade,
		start: func(ctx context.Context, l *lab.Lab, t *Tunnel) (err error) {
			if t.B, err = startEsplanade(ctx, l, l.B, binary, espProposal); err != nil {
				return err
			}
			if t.A, err = startEsplanade(ctx, l, l.A, binary, espProposal); err != nil {
				return err
			}
			socket := filepath.Join(l.A.Dir, "esp", "vici")
			t.status = func(ctx context.Context) (string, error) {
				out, _, err := l.A.Output(ctx, lab.Command{Args: []string{binary, "status", "--verbose", "--socket", socket}})
				return pathLines(string(out)), err
			}
			_, _, err = l.A.Output(ctx, lab.Command{Args: []string{binary, "initiate", "net", "--socket", socket, "--timeout", "15s"}})
			return err
		},
	}
}

// pathLines takes the lines about the data path out of `esplanade status --verbose`: from the one about the device to the end of the
// paragraph.
func pathLines(status string) string {
	_, rest, found := strings.Cut(status, "\ndevice ")
	if !found {
		return ""
	}
	var lines []string
	for line := range strings.Lines("device " + rest) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func startEsplanade(ctx context.Context, l *lab.Lab, s *lab.Site, binary, espProposal string) (*lab.Process, error) {
	dir, err := siteDir(s, "esp")
	if err != nil {
		return nil, err
	}
	o := l.Other(s)
	c := Connection{Local: s.Outer4.String(), Remote: o.Outer4.String(), LocalTS: s.Net4.String(), RemoteTS: o.Net4.String(), ESP: espProposal}
	return StartEsplanade(ctx, s, dir, binary, EsplanadeOptions{Connection: c.String()})
}

// EsplanadeOptions are what differs between uses of Esplanade.
type EsplanadeOptions struct {
	// Daemon are tables of the configuration; Connection are lines of [connections.bench] and the tables below it.
	Daemon, Connection string
	// Env is added to the environment.
	Env []string
}

// StartEsplanade runs Esplanade on a host with one connection; dir is its own. The process is given also with an error.
func StartEsplanade(ctx context.Context, s *lab.Site, dir, binary string, o EsplanadeOptions) (*lab.Process, error) {
	conf := fmt.Sprintf(`[control]
socket = %q
[tun]
name = %q
%s
[connections.bench]
proposals = [%q]
%s
[secrets.ike.bench]
secret = %q
`, filepath.Join(dir, "vici"), espDevice, o.Daemon, IKEProposal, o.Connection, PSK)
	path := filepath.Join(dir, "gw.toml")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	p, err := s.Start("esplanade", lab.Command{Args: []string{binary, "run", "-c", path}, Env: o.Env})
	if err != nil {
		return nil, err
	}
	return p, waitFile(ctx, p, filepath.Join(dir, "vici"))
}
