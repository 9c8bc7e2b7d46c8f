//go:build linux

package integration

import (
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestRemoteEverything: with 0.0.0.0/0 and ::/0 as remote selectors everything goes through the tunnel except what
// makes it: IKE, ESP and other packets to the peer itself never loop into it.
func TestRemoteEverything(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) { // ours has Esplanade at both ends of it
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			everything := []string{"0.0.0.0/0", "::/0"}
			p := newPair(t, k, tunnel{Encap: true, Edit: func(a, b *peer.Gateway) {
				child(a).RemoteTS, child(b).LocalTS = everything, everything
				a.Connections[0].DPDDelay = time.Second
			}})
			// Addresses behind b that belong to no network anyone has configured.
			far4, far6 := lab.Elsewhere, lab.Elsewhere6
			if err := p.B.IP("addr add "+far4.String()+"/32 dev lo", "addr add "+far6.String()+"/128 dev lo"); err != nil {
				t.Fatal(err)
			}
			p.start(t)
			p.initiate(t)
			a4, _ := p.ends(false)
			a6, _ := p.ends(true)
			p.wantPing(t)
			p.wantPingTo(t, a4, lab.Endpoint{Host: p.B.Host, Addr: far4})
			p.wantPingTo(t, a6, lab.Endpoint{Host: p.B.Host, Addr: far6})
			p.wantBulk(t, false, 1<<20)

			if k.a == peer.KindEsplanade { // kernel-libipsec takes these in, and drops them
				p.wantPeerBesideTunnel(t)
			}
			for _, end := range p.peers() { // IKE still gets through, in both directions
				p.rekeyChild(t, "ECP_384", end)
				p.rekeyIKE(t, end)
			}
			p.wantPing(t)
			p.terminate(t)
		})
	}
}

// wantPeerBesideTunnel checks that packets to the peer itself don't go through the tunnel.
func (p *pair) wantPeerBesideTunnel(t *testing.T) {
	t.Helper()
	before := p.wantUp(t, time.Second)
	p.wantPingTo(t, lab.Endpoint{Host: p.A.Host, Addr: p.A.Outer4}, lab.Endpoint{Host: p.B.Host, Addr: p.B.Outer4})
	after := p.wantUp(t, time.Second)
	if before.childA.BytesOut != after.childA.BytesOut {
		t.Errorf("packets to the peer itself went through the tunnel: %s octets out before, %s after", before.childA.BytesOut, after.childA.BytesOut)
	}
}

// TestTrap: a tunnel with start_action trap is down until a packet wants to go through it, and that very packet is
// delivered. kernel-libipsec knows no traps, so Esplanade is the one that has it.
func TestTrap(t *testing.T) {
	for _, k := range []kinds{ours, toStrong} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: func(a, _ *peer.Gateway) { child(a).StartAction = "trap" }})
			p.start(t)
			p.wantNoState(t, time.Second)
			for _, v6 := range []bool{false, true} {
				a, b := p.ends(v6)
				p.wantFirstPacket(t, a, b)
				p.wantUp(t, 5*time.Second)
				p.wantPing(t)
				// The peer ends it, and a is back at the trap. (A command at a itself would take the trap down as well.)
				if _, err := peer.Swanctl(p.b, "--terminate", "--ike", connName, "--timeout", "10"); err != nil {
					t.Fatal(err)
				}
				p.wantNoState(t, 10*time.Second)
			}
			// While nobody answers, what waits is dropped in the end; the trap stays.
			a, b := p.ends(false)
			p.b.Kill()
			if r, err := lab.Ping(a, b, lab.PingOptions{Patience: 4 * time.Second}); err != nil || r.Received != 0 {
				t.Fatalf("%v, %v", r, err)
			}
			p.b.Start(t)
			p.wantNoState(t, 10*time.Second)
			p.wantFirstPacket(t, a, b)
			p.wantUp(t, 5*time.Second)
		})
	}
}

// wantFirstPacket sends one UDP datagram, once, and wants it at the other end, once.
func (p *pair) wantFirstPacket(t *testing.T, from, to lab.Endpoint) {
	t.Helper()
	listen := func(e lab.Endpoint) (c *net.UDPConn) {
		err := e.Host.Do(func() (err error) {
			c, err = net.ListenUDP("udp", &net.UDPAddr{IP: e.Addr.AsSlice()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	src, dst := listen(from), listen(to)
	const message = "the packet that brought the tunnel up"
	if _, err := src.WriteTo([]byte(message), dst.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2048)
	if err := dst.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := dst.Read(buf)
	if err != nil || string(buf[:n]) != message {
		status := ""
		if e, ok := p.a.(*peer.Esplanade); ok {
			status, _ = e.Command("status")
		}
		t.Fatalf("the first packet wasn't delivered: %q, %v\n%s", buf[:n], err, status)
	}
	if err := dst.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := dst.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the first packet was delivered again, or something else was: %q, %v", buf[:n], err)
	}
}

// TestNAT: a is behind a router that translates addresses and ports. Nothing forces UDP encapsulation between two
// Esplanades: the NAT is noticed. TestNATRebinds has a strongSwan behind the router.
func TestNAT(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
				a.Connections[0].DPDDelay = time.Second
				b.Connections[0].Remote = lab.Anyone
			}})
			err := p.R.NFT(`table ip nat {
 chain out {
  type nat hook postrouting priority srcnat;
  oifname "rb" ip protocol udp masquerade to :20000-30000 random
  oifname "rb" masquerade
 }
}
`)
			if err != nil {
				t.Fatal(err)
			}
			p.start(t)
			p.initiate(t)
			s := p.wantUp(t, time.Second)
			if want := "198.18.2.254["; len(s.ikeB.Remote) < len(want) || s.ikeB.Remote[:len(want)] != want || s.ikeB.Remote == want+"4500]" {
				t.Errorf("b sees its peer as %s, want the router's address and a translated port", s.ikeB.Remote)
			}
			if !s.childA.Encap || !s.childB.Encap {
				t.Errorf("UDP encapsulation: a %v, b %v, want both", s.childA.Encap, s.childB.Encap)
			}
			p.wantPing(t)
			p.wantBulk(t, false, 1<<20)
			for _, end := range p.peers() {
				p.rekeyChild(t, "ECP_384", end)
				p.rekeyIKE(t, end)
			}
			p.wantPing(t)
			p.terminate(t)
		})
	}
}

// TestExitLeavesNothing: after SIGTERM the peer has no SA left, and the host's links, addresses, routes and rules are
// what they were; also when a killed daemon couldn't tidy up and the next one had to.
func TestExitLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Encap: true, Edit: func(a, _ *peer.Gateway) { child(a).StartAction = "start" }})
	before, err := p.A.NetworkState()
	if err != nil {
		t.Fatal(err)
	}
	clean := func(when string) {
		t.Helper()
		after, err := p.A.NetworkState()
		if err != nil {
			t.Fatal(err)
		}
		gone, left := difference(before, after), difference(after, before)
		if len(gone)+len(left) > 0 {
			t.Errorf("%s, gone:\n%s\nleft behind:\n%s", when, strings.Join(gone, ""), strings.Join(left, ""))
		}
		if _, err := os.Stat(p.a.Socket()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the control socket is still there (%v)", when, err)
		}
	}
	p.start(t)
	p.wantUp(t, 10*time.Second)
	p.a.Stop(t)
	clean("after SIGTERM")
	lab.Eventually(t, 5*time.Second, "b has no SA left", func() (bool, string) {
		sas, err := peer.SAs(p.b)
		return err == nil && len(sas) == 0, peer.DescribeSAs(p.b)
	})
	p.a.Start(t)
	p.wantUp(t, 10*time.Second)
	p.a.Kill()
	p.a.Start(t)
	p.wantUp(t, recoveryLimit)
	p.wantPing(t)
	p.a.Stop(t)
	clean("after SIGKILL, another start, and SIGTERM")

	// An end that nobody has asked for leaves behind what refuses packets, and so does a start that fails.
	blocked := func(when string) {
		t.Helper()
		state, err := p.A.NetworkState()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"unreachable " + p.B.Net4.String(), "unreachable " + p.B.Net6.String(), "lookup 220"} {
			if !strings.Contains(state, want) {
				t.Errorf("%s, %q is not in\n%s", when, want, state)
			}
		}
	}
	a := p.a.(*peer.Esplanade)
	a.Start(t)
	p.wantUp(t, recoveryLimit)
	if err := p.A.IP("link del ipsec0"); err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, 20*time.Second, "it says why it has ended, which is the last that it does", func() (bool, string) {
		return strings.Contains(a.Log(), "somebody has removed the device"), a.Log()
	})
	blocked("after the device was removed")
	var taken *net.UDPConn
	if err := p.A.Do(func() (err error) {
		taken, err = net.ListenUDP("udp4", &net.UDPAddr{IP: p.A.Outer4.AsSlice(), Port: 500})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	a.Launch(t)
	lab.Eventually(t, 20*time.Second, "the port is taken", func() (bool, string) {
		return strings.Contains(a.Log(), "E-BIND"), a.Log()
	})
	blocked("after a start that failed")
	taken.Close()
	a.Start(t)
	p.wantUp(t, recoveryLimit)
	a.Stop(t)
	clean("after failures, another start, and SIGTERM")

	// And with block_when_stopped every end does, also after a reload.
	conf, err := os.ReadFile(a.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.ConfigPath(), append(conf, "\n[tun]\nblock_when_stopped = true\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	a.Start(t)
	p.wantUp(t, recoveryLimit)
	a.Reload(t)
	a.Stop(t)
	blocked("with block_when_stopped")
}

// difference is the lines of a that b doesn't have.
func difference(a, b string) []string {
	return slices.DeleteFunc(slices.Collect(strings.Lines(a)), func(line string) bool { return strings.Contains(b, line) })
}
