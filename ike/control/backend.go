package control

import (
	"context"
	"runtime"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// Backend makes a gateway speak VICI. The functions are supplied by the program that wires the packages together; all of
// them may be called from any goroutine, and so may the methods.
type Backend struct {
	Commands Commands
	// About says what runs.
	About vici.Version
	// Counters are those of a CHILD SA.
	Counters func(child uint64) (gateway.Counters, bool)
	// DataPath and Drops describe the packet loop.
	DataPath func() vici.DataPath
	Drops    func() []vici.Drop
	// Reload loads the configuration again; nil when that is not possible.
	Reload func(ctx context.Context) error
	// EventsDropped tells how many events slow clients have missed.
	EventsDropped func() uint64
}

var _ vici.Backend = (*Backend)(nil)

// Version implements vici.Backend.
func (b *Backend) Version() vici.Version { return b.About }

// Stats implements vici.Backend.
func (b *Backend) Stats(ctx context.Context) (vici.Stats, error) {
	info, err := b.Commands.Info(ctx)
	if err != nil {
		return vici.Stats{}, err
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s := vici.Stats{
		Since: info.Since, Workers: b.DataPath().Workers, Queued: b.Commands.Queued(), IKESAs: info.IKESAs, HalfOpen: info.HalfOpen,
		HeapBytes: mem.HeapAlloc, HeapObjects: mem.HeapObjects,
	}
	for _, f := range b.DataPath().Features {
		if f.Used {
			s.Features = append(s.Features, f.Name)
		}
	}
	return s, nil
}

// Initiate implements vici.Backend.
func (b *Backend) Initiate(ctx context.Context, r vici.InitiateRequest, log vici.LogFunc) error {
	return b.Commands.Initiate(ctx, gateway.Target{Connection: r.IKE, Child: r.Child}, r.NoWait, gateway.LogFunc(log))
}

// Terminate implements vici.Backend.
func (b *Backend) Terminate(ctx context.Context, r vici.TerminateRequest, log vici.LogFunc) (vici.TerminateResult, error) {
	t := gateway.Target{Connection: r.IKE, Child: r.Child, IKEID: uint64(r.IKEID), ChildID: uint64(r.ChildID)}
	res, err := b.Commands.Terminate(ctx, t, gateway.Ending{Force: r.Force, Shut: r.Hold}, r.NoWait)
	return vici.TerminateResult{Matches: res.Matches, Terminated: res.Gone}, err
}

// Rekey implements vici.Backend.
func (b *Backend) Rekey(ctx context.Context, r vici.RekeyRequest) (int, error) {
	t := gateway.Target{Connection: r.IKE, Child: r.Child, IKEID: uint64(r.IKEID), ChildID: uint64(r.ChildID)}
	if r.Reauth {
		return b.Commands.Reauthenticate(ctx, t)
	}
	return b.Commands.Rekey(ctx, t)
}

// ReloadSettings implements vici.Backend.
func (b *Backend) ReloadSettings(ctx context.Context) error {
	if b.Reload == nil {
		return diag.NotOffered(diag.Where{}, "reloading the configuration", "restart the daemon.")
	}
	return b.Reload(ctx)
}

// GetCounters implements vici.Backend: the global counters in strongSwan's names.
func (b *Backend) GetCounters(ctx context.Context, name string, all bool) ([]vici.Counters, error) {
	s := b.Commands.Stats()
	v := map[string]uint64{"child-rekey": s.ChildRekeys, "ike-rekey-init": s.IKERekeys, "invalid": s.Ignored[sa.IgnoreMalformed], "invalid-spi": s.Ignored[sa.IgnoreSPI]}
	for k, n := range s.Exchanges {
		base := map[string]string{
			wire.ExchangeIKESAInit.String(): "ike-init", wire.ExchangeIKEAuth.String(): "ike-auth",
			wire.ExchangeCreateChildSA.String(): "create-child", wire.ExchangeInformational.String(): "info",
		}[k.Exchange]
		if base == "" {
			continue
		}
		if k.Initiated {
			v[base+"-out-req"] += n
			v[base+"-in-resp"] += n
		} else {
			v[base+"-in-req"] += n
			v[base+"-out-resp"] += n
		}
	}
	return []vici.Counters{{Values: v}}, nil
}

// ResetCounters implements vici.Backend. Counters of this daemon only grow, as monitoring needs them to.
func (b *Backend) ResetCounters(ctx context.Context, name string, all bool) error {
	return diag.NotOffered(diag.Where{}, "resetting counters", "take differences instead: counters only grow.")
}
