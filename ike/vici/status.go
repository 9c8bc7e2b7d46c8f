package vici

import (
	"time"
)

// The extension that `esplanade status` uses: command CmdStatus streams an EventStatusConn for each connection and is
// answered with what concerns the whole gateway.
const (
	CmdStatus       = "esplanade-status"
	EventStatusConn = "esplanade-connection"
)

// Status is what `esplanade status` shows.
type Status struct {
	Gateway     GatewayStatus `json:"gateway"`
	Connections []ConnStatus  `json:"connections"`
}

// GatewayStatus is about the daemon as a whole.
type GatewayStatus struct {
	Version string    `json:"version"`
	Since   time.Time `json:"since"`
	// Config is the path of the configuration, LoadedAt when it was last loaded successfully. ReloadError is set if a
	// later attempt failed.
	Config      string    `json:"config,omitempty"`
	LoadedAt    time.Time `json:"loaded_at,omitzero"`
	ReloadError string    `json:"reload_error,omitempty"`
	DataPath    DataPath  `json:"data_path"`
	// IKESAs, HalfOpen and ChildSAs count SAs.
	IKESAs   int `json:"ike_sas"`
	HalfOpen int `json:"half_open"`
	ChildSAs int `json:"child_sas"`
	// Drops are the packets dropped so far, by direction and reason, only those that are not zero.
	Drops []Drop `json:"drops,omitempty"`
	// NoPolicy is the last packet from the inner networks that no child selects ("203.0.113.10 > 10.20.0.1 icmp/8(0)"), and NoPolicyAt when
	// it was dropped; empty if there was none.
	NoPolicy   string    `json:"last_no_policy,omitempty"`
	NoPolicyAt time.Time `json:"last_no_policy_at,omitzero"`
	// HostWarnings are what check says of this host, as it is now.
	HostWarnings []HostWarning `json:"host_warnings,omitempty"`
	// Strangers are the latest failures that belong to no connection, such as peers that none is for.
	Strangers []FailureStatus `json:"strangers,omitempty"`
	// RADIUS are the services of the RADIUS servers, and RecordsWaiting how many records of accounting none of them has taken yet.
	RADIUS         []RADIUSStatus `json:"radius,omitempty"`
	RecordsWaiting int            `json:"records_waiting,omitempty"`
	// Guesses are the wrong passwords of users; nil if there were none.
	Guesses *GuessStatus `json:"guesses,omitempty"`
	// DroppedEvents is how many VICI events slow clients have missed.
	DroppedEvents uint64 `json:"dropped_events,omitempty"`
}

// DataPath says what the packet loop runs on.
type DataPath struct {
	Device  string   `json:"device"` // "ipsec0", "netstack"
	MTU     int      `json:"mtu"`
	Workers int      `json:"workers"`
	Sockets []string `json:"sockets"` // "192.0.2.1:500", …
	// Routing is what had to be put back of the device, its addresses, routes and rules; nil if nothing ever vanished.
	Routing *Routing `json:"routing,omitempty"`
	// Features are the kernel features that were probed, in the order they were.
	Features []Feature `json:"features"`
}

// Routing is what somebody else has taken away from the host's routing, and was put back.
type Routing struct {
	Restored map[string]uint64 `json:"restored"` // by what it was: "device", "addresses", "routes", "rules"
	Last     time.Time         `json:"last"`
	// Contested says that it is taken away again and again.
	Contested bool `json:"contested"`
	// Missing is why something could not be put back.
	Missing string `json:"missing,omitempty"`
}

// Feature is a facility of the kernel that the data path can use.
type Feature struct {
	// Name is that of the switch in the configuration, where there is one: "gso".
	Name string `json:"name"`
	Used bool   `json:"used"`
	// Reason says why it is not used, or how it is.
	Reason string `json:"reason,omitempty"`
}

// Drop counts packets dropped for a reason.
type Drop struct {
	Direction string `json:"direction"` // "in" or "out"
	Reason    string `json:"reason"`
	Packets   uint64 `json:"packets"`
}

// ConnStatus is a connection: what is wanted, what is, and what is in between.
type ConnStatus struct {
	Name string `json:"name"`
	// Origin is where it comes from: "FILE:LINE", or "VICI" for one that a command has loaded.
	Origin string `json:"origin,omitempty"`
	// Local and Remote are the endpoints, in use or as configured.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// LocalID and RemoteID are the identities, shown or as configured.
	LocalID  string `json:"local_id,omitempty"`
	RemoteID string `json:"remote_id,omitempty"`
	// Proposal is what was negotiated, as a proposal string; empty while there is no IKE SA.
	Proposal string `json:"proposal,omitempty"`
	// Resumed: the IKE SA was set up with a session ticket.
	Resumed bool `json:"resumed,omitempty"`
	// PPK names the post-quantum preshared key that the keys depend on; empty for none.
	PPK string `json:"ppk,omitempty"`
	// DowngradePrevention: both sides have authenticated the whole IKE_SA_INIT exchange.
	DowngradePrevention bool `json:"downgrade_prevention,omitempty"`
	// NAT is which side has a NAT in front of it, forced encapsulation apart: "none", "local", "remote", "both" or "unknown"; empty while
	// there is no IKE SA. NATText is the same for people, with who forces ESP in UDP.
	NAT     string `json:"nat,omitempty"`
	NATText string `json:"nat_text,omitempty"`
	State   State  `json:"state"`
	// MOBIKE: the addresses may change. LocalAddrs and RemoteAddrs are those that, in addition to the ones in use, the other side was
	// told of.
	MOBIKE      bool          `json:"mobike,omitempty"`
	LocalAddrs  []string      `json:"local_addrs,omitempty"`
	RemoteAddrs []string      `json:"remote_addrs,omitempty"`
	Children    []ChildStatus `json:"children"`
	// Client is what it has been given as a client; nil if it is none.
	Client *ClientStatus `json:"client,omitempty"`
	// Peers are its IKE_SAs, oldest first. The fields above are those of the newest that is established.
	Peers []PeerStatus `json:"peers"`
	// HalfOpen is how many peers have begun an IKE SA that resembles it and have not authenticated; only a few of them are among Peers.
	// Refused is how many were refused in IKE_AUTH while others were up.
	HalfOpen int `json:"half_open"`
	Refused  int `json:"refused"`
}

// ChildStatus is a child of a connection.
type ChildStatus struct {
	Name     string   `json:"name"`
	State    State    `json:"state"`
	LocalTS  []string `json:"local_ts"`
	RemoteTS []string `json:"remote_ts"`
	// Proposal is what was negotiated for the newest CHILD_SA; empty while there is none.
	Proposal string `json:"proposal,omitempty"`
	// SAs is how many CHILD_SAs there are. The counters are of all of them since the child came up.
	SAs        int    `json:"sas"`
	BytesIn    uint64 `json:"bytes_in"`
	PacketsIn  uint64 `json:"packets_in"`
	BytesOut   uint64 `json:"bytes_out"`
	PacketsOut uint64 `json:"packets_out"`
	// Path is the path of its CHILD_SAs, nil while there is none.
	Path *PathStatus `json:"path,omitempty"`
}

// PathStatus is what is known of the path to a peer.
type PathStatus struct {
	// MTU is the largest outer packet that it takes, in bytes, and Inner the largest packet that fits within the tunnel.
	MTU   int `json:"mtu"`
	Inner int `json:"inner_mtu"`
	// LoweredBy says how it was found out that it takes less than this host's interface: [ByICMP], [ByBlackHole], or "" if it does not.
	// Since says when.
	LoweredBy string    `json:"lowered_by,omitempty"`
	Since     time.Time `json:"since,omitzero"`
}

// How a lowered MTU was found out.
const (
	// ByICMP: an ICMP message has said it. The hosts behind the gateway are told, and nothing has to be done.
	ByICMP = "icmp"
	// ByBlackHole: larger packets vanish, and no ICMP message says so.
	ByBlackHole = "black hole"
)

// State is the state of a connection or child.
type State struct {
	// Desired is "up", "on traffic" or "on command".
	Desired string `json:"desired"`
	// Current is "up", "connecting", "waiting", "trapped", "down" or "dead": the peer has not answered for the ordinary time, and is
	// waited for.
	Current string `json:"current"`
	// Since is when it became so.
	Since time.Time `json:"since,omitzero"`
	// WaitsFor says in words what has to happen next: "a retry at 10:03:12", "a packet", "the peer's IKE_AUTH".
	WaitsFor string `json:"waits_for,omitempty"`
	// NextTry and NextRekey are when these are due; zero if they are not.
	NextTry   time.Time `json:"next_try,omitzero"`
	NextRekey time.Time `json:"next_rekey,omitzero"`
	// Heard is when the last authentic IKE message or ESP packet came from the peer, while there is an IKE SA; zero for never.
	Heard time.Time `json:"heard,omitzero"`
	// Silence is set while the peer does not answer: in "connecting", "up" and "dead".
	Silence *Silence `json:"silence,omitempty"`
	// Remarks are troubles that do not change the state, each with its first time, as long as they last.
	Remarks []FailureStatus `json:"remarks,omitempty"`
	// LastFailure is the latest failure since it was last up.
	LastFailure *FailureStatus `json:"last_failure,omitempty"`
	// Aside is the latest failure of an attempt in addition to what is up, which it leaves as it is; set in "up" only.
	Aside *FailureStatus `json:"aside,omitempty"`
}

// Silence is a request without an answer, from its second repetition until the answer comes.
type Silence struct {
	// Request is what was asked: "IKE_SA_INIT", "liveness check".
	Request string `json:"request"`
	// Since is when it was sent first, Repeated how often it was sent again, of Tries before the peer counts as dead, or the attempt as
	// failed.
	Since    time.Time `json:"since"`
	Repeated int       `json:"repeated"`
	Tries    int       `json:"tries"`
	// Failure is what it comes to if no answer comes: provisional, until the state is "dead".
	Failure *FailureStatus `json:"failure"`
}

// FailureStatus is a failure and how often it happened.
type FailureStatus struct {
	Code string `json:"code"` // "E-PROPOSAL-IKE"
	// Text is the failure without its fix, on one line.
	Text  string    `json:"text"`
	Fix   string    `json:"fix"`
	Count int       `json:"count"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}
