package users

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/credentials"
	"esplanade/bench/initiators"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
	"esplanade/ike/vici"
	"esplanade/integration/lab"
)

const (
	ikePort, nattPort = 500, 4500
	domain            = "users.example"
	// perUser bounds the time for each login.
	perUser = 100 * time.Millisecond
	// wave is how many come or go at a time, as a share of all.
	wave = 50
	// restarts is how often the gateway is killed.
	restarts = 3
)

var (
	poolNet    = netip.MustParsePrefix("10.64.0.0/16")
	gatewayNet = netip.MustParsePrefix("10.20.0.0/24")
)

// stage is a gateway, and the users who come to it.
type stage struct {
	o       *Options
	lab     *lab.Lab
	dir     string
	binary  string
	secrets *credentials.Set
	gateway *lab.Process
	crowd   *initiators.Crowd
	book    *book
	r       results
}

// start runs the gateway.
func (st *stage) start(ctx context.Context) (err error) {
	local, remote, tables := st.secrets.Esplanade()
	limits := ""
	for _, key := range []string{"cookie_threshold", "cookie_threshold_ip", "half_open_limit", "block_threshold", "ike_sa_limit", "ike_sa_limit_id", "child_sa_limit", "child_sa_limit_id"} {
		limits += fmt.Sprintf("%s = %d\n", key, 4*maxCount)
	}
	st.gateway, err = contest.StartEsplanade(ctx, st.lab.B, st.dir, st.binary, contest.EsplanadeOptions{
		Daemon: tables + "[log]\nlevel = \"warn\"\n[ike]\nlease_file = \"" + filepath.Join(st.dir, "leases.db") + "\"\n" + limits,
		Connection: contest.Connection{
			LocalAuth: local, RemoteAuth: remote, Local: st.lab.B.Outer4.String(), Keys: "pools = [\"people\"]",
			LocalTS: gatewayNet.String(), RemoteTS: "dynamic", ESP: "aes128gcm16",
		}.String()})
	return err
}

// connect has users come in, and notes their addresses.
func (st *stage) connect(ctx context.Context, list []int) (initiators.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Duration(len(list))*perUser)
	defer cancel()
	r, err := st.crowd.Connect(ctx, list, st.o.atOnce)
	st.r.Logins += r.Established
	st.r.Retransmits += r.Retransmits
	if st.r.Failed += r.Failed; r.Failed > 0 && st.r.First == "" {
		st.r.First = r.Failure
	}
	st.book.take(st.crowd.In())
	if err != nil {
		return r, fmt.Errorf("%w; the gateway says: %s", err, st.gateway.Tail())
	}
	return r, nil
}

// fill has all come in for the first time.
func (st *stage) fill(ctx context.Context) error {
	// What a daemon loads and allocates once is not the price of a user.
	if _, err := st.connect(ctx, st.everybody()[:10]); err != nil {
		return err
	}
	cpu, rss, err := st.gateway.Usage()
	if err != nil {
		return err
	}
	r, err := st.connect(ctx, st.everybody()[10:])
	if err != nil {
		return err
	}
	cpuAfter, rssAfter, err := st.gateway.Usage()
	if err != nil {
		return err
	}
	n := float64(r.Established)
	st.r.PerSecond, st.r.CPUMillis = n/r.Took.Seconds(), float64(cpuAfter-cpu)/float64(time.Millisecond)/n
	st.r.KiB, st.r.P99 = (float64(rssAfter)-float64(rss))/1024/n, stats.Percentile(r.Millis(), 99)
	fmt.Fprintf(os.Stderr, "%d users are in after %.1f s\n", len(st.crowd.In()), r.Took.Seconds())
	return nil
}

// churn has some leave and some vanish, and come back, until the time is over. In between the gateway is killed and started again, at even intervals: right behind
// the last answer to those who came in last, whose leases have to be on disk by then.
func (st *stage) churn(ctx context.Context) error {
	began := time.Now()
	for time.Since(began) < st.o.duration {
		if st.r.Restarts < restarts && time.Since(began) > st.o.duration*time.Duration(st.r.Restarts+1)/(restarts+1) {
			if err := st.restart(ctx); err != nil {
				return err
			}
		}
		some := rand.Perm(st.o.count)[:max(st.o.count/wave, 2)]
		leave, vanish := some[:len(some)/2], some[len(some)/2:]
		st.crowd.Forget(vanish)
		if err := st.crowd.Disconnect(ctx, leave); err != nil {
			return fmt.Errorf("users can't leave: %w; the gateway says: %s", err, st.gateway.Tail())
		}
		st.r.Left += len(leave)
		st.r.Vanished += len(vanish)
		if _, err := st.connect(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// restart kills the gateway, as a power cut would, and has all come back.
func (st *stage) restart(ctx context.Context) error {
	st.gateway.Kill()
	// The socket is left behind, and the one that starts is ready when there is another one.
	if err := os.Remove(filepath.Join(st.dir, "vici")); err != nil {
		return err
	}
	st.crowd.Forget(st.everybody())
	began := time.Now()
	if err := st.start(ctx); err != nil {
		return err
	}
	st.r.Restarts++
	kept, err := st.pool(ctx, "offline")
	if err != nil {
		return err
	}
	if missing := st.o.count - kept; missing > 0 {
		st.r.Forgotten += missing
		st.book.say("after restart %d the gateway has %d addresses of users, and gave %d", st.r.Restarts, kept, st.o.count)
	}
	if _, err := st.connect(ctx, st.everybody()); err != nil {
		return err
	}
	st.r.BackAfter = max(st.r.BackAfter, time.Since(began).Seconds())
	fmt.Fprintf(os.Stderr, "the gateway was killed; it has %d addresses of users, and %d are back after %.1f s\n", kept, len(st.crowd.In()), time.Since(began).Seconds())
	return nil
}

func (st *stage) everybody() []int {
	all := make([]int, st.o.count)
	for i := range all {
		all[i] = i
	}
	return all
}

// pool asks the gateway how many addresses are "online", held, or "offline", to be given again to those who had them.
func (st *stage) pool(ctx context.Context, which string) (int, error) {
	c, err := vici.DialContext(ctx, filepath.Join(st.dir, "vici"))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	m, err := c.Call(ctx, "get-pools", &vici.Message{})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(m.Get("people", which))
}

// measure does it all.
func measure(ctx context.Context, b *contest.Builder, o *Options) (r results, err error) {
	st := &stage{o: o, book: newBook(), r: results{Count: o.count}}
	fmt.Fprintln(os.Stderr, "building Esplanade")
	if st.binary, err = b.Esplanade(ctx); err != nil {
		return r, err
	}
	if st.lab, err = lab.Build(lab.Options{Cable: lab.CableSuper}); err != nil {
		return r, err
	}
	defer st.lab.Close()
	st.dir = filepath.Join(st.lab.B.Dir, "gateway")
	if err := os.Mkdir(st.dir, 0o700); err != nil {
		return r, err
	}
	if st.secrets, err = credentials.New(credentials.EAP, st.dir, st.lab.B.Outer4, domain, o.count, poolNet); err != nil {
		return r, err
	}
	if err := st.start(ctx); err != nil {
		return r, err
	}
	defer func() { _ = st.gateway.Stop(10 * time.Second) }() // the run is over: how it ends is no figure
	a := st.lab.A
	st.crowd, err = initiators.NewCrowd(initiators.Options{
		Open: a.ListenUDP, IKE: netip.AddrPortFrom(a.Outer4, ikePort), NATT: netip.AddrPortFrom(a.Outer4, nattPort),
		RemoteIKE: netip.AddrPortFrom(st.lab.B.Outer4, ikePort), RemoteNATT: netip.AddrPortFrom(st.lab.B.Outer4, nattPort),
		Identity: domain, Trust: st.secrets.Trust, User: st.secrets.Client, Addressed: true, Alone: true, IKEProposal: contest.IKEProposal, ESPProposal: "aes128gcm16",
		Network: poolNet, RemoteNetwork: gatewayNet, Count: o.count,
	})
	if err != nil {
		return r, err
	}
	defer st.crowd.Close()
	if err = st.fill(ctx); err == nil {
		err = st.churn(ctx)
	}
	if err != nil {
		return r, err
	}
	r = st.r
	r.In, r.Twice, r.Lost = len(st.crowd.In()), st.book.Twice, st.book.Lost
	if st.book.first != "" {
		r.First = st.book.first
	}
	r.Online, err = st.pool(ctx, "online")
	return r, err
}

// Run measures, judges and writes.
func Run(ctx context.Context, o *Options) error {
	return proof.Run(ctx, "users", o.Line, func(ctx context.Context, b *contest.Builder) (results, error) { return measure(ctx, b, o) },
		func(r results, c proof.Conditions) error { return errors.Join(write(o, r, c), r.judge()) })
}
