package diag

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// Failure is one failure, as a value. The constructors of this package make it, and nothing else does: each takes what it needs to
// name both sides, and fills in the fix that fits. Every field but Code may be empty; a rendering still names both sides and a fix.
//
// A Failure is immutable once it is handed on; it may then be read from any goroutine.
type Failure struct {
	// alert is the type of its alert where that is not the code's.
	alert string
	// Code is the kind of failure.
	Code Code
	// Connection and Child are the names in the configuration; empty when none is known (yet).
	Connection, Child string
	// Exchange is the IKE exchange in which it happened, by its IANA name ("IKE_AUTH").
	Exchange string
	// Local and Remote are the outer addresses and ports; the zero value when not known. A zero port is not shown.
	Local, Remote netip.AddrPort
	// PeerID is the identity that the peer has shown; empty while it has shown none.
	PeerID string
	// User is the name of the user that the peer says it is, or has proved to be; empty where there is no EAP.
	User string
	// ByPeer: the peer reported the failure with a notification. False: this gateway found it.
	ByPeer bool
	// Unproven: it comes from a message that nothing protects. The peer may have sent it, or somebody in its name.
	Unproven bool
	// Notify is the IANA name of the notification on the wire, in either direction; empty when nothing was sent.
	Notify string
	// Ours and Theirs are what the two sides want, offer or did; what kind of text it is follows from the code:
	// proposals, selectors, identities, a group.
	Ours, Theirs string
	// Closest is the pair (or the one) of the alternatives that came nearest; Differs says in what it still differs.
	Closest, Differs string
	// ConfigLine is where our side is configured, as "gw.toml:14".
	ConfigLine string
	// Fix is what to do about it. When empty, the general advice for the code is shown.
	Fix string
	// Cause is the error underneath, if any; [errors.Is] and [errors.As] look through the Failure into it.
	Cause error
	// Time is when it happened.
	Time time.Time
	// Stranger: whoever caused it has not proved an identity, even if the message resembles a connection. Anybody can cause any
	// number of these.
	Stranger bool
	// NotThere: what a command is about is not there, neither by that name nor up.
	NotThere bool
	// Aside: it was an attempt in addition to an IKE SA that carries the connection, which goes on.
	Aside bool
}

var _ error = (*Failure)(nil)
var _ slog.LogValuer = (*Failure)(nil)

// Error is the failure on one line: the code, the connection, both sides, the difference and the fix.
func (f *Failure) Error() string {
	if f == nil { // a nil *Failure in an error, on its way into a log: no reason to panic
		return "no failure"
	}
	return f.Summary() + " Fix: " + f.Advice()
}

// Summary is [Failure.Error] without the fix, ended by a full stop.
func (f *Failure) Summary() string {
	info := lookup(f.Code)
	var b strings.Builder
	b.WriteString(string(f.Code))
	if n := f.name(); n != "" {
		b.WriteString(" " + n)
	}
	b.WriteString(": " + info.title)
	if f.Exchange != "" && !strings.Contains(info.title, f.Exchange) {
		b.WriteString(" in " + oneLine(f.Exchange))
	}
	b.WriteString(": ")
	if !info.local || f.knowsPeer() {
		b.WriteString(f.theirSide(info) + "; ")
	}
	b.WriteString(f.ourSide(info))
	if f.Closest != "" {
		b.WriteString("; closest: " + oneLine(f.Closest))
	}
	if f.Differs != "" {
		b.WriteString("; differs in " + clip(f.Differs, maxDiffers))
	}
	if f.Cause != nil {
		b.WriteString("; cause: " + oneLine(f.Cause.Error()))
	}
	return strings.TrimRight(b.String(), ". ") + "."
}

// Advice is the fix: the particular one if there is one, else the general one for the code.
func (f *Failure) Advice() string {
	if f.Fix != "" {
		return oneLine(f.Fix)
	}
	return DefaultFix(f.Code, f.ByPeer)
}

// Peer is the other side as text: its address and identity, and the user where nothing else says it, as far as they are known.
func (f *Failure) Peer() string {
	s := addrPort(f.Remote)
	if s == "" {
		s = "(address unknown)"
	}
	var as []string
	if f.PeerID != "" {
		as = append(as, "id "+quote(f.PeerID))
	}
	if u := quote(f.User); f.User != "" && f.User != f.PeerID && !strings.Contains(f.Theirs, u) {
		as = append(as, "user "+u)
	}
	if len(as) > 0 {
		s += " (" + strings.Join(as, ", ") + ")"
	}
	return s
}

// Absent reports whether what a command is about is not there. Package vici asks for it.
func (f *Failure) Absent() bool { return f.NotThere }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Is reports whether target is a *Failure of the same code, so that errors.Is(err, &Failure{Code: CodeTS}) works.
func (f *Failure) Is(target error) bool {
	t, ok := target.(*Failure)
	return ok && t.Code == f.Code
}

// Reason is the reason label of metrics: the code in lower snake case without its prefix.
func (f *Failure) Reason() string { return f.Code.Reason() }

// Alert is the type of the VICI alert for this failure, or "" when the protocol has none.
func (f *Failure) Alert() string {
	if f.alert != "" {
		return f.alert
	}
	info := lookup(f.Code)
	if f.ByPeer && info.alertByPeer != "" {
		return info.alertByPeer
	}
	return info.alert
}

// Alerts are the types of the VICI alerts for this failure, in the order in which strongSwan raises them: why something was rejected, and what
// has failed by that.
func (f *Failure) Alerts() (list []string) {
	for _, a := range []string{lookup(f.Code).alertCause, f.Alert()} {
		if a != "" {
			list = append(list, a)
		}
	}
	return list
}

// LogValue is the failure as a group of attributes; empty fields are left out.
func (f *Failure) LogValue() slog.Value {
	if f == nil {
		return slog.Value{}
	}
	as := make([]slog.Attr, 0, 20)
	add := func(k, v string) {
		if v != "" {
			as = append(as, slog.String(k, v))
		}
	}
	add("code", string(f.Code))
	add("reason", f.Reason())
	add("title", lookup(f.Code).title)
	add("connection", f.Connection)
	add("child", f.Child)
	add("exchange", f.Exchange)
	add("local", addrPort(f.Local))
	add("remote", addrPort(f.Remote))
	add("peer_id", oneLine(f.PeerID))
	add("user", oneLine(f.User))
	if f.ByPeer {
		as = append(as, slog.Bool("by_peer", true))
	}
	if f.Unproven {
		as = append(as, slog.Bool("unproven", true))
	}
	add("notify", f.Notify)
	add("ours", oneLine(f.Ours))
	add("theirs", oneLine(f.Theirs))
	add("closest", oneLine(f.Closest))
	add("differs", clip(f.Differs, maxDiffers))
	add("config", f.ConfigLine)
	if f.Cause != nil {
		add("cause", oneLine(f.Cause.Error()))
	}
	add("fix", f.Advice())
	return slog.GroupValue(as...)
}

// In says which child a failure is about, and the line of it, where only the caller of whoever made the failure knows. It is for before
// the failure is handed on.
func (f *Failure) In(child, line string) {
	f.Child, f.ConfigLine = child, line
}

// maxQuoted bounds, in runes, what a stranger has quoted of itself in a field: it chooses how long that is.
const maxQuoted = 200

// Clip shortens what the peer has chosen, as is right for a stranger's failure. It is for whoever makes the failure,
// before it is handed on. Closest and Differs have text of both sides: their constructors bound the peer's part of it.
func (f *Failure) Clip() {
	for _, s := range [...]*string{&f.PeerID, &f.User, &f.Theirs} {
		*s = clip(*s, maxQuoted)
	}
	if f.Cause != nil && len(f.Cause.Error()) > maxQuoted {
		f.Cause = errors.New(clip(f.Cause.Error(), maxQuoted))
	}
}

// Brief is [Failure.LogValue] without what [Failure.Summary] says in words.
func (f *Failure) Brief() slog.Value {
	if f == nil {
		return slog.Value{}
	}
	as := []slog.Attr{slog.String("code", string(f.Code)), slog.String("reason", f.Reason())}
	for _, x := range [...][2]string{{"connection", f.Connection}, {"exchange", f.Exchange}, {"remote", addrPort(f.Remote)}, {"user", oneLine(f.User)}, {"notify", f.Notify}} {
		if x[1] != "" {
			as = append(as, slog.String(x[0], x[1]))
		}
	}
	return slog.GroupValue(append(as, slog.String("fix", f.Advice()))...)
}

// name is the connection and child: "office/net".
func (f *Failure) name() string {
	switch {
	case f.Connection != "" && f.Child != "":
		return oneLine(f.Connection) + "/" + oneLine(f.Child)
	case f.Child != "":
		return oneLine(f.Child)
	}
	return oneLine(f.Connection)
}

// knowsPeer reports whether there is anything to say about the peer.
func (f *Failure) knowsPeer() bool {
	return f.Remote.IsValid() || f.PeerID != "" || f.Theirs != "" || f.ByPeer
}

// theirSide is the clause about the peer.
func (f *Failure) theirSide(info info) string {
	s := "peer " + f.Peer() + " "
	if f.Unproven {
		s = "peer " + f.Peer() + ", or somebody in its name, "
	}
	switch {
	case f.ByPeer && f.Notify != "":
		s += "answered " + oneLine(f.Notify)
		if f.Theirs != "" {
			s += " and " + info.peerVerb + " " + oneLine(f.Theirs)
		}
	case f.Theirs != "":
		s += info.peerVerb + " " + oneLine(f.Theirs)
	case f.ByPeer:
		s += "refused"
	default:
		s += info.peerDefault
	}
	return s
}

// ourSide is the clause about this gateway.
func (f *Failure) ourSide(info info) string {
	s := "we "
	switch a, c := addrPort(f.Local), oneLine(f.ConfigLine); {
	case a != "" && c != "":
		s += "(" + a + ", " + c + ") "
	case a != "" || c != "":
		s += "(" + a + c + ") "
	}
	verb, def := info.ourVerb, info.ourDefault
	if f.ByPeer && info.ourVerbByPeer != "" {
		verb = info.ourVerbByPeer
	}
	if f.Ours != "" {
		return s + verb + " " + oneLine(f.Ours)
	}
	return s + def
}

// addrPort is the address with its port, without the port when it is zero, and "" when there is no address.
func addrPort(a netip.AddrPort) string {
	switch {
	case !a.Addr().IsValid():
		return ""
	case a.Port() == 0:
		return a.Addr().Unmap().String()
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
}
