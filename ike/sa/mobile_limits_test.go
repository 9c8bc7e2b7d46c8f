package sa

import (
	"net/netip"
	"testing"

	"esplanade/ike/wire"
)

// What a peer can have remembered of its addresses, and how many ways one message takes, is bounded.
func TestPeerAddressesAreBounded(t *testing.T) {
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}) }
	var ps []wire.Payload
	for i := range 200 {
		ps = append(ps, wire.NewAdditionalAddress(addr(i)))
	}
	r := newMobileRig(t, nil)
	ma, _ := r.up()
	ma.learnAddresses(ps)
	if n := len(ma.mob.peer); n != maxPeerAddrs {
		t.Errorf("%d addresses of the peer", n)
	}
	if n := len(ma.otherPaths()); n != maxPaths {
		t.Errorf("%d other paths", n)
	}
	for i := range 200 {
		ma.verify(addr(i))
	}
	if n := len(ma.mob.verified); n != maxVerified {
		t.Errorf("%d verified addresses", n)
	}
	if !ma.isVerified(addr(199)) || ma.isVerified(addr(0)) {
		t.Error("it is not the latest that are kept")
	}
}
