package control

import (
	"context"
	"strings"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/selector"
	"esplanade/ike/vici"
)

// ListPolicies implements vici.Backend.
func (b *Backend) ListPolicies(ctx context.Context, f vici.PolicyFilter, yield func(vici.Policy) error) error {
	var list []gateway.PolicyInfo
	if err := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) { list = g.Policies() }); err != nil {
		return err
	}
	for _, i := range list {
		p := vici.Policy{
			IKE: i.Connection, Child: i.Child, Mode: strings.ToUpper(i.Mode), LocalTS: selectors(i.TS.Local), RemoteTS: selectors(i.TS.Remote),
		}
		if i.Refuse {
			p.Mode = vici.ModeDrop
		}
		if !f.Selects(p) {
			continue
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// Install implements vici.Backend.
func (b *Backend) Install(ctx context.Context, ike, child string) error {
	return b.do(ctx, func(g *gateway.Manager) error { return g.InstallTrap(gateway.Target{Connection: ike, Child: child}) })
}

// Uninstall implements vici.Backend.
func (b *Backend) Uninstall(ctx context.Context, ike, child string) error {
	return b.do(ctx, func(g *gateway.Manager) error { return g.UninstallTrap(gateway.Target{Connection: ike, Child: child}) })
}

// do runs a command on the event loop.
func (b *Backend) do(ctx context.Context, f func(g *gateway.Manager) error) (err error) {
	if e := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) { err = f(g) }); e != nil {
		return e
	}
	return err
}

// selectors are traffic selectors as strongSwan writes them. None stands for "dynamic".
func selectors(list []selector.Selector) []string {
	if len(list) == 0 {
		return []string{"dynamic"}
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Swanctl()
	}
	return out
}
