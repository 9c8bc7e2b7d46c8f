package policy

// MaxRounds is how many rounds of authentication a side can have (RFC 4739).
const MaxRounds = 8

// DowngradePrevention says whether the proofs of both sides cover the whole IKE_SA_INIT exchange
// (draft-ietf-ipsecme-ikev2-downgrade-prevention).
type DowngradePrevention uint8

// The policies.
const (
	// DowngradeYes: with a peer that does it.
	DowngradeYes DowngradePrevention = iota
	// DowngradeNo: this side does not ask for it when it calls the peer.
	DowngradeNo
	// DowngradeRequired: a peer that does not do it is refused.
	DowngradeRequired
)

// Words implements [Word].
func (DowngradePrevention) Words() []string { return []string{"yes", "no", "required"} }

// String is the word of the configuration.
func (d DowngradePrevention) String() string { return Name(d) }

// Childless says whether an IKE SA may be set up without a CHILD SA (RFC 6023).
type Childless uint8

// The policies.
const (
	// ChildlessAllow: the peer may; this side creates a child with IKE_AUTH.
	ChildlessAllow Childless = iota
	// ChildlessPrefer: this side does so too where the peer can, and creates its children afterwards.
	ChildlessPrefer
	// ChildlessForce: it is the only way, in both roles.
	ChildlessForce
	// ChildlessNever: neither side may.
	ChildlessNever
)

// Words implements [Word].
func (Childless) Words() []string { return []string{"allow", "prefer", "force", "never"} }

// String is the word of the configuration.
func (c Childless) String() string { return Name(c) }

// Unique says what happens when a peer that has an IKE SA makes another one.
type Unique uint8

// The policies.
const (
	// UniqueNo: the old SA goes if the new one came with INITIAL_CONTACT.
	UniqueNo Unique = iota
	// UniqueKeep: the new SA is refused.
	UniqueKeep
	// UniqueReplace: the old SA goes.
	UniqueReplace
	// UniqueNever: the old SA stays, and no INITIAL_CONTACT is sent.
	UniqueNever
)

// Words implements [Word].
func (Unique) Words() []string { return []string{"no", "keep", "replace", "never"} }

// String is the word of the configuration.
func (u Unique) String() string { return Name(u) }

// RouteCheck says when a peer has to show that it gets packets at an address that it has moved to.
type RouteCheck uint8

// The policies of https://www.rfc-editor.org/rfc/rfc4555#section-3.7: "By default, the return routability check SHOULD be
// done before updating the IPsec SAs, but in some environments it MAY be postponed until after", and where the peer is
// expected to be well-behaved it "MAY be omitted".
const (
	// RouteCheckBefore: before ESP goes to the new address.
	RouteCheckBefore RouteCheck = iota
	// RouteCheckAfter: after that.
	RouteCheckAfter
	// RouteCheckNever: not at all.
	RouteCheckNever
)

// Words implements [Word].
func (RouteCheck) Words() []string { return []string{"before", "after", "never"} }

// String is the word of the configuration.
func (r RouteCheck) String() string { return Name(r) }

// MoveTo says to which addresses of this host MOBIKE (RFC 4555) may move an IKE SA.
type MoveTo uint8

// The policies.
const (
	// MoveToAny: to any that packets can leave from, whatever local_addrs names.
	MoveToAny MoveTo = iota
	// MoveToListed: only to those that local_addrs names.
	MoveToListed
)

// Words implements [Word].
func (MoveTo) Words() []string { return []string{"any", "local_addrs"} }

// String is the word of the configuration.
func (m MoveTo) String() string { return Name(m) }
