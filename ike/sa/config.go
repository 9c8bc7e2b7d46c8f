package sa

import (
	"net/netip"
	"time"

	"esplanade/esp"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Config is one configured connection as the machine needs it.
type Config struct {
	Fixed
	Policy
	// Children are the CHILD SAs that can exist below this connection.
	Children []*ChildConfig
}

// Fixed is what a machine is begun with: who the two sides are, how they prove it, and what they have agreed on from the first
// message on. It stays as it is for as long as there is a machine.
type Fixed struct {
	Name string

	// LocalID is sent as our identity. The zero value stands for the address that the peer was reached from.
	LocalID identity.Identity
	// RemoteID is the pattern that the peer's identity must match; "%any" matches all.
	RemoteID              identity.Identity
	LocalAuth, RemoteAuth policy.Auth
	// LocalRounds and RemoteRounds are the rounds of authentication of each side in addition to the first (RFC 4739).
	LocalRounds, RemoteRounds []Round
	// OwnKey: what the two sides prove themselves with is this connection's, whatever they call themselves.
	OwnKey bool
	// Vouched says what vouches for the peer's identity, in a text that is only compared; "" for the keys that all connections share.
	Vouched string
	// PPKID names the post-quantum preshared key (RFC 8784): the one that an initiator uses, and the only one that a
	// responder takes. "" is none for an initiator, and any that is known for a responder. PPKRequired refuses a peer
	// without it.
	PPKID       string
	PPKRequired bool

	// ForceEncap makes the peer believe that this side is behind a NAT, so that ESP is UDP encapsulated in both
	// directions (RFC 7296 section 2.23, RFC 3948).
	ForceEncap bool
	// LocalNATPort and RemoteNATPort are the ports that the initiator floats to after IKE_SA_INIT, usually 4500.
	LocalNATPort, RemoteNATPort uint16

	// MOBIKE offers RFC 4555 to the peer, so that the IKE SA can move with its CHILD SAs; RouteCheck is when the peer has
	// to show that it gets packets at an address that it claims.
	MOBIKE     bool
	RouteCheck policy.RouteCheck

	// Downgrade says whether the proofs of both sides cover the whole IKE_SA_INIT exchange. For a responder it can only require
	// it: see [Env.NoTranscript].
	Downgrade policy.DowngradePrevention

	// VIPs are the addresses in the networks of the peer that this side asks for when it initiates; an unspecified one stands for any of its
	// family. None: it is no client. SplitInclude narrows the remote selectors to the networks that the peer says are behind it.
	VIPs         []netip.Addr
	SplitInclude bool

	// Resumption asks for session tickets, gives them, and resumes IKE SAs with them (RFC 5723).
	Resumption bool
}

// Policy is what can be another at any time. Machines read each value when they need it: the owner may replace the whole between
// two inputs, and it is in force from then on.
type Policy struct {
	// SendCert says when this side sends its certificates, SendCertReq has it say which CAs it trusts, for a peer that is to prove
	// itself by a signature.
	SendCert    policy.SendCert
	SendCertReq bool
	// OCSP says whether this side asks for the OCSP answer of the peer's certificate, and sends that of its own (RFC 4806).
	OCSP policy.OCSP
	// RSASHA1 has RSA sign with SHA-1, and takes it, where the peer does not know RFC 7427.
	RSASHA1 bool
	// Line is where the connection is configured, "gw.toml:14"; ProposalsLine and the others point at single keys.
	// They only ever end in failure values.
	Line, ProposalsLine, LocalIDLine, RemoteIDLine, PPKLine, DowngradeLine, VIPsLine string

	// Lone: the only child stands in the table of the connection itself. For failure values, too.
	Lone bool

	// RemoteRoundLines are where the identities of RemoteRounds are configured.
	RemoteRoundLines []string

	// Users say which users of EAP the connection is for, by the round of the peer.
	Users []UserRule

	// Proposals are the IKE proposals in order of preference.
	Proposals []proposal.Proposal

	// KeepAlive is the interval of NAT keepalives while this side is behind a NAT; 0 sends none (RFC 3948 section 4).
	KeepAlive time.Duration
	// DPDDelay is how long the peer may be silent, in IKE and in ESP, before it is asked whether it is alive; 0 never.
	DPDDelay time.Duration
	// RekeyTime is the age at which this side rekeys the IKE SA, 0 never. RandTime is subtracted in a random share,
	// so that two sides with equal settings rarely collide. HardTime is the age at which the SA is closed.
	RekeyTime, RandTime, HardTime time.Duration

	// ReauthTime is the age at which the initiator authenticates again, 0 never; a responder announces it (RFC 4478).
	// ReauthGrace later the IKE SA is closed. RandTime counts here as well.
	ReauthTime, ReauthGrace time.Duration

	// Childless says whether IKE_AUTH may go, or goes, without a CHILD SA (RFC 6023).
	Childless policy.Childless

	// FollowRedirects lets the initiator be sent to another gateway, and RedirectTo is where the responder sends its peers,
	// nowhere if it is zero (RFC 5685).
	FollowRedirects bool
	RedirectTo      wire.Gateway

	// Pools: a peer that asks for addresses is given some (RFC 7296 section 2.19). PoolsLine is where that is configured.
	Pools     bool
	PoolsLine string

	Retransmit Retransmit
	// HalfOpenTimeout closes an SA whose IKE_AUTH is not done in time (responder).
	HalfOpenTimeout time.Duration
	// Fragmentation offers IKE message fragmentation (RFC 7383); FragmentSize is the largest IKE datagram in bytes.
	Fragmentation bool
	FragmentSize  int
}

// ChildConfig is one configured CHILD SA.
type ChildConfig struct {
	ChildFixed
	ChildPolicy
}

// ChildFixed is what a CHILD SA is made with. It stays as it is for as long as there is one.
type ChildFixed struct {
	Name string
	// Mode is what its CHILD SAs protect of a packet.
	Mode policy.Mode
	// Proposals are in order of preference, all of one protocol: ESP.
	Proposals []proposal.Proposal
	// LocalTS and RemoteTS are the traffic this child may carry. Empty stands for "dynamic": the gateway's own
	// address, or the peer's.
	LocalTS, RemoteTS []selector.Selector
	// ReplayWindow is in packets, as for [esp.InboundConfig].
	ReplayWindow int
	// ReqID is shown to scripts that know strongSwan's field; 0 lets the daemon number them, see [Child.ReqID].
	ReqID uint32
}

// ChildPolicy is what its owner may replace between two inputs, as [Policy].
type ChildPolicy struct {
	// Line, ProposalsLine, LocalTSLine, RemoteTSLine and GroupsLine are positions for failure values.
	Line, ProposalsLine, LocalTSLine, RemoteTSLine, GroupsLine string
	// Groups are those of which the peer's user must be in one to have the child; none: anybody.
	Groups []string
	// Pools: the peer's dynamic selectors are the addresses that this side has given to it.
	Pools bool
	// RekeyTime is the age of the SA at which this side rekeys it, 0 never; HardTime the age at which it is deleted.
	RekeyTime, RandTime, HardTime time.Duration
	// Soft rekeys, Hard stops the outbound SA after so much traffic.
	Soft, Hard esp.Limits
}

// Retransmit is the schedule by which a request is repeated: the n-th repetition follows after Timeout * Base^n, and
// the exchange has failed when Tries repetitions stayed without an answer (strongSwan's retransmit_* settings).
type Retransmit struct {
	Timeout time.Duration
	Base    float64
	Tries   int
	// Jitter is the largest part, 0 to 1, taken off an interval at random.
	Jitter float64
	// Limit caps a single interval; 0 does not.
	Limit time.Duration
}

// Defaults of [Retransmit]: six datagrams within 2+3.6+6.5+11.7+21 = 45 seconds, and a verdict after 83 seconds.
const (
	DefaultRetransmitTimeout = 2 * time.Second
	DefaultRetransmitBase    = 1.8
	DefaultRetransmitTries   = 5
)
