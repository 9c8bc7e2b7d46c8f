//go:build linux

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"esplanade/integration/lab"
)

// impairment is a bad path: each frame in a hundred is lost, one comes twice, and three come late.
var impairment = lab.Impairment{Loss: 0.01, Duplicate: 0.01, Reorder: 0.03, Seed: 1}

// TestImpairedPath: over a path that loses, duplicates and reorders packets, bulk transfers and iperf3 go through the
// tunnel in both families, inside and outside, octet by octet what was sent. Nothing that the path has done twice is
// done twice inside: the replay window takes that out.
func TestImpairedPath(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) { // traffic goes both ways
		for _, c := range []struct {
			outer6, encap bool
		}{{false, true}, {true, true}, {false, false}, {true, false}} {
			if !c.encap && k != ours {
				continue // kernel-libipsec needs UDP
			}
			t.Run(fmt.Sprintf("%v/outer6 %v/udp %v", k, c.outer6, c.encap), func(t *testing.T) {
				t.Parallel()
				p := newPair(t, k, tunnel{Bridge: true, Outer6: c.outer6, Encap: c.encap, ESP: []string{"aes128gcm16-x25519"}}, "iperf3")
				p.start(t)
				p.initiate(t)
				for _, v6 := range []bool{false, true} {
					p.Bridge.Impair(impairment)
					p.wantBulk(t, v6, 2<<20)
					a, b := p.ends(v6)
					r, err := lab.Datagrams(a, b, lab.DatagramOptions{Count: 3000, Size: 1200, Patience: 250 * time.Millisecond})
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("UDP: %v", r)
					// What is sent again may be a duplicate of what was only late.
					if r.Duplicates > r.Resent {
						t.Errorf("duplicates came out of the tunnel: %v", r)
					}
					p.wantIperf3(t, v6)
					p.wantIperf3(t, v6, "--udp", "--bitrate", "20M", "--length", "1200")
					p.Bridge.Impair(lab.Impairment{}) // what controls the tunnel is another test's matter
				}
				forth, back := p.Bridge.Counts()
				t.Logf("the path, a to b: %v; b to a: %v", forth, back)
				for _, n := range []lab.BridgeCount{forth, back} {
					if n.Lost == 0 || n.Duplicated == 0 || n.Reordered == 0 {
						t.Errorf("the path was not as bad as it should be: %v", n)
					}
				}
				p.wantPing(t)
				p.wantUp(t, time.Second)
			})
		}
	}
}

// wantIperf3 runs iperf3 from a to b and back at once, and wants that octets arrive.
func (p *pair) wantIperf3(t *testing.T, v6 bool, args ...string) {
	t.Helper()
	a, b := p.ends(v6)
	const port = 5201
	server, err := b.Host.Start("iperf3", lab.Command{Args: []string{"iperf3", "--server", "--bind", b.Addr.String(), "--port", strconv.Itoa(port)}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	cmd := append([]string{"iperf3", "--client", b.Addr.String(), "--bind", a.Addr.String(), "--port", strconv.Itoa(port), "--json",
		"--time", "2", "--bidir", "--connect-timeout", "5000"}, args...)
	var r iperfResult
	// iperf3 gives up when the first datagram of a UDP test is lost, and reports it in its result.
	lab.Eventually(t, 90*time.Second, "iperf3 gets through", func() (bool, string) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		out, err := a.Host.RunContext(ctx, lab.Command{Args: cmd}) // the server may not listen yet
		r = iperfResult{}
		if err := errors.Join(err, json.Unmarshal([]byte(out), &r)); err != nil {
			return false, err.Error()
		}
		return r.Error == "", r.Error
	})
	forth, back := max(r.End.SumReceived.Bytes, r.End.Sum.Bytes), max(r.End.Reverse.Bytes, r.End.SumReverse.Bytes)
	t.Logf("iperf3 %v: %.0f octets forth, %.0f back, lost %.1f %%, %.1f %%", args, forth, back, r.End.Sum.LostPercent, r.End.SumReverse.LostPercent)
	const atLeast = 1 << 20
	if forth < atLeast || back < atLeast {
		t.Errorf("iperf3 %v: %.0f octets forth and %.0f back, want at least %d", args, forth, back, atLeast)
	}
}

type iperfResult struct {
	Error string `json:"error"`
	End   struct {
		SumReceived iperfSum `json:"sum_received"`
		Reverse     iperfSum `json:"sum_received_bidir_reverse"`
		Sum         iperfSum `json:"sum"`
		SumReverse  iperfSum `json:"sum_bidir_reverse"`
	} `json:"end"`
}

type iperfSum struct {
	Bytes       float64 `json:"bytes"`
	LostPercent float64 `json:"lost_percent"`
}
