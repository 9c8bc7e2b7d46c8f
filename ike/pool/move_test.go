package pool

import (
	"net/netip"
	"testing"
)

// An IKE SA is where its peer has moved to: from there it may authenticate again and have its address, and from where it was nobody has.
func TestMoved(t *testing.T) {
	was, is := netip.MustParseAddrPort("192.0.2.1:4500"), netip.MustParseAddrPort("192.0.2.9:4500")
	address := netip.MustParseAddr("10.0.0.1")
	ask := func(holder uint64, from netip.AddrPort) Request {
		return Request{Owner: "x", Holder: holder, Remote: from, Pools: []string{"a"}, Asked: []netip.Addr{address}}
	}
	r := newRig(t, "a", "10.0.0.1-10.0.0.9")
	if got := r.grant(ask(1, was)); got != "10.0.0.1" {
		t.Fatal(got)
	}
	r.b.Moved(1, is)
	r.b.Moved(77, was) // nobody's
	if got := r.grant(ask(2, is)); got != "10.0.0.1" {
		t.Errorf("after the move it gets %s", got)
	}
	if got := r.grant(ask(3, was)); got == "10.0.0.1" {
		t.Error("somebody else gets its address from where it was")
	}
}
