package handshake

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/credentials"
	"esplanade/bench/initiators"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
	"esplanade/integration/lab"
)

const (
	ikePort, nattPort = 500, 4500
	initiatorDomain   = "initiator.example"
	// warmUp is how many SAs there are before anything is counted: what a daemon loads and allocates once is not the price
	// of an SA.
	warmUp = 50
	// perSA bounds the time for each, so that a responder that hangs does not stop everything.
	perSA = 100 * time.Millisecond
)

var (
	initiatorNet = netip.MustParsePrefix("10.64.0.0/16")
	responderNet = netip.MustParsePrefix("10.20.0.0/24")
)

// responder is one of those that are compared.
type responder struct {
	name, version string
	start         func(ctx context.Context, s *lab.Site, dir string, c *credentials.Set) (*lab.Process, error)
}

// responders are all that this machine has; with a profile, Esplanade alone.
func responders(ctx context.Context, b *contest.Builder, profile string) ([]responder, error) {
	fmt.Fprintln(os.Stderr, "building Esplanade")
	build, daemonEnv := b.Esplanade, []string(nil)
	if profile != "" {
		build, daemonEnv = b.EsplanadeProfiled, []string{contest.ProfileEnv + "=" + profile}
	}
	binary, err := build(ctx)
	if err != nil {
		return nil, err
	}
	rs := []responder{{name: "Esplanade", version: contest.Version(ctx, binary, "version"), start: func(ctx context.Context, s *lab.Site, dir string, c *credentials.Set) (*lab.Process, error) {
		local, remote, secrets := c.Esplanade()
		pools, remoteTS := c.Pool("pools = [\"people\"]\n", initiatorNet)
		return contest.StartEsplanade(ctx, s, dir, binary, contest.EsplanadeOptions{
			Env:    daemonEnv,
			Daemon: secrets + fmt.Sprintf("[log]\nlevel = \"warn\"\n[ike]\ncookie_threshold = %d\ncookie_threshold_ip = %[1]d\nhalf_open_limit = %[1]d\nblock_threshold = %[1]d\nike_sa_limit = %[1]d\nike_sa_limit_id = %[1]d\nchild_sa_limit = %[1]d\nchild_sa_limit_id = %[1]d", maxCount),
			Connection: contest.Connection{
				LocalAuth: local, RemoteAuth: remote,
				Local: s.Outer4.String(), Keys: pools + `unique = "never"`, LocalTS: responderNet.String(), RemoteTS: remoteTS, ESP: "aes128gcm16",
			}.String()})
	}}}
	if profile != "" {
		return rs, nil
	}
	swan := contest.StrongSwan("")
	if lacks := swan.Missing(); lacks != "" {
		fmt.Fprintln(os.Stderr, "WITHOUT strongSwan: this machine lacks", lacks)
		return rs, nil
	}
	return append(rs, responder{name: swan.Title, version: contest.Version(ctx, "swanctl", "--help"), start: func(ctx context.Context, s *lab.Site, dir string, c *credentials.Set) (*lab.Process, error) {
		local, remote := c.StrongSwan()
		pools, remoteTS := c.Pool("pools = people", initiatorNet)
		secrets, poolTables := c.StrongSwanTables()
		plugins := ""
		if secrets != "" {
			plugins = "md4 des eap-identity eap-mschapv2 attr"
		}
		return contest.StartStrongSwan(ctx, s, dir, contest.SwanOptions{
			// Tables as its documentation recommends for many SAs, and no defence against what looks like an attack.
			Daemon:  "  dos_protection = no\n  ikesa_table_size = 4096\n  ikesa_table_segments = 16\n  journal {\n    default = -1\n  }",
			Secrets: secrets, Tables: poolTables, Plugins: plugins,
			Connection: fmt.Sprintf(`local_addrs = %s
    unique = never
    %[6]s
    local {
      %[4]s
      id = %[1]s
    }
    remote {
      %[5]s
      id = %%any
    }
    children {
      net {
        local_ts = %[2]s
        remote_ts = %[3]s
        esp_proposals = aes128gcm16
      }
    }`, s.Outer4, responderNet, remoteTS, local, remote, pools)})
	}}), nil
}

// figures are of one run.
type figures struct {
	Responder string            `json:"responder"`
	Auth      string            `json:"auth"`
	Run       int               `json:"run"`
	PerSecond float64           `json:"per_second"`
	CPUMillis float64           `json:"cpu_ms"` // of the responder, for each SA
	KiB       float64           `json:"kib"`    // resident, for each SA
	P50       float64           `json:"p50_ms"`
	P99       float64           `json:"p99_ms"`
	Result    initiators.Result `json:"result"`
}

// Run measures and writes.
func Run(ctx context.Context, o *Options) (err error) {
	if o.profile != "" {
		if o.profile, err = filepath.Abs(o.profile); err != nil {
			return err
		}
	}
	return contest.Run(ctx, "handshake", func(ctx context.Context, b *contest.Builder) error { return compare(ctx, b, o) })
}

// compare measures all responders as often as is asked, and writes.
func compare(ctx context.Context, b *contest.Builder, o *Options) error {
	rs, err := responders(ctx, b, o.profile)
	if err != nil {
		return err
	}
	c := proof.Look(ctx, b.Root, o.Line)
	var all []figures
	var failures []error
	for r := 1; r <= o.runs; r++ {
		for i := range len(rs) * len(o.auth) {
			x, how := rs[(i+r-1)%len(rs)], o.auth[i/len(rs)]
			f, err := measure(ctx, o, x, how)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "run %d of %d, %s, %s: FAILED: %v\n", r, o.runs, x.name, how, err)
				failures = append(failures, fmt.Errorf("run %d, %s, %s: %w", r, x.name, how, err))
				continue
			}
			f.Run, f.Auth = r, how
			all = append(all, f)
			fmt.Fprintf(os.Stderr, "run %d of %d, %s, %s: %.0f a second, %.2f ms of CPU and %.1f KiB each, p99 %.1f ms\n", r, o.runs, x.name, how, f.PerSecond, f.CPUMillis, f.KiB, f.P99)
		}
	}
	if len(all) > 0 && o.profile == "" {
		failures = append(failures, write(o, rs, all, c))
	}
	return errors.Join(failures...)
}

// measure has one responder, just started, set up all SAs.
func measure(ctx context.Context, o *Options, x responder, how string) (f figures, err error) {
	l, err := lab.Build(lab.Options{Cable: lab.CableSuper})
	if err != nil {
		return f, err
	}
	defer l.Close()
	dir := filepath.Join(l.B.Dir, "responder")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return f, err
	}
	certs, err := credentials.New(how, dir, l.B.Outer4, initiatorDomain, o.count+warmUp, initiatorNet)
	if err != nil {
		return f, err
	}
	p, err := x.start(ctx, l.B, dir, certs)
	if p != nil {
		defer func() { _ = p.Stop(5 * time.Second) }() // the run is over: how it ends is no figure
	}
	if err != nil {
		return f, err
	}
	opts := initiators.Options{
		Open: l.A.ListenUDP,
		IKE:  netip.AddrPortFrom(l.A.Outer4, ikePort), NATT: netip.AddrPortFrom(l.A.Outer4, nattPort),
		RemoteIKE: netip.AddrPortFrom(l.B.Outer4, ikePort), RemoteNATT: netip.AddrPortFrom(l.B.Outer4, nattPort),
		Identity: initiatorDomain, PSK: []byte(contest.PSK), IKEProposal: contest.IKEProposal, ESPProposal: "aes128gcm16",
		Network: initiatorNet, RemoteNetwork: responderNet, AtOnce: o.atOnce,
	}
	if certs != nil {
		opts.Trust = certs.Trust
		if opts.Own = certs.Own; certs.Users() {
			opts.Own, opts.User, opts.Addressed = nil, certs.Client, true
		}
	}
	batch := func(first, count int) (initiators.Result, error) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second+time.Duration(count)*perSA)
		defer cancel()
		opts.First, opts.Count = first, count
		r, err := initiators.Run(ctx, opts)
		if err == nil && r.Failed > 0 {
			err = fmt.Errorf("%d of %d failed: %s", r.Failed, count, r.Failure)
		}
		if err != nil {
			err = fmt.Errorf("%w; the responder says: %s", err, p.Tail())
		}
		return r, err
	}
	if _, err := batch(0, warmUp); err != nil {
		return f, err
	}
	cpu, rss, err := p.Usage()
	if err != nil {
		return f, err
	}
	if o.profile != "" {
		p.Signal(syscall.SIGUSR1)
		defer p.Signal(syscall.SIGUSR2)
	}
	r, err := batch(warmUp, o.count)
	if err != nil {
		return f, err
	}
	cpuAfter, rssAfter, err := p.Usage()
	if err != nil {
		return f, err
	}
	ms, n := r.Millis(), float64(o.count)
	return figures{
		Responder: x.name, PerSecond: n / r.Took.Seconds(), CPUMillis: float64(cpuAfter-cpu) / float64(time.Millisecond) / n,
		KiB: (float64(rssAfter) - float64(rss)) / 1024 / n, P50: stats.Percentile(ms, 50), P99: stats.Percentile(ms, 99), Result: r,
	}, nil
}
