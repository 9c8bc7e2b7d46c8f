package gateway

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// TestFailureNamesTheSecret: both sides name the table of the key that does not fit.
func TestFailureNamesTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, keyed("", [][2]string{{`["a.example", "b.example"]`, keyOfB}}, left("start")))
		b := f.start(addrB, keyed("", [][2]string{{`["a.example", "b.example"]`, keyOfC}}, right("none")))
		settle(10 * time.Second)
		for n, name := range map[*node]string{a: "b", b: "a"} {
			code := map[*node]diag.Code{a: diag.CodeAuthRefused, b: diag.CodeAuthPSK}[n]
			key := n.d.conf.Secrets.IKE[0]
			last, table, line := n.last(name), "secrets.ike."+key.Name, key.At("secret").FileLine()
			if last == nil || last.Failure.Code != code || !strings.Contains(last.Failure.Ours, table+" ") || last.Failure.ConfigLine != line ||
				!strings.Contains(last.Failure.Advice(), table+" ("+line+")") {
				t.Errorf("%s: %v", name, last)
			}
		}
		a.stop()
		b.stop()
	})
}

// TestFailureNamesTheTableOfTheChild: what is to be done about a child names the table that it stands in: its own, or in the short form
// that of the connection.
func TestFailureNamesTheTableOfTheChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ child, table string }{
			{"", "connections.b"}, {"[connections.b.children.b]\n", "connections.b.children.b"}, {"[connections.b.children.net]\n", "connections.b.children.net"},
		} {
			f := newFabric(t)
			a := f.start(addrA, "[connections.b]\nremote_addrs = \""+addrB+"\"\nsecret = \""+keyOfB+"\"\n"+c.child+
				"local_ts = \"10.1.0.0/16\"\nremote_ts = \"10.3.0.0/16\"\nstart_action = \"start\"\n[connections.b.local]\nid = \"a.example\"\n[connections.b.remote]\nid = \"b.example\"\n")
			b := f.start(addrB, keyed("", [][2]string{{`["a.example", "b.example"]`, keyOfB}}, right("none")))
			settle(10 * time.Second)
			if last := a.last("b"); last == nil || last.Failure.Code != diag.CodeTS || !strings.Contains(last.Failure.Advice(), "local_ts in "+c.table+" ") {
				t.Errorf("%s: %v", c.table, last)
			}
			a.stop()
			b.stop()
		}
	})
}

// TestFailureNamesTheConnections: a peer that no connection is for is shown those there are, with their addresses.
func TestFailureNamesTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		other := right("none")
		other.name, other.remote = "elsewhere", "198.51.100.7"
		a := f.start(addrA, toml("", left("start")))
		b := f.start(addrB, toml("", other))
		settle(10 * time.Second)
		if l := b.log.String(); !strings.Contains(l, string(diag.CodeConnNone)) || !strings.Contains(l, "have connections for elsewhere (198.51.100.7)") {
			t.Errorf("the log does not name the connections:\n%s", l)
		}
		a.stop()
		b.stop()
	})
}

// TestNearestConnection: of the connections that do not fit a peer, the one is named that it may be meant for, with what does not fit
// and its line.
func TestNearestConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		far, near := right("none"), right("none")
		far.name, far.remote = "far", "203.0.113.7"
		near.name, near.remote, near.remoteID = "near", "192.0.2.99", "c.example"
		near.children = []kid{{"net", "10.2.0.0/16", "10.3.0.0/16", "none", ""}}
		a := f.start(addrA, toml("", left("start")))
		b := f.start(addrB, toml("", far, near))
		settle(10 * time.Second)
		line := b.d.conf.Connection("near").At("remote_addrs").FileLine()
		if l := b.log.String(); !strings.Contains(l, "closest: near, whose remote_addrs is 192.0.2.99") || !strings.Contains(l, line) {
			t.Errorf("the log does not name the nearest connection and its line, %s:\n%s", line, l)
		}
		// What does not fit may be the address that was called.
		far.remote, far.local = addrA, "192.0.2.98"
		if _, err := b.d.Reload(t.Context(), parse(t, toml("", far, near))); err != nil {
			t.Fatal(err)
		}
		_ = b.d.call(t.Context(), func(time.Time) {
			n := b.d.nearest(netip.MustParseAddr(addrB), netip.MustParseAddr(addrA))
			if n.Connection != "far" || n.Key != "local_addrs" || n.Value != "192.0.2.98" {
				t.Errorf("%+v", n)
			}
		})
		a.stop()
		b.stop()
	})
}

// TestRefusedHere: where this host refuses to send to a peer that is called from a fixed address, that is said at once, and the peer is
// not called silent.
func TestRefusedHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("none")))
		a.plane.refuseToSend(syscall.ENETUNREACH)
		go a.d.Initiate(t.Context(), Target{Connection: "b"}, true, nil)
		settle(10 * time.Second)
		last := a.last("b")
		if last == nil || last.Failure.Code != diag.CodeUnreachable || !strings.Contains(last.Failure.Error(), "nowhere in the routing table of this host") {
			t.Errorf("%v", last)
		}
		a.plane.refuseToSend(nil)
		settle(time.Minute)
		wantUp(t, a, b)
		if n, of := a.info().Conns[0].Lives.Failures, a.d.Stats().Failures; n != 0 || len(of) != 0 {
			t.Errorf("an attempt that came to something is counted as %d failures, %v", n, of)
		}
		a.stop()
		b.stop()
	})
}

// TestAttemptsAreCountedOnce: what is said of an attempt while it goes on is counted when it has failed, once, whatever was said.
func TestAttemptsAreCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		c := left("none")
		c.extra = "keyingtries = 1"
		a := f.start(addrA, toml("", c))
		a.plane.refuseToSend(syscall.ENETUNREACH)
		go a.d.Initiate(t.Context(), Target{Connection: "b"}, true, nil)
		settle(10 * time.Second)
		count := func() uint64 { return uint64(a.info().Conns[0].Lives.Failures) }
		last := a.last("b")
		if last == nil || last.Count != 1 || count() != 0 {
			t.Fatalf("while it goes on: %v, %d counted", last, count())
		}
		if h := a.child("b/net"); h.Silence == nil || h.Silence.Failure != last.Failure {
			t.Errorf("the status: %+v", h.Silence)
		}
		settle(time.Minute)
		if n, of := count(), a.d.Stats().Failures; n != 1 || len(of) != 1 {
			t.Errorf("after its end: %d counted, %v", n, of)
		}
		if r := a.last("b"); r == nil || r.Failure != last.Failure || r.Count != 1 {
			t.Errorf("after its end: %v", r)
		}
		a.stop()
	})
}

// refuseToSend makes the system refuse IKE messages with an error; nil lets them out again.
func (p *fakePlane) refuseToSend(err error) { p.mu.Lock(); p.noSend = err; p.mu.Unlock() }
