package sa

// NAT is what an operator wants to know about address translators on the way. It is not always what the two sides have told each
// other: a side that forces encapsulation pretends to be behind one.
//
// Only the NAT_DETECTION_SOURCE_IP of a side that forces is not true, here as with strongSwan. The NAT_DETECTION_DESTINATION_IP of the
// peer is the hash of where it has sent its message to, so that Local holds in any case.
type NAT struct {
	// Known: the peer takes part in the detection, and has answered.
	Known bool
	// Unanswered: the peer has sent nothing yet by which it could be known.
	Unanswered bool
	// Local: there is one in front of this side. Remote: there is one in front of the peer, or the peer, which is no Esplanade then,
	// only pretends that there is.
	Local, Remote bool
	// Forced: this side pretends to be behind one. PeerForced: the peer does, and is not.
	Forced, PeerForced bool
}

// seen is what the hashes have said.
func (n nat) seen() NAT {
	return NAT{Known: n.supported, Local: n.local, Remote: n.remote && !n.pretended, Forced: n.forced, PeerForced: n.pretended}
}

// Word is which side has a NAT in front of it: "none", "local", "remote", "both" or "unknown".
func (n NAT) Word() string {
	switch {
	case !n.Known:
		return "unknown"
	case n.Local && n.Remote:
		return "both"
	case n.Local:
		return "local"
	case n.Remote:
		return "remote"
	}
	return "none"
}

// String is the same in a phrase for people, such as "in front of this side".
func (n NAT) String() string {
	const peer = "in front of the peer (or the peer forces ESP in UDP)"
	switch {
	case n.Unanswered:
		return "not known (the peer has not answered yet)"
	case !n.Known:
		return "not known (the peer does not detect any)"
	case n.Local && n.Remote:
		return "in front of this side, and " + peer
	case n.Local:
		return "in front of this side"
	case n.Remote:
		return peer
	case n.Forced && n.PeerForced:
		return "none (both sides force ESP in UDP)"
	case n.Forced:
		return "none (this side forces ESP in UDP)"
	case n.PeerForced:
		return "none (the peer forces ESP in UDP)"
	}
	return "none"
}
