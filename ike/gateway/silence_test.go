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

// nothing lets no message through.
func nothing(_, _ netip.AddrPort, _ []byte) bool { return false }

// An attempt says from the second repetition on which request has no answer, and what that comes to: in the status, and once in the log.
func TestSilenceOfAnAttempt(t *testing.T) {
	for name, c := range map[string]struct {
		drop wire.ExchangeType
		code diag.Code
	}{"IKE_SA_INIT": {wire.ExchangeIKESAInit, diag.CodeTimeoutInit}, "IKE_AUTH": {wire.ExchangeIKEAuth, diag.CodeTimeoutAuth}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			f.setDeliver(func(_, _ netip.AddrPort, b []byte) bool {
				h, err := wire.ParseHeader(b)
				return err == nil && h.Exchange != c.drop
			})
			b := f.start(addrB, toml("", right("none")))
			a := f.start(addrA, toml("", left("start")))
			settle(5 * time.Second)
			if h := a.child("b/net"); h.Phase != "connecting" || h.Silence != nil {
				t.Errorf("%s: after one repetition: %s, %+v", name, h.Phase, h.Silence)
			}
			settle(2 * time.Second)
			h := a.child("b/net")
			if h.Phase != "connecting" || h.Silence == nil || h.Silence.Request != name || h.Silence.Failure.Code != c.code {
				t.Fatalf("%s: after two: %s, %+v", name, h.Phase, h.Silence)
			}
			if last := a.last("b"); last != nil {
				t.Errorf("%s: a provisional failure is taken for one: %v", name, last)
			}
			settle(time.Hour)
			log := a.log.String()
			if n := strings.Count(log, "no answer yet; "+string(c.code)); n < 1 || n > 8 {
				t.Errorf("%s: said %d times in an hour", name, n)
			}
			if strings.Contains(log, `level=INFO msg="retransmitting request"`) {
				t.Errorf("%s: a line for each repetition", name)
			}
			f.setDeliver(nil)
			settle(4 * time.Minute)
			wantUp(t, a, b)
			if h := a.child("b/net"); h.Silence != nil {
				t.Errorf("%s: up with %+v", name, h.Silence)
			}
			a.stop()
			b.stop()
		})
	}
}

// Both ends of a tunnel see that the other one is gone: first as silence, and after the ordinary time the tunnel is not up any more, also
// at the end that was called and with MOBIKE waits for longer. It is up again with the first answer.
func TestDeadPeerShows(t *testing.T) {
	for _, back := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			l, r := left("start"), right("none")
			l.extra, r.extra = "dpd_delay = \"10s\"", "dpd_delay = \"10s\""
			b := f.start(addrB, toml("", r))
			// The end that calls asks for longer, so that it still has the IKE SA when the path is there again.
			a := f.start(addrA, toml("[ike]\nretransmit_tries = 9\n", l))
			settle(time.Second)
			wantUp(t, a, b)
			cut := time.Now()
			f.setDeliver(nothing)
			settle(19 * time.Second)
			for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
				h := n.child(name)
				if h.Phase != "up" || !h.Up() || h.Silence == nil || h.Silence.Failure.Code != diag.CodeDPD {
					t.Errorf("%s: %s with %+v", name, h.Phase, h.Silence)
				}
				if h.Heard.IsZero() || h.Heard.After(cut) {
					t.Errorf("%s: heard %s, cut %s", name, h.Heard, cut)
				}
				if last := n.last(name[:1]); last != nil {
					t.Errorf("%s: a provisional failure is taken for one: %v", name, last)
				}
				if !strings.Contains(n.log.String(), "no answer yet; E-DPD") {
					t.Errorf("%s: not in the log", name)
				}
			}
			settle(80 * time.Second)
			h := b.child("a/net")
			if h.Phase != "dead" || h.Up() || b.ikeSAs() != 1 {
				t.Errorf("after the ordinary time: %s, %d IKE SAs", h.Phase, b.ikeSAs())
			}
			if last := b.last("a"); last == nil || last.Failure.Code != diag.CodeDPD || last.Count != 1 {
				t.Errorf("after the ordinary time: %v", last)
			}
			if !back {
				settle(10 * time.Minute)
				if h := b.child("a/net"); h.Phase != "down" || b.ikeSAs() != 0 {
					t.Errorf("at last: %s, %d IKE SAs", h.Phase, b.ikeSAs())
				}
				if last := b.last("a"); last == nil || last.Failure.Code != diag.CodeDPD || last.Count != 1 {
					t.Errorf("one death is counted %v", last)
				}
				a.stop()
				b.stop()
				return
			}
			f.setDeliver(nil)
			settle(80 * time.Second)
			for n, name := range map[*node]string{a: "b/net", b: "a/net"} {
				if h := n.child(name); h.Phase != "up" || h.Silence != nil || time.Since(h.Heard) > 41*time.Second {
					t.Errorf("%s, the path is back: %s, %+v, heard %s", name, h.Phase, h.Silence, h.Heard)
				}
				if last := n.last(name[:1]); last != nil {
					t.Errorf("%s: still failed: %v", name, last)
				}
				if !strings.Contains(n.log.String(), "the peer answers again") {
					t.Errorf("%s: not in the log", name)
				}
			}
			if h := b.child("a/net"); !h.Since.Before(cut) {
				t.Errorf("up since %s, and the cut was at %s", h.Since, cut)
			}
			a.stop()
			b.stop()
		})
	}
}
