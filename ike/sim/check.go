package sim

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Bounds of what a host may hold. They are far above what a run needs, and far below what a leak would reach.
const (
	maxPerInstant = 2000
	maxMachines   = 40
	maxChildren   = 40
	maxTasks      = 40
)

// Stats counts what happened in a run.
type Stats struct {
	Exchanges, Retransmits, Established, IKERekeys, ChildRekeys, ChildUp, ESP, TooBig, Fragments, Attacks, Moves, Reloads, Loads, Unloads, Errands, Gaps, Redirects int
	// Crashes were proved by a token. Resumptions were tried; Resumed have succeeded. TicketReplays are the attacker's.
	Crashes, Resumptions, Resumed, TicketReplays int
	// Shut are the connections that an operator has taken down against their peers, too.
	Shut int
	// Held are those that an operator has taken down, and that their peers may bring up again.
	Held int
	// Signatures were made. Of those that were judged, so many were accepted and refused. Renewals are certificates that took the place of
	// others.
	Signatures, Judged, Refused, Renewals int
	// Revoked certificates, and answers that one is not.
	Revoked, Unrevoked, Withdrawn int
	// Users have come in, or were let in. Relayed conversations were had with a RADIUS server.
	Users, Relayed int
	// Leases were given, and written to a disk in so many Writes.
	Leases, Writes int
}

// Add sums two counts.
func (s *Stats) Add(o Stats) {
	s.Exchanges += o.Exchanges
	s.Retransmits += o.Retransmits
	s.Established += o.Established
	s.IKERekeys += o.IKERekeys
	s.ChildRekeys += o.ChildRekeys
	s.ChildUp += o.ChildUp
	s.Reloads += o.Reloads
	s.Loads += o.Loads
	s.Unloads += o.Unloads
	s.Errands += o.Errands
	s.Gaps += o.Gaps
	s.Redirects += o.Redirects
	s.ESP += o.ESP
	s.TooBig += o.TooBig
	s.Fragments += o.Fragments
	s.Attacks += o.Attacks
	s.Crashes += o.Crashes
	s.Resumptions += o.Resumptions
	s.Resumed += o.Resumed
	s.TicketReplays += o.TicketReplays
	s.Moves += o.Moves
	s.Shut += o.Shut
	s.Held += o.Held
	s.Signatures += o.Signatures
	s.Judged += o.Judged
	s.Refused += o.Refused
	s.Renewals += o.Renewals
	s.Revoked += o.Revoked
	s.Unrevoked += o.Unrevoked
	s.Withdrawn += o.Withdrawn
	s.Users += o.Users
	s.Relayed += o.Relayed
	s.Leases += o.Leases
	s.Writes += o.Writes
}

// checker watches the wire and both hosts.
type checker struct {
	w       *World
	stats   Stats
	instant int
	events  int
	seed    maphash.Seed

	messages map[messageKey]uint64 // what each message id looked like on the wire
	ivs      map[ivKey]uint64
	requests map[flowKey]uint32 // the newest request id of a host in an IKE SA
	answered map[flowKey]uint32 // the newest response id that has reached a host, plus one
	asked    map[flowKey]asked  // the newest request, and when it was sent first
	keys     map[string]bool
	tickets  map[wire.SPI]bool // SPIs with which a ticket was presented
	// down tells since when something that was up may be down for good reasons; see destroyed.
	down string
	// reauthenticated: an IKE SA has been authenticated again.
	reauthenticated bool
	// ending: the end of the run, in which everything is taken down.
	ending bool
}

// flowKey is one IKE SA as one host sends in it.
type flowKey struct {
	host       string
	spii, spir wire.SPI
}

type messageKey struct {
	flowKey
	response bool
	id       uint32
	number   uint16
	total    uint16
}

type ivKey struct {
	flowKey
	// keys tells the sets of keys of an IKE SA apart: every IKE_INTERMEDIATE exchange has its own, all that follows has one.
	keys uint32
	iv   uint64
}

func (c *checker) init(w *World) {
	*c = checker{
		w: w, seed: maphash.MakeSeed(), messages: map[messageKey]uint64{}, ivs: map[ivKey]uint64{},
		requests: map[flowKey]uint32{}, answered: map[flowKey]uint32{}, asked: map[flowKey]asked{}, keys: map[string]bool{}, tickets: map[wire.SPI]bool{},
	}
}

// sent looks at a datagram that a host sends. It reports whether it is one of the answers in the clear that need no IKE SA.
func (c *checker) sent(h *Host, b []byte) (unprotected bool) {
	m, err := wire.Parse(b)
	if err != nil {
		c.w.fail("%s sends something that does not parse: %v", h.name, err)
		return false
	}
	if m.Encrypted == nil {
		return c.inClear(h, m)
	}
	c.protected(h, m, b)
	return false
}

func (c *checker) inClear(h *Host, m *wire.Message) (unprotected bool) {
	hd := m.Header
	if sa.Opens(hd.Exchange) {
		if resumes(hd) && !c.tickets[hd.SPIi] {
			c.tickets[hd.SPIi] = true
			c.stats.Resumptions++
		}
		return false
	}
	n, ok := m.Payloads[0].(*wire.Notify)
	if !ok || !hd.Flags.Response() || n.NotifyType != wire.NotifyInvalidIKESPI && n.NotifyType != wire.NotifyInvalidMajorVersion {
		c.w.fail("%s sends %s in the clear", h.name, hd.Exchange)
	}
	c.w.attacker.overhear(m)
	return true
}

// protected looks at a message of an IKE SA.
func (c *checker) protected(h *Host, m *wire.Message, b []byte) {
	if m.Encrypted.Fragment {
		c.stats.Fragments++
	}
	hd, hash := m.Header, maphash.Bytes(c.seed, b)
	flow := flowKey{h.name, hd.SPIi, hd.SPIr}
	// A retransmission is "bitwise identical to the original": https://www.rfc-editor.org/rfc/rfc7296#section-2.1
	mk := messageKey{flow, hd.Flags.Response(), hd.MessageID, m.Encrypted.Number, m.Encrypted.Total}
	if old, ok := c.messages[mk]; ok && old != hash {
		c.w.fail("%s repeats message %d with another content", h.name, hd.MessageID)
	}
	c.messages[mk] = hash
	// The ciphers with a counter have an explicit IV of eight octets; random IVs of 16 octets do not repeat either.
	if len(m.Encrypted.Body) >= 8 {
		ik := ivKey{flowKey: flow, iv: binary.BigEndian.Uint64(m.Encrypted.Body)}
		if hd.Exchange == wire.ExchangeIKEIntermediate {
			ik.keys = hd.MessageID
		}
		if old, ok := c.ivs[ik]; ok && old != hash {
			c.w.fail("%s uses an IV twice", h.name)
		}
		c.ivs[ik] = hash
	}
	if hd.Flags.Response() {
		return
	}
	// Message ids count from where they started, and with a window of one the next follows only an answer.
	last, seen := c.requests[flow]
	first := uint32(0)
	if hd.Exchange == wire.ExchangeIKEAuth || hd.Exchange == wire.ExchangeIKEIntermediate {
		first = 1
	}
	switch {
	case !seen && hd.MessageID != first:
		c.w.fail("%s: the first request of an IKE SA has message id %d", h.name, hd.MessageID)
	case seen && hd.MessageID == last+1:
		if c.answered[flow] != last+1 {
			c.w.fail("%s: request %d before request %d was answered", h.name, hd.MessageID, last)
		}
	case seen && hd.MessageID != last:
		c.w.fail("%s: request %d after request %d", h.name, hd.MessageID, last)
	}
	c.requests[flow] = hd.MessageID
	c.noteAsked(flow, hd.MessageID)
}

// delivered notes a genuine datagram that reaches a host.
func (c *checker) delivered(h *Host, b []byte) {
	hd, err := wire.ParseHeader(b)
	if err != nil || !hd.Flags.Response() || sa.Opens(hd.Exchange) {
		return
	}
	flow := flowKey{h.name, hd.SPIi, hd.SPIr}
	c.answered[flow] = max(c.answered[flow], hd.MessageID+1)
}

// newKey sees every ESP key that is put to use.
func (c *checker) newKey(h *Host, direction string, key []byte) {
	k := h.name + direction + string(key)
	if c.keys[k] {
		c.w.fail("%s: an %sbound ESP key is used twice", h.name, direction)
	}
	c.keys[k] = true
}

// destroyed notes that something that was up has ended for a reason of the script's.
func (c *checker) destroyed(h *Host, what string) { c.down = h.name + ": " + what }

// ended notes that something that was up has ended. In a gentle run nothing may, but that an IKE SA which is authenticated again can
// be closed while the answer that brings up the last of its children is lost on the way. That is up again soon.
func (c *checker) ended(h *Host, what string, back func() bool) {
	c.destroyed(h, what)
	if !c.w.plan.gentle || c.w.plan.bothStart() || c.ending {
		return
	}
	if !c.reauthenticated {
		c.w.fail("%s: %s, and nothing in this run is a reason for it", h.name, what)
		return
	}
	c.stats.Gaps++
	c.w.after(gapTime, func() {
		if !c.ending && !back() {
			c.w.fail("%s: %s, and is not up again after %s", h.name, what, gapTime)
		}
	})
}

// gapTime is longer than three exchanges take of which each message is lost twice.
const gapTime = 30 * time.Second

// lostESP is called for a packet that found no SA. As long as nothing was destroyed, that must not happen: both ends
// of an SA exist before one sends on it, and the receiving one outlives the sending one.
func (c *checker) lostESP(h *Host, spi uint32) {
	if c.down == "" {
		c.w.fail("%s: a packet for SPI %08x came in, and there is no such SA", h.name, spi)
	}
}

// step looks at both hosts after an event.
func (c *checker) step() {
	if c.events++; c.events%64 != 0 {
		return
	}
	for _, h := range c.w.hosts {
		h.wantShut()
		h.wantHeld()
		if err := h.g.CheckLeases(); err != nil && !h.down {
			c.w.fail("%s: %v", h.name, err)
		}
		info := h.info()
		c.silences(h, info)
		list := sasOf(info)
		if n := len(list); n > maxMachines {
			c.w.fail("%s holds %d IKE SAs", h.name, n)
		}
		for _, s := range list {
			if len(s.Children) > maxChildren || len(s.Tasks) > maxTasks {
				c.w.fail("%s: IKE SA %d has %d children and %d tasks", h.name, s.ID, len(s.Children), len(s.Tasks))
			}
			if s.Path.Remote.Addr() == addrEvil && s.State != sa.StateConnecting {
				c.w.fail("%s: IKE SA %d talks to the attacker", h.name, s.ID)
			}
		}
	}
}
