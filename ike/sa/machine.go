package sa

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Machine is one IKE SA with its CHILD SAs. Make one with [NewInitiator] or [Accept]; it is not safe for concurrent use.
type Machine struct {
	env *Env
	id  uint64
	// cfg is the connection; a responder has the best candidate here until IKE_AUTH names the identities.
	cfg        *Config
	candidates []*Config

	state State
	// initiator reports whether this side is the original initiator of this IKE SA, which fixes the I flag, the order of
	// the SPIs and the direction of the keys. "The original initiator" is re-evaluated by a rekey: RFC 7296 section
	// 2.18 makes whoever rekeyed the initiator of the new IKE SA.
	initiator         bool
	localSPI, peerSPI wire.SPI
	localID, remoteID identity.Identity
	path              Path
	virtual           virtual
	created           time.Time
	establishedAt     time.Time
	closedUntil       time.Time // end of lingering
	childlessUntil    time.Time // responder: when an SA that never got a child is closed

	chosen proposal.Chosen
	prf    suite.PRF
	keys   suite.Keys
	sealer suite.Protection // our direction
	opener suite.Protection // the peer's
	init   initState
	inter  intermediate
	ppk    ppk
	sig    signatures
	// transcribed: the two sides have authenticated the whole IKE_SA_INIT exchange, in this IKE SA or the first of its line.
	transcribed bool
	flow        *authFlow // IKE_AUTH; nil before and after
	// best is the first of the candidates, once it has not taken the first request of IKE_AUTH.
	best *refusedCandidate
	// busy is why a responder has taken the first request of IKE_AUTH for lost, the last time.
	busy *diag.Failure
	// credential is where the credential is configured that was looked up last, for an operator.
	credential diag.Key
	// windows: the peer says that it is the VPN client of Windows.
	windows bool
	// signed is what this side has signed with, after IKE_AUTH.
	signed  auth.Signed
	nat     nat
	mob     mobility
	window  window
	sync    idSync
	pending *outstanding // our request in flight
	queue   []task
	// asks is what the message or the task that is being handled has asked for, building the task that waits at the head of
	// the queue, lastRequest the id of the last [Request].
	asks        *asks
	building    *building
	lastRequest uint64
	// answering are series of key exchanges that the peer has begun; lostStates counts those of ours that it has forgotten.
	answering  []*answering
	lostStates int
	delayed    []delayed
	frag       fragments
	life       lifetime
	auth       authLife
	childless  childless
	resume     resumption
	alive      liveness
	redirect   redirection
	spi        waywardSPI
	peerToken  []byte // of quick crash detection; nil when the peer makes none
	tokens     tokenChecks
	client     client

	// demanded is the group that the peer has demanded for the successor of this IKE SA, 0 for none.
	demanded uint16

	children []*Child
	// noChildren: the peer gets no further ones.
	noChildren bool
	// temporarySince is when the peer began to answer nothing but TEMPORARY_FAILURE.
	temporarySince time.Time
	// gone are SPIs of the peer that it has deleted while an answer which creates a child was outstanding: the DELETE may
	// have overtaken that answer.
	gone []childSPI
	// rivalOf is the IKE SA that this one may replace, while a collision of two rekeyings is not settled.
	rivalOf *Machine
	// successor is the IKE SA that has the children now, predecessor the one that they were taken over from.
	successor, predecessor *Machine
	// closing is set by a request handler that ends the SA: it takes effect after the response is sent.
	closing *Closed
	outputs []Output
}

// initState is what IKE_AUTH needs of IKE_SA_INIT: both messages as they were on the wire and both nonces.
type initState struct {
	ownMessage, peerMessage []byte
	ni, nr                  []byte
	downgrade               downgrade
	// multipleAuth: the responder does RFC 4739.
	multipleAuth bool
	// port is the peer's, on which it has answered an initiator.
	port uint16
	// digest is the SHA-256 of the request that a responder was made from.
	digest [sha256.Size]byte
}

func newMachine(env *Env, now time.Time, cfg *Config, path Path) *Machine {
	return &Machine{
		env: env, id: env.NextIKE(), cfg: cfg, path: path, created: now, state: StateConnecting,
		localSPI: env.NewSPI(), alive: liveness{lastHeard: now, lastSent: now},
	}
}

// ID is unique among the machines of a daemon.
func (m *Machine) ID() uint64 { return m.id }

// LocalSPI is the SPI that this side chose: the key of an SA table.
func (m *Machine) LocalSPI() wire.SPI { return m.localSPI }

// PeerSPI is the SPI that the peer chose, zero before its first message.
func (m *Machine) PeerSPI() wire.SPI { return m.peerSPI }

// Config is the connection. Before IKE_AUTH a responder knows only candidates, and gives the best of them.
func (m *Machine) Config() *Config { return m.cfg }

// Initiator reports whether this side is the original initiator of the IKE SA.
func (m *Machine) Initiator() bool { return m.initiator }

// State is the present state.
func (m *Machine) State() State { return m.state }

// Path is where the next request would go.
func (m *Machine) Path() Path { return m.path }

// LocalID and RemoteID are the authenticated identities; before that, what is configured, or zero.
func (m *Machine) LocalID() identity.Identity { return m.localID }

// RemoteID is the other side of [Machine.LocalID].
func (m *Machine) RemoteID() identity.Identity { return m.remoteID }

// Replaced reports whether a rekeying has made the SA superfluous: what is left to do is to delete it.
func (m *Machine) Replaced() bool { return m.successor != nil || m.state == StateRekeyed }

// Children lists the CHILD SAs; the slice must not be changed.
func (m *Machine) Children() []*Child { return m.children }

// Outputs hands over what has accumulated since the last call.
func (m *Machine) Outputs() []Output {
	out := m.outputs
	m.outputs = nil
	return out
}

// Done reports whether the machine can be forgotten: it is closed, and no retransmission is expected any more.
func (m *Machine) Done() bool { return m.state == StateClosed && m.closedUntil.IsZero() }

// LocalSPIOf tells which SPI of a received header is the receiver's, RFC 7296 section 3.1: the initiator flag names
// the sender as the original initiator. It is zero for the request of an IKE_SA_INIT exchange.
func LocalSPIOf(h wire.Header) wire.SPI {
	if h.Flags&wire.FlagInitiator != 0 {
		return h.SPIr
	}
	return h.SPIi
}

func (m *Machine) spii() wire.SPI {
	if m.initiator {
		return m.localSPI
	}
	return m.peerSPI
}

func (m *Machine) spir() wire.SPI {
	if m.initiator {
		return m.peerSPI
	}
	return m.localSPI
}

func (m *Machine) emit(o Output) { m.outputs = append(m.outputs, o) }

func (m *Machine) ignore(path Path, reason IgnoreReason, detail string) {
	m.emit(Ignored{Path: path, Reason: reason, Detail: detail})
}

// setState is the only writer of m.state.
func (m *Machine) setState(to State, reason string) {
	if m.state == to {
		return
	}
	m.emit(StateChanged{From: m.state, To: to, Reason: reason})
	m.state = to
}

// InboundActive tells that the first authentic packet arrived on a child's inbound SA.
func (m *Machine) InboundActive(now time.Time, child uint64) {
	if c := m.child(child); c != nil && c.outboundPending {
		// The initiator of the rekey uses the new SA, so that it is able to receive on it as well.
		m.switchOutbound(c)
	}
	m.pump(now)
}

// Exhausting tells that a child's outbound SA has reached its soft limit of packets, octets or sequence numbers.
func (m *Machine) Exhausting(now time.Time, child uint64) { m.RekeyChild(now, child) }

// PeerMoved tells that authentic ESP packets of a child come from another address. It is followed like an IKE message
// from there would be (RFC 7296 section 2.23): IKE and ESP move together.
func (m *Machine) PeerMoved(now time.Time, child uint64, from netip.AddrPort) {
	if c := m.child(child); c != nil && c.State != ChildDeleted {
		m.follow(now, Path{Local: m.path.Local, Remote: from})
		m.espMoved(now, from)
	}
	m.pump(now)
}

func (m *Machine) child(id uint64) *Child {
	if i := slices.IndexFunc(m.children, func(c *Child) bool { return c.ID == id }); i >= 0 {
		return m.children[i]
	}
	return nil
}

// close ends the SA without a further message: children go, the last response stays for a while.
func (m *Machine) close(now time.Time, reason string, f *diag.Failure) {
	if m.state == StateClosed {
		return
	}
	if p := m.pending; p != nil {
		m.pending = nil
		p.task.abandoned(m, now)
	}
	m.abandonTasks(now)
	m.window.parked = nil
	m.dropAllAnswering()
	if m.Replaced() && m.env.CrashToken != nil {
		m.env.outlived.add(now, m.localSPI)
	}
	for _, c := range slices.Clone(m.children) {
		m.removeChild(c, reason, f != nil && f.Code == diag.CodeDeleted)
	}
	m.setState(StateClosed, reason)
	if len(m.window.response) > 0 {
		m.closedUntil = now.Add(lingerTime)
	}
	m.shed()
	m.emit(Closed{Reason: reason, Failure: f})
}

// lingerTime is how long a closed SA repeats its last response. It covers the first three retransmissions of a peer
// with the usual timers.
const lingerTime = 15 * time.Second
