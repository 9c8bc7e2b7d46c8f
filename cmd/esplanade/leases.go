package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"esplanade/config"
	"esplanade/ike"
	"esplanade/ike/pool"
	"esplanade/ike/pool/store"
)

// openLeases opens the file with the leases of addresses, if there are pools, and reads it. One that can't be read ends the start: with an empty one
// the addresses of clients would be given to others.
func (g *gateway) openLeases(conf *config.Config) ([]pool.Record, error) {
	name := conf.IKE.LeaseFile
	if name == "" || len(conf.Pools) == 0 {
		return nil, nil
	}
	where := "ike.lease_file"
	if conf.IKE.Has("lease_file") {
		where += " (" + conf.IKE.At("lease_file").FileLine() + ")"
	}
	if err := config.MakeFolder(filepath.Dir(name)); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	s, list, err := store.Open(name)
	var corrupt *store.CorruptError
	var busy *store.BusyError
	switch {
	case errors.As(err, &corrupt):
		return nil, fmt.Errorf("%s: %w; take it away, and clients get new addresses, or put a copy of it back", where, err)
	case errors.As(err, &busy):
		return nil, fmt.Errorf("%s: %w; give each daemon a file of its own", where, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	g.leases = s
	return list, nil
}

// keepLeases opens that file when the first pools come with a reload, before that takes place. One that can't be read refuses the reload.
func (g *gateway) keepLeases(ctx context.Context, conf *config.Config) error {
	if g.leases != nil {
		return nil
	}
	list, err := g.openLeases(conf)
	if err != nil || g.leases == nil {
		return err
	}
	return g.daemon.KeepLeases(ctx, g.leases, list)
}

// leaseStore is where leases are kept, nil for nowhere.
func (g *gateway) leaseStore() ike.LeaseStore {
	if g.leases == nil {
		return nil
	}
	return g.leases
}
