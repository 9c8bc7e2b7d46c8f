package ike

import (
	"net/netip"

	"esplanade/ike/gateway"
)

// turns is a queue of errands that is fair between peers: it gives one of each in turn. A peer with many does not delay another
// by more than one of its own.
type turns struct {
	// max bounds what waits, and maxOfPeer what waits for one peer.
	max, maxOfPeer int

	peers map[netip.Addr][]gateway.Errand // what waits, by peer, the oldest first
	// next are the peers for which something waits, in the order of their turns.
	next    []netip.Addr
	waiting int
}

func newTurns(max, maxOfPeer int) *turns {
	return &turns{max: max, maxOfPeer: maxOfPeer, peers: map[netip.Addr][]gateway.Errand{}}
}

// add puts an errand at the end of those of its peer. It reports false for one that is too much.
func (t *turns) add(x gateway.Errand) bool {
	of := t.peers[x.Peer]
	if t.waiting >= t.max || len(of) >= t.maxOfPeer {
		return false
	}
	if len(of) == 0 {
		t.next = append(t.next, x.Peer)
	}
	t.peers[x.Peer] = append(of, x)
	t.waiting++
	return true
}

// take takes the errand whose turn it is.
func (t *turns) take() (x gateway.Errand, ok bool) {
	if t.waiting == 0 {
		return gateway.Errand{}, false
	}
	peer := t.next[0]
	t.next = t.next[1:]
	of := t.peers[peer]
	if x = of[0]; len(of) > 1 {
		t.peers[peer] = of[1:]
		t.next = append(t.next, peer)
	} else {
		delete(t.peers, peer)
	}
	t.waiting--
	return x, true
}
