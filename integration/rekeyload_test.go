//go:build linux

package integration

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// rekeyRounds is how often each end renews the CHILD SA and the IKE SA under full load.
const rekeyRounds = 2

// TestRekeyUnderFullLoad renews keys while TCP fills the tunnel both ways and numbered datagrams go with it. In contrast to
// TestTunnel, queues may overflow here; each packet that doesn't arrive has to be one that was counted where that happens,
// and none may be dropped for a reason that is not congestion. bench/rekey is the long version, with what it costs.
func TestRekeyUnderFullLoad(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Encap: true})
	p.start(t)
	p.initiate(t)
	a4, b4 := p.ends(false)
	a6, b6 := p.ends(true)
	before := p.account(t)
	probe, err := lab.StartProbe(a6, b6, 0)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := lab.StartFlow(a4, b4, lab.FlowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer flow.Abort()
	for range rekeyRounds {
		for _, end := range p.peers() {
			p.wantProgress(t, flow)
			p.rekeyChild(t, "ECP_384", end)
			p.wantProgress(t, flow)
			p.rekeyIKE(t, end)
		}
	}
	p.wantProgress(t, flow)
	r, err := flow.Finish()
	if err != nil {
		t.Fatalf("transfer during rekeying: %v", err)
	}
	t.Logf("transfer during rekeying: %v; %v", r.Forth, r.Back)
	lost, err := probe.Finish()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("probe during rekeying: %v", lost)

	// The last acknowledgements may be under way still.
	var total account
	lab.Eventually(t, 5*time.Second, "every packet is accounted for", func() (bool, string) {
		total = p.account(t).since(before)
		return total.missing() >= 0 && total.missing() <= total.overflow, total.String()
	})
	t.Log(total)
	if lost.Lost() > total.overflow+total.congestion {
		t.Errorf("rekeying lost packets: %v; %v", lost, total)
	}
	if len(total.other) > 0 {
		t.Errorf("packets were dropped for other reasons than congestion: %v", total.other)
	}
	if total.sealed == 0 || total.opened == 0 {
		t.Errorf("nothing was counted: %v", total)
	}
}

// account is what has become of the packets of a tunnel in both directions together.
type account struct {
	sealed, opened int
	// overflow is what the kernels have dropped, congestion what the gateways have because a queue was full.
	overflow, congestion int
	// other is what the gateways have dropped for any other reason, by end, direction and reason.
	other map[string]int
	// between is what the gateways have dropped after sealing and before opening.
	between int
}

// missing is how many packets were sealed, and neither opened nor dropped by a gateway in between.
func (a account) missing() int { return a.sealed - a.opened - a.between }

func (a account) String() string {
	return fmt.Sprintf("%d packets sealed, %d opened, %d dropped by the gateways in between, %d missing; dropped by the gateways for congestion %d, for other reasons %v, by the kernels %d",
		a.sealed, a.opened, a.between, a.missing(), a.congestion, a.other, a.overflow)
}

func (a account) since(b account) account {
	a.sealed -= b.sealed
	a.opened -= b.opened
	a.overflow -= b.overflow
	a.congestion -= b.congestion
	a.between -= b.between
	a.other = maps.Clone(a.other)
	for reason, n := range b.other {
		a.other[reason] -= n
	}
	maps.DeleteFunc(a.other, func(_ string, n int) bool { return n == 0 })
	return a
}

// add counts n packets that the gateway at end has dropped.
func (a *account) add(end, labels string, n int) {
	switch labels {
	case `direction="out",reason="send_buffer"`:
		a.congestion += n
		a.between += n
	case `direction="in",reason="device"`: // counted as opened
		a.congestion += n
	case `direction="out",reason="send"`:
		a.between += n
		a.other[end+" "+labels] += n
	default:
		if strings.HasPrefix(labels, `direction="in"`) {
			a.between += n
		}
		a.other[end+" "+labels] += n
	}
}

// account reads the counters of both gateways and both kernels.
func (p *pair) account(t *testing.T) account {
	t.Helper()
	a := account{other: map[string]int{}}
	for _, end := range p.peers() {
		text, err := scrape(end.(*peer.Esplanade))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
			metric, labels, _ := strings.Cut(series, "{")
			v, err := strconv.ParseFloat(value, 64)
			if err != nil || v == 0 {
				continue
			}
			n, out := int(v), strings.Contains(labels, `direction="out"`)
			switch metric {
			case "ipsec_child_packets_total":
				if out {
					a.sealed += n
				} else {
					a.opened += n
				}
			case "ipsec_drops_total":
				a.add(end.Site().Name, labels, n)
			}
		}
	}
	a.overflow = p.overflow(t)
	return a
}
