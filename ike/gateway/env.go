package gateway

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// newEnv gives the machines what they need of the world.
func (g *Manager) newEnv() *sa.Env {
	return &sa.Env{
		// Numbers, names and randomness.
		Nonce:   g.o.Random,
		NewSPI:  g.newSPI,
		NextIKE: g.numbers.nextIKE, NextChild: g.numbers.nextChild,
		Jitter: g.o.Jitter,

		// Which key exchanges are made for strangers.
		Admit: g.admit,

		// Who the peers are and what they prove it with.
		Connections: g.connectionsFor,
		Configured:  g.connectionTexts,
		Nearest:     g.nearest,
		Siblings:    g.siblings,
		Credentials: g.credential,
		Own:         g.ownPairs,
		Accepted:    g.accepted,
		EAPServer:   g.eapServer,
		EAPClient:   g.eapClient,
		Staple:      g.staple,
		Revoked:     g.revoked,
		Mark:        func(connection string) [sha256.Size]byte { return g.credentials.Mark(connection) },
		PPK:         g.ppk,
		FreePPK:     g.freePPK,
		HasPPK:      g.hasFreePPK,

		// What everybody is told in IKE_SA_INIT, whichever connection it will be.
		NoTranscript: func() bool { return !g.conf.IKE.Downgrade },

		// What there is already, and how much of it there may be.
		FirstContact: g.firstContact,
		Kept:         g.kept,
		Shut:         g.isShut,
		ChildShut:    g.childShut,
		Taken:        g.taken,
		IKEFull:      g.ikeFull,
		ChildFull:    g.childFull,

		// After a crash and after a loss.
		CrashToken: crashTokens(g.o.CrashSecret),
		Tickets:    ticket.NewKeyring(g.o.Random),

		// Addresses.
		HasAddr:    g.addrs.has,
		LocalAddrs: g.localAddrs,
		SourceFor:  g.sourceFor,
		Acceptable: g.acceptable,
		Foreign:    g.foreign,
		Tunnelled:  g.tunnelled,
		VIPs:       g.virtualAddrs,
		OwnAddr:    g.ownsOutside,

		// The data plane.
		AllocateSPI: g.o.DataPlane.AllocateSPI,
		ReleaseSPI:  g.o.DataPlane.ReleaseSPI,
		LastInbound: func(child uint64) time.Time {
			c, _ := g.o.DataPlane.Counters(child)
			return c.LastIn
		},
		LastOnPath: func(child uint64) time.Time {
			c, _ := g.o.DataPlane.Counters(child)
			return c.LastOnPath
		},

		ExportKeys: g.o.ExportKeys,
	}
}

// newSPI is an SPI that no IKE SA has, nor one that was refused.
func (g *Manager) newSPI() wire.SPI {
	for {
		if spi := wire.SPI(binary.BigEndian.Uint64(g.o.Random(8))); spi != 0 && g.table.bySPI[spi] == nil && g.table.refused.bySPI[spi] == nil {
			return spi
		}
	}
}
