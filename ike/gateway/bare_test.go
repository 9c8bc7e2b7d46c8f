package gateway

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// bareLeft and bareRight are the ends of a connection without children.
func bareLeft(extra string) conn {
	c := left("none")
	c.children, c.extra = nil, extra
	return c
}

func bareRight(extra string) conn {
	c := right("none")
	c.children, c.extra = nil, extra
	return c
}

// A connection without children has an IKE SA when a command asks for it. It lives as others do, and is not made again when it has ended.
func TestConnectionWithoutChildren(t *testing.T) {
	for _, keys := range []string{"", `childless = "prefer"`, `childless = "force"`, `reauth_time = "1h"`} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, toml("", bareRight("")))
			a := f.start(addrA, toml("", bareLeft(keys)))
			settle(time.Minute)
			if n := a.ikeSAs(); n != 0 {
				t.Fatalf("%s: %d IKE SAs before the command", keys, n)
			}
			var lines []string
			log := func(_ int, _, msg string) { lines = append(lines, msg) }
			if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, log); err != nil {
				t.Fatalf("%s: %v", keys, err)
			}
			if !strings.Contains(strings.Join(lines, "\n"), "IKE_SA b established") {
				t.Errorf("%s: the command says %q", keys, lines)
			}
			settle(9 * time.Hour) // rekeyings, liveness checks, authentication again
			if n, m := a.ikeSAs(), b.ikeSAs(); n != 1 || m != 1 {
				t.Errorf("%s: %d and %d IKE SAs, last failure %v", keys, n, m, a.last("b"))
			}
			if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil || a.ikeSAs() != 1 {
				t.Errorf("%s: initiated again: %v, %d IKE SAs", keys, err, a.ikeSAs())
			}
			if r, err := a.d.Shut(t.Context(), Target{Connection: "b"}); err != nil || r.Gone != 1 {
				t.Errorf("%s: terminated: %+v, %v", keys, r, err)
			}
			if err := b.d.Initiate(t.Context(), Target{Connection: "a"}, false, nil); err == nil {
				t.Errorf("%s: the peer gets what is kept down", keys)
			}
			settle(time.Hour)
			if n, m := a.ikeSAs(), b.ikeSAs(); n != 0 || m != 0 {
				t.Errorf("%s: %d and %d IKE SAs in the end", keys, n, m)
			}
			if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
				t.Errorf("%s: initiated after all: %v", keys, err)
			}
			a.stop()
			b.stop()
			a.net.Empty(t)
		})
	}
}

// What keeps it from coming up is said, once, to the command as well.
func TestConnectionWithoutChildrenFails(t *testing.T) {
	for _, tc := range []struct {
		left, right conn
		code        diag.Code
		text        string
	}{
		{bareLeft(""), bareRight(`childless = "never"`), diag.CodeUnsupported, "CHILDLESS_IKEV2_SUPPORTED"},
		{bareLeft(`childless = "never"`), bareRight(""), diag.CodeConfig, "no child"},
		{func() conn { c := bareLeft(""); c.remote = "192.0.2.77"; return c }(), bareRight(""), diag.CodeTimeoutInit, "192.0.2.77"},
		{func() conn { c := bareLeft(""); c.remote = "%any"; return c }(), bareRight(""), diag.CodeConfig, "no address to call"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			b := f.start(addrB, toml("", tc.right))
			a := f.start(addrA, toml("", tc.left))
			for range 2 { // the second attempt is like the first
				err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil)
				var failure *diag.Failure
				if !errors.As(err, &failure) || failure.Code != tc.code || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%v, not %s", err, tc.code)
				}
			}
			settle(time.Minute)
			if n := a.ikeSAs(); n != 0 {
				t.Errorf("%d IKE SAs are left", n)
			}
			a.stop()
			b.stop()
		})
	}
}

// What a command takes back while a name is looked up is not begun: the peer's name, or that of a gateway to which the peer redirects.
func TestConnectionWithoutChildrenTakenBack(t *testing.T) {
	for _, redirected := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric(t)
			var dns resolver
			dns.set("gw.example", addrB)
			l, r := bareLeft(""), bareRight("")
			if redirected {
				r.local, r.remote, r.extra = addrC, addrA, `redirect_to = "gw.example"`
				f.start(addrC, toml("", r))
				r, l.remote = bareRight(""), addrC
			} else {
				l.remote = "gw.example"
			}
			b := f.start(addrB, toml("", r))
			a := f.start(addrA, toml("", l), func(o *rigOptions) {
				o.Resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
					time.Sleep(5 * time.Second) // of the bubble
					return dns.resolve(ctx, name)
				}
			})
			settle(time.Minute)
			for range 2 {
				_ = a.d.Initiate(t.Context(), Target{Connection: "b"}, true, nil)
				settle(time.Second)
				_, _ = a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false) // there is nothing to end yet
				settle(time.Minute)
				if n, m := a.ikeSAs(), b.ikeSAs(); n != 0 || m != 0 {
					t.Errorf("redirected %v: %d and %d IKE SAs", redirected, n, m)
				}
			}
			_ = a.d.Initiate(t.Context(), Target{Connection: "b"}, true, nil)
			settle(time.Second)
			_, _ = a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false)
			if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil || a.ikeSAs() != 1 {
				t.Errorf("redirected %v: initiated after all: %v, %d IKE SAs", redirected, err, a.ikeSAs())
			}
			a.stop()
			b.stop()
		})
	}
}

// What has failed before it is up is no failure of it any more.
func TestConnectionWithoutChildrenRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a := f.start(addrA, toml("", bareLeft("")))
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err == nil || a.last("b") == nil {
			t.Errorf("nobody is there: %v, %v", err, a.last("b"))
		}
		b := f.start(addrB, toml("", bareRight("")))
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil || a.last("b") != nil {
			t.Errorf("it is up: %v, %v", err, a.last("b"))
		}
		settle(time.Minute)
		a.stop()
		b.stop()
	})
}

// A command may ask for the IKE SA of a connection alone, also where that has children. They come up on it when they are wanted, and none of
// them keeps it up.
func TestInitiateAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("none")))
		settle(time.Second)
		for range 2 { // the second time it is there
			if err := a.d.Initiate(t.Context(), Target{Connection: "b", Alone: true}, false, nil); err != nil {
				t.Fatal(err)
			}
			settle(time.Minute)
			if n, m := a.ikeSAs(), b.ikeSAs(); n != 1 || m != 1 || a.child("b/net").Up() || b.child("a/net").Up() {
				t.Fatalf("%d and %d IKE SAs, the child is %s", n, m, a.child("b/net").Phase)
			}
		}
		if err := a.d.Initiate(t.Context(), Target{Connection: "b"}, false, nil); err != nil {
			t.Error(err)
		}
		wantUp(t, a, b)
		if n := a.ikeSAs(); n != 1 {
			t.Errorf("%d IKE SAs", n)
		}
		if r, err := a.d.Terminate(t.Context(), Target{Connection: "b"}, false, false); err != nil || r.Gone != 1 {
			t.Errorf("terminated: %+v, %v", r, err)
		}
		// Its own is held until it is initiated, and the IKE SA comes without it.
		if err := a.d.Initiate(t.Context(), Target{Connection: "b", Alone: true}, false, nil); err != nil {
			t.Error(err)
		}
		settle(time.Minute)
		if n := a.ikeSAs(); n != 1 || a.child("b/net").Up() {
			t.Errorf("after it was terminated: %d IKE SAs, the child is %s", n, a.child("b/net").Phase)
		}
		if err := a.d.Initiate(t.Context(), Target{Connection: "nobody", Alone: true}, false, nil); err == nil {
			t.Error("a connection that is not there")
		}
		b.stop()
		settle(time.Second)
		err := a.d.Initiate(t.Context(), Target{Connection: "b", Alone: true}, false, nil)
		if f := (*diag.Failure)(nil); !errors.As(err, &f) || f.Code != diag.CodeTimeoutInit {
			t.Errorf("nobody answers: %v", err)
		}
		a.stop()
	})
}
