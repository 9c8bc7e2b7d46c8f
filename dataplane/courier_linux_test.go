package dataplane

import (
	"testing"
	"time"

	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

// occupy keeps everybody from sending on an engine's sockets, as somebody does who waits for room in their buffers, until
// the function that it returns is called.
func occupy(t *testing.T, e *Engine) (free func()) {
	t.Helper()
	release := make(chan struct{})
	var done []chan struct{}
	for _, c := range e.sockets.(*mmsgSockets).conns {
		held, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			if err := c.rc.Write(func(uintptr) bool { close(held); <-release; return true }); err != nil {
				t.Error(err)
			}
		}()
		<-held
		done = append(done, ended)
	}
	return func() {
		close(release)
		for _, d := range done {
			<-d
		}
	}
}

// without fails the test unless f returns.
func without(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second): // only how long a failure takes
		t.Fatalf("%s waits for a socket", what)
	}
}

// TestControlNeverWaitsForSockets: while nothing can be sent, an SA for which packets wait is installed and removed, IKE
// messages are sent or refused, and the packets go out later.
func TestControlNeverWaitsForSockets(t *testing.T) {
	r := newLinuxEnds(t, linuxOptions{})
	r.a.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, ts4Remote)})
	p := udpPacket(v4, 1, 2, fill(10, 1))
	r.da.inject(0, super(p, tun.VNetHdr{}))
	r.ra.wait(t, "Acquire", func() bool { return len(r.ra.policies) == 1 })
	waitFor(t, "the packet waits", func() bool { return r.waiting(policyA) == 1 })

	free := occupy(t, r.a)
	freed := false
	defer func() {
		if !freed {
			free()
		}
	}()
	without(t, "installing SAs", func() { r.connect(childA, policyA, ts4Local, ts4Remote) })
	without(t, "SendIKE", func() {
		if err := r.a.SendIKE(natt(r.a, false), r.midAddr(), []byte("hello")); err != nil {
			t.Error(err)
		}
	})
	if b := r.wire(); string(b) != "\x00\x00\x00\x00hello" {
		t.Errorf("on the wire: % x", b)
	}
	without(t, "the control side", func() {
		r.a.UpdatePath(childA, esp.Path{Local: natt(r.a, false), Remote: r.midAddr(), UDP: true})
		r.a.FailPending(policyA)
		r.a.Counters(childA)
	})
	free()
	freed = true
	checkSealed(t, [][]byte{r.wire()}, [][]byte{p})
	if d := dropsOf(r.a); len(d) != 0 {
		t.Errorf("drops: %v", d)
	}
}
