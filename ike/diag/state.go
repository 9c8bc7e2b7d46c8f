package diag

import (
	"fmt"
	"strings"
)

// Malformed is the failure that the peer's message breaks the protocol; cause says where.
func Malformed(w Where, cause error) *Failure {
	return w.because(CodeSyntax, cause, "", "")
}

// Unexpected is the failure that the peer's message is well formed, and not what has to come: want is what that is, got what came. want
// may be empty where got says it.
func Unexpected(w Where, want, got string) *Failure {
	return w.failure(CodeSyntax, want, got)
}

// OtherVersion is the failure that the peer speaks another major version, such as "IKEv1".
func OtherVersion(w Where, theirs string) *Failure {
	return w.failure(CodeVersion, "IKEv2", theirs)
}

// NotChildless is the failure that children of an IKE SA have to come after IKE_AUTH (childless = "force"), and the peer does something
// else, which completes "the peer offers …".
func NotChildless(w Where, theirs string) *Failure {
	f := w.failure(CodeUnsupported, `children to come after IKE_AUTH (childless = "force")`, theirs)
	f.Fix = `set childless = "prefer" or "allow" in ` + w.connection() + `, or a peer that does RFC 6023 to do it.`
	return f
}

// NoBareIKESA is the failure that an IKE SA of a connection without children was asked for, and the peer makes none without a CHILD SA.
func NoBareIKESA(w Where, theirs string) *Failure {
	f := w.failure(CodeUnsupported, "an IKE SA without a CHILD SA, as the connection has no children", theirs)
	f.Fix = "add a child to " + w.connection() + ", or have the peer do RFC 6023 (childless IKE SAs)."
	return f
}

// NotRedirectable is the failure of a command to redirect n peers: none of them can be redirected. called: this side has called them.
func NotRedirectable(w Where, n int, called bool) *Failure {
	f := w.failure(CodeUnsupported, fmt.Sprintf("to redirect %d IKE SAs", n), "no redirection (REDIRECT_SUPPORTED)")
	if called {
		f.Theirs = "no redirection, since this side has called it"
		f.Fix = "redirect at the peer: only the side that was called can send the other one elsewhere (RFC 5685). Here, change remote_addrs of " +
			w.connection() + "."
		return f
	}
	f.Fix = "only a peer that has initiated the IKE SA can be redirected, and only if it says that it can: follow_redirects of strongSwan."
	return f
}

// RedirectsInPlace is the failure of a command to redirect a peer, or several, to something that is no other gateway, to. what says what it
// is: "the peer's own address".
func RedirectsInPlace(w Where, to, what string) *Failure {
	f := w.failure(CodeConfig, fmt.Sprintf("no other gateway %s to redirect to: that is %s", quote(to), what), "")
	f.Fix = "name the gateway that is to serve the peer in place of this one."
	return f
}

// LimitReached is the failure that the peer asks for more, in words, than limit, in words: "1024 IKE SAs (ike_sa_limit_id)".
func LimitReached(w Where, limit, theirs string) *Failure {
	return w.failure(CodeLimit, limit, theirs)
}

// TooManySelectors is the failure that selectors of the peer, in words, are more than the limit for them, in words.
func TooManySelectors(w Where, limit, theirs string) *Failure {
	f := LimitReached(w, limit, theirs)
	f.Fix = "let the peer ask for prefixes instead of ranges, and for few: what is configured here as local_ts and remote_ts is always allowed."
	return f
}

// OneIsKept is the failure that the peer has an IKE SA, of the number kept, and unique = "keep" allows no other.
func OneIsKept(w Where, kept uint64) *Failure {
	f := LimitReached(w, fmt.Sprintf(`one IKE SA for each peer (unique = "keep"), and keep #%d`, kept), "another IKE SA")
	f.alert = "unique-keep"
	f.Fix = `no action if the peer still uses that IKE SA; otherwise terminate it here, or wait for the liveness check. If several peers ` +
		`share one identity, give each its own or set unique = "never".`
	return f
}

// NoTime is the failure that this side could not carry out in time what a message needs; cause says what.
func NoTime(w Where, cause error) *Failure {
	f := w.failure(CodeBusy, "", "")
	f.Cause = cause
	return f
}

// TicketNotPresented is the failure that this side does not present its session ticket: why.
func TicketNotPresented(w Where, why string) *Failure {
	return w.failure(CodeResume, "no session ticket: "+why, "")
}

// TicketNotAnswered is the failure that nothing came in answer to a session ticket.
func TicketNotAnswered(w Where) *Failure {
	return w.failure(CodeResume, "a session ticket", "no answer")
}

// TicketRefused is the failure that the peer does not take a session ticket, and says so with notify.
func TicketRefused(w Where, notify fmt.Stringer) *Failure {
	return w.refused(CodeResume, notify.String(), "a session ticket")
}

// NotResumed is the failure that an IKE SA cannot be resumed: the peer's ticket, or its answer to ours, is not good for it.
func NotResumed(w Where, cause error) *Failure {
	return w.because(CodeResume, cause, "", "")
}

// PeerDeleted is the event that the peer deleted what ("the IKE SA", "the CHILD SA before it was set up").
func PeerDeleted(w Where, what string) *Failure {
	f := w.failure(CodeDeleted, "", what)
	f.ByPeer = true
	return f
}

// PeerRestarted is the failure that the peer has proved, with a notification that came in the clear, that it has restarted and does not
// have the IKE SA any more (RFC 6290).
func PeerRestarted(w Where, notify fmt.Stringer) *Failure {
	f := w.refused(CodeSPI, notify.String(), "an IKE SA that it has lost in a restart, as its QCD_TOKEN proves")
	f.Fix = "nothing at first: a connection that should be up is set up again. If it recurs, find out why the peer restarts."
	return f
}

// Expired is the failure that an SA came to a hard limit, in words, before it was replaced.
func Expired(w Where, limit string) *Failure {
	return w.failure(CodeExpired, "no new SA when the hard limit came: "+limit, "")
}

// Terminated is the failure that the peer asks for what ("an IKE SA", "a CHILD SA"), which a command keeps down here.
func Terminated(w Where, what string) *Failure {
	f := w.failure(CodeTerminated, "", what)
	name := orUnknown(w.Connection, "NAME")
	if w.Child != "" {
		name += "/" + w.Child
	}
	f.Fix = "`esplanade initiate " + oneLine(name) + "` when it is wanted again; a peer with start_action = \"start\" asks until then."
	return f
}

// OpenAgain is the answer to a command that initiates what was kept down, and that only the peer can bring up. w.ConfigLine is that of
// remote_addrs.
func OpenAgain(w Where) *Failure {
	f := Uncallable(w)
	f.Fix = "nothing: it is not kept down any more, and comes up when the peer initiates."
	return f
}

// Cancelled is the event that work was stopped from this side: why is a clause, such as "the daemon ends".
func Cancelled(w Where, why string) *Failure {
	return w.failure(CodeCancelled, why, "")
}

// InstallFailed is the failure that the data plane refused an SA, route or address; what names it.
func InstallFailed(w Where, what string, cause error) *Failure {
	return w.because(CodeInstall, cause, "to install it", what)
}

// RoutesFailed is the failure that the host's routes for selectors, ts, are not all there. The SA itself is up.
func RoutesFailed(w Where, ts string, cause error) *Failure {
	f := w.because(CodeInstall, cause, "to route "+ts+" into the tunnel, and routes are MISSING; each is tried again every ten seconds", "")
	f.Fix = "read the cause; where an IP version is turned off on the host, leave its networks out of remote_ts, or turn it on."
	return f
}

// UnknownName is the failure that a command names a connection or child (kind) that is not configured. have lists the
// configured names; the nearest one is suggested.
func UnknownName(w Where, kind, name string, have []string) *Failure {
	f := w.failure(CodeConfig, fmt.Sprintf("no %s named %s; there are: %s", kind, quote(name), orUnknown(list(have, 3*maxListed), "none")), "")
	f.NotThere, f.Fix = true, "correct the name, or add it to the configuration and reload."
	if best := nearest(name, have); best != "" {
		f.Fix = "did you mean " + quote(best) + "?"
	}
	return f
}

// Ambiguous is the failure that a command names a child which several connections, which, have one of.
func Ambiguous(w Where, name string, which []string) *Failure {
	f := w.failure(CodeConfig, fmt.Sprintf("several children named %s: %s", quote(name), list(which, 3*maxListed)), "")
	f.Fix = "name the connection as well: CONNECTION/CHILD, or --ike with swanctl."
	return f
}

// NothingUp is the failure that a command is for SAs that are up, and none with this name is. hint is a clause about that.
func NothingUp(w Where, name, hint string) *Failure {
	f := w.failure(CodeConfig, fmt.Sprintf("no SA of %s that is up", quote(name)), "")
	f.NotThere, f.Fix = true, hint+": see `esplanade status`, or `swanctl --list-sas`."
	return f
}

// Uncallable is the failure of a connection that is to initiate and has no address of the peer. w.ConfigLine is that of remote_addrs.
func Uncallable(w Where) *Failure {
	f := w.failure(CodeConfig, "no address to call: remote_addrs has none", "")
	f.Fix = "put the peer's address into remote_addrs, or let the peer initiate."
	return f
}

// NothingToBringUp is the failure of a connection that is to initiate and has no child to bring up.
func NothingToBringUp(w Where) *Failure {
	f := w.failure(CodeConfig, "no child to bring up", "")
	f.Fix = "add a child to " + w.connection() + "."
	return f
}

// NoTrap is the failure of a command that removes the trap of a child which has none. w.ConfigLine is that of start_action.
func NoTrap(w Where) *Failure {
	f := w.failure(CodeConfig, "no trap to remove: packets do not bring the child up", "")
	f.NotThere, f.Fix = true, "nothing is to be done; `esplanade terminate` takes down an SA that is there."
	return f
}

// TrapOfStart is the failure of a command that removes the trap of a child which is to be up at all times.
func TrapOfStart(w Where) *Failure {
	f := w.failure(CodeConfig, "no trap to remove: start_action, close_action or dpd_action is \"start\", so that the child is kept up without any", "")
	f.Fix = "take it down with `esplanade terminate`, or set another action and reload."
	return f
}

// NotOffered is the failure of a command for what this gateway does not do; instead is a sentence that says what to do instead.
func NotOffered(w Where, what, instead string) *Failure {
	f := w.failure(CodeConfig, "no command for "+what, "")
	f.Fix = instead
	return f
}

// Internal is the failure for what should never happen.
func Internal(w Where, cause error) *Failure {
	return w.because(CodeInternal, cause, "", "")
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
