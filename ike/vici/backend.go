package vici

import (
	"context"
	"time"
)

// Backend is the daemon behind the server. Its methods are called from the goroutines of clients, several at a time.
// They return when ctx ends; that a client has gone away or a timeout has passed does not undo what was begun.
//
// Errors become the response's errmsg by their Error method; a *diag.Failure thus reaches swanctl with both sides and
// the fix.
type Backend interface {
	Loader
	// Version says what runs.
	Version() Version
	// Stats returns load figures.
	Stats(ctx context.Context) (Stats, error)
	// ListSAs calls yield for each IKE_SA, its CHILD_SAs included, that filter selects. It ends with yield's error if
	// that has one.
	ListSAs(ctx context.Context, filter SAFilter, yield func(IKESA) error) error
	// ListConns calls yield for each configured connection, or only for the one named ike if that is not "".
	ListConns(ctx context.Context, ike string, yield func(Conn) error) error
	// GetConns returns the names of the connections that were loaded with commands: swanctl --load-conns unloads those that its files do
	// not have. With all, which strongSwan does not have, they are those of all connections.
	GetConns(ctx context.Context, all bool) ([]string, error)
	// Initiate brings up a child (with its IKE_SA) or an IKE_SA alone, and waits for the result unless request says not
	// to. log may be called from any goroutine until Initiate returns, and not afterwards.
	Initiate(ctx context.Context, request InitiateRequest, log LogFunc) error
	// Terminate takes SAs down. The result counts even when there is an error.
	Terminate(ctx context.Context, request TerminateRequest, log LogFunc) (TerminateResult, error)
	// Rekey starts rekeying SAs and returns how many it found. It waits for the exchanges only if the request says so, and then it is an
	// error if not all have been rekeyed.
	Rekey(ctx context.Context, request RekeyRequest) (matches int, err error)
	// Redirect tells peers to go to another gateway and returns how many. It does not wait for what they do.
	Redirect(ctx context.Context, request RedirectRequest) (matches int, err error)
	// ListPolicies calls yield for each policy that filter selects: what becomes of the packets of a child that has no SA.
	ListPolicies(ctx context.Context, filter PolicyFilter, yield func(Policy) error) error
	// ESP calls yield for each CHILD SA that is installed, with its keys only if these are asked for: the server has seen that root asks.
	ESP(ctx context.Context, keys bool, yield func(ESPSA) error) error
	// Install has packets bring a child up; Uninstall undoes it. ike may be empty if only one connection has such a child.
	Install(ctx context.Context, ike, child string) error
	Uninstall(ctx context.Context, ike, child string) error
	// Pools lists the pools of addresses for clients, or only the one with a name, with their leases if these are asked for.
	Pools(ctx context.Context, name string, leases bool) ([]Pool, error)
	// Algorithms lists what this daemon implements, by kind and in the order in which it is to be shown.
	Algorithms() []AlgorithmKind
	// GetCounters returns event counters: those of one connection, the global ones (name ""), or, with all, those of
	// every connection.
	GetCounters(ctx context.Context, name string, all bool) ([]Counters, error)
	// ResetCounters sets the same selection to zero.
	ResetCounters(ctx context.Context, name string, all bool) error
	// ReloadSettings loads the configuration again, as SIGHUP does, and says what that has changed, a line each. Of an error with several
	// lines, each stands for itself.
	ReloadSettings(ctx context.Context) (changes []string, err error)
	// Status returns what `esplanade status` shows of the gateway, and calls yield for each connection, or only for the one with a name: what is
	// desired, what is, and why not.
	Status(ctx context.Context, connection string, yield func(ConnStatus) error) (GatewayStatus, error)
}

// LogFunc takes a line of the log about a command under way. Level has strongSwan's meaning: -1 silent, 0 audit, 1
// control flow, 2 more of it, 3 raw data, 4 secrets (which this daemon never logs). Group is one of strongSwan's groups,
// such as "IKE" or "NET". It never blocks.
type LogFunc func(level int, group, msg string)

// Version is the answer to `version`.
type Version struct {
	Daemon  string // "esplanade"
	Version string
	Sysname string // as uname(1) has them
	Release string
	Machine string
}

// Stats is the answer to `stats`. What this daemon has no equivalent of is answered with zeros.
type Stats struct {
	// Since is when the daemon started.
	Since time.Time
	// Workers is the number of workers, IdleWorkers how many of them have nothing to do.
	Workers, IdleWorkers int
	// Queued is the number of events that wait for the event loop, and of requests that wait for a worker.
	Queued int
	// Scheduled is the number of pending timers.
	Scheduled int
	// IKESAs is the number of IKE_SAs, HalfOpen how many of them are not established yet.
	IKESAs, HalfOpen int
	// Features are shown as loaded plugins: the facilities this build and machine have.
	Features []string
	// HeapBytes is the memory that the heap has, HeapUsed what of it is in use; both 0: not shown. OtherBytes is what the process has in addition.
	HeapBytes, HeapUsed, OtherBytes uint64
}

// SAFilter selects SAs for `list-sas`. Empty fields select everything. An IKE_SA without such a child is listed with none, as strongSwan does.
type SAFilter struct {
	IKE     string // name of the connection
	IKEID   uint32 // unique id of the IKE_SA
	Child   string // name of the child
	ChildID uint32 // unique id of the CHILD_SA
}

// InitiateRequest is the request of `initiate`.
type InitiateRequest struct {
	// Child is the child's name; empty: only the IKE_SA of connection IKE. IKE may be empty with a Child.
	Child, IKE string
	// Children: with all children of the connection IKE, which strongSwan has no word for.
	Children bool
	// NoWait: begin and return at once. Otherwise ctx carries the timeout, if there is one.
	NoWait bool
	// LogLevel is the highest level of log lines that are wanted.
	LogLevel int
}

// TerminateRequest is the request of `terminate`. At least one of the selectors is set; all that are must fit.
type TerminateRequest struct {
	Child, IKE     string
	ChildID, IKEID uint32
	// Force: remove an IKE_SA without waiting for the peer's answer to its DELETE; with a timeout, wait that long.
	Force bool
	// Hold: what is named stays down, also against peers, until it is initiated. strongSwan does not have it.
	Hold     bool
	NoWait   bool
	LogLevel int
}

// TerminateResult says how many SAs were found, and how many of them are gone.
type TerminateResult struct{ Matches, Terminated int }

// RekeyRequest is the request of `rekey`. At least one of the selectors is set.
type RekeyRequest struct {
	Child, IKE     string
	ChildID, IKEID uint32
	// Reauth: authenticate again instead of rekeying an IKE_SA.
	Reauth bool
	// Wait: until it is known what has come of it.
	Wait bool
}

// Counters are the event counters of one connection, or the global ones if Name is empty. Values are by the names of
// [CounterNames]; what is missing counts as zero.
type Counters struct {
	Name   string
	Values map[string]uint64
}

// CounterNames returns strongSwan's names of the counters, in its order. The slice is the caller's.
func CounterNames() []string {
	return []string{
		"ike-rekey-init", "ike-rekey-resp", "child-rekey", "invalid", "invalid-spi",
		"ike-init-in-req", "ike-init-in-resp", "ike-init-out-req", "ike-init-out-resp",
		"ike-auth-in-req", "ike-auth-in-resp", "ike-auth-out-req", "ike-auth-out-resp",
		"create-child-in-req", "create-child-in-resp", "create-child-out-req", "create-child-out-resp",
		"info-in-req", "info-in-resp", "info-out-req", "info-out-resp",
	}
}
