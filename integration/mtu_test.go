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

// What the far link of the path carries after a while. With narrowMTU there is room for the smallest MTU of IPv6 within
// the tunnel; with tightMTU there isn't, and such packets go in fragments.
const narrowMTU, tightMTU = 1400, 1300

// TestPathMTU: the path's MTU becomes less during a transfer, as when it moves to another link. The router says so to the
// gateway, and the transfer goes on: the gateway tells the hosts behind it, in both families, inside and outside.
func TestPathMTU(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) { // at which end the MTU is known is what matters, not who called
		for _, c := range []struct {
			outer6, encap bool
			mtu           int
		}{
			{false, true, narrowMTU}, {true, true, narrowMTU}, {false, false, narrowMTU}, {true, false, narrowMTU},
			{false, true, tightMTU}, {true, true, tightMTU}, {false, false, tightMTU}, {true, false, tightMTU},
		} {
			if (!c.encap || c.mtu == tightMTU) && k != ours {
				continue // kernel-libipsec needs UDP, and knows nothing of MTUs
			}
			t.Run(fmt.Sprintf("%v/outer6 %v/udp %v/%d", k, c.outer6, c.encap, c.mtu), func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Router: true, Outer6: c.outer6, Encap: c.encap, ESP: []string{"aes128gcm16-x25519"}})
				p.narrowDuringTransfers(t, c.mtu, c.mtu)
				if e, ok := p.a.(*peer.Esplanade); ok {
					p.wantPath(t, e, c.mtu, "icmp")
				}
			})
		}
	}
}

// narrowDuringTransfers starts a transfer of each family, makes the path narrow, and wants both to go on, and the gateways
// to learn that it takes known octets.
func (p *pair) narrowDuringTransfers(t *testing.T, mtu, known int) {
	t.Helper()
	p.start(t)
	p.initiate(t)
	var flows []*lab.Flow
	for _, v6 := range []bool{false, true} {
		a, b := p.ends(v6)
		f, err := lab.StartFlow(a, b, lab.FlowOptions{Rate: 4 << 20, Idle: 40 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Abort()
		flows = append(flows, f)
	}
	for _, f := range flows {
		p.wantProgress(t, f)
	}
	p.narrow(t, mtu)
	for _, f := range flows {
		p.wantProgressIn(t, f, 30*time.Second)
	}
	// Not only what was on its way: the transfer goes on for some time.
	for range 3 {
		for _, f := range flows {
			p.wantProgress(t, f)
		}
	}
	for _, f := range flows {
		r, err := f.Finish()
		if err != nil {
			t.Error(err)
		}
		t.Logf("transfer: %v; %v", r.Forth, r.Back)
	}
	// New connections start with what fits.
	for _, v6 := range []bool{false, true} {
		p.wantBulk(t, v6, 1<<20)
	}
	p.wantFragments(t)
	for _, end := range p.peers() {
		if e, ok := end.(*peer.Esplanade); ok {
			p.wantNarrowed(t, e, mtu, known)
		}
	}
}

// narrow makes the router's link to b, and b's to the router, take packets of at most mtu octets.
func (p *pair) narrow(t *testing.T, mtu int) {
	t.Helper()
	if err := p.R.IP(fmt.Sprintf("link set rb mtu %d", mtu)); err != nil {
		t.Fatal(err)
	}
	if err := p.B.IP(fmt.Sprintf("link set b0 mtu %d", mtu)); err != nil {
		t.Fatal(err)
	}
}

// wantNarrowed checks that the gateway has learned what the path takes: it says so in its log. One that has the narrow link
// itself knows exactly.
func (p *pair) wantNarrowed(t *testing.T, e *peer.Esplanade, exact, known int) {
	t.Helper()
	if e.Site() == p.B {
		known = exact
	}
	want := fmt.Sprintf(" mtu=%d ", known)
	lab.Eventually(t, 5*time.Second, "the gateway knows the path's MTU", func() (bool, string) {
		for line := range strings.Lines(e.Log()) {
			if strings.Contains(line, "the MTU of a path has changed") && strings.Contains(line, want) {
				return true, ""
			}
		}
		return false, e.Log()
	})
}

// wantPath checks that status and metrics say what the path takes and why, and what is to be done where something is.
func (p *pair) wantPath(t *testing.T, e *peer.Esplanade, mtu int, by string) {
	t.Helper()
	s, err := e.Status(connName)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Children) != 1 || s.Children[0].State != "up" || s.Children[0].Path == nil || *s.Children[0].Path != (peer.PathStatus{MTU: mtu, LoweredBy: by}) {
		t.Errorf("status: %+v; want MTU %d, %s", s.Children, mtu, by)
		return
	}
	remarked := slices.ContainsFunc(s.Children[0].Remarks, func(f peer.FailureStatus) bool { return f.Code == "E-MTU" && f.Fix != "" })
	text, err := e.Command("status", "--verbose")
	if err != nil {
		t.Fatal(err)
	}
	if hole := by == "black hole"; remarked != hole || strings.Contains(text, "E-MTU") != hole || !strings.Contains(text, fmt.Sprintf("path MTU %d", mtu)) {
		t.Errorf("remarks: %+v\n%s", s.Children[0].Remarks, text)
	}
}

// TestPathMTUBlackHole: as TestPathMTU, but no ICMP message comes through from the router or from b's side of the path: the
// packets just vanish. The transfers go on all the same, once the gateways have found out.
func TestPathMTUBlackHole(t *testing.T) {
	for _, c := range []struct {
		outer6, encap bool
		mtu, known    int
	}{
		{false, true, narrowMTU, 1400}, {true, true, narrowMTU, 1400}, {false, false, narrowMTU, 1400}, {true, false, narrowMTU, 1400},
		{false, true, tightMTU, 1280}, {false, false, tightMTU, 1280},
	} {
		t.Run(fmt.Sprintf("outer6 %v/udp %v/%d", c.outer6, c.encap, c.mtu), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, ours, tunnel{Router: true, Outer6: c.outer6, Encap: c.encap, ESP: []string{"aes128gcm16-x25519"}}, "nft")
			p.blockTooBig(t)
			p.narrowDuringTransfers(t, c.mtu, c.known)
			p.wantPath(t, p.a.(*peer.Esplanade), c.known, "black hole")
		})
	}
}

// TestPathMTUBlackHoleUpload: a connection that only sends, through a path that has always been a black hole, also one that
// takes less than IPv6 allows. Nothing comes back until packets fit. It takes a few seconds; TCP by itself would take minutes.
func TestPathMTUBlackHoleUpload(t *testing.T) {
	for _, mtu := range []int{1390, 1300, 1000} {
		t.Run(fmt.Sprint(mtu), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, ours, tunnel{Router: true, Encap: true, ESP: []string{"aes128gcm16-x25519"}}, "nft")
			p.blockTooBig(t)
			p.start(t)
			p.initiate(t)
			p.narrow(t, mtu)
			// The gateway whose own link it is knows: the other one sends.
			a, b := p.ends(false)
			began := time.Now()
			f, err := lab.StartFlow(a, b, lab.FlowOptions{Bytes: 2 << 20, OneWay: true, Idle: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			r, err := f.Wait()
			if err != nil {
				t.Fatalf("%v\n%s", err, p.peers()[0].Log())
			}
			t.Logf("%v after %v", r.Forth, time.Since(began).Round(100*time.Millisecond))
		})
	}
}

// blockTooBig makes the router keep to itself that a packet was too big.
func (p *pair) blockTooBig(t *testing.T) {
	t.Helper()
	err := p.R.NFT(`table inet silence {
 chain out {
  type filter hook output priority 0;
  icmp type destination-unreachable drop
  icmpv6 type packet-too-big drop
 }
}
`)
	if err != nil {
		t.Fatal(err)
	}
}
