package control

import (
	"context"
	"fmt"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/identity"
	"esplanade/ike/vici"
)

// Redirect implements vici.Backend.
func (b *Backend) Redirect(ctx context.Context, r vici.RedirectRequest) (int, error) {
	x := gateway.Redirect{Target: gateway.Target{Connection: r.IKE, IKEID: uint64(r.IKEID)}}
	if r.PeerIP != "" {
		e, err := config.ParseEndpoint(r.PeerIP)
		if err != nil || e.Name != "" {
			return 0, fmt.Errorf("invalid peer IP selector: peer-ip is %q: write an address, a prefix or a range", r.PeerIP)
		}
		x.PeerAddrs = &e
	}
	if r.PeerID != "" {
		id, err := identity.Parse(r.PeerID)
		if err != nil {
			return 0, fmt.Errorf("peer-id: %w", err)
		}
		x.PeerID = id
	}
	g, err := config.ParseEndpoint(r.Gateway)
	if err != nil || !g.Elsewhere() {
		return 0, fmt.Errorf("gateway is %q: write an address that other hosts can reach, or a DNS name", r.Gateway)
	}
	x.Gateway = gateway.Elsewhere(g)
	return b.Commands.Redirect(ctx, x)
}
