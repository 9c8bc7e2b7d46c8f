package dataplane

// flowCacheSize is the number of flows that a loop remembers the policy decision of, a power of two.
const flowCacheSize = 1024

// flowCache remembers the decisions of one loop: a direct-mapped table that forgets everything when the policy table
// changes. V is *rule for outbound packets; for inbound ones it is the SA whose selectors let the flow through.
type flowCache[V comparable] struct {
	gen     uint64
	entries [flowCacheSize]flowEntry[V]
}

type flowEntry[V comparable] struct {
	key   flowKey
	value V
}

// at gives the entry that the key has or would have.
func (c *flowCache[V]) at(k *flowKey) *flowEntry[V] {
	return &c.entries[k.hash()&(flowCacheSize-1)]
}

// use makes the cache one of generation gen.
func (c *flowCache[V]) use(gen uint64) {
	if c.gen != gen {
		clear(c.entries[:])
		c.gen = gen
	}
}
