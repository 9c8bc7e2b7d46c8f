//go:build linux

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestSilenceShows: a router between two gateways drops what a firewall may drop, and each end that can notice says so: within seconds,
// which is the second repetition here, long before it has given up. When the packets pass again, nothing is left of it.
func TestSilenceShows(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
		checkLiveness(a, b)
		for _, g := range []*peer.Gateway{a, b} {
			// 20 seconds, of which the second repetition takes two.
			g.IKE = map[string]string{"retransmit_timeout": `"1s"`, "retransmit_base": "1.0", "retransmit_tries": "19", "half_open_timeout": `"4s"`}
		}
	}})
	p.start(t)
	a, b := p.a.(*peer.Esplanade), p.b.(*peer.Esplanade)
	ends := []*peer.Esplanade{a, b}

	// ESP as IP protocol 50 vanishes, and IKE does not: the tunnel comes up. Whoever sends what asks for an answer says that none comes.
	p.drop(t, "ip protocol esp drop")
	p.initiate(t)
	for _, e := range ends {
		p.wantState(t, e, 30*time.Second, "a remark on ESP", func(s peer.StateStatus) bool {
			p.bothWays(func(from, to lab.Endpoint) {
				if r, err := lab.Ping(from, to, lab.PingOptions{Patience: 100 * time.Millisecond}); err != nil || r.Received > 0 {
					t.Errorf("protocol 50 does not pass, and %v, %v", r, err)
				}
			})
			return s.State == "up" && slices.ContainsFunc(s.Remarks, func(f peer.FailureStatus) bool {
				return f.Code == "E-ESP-ONEWAY" && strings.Contains(f.Fix, "protocol 50") && strings.Contains(f.Fix, "encap = true")
			})
		})
		p.wantMetric(t, e, `reason="esp_oneway"`, func(v string) bool { return v == "1" })
		p.wantMetric(t, e, "ipsec_child_up", func(v string) bool { return v == "1" })
		wantLog(t, e, "E-ESP-ONEWAY")
	}
	p.drop(t, "")
	p.wantPing(t)
	for _, e := range ends {
		p.wantState(t, e, 5*time.Second, "no remark any more", func(s peer.StateStatus) bool { return len(s.Remarks) == 0 })
	}

	// Nothing passes any more: both ends say that the other does not answer.
	p.drop(t, "drop")
	for _, e := range ends {
		p.wantSilence(t, e, "up", "E-DPD")
		p.wantMetric(t, e, "ipsec_ike_unanswered_requests", func(v string) bool { return v == "1" })
	}
	p.drop(t, "")
	for _, e := range ends {
		p.wantState(t, e, 10*time.Second, "an answer", func(s peer.StateStatus) bool { return s.State == "up" && s.Silence == nil })
		p.wantMetric(t, e, "ipsec_ike_unanswered_requests", func(v string) bool { return v == "0" })
	}
	p.wantPing(t)
	p.terminate(t)

	// What an attempt waits for tells which port is closed.
	for _, c := range []struct{ rule, code, fix string }{
		{"udp dport 500 drop", "E-TIMEOUT-INIT", "UDP 500 and 4500 pass"},
		{"udp dport 4500 drop", "E-TIMEOUT-AUTH", "UDP 500 passes, UDP 4500 does not"},
	} {
		p.drop(t, c.rule)
		// The command does not wait for the end of the attempt, which goes on.
		if out, err := peer.Swanctl(a, "--initiate", "--child", childName, "--timeout", "1"); err == nil {
			t.Fatalf("%s, and the tunnel is up:\n%s", c.rule, out)
		}
		if f := p.wantSilence(t, a, "connecting", c.code); !strings.Contains(f.Fix, c.fix) {
			t.Errorf("%s: the fix is %q", c.rule, f.Fix)
		}
		if c.code == "E-TIMEOUT-AUTH" {
			wantLog(t, b, "E-HALF-OPEN") // the responder has forgotten it, so that this attempt comes to nothing
			break
		}
		p.drop(t, "")
		p.wantUp(t, 10*time.Second)
		p.terminate(t)
	}
}

// drop has the router drop what a rule says of what passes it, in place of what it has dropped before; nothing for no rule.
func (p *pair) drop(t *testing.T, rule string) {
	t.Helper()
	if err := p.R.NFT("table inet silence\ndelete table inet silence\ntable inet silence {\n chain f {\n  type filter hook forward priority 0;\n  " + rule + "\n }\n}\n"); err != nil {
		t.Fatal(err)
	}
}

// wantState waits until status says of the child what it has to.
func (p *pair) wantState(t *testing.T, e *peer.Esplanade, limit time.Duration, what string, ok func(peer.StateStatus) bool) {
	t.Helper()
	lab.Eventually(t, limit, "status on "+e.Site().Name+": "+what, func() (bool, string) {
		s, err := e.Status(connName)
		if err != nil {
			return false, err.Error()
		}
		return len(s.Children) == 1 && ok(s.Children[0]), fmt.Sprintf("%+v", s.Children)
	})
}

// wantSilence waits until an end says that the other does not answer and what that comes to, and until the log has said it.
func (p *pair) wantSilence(t *testing.T, e *peer.Esplanade, state, code string) (f peer.FailureStatus) {
	t.Helper()
	p.wantState(t, e, 10*time.Second, state+", and "+code+" is near", func(s peer.StateStatus) bool {
		if s.State != state || s.Silence == nil || s.Silence.Failure.Code != code {
			return false
		}
		f = s.Silence.Failure
		return true
	})
	wantLog(t, e, "no answer yet; "+code)
	out, err := e.Command("status", connName)
	if err != nil || !strings.Contains(out, "no answer for") || !strings.Contains(out, code) {
		t.Errorf("status on %s: %v\n%s", e.Site().Name, err, out)
	}
	return f
}

// wantLog waits until the log has a text.
func wantLog(t *testing.T, e *peer.Esplanade, text string) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, "the log on "+e.Site().Name, func() (bool, string) { return strings.Contains(e.Log(), text), text })
}
