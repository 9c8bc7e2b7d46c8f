package vici

import (
	"context"
	"errors"
)

// RedirectRequest is the request of `redirect`. At least one of the selectors before Gateway is set; all that are must
// fit.
type RedirectRequest struct {
	IKE   string
	IKEID uint32
	// PeerIP is an address, a prefix or a range of the peers, and PeerID the pattern of their identity.
	PeerIP, PeerID string
	// Gateway is the address or the DNS name of where they are sent.
	Gateway string
}

// Unusable is an error of a request that nothing was looked for with: its answer has no number of matches.
type Unusable struct{ Err error }

func (u Unusable) Error() string { return u.Err.Error() }

// Unwrap returns what is wrong.
func (u Unusable) Unwrap() error { return u.Err }

func (ss *session) redirect(ctx context.Context, req *Message) *Message {
	r := RedirectRequest{IKE: req.Get("ike"), PeerIP: req.Get("peer-ip"), PeerID: req.Get("peer-id"), Gateway: req.Get("gateway")}
	var err error
	if r.IKEID, err = uniqueID(req, "ike-id"); err != nil {
		return failed(err)
	}
	if r.Gateway == "" {
		return failed(errors.New("missing target gateway"))
	}
	if r.IKE == "" && r.IKEID == 0 && r.PeerIP == "" && r.PeerID == "" {
		return failed(errors.New("missing redirect selector"))
	}
	matches, err := ss.server.backend.Redirect(ctx, r)
	if bad := (Unusable{}); errors.As(err, &bad) {
		return failed(err)
	}
	return matched(matches, err, "redirect")
}
