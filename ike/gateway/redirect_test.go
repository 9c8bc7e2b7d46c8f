package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/wire"
)

const addrC, addrD = "192.0.2.3", "192.0.2.4"

// gatewayAt is a gateway of the same identity at another address. to is where it sends its peers, "" nowhere.
func gatewayAt(addr, to string) conn {
	c := right("none")
	c.local, c.remote = addr, addrA
	if to != "" {
		c.extra = fmt.Sprintf("redirect_to = %q", to)
	}
	return c
}

// wantLine checks that a daemon has logged a line with all of these.
func wantLine(t *testing.T, n *node, parts ...string) {
	t.Helper()
	for line := range strings.Lines(n.log.String()) {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
			return
		}
	}
	t.Errorf("%s has no line with %q", n.addr, parts)
}

// stopAll ends daemons and checks that nothing is left of them.
func stopAll(t *testing.T, all ...*node) {
	t.Helper()
	for _, n := range all {
		n.stop()
	}
	for _, n := range all {
		n.plane.empty(t)
		n.net.Empty(t)
	}
}

// A gateway that keeps nothing sends its peer on in IKE_SA_INIT; the tunnel is with the other one, and the operator who
// waits for it sees that it comes up.
func TestRedirectInit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b, c := f.start(addrB, toml("", gatewayAt(addrB, addrC))), f.start(addrC, toml("", gatewayAt(addrC, "")))
		a := f.start(addrA, toml("", left("none")))
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
			t.Errorf("initiate: %v", err)
		}
		settle(time.Second)
		wantUp(t, a, c)
		if n := b.ikeSAs(); n != 0 {
			t.Errorf("the first gateway has %d IKE SAs", n)
		}
		wantLine(t, a, "level=INFO", "redirected to another gateway", "from="+addrB, "to="+addrC, "exchange=IKE_SA_INIT")
		wantLine(t, a, "level=INFO", "connecting", "remote="+addrC, "redirected_from="+addrB)
		if s, o := a.d.Stats(), b.d.Stats(); s.Redirected != 1 || o.Redirecting != 1 || a.last("b") != nil {
			t.Errorf("counters %d and %d, failure %v", s.Redirected, o.Redirecting, a.last("b"))
		}
		stopAll(t, a, b, c)
	})
}

// Where another connection of the gateway has other plans with the same address it is said in IKE_AUTH, and by name.
func TestRedirectAuth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("gw2.example", addrC)
		other := right("none")
		other.name, other.remoteID = "other", "other.example"
		other.children = []kid{{"net", "10.8.0.0/16", "10.9.0.0/16", "none", ""}}
		b := f.start(addrB, toml("", other, gatewayAt(addrB, "gw2.example")))
		c := f.start(addrC, toml("", gatewayAt(addrC, "")))
		a := f.start(addrA, toml("", left("start")), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(time.Second)
		wantUp(t, a, c)
		if n := b.ikeSAs(); n != 0 {
			t.Errorf("the first gateway has %d IKE SAs", n)
		}
		wantLine(t, a, "level=INFO", "redirected to another gateway", "from="+addrB, "to=gw2.example", "exchange=IKE_AUTH")
		wantLine(t, b, "level=INFO", "the peer is redirected to another gateway", "to=gw2.example", "remote_id=a.example")
		stopAll(t, a, b, c)
	})
}

// A name that the gateway sends to and that has no address fails the attempt; the next one begins where the configuration
// says, and another gateway that is silent does as well.
func TestRedirectNowhere(t *testing.T) {
	for name, c := range map[string]struct {
		to   string
		code diag.Code
	}{"unknown name": {"nowhere.example", diag.CodeDNS}, "silent gateway": {addrD, diag.CodeTimeoutInit}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				var dns resolver
				b := f.start(addrB, toml("", gatewayAt(addrB, c.to)))
				a := f.start(addrA, toml("", left("start")), func(o *rigOptions) { o.Resolve = dns.resolve })
				settle(10 * time.Minute) // however often: it is no loop
				if l := a.last("b"); l == nil || l.Failure.Code != c.code {
					t.Errorf("failure %v, want %s", l, c.code)
				}
				b.stop()
				b = f.start(addrB, toml("", gatewayAt(addrB, "")))
				settle(3 * time.Minute)
				wantUp(t, a, b)
				stopAll(t, a, b)
			})
		})
	}
}

// What a command takes down while the name of another gateway is looked up is not asked for there.
func TestRedirectCrossesTerminate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("gw2.example", addrC)
		b, c := f.start(addrB, toml("", gatewayAt(addrB, "gw2.example"))), f.start(addrC, toml("", gatewayAt(addrC, "")))
		a := f.start(addrA, toml("", left("start")), func(o *rigOptions) {
			o.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
				time.Sleep(5 * time.Second) // of the bubble
				return dns.resolve(ctx, name)
			}
		})
		settle(10 * time.Second)
		wantUp(t, a, c)
		if _, err := a.d.Reauthenticate(t.Context(), Target{Connection: "b"}); err != nil {
			t.Error(err)
		}
		settle(time.Second)
		if _, err := a.d.Terminate(t.Context(), Target{Connection: "b", Child: "net"}, false, false); err != nil {
			t.Error(err)
		}
		settle(4 * time.Minute)
		if h := a.child("b/net"); h.Up() || !h.Held {
			t.Errorf("net is %s, held %v", h.Phase, h.Held)
		}
		stopAll(t, a, b, c)
	})
}

// Reauthenticating begins at the configured address, which sends this side on again: the IKE SA in use is replaced by one
// with the same other gateway. When nothing comes of it the next attempt follows, and the old one stays meanwhile.
func TestRedirectReauth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("gw2.example", addrC)
		b, c := f.start(addrB, toml("", gatewayAt(addrB, "gw2.example"))), f.start(addrC, toml("", gatewayAt(addrC, "")))
		l := left("start")
		l.extra = "reauth_time = \"10m\"\nrand_time = \"0s\""
		a := f.start(addrA, toml("", l), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(time.Second)
		wantUp(t, a, c)
		before, _ := saIDs(a, "b")
		wrong := gatewayAt(addrD, "")
		wrong.localID = "d.example"
		d := f.start(addrD, toml("", wrong))
		for _, nothing := range [][]string{nil, {addrD}, nil} { // no address, or a gateway that is not the one
			dns.set("gw2.example", nothing...)
			settle(10*time.Minute + 5*time.Second)
			wantUp(t, a, c)
			// The next attempt may be under way at the same time: when it begins is a matter of chance.
			if now, _ := saIDs(a, "b"); !slices.Contains(now, before[0]) {
				t.Fatalf("IKE SAs %d and then %d, without an address to go to", before, now)
			}
			dns.set("gw2.example", addrC)
			settle(30 * time.Second)
			wantUp(t, a, c)
			now, _ := saIDs(a, "b")
			if len(now) != 1 || now[0] == before[0] {
				t.Fatalf("IKE SAs %d and then %d, with an address to go to", before, now)
			}
			before = now
		}
		stopAll(t, a, b, c, d)
	})
}

// Three gateways that send a peer round in a circle: five times, then it is a failure that names two of them. Nobody is
// called without a pause for ever.
func TestRedirectLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b, c, d := f.start(addrB, toml("", gatewayAt(addrB, addrC))), f.start(addrC, toml("", gatewayAt(addrC, addrD))), f.start(addrD, toml("", gatewayAt(addrD, addrB)))
		a := f.start(addrA, toml("", left("none")))
		err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil)
		if fail, ok := err.(*diag.Failure); !ok || fail.Code != diag.CodeRedirectLoop || !strings.Contains(fail.Error(), "from "+addrD+" to "+addrB) {
			t.Errorf("initiate: %v", err)
		}
		if s := a.d.Stats(); s.Redirected != maxRedirects {
			t.Errorf("%d redirects were followed", s.Redirected)
		}
		// A later attempt within the period is not sent round again; one after it is.
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err == nil || a.d.Stats().Redirected != maxRedirects {
			t.Errorf("again: %v, %d redirects", err, a.d.Stats().Redirected)
		}
		settle(redirectLoopTime)
		_ = a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil)
		if n := a.d.Stats().Redirected; n != 2*maxRedirects {
			t.Errorf("%d redirects after the period", n)
		}
		stopAll(t, a, b, c, d)
	})
}

// A redirect that leads to this host itself, or back to where it comes from, is not followed, wherever it is said: the tunnel that is up
// stays up, and an attempt fails. Of a name's addresses one that leads elsewhere is taken.
func TestRedirectInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		b, c := f.start(addrB, toml("", gatewayAt(addrB, ""))), f.start(addrC, toml("", gatewayAt(addrC, "")))
		a := f.start(addrA, toml("", left("start")), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(time.Second)
		wantUp(t, a, b)
		_, err := a.d.Redirect(t.Context(), Redirect{Target: Target{Connection: "b"}, Gateway: wire.Gateway{FQDN: "c.example"}})
		if fail, ok := err.(*diag.Failure); !ok || fail.Remote.Addr() != b.addr || !strings.Contains(fail.Error(), "only the side that was called") {
			t.Errorf("the side that has called redirects: %v", err)
		}
		for _, what := range []struct{ name, addr, want string }{
			{"self.example", addrA, "no redirect to an address of this host"},
			{"back.example", addrB, "no redirect to the gateway that it comes from"},
		} {
			dns.set(what.name, what.addr)
			if n, err := b.d.Redirect(t.Context(), Redirect{Target: Target{Connection: "a"}, Gateway: wire.Gateway{FQDN: what.name}}); n != 1 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			settle(time.Second)
			wantUp(t, a, b)
			if l := a.last("b"); l == nil || l.Failure.Code != diag.CodeRedirectLoop || !l.Failure.Aside || !strings.Contains(l.Failure.Error(), what.want) {
				t.Errorf("%s: %v", what.name, l)
			}
		}
		for to, want := range map[string]string{addrA: "the peer's own address", addrB: "where the peer is already", "a.example": "the peer's own identity"} {
			gw := wire.Gateway{FQDN: to}
			if addr, err := netip.ParseAddr(to); err == nil {
				gw = wire.Gateway{Addr: addr}
			}
			n, err := b.d.Redirect(t.Context(), Redirect{Target: Target{Connection: "a"}, Gateway: gw})
			if fail, ok := err.(*diag.Failure); n != 0 || !ok || fail.Code != diag.CodeConfig || !strings.Contains(fail.Error(), want) {
				t.Errorf("to %s: %d, %v", to, n, err)
			}
		}
		dns.set("gw.example", addrA, addrB, addrC)
		if _, err := b.d.Redirect(t.Context(), Redirect{Target: Target{Connection: "a"}, Gateway: wire.Gateway{FQDN: "gw.example"}}); err != nil {
			t.Error(err)
		}
		settle(20 * time.Second) // the inbound direction of the old one has gone
		wantUp(t, a, c)
		if n := a.d.Stats().Redirected; n != 1 {
			t.Errorf("%d redirects were followed", n)
		}
		stopAll(t, a, b, c)
	})
}

// The same before there is a tunnel: the attempt fails, whoever waits for it hears why, and this host never calls itself.
func TestRedirectInPlaceAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("self.example", addrA)
		b := f.start(addrB, toml("", gatewayAt(addrB, "self.example")))
		a := f.start(addrA, toml("", left("none")), func(o *rigOptions) { o.Resolve = dns.resolve })
		err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil)
		if fail, ok := err.(*diag.Failure); !ok || fail.Code != diag.CodeRedirectLoop || !strings.Contains(fail.Error(), "from "+addrB+" to self.example") {
			t.Errorf("initiate: %v", err)
		}
		settle(time.Second)
		if n := a.ikeSAs() + b.ikeSAs(); n != 0 || a.d.Stats().Redirected != 0 {
			t.Errorf("%d IKE SAs, %d redirects followed", n, a.d.Stats().Redirected)
		}
		stopAll(t, a, b)
	})
}

// Two gateways that send to each other: the second one knows who has sent the peer, and serves it.
func TestRedirectNotBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b, c := f.start(addrB, toml("", gatewayAt(addrB, addrC))), f.start(addrC, toml("", gatewayAt(addrC, addrB)))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		wantUp(t, a, c)
		stopAll(t, a, b, c)
	})
}

// With follow_redirects = false the peer does not say that it can be redirected, and is served.
func TestRedirectRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b, c := f.start(addrB, toml("", gatewayAt(addrB, addrC))), f.start(addrC, toml("", gatewayAt(addrC, "")))
		a := f.start(addrA, toml("[ike]\nfollow_redirects = false\n", left("start")))
		settle(time.Second)
		wantUp(t, a, b)
		_, err := b.d.Redirect(t.Context(), Redirect{Target: Target{Connection: "a"}, Gateway: wire.Gateway{Addr: netip.MustParseAddr(addrC)}})
		if fail, ok := err.(*diag.Failure); !ok || fail.Code != diag.CodeUnsupported {
			t.Errorf("redirect: %v", err)
		}
		settle(time.Second)
		wantUp(t, a, b)
		stopAll(t, a, b, c)
	})
}

// An operator sends the peer of a live IKE SA away: the new one is up before the old one goes, so that there is never
// none to send with. The other gateway must prove the same identity: one of another identity gets nothing, and the old
// IKE SA stays.
func TestRedirectLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		wrong := gatewayAt(addrD, "")
		wrong.localID = "d.example"
		b, c, d := f.start(addrB, toml("", right("none"))), f.start(addrC, toml("", gatewayAt(addrC, ""))), f.start(addrD, toml("", wrong))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		wantUp(t, a, b)

		ask := func(r Redirect, want int) {
			t.Helper()
			n, err := b.d.Redirect(t.Context(), r)
			if n != want || (err == nil) != (want > 0) {
				t.Errorf("redirect %+v: %d, %v", r, n, err)
			}
		}
		to := func(addr string) wire.Gateway { return wire.Gateway{Addr: netip.MustParseAddr(addr)} }
		elsewhere, theirs := must(config.ParseEndpoint("192.0.2.128/25")), must(config.ParseEndpoint(addrA+"-"+addrB))
		ask(Redirect{PeerAddrs: &elsewhere, Gateway: to(addrC)}, 0)
		ask(Redirect{PeerID: must(identity.Parse("*.other")), Gateway: to(addrC)}, 0)
		ask(Redirect{Target: Target{Connection: "nobody"}, Gateway: to(addrC)}, 0)
		ask(Redirect{Target: Target{IKEID: 99}, Gateway: to(addrC)}, 0)

		ask(Redirect{Target: Target{Connection: "a"}, Gateway: to(addrD)}, 1)
		settle(time.Minute)
		wantUp(t, a, b)
		if l := a.last("b"); l == nil || l.Failure.Code != diag.CodeConnNone && l.Failure.Code != diag.CodeAuthRefused && l.Failure.Code != diag.CodeAuthID {
			t.Errorf("the wrong gateway: %v", l)
		} else if !l.Failure.Aside {
			t.Error("the failure elsewhere counts as one of the connection that is up")
		}

		ask(Redirect{PeerAddrs: &theirs, PeerID: must(identity.Parse("*.example")), Gateway: to(addrC)}, 1)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			settle(latency / 5)
			if !a.sends(b, 1) && !a.sends(c, 1) {
				t.Fatalf("there is nothing to send with at %s", time.Now())
			}
		}
		settle(10 * time.Second)
		wantUp(t, a, c)
		if n := b.ikeSAs(); n != 0 {
			t.Errorf("the first gateway has %d IKE SAs", n)
		}
		wantLine(t, a, "level=INFO", "redirected to another gateway", "from="+addrB, "to="+addrC, "exchange=INFORMATIONAL")
		wantLine(t, b, "level=INFO", "the peer is redirected to another gateway", "to="+addrC)

		// When the new one is gone, the next attempt begins where the configuration says.
		c.crash()
		settle(5 * time.Minute)
		wantUp(t, a, b)
		stopAll(t, a, b, d)
	})
}

// A gateway that sends its peer round and round, while each has an IKE SA with it: the sixth time within five minutes the
// peer stays where it is.
func TestRedirectLiveLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b, c := f.start(addrB, toml("", right("none"))), f.start(addrC, toml("", gatewayAt(addrC, "")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		at, next := b, c
		for i := range maxRedirects + 1 {
			if n, err := at.d.Redirect(context.Background(), Redirect{Target: Target{Connection: "a"}, PeerID: identity.Identity{}, Gateway: Elsewhere(config.Endpoint{First: next.addr, Last: next.addr})}); n != 1 {
				t.Fatalf("redirect %d: %d, %v", i, n, err)
			}
			settle(20 * time.Second)
			if i < maxRedirects {
				at, next = next, at
			}
			wantUp(t, a, at)
		}
		if l := a.last("b"); l == nil || l.Failure.Code != diag.CodeRedirectLoop || !l.Failure.Aside {
			t.Errorf("failure %v", l)
		}
		stopAll(t, a, b, c)
	})
}
