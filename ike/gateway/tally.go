package gateway

import (
	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Tally counts what happens to one connection, or to all of them. Other than what a [Meter] counts, an operator can set it to zero.
type Tally struct {
	// IKERekeysInitiated and IKERekeysAnswered are rekeyings of IKE SAs by the side that made the request.
	IKERekeysInitiated, IKERekeysAnswered, ChildRekeys uint64
	// Malformed counts messages that could not be read, UnknownSPI those of IKE SAs that do not exist.
	Malformed, UnknownSPI uint64
	// Initiated and Answered are the complete exchanges by the side that made the request.
	Initiated, Answered Exchanges
}

// Exchanges are numbers of exchanges.
type Exchanges struct{ Init, Auth, CreateChild, Informational uint64 }

func (x *Exchanges) count(t wire.ExchangeType) {
	switch t {
	case wire.ExchangeIKESAInit:
		x.Init++
	case wire.ExchangeIKEAuth:
		x.Auth++
	case wire.ExchangeCreateChildSA:
		x.CreateChild++
	case wire.ExchangeInformational:
		x.Informational++
	}
}

func (t *Tally) exchange(x wire.ExchangeType, initiated bool) {
	if initiated {
		t.Initiated.count(x)
	} else {
		t.Answered.count(x)
	}
}

// tallies calls f for what counts an event of a connection: the tally of all, and that of the connection if there is one.
func (g *Manager) tallies(c *connection, f func(*Tally)) {
	f(&g.tally)
	if c != nil {
		f(&c.tally)
	}
}

// ignored counts a message without effect.
func (t *Tally) ignored(r sa.IgnoreReason) {
	if r == sa.IgnoreMalformed {
		t.Malformed++
	}
	if r == sa.IgnoreSPI {
		t.UnknownSPI++
	}
}

// ikeRekey counts the rekeying of an IKE SA. initiated: this side made the request.
func (t *Tally) ikeRekey(initiated bool) {
	if initiated {
		t.IKERekeysInitiated++
	} else {
		t.IKERekeysAnswered++
	}
}

// NamedTally is the tally of a connection, or that of all events if the name is empty.
type NamedTally struct {
	Connection string
	Tally
}

// Tallies copies the tally of a connection, the one of all events if name is empty, or, with all, those of every connection that
// something has happened to.
func (g *Manager) Tallies(name string, all bool) ([]NamedTally, error) {
	if all {
		var out []NamedTally
		for _, c := range g.conns {
			if c.tally != (Tally{}) {
				out = append(out, NamedTally{c.conf.Name, c.tally})
			}
		}
		return out, nil
	}
	t, err := g.tallyOf(name)
	if err != nil {
		return nil, err
	}
	return []NamedTally{{name, *t}}, nil
}

// ResetTallies sets the same selection to zero.
func (g *Manager) ResetTallies(name string, all bool) error {
	if all {
		for _, c := range g.conns {
			c.tally = Tally{}
		}
		return nil
	}
	t, err := g.tallyOf(name)
	if err != nil {
		return err
	}
	*t = Tally{}
	return nil
}

func (g *Manager) tallyOf(name string) (*Tally, error) {
	if name == "" {
		return &g.tally, nil
	}
	if c := g.dir.byName[name]; c != nil {
		return &c.tally, nil
	}
	var names []string
	for _, c := range g.conns {
		names = append(names, c.conf.Name)
	}
	return nil, diag.UnknownName(diag.Where{ConfigLine: g.conf.File}, "connection", name, names)
}
