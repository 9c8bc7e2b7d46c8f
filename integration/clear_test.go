//go:build linux

package integration

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// leakWatch sends packets for the peer's networks all the time, and looks at the outer link for any that shows.
type leakWatch struct {
	site    *lab.Site
	nets    []netip.Prefix
	capture *lab.Capture

	mu    sync.Mutex
	step  string
	leaks map[string]int
	first map[string]string
	stop  chan struct{}
	wg    sync.WaitGroup
}

// leakMark is in every packet that is to be protected.
var leakMark = []byte("what is protected never leaves in the clear")

// watchLeaks begins to send from a site to the networks of another and to watch the site's outer link.
func watchLeaks(t *testing.T, from, to *lab.Site, step string) *leakWatch {
	t.Helper()
	w := &leakWatch{site: from, nets: []netip.Prefix{to.Net4, to.Net6}, step: step, leaks: map[string]int{}, first: map[string]string{},
		stop: make(chan struct{})}
	var err error
	if w.capture, err = from.StartCapture("clear", w.frame); err != nil {
		t.Fatal(err)
	}
	for _, dst := range []netip.Addr{to.Inner4, to.Inner6} {
		src := from.Inner4
		if dst.Is6() {
			src = from.Inner6
		}
		var c *net.UDPConn
		err := from.Do(func() (err error) {
			c, err = net.ListenUDP("udp", &net.UDPAddr{IP: src.AsSlice()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.wg.Go(func() {
			defer c.Close()
			tick := time.NewTicker(300 * time.Microsecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					// An error is an ICMP error about an earlier packet, or no route: nothing has left.
					_, _ = c.WriteToUDPAddrPort(leakMark, netip.AddrPortFrom(dst, 9))
				case <-w.stop:
					return
				}
			}
		})
	}
	return w
}

// frame looks at an Ethernet frame of the outer link.
func (w *leakWatch) frame(b []byte) {
	if len(b) < 14+20 {
		return
	}
	var dst netip.Addr
	switch ip := b[14:]; binary.BigEndian.Uint16(b[12:]) {
	case 0x0800:
		dst, _ = netip.AddrFromSlice(ip[16:20])
	case 0x86dd:
		if len(ip) < 40 {
			return
		}
		dst, _ = netip.AddrFromSlice(ip[24:40])
	default:
		return
	}
	if bytes.Contains(b, leakMark) || w.nets[0].Contains(dst) || w.nets[1].Contains(dst) {
		w.mu.Lock()
		if w.leaks[w.step]++; w.leaks[w.step] == 1 {
			w.first[w.step] = fmt.Sprintf("to %v, %d octets", dst, len(b))
		}
		w.mu.Unlock()
	}
}

// during names what happens from now on.
func (w *leakWatch) during(step string) {
	time.Sleep(50 * time.Millisecond) // what was sent before is on the wire, or not
	w.mu.Lock()
	w.step = step
	w.mu.Unlock()
}

// end stops and says in which steps something has left. In those of open something must have: it is what shows that the
// test sees it. In those of gap it may.
func (w *leakWatch) end(t *testing.T, open, gap []string) {
	t.Helper()
	close(w.stop)
	w.wg.Wait()
	if err := w.capture.Stop(); err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for step, n := range w.leaks {
		if !slices.Contains(open, step) && !slices.Contains(gap, step) {
			t.Errorf("%s: %d packets have left in the clear, the first one %s", step, n, w.first[step])
		}
	}
	for _, step := range open {
		if w.leaks[step] == 0 {
			t.Errorf("%s: nothing has left, although nothing protects it: the test sees nothing", step)
		}
	}
}

// TestNothingInTheClear changes everything that can change while packets for the peer's networks are sent, and looks at the
// wire: docs/operations.md, "What is protected never leaves in the clear".
func TestNothingInTheClear(t *testing.T) {
	var first peer.Gateway
	p := newPair(t, ours, tunnel{Router: true, Encap: true, ESP: []string{"aes128gcm16-x25519"}, Edit: func(a, b *peer.Gateway) {
		for _, g := range []*peer.Gateway{a, b} {
			g.Connections[0].DPDDelay = time.Second
			g.Secrets[0].IDs = append(g.Secrets[0].IDs, "a2.example")
		}
		b.Connections[0].Extra = map[string]string{} // b takes a under any of its names
		b.Connections[0].RemoteID = "*.example"
		child(a).StartAction, child(b).StartAction = "start", "start"
		first = *a
	}})
	a, b := p.a.(*peer.Esplanade), p.b
	// Without the tunnel's routes the packets have a way out.
	if err := p.A.IP("route add default via 198.18.1.254", "-6 route add default via 2001:db8:1::fe"); err != nil {
		t.Fatal(err)
	}
	const noDaemon = "before the daemon runs"
	w := watchLeaks(t, p.A, p.B, noDaemon)
	time.Sleep(100 * time.Millisecond)
	a.Start(t)
	up := func() {
		t.Helper()
		lab.Eventually(t, 40*time.Second, "the tunnel carries packets", func() (bool, string) {
			s, err := a.StatusAll()
			if err != nil || len(s.Connections) == 0 {
				return false, fmt.Sprint(err)
			}
			for _, c := range s.Connections {
				for _, h := range c.Children {
					if h.State == "up" {
						return true, ""
					}
				}
			}
			return false, fmt.Sprintf("%+v", s.Connections)
		})
	}
	w.during("while the peer is away")
	time.Sleep(300 * time.Millisecond)
	b.Start(t)
	up()

	// Reloads with changes, faster than their tunnels come up, and at rest.
	change := func(f func(g *peer.Gateway, c *peer.Connection)) peer.Gateway {
		g := first
		c := first.Connections[0]
		c.Children = append([]peer.Child{}, c.Children...)
		f(&g, &c)
		g.Connections = []peer.Connection{c}
		return g
	}
	variants := []struct {
		name string
		gw   peer.Gateway
	}{
		{"another identity", change(func(_ *peer.Gateway, c *peer.Connection) { c.LocalID = "a2.example" })},
		{"another name", change(func(_ *peer.Gateway, c *peer.Connection) { c.Name = "renamed" })},
		{"another name of the child", change(func(_ *peer.Gateway, c *peer.Connection) { c.Children[0].Name = "renamed" })},
		{"any peer", change(func(_ *peer.Gateway, c *peer.Connection) { c.Remote = lab.Anyone; c.Children[0].StartAction = "none" })},
		{"on traffic", change(func(_ *peer.Gateway, c *peer.Connection) { c.Children[0].StartAction = "trap" })},
		{"on command", change(func(_ *peer.Gateway, c *peer.Connection) { c.Children[0].StartAction = "none" })},
		{"wider selectors", change(func(_ *peer.Gateway, c *peer.Connection) {
			c.Children[0].RemoteTS = []string{"10.20.0.0/16", "fd20::/48"}
		})},
		{"as at first", first},
	}
	for _, v := range variants {
		w.during("reload: " + v.name)
		a.Configure(t, v.gw)
		a.Reload(t)
		time.Sleep(200 * time.Millisecond)
	}
	w.during("reloads one after the other")
	for i := range 40 {
		a.Configure(t, variants[i%len(variants)].gw)
		a.HangUp(t)
		time.Sleep(time.Duration(i%4) * 5 * time.Millisecond)
	}
	a.Configure(t, first)
	a.Reload(t)
	up()

	steps := []struct {
		name string
		do   func()
	}{
		{"rekeying", func() {
			for _, args := range [][]string{{"--rekey", "--child", childName}, {"--rekey", "--ike", connName}} {
				if _, err := peer.Swanctl(a, args...); err != nil {
					t.Error(err)
				}
				time.Sleep(200 * time.Millisecond)
			}
		}},
		{"the peer deletes the SA", func() {
			if _, err := peer.Swanctl(b, "--terminate", "--ike", connName, "--timeout", "10"); err != nil {
				t.Error(err)
			}
		}},
		{"an operator takes the tunnel down", func() {
			if _, err := peer.Swanctl(a, "--terminate", "--ike", connName, "--timeout", "10"); err != nil {
				t.Error(err)
			}
			time.Sleep(300 * time.Millisecond)
			if _, err := peer.Initiate(a, childName); err != nil {
				t.Log(err) // the peer may come first
			}
		}},
		{"the outer link goes down", func() {
			ip(t, p.A, "link set a0 down")
			time.Sleep(300 * time.Millisecond)
			ip(t, p.A, "link set a0 up", "addr replace "+p.A.Outer6.String()+"/64 dev a0 nodad", "route replace 198.18.2.0/24 via 198.18.1.254",
				"route replace default via 198.18.1.254", "-6 route replace 2001:db8:2::/64 via 2001:db8:1::fe",
				"-6 route replace default via 2001:db8:1::fe")
		}},
		{"addresses come and go", func() {
			ip(t, p.A, "addr add 198.18.1.77/24 dev a0", "addr add 10.10.0.7/32 dev lo", "addr del 10.10.0.7/32 dev lo", "addr del 198.18.1.77/24 dev a0")
		}},
		{"the outer address goes and comes back", func() {
			ip(t, p.A, "addr del "+p.A.Outer4.String()+"/24 dev a0")
			time.Sleep(300 * time.Millisecond)
			ip(t, p.A, "addr add "+p.A.Outer4.String()+"/24 dev a0", "route replace 198.18.2.0/24 via 198.18.1.254", "route replace default via 198.18.1.254")
		}},
		{"the device goes down and up", func() {
			ip(t, p.A, "link set ipsec0 down")
			time.Sleep(500 * time.Millisecond)
			ip(t, p.A, "link set ipsec0 up")
		}},
		{"the peer dies", func() {
			b.Kill()
			time.Sleep(5 * time.Second) // it is found dead, and called again
			b.Start(t)
		}},
	}
	for _, s := range steps {
		w.during(s.name)
		s.do()
		up()
		time.Sleep(100 * time.Millisecond)
	}
	// Somebody removes what leads into the tunnel: it is put back, and nothing leaves from then on.
	gaps := []string{}
	for _, s := range []struct {
		name     string
		commands []string
	}{
		{"rules are removed", []string{"rule del table 220", "-6 rule del table 220"}},
		{"routes are removed", []string{"route flush table 220", "-6 route flush table 220"}},
	} {
		gaps = append(gaps, s.name)
		restored := func() int { return strings.Count(a.Log(), "put back") }
		before := restored()
		w.during(s.name)
		ip(t, p.A, s.commands...)
		lab.Eventually(t, 10*time.Second, "what was removed is put back", func() (bool, string) { return restored() > before, a.Log() })
		time.Sleep(500 * time.Millisecond)
		w.during("after " + s.name)
		time.Sleep(300 * time.Millisecond)
	}
	const killed = "between the death of the daemon and the next start"
	w.during(killed)
	a.Kill()
	a.Start(t)
	w.during("after the next start")
	up()
	time.Sleep(100 * time.Millisecond)
	const ended = "after it has ended"
	w.during(ended)
	a.Stop(t)
	time.Sleep(100 * time.Millisecond)
	w.end(t, []string{noDaemon, ended}, gaps)
}

// ip runs commands of ip(8) on a site.
func ip(t *testing.T, s *lab.Site, commands ...string) {
	t.Helper()
	if err := s.IP(commands...); err != nil {
		t.Error(err)
	}
}
