package news

import (
	"net/netip"
	"slices"
	"sync"

	"esplanade/ike/selector"
)

// Item is what is new about one CHILD SA or one policy.
type Item struct {
	// Child is the number of the CHILD SA that the next three fields are about; 0: the item is about a policy.
	Child uint64
	// Active says that the first authentic packet has come in on its inbound SA.
	Active bool
	// Exhausting says that its outbound SA has passed its soft limit.
	Exhausting bool
	// Moved is the address from which its newest authentic packet came, when that is not the one of its path.
	Moved netip.AddrPort

	// Policy is the number of the policy for which Packet waits; it is the first of those that do.
	Policy uint64
	Packet selector.Packet
}

// subject is what an item is about.
type subject struct {
	policy bool
	id     uint64
}

// Box keeps items until they are taken. Its methods may be called from any goroutine and hold its lock for the access to
// a map, or for a batch in [Box.Take].
type Box struct {
	wake chan struct{} // has a token whenever there are items

	mu    sync.Mutex
	items map[subject]Item
	order []subject // of items, the oldest first
}

// NewBox makes an empty box.
func NewBox() *Box {
	return &Box{wake: make(chan struct{}, 1), items: make(map[subject]Item)}
}

// Active notes that the first packet has come in on a CHILD SA.
func (b *Box) Active(child uint64) {
	b.put(subject{id: child}, func(i *Item) { i.Child, i.Active = child, true })
}

// Exhausting notes that a CHILD SA has passed its soft limit.
func (b *Box) Exhausting(child uint64) {
	b.put(subject{id: child}, func(i *Item) { i.Child, i.Exhausting = child, true })
}

// Moved notes that packets of a CHILD SA come from another address; the last one counts.
func (b *Box) Moved(child uint64, from netip.AddrPort) {
	b.put(subject{id: child}, func(i *Item) { i.Child, i.Moved = child, from })
}

// Acquire notes that a packet waits for the tunnel of a policy; the first one counts.
func (b *Box) Acquire(policy uint64, p selector.Packet) {
	b.put(subject{policy: true, id: policy}, func(i *Item) {
		if i.Policy == 0 {
			i.Policy, i.Packet = policy, p
		}
	})
}

func (b *Box) put(s subject, note func(*Item)) {
	b.mu.Lock()
	i, waits := b.items[s]
	note(&i)
	b.items[s] = i
	if !waits {
		b.order = append(b.order, s)
	}
	b.mu.Unlock()
	b.signal()
}

// signal leaves a token for whoever waits. One is enough: Take leaves another one when it does not take all.
func (b *Box) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Wake can be received from when there are items. It may be once more than that.
func (b *Box) Wake() <-chan struct{} { return b.wake }

// Take appends up to n items to list, the oldest first, and forgets them.
func (b *Box) Take(list []Item, n int) []Item {
	b.mu.Lock()
	n = min(n, len(b.order))
	for _, s := range b.order[:n] {
		list = append(list, b.items[s])
		delete(b.items, s)
	}
	b.order = slices.Delete(b.order, 0, n)
	more := len(b.order) > 0
	b.mu.Unlock()
	if more {
		b.signal()
	}
	return list
}
