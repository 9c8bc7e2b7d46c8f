package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/ike/pool"
	"esplanade/ike/sa"
)

// clientPair are a client and its gateway, whose pool is what a test says.
type clientPair struct {
	t    *testing.T
	f    *fabric
	a, b *node
	// next is what the gateway gives; nil: what it is asked for, or 10.3.0.7 and fd03::7. asked are the requests.
	next  func(asked []netip.Addr) []netip.Addr
	attrs pool.Attributes
	asked [][]netip.Addr
}

func addrsOf(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func startClient(t *testing.T, extra, remote string) *clientPair {
	p := &clientPair{t: t, f: newFabric(t)}
	p.attrs = pool.Attributes{
		DNS: addrsOf("10.2.0.53", "fd02::53", "192.0.2.53"), Domains: []string{"corp.example"}, Subnets: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")},
	}
	r := right("none")
	r.children = []kid{{"net", "0.0.0.0/0 ::/0", "dynamic", "none", ""}}
	p.b = p.f.start(addrB, toml("", r), func(o *rigOptions) {
		o.lease = func(l sa.Lease) sa.Result {
			p.asked = append(p.asked, l.Asked)
			if p.next != nil {
				if list := p.next(l.Asked); len(list) > 0 {
					return sa.Leased{Addresses: list, Attributes: p.attrs}
				}
				return sa.Unfulfilled{Err: errors.New("there is none")}
			}
			list := slices.Clone(l.Asked)
			for i, a := range list {
				if a.IsUnspecified() {
					list[i] = netip.MustParseAddr(map[bool]string{true: "10.3.0.7", false: "fd03::7"}[a.Is4()])
				}
			}
			return sa.Leased{Addresses: list, Attributes: p.attrs}
		}
	})
	p.pools()
	p.a = p.f.start(addrA, p.toml(extra, remote))
	return p
}

// pools make the other end a gateway that gives addresses.
func (p *clientPair) pools() {
	p.t.Helper()
	if err := p.b.d.call(context.Background(), func(time.Time) {
		c := p.b.d.conns[0]
		c.cfg.Pools = true
		for _, h := range c.cfg.Children {
			h.Pools = true
		}
	}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *clientPair) toml(extra, remote string) string {
	l := left("start")
	l.extra = extra
	l.children = []kid{{"net", "dynamic", remote, "start", ""}}
	return toml("", l)
}

// info is what an operator sees of the client.
func (p *clientPair) info() Info {
	p.t.Helper()
	i, err := p.a.d.Info(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	return i
}

// is compares what there is with a text: the addresses of the device, the DNS servers of the host, and what the CHILD SAs have.
func (p *clientPair) is(want string) {
	p.t.Helper()
	var dns []string
	for _, x := range p.a.net.Assigned() {
		dns = append(dns, strings.TrimSpace(addrList(x.DNS)+" "+strings.Join(x.Domains, " ")))
	}
	var sas []string
	_ = p.a.d.call(context.Background(), func(time.Time) {
		for _, c := range p.a.d.conns {
			for _, h := range c.children {
				for _, x := range h.live {
					if inUse(x) {
						sas = append(sas, x.TS.String())
					}
				}
			}
		}
	})
	slices.Sort(sas)
	got := fmt.Sprintf("%s; %s; %s", addrList(p.a.net.Held()), strings.Join(dns, ", "), strings.Join(sas, ", "))
	if got != want {
		p.t.Errorf("\n got %s\nwant %s\n%s", got, want, p.a.log)
	}
}

// What is given comes to the host before the routes, is asked for again by the IKE SA of a reauthentication and after a loss, and goes with
// the last IKE SA.
func TestClientKeepsItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startClient(t, `vips = ["0.0.0.0", "::"]`+"\nreauth_time = \"10m\"\nrand_time = \"1s\"\ndpd_delay = \"5s\"", "0.0.0.0/0 ::/0")
		settle(2 * time.Second)
		const up = "10.3.0.7 fd03::7; 10.2.0.53 fd02::53 192.0.2.53; 10.3.0.7/32 fd03::7/128 === 0.0.0.0/0 ::/0"
		p.is(up)
		if got := fmt.Sprint(p.asked); got != "[[0.0.0.0 ::]]" {
			t.Error(got)
		}
		routes := p.a.net.Routes()
		if routes["0.0.0.0/0 ::/0"] == 0 {
			t.Errorf("routes %v", routes)
		}

		// The address is on the device all the time.
		for end := time.Now().Add(11 * time.Minute); time.Now().Before(end); {
			settle(latency)
			if len(p.a.net.Held()) != 2 {
				t.Fatalf("%s: the device has %v\n%s", time.Now(), p.a.net.Held(), p.a.log)
			}
		}
		if n := p.a.ikeSAs(); n != 1 || !strings.Contains(p.a.log.String(), "reauthenticating") {
			t.Errorf("%d IKE SAs", n)
		}
		if got := fmt.Sprint(p.asked[1:]); got != "[[10.3.0.7 fd03::7]]" {
			t.Error(got)
		}
		p.is(up)

		// The gateway dies, and comes back.
		p.f.setDeliver(func(_, _ netip.AddrPort, _ []byte) bool { return false })
		settle(4 * time.Minute)
		p.is("; ; ")
		if p.a.net.Routes()["0.0.0.0/0 ::/0"] == 0 {
			t.Errorf("while the gateway is dead the routes are %v", p.a.net.Routes())
		}
		p.f.setDeliver(nil)
		settle(4 * time.Minute)
		p.is(up)
		if last := p.asked[len(p.asked)-1]; addrList(last) != "10.3.0.7 fd03::7" {
			t.Errorf("it asks for %v", last)
		}
		info := p.info().Conns[0].Client
		if info == nil || addrList(info.Addresses) != "10.3.0.7 fd03::7" || info.By != "a test" || info.Problem != "" {
			t.Errorf("%+v", info)
		}
		p.a.stop()
		p.a.net.Empty(t)
		p.b.stop()
	})
}

// A gateway that gives another address has the host and the children follow, with both addresses there until the old IKE SA has gone.
func TestClientIsGivenAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startClient(t, `vips = ["0.0.0.0"]`+"\nreauth_time = \"10m\"\nrand_time = \"1s\"", "10.2.0.0/16")
		settle(2 * time.Second)
		p.is("10.3.0.7; 10.2.0.53 corp.example; 10.3.0.7/32 === 10.2.0.0/16")
		p.gives(func([]netip.Addr) []netip.Addr { return addrsOf("10.3.0.9") })
		both := false
		for end := time.Now().Add(11 * time.Minute); time.Now().Before(end); {
			settle(latency)
			held := addrList(p.a.net.Held())
			both = both || held == "10.3.0.7 10.3.0.9"
			if held == "" {
				t.Fatal("there is no address")
			}
		}
		if !both {
			t.Error("the old address has gone before the old IKE SA")
		}
		p.is("10.3.0.9; 10.2.0.53 corp.example; 10.3.0.9/32 === 10.2.0.0/16")
		if !strings.Contains(p.a.log.String(), "other addresses than before") {
			t.Error("nobody is told")
		}
		if log := p.a.log.String(); !strings.Contains(log, "the tunnel does not lead to it") || !strings.Contains(log, "dns=192.0.2.53") {
			t.Error("nothing is said of the server that is in no remote_ts")
		}
		p.a.stop()
		p.a.net.Empty(t)
	})
}

// gives changes what the gateway gives: nil for what there is. The gateway is under way.
func (p *clientPair) gives(next func([]netip.Addr) []netip.Addr) {
	p.b.d.turn(func(time.Time) { p.next = next })
}

// Without an address nothing comes up, and it is tried again; the reason is the child's.
func TestClientWithoutAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startClient(t, `vips = ["0.0.0.0"]`, "0.0.0.0/0")
		p.gives(func([]netip.Addr) []netip.Addr { return nil })
		settle(time.Minute)
		p.is("; ; ")
		last := p.info().Conns[0].Last
		if last == nil || !strings.Contains(last.Failure.Error(), "INTERNAL_ADDRESS_FAILURE") || last.Failure.Code != "E-VIP" {
			t.Errorf("%v", last)
		}
		if n := len(p.asked); n < 3 {
			t.Errorf("asked %d times in a minute", n)
		}
		// One that this host has on another interface is none for the tunnel.
		p.gives(func([]netip.Addr) []netip.Addr { return addrsOf(addrA) })
		settle(2 * time.Minute)
		if last := p.info().Conns[0].Last; last == nil || !strings.Contains(last.Failure.Error(), "host's own") {
			t.Errorf("%v", last)
		}
		p.gives(nil)
		settle(2 * time.Minute)
		p.is("10.3.0.7; 10.2.0.53 192.0.2.53; 10.3.0.7/32 === 0.0.0.0/0")
		p.a.stop()
	})
}

// What is asked of whom changes with the configuration, and the SAs stay.
func TestClientReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startClient(t, `vips = ["0.0.0.0"]`, "10.2.0.0/16")
		settle(2 * time.Second)
		const ts = "; 10.3.0.7/32 === 10.2.0.0/16"
		p.is("10.3.0.7; 10.2.0.53 corp.example" + ts)
		before := p.a.log.String()
		for keys, want := range map[string]string{
			`install_dns = "no"`: "10.3.0.7; ", `install_dns = "all"`: "10.3.0.7; 10.2.0.53", "": "10.3.0.7; 10.2.0.53 corp.example",
		} {
			conf := parse(t, p.toml(`vips = ["0.0.0.0"]`+"\n"+keys, "10.2.0.0/16"))
			_, _ = p.a.d.Reload(context.Background(), conf)
			settle(time.Second)
			p.is(want + ts)
		}
		if after := p.a.log.String(); strings.Count(after, "IKE SA established") != strings.Count(before, "IKE SA established") {
			t.Error("the IKE SA was made again")
		}
		// Whatever becomes of the connection, the host has what is configured.
		conf := parse(t, p.toml("", "10.2.0.0/16"))
		_, _ = p.a.d.Reload(context.Background(), conf)
		settle(5 * time.Second)
		if held := p.a.net.Held(); len(held) > 0 || len(p.a.net.Assigned()) > 0 {
			t.Errorf("%v, %v", held, p.a.net.Assigned())
		}
		p.a.stop()
		p.a.net.Empty(t)
	})
}

// The routes that a client holds: of the other IP version where it has all of one, and with split_include none for everything before the
// gateway has said what is behind it, and then that.
func TestClientRoutes(t *testing.T) {
	for _, c := range []struct {
		name, extra, remote, before, after, dns string
	}{
		{"all of IPv4", "", "0.0.0.0/0", "0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0", "10.2.0.53 192.0.2.53"},
		{"all of IPv4 in halves", "", "0.0.0.0/1 128.0.0.0/1", "0.0.0.0/1 128.0.0.0/1 ::/0", "0.0.0.0/1 128.0.0.0/1 ::/0", "10.2.0.53 192.0.2.53"},
		{"allowed", `other_ip_version = "allow"`, "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "10.2.0.53 192.0.2.53"},
		{"both", "", "0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0", "10.2.0.53 192.0.2.53"},
		{"some networks", "", "10.2.0.0/16", "10.2.0.0/16", "10.2.0.0/16", "10.2.0.53 corp.example"},
		{"what the gateway says", "split_include = true", "0.0.0.0/0", "", "10.2.0.0/16", "10.2.0.53 corp.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startClient(t, `vips = ["0.0.0.0"]`+"\n"+c.extra, c.remote)
				held := func() (list string) {
					_ = p.a.d.call(context.Background(), func(time.Time) {
						if h := p.a.d.conns[0].children[0]; h.holds != nil {
							list = strings.Join(selectors(h.holds.Remote), " ")
						}
					})
					return list
				}
				if got := held(); got != c.before {
					t.Errorf("before %q, want %q", got, c.before)
				}
				settle(2 * time.Second)
				if got := held(); got != c.after {
					t.Errorf("after %q, want %q", got, c.after)
				}
				list := p.a.net.Assigned()
				if len(list) != 1 || strings.TrimSpace(addrList(list[0].DNS)+" "+strings.Join(list[0].Domains, " ")) != c.dns {
					t.Errorf("%+v", list)
				}
				p.a.stop()
				p.a.net.Empty(t)
			})
		})
	}
}

// What can't be put in place is said once, and shown until it is.
func TestClientThatCannotBePlaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startClient(t, `vips = ["0.0.0.0"]`, "10.2.0.0/16")
		p.a.net.RefuseAssigned(errors.New("the device is full"))
		settle(2 * time.Second)
		if info := p.info().Conns[0].Client; info.Problem != "the device is full" {
			t.Errorf("%+v", info)
		}
		if n := strings.Count(p.a.log.String(), "cannot put in place"); n != 1 {
			t.Errorf("said %d times", n)
		}
		p.a.stop()
	})
}

// The addresses that a connection asks for.
func TestVirtualAddresses(t *testing.T) {
	for _, c := range []struct{ vips, had, want string }{
		{"0.0.0.0 ::", "", "0.0.0.0 ::"},
		{"0.0.0.0 ::", "10.3.0.7 fd03::7", "10.3.0.7 fd03::7"},
		{"0.0.0.0 0.0.0.0", "10.3.0.7", "10.3.0.7 0.0.0.0"},
		{"10.9.9.9", "10.3.0.7", "10.9.9.9"},
		{"10.9.9.9 0.0.0.0", "10.9.9.9 10.3.0.7", "10.9.9.9 10.3.0.7"},
		{"::", "10.3.0.7", "::"},
	} {
		conn := &connection{conf: &config.Connection{Name: "x"}, cfg: &sa.Config{}}
		conn.cfg.VIPs = addrsOf(strings.Fields(c.vips)...)
		if c.had != "" {
			conn.client.given = &sa.Assignment{Addresses: addrsOf(strings.Fields(c.had)...)}
		}
		g := &Manager{conns: []*connection{conn}}
		g.dir.byCfg = map[*sa.Config]*connection{conn.cfg: conn}
		if got := addrList(g.virtualAddrs(conn.cfg)); got != c.want {
			t.Errorf("vips %s, had %s: asks for %s, want %s", c.vips, c.had, got, c.want)
		}
	}
}
