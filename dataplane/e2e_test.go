package dataplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"esplanade/esp"
	"esplanade/tun"
)

// netstackEnd is an engine with a TCP/IP stack behind it.
type netstackEnd struct {
	e   *Engine
	net *tun.Net
	rec *recorder
}

func newNetstackEnd(t *testing.T, mtu int, addrs ...string) *netstackEnd {
	t.Helper()
	var as []netip.Addr
	for _, a := range addrs {
		as = append(as, netip.MustParseAddr(a))
	}
	dev, n, err := tun.NewNetstack(as, mtu)
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	return &netstackEnd{start(t, Config{Device: dev, Sockets: loopback(), Handler: r, Workers: 1}), n, r}
}

// TestTCPOverLoopback sends real TCP between two TCP/IP stacks through two engines and loopback UDP.
func TestTCPOverLoopback(t *testing.T) {
	for _, c := range []struct {
		name        string
		suite       esp.Suite
		inner       [2]string
		ts          [2]string
		outerV6     bool
		outerPolicy uint64
	}{
		{"gcm128 v4 in v4", gcm128(), [2]string{"10.1.0.1", "10.2.0.1"}, [2]string{"10.1.0.0/16", "10.2.0.0/16"}, false, 1},
		{"gcm256 esn v6 in v4", esp.Suite{Encr: encrAESGCM16, KeyBits: 256, ESN: true},
			[2]string{"fd01::1", "fd02::1"}, [2]string{"fd01::/64", "fd02::/64"}, false, 2},
		{"chacha v4 in v6", esp.Suite{Encr: encrChaCha}, [2]string{"10.1.0.1", "10.2.0.1"},
			[2]string{"0.0.0.0/0", "0.0.0.0/0"}, true, 3},
		{"cbc+sha256 v6 in v6", esp.Suite{Encr: encrAESCBC, KeyBits: 256, Integ: integSHA256},
			[2]string{"fd01::1", "fd02::1"}, [2]string{"::/0", "::/0"}, true, 4},
		{"null+sha256 v4 in v4", esp.Suite{Encr: encrNull, Integ: integSHA256},
			[2]string{"10.1.0.1", "10.2.0.1"}, [2]string{"10.1.0.1/32", "10.2.0.1/32"}, false, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := newNetstackEnd(t, 1406, c.inner[0]), newNetstackEnd(t, 1406, c.inner[1])
			connect(t, a.e, b.e, childA, c.outerPolicy, pair(t, c.ts[0], c.ts[1]), c.suite, natt(a.e, c.outerV6), natt(b.e, c.outerV6))
			bulk(t, a, b, netip.MustParseAddr(c.inner[1]), 2<<20)

			// The receiver's first: TCP still says goodbye, and nothing may have arrived that wasn't sent.
			cb, okB := b.e.Counters(childA)
			ca, ok := a.e.Counters(childA)
			if !ok || ca.OutBytes < 2<<20 || ca.InPackets == 0 || ca.LastIn.IsZero() || ca.LastOut.IsZero() {
				t.Errorf("counters of the sender: %+v, %v", ca, ok)
			}
			if !okB || cb.InBytes < 2<<20 || cb.InPackets > ca.OutPackets {
				t.Errorf("counters of the receiver: %+v, %v", cb, okB)
			}
			if len(a.rec.active) != 1 || len(b.rec.active) != 1 || a.rec.active[0] != childA {
				t.Errorf("InboundActive: %v and %v", a.rec.active, b.rec.active)
			}
			if len(a.rec.moved)+len(b.rec.moved) != 0 {
				t.Errorf("PeerMoved without a move: %v %v", a.rec.moved, b.rec.moved)
			}
		})
	}
}

// bulk sends n octets from a to b over TCP and compares the checksum at the far end.
func bulk(t *testing.T, a, b *netstackEnd, to netip.Addr, n int) {
	t.Helper()
	l, err := b.net.ListenTCPAddrPort(netip.AddrPortFrom(to, 7))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	sum := make(chan [32]byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			close(sum)
			return
		}
		defer c.Close()
		h := sha256.New()
		if _, err := io.Copy(h, c); err != nil {
			t.Error(err)
		}
		sum <- [32]byte(h.Sum(nil))
		if _, err := c.Write([]byte("done")); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	c, err := a.net.DialContextTCPAddrPort(ctx, netip.AddrPortFrom(to, 7))
	if err != nil {
		t.Fatalf("%v; drops %v and %v", err, dropsOf(a.e), dropsOf(b.e))
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(c, bytes.NewReader(data)); err != nil {
		t.Fatalf("sending: %v; drops %v and %v", err, dropsOf(a.e), dropsOf(b.e))
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil || string(answer) != "done" {
		t.Fatalf("answer %q: %v", answer, err)
	}
	if got := <-sum; got != sha256.Sum256(data) {
		t.Errorf("the far end got something else")
	}
}
