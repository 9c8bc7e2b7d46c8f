package main

import (
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
func (g *gateway) openLeases() ([]pool.Record, error) {
	name := g.conf.IKE.LeaseFile
	if name == "" || len(g.conf.Pools) == 0 {
		return nil, nil
	}
	where := "ike.lease_file"
	if g.conf.IKE.Has("lease_file") {
		where += " (" + g.conf.IKE.At("lease_file").FileLine() + ")"
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

// leaseStore is where leases are kept, nil for nowhere.
func (g *gateway) leaseStore() ike.LeaseStore {
	if g.leases == nil {
		return nil
	}
	return g.leases
}
