package control

import (
	"context"
	"fmt"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/identity"
	"esplanade/ike/vici"
)

// unusable is the error of a request whose words mean nothing, with strongSwan's for it in front.
func unusable(format string, args ...any) error {
	return vici.Unusable{Err: fmt.Errorf(format, args...)}
}

// Redirect implements vici.Backend. A request is looked at in strongSwan's order.
func (b *Backend) Redirect(ctx context.Context, r vici.RedirectRequest) (int, error) {
	x := gateway.Redirect{Target: gateway.Target{Connection: r.IKE, IKEID: uint64(r.IKEID)}}
	g, err := config.ParseEndpoint(r.Gateway)
	if err != nil || !g.Elsewhere() {
		return 0, unusable("unsupported gateway identity: gateway is %q: write an address that other hosts can reach, or a DNS name", r.Gateway)
	}
	if r.PeerIP != "" {
		e, err := config.ParseEndpoint(r.PeerIP)
		if err != nil || e.Name != "" {
			return 0, unusable("invalid peer IP selector: peer-ip is %q: write an address, a prefix or a range", r.PeerIP)
		}
		x.PeerAddrs = &e
	}
	if r.PeerID != "" {
		id, err := identity.Parse(r.PeerID)
		if err != nil {
			return 0, unusable("invalid peer identity selector: peer-id: %w", err)
		}
		x.PeerID = id
	}
	x.Gateway = gateway.Elsewhere(g)
	return b.Commands.Redirect(ctx, x)
}
