package gateway

import (
	"encoding/binary"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// newEnv gives the machines what they need of the world.
func (d *Manager) newEnv() *sa.Env {
	return &sa.Env{
		// Numbers, names and randomness.
		Nonce:   d.o.Random,
		NewSPI:  d.newSPI,
		NextIKE: d.numbers.nextIKE, NextChild: d.numbers.nextChild,
		Jitter: d.o.Jitter,

		// Which key exchanges are made for strangers.
		Admit: d.admit,

		// Who the peers are and what they prove it with.
		Connections: d.connectionsFor,
		Configured:  func() []string { return d.dir.texts },
		Nearest:     d.nearest,
		Siblings:    d.siblings,
		Credentials: d.credential,
		PPK:         d.ppk,
		FreePPK:     d.freePPK,
		HasPPK:      d.hasFreePPK,

		// What there is already, and how much of it there may be.
		FirstContact: d.firstContact,
		Kept:         d.kept,
		Shut:         d.isShut,
		ChildShut:    d.childShut,
		Taken:        d.taken,
		IKEFull:      d.ikeFull,
		ChildFull:    d.childFull,

		// After a crash and after a loss.
		CrashToken: crashTokens(d.o.CrashSecret),
		Tickets:    ticket.NewKeyring(d.o.Random),

		// Addresses.
		HasAddr:    d.addrs.has,
		LocalAddrs: d.localAddrs,
		SourceFor:  d.sourceFor,
		Acceptable: d.acceptable,
		Foreign:    d.foreign,
		Tunnelled:  d.tunnelled,

		// The data plane.
		AllocateSPI: d.o.DataPlane.AllocateSPI,
		ReleaseSPI:  d.o.DataPlane.ReleaseSPI,
		LastInbound: func(child uint64) time.Time {
			c, _ := d.o.DataPlane.Counters(child)
			return c.LastIn
		},
		LastOnPath: func(child uint64) time.Time {
			c, _ := d.o.DataPlane.Counters(child)
			return c.LastOnPath
		},

		ExportKeys: d.o.ExportKeys,
	}
}

// newSPI is an SPI that no IKE SA has, nor one that was refused.
func (d *Manager) newSPI() wire.SPI {
	for {
		if spi := wire.SPI(binary.BigEndian.Uint64(d.o.Random(8))); spi != 0 && d.table.bySPI[spi] == nil && d.table.refused.bySPI[spi] == nil {
			return spi
		}
	}
}
