package sa

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"slices"
	"time"

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
	// initiator tells whether this side is the original initiator of this IKE SA, which fixes the I flag, the order of
	// the SPIs and the direction of the keys. "The original initiator" is re-evaluated by a rekey: RFC 7296 section
	// 2.18 makes whoever rekeyed the initiator of the new IKE SA.
	initiator          bool
	localSPI, peerSPI  wire.SPI
	localID, remoteID  identity.Identity
	path               Path
	created            time.Time
	establishedAt      time.Time
	closedUntil        time.Time // end of lingering
	childlessUntil     time.Time // responder: when an SA that never got a child is closed
	lastUnprotectedErr time.Time // rate limit of what an unprotected error notify may cause

	chosen  proposal.Chosen
	prf     suite.PRF
	keys    suite.Keys
	sealer  suite.Protection // our direction
	opener  suite.Protection // the peer's
	init    initState
	nat     nat
	window  window
	pending *outstanding // our request in flight
	queue   []task
	delayed []delayed
	frag    fragments
	life    lifetime
	alive   liveness

	children []*Child
	// temporarySince is when the peer began to answer nothing but TEMPORARY_FAILURE.
	temporarySince time.Time
	// gone are SPIs of the peer that it has deleted while an answer which creates a child was outstanding: the DELETE may
	// have overtaken that answer.
	gone []uint32
	// rivalOf is the IKE SA that this one may replace, while a collision of two rekeyings is not settled.
	rivalOf *Machine
	// successor is the IKE SA that has the children now.
	successor *Machine
	// closing is set by a request handler that ends the SA: it takes effect after the response is sent.
	closing *Closed
	outputs []Output
}

// initState is what IKE_AUTH needs of IKE_SA_INIT: both messages as they were on the wire and both nonces.
type initState struct {
	ownMessage, peerMessage []byte
	ni, nr                  []byte
	// digest is the SHA-256 of the request that a responder was made from.
	digest [sha256.Size]byte
}

func newMachine(env *Env, now time.Time, cfg *Config, path Path) *Machine {
	return &Machine{
		env: env, id: env.NextID(), cfg: cfg, path: path, created: now, state: StateConnecting,
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

// Initiator tells whether this side is the original initiator of the IKE SA.
func (m *Machine) Initiator() bool { return m.initiator }

// State is the present state.
func (m *Machine) State() State { return m.state }

// Path is where the next request would go.
func (m *Machine) Path() Path { return m.path }

// LocalID and RemoteID are the authenticated identities; before that, what is configured, or zero.
func (m *Machine) LocalID() identity.Identity { return m.localID }

// RemoteID is the other side of [Machine.LocalID].
func (m *Machine) RemoteID() identity.Identity { return m.remoteID }

// Children lists the CHILD SAs; the slice must not be changed.
func (m *Machine) Children() []*Child { return m.children }

// Outputs hands over what has accumulated since the last call.
func (m *Machine) Outputs() []Output {
	out := m.outputs
	m.outputs = nil
	return out
}

// Done tells whether the machine can be forgotten: it is closed, and no retransmission is expected any more.
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

// Receive handles a datagram that arrived on path, without the non-ESP marker. The datagram must not be changed
// afterwards.
func (m *Machine) Receive(now time.Time, datagram []byte, path Path) {
	msg, err := wire.Parse(datagram)
	if err != nil {
		m.ignore(path, IgnoreMalformed, err.Error())
		return
	}
	h := msg.Header
	// The initiator flag is set in what the original initiator sends and in nothing else.
	// https://www.rfc-editor.org/rfc/rfc7296#section-3.1
	if fromInitiator := h.Flags&wire.FlagInitiator != 0; fromInitiator == m.initiator {
		m.ignore(path, IgnoreFlags, "")
		return
	}
	if LocalSPIOf(h) != m.localSPI && !(h.Exchange == wire.ExchangeIKESAInit && !m.initiator) {
		m.ignore(path, IgnoreSPI, "")
		return
	}
	if h.Flags&wire.FlagResponse != 0 {
		m.receiveResponse(now, msg, datagram, path)
	} else {
		m.receiveRequest(now, msg, datagram, path)
	}
	m.pump(now)
}

// Matches tells whether an IKE_SA_INIT request is the one this responder was made from. While the SA is half-open it is
// answered again; later it is ignored, and no new SA is made of it either: "a robust responder will do the IKE SA lookup
// using the whole packet, its hash, or the Ni payload". https://www.rfc-editor.org/rfc/rfc7296#section-2.1
func (m *Machine) Matches(initRequest []byte) bool {
	if m.initiator || m.init.digest == [sha256.Size]byte{} {
		return false
	}
	return sha256.Sum256(initRequest) == m.init.digest
}

// open decrypts what an SK payload, or the last missing SKF payload, carries. ok is false when there is nothing to
// handle now; the reason has been emitted.
func (m *Machine) open(now time.Time, msg *wire.Message, datagram []byte, path Path) (first wire.PayloadType, plain []byte, ok bool) {
	e := msg.Encrypted
	if e == nil {
		m.ignore(path, IgnoreUnprotected, msg.Header.Exchange.String())
		return 0, nil, false
	}
	if m.opener == nil {
		// Nothing can be authenticated before IKE_SA_INIT is done, and nothing is answered in the clear
		// (CVE-2019-12312 is what happens otherwise).
		m.ignore(path, IgnoreState, "protected message before there are keys")
		return 0, nil, false
	}
	plain, err := m.opener.Open(datagram, e.AADLen)
	if err != nil {
		m.ignore(path, IgnoreICV, "")
		return 0, nil, false
	}
	if !e.Fragment {
		return e.First, plain, true
	}
	return m.frag.add(m, now, msg, plain, path)
}

// receiveRequest handles a request of the peer.
func (m *Machine) receiveRequest(now time.Time, msg *wire.Message, datagram []byte, path Path) {
	h := msg.Header
	if h.Exchange == wire.ExchangeIKESAInit {
		if m.state == StateConnecting && m.window.nextRecv == 1 && m.Matches(datagram) {
			m.resend(path)
		} else {
			m.ignore(path, IgnoreState, "IKE_SA_INIT for an existing SA")
		}
		return
	}
	if msg.Encrypted == nil {
		m.unprotected(now, msg, path)
		return
	}
	// RFC 7383 section 2.6.1: only fragment number 1 of a retransmitted request makes the responder answer again.
	if h.MessageID+1 == m.window.nextRecv && m.window.answers(h.Exchange) {
		if m.opener == nil {
			m.ignore(path, IgnoreState, "")
			return
		}
		if _, err := m.opener.Open(datagram, msg.Encrypted.AADLen); err != nil {
			m.ignore(path, IgnoreICV, "")
			return
		}
		if msg.Encrypted.Fragment && msg.Encrypted.Number != 1 {
			m.ignore(path, IgnoreDuplicate, "fragment of an answered request")
			return
		}
		m.resend(path)
		return
	}
	if h.MessageID != m.window.nextRecv || m.state == StateClosed {
		m.ignore(path, IgnoreMessageID, "")
		return
	}
	if !m.allows(h.Exchange) {
		m.ignore(path, IgnoreState, h.Exchange.String()+" while "+m.state.String())
		return
	}
	first, plain, ok := m.open(now, msg, datagram, path)
	if !ok {
		return
	}
	m.heard(now, path)
	m.window.nextRecv++
	m.window.response = nil
	// The request may have come by another way than the one our own requests take; its answer goes back to where it
	// came from: an endpoint "MUST respond to the address and port from which the request was received".
	// https://www.rfc-editor.org/rfc/rfc7296#section-2.11
	payloads, err := wire.ParsePayloads(first, plain, wire.HeaderLen)
	req := &request{now: now, header: h, payloads: payloads, path: path, size: len(datagram)}
	var critical *wire.CriticalError
	switch {
	case errors.As(err, &critical):
		// "[T]he message MUST be rejected and the response to the IKE request containing that payload MUST include a Notify
		// payload UNSUPPORTED_CRITICAL_PAYLOAD". https://www.rfc-editor.org/rfc/rfc7296#section-2.5
		m.respond(req, []wire.Payload{&wire.Notify{NotifyType: wire.NotifyUnsupportedCriticalPayload, Data: []byte{byte(critical.Payload)}}})
		if m.state == StateConnecting {
			m.close(now, "critical payload in "+h.Exchange.String(), m.failure(diag.CodeSyntax, h.Exchange, failCause(err)))
		}
	case err != nil:
		// INVALID_SYNTAX "is considered fatal in both peers, meaning that the IKE SA is deleted without needing an explicit
		// Delete payload":
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3
		f := m.failure(diag.CodeSyntax, h.Exchange, failCause(err), failNotify(wire.NotifyInvalidSyntax))
		m.closing = &Closed{Reason: "malformed " + h.Exchange.String(), Failure: f}
		m.respond(req, []wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidSyntax}})
	default:
		m.respond(req, m.dispatch(req))
	}
}

// allows is the per-state filter of requests: whatever it refuses is neither answered nor looked at.
func (m *Machine) allows(x wire.ExchangeType) bool {
	if m.state == StateConnecting {
		// A half-open responder knows IKE_AUTH only. An initiator that waits for the answer to its IKE_AUTH is not
		// spoken to either: the peer is not authenticated yet.
		return !m.initiator && x == wire.ExchangeIKEAuth
	}
	return x == wire.ExchangeCreateChildSA || x == wire.ExchangeInformational
}

// request is an authenticated request of the peer on its way through a handler.
type request struct {
	now      time.Time
	header   wire.Header
	payloads []wire.Payload
	path     Path
	size     int
}

func (m *Machine) dispatch(r *request) []wire.Payload {
	m.settleRival(r)
	switch r.header.Exchange {
	case wire.ExchangeIKEAuth:
		return m.handleAuth(r)
	case wire.ExchangeCreateChildSA:
		return m.handleCreateChildSA(r)
	case wire.ExchangeInformational:
		return m.handleInformational(r)
	}
	panic("BUG: exchange passed the state filter without a handler")
}

// respond sends and keeps the answer to a request, then does what the handler left for afterwards.
func (m *Machine) respond(r *request, payloads []wire.Payload) {
	h := wire.Header{
		SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: r.header.Exchange,
		Flags: m.flags() | wire.FlagResponse, MessageID: r.header.MessageID,
	}
	m.window.response = m.seal(h, payloads)
	m.resend(r.path)
	size := 0
	for _, d := range m.window.response {
		size += len(d)
	}
	m.emit(ExchangeDone{
		Exchange: h.Exchange, MessageID: h.MessageID, Path: r.path,
		Request: wire.Summary(r.header, r.payloads), Response: wire.Summary(h, payloads),
		RequestLen: r.size, ResponseLen: size, Bare: len(r.payloads) == 0,
	})
	m.alive.lastSent = r.now
	if c := m.closing; c != nil {
		m.closing = nil
		m.close(r.now, c.Reason, c.Failure)
	}
}

// resend repeats the cached response, octet by octet the same (RFC 7296 section 2.1).
func (m *Machine) resend(path Path) {
	for _, d := range m.window.response {
		m.emit(Send{Path: path, Datagram: d})
	}
}

func (m *Machine) flags() wire.Flags {
	if m.initiator {
		return wire.FlagInitiator
	}
	return 0
}

// receiveResponse handles an answer to the request in flight.
func (m *Machine) receiveResponse(now time.Time, msg *wire.Message, datagram []byte, path Path) {
	h := msg.Header
	p := m.pending
	if p == nil || h.MessageID != p.id || h.Exchange != p.task.exchange() {
		m.ignore(path, IgnoreLate, h.Exchange.String())
		return
	}
	if h.Exchange == wire.ExchangeIKESAInit {
		m.receiveInitResponse(now, msg, datagram, path)
		return
	}
	if msg.Encrypted == nil {
		m.unprotected(now, msg, path)
		return
	}
	first, plain, ok := m.open(now, msg, datagram, path)
	if !ok {
		return
	}
	payloads, err := wire.ParsePayloads(first, plain, wire.HeaderLen)
	var critical *wire.CriticalError
	if errors.As(err, &critical) {
		// "Payloads sent in IKE response messages MUST NOT have the critical flag set", and a response cannot be answered: it
		// is dropped, and the request times out. https://www.rfc-editor.org/rfc/rfc7296#section-2.5
		m.ignore(path, IgnoreCritical, err.Error())
		return
	}
	m.heard(now, path)
	m.pending = nil
	if err != nil {
		f := m.failure(diag.CodeSyntax, h.Exchange, failCause(err))
		p.task.abandoned(m, now)
		m.close(now, "malformed "+h.Exchange.String()+" response", f)
		return
	}
	m.emit(ExchangeDone{
		Exchange: h.Exchange, MessageID: h.MessageID, Initiated: true, Path: path,
		Request: p.summary, Response: wire.Summary(h, payloads),
		RequestLen: p.size(), ResponseLen: len(datagram), Bare: p.bare, Took: now.Sub(p.firstSent), Retransmits: p.tries,
	})
	if n := notify(payloads, wire.NotifyInvalidSyntax); n != nil && m.state != StateConnecting {
		// The error "is considered fatal in both peers": the peer has no such IKE SA any more.
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3
		p.task.abandoned(m, now)
		m.close(now, "the peer answered INVALID_SYNTAX", m.failure(diag.CodeSyntax, h.Exchange, failByPeer(n.NotifyType)))
		return
	}
	p.task.done(m, &response{now: now, header: h, payloads: payloads, path: path})
	m.countTemporary(now, h.Exchange, payloads)
}

// response is an authenticated answer on its way to the task that asked.
type response struct {
	now      time.Time
	header   wire.Header
	payloads []wire.Payload
	path     Path
}

// heard notes that an authenticated message, not a replay, came by path.
func (m *Machine) heard(now time.Time, path Path) {
	m.alive.lastHeard = now
	if !m.frag.mixed {
		m.follow(path)
	}
	m.frag.mixed = false
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
		m.follow(Path{Local: m.path.Local, Remote: from})
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
	for _, c := range slices.Clone(m.children) {
		m.removeChild(c, reason)
	}
	m.setState(StateClosed, reason)
	if len(m.window.response) > 0 {
		m.closedUntil = now.Add(lingerTime)
	}
	m.frag = fragments{}
	m.emit(Closed{Reason: reason, Failure: f})
}

// lingerTime is how long a closed SA repeats its last response. It covers the first three retransmissions of a peer
// with the usual timers.
const lingerTime = 15 * time.Second
