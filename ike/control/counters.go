package control

import (
	"context"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// GetCounters implements vici.Backend.
func (b *Backend) GetCounters(ctx context.Context, name string, all bool) ([]vici.Counters, error) {
	var list []gateway.NamedTally
	var err error
	if e := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) { list, err = g.Tallies(name, all) }); e != nil {
		return nil, e
	}
	var out []vici.Counters
	for _, t := range list {
		out = append(out, vici.Counters{Name: t.Connection, Values: counters(t.Tally)})
	}
	return out, err
}

// ResetCounters implements vici.Backend. Metrics are not reset: they only grow.
func (b *Backend) ResetCounters(ctx context.Context, name string, all bool) (err error) {
	if e := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) { err = g.ResetTallies(name, all) }); e != nil {
		return e
	}
	return err
}

// counters are a tally in strongSwan's names. Only complete exchanges are counted, so that there is a response to each request.
func counters(t gateway.Tally) map[string]uint64 {
	v := map[string]uint64{
		"ike-rekey-init": t.IKERekeysInitiated, "ike-rekey-resp": t.IKERekeysAnswered, "child-rekey": t.ChildRekeys,
		"invalid": t.Malformed, "invalid-spi": t.UnknownSPI,
	}
	for request, x := range map[string]gateway.Exchanges{"out-req": t.Initiated, "in-req": t.Answered} {
		response := map[string]string{"out-req": "in-resp", "in-req": "out-resp"}[request]
		for name, n := range map[string]uint64{"ike-init": x.Init, "ike-auth": x.Auth, "create-child": x.CreateChild, "info": x.Informational} {
			v[name+"-"+request], v[name+"-"+response] = n, n
		}
	}
	return v
}
