package gateway

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// TestStrangersAreNoIKESAs: however many peers have begun and not authenticated, a connection has the IKE SAs of those that have. The
// others are counted, and a few of them shown. A client with a wrong key has its line in the log and is counted as refused.
func TestStrangersAreNoIKESAs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		c := newCrowd(f)
		log := &logBuffer{}
		b := f.start(addrB, toml("[ike]\nhalf_open_timeout = \"5s\"\ncookie_threshold = 1000\n", openGateway("")), quietLog(log))
		l := left("start")
		l.extra = "proposals = [\"" + crowdIKE + "\"]"
		a := f.start(addrA, toml("", l))
		settle(2 * time.Second)
		const n = 10 * maxHalfOpenShown
		for i := range n {
			c.caller(t, netip.AddrPortFrom(crowdAddr(i), 500), b.addr, crowdIKE).sendInit()
		}
		settle(time.Second)
		i := b.info()
		conn := i.Conns[0]
		if conn.IKESAs() != 1 || conn.HalfOpen != n || len(conn.SAs) != 1+maxHalfOpenShown || len(conn.Lines) != len(conn.SAs) || i.IKESAs != 1+n || i.HalfOpen != n {
			t.Errorf("%d IKE SAs, %d half-open, %d shown; in all %d, %d half-open", conn.IKESAs(), conn.HalfOpen, len(conn.SAs), i.IKESAs, i.HalfOpen)
		}
		settle(10 * time.Second)
		if got := strings.Count(log.String(), string(diag.CodeHalfOpen)); got < diag.StrangersPerMinute {
			t.Fatalf("%d lines about half-open peers", got)
		}
		for k := range 2 {
			x := c.caller(t, netip.AddrPortFrom(crowdAddr(n+k), 500), b.addr, crowdIKE)
			if !x.begin() {
				t.Fatal("no answer")
			}
			x.send(x.seal(wire.ExchangeIKEAuth, 1, x.auth("a.example", "wrong")...))
			settle(time.Second)
		}
		if got := strings.Count(log.String(), "failure.code="+string(diag.CodeAuthPSK)); got != 2 {
			t.Errorf("%d lines about the wrong key\n%s", got, log)
		}
		conn = b.info().Conns[0]
		if conn.Refused != 2 || conn.HalfOpen != 0 || conn.Last == nil || conn.Last.Failure.Code != diag.CodeAuthPSK || !conn.Last.Failure.Aside {
			t.Errorf("%d refused, %d half-open, the last failure %v", conn.Refused, conn.HalfOpen, conn.Last)
		}
		stopAll(t, a, b)
	})
}
