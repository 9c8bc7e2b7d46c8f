package main

import (
	"context"
	"fmt"

	"esplanade/ike"
	"esplanade/ike/vici"
)

// backend is the IKE daemon's answers to VICI, with what only this program knows: which configuration is in force.
type backend struct {
	*ike.Backend
	loaded *loaded
}

// Status implements vici.Backend.
func (b *backend) Status(ctx context.Context, name string) (vici.Status, error) {
	s, err := b.Backend.Status(ctx, name)
	conf, at, failure, failed := b.loaded.state()
	s.Gateway.Config, s.Gateway.LoadedAt = conf.File, at
	if failure != "" {
		s.Gateway.ReloadError = fmt.Sprintf("at %s: %s", failed.Format(timeForm), failure)
	}
	return s, err
}
