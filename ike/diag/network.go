package diag

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Silent is the failure that a request was not answered: sent is how many times it was sent, over how long. The code
// follows from the exchange of w: IKE_SA_INIT, IKE_AUTH, or any later one.
func Silent(w Where, sent int, over time.Duration) *Failure {
	code := CodeTimeout
	switch w.Exchange {
	case "IKE_SA_INIT":
		code = CodeTimeoutInit
	case "IKE_AUTH":
		code = CodeTimeoutAuth
	}
	f := w.failure(code)
	f.Ours = fmt.Sprintf("%s %s in %s", orUnknown(w.Exchange, "the request"), times(sent), seconds(over))
	peer, local := orUnknown(bareAddr(w.Remote), "the peer"), orUnknown(bareAddr(w.Local), "this gateway")
	switch code {
	case CodeTimeoutInit:
		f.Fix = fmt.Sprintf("check that %s is the right address and its IKE daemon runs; that UDP 500 and 4500 pass between "+
			"%s and %s in both directions; that the peer has a connection for %s.", peer, local, peer, local)
	case CodeTimeoutAuth:
		f.Fix = fmt.Sprintf("let UDP 4500 pass between %s and %s in both directions; keep fragmentation on at both ends; "+
			"read the peer's log.", local, peer)
	}
	return f
}

// Dead is the failure that liveness checks went unanswered: when the peer was last heard (zero: never), and how often
// it was asked over how long.
func Dead(w Where, lastHeard time.Time, sent int, over time.Duration) *Failure {
	f := w.failure(CodeDPD)
	f.Ours = fmt.Sprintf("%s in %s", times(sent), seconds(over))
	if !lastHeard.IsZero() {
		f.Theirs = "at " + stamp(lastHeard)
	}
	return f
}

// HalfOpenExpired is the failure of a responder that waited in vain for IKE_AUTH.
func HalfOpenExpired(w Where, waited time.Duration) *Failure {
	f := w.failure(CodeHalfOpen)
	f.Ours = seconds(waited) + " for IKE_AUTH"
	return f
}

// Unreachable is the failure that the network, or this system, refused our packets; cause is the error of the socket,
// which decides about the fix.
func Unreachable(w Where, cause error) *Failure {
	f := w.failure(CodeUnreachable)
	f.Cause = cause
	peer := orUnknown(addrPort(w.Remote), "the peer")
	switch {
	case errors.Is(cause, syscall.ECONNREFUSED):
		f.Theirs, f.Ours = "a port on which nothing listens", "ICMP port unreachable"
		f.Fix = "start the IKE daemon at " + peer + ", or let its firewall pass UDP to that port."
	case errors.Is(cause, syscall.EPERM), errors.Is(cause, syscall.EACCES):
		f.Theirs, f.Ours = "a firewall on this machine", "\"not permitted\" from this system"
		f.Fix = "let the firewall of this machine pass UDP to " + peer + " (OUTPUT rules), or remove the prohibiting route."
	case errors.Is(cause, syscall.EHOSTUNREACH), errors.Is(cause, syscall.ENETUNREACH):
		f.Theirs, f.Ours = "a router that has no way to it", "ICMP host or network unreachable"
		f.Fix = "check the route from " + orUnknown(bareAddr(w.Local), "here") + " to " + peer +
			" (`ip route get`), and that the peer is up; a firewall may also answer like this."
	case errors.Is(cause, syscall.EMSGSIZE):
		f.Theirs, f.Ours = "a path narrower than the message", "\"message too long\""
		f.Fix = "lower ike.fragment_size, and set `fragmentation = true` at both ends."
	}
	return f
}

// Unresolved is the failure that the peer's name has no address.
func Unresolved(w Where, name string, cause error) *Failure {
	f := w.failure(CodeDNS)
	f.Theirs, f.Ours, f.Cause = "configured as "+quote(name), "the resolver for it", cause
	f.Fix = fmt.Sprintf("check the name and the resolver (`getent hosts %s`), or put an address into remote_addrs.", oneLine(name))
	return f
}

// RedirectLoop is the failure that a gateway, from, sends this side to another one, to, after it has been redirected as
// often as it lets itself be: max times within period.
func RedirectLoop(w Where, from, to string, max int, period time.Duration) *Failure {
	f := w.failure(CodeRedirectLoop)
	f.Theirs, f.Ours = fmt.Sprintf("from %s to %s", from, to), fmt.Sprintf("%d redirects within %s, the most there may be", max, seconds(period))
	f.Fix = fmt.Sprintf("let one of the gateways serve this side: what %s and %s redirect to must not lead back.", oneLine(from), oneLine(to))
	return f
}

// NotRedirectable is the failure of a command to redirect peers, n of them, none of which can be.
func NotRedirectable(w Where, n int) *Failure {
	f := w.failure(CodeUnsupported)
	f.Theirs, f.Ours = "no redirection (REDIRECT_SUPPORTED)", fmt.Sprintf("to redirect %d IKE SAs", n)
	f.Fix = "only a peer that has initiated the IKE SA can be redirected, and only if it says that it can: follow_redirects of strongSwan."
	return f
}

// BindFailed is the failure that the local address and port of w cannot be used.
func BindFailed(w Where, cause error) *Failure {
	f := w.failure(CodeBind)
	f.Cause = cause
	f.Ours = "UDP " + orUnknown(addrPort(w.Local), "(address unknown)")
	switch port := w.Local.Port(); {
	case errors.Is(cause, syscall.EADDRINUSE):
		f.Fix = fmt.Sprintf("stop the program that holds the port (`ss -ulpn 'sport = %d'` names it), or set another ike.port.", port)
	case errors.Is(cause, syscall.EADDRNOTAVAIL):
		f.Fix = "put an address of this machine into local_addrs."
	case errors.Is(cause, syscall.EACCES), errors.Is(cause, syscall.EPERM):
		f.Fix = "give the program CAP_NET_BIND_SERVICE, or set ike.port and ike.port_nat_t to ports above 1023."
	}
	return f
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// seconds is d for people: whole seconds from ten seconds on, tenths below.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
