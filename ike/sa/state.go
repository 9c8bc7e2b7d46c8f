package sa

// State is the state of an IKE SA. Machine.setState is its only writer.
type State uint8

const (
	// StateConnecting: IKE_SA_INIT or IKE_AUTH is under way. It ends with AUTH verified on both sides, a failure,
	// or a timeout.
	StateConnecting State = iota + 1
	// StateEstablished: both sides are authenticated; CREATE_CHILD_SA and INFORMATIONAL may be used.
	StateEstablished
	// StateRekeying: this side has sent a request that rekeys the IKE SA and waits for the answer.
	StateRekeying
	// StateRekeyed: a successor has taken the children over; this SA waits for its own deletion.
	StateRekeyed
	// StateDeleting: this side has sent DELETE and waits for the answer.
	StateDeleting
	// StateClosed: nothing is left but the last response, kept for a peer that did not get it.
	StateClosed
)

// String gives strongSwan's name of the state.
func (s State) String() string {
	switch s {
	case StateConnecting:
		return "CONNECTING"
	case StateEstablished:
		return "ESTABLISHED"
	case StateRekeying:
		return "REKEYING"
	case StateRekeyed:
		return "REKEYED"
	case StateDeleting:
		return "DELETING"
	case StateClosed:
		return "CLOSED"
	}
	panic("BUG: unknown IKE SA state")
}

// ChildState is the state of a CHILD SA.
type ChildState uint8

const (
	// ChildInstalled: both directions are in use, or the outbound one waits for the peer to switch (see
	// Child.outboundPending).
	ChildInstalled ChildState = iota + 1
	// ChildRekeying: this side has asked for a successor.
	ChildRekeying
	// ChildRekeyed: a successor exists; this one is to be deleted by whoever rekeyed it.
	ChildRekeyed
	// ChildDeleting: this side has sent DELETE for it.
	ChildDeleting
	// ChildDeleted: gone on the wire; the inbound direction stays for late packets until it is removed.
	ChildDeleted
)

// String gives strongSwan's name of the state.
func (s ChildState) String() string {
	switch s {
	case ChildInstalled:
		return "INSTALLED"
	case ChildRekeying:
		return "REKEYING"
	case ChildRekeyed:
		return "REKEYED"
	case ChildDeleting:
		return "DELETING"
	case ChildDeleted:
		return "DELETED"
	}
	panic("BUG: unknown CHILD SA state")
}
