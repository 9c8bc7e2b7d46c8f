package sa

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/esp"
	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Snapshot is a copy of what an operator wants to know about an IKE SA. It may leave the event loop.
type Snapshot struct {
	ID                uint64
	Connection        string
	State             State
	Initiator         bool // original initiator of this IKE SA
	SPIi, SPIr        wire.SPI
	LocalID, RemoteID identity.Identity
	Path              Path
	NAT               NAT
	Chosen            proposal.Chosen // zero before IKE_SA_INIT is done
	PPK               string          // the PPK that the keys depend on, "" for none
	Transcribed       bool            // downgrade prevention: both sides have authenticated the whole IKE_SA_INIT exchange
	Resumed           bool            // with a session ticket
	// Certificate is the subject of the certificate that the peer has proved itself with, "" for none, and CertificateUntil its end, or that of
	// a CA above it if that comes first.
	Certificate      string
	CertificateUntil time.Time
	// User is who the peer has turned out to be by EAP, or this side if it is the client, and UserMethod by which method; "" for nobody.
	User, UserMethod string
	// Client: this side is the user.
	Client bool
	// UserGroups are those of the user.
	UserGroups        []string
	Created           time.Time
	Established       time.Time
	RekeyAt, ReauthAt time.Time // zero: not scheduled
	// MOBIKE tells that the addresses can change; LocalAddrs are those of this side that the peer was told of in addition to the
	// one in use, PeerAddrs what it told us.
	MOBIKE                bool
	LocalAddrs, PeerAddrs []netip.Addr
	// LocalVIPs are the addresses within the tunnel that the peer has given to this side, RemoteVIPs those that it was given.
	LocalVIPs, RemoteVIPs []netip.Addr
	// Assignment is what the peer has given this side as its client, nil for nothing. It is not changed.
	Assignment *Assignment
	// Heard is when the last authentic message or ESP packet came from the peer, zero for never; [Machine.Summary] leaves it out.
	// Silence is set while the peer does not answer.
	Heard   time.Time
	Silence *Silence
	// Tasks are the requests that wait, and the one that is outstanding first.
	Tasks    []Task
	Children []ChildSnapshot
}

// Task is a request of this side that is in flight or waits.
type Task struct {
	Kind     TaskKind
	Name     string // "create child net"
	InFlight bool
}

// String is the name.
func (t Task) String() string { return t.Name }

// ChildSnapshot is a copy of what an operator wants to know about a CHILD SA.
type ChildSnapshot struct {
	ID, Policy          uint64
	Name                string
	ReqID               uint32
	State               ChildState
	Initiator           bool
	Protocol            wire.ProtocolID
	Mode                esp.Mode
	LocalSPI, RemoteSPI uint32
	UDP                 bool
	Chosen              proposal.Chosen
	TS                  selector.Pair
	Created             time.Time
	RekeyAt, ExpireAt   time.Time // zero: not scheduled
}

// Snapshot copies the present state.
func (m *Machine) Snapshot() Snapshot {
	s := m.Summary()
	s.Heard = m.Heard()
	for _, c := range m.children {
		s.Children = append(s.Children, SnapshotChild(c))
	}
	return s
}

// Summary is Snapshot without the CHILD SAs. What happens to one of hundreds must not cost a copy of all of them.
func (m *Machine) Summary() Snapshot {
	s := Snapshot{
		ID: m.id, State: m.state, Initiator: m.initiator,
		SPIi: m.spii(), SPIr: m.spir(),
		LocalID: m.localID, RemoteID: m.remoteID, Path: m.path,
		NAT:    m.nat.seen(),
		Chosen: m.chosen, Transcribed: m.transcribed, Resumed: m.resume.active, Certificate: m.auth.cert, CertificateUntil: m.auth.until, Created: m.created, Established: m.establishedAt, RekeyAt: m.life.rekeyAt, ReauthAt: m.auth.reauthAt,
		Tasks: m.tasks(), Silence: m.Silence(), Assignment: m.client.given,
		MOBIKE: m.mob.on, LocalAddrs: slices.Clone(m.mob.announced), PeerAddrs: slices.Clone(m.mob.peer),
		LocalVIPs: m.virtual.own, RemoteVIPs: m.virtual.peer,
	}
	s.NAT.Unanswered = m.peerSPI == 0
	if m.ppk.used {
		s.PPK = m.ppk.id
	}
	if u := m.User(); u != nil {
		s.User, s.UserMethod, s.UserGroups = u.Name, u.Method, u.Groups
		s.Client = m.PeerUser() == nil
	}
	if m.cfg != nil {
		s.Connection = m.cfg.Name
	}
	return s
}

// SnapshotChild copies the present state of a CHILD SA.
func SnapshotChild(c *Child) ChildSnapshot {
	return ChildSnapshot{
		ID: c.ID, Policy: c.Policy, Name: c.Config.Name, ReqID: c.ReqID, State: c.State, Initiator: c.Initiator,
		Protocol: c.Protocol, Mode: c.Mode, LocalSPI: c.Inbound.SPI, RemoteSPI: c.Outbound.SPI, UDP: c.Path.UDP, Chosen: c.Chosen,
		TS:      selector.Pair{Local: slices.Clone(c.TS.Local), Remote: slices.Clone(c.TS.Remote)},
		Created: c.Created, RekeyAt: c.rekeyAt, ExpireAt: c.expireAt,
	}
}
