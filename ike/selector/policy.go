package selector

// Policy is an entry of the security policy database: which packets are protected, and what becomes of those for which
// there is no SA. https://www.rfc-editor.org/rfc/rfc4301#section-4.4.1
type Policy struct {
	// Pair is what is protected, as it is configured. It may be empty where nothing of it is known yet.
	Pair
	// Order decides between policies whose remote selectors are equally specific: the lower one comes first. It is the
	// place in the configuration.
	Order int
	// Without is what becomes of packets for which there is no SA.
	Without Without
	// Open says that SAs of the policy may carry addresses that Pair does not have: "dynamic" selectors, which are known
	// only once the peer has called.
	Open bool
}

// Equal reports whether two policies are the same.
func (p Policy) Equal(o Policy) bool {
	return p.Order == o.Order && p.Without == o.Without && p.Open == o.Open && p.Pair.Equal(o.Pair)
}

// Without is what becomes of the packets of a policy for which there is no SA. None of them leaves in the clear.
type Without uint8

// The ways to treat packets without an SA.
const (
	Wait   Without = iota // they wait for one, which is asked for
	Refuse                // they are dropped, and their senders are told
)
