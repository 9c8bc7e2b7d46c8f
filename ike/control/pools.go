package control

import (
	"context"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/pool"
	"esplanade/ike/vici"
)

// Pools implements vici.Backend.
func (b *Backend) Pools(ctx context.Context, name string, leases bool) (out []vici.Pool, err error) {
	var stats []pool.Stats
	var list []pool.Info
	if err := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) {
		stats = g.Pools()
		if leases {
			list = g.Leases(name)
		}
	}); err != nil {
		return nil, err
	}
	for _, s := range stats {
		if name != "" && s.Name != name {
			continue
		}
		p := vici.Pool{Name: s.Name, Base: s.Base, Size: s.Size, Online: s.Online, Offline: s.Offline}
		for _, l := range list {
			if l.Pool == s.Name {
				p.Leases = append(p.Leases, vici.PoolLease{Address: l.Addr.String(), Identity: l.Name, Online: l.Online})
			}
		}
		out = append(out, p)
	}
	return out, nil
}
