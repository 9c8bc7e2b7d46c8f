package gateway

import (
	"slices"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/pool"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// ConnInfo is a copy of what an operator wants to know about a connection.
type ConnInfo struct {
	Conf  *config.Connection
	SAs   []sa.Snapshot
	Lines []LineInfo // of SAs, in the same order
	// HalfOpen are the responders that resemble the connection and whose peers have not authenticated; SAs has a few of them.
	HalfOpen int
	Children []ChildInfo
	// Shut: a command keeps it down, and peers are refused.
	Shut bool
	// Lives is how it fares.
	Lives Lives
	// Client is what it has been given as the client of a gateway; nil if it is none.
	Client *ClientInfo
	// Last is the latest failure since the connection came up, if any.
	Last *diag.Repeat
	// Refused is how many peers were refused in IKE_AUTH, while others were up, since the connection came up.
	Refused int
}

// IKESAs is how many IKE SAs the connection has. What strangers have begun is not among them.
func (c ConnInfo) IKESAs() (n int) {
	for _, s := range c.SAs {
		if s.Initiator || s.State != sa.StateConnecting {
			n++
		}
	}
	return n
}

// LineInfo is what an IKE SA has in common with those that were rekeyed to it.
type LineInfo struct {
	// First is when the first of them was established; zero if none is yet. Past is what has gone since then through CHILD SAs that are
	// gone, by their child.
	First time.Time
	Past  map[string]Counters
}

// ChildInfo is a copy of what an operator wants to know about a configured child.
type ChildInfo struct {
	Conf *config.Child
	// Desired is "up", "on traffic" or "on command"; Phase what it is at present, Since when. The phase is "dead" when nobody has
	// answered for the ordinary time, and this side, a responder with MOBIKE, goes on waiting for the peer.
	Desired, Phase string
	Since          time.Time
	// Heard is when its peer was last heard from; of several, the one that was heard last.
	Heard time.Time
	// Silence is set while it is connecting, up or dead and the peer does not answer.
	Silence *sa.Silence
	// Remarks are troubles that do not change the phase, as long as they last.
	Remarks  []diag.Repeat
	WaitsFor string
	NextTry  time.Time
	// Held: a command has taken it down, and this side waits for another one. Shut: peers are refused it, too.
	Held, Shut bool
	// SAs are its installed CHILD SAs; Counters those of all since it came up first, before what of them is older than the last time that
	// it came up.
	SAs      []sa.ChildSnapshot
	Counters Counters
	before   Counters
	// Path is the path of its CHILD SAs; if they have several, the one that takes least.
	Path PathState
	Last *diag.Repeat
}

// Up reports whether the child carries traffic, or could a moment ago.
func (c ChildInfo) Up() bool { return c.Phase == string(phaseUp) }

// SinceUp are the counters since the child came up last.
func (c ChildInfo) SinceUp() Counters { return c.Counters.minus(c.before) }

// RemarkCodes are the codes of the troubles that a child may have a remark on.
func RemarkCodes() []diag.Code { return []diag.Code{diag.CodeMTU, diag.CodeESPOneWay} }

// Remarked reports whether there is a remark on such a trouble.
func (c ChildInfo) Remarked(code diag.Code) bool {
	return slices.ContainsFunc(c.Remarks, func(r diag.Repeat) bool { return r.Failure.Code == code })
}

// Wanted reports whether the child is to be up at present: it is to be kept up, or somebody has asked for it and waits.
func (c ChildInfo) Wanted() bool { return c.Desired == desiredUp || c.Pending() }

// Pending reports whether an attempt to bring the child up is under way, or put off.
func (c ChildInfo) Pending() bool {
	return c.Phase == string(phaseConnecting) || c.Phase == string(phaseWaiting)
}

// Info is a copy of the daemon's state.
type Info struct {
	Since time.Time
	// Loaded is when the configuration was loaded; ReloadError says why a later attempt failed at ReloadFailed.
	Loaded, ReloadFailed time.Time
	ReloadError          string
	File                 string

	Conns            []ConnInfo
	IKESAs, HalfOpen int
	// Refused are the attempts that were refused a moment ago, whose answers are kept.
	Refused int
	// Strangers are failures that belong to no connection, the latest first.
	Strangers []diag.Repeat
	// Pools are the numbers of all pools, in the order of the configuration.
	Pools []pool.Stats
}

// Config is the configuration in force, and the credentials of today: where certificates have been renewed since, others than those of it. Both are
// never changed, so that any goroutine may read them.
func (g *Manager) Config() (*config.Config, *credential.Set) { return g.conf, g.credentials }

// Load is how much there is to do.
type Load struct {
	Since time.Time
	// IKESAs are all that are not closed, HalfOpen those of them that strangers have begun. Timers is how many IKE SAs have something to do at a time.
	IKESAs, HalfOpen, Timers int
}

// Load costs nothing, however many IKE SAs there are.
func (g *Manager) Load() Load {
	return Load{Since: g.since, IKESAs: g.table.open, HalfOpen: len(g.table.byInit), Timers: g.table.timers.len()}
}

// Info copies the state at once: see [Manager.Survey].
func (g *Manager) Info() Info {
	s := g.Survey()
	for s.Continue() {
	}
	return s.Info()
}

// desiredUp is what is desired of a child that is to be up all the time.
const desiredUp = "up"

func desired(h *child) string {
	if h.held {
		return "on command"
	}
	switch h.action() {
	case policy.StartStart:
		return desiredUp
	case policy.StartTrap:
		return "on traffic"
	case policy.StartNone:
		return "on command"
	}
	panic("BUG: unknown start action")
}

// What a child waits for that is down, as it is configured to be.
const (
	IdleForCommand = "a command, or the peer"
	IdleForPeer    = "the peer (no remote address configured)"
)

// waitsFor says in words what has to happen next.
func (h *child) waitsFor() string {
	switch h.state {
	case phaseUp, phaseDead:
		return ""
	case phaseTrapped:
		return "a packet"
	case phaseWaiting:
		return "the next attempt at " + h.backoff.next.Format("15:04:05")
	case phaseConnecting:
		if h.conn.resolving {
			return "the peer's address from DNS"
		}
		if h.machine != nil {
			if t := h.machine.Summary().Tasks; len(t) > 0 {
				return "the peer's answer to: " + t[0].Name
			}
		}
		return "the peer"
	case phaseDown:
		switch {
		case h.shut:
			return "`esplanade initiate`: terminated by command, and peers are refused"
		case h.held:
			return "a command, or the peer: terminated by command"
		case h.backoff.exhausted:
			return "a command: keyingtries is used up"
		case !h.conn.conf.CanInitiate():
			return IdleForPeer
		}
		return IdleForCommand
	}
	panic("BUG: unknown phase")
}

// selectors are texts for a list of selectors.
func selectors(list []selector.Selector) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.String()
	}
	return out
}

func endpoints(list []config.Endpoint) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.String()
	}
	return out
}

func joined(list []string) string { return strings.Join(list, ", ") }
