package vici

import (
	"context"
	"strconv"
)

// Pool is a pool of addresses for clients, as `get-pools` has it.
type Pool struct {
	Name string
	// Base is the address that it begins with.
	Base string
	// Size is how many addresses it has. Online are held by clients, Offline were.
	Size            uint64
	Online, Offline int
	// Leases are who has which address, where they were asked for.
	Leases []PoolLease
}

// PoolLease is an address that a client has, or had.
type PoolLease struct {
	Address, Identity string
	Online            bool
}

// maxLeases is how many leases one answer has: all pools are in one, and each lease takes up to a hundred octets of MaxSegment.
const maxLeases = 4000

func (ss *session) getPools(ctx context.Context, req *Message) *Message {
	leases, err := req.Bool("leases")
	if err != nil {
		return failed(err)
	}
	list, err := ss.server.backend.Pools(ctx, req.Get("name"), leases)
	if err != nil {
		return failed(err)
	}
	m, left := new(Message), maxLeases
	for _, p := range list {
		s := m.Sub(p.Name)
		s.Set("base", p.Base)
		s.Setf("size", "%d", p.Size)
		s.Setf("online", "%d", p.Online)
		s.Setf("offline", "%d", p.Offline)
		if !leases {
			continue
		}
		sub := s.Sub("leases")
		for i, l := range p.Leases[:min(len(p.Leases), left)] {
			x := sub.Sub(strconv.Itoa(i))
			x.Set("address", l.Address)
			x.Set("identity", cut(l.Identity, maxLeaseIdentity))
			x.Set("status", map[bool]string{true: "online", false: "offline"}[l.Online])
		}
		left -= min(len(p.Leases), left)
	}
	return m
}

// maxLeaseIdentity is how much of an identity is shown with a lease, in octets.
const maxLeaseIdentity = 64
