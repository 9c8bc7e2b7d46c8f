//go:build linux

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// clearWatch sends to hosts of the outside all the time, as a program does that does not know of a tunnel, and counts what of it shows on the
// outer link.
type clearWatch struct {
	capture *lab.Capture
	seen    atomic.Int64
	stop    chan struct{}
	done    chan struct{}
}

func watchClear(t *testing.T, s *lab.Site, to ...string) *clearWatch {
	t.Helper()
	w := &clearWatch{stop: make(chan struct{}), done: make(chan struct{})}
	var err error
	if w.capture, err = s.StartCapture("outside", func(frame []byte) {
		if bytes.Contains(frame, leakMark) {
			w.seen.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	var socks []*net.UDPConn
	if err := s.Do(func() error {
		for range to {
			c, err := net.ListenUDP("udp", nil)
			if err != nil {
				return err
			}
			socks = append(socks, c)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
				for i, a := range to {
					_, _ = socks[i].WriteToUDPAddrPort(leakMark, netip.AddrPortFrom(netip.MustParseAddr(a), 9)) // no route is as good as none
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(w.stop)
		<-w.done
		for _, c := range socks {
			c.Close()
		}
	})
	return w
}

// none fails the test if anything has left since the last call.
func (w *clearWatch) none(t *testing.T, while string) {
	t.Helper()
	time.Sleep(100 * time.Millisecond) // what was sent is on the wire, or not
	if n := w.seen.Swap(0); n > 0 {
		t.Errorf("%s: %d packets have left in the clear", while, n)
	}
}

// some waits until something leaves: the test sees it.
func (w *clearWatch) some(t *testing.T) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, "packets leave without a tunnel", func() (bool, string) { return w.seen.Load() > 0, "nothing" })
	w.seen.Store(0)
}

const outsideDNS = "nameserver 192.0.2.53\noptions timeout:1\n"

// clientPair is an Esplanade that comes to a gateway as its client, through a router, with a way out of its own for everything.
func clientPair(t *testing.T, k kinds, edit func(a, b *peer.Gateway)) (*pair, *peer.Esplanade) {
	p := newPair(t, k, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
		roaming(true)(a, b)
		a.OwnResolver = true
		a.Connections[0].VIPs = []string{"0.0.0.0", "::"}
		a.Connections[0].DPDDelay = time.Second
		child(a).StartAction, child(a).LocalTS, child(a).RemoteTS = "start", []string{"dynamic"}, []string{"0.0.0.0/0", "::/0"}
		child(b).LocalTS, child(b).RemoteTS = []string{"0.0.0.0/0", "::/0"}, []string{"dynamic"}
		edit(a, b)
	}})
	if err := p.A.IP("route add default via 198.18.1.254", "-6 route add default via 2001:db8:1::fe"); err != nil {
		t.Fatal(err)
	}
	a := p.a.(*peer.Esplanade)
	if err := os.WriteFile(a.ResolvConf(), []byte(outsideDNS), 0o644); err != nil {
		t.Fatal(err)
	}
	return p, a
}

// strongPools are pools of a strongSwan.
func strongPools(b *peer.Gateway, pools string) {
	b.Connections[0].Extra = map[string]string{"pools": strings.Join(poolNames(pools), ",")}
	b.More = "pools {\n" + pools + "}\n"
}

func poolNames(pools string) (names []string) {
	for line := range strings.Lines(pools) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " {"); ok {
			names = append(names, name)
		}
	}
	return names
}

// clientStatus is what `status --json` says of a client.
type clientStatus struct {
	Addresses, DNS, Domains, Subnets []string
	DNSBy                            string `json:"dns_by"`
	Problem                          string
}

func statusOfClient(t *testing.T, a *peer.Esplanade) clientStatus {
	t.Helper()
	out, err := a.Command("status", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Connections []struct{ Client clientStatus }
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.Connections) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	return s.Connections[0].Client
}

// onDevice are the addresses of the tunnel's device that are no link's.
func onDevice(t *testing.T, s *lab.Site) string {
	t.Helper()
	out, err := s.Run("ip", "-json", "addr", "show")
	if err != nil {
		t.Fatal(err)
	}
	var links []struct {
		Ifname string
		Info   []struct{ Local, Scope string } `json:"addr_info"`
	}
	if err := json.Unmarshal([]byte(out), &links); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, l := range links {
		for _, a := range l.Info {
			if l.Ifname == "ipsec0" && a.Scope != "link" {
				list = append(list, a.Local)
			}
		}
	}
	return strings.Join(list, " ")
}

// wantClient waits until the client has its addresses, on its device and in the status, and asks a DNS server in its file.
func wantClient(t *testing.T, p *pair, a *peer.Esplanade, addrs, resolv string) {
	t.Helper()
	p.wantUp(t, 30*time.Second)
	lab.Eventually(t, 10*time.Second, "the client is given what is its own", func() (bool, string) {
		s := statusOfClient(t, a)
		b, _ := os.ReadFile(a.ResolvConf())
		got := fmt.Sprintf("device %q; %+v; resolv.conf %q", onDevice(t, p.A), s, b)
		return onDevice(t, p.A) == addrs && strings.Join(s.Addresses, " ") == addrs && s.Problem == "" && strings.Contains(string(b), resolv), got
	})
}

// TestClient: a client of a strongSwan with pools, which sends everything through it. It keeps its addresses over rekeyings, another
// authentication and a move; nothing leaves in the clear while the gateway is dead or the client was killed; and when it ends, it leaves
// nothing behind.
func TestClient(t *testing.T) {
	t.Parallel()
	p, a := clientPair(t, toStrong, func(_, b *peer.Gateway) {
		b.IKE = map[string]string{"make_before_break": "true"}
		strongPools(b, `  four {
    addrs = 10.3.0.7-10.3.0.20
    dns = 10.20.0.1, 10.20.0.2
    subnet = 10.20.0.0/24
    25 = corp.example
  }
  six {
    addrs = fd03::7-fd03::20
    dns = fd20::1
  }
`)
	})
	w := watchClear(t, p.A, "203.0.113.9", "2001:db8:9::9")
	w.some(t)
	p.b.Start(t)
	a.Start(t)
	const addrs, dns = "10.3.0.7 fd03::7", "nameserver 10.20.0.1\nnameserver 10.20.0.2\nnameserver fd20::1\n"
	wantClient(t, p, a, addrs, dns)
	w.seen.Store(0)
	s := statusOfClient(t, a)
	if len(s.Domains) > 0 || s.DNSBy != "resolv.conf" || strings.Join(s.Subnets, " ") != "10.20.0.0/24" {
		t.Errorf("%+v", s)
	}
	up := p.wantUp(t, time.Second)
	if got := strings.Join(up.childA.LocalTS, " ") + "|" + strings.Join(up.childA.RemoteTS, " "); got != "10.3.0.7/32 fd03::7/128|0.0.0.0/0 ::/0" {
		t.Error(got)
	}
	for key, end := range map[string]peer.Peer{"local-vips": p.a, "remote-vips": p.b} {
		out, err := peer.Swanctl(end, "--list-sas", "--raw")
		if err != nil || !strings.Contains(out, key+"=[10.3.0.7 fd03::7]") {
			t.Errorf("%s: %v\n%s", key, err, out)
		}
	}
	// The routes give the source: nothing of the host needs to know of the tunnel.
	ping := func(what string) {
		t.Helper()
		for _, to := range []netip.Addr{p.B.Inner4, p.B.Inner6} {
			lab.Eventually(t, 10*time.Second, what+": a ping to "+to.String()+" is answered", func() (bool, string) {
				out, err := p.A.Run("ping", "-c1", "-W1", to.String())
				return err == nil, out
			})
		}
	}
	ping("up")

	p.rekeyIKE(t, a)
	p.rekeyChild(t, "ECP_384", p.b)
	p.reauthenticate(t, a)
	wantClient(t, p, a, addrs, dns)
	ping("after rekeyings and another authentication")
	w.none(t, "rekeyings")

	if err := p.A.IP("-6 addr flush dev a0 scope global"); err != nil { // or it goes there
		t.Fatal(err)
	}
	p.moveHost(t, p.A, otherA)
	if err := p.A.IP("route replace default via 198.18.1.254"); err != nil {
		t.Fatal(err)
	}
	p.wantAt(t, 20*time.Second, otherA, p.B.Outer4)
	wantClient(t, p, a, addrs, dns)
	ping("roamed")
	w.none(t, "the move")

	p.b.Kill()
	lab.Eventually(t, 20*time.Second, "the gateway counts as dead", func() (bool, string) {
		b, _ := os.ReadFile(a.ResolvConf())
		return onDevice(t, p.A) == "" && string(b) == outsideDNS, onDevice(t, p.A) + " " + string(b)
	})
	w.none(t, "the gateway is dead")
	p.b.Start(t)
	wantClient(t, p, a, addrs, dns)
	ping("the gateway is back")

	a.Kill()
	if b, _ := os.ReadFile(a.ResolvConf()); !strings.Contains(string(b), dns) {
		t.Errorf("the file of the resolver is %q: the test kills nothing in its work", b)
	}
	w.none(t, "the client was killed")
	a.Start(t)
	if !strings.Contains(a.Log(), "an earlier run has left DNS servers") {
		t.Error("what was left behind was not taken out")
	}
	wantClient(t, p, a, addrs, dns)
	w.none(t, "the client is back")

	a.Stop(t)
	w.some(t)
	if b, _ := os.ReadFile(a.ResolvConf()); string(b) != outsideDNS {
		t.Errorf("left behind: %q", b)
	}
	if _, err := os.Stat(a.StatePath()); err == nil {
		t.Error("the state file is left behind")
	}
	if got := onDevice(t, p.A); got != "" {
		t.Errorf("left on the device: %s", got)
	}
}

// serveName answers every question for an IPv4 address with one, at port 53 of another of a host's addresses, until the test ends.
func serveName(t *testing.T, s *lab.Site, with netip.Addr) {
	t.Helper()
	c, err := s.ListenUDP(netip.AddrPortFrom(s.Outer4, 53))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			// RFC 1035: the header, the question up to its type and class, and for A a record that points to the name in the question.
			end := 12
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			if end += 5; end > n {
				continue
			}
			a := append([]byte{b[0], b[1], 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:end]...)
			if b[end-3] == 1 {
				a[7] = 1
				a = append(append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4), with.AsSlice()...)
			}
			_, _ = c.WriteToUDPAddrPort(a, from)
		}
	}()
}

// TestClientOfIPv4: a user with a password, as the client of a gateway with a certificate that gives IPv4 only, which it knows by name, from a DNS server that is not in its own network. It
// leaks no IPv6, and finds the gateway although everything, its questions too, goes into the tunnel that is not up.
func TestClientOfIPv4(t *testing.T) {
	t.Parallel()
	cw := newCertWorld(t)
	p, a := clientPair(t, toStrong, func(a, b *peer.Gateway) {
		child(a).RemoteTS, child(b).LocalTS = []string{"0.0.0.0/0"}, []string{"0.0.0.0/0"}
		a.Connections[0].VIPs = []string{"0.0.0.0"}
		a.Connections[0].Extra = map[string]string{"remote_addrs": "gw.test"}
		// As a phone does: a gateway with a certificate, and a user with a password.
		b.Plugins = []string{"eap-identity", "eap-mschapv2"}
		user := map[string]string{"eap_id": tunnelUser}
		a.Connections[0].LocalAuth, a.Connections[0].RemoteAuth = peer.Auth{Method: "eap-mschapv2", Extra: user}, wanting()
		b.Connections[0].LocalAuth = cw.showing(b, "gw", cw.root.issue(b.Connections[0].LocalID, "p256"))
		b.Connections[0].RemoteAuth = peer.Auth{Method: "eap-mschapv2", Extra: map[string]string{"eap_id": "%any"}}
		a.Files, a.Secrets, b.Secrets = append(a.Files, cw.root.file("root")), nil, nil
		secret := "id = \"" + tunnelUser + "\"\nsecret = \"" + tunnelSecret + "\"\n"
		a.More = "[secrets.eap.uwe]\n" + secret
		strongPools(b, "  four {\n    addrs = 10.3.0.7/32\n  }\n  more {\n    addrs = 10.4.0.7/32\n  }\n")
		b.More += "secrets {\n  eap-uwe {\n" + secret + "  }\n}\n"
	})
	w := watchClear(t, p.A, "203.0.113.9", "2001:db8:9::9")
	w.some(t)
	if err := p.A.IP("route del 198.18.2.0/24"); err != nil { // the tunnel takes the way to the DNS server
		t.Fatal(err)
	}
	serveName(t, p.B, p.B.Outer4)
	resolv := "nameserver " + p.B.Outer4.String() + "\n"
	if err := os.WriteFile(a.ResolvConf(), []byte(resolv), 0o644); err != nil {
		t.Fatal(err)
	}
	p.b.Start(t)
	a.Start(t)
	wantClient(t, p, a, "10.3.0.7", resolv)
	w.seen.Store(0)
	w.none(t, "up")
	s, err := a.StatusAll()
	if err != nil {
		t.Fatal(err)
	}
	dropped := false
	for _, d := range s.Gateway.Drops {
		dropped = dropped || d.Reason == "no_policy" && d.Packets > 0
	}
	if !dropped {
		t.Errorf("IPv6 is not counted: %+v", s.Gateway.Drops)
	}
	a.Stop(t)
}

// TestTwoClientsBehindOneNAT: an Esplanade and a strongSwan come to an Esplanade with a pool through one router, which gives both its address.
// Each has an address of its own, and what is for one reaches that one.
func TestTwoClientsBehindOneNAT(t *testing.T) {
	t.Parallel()
	p := newPair(t, ours, tunnel{Router: true, Edit: func(a, b *peer.Gateway) {
		a.Connections[0].VIPs = []string{"0.0.0.0"}
		a.OwnResolver = true
		child(a).StartAction, child(a).LocalTS, child(a).RemoteTS = "start", []string{"dynamic"}, []string{"10.20.0.0/24"}
		child(b).LocalTS, child(b).RemoteTS = []string{"10.20.0.0/24"}, []string{"dynamic"}
		b.Connections[0].Remote, b.Connections[0].RemoteID = lab.Anyone, "*.example"
		b.Connections[0].Extra = map[string]string{"pools": "people"}
		b.IKE = map[string]string{"lease_file": strconv.Quote(filepath.Join(t.TempDir(), "leases.db"))}
		b.Secrets[0].IDs = []string{id2("a"), id2("b"), id2("c")}
		b.More = "[pools.people]\naddrs = \"10.3.0.0/24\"\ndns = \"10.20.0.1\"\n"
	}}, peer.Programs(peer.KindStrongSwan, peer.KindStrongSwan)...)
	cs, err := p.Neighbour()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Masquerade(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.a.(*peer.Esplanade).ResolvConf(), []byte(outsideDNS), 0o644); err != nil {
		t.Fatal(err)
	}
	gw := p.gateway(cs, p.B, tunnel{}, true)
	gw.Connections[0].VIPs = []string{"0.0.0.0"}
	child(&gw).StartAction, child(&gw).LocalTS, child(&gw).RemoteTS = "start", []string{"dynamic"}, []string{"10.20.0.0/24"}
	c := peer.New(t, peer.KindStrongSwan, cs, gw)
	p.start(t)
	c.Start(t)
	var vips [2]string
	lab.Eventually(t, 30*time.Second, "both clients have an address", func() (bool, string) {
		sas, err := peer.SAs(p.b)
		if err != nil {
			return false, err.Error()
		}
		vips = [2]string{}
		for _, s := range sas {
			for _, x := range s.Children {
				if x.State == "INSTALLED" && len(x.RemoteTS) == 1 {
					vips[map[bool]int{true: 0, false: 1}[s.RemoteID == id2("a")]] = strings.TrimSuffix(x.RemoteTS[0], "/32")
				}
			}
		}
		return vips[0] != "" && vips[1] != "" && onDevice(t, p.A) == vips[0], fmt.Sprint(vips) + "\n" + peer.DescribeSAs(p.b)
	})
	if vips[0] == vips[1] || !strings.HasPrefix(vips[0], "10.3.0.") || !strings.HasPrefix(vips[1], "10.3.0.") {
		t.Errorf("they have %v", vips)
	}
	for _, x := range []struct {
		from *lab.Site
		args []string
	}{
		{p.A, []string{"10.20.0.1"}}, {cs, []string{"-I", vips[1], "10.20.0.1"}}, {p.B, []string{"-I", "10.20.0.1", vips[0]}}, {p.B, []string{"-I", "10.20.0.1", vips[1]}},
	} {
		if out, err := x.from.Run(append([]string{"ping", "-c3", "-i0.2", "-W2"}, x.args...)...); err != nil || !strings.Contains(out, " 0% packet loss") {
			t.Errorf("%s, ping %v: %v\n%s", x.from.Name, x.args, err, out)
		}
	}
	// One of them goes, and the other stays.
	p.a.Stop(t)
	if out, err := cs.Run("ping", "-c2", "-i0.2", "-W2", "-I", vips[1], "10.20.0.1"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// id2 is the identity of a host of a lab.
func id2(name string) string { return name + ".example" }
