package ike

import (
	"net/netip"

	"esplanade/ike/gateway"
)

// turns is a queue of errands that is fair between peers: it gives one of each in turn. A peer with many does not delay another
// by more than one of its own. Those of one connection are one peer, from however many addresses and with however many identities
// they come; within that, one of each address has its turn.
type turns struct {
	// max bounds what waits, maxOfPeer what waits for one peer, and maxOfAddress what waits for one address of it.
	max, maxOfPeer, maxOfAddress int

	peers round[peer, *round[netip.Addr, []gateway.Errand]]
	// waiting is how many errands wait, and of how many for a peer.
	waiting int
	of      map[peer]int
}

// peer is whose errands have turns in common: a connection, or the address of a stranger.
type peer struct {
	connection string
	addr       netip.Addr
}

func peerOf(x gateway.Errand) peer {
	if x.Connection != "" {
		return peer{connection: x.Connection}
	}
	return peer{addr: x.Peer}
}

func newTurns(max, maxOfPeer, maxOfAddress int) *turns {
	return &turns{max: max, maxOfPeer: maxOfPeer, maxOfAddress: maxOfAddress, of: map[peer]int{}}
}

// add puts an errand at the end of those of its address. It reports false for one that is too much.
func (t *turns) add(x gateway.Errand) bool {
	p := peerOf(x)
	if t.waiting >= t.max || t.of[p] >= t.maxOfPeer {
		return false
	}
	addrs, ok := t.peers.list[p]
	if !ok {
		addrs = &round[netip.Addr, []gateway.Errand]{}
	}
	list := addrs.list[x.Peer]
	if len(list) >= t.maxOfAddress {
		return false
	}
	addrs.put(x.Peer, append(list, x))
	t.peers.put(p, addrs)
	t.of[p]++
	t.waiting++
	return true
}

// take takes the errand whose turn it is.
func (t *turns) take() (x gateway.Errand, ok bool) {
	if t.waiting == 0 {
		return gateway.Errand{}, false
	}
	p, addrs := t.peers.take()
	a, list := addrs.take()
	if x = list[0]; len(list) > 1 {
		addrs.put(a, list[1:])
	}
	if t.of[p]--; t.of[p] > 0 {
		t.peers.put(p, addrs)
	} else {
		delete(t.of, p)
	}
	t.waiting--
	return x, true
}

// round is what is taken in turn, by key.
type round[K comparable, V any] struct {
	list map[K]V
	next []K // in the order of their turns
}

// put gives a key a value. A key that is not there is the last.
func (r *round[K, V]) put(k K, v V) {
	if r.list == nil {
		r.list = map[K]V{}
	}
	if _, ok := r.list[k]; !ok {
		r.next = append(r.next, k)
	}
	r.list[k] = v
}

// take takes the key whose turn it is out. There must be one.
func (r *round[K, V]) take() (K, V) {
	k := r.next[0]
	r.next = r.next[1:]
	v := r.list[k]
	delete(r.list, k)
	return k, v
}
