package diag

import (
	"fmt"
	"strings"
)

// FromNotify is the failure that the peer answered a request with the error notification named notify (its IANA name).
// ours is what we had offered or asked for, in words; it may be empty. Where a more particular constructor exists
// ([IKEProposalRefused], [SelectorsRefused], [AuthRefused]), it says more.
func FromNotify(w Where, notify, ours string) *Failure {
	f := w.failure(notifyCode(w, notify))
	f.ByPeer, f.Notify, f.Ours = true, notify, ours
	if notify == "TEMPORARY_FAILURE" {
		f.Fix = "nothing at first: the peer is busy with an exchange that crosses ours, and ours is repeated. If it lasts, " +
			"look for a rekeying that hangs at the peer."
	}
	return f
}

// notifyCode is the code for an error notification in answer to a request.
func notifyCode(w Where, notify string) Code {
	switch notify {
	case "NO_PROPOSAL_CHOSEN":
		if w.Child != "" {
			return CodeProposalChild
		}
		return CodeProposalIKE
	case "INVALID_KE_PAYLOAD":
		return CodeKEGroup
	case "AUTHENTICATION_FAILED":
		return CodeAuthRefused
	case "TS_UNACCEPTABLE", "SINGLE_PAIR_REQUIRED", "INVALID_SELECTORS":
		return CodeTS
	case "INVALID_SYNTAX", "INVALID_MESSAGE_ID":
		return CodeSyntax
	case "INVALID_MAJOR_VERSION":
		return CodeVersion
	case "UNSUPPORTED_CRITICAL_PAYLOAD":
		return CodeUnsupported
	case "INVALID_IKE_SPI", "INVALID_SPI", "CHILD_SA_NOT_FOUND":
		return CodeSPI
	case "INTERNAL_ADDRESS_FAILURE", "FAILED_CP_REQUIRED":
		return CodePoolEmpty
	case "NO_ADDITIONAL_SAS":
		return CodeLimit
	}
	return CodePeerError
}

// Malformed is the failure that the peer's message breaks the protocol; cause says where.
func Malformed(w Where, cause error) *Failure {
	f := w.failure(CodeSyntax)
	f.Cause = cause
	return f
}

// OtherVersion is the failure that the peer speaks another major version, such as "IKEv1".
func OtherVersion(w Where, theirs string) *Failure {
	f := w.failure(CodeVersion)
	f.Theirs, f.Ours, f.Notify = theirs, "IKEv2", "INVALID_MAJOR_VERSION"
	return f
}

// NotSupported is the failure that the peer demands what is not implemented here, such as "critical payload 61".
func NotSupported(w Where, what string) *Failure {
	f := w.failure(CodeUnsupported)
	f.Theirs, f.Notify = what, "UNSUPPORTED_CRITICAL_PAYLOAD"
	return f
}

// NoAddress is the failure that pools have no virtual address left for the peer.
func NoAddress(w Where, pools []string) *Failure {
	f := w.failure(CodePoolEmpty)
	f.Ours, f.Notify = "none left in "+orUnknown(list(pools, maxListed), "any pool, for the connection has none"),
		"INTERNAL_ADDRESS_FAILURE"
	return f
}

// LimitReached is the failure that a limit, named by its key ("ike.half_open_limit"), is at max.
func LimitReached(w Where, key string, max int) *Failure {
	f := w.failure(CodeLimit)
	f.Ours = fmt.Sprintf("at most %d (%s)", max, key)
	f.Fix = fmt.Sprintf("raise %s if the load is real; if not, look for who floods.", oneLine(key))
	return f
}

// PeerDeleted is the event that the peer deleted what ("the IKE_SA", "CHILD_SA net").
func PeerDeleted(w Where, what string) *Failure {
	f := w.failure(CodeDeleted)
	f.Theirs = what
	return f
}

// Expired is the failure that an SA came to its hard limit ("life_time 1h10m", "2^32-1 packets") before it was replaced.
func Expired(w Where, limit string) *Failure {
	f := w.failure(CodeExpired)
	f.Ours = "to replace it before its hard limit, " + limit
	return f
}

// Replaced is the event that the SA gave way to by, another of the same peer.
func Replaced(w Where, by string) *Failure {
	f := w.failure(CodeReplaced)
	f.Theirs = by
	return f
}

// Cancelled is the event that work was stopped from this side: why is "operator", "reload" or "shutdown".
func Cancelled(w Where, why string) *Failure {
	f := w.failure(CodeCancelled)
	f.Ours = why
	return f
}

// InstallFailed is the failure that the data plane refused an SA, route or address; what names it.
func InstallFailed(w Where, what string, cause error) *Failure {
	f := w.failure(CodeInstall)
	f.Theirs, f.Ours, f.Cause = what, "to install it", cause
	return f
}

// RoutesFailed is the failure that the host's routes for selectors, ts, are not all there. The SA itself is up.
func RoutesFailed(w Where, ts string, cause error) *Failure {
	f := w.failure(CodeInstall)
	f.Ours, f.Cause = "to route "+ts+" into the tunnel, and routes are MISSING; each is tried again every ten seconds", cause
	f.Fix = "read the cause; where an IP version is turned off on the host, leave its networks out of remote_ts, or turn it on."
	return f
}

// UnknownName is the failure that a command names a connection or child (kind) that is not configured. have lists the
// configured names; the nearest one is suggested.
func UnknownName(w Where, kind, name string, have []string) *Failure {
	f := w.failure(CodeConfig)
	f.Ours = fmt.Sprintf("no %s named %s; there are: %s", kind, quote(name), orUnknown(list(have, 3*maxListed), "none"))
	f.Fix = "correct the name, or add it to the configuration and reload."
	if best := nearest(name, have); best != "" {
		f.Fix = "did you mean " + quote(best) + "?"
	}
	return f
}

// Uncallable is the failure of a connection that is to initiate and has no address of the peer. w.ConfigLine is that of remote_addrs.
func Uncallable(w Where) *Failure {
	f := w.failure(CodeConfig)
	f.Ours = "no address to call: remote_addrs has none"
	f.Fix = "put the peer's address into remote_addrs, or let the peer initiate"
	return f
}

// Internal is the failure for what should never happen.
func Internal(w Where, cause error) *Failure {
	f := w.failure(CodeInternal)
	f.Cause = cause
	return f
}

// nearest returns the name of have with the smallest edit distance to name, if that is at most a third of its length.
func nearest(name string, have []string) string {
	best, bestDist := "", 1+max(len(name)/3, 1)
	for _, h := range have {
		// A child may be named without its connection.
		_, child, _ := strings.Cut(h, "/")
		for _, form := range []string{h, child} {
			if d := distance(strings.ToLower(name), strings.ToLower(form)); form != "" && d < bestDist {
				best, bestDist = h, d
			}
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, prev+cost)
		}
	}
	return row[len(b)]
}
