package diag

import (
	"fmt"
	"net/netip"
	"strings"
)

// maxListed is how many alternatives of one side a failure lists before it counts the rest.
const maxListed = 4

// NoConnection is the failure of a responder that has no connection for the addresses of an IKE_SA_INIT. have names
// what is configured, one entry a connection, such as "office (198.51.100.20)".
func NoConnection(w Where, have []string) *Failure {
	f := w.failure(CodeConnNone)
	f.Theirs = "an IKE_SA with " + orUnknown(addrPort(w.Local), "this gateway")
	f.Ours = configured(have)
	f.Fix = fmt.Sprintf("add %s to remote_addrs of the connection it is meant for%s; or block it in the firewall if it "+
		"should not call here.", orUnknown(bareAddr(w.Remote), "its address"), localHint(w.Local))
	return f
}

// NoConnectionForID is the failure of a responder that has connections for the addresses, but none for the identities
// of IKE_AUTH. localID is the identity the peer asked for (IDr), "" if it sent none.
func NoConnectionForID(w Where, localID string, have []string) *Failure {
	f := w.failure(CodeConnNone)
	f.Theirs = "identities " + quote(w.PeerID) + " (its own)"
	if localID != "" {
		f.Theirs += " and " + quote(localID) + " (ours)"
	}
	f.Ours = configured(have)
	f.Fix = fmt.Sprintf("set remote.id = %q in the connection it is meant for, or change the peer's own id.", oneLine(w.PeerID))
	if localID != "" {
		f.Fix += fmt.Sprintf(" local.id there must be %q, which is what the peer asks for.", oneLine(localID))
	}
	return f
}

// Mismatch is what two sides offered each other, each in preference order, in the notation of the configuration.
type Mismatch struct {
	Ours, Theirs []string
	// Closest is the peer's alternative that came nearest to one of ours.
	Closest string
	// Differs says in what: "KE: want ECP_384, has MODP_1024".
	Differs string
}

// IKEProposalMismatch is the failure of a responder: none of the peer's IKE proposals is acceptable.
func IKEProposalMismatch(w Where, m Mismatch) *Failure {
	f := proposalMismatch(w, CodeProposalIKE, m)
	if fix, ok := windowsFix(m); ok {
		f.Theirs += ", looks like Windows defaults"
		f.Fix = fix
		return f
	}
	f.Fix = proposalFix(m, w.connection()+".proposals")
	return f
}

// ChildProposalMismatch is the failure of a responder: none of the peer's ESP proposals is acceptable.
func ChildProposalMismatch(w Where, m Mismatch) *Failure {
	f := proposalMismatch(w, CodeProposalChild, m)
	f.Fix = proposalFix(m, w.child()+".esp_proposals")
	return f
}

// IKEProposalRefused is the failure of an initiator: the peer answered NO_PROPOSAL_CHOSEN to what we offered in
// IKE_SA_INIT or in rekeying the IKE_SA.
func IKEProposalRefused(w Where, ours []string) *Failure {
	f := proposalRefused(w, CodeProposalIKE, ours)
	f.Fix = "configure one of ours at the peer, or put one of its IKE proposals into " + w.connection() + ".proposals; " +
		"its log names them. Some peers answer the same when they have no connection for our address " +
		orUnknown(bareAddr(w.Local), "") + "."
	return f
}

// ChildProposalRefused is the failure of an initiator: the peer answered NO_PROPOSAL_CHOSEN to our ESP proposals.
func ChildProposalRefused(w Where, ours []string) *Failure {
	f := proposalRefused(w, CodeProposalChild, ours)
	f.Fix = "configure one of ours at the peer, or put one of its ESP (phase 2) proposals into " + w.child() +
		".esp_proposals; check PFS first if only rekeying fails."
	return f
}

// KEGroupMismatch is the failure to agree on a key exchange method. wanted is the group the peer asks for, ours what
// our proposals contain.
func KEGroupMismatch(w Where, ours []string, wanted string) *Failure {
	f := w.failure(CodeKEGroup)
	f.Ours, f.Theirs = list(ours, maxListed), wanted
	f.Notify = "INVALID_KE_PAYLOAD"
	f.Fix = fmt.Sprintf("add a proposal with %s to %s.proposals, or one of ours (%s) at the peer.",
		orUnknown(wanted, "its group"), w.connection(), orUnknown(f.Ours, "none"))
	return f
}

// BadKEValue is the failure of the RFC 6989 checks on the peer's public value of group.
func BadKEValue(w Where, group string, cause error) *Failure {
	f := w.failure(CodeKEValue)
	f.Theirs, f.Ours, f.Cause = "a public value for "+group, "a valid one", cause
	return f
}

// InitLoop is the failure of an initiator that was sent back too often: what was answered, and how many times.
func InitLoop(w Where, notify string, times int) *Failure {
	f := w.failure(CodeInitLoop)
	f.Theirs = fmt.Sprintf("%s %d times", notify, times)
	f.Notify = notify
	return f
}

// Selectors are the traffic selectors of one side, seen from this gateway: Local is our end, Remote the peer's.
type Selectors struct{ Local, Remote []string }

// String is "10.10.0.0/24 === 10.20.0.0/24", our end first.
func (s Selectors) String() string {
	return side(s.Local) + " === " + side(s.Remote)
}

func side(items []string) string {
	if len(items) == 0 {
		return "(none)"
	}
	return list(items, maxListed)
}

// SelectorMismatch is the failure of a responder: the peer's selectors do not overlap with ours. differs says where
// there is no overlap ("the remote side: …"); it may be empty.
func SelectorMismatch(w Where, ours, theirs Selectors, differs string) *Failure {
	f := w.failure(CodeTS)
	f.Ours, f.Theirs, f.Differs = ours.String(), theirs.String(), differs
	f.Notify = "TS_UNACCEPTABLE"
	f.Fix = fmt.Sprintf("set local_ts = [%s] and remote_ts = [%s] in %s, or let the peer ask for %s (its local) and %s "+
		"(its remote).", quoted(theirs.Local), quoted(theirs.Remote), w.child(), side(ours.Remote), side(ours.Local))
	return f
}

// SelectorsRefused is the failure of an initiator: the peer answered TS_UNACCEPTABLE.
func SelectorsRefused(w Where, ours Selectors) *Failure {
	f := w.failure(CodeTS)
	f.ByPeer, f.Notify, f.Ours = true, "TS_UNACCEPTABLE", ours.String()
	f.Fix = fmt.Sprintf("the peer must be configured for %s as its local and %s as its remote network; or change remote_ts "+
		"and local_ts in %s to what it has.", side(ours.Remote), side(ours.Local), w.child())
	return f
}

// SelectorsOutside is the failure of an initiator whose peer answered with selectors that we did not offer.
func SelectorsOutside(w Where, ours, theirs Selectors) *Failure {
	f := w.failure(CodeTS)
	f.Ours, f.Theirs = ours.String(), theirs.String()
	f.Differs = "the answer is not a part of the offer"
	f.Fix = "the peer breaks RFC 7296, section 2.9 (it may only narrow): configure exactly the same networks on both sides."
	return f
}

// SelectorsNarrowed says that the peer takes a part of the selectors of a child only: what it takes, and which pairs of networks have no
// tunnel therefore.
func SelectorsNarrowed(w Where, ours, theirs Selectors, left []string) *Failure {
	f := w.failure(CodeNarrowed)
	f.Ours, f.Theirs = ours.String(), theirs.String()
	f.Differs = "what it leaves out: " + list(left, maxListed)
	f.Fix = fmt.Sprintf("configure at the peer what it leaves out, as a child for each pair of networks if it can't have more in one; or take it "+
		"out of local_ts and remote_ts of %s. Until then its packets are dropped (wait_narrowed).", w.child())
	return f
}

// ModeMismatch is the failure to agree on tunnel or transport mode.
func ModeMismatch(w Where, ours, theirs string) *Failure {
	f := w.failure(CodeMode)
	f.Ours, f.Theirs = ours, theirs
	return f
}

func proposalMismatch(w Where, code Code, m Mismatch) *Failure {
	f := w.failure(code)
	f.Ours, f.Theirs = list(m.Ours, maxListed), list(m.Theirs, maxListed)
	f.Closest, f.Differs, f.Notify = m.Closest, m.Differs, "NO_PROPOSAL_CHOSEN"
	if n := len(m.Theirs); n > maxListed {
		f.Theirs = fmt.Sprintf("%d proposals: %s", n, f.Theirs)
	}
	return f
}

func proposalRefused(w Where, code Code, ours []string) *Failure {
	f := w.failure(code)
	f.ByPeer, f.Notify, f.Ours = true, "NO_PROPOSAL_CHOSEN", list(ours, maxListed)
	return f
}

// proposalFix says what to configure on either side: ours at the peer, or its closest one here under key.
func proposalFix(m Mismatch, key string) string {
	theirs := m.Closest
	if theirs == "" && len(m.Theirs) > 0 {
		theirs = m.Theirs[0]
	}
	var ways []string
	if len(m.Ours) > 0 {
		ways = append(ways, fmt.Sprintf("configure %s at the peer", oneLine(m.Ours[0])))
	}
	if theirs != "" {
		ways = append(ways, fmt.Sprintf("add %q to %s here, if it is strong enough", oneLine(theirs), key))
	}
	if len(ways) == 0 {
		return "put one and the same proposal into " + key + " and into the peer's configuration."
	}
	return strings.Join(ways, "; or ") + "."
}

func configured(have []string) string {
	if len(have) == 0 {
		return "no connection at all"
	}
	return "connections for " + list(have, maxListed)
}

func localHint(a netip.AddrPort) string {
	if s := bareAddr(a); s != "" {
		return " and " + s + " to its local_addrs"
	}
	return ""
}

// bareAddr is the address without its port.
func bareAddr(a netip.AddrPort) string { return addrPort(netip.AddrPortFrom(a.Addr(), 0)) }

func orUnknown(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// quoted is the items as the inside of a TOML array.
func quoted(items []string) string {
	qs := make([]string, len(items))
	for i, s := range items {
		qs[i] = fmt.Sprintf("%q", oneLine(s))
	}
	return strings.Join(qs, ", ")
}
