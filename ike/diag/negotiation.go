package diag

import (
	"fmt"
	"net/netip"
	"strings"
)

// maxListed is how many alternatives of one side a failure lists before it counts the rest.
const maxListed = 4

// Nearest is the connection that fits the addresses of a peer best, and what of it does not fit: Key is remote_addrs or local_addrs,
// Value what it is, and Line where.
type Nearest struct{ Connection, Key, Value, Line string }

// NoConnection is the failure of a responder that has no connection for the addresses of an IKE_SA_INIT. have names the connections there
// are with the addresses that they are for, such as "office (198.51.100.20)"; near is the zero value if there is none.
func NoConnection(w Where, have []string, near Nearest) *Failure {
	f := w.failure(CodeConnNone, configured(have), "an IKE SA with "+orUnknown(addrPort(w.Local), "this gateway"))
	address, nat := orUnknown(bareAddr(w.Remote), "its address"), ""
	if p := w.Remote.Port(); p != 0 && p != 500 && p != 4500 {
		f.Theirs += fmt.Sprintf(" from port %d, so most likely through a NAT", p)
		nat = " (the NAT's, which may change: then \"%any\", and the peer's id tells who it is)"
	}
	if near.Connection == "" {
		f.Fix = fmt.Sprintf("add %s%s to remote_addrs of the connection it is meant for%s; or block it in the firewall if it "+
			"should not call here.", address, nat, localHint(w.Local))
		return f
	}
	f.ConfigLine = near.Line
	f.Closest = fmt.Sprintf("%s, whose %s is %s", oneLine(near.Connection), near.Key, oneLine(near.Value))
	if near.Key == "local_addrs" {
		address, nat = orUnknown(bareAddr(w.Local), "the address it called"), ""
	}
	f.Fix = fmt.Sprintf("if it is meant for connections.%s, add %s%s to its %s%s; block it in the firewall if it should not call here.",
		oneLine(near.Connection), address, nat, near.Key, at(near.Line))
	return f
}

// NoConnectionForID is the failure of a responder that has connections for the addresses, but none for the identities
// of IKE_AUTH. asked is the identity that the peer wants to talk to (IDr), "" if it named none; have names the connections
// that were looked at with their identities, such as "office (gw.example <-> site-b.example)".
func NoConnectionForID(w Where, asked string, have []string) *Failure {
	f := w.failure(CodeConnNone, configured(have), "an IKE SA as "+quote(w.PeerID))
	if asked != "" {
		f.Theirs += " with " + quote(asked)
	}
	f.Fix = fmt.Sprintf("set remote.id = %q in the connection it is meant for, or change the peer's own id.", oneLine(w.PeerID))
	if asked != "" {
		f.Fix += fmt.Sprintf(" local.id there must be %q, which is what the peer asks for.", oneLine(asked))
	}
	return f
}

// Mismatch is what two sides offered each other, each in preference order, in the notation of the configuration.
type Mismatch struct {
	// Ours and Theirs are the proposals. Theirs may be the first ones only; More is how many there are besides.
	Ours, Theirs []string
	More         int
	// Answer: the peer's is its answer to our offer, which has to be a part of the offer.
	Answer bool
	// ClosestOurs and ClosestTheirs are the pair with the fewest differences, empty if there is none.
	ClosestOurs, ClosestTheirs string
	// Differs says in what.
	Differs []Difference
	// Cause says what is wrong where that is no difference.
	Cause error
	// Windows: the peer's Vendor IDs are those of the VPN client of Windows. It is set for IKE and ESP with one command, so that Other has
	// our proposals of the other protocol.
	Windows bool
	Other   []string
}

// IKEProposalMismatch is the failure to find a common IKE proposal: none of the peer's is acceptable, or its answer is none of
// ours.
func IKEProposalMismatch(w Where, m Mismatch) *Failure {
	f := proposalMismatch(w, CodeProposalIKE, m, w.connection()+".proposals")
	looks := ", looks like Windows defaults"
	if !looksLikeWindows(m.Theirs) {
		looks = ", from a Windows client"
		if !m.Windows {
			return f
		}
	}
	if fix, ok := windowsFix(m.Ours, m.Other); ok {
		f.Theirs += looks
		f.Fix = fix
	}
	return f
}

// ChildProposalMismatch is the same for ESP proposals.
func ChildProposalMismatch(w Where, m Mismatch) *Failure {
	f := proposalMismatch(w, CodeProposalChild, m, w.child()+".esp_proposals")
	if fix, ok := windowsFix(m.Other, m.Ours); ok && m.Windows {
		f.Theirs += ", from a Windows client"
		f.Fix = fix
	}
	return f
}

// KEGroupRefused is the failure of an initiator that the peer asks for a key exchange group, wanted, which cannot be used: it is
// not in ours, the proposals, or was refused before. wanted may be empty.
func KEGroupRefused(w Where, notify fmt.Stringer, ours []string, wanted string) *Failure {
	f := w.refused(CodeKEGroup, notify.String(), list(ours, maxListed))
	f.Theirs = wanted
	f.Fix = fmt.Sprintf("add a proposal with %s to %s.proposals, or one of ours (%s) at the peer.",
		orUnknown(wanted, "its group"), w.connection(), orUnknown(f.Ours, "none"))
	return f
}

// NoKEGroupLeft is the failure of an initiator whose peer has refused the group of each of ours, the proposals.
func NoKEGroupLeft(w Where, ours []string) *Failure {
	f := w.failure(CodeKEGroup, list(ours, maxListed), "another group each time")
	f.Fix = "put a group that the peer accepts into " + w.connection() + ".proposals; its log or its configuration names them."
	return f
}

// WrongKEGroup is the failure that the peer's key exchange value is for group got where want was agreed on.
func WrongKEGroup(w Where, want, got string) *Failure {
	f := w.failure(CodeKEGroup, want+" only, which was agreed on", got)
	f.Fix = fmt.Sprintf("the peer breaks RFC 7296: it has agreed on %s. Update it, or configure one group only on both sides.", orUnknown(want, "another group"))
	return f
}

// BadKEValue is the failure of the checks of RFC 6989 on the peer's public value of group.
func BadKEValue(w Where, group string, cause error) *Failure {
	f := w.because(CodeKEValue, cause, "a valid one", "a public value for "+orUnknown(group, "the key exchange"))
	f.Fix = "update the peer's software, or use another group than " + orUnknown(group, "this one") + " until it is repaired."
	return f
}

// CookieLoop is the failure of an initiator whose requests are each answered with another cookie.
func CookieLoop(w Where, s Sent) *Failure {
	return w.failure(CodeInitLoop, s.text(w), "COOKIE each time")
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

// SelectorMismatch is the failure of a responder: the peer's selectors do not overlap with ours, those of one child.
func SelectorMismatch(w Where, ours, theirs Selectors) *Failure {
	f := w.failure(CodeTS, ours.String(), theirs.String())
	f.Fix = fmt.Sprintf("set local_ts = [%s] and remote_ts = [%s] in %s, or let the peer ask for %s (its local) and %s "+
		"(its remote).", quoted(theirs.Local), quoted(theirs.Remote), w.child(), side(ours.Remote), side(ours.Local))
	return f
}

// NoChildFits is the same for a connection with several children, or none: ours has the selectors of each behind its name.
func NoChildFits(w Where, ours []string, theirs Selectors) *Failure {
	f := w.failure(CodeTS, orUnknown(list(ours, maxListed), "no child at all"), theirs.String())
	if len(theirs.Local) == 0 || len(theirs.Remote) == 0 {
		return f
	}
	f.Fix = fmt.Sprintf("add a child with local_ts = [%s] and remote_ts = [%s] to %s, or let the peer ask for the networks of one of its children.",
		quoted(theirs.Local), quoted(theirs.Remote), w.connection())
	return f
}

// SelectorsOutside is the failure of an initiator whose peer answered with selectors that we did not offer.
func SelectorsOutside(w Where, ours, theirs Selectors) *Failure {
	f := w.failure(CodeTS, ours.String(), theirs.String())
	f.Differs = "the answer, which is not a part of the offer"
	f.Fix = "the peer breaks RFC 7296, section 2.9 (it may only narrow): configure exactly the same networks on both sides."
	return f
}

// SelectorsNarrowed says that the peer takes a part of the selectors of a child only: what it takes, and which pairs of networks have no
// tunnel therefore.
func SelectorsNarrowed(w Where, ours, theirs Selectors, left []string) *Failure {
	f := w.failure(CodeNarrowed, ours.String(), theirs.String())
	f.Differs = "what it leaves out: " + list(left, maxListed)
	f.Fix = fmt.Sprintf("configure at the peer what it leaves out, as a child for each pair of networks if it can't have more in one; or take it "+
		"out of local_ts and remote_ts of %s. Until then its packets are dropped (wait_narrowed).", w.child())
	return f
}

// NothingNew says that the peer has answered a request for ours, a part of the selectors of a child, with what there is a CHILD SA
// for already: theirs.
func NothingNew(w Where, ours, theirs Selectors) *Failure {
	f := w.failure(CodeNarrowed, ours.String(), "only "+theirs.String()+", which has a CHILD SA already")
	f.Fix = fmt.Sprintf("configure %s at the peer as well, or take it out of local_ts and remote_ts of %s.", ours.String(), w.child())
	return f
}

// RekeyNarrows is the failure of a rekeying that would leave out selectors in use.
func RekeyNarrows(w Where, inUse, theirs Selectors) *Failure {
	f := w.failure(CodeNarrowed, "a rekeying to keep all that is in use, "+inUse.String(), "only "+theirs.String())
	f.Fix = "nothing at first: the CHILD SA goes on until its lifetime ends. If the networks were changed at the peer, change local_ts and " +
		"remote_ts of " + w.child() + " as well, or terminate the child."
	return f
}

// SelectorsTaken is the failure that the peer asks for theirs, which another peer has: holder says who, "10.9.0.0/16 for x at y".
func SelectorsTaken(w Where, holder, theirs string) *Failure {
	return w.failure(CodeTSTaken, holder, theirs+" for itself")
}

func proposalMismatch(w Where, code Code, m Mismatch, key string) *Failure {
	f := w.failure(code, list(m.Ours, maxListed), list(m.Theirs, maxListed))
	f.Differs, f.Cause = differences(m.Differs), m.Cause
	if m.ClosestOurs != "" && m.ClosestTheirs != "" {
		f.Closest = "our " + m.ClosestOurs + ", the peer's " + clip(m.ClosestTheirs, maxQuoted)
	}
	n := len(m.Theirs) + m.More
	if n > maxListed {
		f.Theirs = fmt.Sprintf("%d proposals: %s (and %d more)", n, strings.Join(m.Theirs[:min(len(m.Theirs), maxListed)], ", "), n-maxListed)
	}
	f.Fix = proposalFix(m, key)
	return f
}

// proposalFix says what to configure on either side: ours at the peer, or its closest one here under key.
func proposalFix(m Mismatch, key string) string {
	if m.Answer {
		return "the peer breaks RFC 7296, section 2.7: its answer has to be one of the proposals that were offered. Update it, or put one " +
			"proposal only into " + key + "."
	}
	first := func(closest string, all []string) string {
		if closest == "" && len(all) > 0 {
			return all[0]
		}
		return closest
	}
	var ways []string
	if ours := first(m.ClosestOurs, m.Ours); ours != "" {
		ways = append(ways, fmt.Sprintf("configure %s at the peer", oneLine(ours)))
	}
	if theirs := first(m.ClosestTheirs, m.Theirs); theirs != "" {
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
	qs := make([]string, min(len(items), maxListed))
	for i := range qs {
		qs[i] = fmt.Sprintf("%q", oneLine(items[i]))
	}
	if n := len(items) - len(qs); n > 0 {
		qs = append(qs, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(qs, ", ")
}
