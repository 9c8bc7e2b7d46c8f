package sim

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/pool"
	"esplanade/ike/sa"
)

// Addresses that gateways give to users. A host keeps who has which on a disk that is slow, fails now and then, and survives its crashes with
// what was written by then.

// poolTable is the pool of every gateway, with more addresses than are ever given: none is given to two users, whatever happens.
const poolTable = "[pools.sim]\naddrs = \"10.77.0.0/26\"\n"

// disk is where a host keeps leases.
type disk struct {
	written map[netip.Addr]pool.Record
	// pending is what the next write has in it, and urgent who waits for it. Both are lost in a crash.
	pending map[netip.Addr]pool.Change
	urgent  []gateway.Keeping
	busy    bool
	// owners are whose the addresses have been since the beginning of the run.
	owners map[netip.Addr]string
}

// reboot loses what was not written, and gives what was.
func (d *disk) reboot() (list []pool.Record) {
	d.pending, d.urgent, d.busy = map[netip.Addr]pool.Change{}, nil, false
	if d.written == nil {
		d.written, d.owners = map[netip.Addr]pool.Record{}, map[netip.Addr]string{}
	}
	for _, a := range slices.SortedFunc(maps.Keys(d.written), netip.Addr.Compare) {
		list = append(list, d.written[a])
	}
	return list
}

var errDisk = errors.New("no space left on device")

// Keep implements gateway.Host.
func (s hostSide) Keep(k gateway.Keeping) (err error, done bool) {
	h := s.h
	d := &h.disk
	for _, c := range k.Changes {
		d.pending[c.Addr] = c
	}
	if k.Urgent {
		d.urgent = append(d.urgent, k)
	}
	if d.busy {
		return nil, false
	}
	d.busy = true
	boots := h.boots
	h.w.after(h.w.between(0, h.w.plan.slow), func() {
		if h.boots == boots && !h.down {
			h.write()
		}
	})
	return nil, false
}

// write is one transaction: all that was asked for until now, or nothing of it. The gateway learns of it a moment later.
func (h *Host) write() {
	d := &h.disk
	urgent := d.urgent
	d.urgent, d.busy = nil, false
	failed := error(nil)
	if h.w.chance(h.w.plan.deaf / 10) {
		h.w.logf("%s: the disk fails", h.name)
		failed = errDisk
	} else {
		for a, c := range d.pending {
			if c.Record == nil {
				delete(d.written, a)
			} else {
				d.written[a] = *c.Record
			}
		}
		clear(d.pending)
	}
	h.w.check.stats.Writes++
	for _, k := range urgent {
		h.later(h.w.between(0, h.w.plan.slow/10), func(now time.Time, g *gateway.Manager) { g.Kept(now, k, failed) })
	}
}

// wantAddresses fails the run if a user has no address, or one that somebody else has had.
func (h *Host) wantAddresses(s sa.Snapshot) {
	if !h.addressed(s, h.w.plan.deaf == 0) || h.plan.end(s.Connection).other().user == 0 {
		return
	}
	for _, a := range s.RemoteVIPs {
		if o, known := h.disk.owners[a]; known && o != s.User {
			h.w.fail("%s: %s has the address %s, which was that of %s", h.name, s.User, a, o)
		}
		h.disk.owners[a] = s.User
		if r := h.disk.written[a]; r.Name != s.User {
			h.w.fail("%s: %s has the address %s, and on the disk it is that of %q", h.name, s.User, a, r.Name)
		}
		h.w.check.stats.Leases++
	}
}

// addressed reports whether an IKE SA of a user has its one address. The run fails if it has others, or none and needs one: a disk that fails
// gives none away.
func (h *Host) addressed(s sa.Snapshot, needed bool) bool {
	e, list := h.plan.end(s.Connection), s.RemoteVIPs
	switch {
	case e.user != 0:
		list = s.LocalVIPs
	case e.other().user == 0:
		return true
	}
	if len(list) > 1 || len(list) < 1 && needed {
		h.w.fail("%s: the user of %s has the addresses %v", h.name, s.Connection, list)
	}
	return len(list) == 1
}

// leaseLines are those of a connection with users.
func leaseLines(e *endPlan) string {
	switch {
	case e.user != 0:
		return "vips = [\"0.0.0.0\"]\n"
	case e.other().user != 0:
		return fmt.Sprintf("pools = [%q]\n", "sim")
	}
	return ""
}
