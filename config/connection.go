package config

import (
	"time"

	"esplanade/ike/identity"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
)

// Connection is one table [connections.NAME]: a peer, or several, and the tunnels to it.
type Connection struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// LocalAddrs are this gateway's addresses for IKE: what it sends from and, as responder, what it may be reached at.
	// Default %any.
	LocalAddrs []Endpoint `key:"local_addrs" reload:"reestablish"`
	// RemoteAddrs are the peer's addresses. To initiate, one must be an address or a DNS name. Default %any.
	RemoteAddrs []Endpoint `key:"remote_addrs" reload:"reestablish"`
	// LocalPort and RemotePort are the UDP ports where IKE starts. Defaults: [IKE.Port], 500.
	LocalPort  uint16 `key:"local_port" reload:"reestablish"`
	RemotePort uint16 `key:"remote_port" reload:"reestablish"`
	// Proposals are the IKE proposals, best first. Default proposal.Default.
	Proposals []proposal.Proposal `key:"proposals" reload:"live"`
	// Encap makes both sides use UDP encapsulation even without NAT. Default true.
	Encap bool `key:"encap" reload:"reestablish"`
	// MOBIKE offers RFC 4555, with which the SAs follow a change of addresses. Default true.
	MOBIKE bool `key:"mobike" reload:"reestablish"`
	// MOBIKECheck is when a peer has to show that it gets packets at an address that it has moved to. Default
	// MOBIKECheckBefore.
	MOBIKECheck MOBIKECheck `key:"mobike_check" reload:"reestablish"`
	// Fragmentation offers and uses IKE fragmentation (RFC 7383). Default true.
	Fragmentation bool `key:"fragmentation" reload:"live"`
	// Resumption gives session tickets, asks for them and resumes IKE SAs with them (RFC 5723). Default false.
	Resumption bool `key:"resumption" reload:"reestablish"`
	// DPDDelay is how long the peer may be silent before it is asked for a sign of life; 0 never asks. Default 30s.
	DPDDelay time.Duration `key:"dpd_delay" reload:"live"`
	// KeyingTries is how many sequences of retransmissions an initiation has; 0, the default, is without end.
	KeyingTries int `key:"keyingtries" reload:"live"`
	// Unique says what happens to an SA that the same peer has already. Default UniqueNo.
	Unique UniquePolicy `key:"unique" reload:"live"`
	// Childless says whether IKE_AUTH may go without a child. Default ChildlessAllow.
	Childless ChildlessPolicy `key:"childless" reload:"live"`
	// RekeyTime is the age at which the IKE SA is rekeyed; 0 never. Default 4h, or 0 where ReauthTime is set.
	RekeyTime time.Duration `key:"rekey_time" reload:"live"`
	// ReauthTime is the age at which the two sides authenticate anew; 0, the default, never.
	ReauthTime time.Duration `key:"reauth_time" reload:"live"`
	// OverTime is how long after RekeyTime or ReauthTime an IKE SA is closed that could not be renewed. Default a tenth
	// of the longer one.
	OverTime time.Duration `key:"over_time" reload:"live"`
	// RandTime is the most that is taken off RekeyTime and ReauthTime at random. Default OverTime.
	RandTime time.Duration `key:"rand_time" reload:"live"`
	// RedirectTo is the gateway, an address or a DNS name, to which this one sends the peers that ask for the connection and
	// can be redirected. Default: the zero Endpoint, none.
	RedirectTo Endpoint `key:"redirect_to" reload:"live"`
	// Local is how this gateway proves who it is, and Remote how the peer has to.
	Local  Auth `key:"local" reload:"keys"`
	Remote Auth `key:"remote" reload:"keys"`
	// PPKID names the post-quantum preshared key of the connection (RFC 8784); empty, the default, is none when it
	// initiates and any of [Secrets.PPK] when it responds.
	PPKID string `key:"ppk_id" reload:"reestablish"`
	// PPKRequired refuses a peer that does not use it. Default false.
	PPKRequired bool `key:"ppk_required" reload:"reestablish"`
	// Children are the tables [connections.NAME.children.NAME], in the order of the file; at least one.
	Children []*Child `key:"children" reload:"tables"`
}

// HardTime is the age at which the IKE SA is closed, 0 never.
func (c *Connection) HardTime() time.Duration {
	if c.RekeyTime == 0 {
		return 0
	}
	return c.RekeyTime + c.OverTime
}

// CanInitiate reports whether the connection has a peer's address to begin with.
func (c *Connection) CanInitiate() bool {
	for _, e := range c.RemoteAddrs {
		if e.Specific() {
			return true
		}
	}
	return false
}

// Child finds a child by its name; nil if there is none.
func (c *Connection) Child(name string) *Child {
	for _, h := range c.Children {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// AuthMethod is how one side proves who it is.
type AuthMethod uint8

// The methods of this version.
const (
	AuthPSK AuthMethod = iota + 1 // a pre-shared key
)

// String is the word of the configuration.
func (m AuthMethod) String() string { return nameOf(authMethods(), m) }

func authMethods() []enum[AuthMethod] { return []enum[AuthMethod]{{"psk", AuthPSK}} }

// Auth is a table [connections.NAME.local] or [connections.NAME.remote].
type Auth struct {
	Source
	// Method is the word after auth; it has no default.
	Method AuthMethod `key:"auth" reload:"reestablish"`
	// ID is the identity: that of this gateway, or the pattern for the peer's. Default %any, which for this gateway
	// stands for the address it sends from.
	ID identity.Identity `key:"id" reload:"reestablish"`
}

// ChildlessPolicy says whether an IKE SA may be set up without a CHILD SA (RFC 6023; swanctl's childless).
type ChildlessPolicy uint8

// The policies.
const (
	ChildlessAllow  ChildlessPolicy = iota // the peer may; this side creates a child with IKE_AUTH
	ChildlessPrefer                        // this side does so too where the peer can
	ChildlessForce                         // it is the only way
	ChildlessNever
)

// String is the word in the file.
func (c ChildlessPolicy) String() string { return nameOf(childlessPolicies(), c) }

func childlessPolicies() []enum[ChildlessPolicy] {
	return []enum[ChildlessPolicy]{{"allow", ChildlessAllow}, {"prefer", ChildlessPrefer}, {"force", ChildlessForce},
		{"never", ChildlessNever}}
}

// UniquePolicy says what happens when a peer that has an IKE SA makes another one (swanctl's unique).
type UniquePolicy uint8

// The policies of [Connection].
const (
	UniqueNo      UniquePolicy = iota // the old SA goes if the new one came with INITIAL_CONTACT
	UniqueNever                       // the old SA stays, and no INITIAL_CONTACT is sent
	UniqueKeep                        // the new SA is refused
	UniqueReplace                     // the old SA goes
)

// String is the word of the configuration.
func (u UniquePolicy) String() string { return nameOf(uniquePolicies(), u) }

func uniquePolicies() []enum[UniquePolicy] {
	return []enum[UniquePolicy]{{"no", UniqueNo}, {"keep", UniqueKeep}, {"replace", UniqueReplace}, {"never", UniqueNever}}
}

// MOBIKECheck says when the return routability check of RFC 4555 section 3.7 is made.
type MOBIKECheck uint8

// The policies of [Connection].
const (
	MOBIKECheckBefore MOBIKECheck = iota // before ESP goes to the new address
	MOBIKECheckAfter                     // after that
	MOBIKECheckNever                     // not at all
)

// String is the word of the configuration.
func (m MOBIKECheck) String() string { return nameOf(mobikeChecks(), m) }

func mobikeChecks() []enum[MOBIKECheck] {
	return []enum[MOBIKECheck]{{"before", MOBIKECheckBefore}, {"after", MOBIKECheckAfter}, {"never", MOBIKECheckNever}}
}

// StartAction says which state of a child is the desired one.
type StartAction uint8

// The actions of [Child].
const (
	StartNone  StartAction = iota // down until a command or the peer brings it up
	StartTrap                     // up when a packet wants to go through it
	StartStart                    // always up: whatever takes it down, it is brought up again
)

// String is the word of the configuration.
func (a StartAction) String() string { return nameOf(startActions(), a) }

func startActions() []enum[StartAction] {
	return []enum[StartAction]{{"none", StartNone}, {"trap", StartTrap}, {"start", StartStart}}
}

// Mode is how a CHILD SA carries packets.
type Mode uint8

// The modes of this version.
const (
	ModeTunnel Mode = iota // whole packets within packets between the gateways
)

// String is the word of the configuration.
func (m Mode) String() string { return nameOf(modes(), m) }

func modes() []enum[Mode] { return []enum[Mode]{{"tunnel", ModeTunnel}} }

// Child is one table [connections.NAME.children.NAME]: a CHILD SA.
type Child struct {
	Source
	// Name is the table's name; Connection that of the connection it belongs to.
	Name       string `key:"-"`
	Connection string `key:"-"`
	// LocalTS and RemoteTS are the traffic it may carry. A selector for which Dynamic holds stands for the address of
	// this gateway, or of the peer, and gets it by Resolve. Default one such selector.
	LocalTS  []selector.Selector `key:"local_ts" reload:"reestablish"`
	RemoteTS []selector.Selector `key:"remote_ts" reload:"reestablish"`
	// Proposals are the ESP proposals, best first. Default proposal.Default.
	Proposals []proposal.Proposal `key:"esp_proposals" reload:"reestablish"`
	// Mode is tunnel.
	Mode Mode `key:"mode" reload:"reestablish"`
	// RekeyTime is the age at which the SA is rekeyed; 0 never. Default 1h, or nine tenths of LifeTime if only that is
	// written.
	RekeyTime time.Duration `key:"rekey_time" reload:"live"`
	// LifeTime is the age at which the SA is deleted; 0 never. Default RekeyTime and a tenth.
	LifeTime time.Duration `key:"life_time" reload:"live"`
	// RandTime is the most that is taken off RekeyTime at random. Default LifeTime - RekeyTime.
	RandTime time.Duration `key:"rand_time" reload:"live"`
	// RekeyBytes and RekeyPackets are the traffic after which the SA is rekeyed, LifeBytes and LifePackets that after
	// which it sends no more; 0, the default, is no limit but the algorithms' own. Bytes are octets.
	RekeyBytes   uint64 `key:"rekey_bytes" reload:"live"`
	LifeBytes    uint64 `key:"life_bytes" reload:"live"`
	RekeyPackets uint64 `key:"rekey_packets" reload:"live"`
	LifePackets  uint64 `key:"life_packets" reload:"live"`
	// StartAction is the desired state. Default StartStart; StartNone for a connection that can't initiate.
	StartAction StartAction `key:"start_action" reload:"live"`
	// ReplayWindow is the size of the anti-replay window in packets, -1 for none, which is written as 0. Default 4096.
	ReplayWindow int `key:"replay_window" reload:"reestablish"`
	// ReqID is the number that strongSwan's tools show for the child; 0, the default, leaves it to the daemon.
	ReqID uint32 `key:"reqid" reload:"reestablish"`
}

// DynamicLocal reports whether the child carries this gateway's own address, which is known only at the time of
// negotiation; DynamicRemote whether the peer's.
func (c *Child) DynamicLocal() bool { return hasDynamic(c.LocalTS) }

// DynamicRemote: see [Child.DynamicLocal].
func (c *Child) DynamicRemote() bool { return hasDynamic(c.RemoteTS) }

func hasDynamic(list []selector.Selector) bool {
	for _, s := range list {
		if s.Dynamic() {
			return true
		}
	}
	return false
}

// Defaults of [Connection] and [Child].
const (
	DefaultRemotePort     = 500
	DefaultDPDDelay       = 30 * time.Second
	DefaultIKERekeyTime   = 4 * time.Hour
	DefaultChildRekeyTime = time.Hour
	DefaultReplayWindow   = 4096
	// MaxReplayWindow is the largest window there can be.
	MaxReplayWindow = 1 << 20
)
