package control

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// Backend makes a gateway speak VICI. The functions are supplied by the program that wires the packages together; all of
// them may be called from any goroutine, and so may the methods.
type Backend struct {
	Commands Commands
	// Configuration is the one in force; nil where nothing can be loaded.
	Configuration *Configuration
	// Flush forgets revocation lists or OCSP answers that were fetched; nil where nothing is kept. Fetched are revocation lists and OCSP answers that were fetched, in DER.
	Flush   func(lists, answers bool)
	Fetched func() (lists, answers [][]byte)
	// About says what runs.
	About vici.Version
	// Work is how many workers there are, how many of them are busy, and how many requests wait for one; nil where there are none.
	Work func() (workers, busy, waiting int)
	// Counters are those of a CHILD SA.
	Counters func(child uint64) (gateway.Counters, bool)
	// Sequences are the highest sequence numbers of the SAs of a CHILD SA.
	Sequences func(child uint64) (in, out uint64)
	// DataPath and Drops describe the packet loop.
	DataPath func() vici.DataPath
	Drops    func() []vici.Drop
	// NoPolicy is the last packet that no child selects, as text, and when it was dropped; nil where nobody knows.
	NoPolicy func() (packet string, at time.Time)
	// HostWarnings are what is wrong with this host for the configuration in force; nil where nobody looks.
	HostWarnings func() []vici.HostWarning
	// RADIUS is how the RADIUS servers do, and how many records of accounting none of them has taken; nil where there are none.
	RADIUS func() ([]vici.RADIUSStatus, int)
	// Guesses are the wrong passwords of users; nil where nobody counts them.
	Guesses func() *vici.GuessStatus
	// Reload loads the configuration again; nil when that is not possible.
	// It says what has changed, a line each.
	Reload func(ctx context.Context) ([]string, error)
	// EventsDropped tells how many events slow clients have missed.
	EventsDropped func() uint64
}

var _ vici.Backend = (*Backend)(nil)

// Version implements vici.Backend.
func (b *Backend) Version() vici.Version { return b.About }

// Stats implements vici.Backend.
func (b *Backend) Stats(ctx context.Context) (vici.Stats, error) {
	var load gateway.Load
	if err := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) { load = g.Load() }); err != nil {
		return vici.Stats{}, err
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s := vici.Stats{
		Since: load.Since, Queued: b.Commands.Queued(), Scheduled: load.Timers, IKESAs: load.IKESAs, HalfOpen: load.HalfOpen,
		HeapBytes: mem.HeapSys, HeapUsed: mem.HeapAlloc, OtherBytes: mem.Sys - mem.HeapSys,
	}
	if b.Work != nil {
		workers, busy, waiting := b.Work()
		s.Workers, s.IdleWorkers, s.Queued = workers, workers-busy, s.Queued+waiting
	}
	for _, f := range b.DataPath().Features {
		if f.Used { // whoever reads the list splits it at spaces
			s.Features = append(s.Features, strings.ReplaceAll(f.Name, " ", "-"))
		}
	}
	return s, nil
}

// Initiate implements vici.Backend.
func (b *Backend) Initiate(ctx context.Context, r vici.InitiateRequest, log vici.LogFunc) error {
	return b.Commands.Initiate(ctx, gateway.Target{Connection: r.IKE, Child: r.Child, Alone: r.Child == "" && !r.Children}, r.NoWait, gateway.LogFunc(log))
}

// Terminate implements vici.Backend.
func (b *Backend) Terminate(ctx context.Context, r vici.TerminateRequest, log vici.LogFunc) (vici.TerminateResult, error) {
	t := gateway.Target{Connection: r.IKE, Child: r.Child, IKEID: uint64(r.IKEID), ChildID: uint64(r.ChildID)}
	// With a time limit, force is for what has not ended by then.
	_, limited := ctx.Deadline()
	res, err := b.Commands.Terminate(ctx, t, gateway.Ending{Force: r.Force && !limited, Shut: r.Hold, Log: gateway.LogFunc(log)}, r.NoWait)
	if r.Force && limited && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		if _, err = b.Commands.Terminate(context.WithoutCancel(ctx), t, gateway.Ending{Force: true, Shut: r.Hold}, r.NoWait); err == nil {
			res.Gone = res.Matches
		}
	}
	return vici.TerminateResult{Matches: res.Matches, Terminated: res.Gone}, err
}

// Rekey implements vici.Backend.
func (b *Backend) Rekey(ctx context.Context, r vici.RekeyRequest) (int, error) {
	t := gateway.Target{Connection: r.IKE, Child: r.Child, IKEID: uint64(r.IKEID), ChildID: uint64(r.ChildID)}
	if r.Wait {
		n, _, err := b.Commands.Renew(ctx, t, r.Reauth)
		return n, err
	}
	if r.Reauth {
		return b.Commands.Reauthenticate(ctx, t)
	}
	return b.Commands.Rekey(ctx, t)
}

// ReloadSettings implements vici.Backend.
func (b *Backend) ReloadSettings(ctx context.Context) ([]string, error) {
	if b.Reload == nil {
		return nil, diag.NotOffered(diag.Where{}, "reloading the configuration", "restart the daemon.")
	}
	return b.Reload(ctx)
}
