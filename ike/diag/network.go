package diag

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// Sent is what was sent for a request that stayed without an answer.
type Sent struct {
	// What was sent, "IKE_SA_INIT" or "liveness checks"; empty stands for the exchange of the Where.
	What  string
	Times int
	// Over is from the first time to now.
	Over time.Duration
	// Size is how many bytes it has, InitPort the peer's port on which IKE_SA_INIT was answered; 0: not known.
	Size     int
	InitPort uint16
}

// largeRequest is from how many bytes on a request may have been lost because of its size: what no link has to take (RFC 791), with room
// for headers.
const largeRequest = 512

// text is "IKE_SA_INIT 5 times in 2m45s".
func (s Sent) text(w Where) string {
	what := orUnknown(s.What, orUnknown(w.Exchange, "the request"))
	if s.Times <= 1 {
		return what + " once"
	}
	return fmt.Sprintf("%s %d times in %s", what, s.Times, seconds(s.Over))
}

// Silent is the failure that a request was not answered. The code follows from the stage: IKE_SA_INIT, the exchanges up to
// IKE_AUTH (connecting), or any later one.
func Silent(w Where, connecting bool, s Sent) *Failure {
	ours := s.text(w)
	peer, local := orUnknown(bareAddr(w.Remote), "the peer"), orUnknown(bareAddr(w.Local), "this gateway")
	switch {
	case w.Exchange == "IKE_SA_INIT":
		f := w.failure(CodeTimeoutInit, ours, "")
		f.Fix = fmt.Sprintf("check that %s is the right address and its IKE daemon runs; that UDP 500 and 4500 pass between "+
			"%s and %s in both directions; that the peer has a connection for %s.", peer, local, peer, local)
		return f
	case connecting:
		f := w.failure(CodeTimeoutAuth, ours, "")
		f.Fix = authSilent(w, local, peer, s)
		return f
	}
	return w.failure(CodeTimeout, ours, "")
}

// authSilent is what to do when the peer has answered IKE_SA_INIT and nothing after it: what is different then are the port and the size.
func authSilent(w Where, local, peer string, s Sent) string {
	var fix string
	switch port := w.Remote.Port(); {
	case port == 0:
		fix = fmt.Sprintf("let UDP 4500 pass between %s and %s in both directions; ", local, peer)
	case s.InitPort != 0 && s.InitPort != port:
		fix = fmt.Sprintf("UDP %d passes, UDP %d does not: let it pass between %s and %s in both directions; ", s.InitPort, port, local, peer)
	case s.InitPort != 0:
		fix = fmt.Sprintf("UDP %d passes, so it is not the port; ", port)
	default:
		fix = fmt.Sprintf("let UDP %d pass between %s and %s in both directions; ", port, local, peer)
	}
	if s.Size > largeRequest || s.Size == 0 {
		if s.Size > 0 {
			fix += fmt.Sprintf("a path may also lose the request for its size (%d bytes): ", s.Size)
		}
		fix += "keep fragmentation on at both ends; "
	}
	return fix + "read the peer's log."
}

// Dead is the failure that liveness checks went unanswered; heard is when the peer was last heard. The text gives the time of day, since
// it is shown for as long as the failure is known: an age would be right only once.
func Dead(w Where, heard time.Time, s Sent) *Failure {
	s.What = "liveness checks"
	heard = heard.In(w.Time.Location())
	layout := "at 15:04:05"
	if dateOf(heard) != dateOf(w.Time) {
		layout = "at 2006-01-02 15:04:05"
	}
	return w.failure(CodeDPD, s.text(w), heard.Format(layout))
}

// Traffic is what has gone through the CHILD SAs with a peer.
type Traffic struct {
	// Out is how many packets were sent since nothing has come in, and Asking how many of them ask for an answer.
	Out, Asking uint64
	// Came: ESP has come in before. UDP: it is encapsulated in UDP.
	Came, UDP bool
}

// OneWay is the failure that packets which ask for an answer go out and none come in, although the peer answers IKE. It proves nothing
// about the tunnel.
func OneWay(w Where, t Traffic) *Failure {
	theirs := "no ESP that arrived since the SA was made"
	if t.Came {
		theirs = "no more ESP that arrived"
	}
	f := w.failure(CodeESPOneWay, fmt.Sprintf("%d packets, %d of which ask for an answer", t.Out, t.Asking), theirs)
	peer, local := orUnknown(bareAddr(w.Remote), "the peer"), orUnknown(bareAddr(w.Local), "this gateway")
	if t.UDP {
		f.Fix = fmt.Sprintf("see whether %s forwards what it decrypts (its firewall, routes, ip_forward), and whether the hosts behind it "+
			"answer; UDP %d passes, as IKE does.", peer, w.Remote.Port())
	} else {
		f.Fix = fmt.Sprintf("let IP protocol 50 (ESP) pass between %s and %s in both directions, or set encap = true in %s: then ESP takes "+
			"UDP 4500. If it passes, see whether the peer forwards and the hosts behind it answer.", local, peer, w.connection())
	}
	return f
}

// HalfOpenExpired is the failure of a responder that waited in vain for IKE_AUTH.
func HalfOpenExpired(w Where, waited time.Duration) *Failure {
	return w.failure(CodeHalfOpen, seconds(waited)+" for IKE_AUTH", "")
}

// icmpMessage is an ICMP message about a packet of this host.
type icmpMessage interface {
	error
	// Sender is who sent it: the peer, a router, or this host itself where the next hop does not answer.
	Sender() netip.Addr
	// Prohibited: it says that a firewall forbids the packet.
	Prohibited() bool
}

// Unreachable is the failure that the network, or this system, refused our packets; cause is the error of the socket, which decides
// about the fix: an ICMP message, or an error of this system alone. It may be nil, if only the refusal is known.
func Unreachable(w Where, cause error) *Failure {
	f := w.because(CodeUnreachable, cause, "", "")
	peer, local := orUnknown(addrPort(w.Remote), "the peer"), orUnknown(bareAddr(w.Local), "here")
	pass := fmt.Sprintf("pass UDP 500 and 4500 from %s to %s.", local, orUnknown(bareAddr(w.Remote), "the peer"))
	var m icmpMessage
	icmp := errors.As(cause, &m)
	from := ""
	if icmp && m.Sender().IsValid() {
		from = m.Sender().Unmap().String()
	}
	byPeer := from == "" || from == bareAddr(w.Remote)
	unreachable := errors.Is(cause, syscall.EHOSTUNREACH) || errors.Is(cause, syscall.ENETUNREACH)
	switch {
	case icmp && m.Prohibited():
		f.Theirs, f.Ours = "behind a firewall that rejects our packets", "ICMP \"prohibited\" from "+orUnknown(from, "it")
		f.Fix = "let the firewall at " + orUnknown(from, peer) + " " + pass
	case errors.Is(cause, syscall.ECONNREFUSED) && byPeer:
		f.Theirs, f.Ours = "there, and has nothing on that port", "ICMP port unreachable from the peer itself"
		f.Fix = "start the IKE daemon at " + peer + ", or let its own firewall " + pass
	case errors.Is(cause, syscall.ECONNREFUSED):
		f.Theirs, f.Ours = "behind a firewall that rejects our packets", "ICMP port unreachable from "+from
		f.Fix = "let the firewall at " + from + " " + pass
	case unreachable && icmp && from != "" && from == bareAddr(w.Local):
		f.Theirs, f.Ours = "behind a next hop that does not answer on its link (ARP, neighbour discovery)", "an error of this host itself"
		f.Fix = "`ip route get " + orUnknown(bareAddr(w.Remote), "ADDRESS") + "` names the next hop: see that it is switched on and on this link, and that the address and mask here are right."
	case unreachable && icmp:
		f.Theirs, f.Ours = "behind a router that has no way to it", "ICMP host or network unreachable from "+orUnknown(from, "that router")
		f.Fix = "see at " + orUnknown(from, "the router") + " why it has no route to " + peer + ", and whether the peer is up."
	case unreachable:
		f.Theirs, f.Ours = "nowhere in the routing table of this host", "an error of this host, which has sent nothing"
		f.Fix = "add a route to " + peer + " on this host, such as a default route; `ip route get " + orUnknown(bareAddr(w.Remote), "ADDRESS") + "` shows what there is."
	case errors.Is(cause, syscall.EPERM), errors.Is(cause, syscall.EACCES):
		f.Theirs, f.Ours = "behind a firewall on this machine", "\"not permitted\" from this system"
		f.Fix = "let the firewall of this machine pass UDP to " + peer + " (OUTPUT rules), or remove the prohibiting route."
	case errors.Is(cause, syscall.EMSGSIZE):
		f.Theirs, f.Ours = "behind a path narrower than the message", "\"message too long\""
		f.Fix = "lower ike.fragment_size, and set `fragmentation = true` at both ends."
	}
	return f
}

// UnreachableAfter is Unreachable for a request that was sent so often.
func UnreachableAfter(w Where, cause error, s Sent) *Failure {
	f := Unreachable(w, cause)
	f.Ours = orUnknown(f.Ours, "an error") + " for " + s.text(w)
	return f
}

// Unresolved is the failure that the peer's name has no address.
func Unresolved(w Where, name string, cause error) *Failure {
	f := w.because(CodeDNS, cause, "the resolver for it", "configured as "+quote(name))
	f.Fix = fmt.Sprintf("check the name and the resolver (`getent hosts %s`), or put an address into remote_addrs.", oneLine(name))
	return f
}

// RedirectUnresolved is the failure that the gateway which from redirects to, of that name, has no address.
func RedirectUnresolved(w Where, from, name string, cause error) *Failure {
	f := w.because(CodeDNS, cause, "the resolver for it", fmt.Sprintf("the gateway that %s redirects to, %s", from, quote(name)))
	f.Fix = "check the name at the gateway that redirects (redirect_to), and the resolver here."
	return f
}

// RedirectLoop is the failure that a gateway, from, sends this side to another one, to, after it has been redirected as
// often as it lets itself be: max times within period.
func RedirectLoop(w Where, from, to string, max int, period time.Duration) *Failure {
	f := w.failure(CodeRedirectLoop, fmt.Sprintf("%d redirects within %s, the most there may be", max, seconds(period)), fmt.Sprintf("from %s to %s", from, to))
	f.Fix = fmt.Sprintf("let one of the gateways serve this side: what %s and %s redirect to must not lead back.", oneLine(from), oneLine(to))
	return f
}

// RedirectInPlace is the failure that a gateway, from, sends this side to an address, to, that leads it nowhere else. what says what that
// is: "an address of this host".
func RedirectInPlace(w Where, from, to, what string) *Failure {
	f := w.failure(CodeRedirectLoop, "no redirect to "+what, fmt.Sprintf("from %s to %s", from, to))
	f.Fix = fmt.Sprintf("correct at %s where it sends this side (redirect_to, or the command): it has to be another gateway.", oneLine(from))
	return f
}

// NATDetected is the failure that a message of a peer that allows no NAT (RFC 4555, NO_NATS_ALLOWED) came from seen, through one.
func NATDetected(w Where, seen netip.AddrPort) *Failure {
	f := w.failure(CodeNAT, "", addrPort(seen)+", and says that it sends from another address or port")
	f.Fix = "switch NAT traversal on at the peer, and let UDP 4500 pass; or take the NAT between " + orUnknown(bareAddr(w.Local), "here") +
		" and the peer out of the path."
	return f
}

// BlackHole is the trouble that packets of more than mtu bytes vanish on the path, where was bytes were sent before, and no ICMP message
// says so. The tunnel goes on with the smaller packets.
func BlackHole(w Where, mtu, was int) *Failure {
	message := "ICMP \"fragmentation needed\" (type 3 code 4)"
	if w.Remote.Addr().Is6() {
		message = "ICMPv6 Packet Too Big (type 2)"
	}
	f := w.failure(CodeMTU, fmt.Sprintf("at most %d bytes, where %d were sent before", mtu, was), fmt.Sprintf("a path on which larger packets than %d bytes vanish, without an ICMP message", mtu))
	f.Fix = fmt.Sprintf("let %s pass to %s in the firewalls on the path to %s, or correct the MTU of the link that drops them. The tunnel goes on "+
		"with smaller packets meanwhile.", message, orUnknown(bareAddr(w.Local), "this gateway"), orUnknown(bareAddr(w.Remote), "the peer"))
	return f
}

// AddressGone is the failure that the address of this host that an IKE SA uses is gone, and the IKE SA cannot move.
func AddressGone(w Where, a netip.Addr) *Failure {
	f := w.failure(CodeAddress, a.String(), "")
	f.Fix = "nothing at first: a connection that should be up comes up from another address. Set mobike = true for " + w.connection() +
		" and at the peer, so that the tunnel moves along."
	return f
}

// BindFailed is the failure that the local address and port of w cannot be used. key is the key of the configuration that the port is
// from, such as "ike.port_nat_t".
func BindFailed(w Where, key string, cause error) *Failure {
	f := w.because(CodeBind, cause, "UDP "+orUnknown(addrPort(w.Local), "(address unknown)"), "")
	switch port := w.Local.Port(); {
	case errors.Is(cause, syscall.EADDRINUSE):
		f.Fix = fmt.Sprintf("stop the program that holds the port (`ss -ulpn 'sport = %d'` names it), or set another %s.", port, key)
		if w.Local.Addr().IsUnspecified() {
			f.Fix += " If it has the port at another address than the connections need: name theirs in local_addrs and set mobike_addrs = \"local_addrs\" in all of them, " +
				"so that only those are taken."
		}
	case errors.Is(cause, syscall.EADDRNOTAVAIL):
		f.Fix = "put an address of this machine into local_addrs."
	case errors.Is(cause, syscall.EACCES), errors.Is(cause, syscall.EPERM):
		f.Fix = fmt.Sprintf("give the program CAP_NET_BIND_SERVICE, or set %s to a port above 1023.", key)
	}
	return f
}

// seconds is d for people: whole seconds from ten seconds on, tenths below.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
