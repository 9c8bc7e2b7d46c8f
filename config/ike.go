package config

import (
	"path/filepath"
	"strings"
	"time"

	"esplanade/ike/policy"
)

// IKE is what concerns all connections: the table [ike]. The names are those of strongswan.conf's section charon.
type IKE struct {
	Source
	// Port is the UDP port for IKE without NAT traversal.
	Port uint16 `key:"port" reload:"restart" default:"500" range:"1..65535"`
	// PortNATT is the UDP port for IKE and ESP with NAT traversal.
	PortNATT uint16 `key:"port_nat_t" reload:"restart" default:"4500" range:"1..65535"`
	// RetransmitTimeout is the time until the first repetition of a request.
	RetransmitTimeout time.Duration `key:"retransmit_timeout" reload:"live" default:"2s" range:"100ms..1d"`
	// RetransmitTries is how often a request is repeated before the peer is given up.
	RetransmitTries int `key:"retransmit_tries" reload:"live" default:"5" range:"1..20"`
	// RetransmitBase is the factor by which each interval is longer than the one before.
	RetransmitBase float64 `key:"retransmit_base" reload:"live" default:"1.8" range:"1..10"`
	// RetransmitJitter is the largest part, from 0 to 1, that is taken off an interval at random. Default 0. In the file it is in
	// per cent.
	RetransmitJitter float64 `key:"retransmit_jitter" reload:"live"`
	// RetransmitLimit is the longest interval; 0 is no limit.
	RetransmitLimit time.Duration `key:"retransmit_limit" reload:"live" default:"0s" range:"0|100ms..1d"`
	// HalfOpenTimeout is how long a peer has from IKE_SA_INIT to the end of IKE_AUTH.
	HalfOpenTimeout time.Duration `key:"half_open_timeout" reload:"live" default:"30s" range:"100ms..1d"`
	// CookieThreshold and CookieThresholdIP are the numbers of half-open SAs, of all peers and of one peer's address,
	// from which on initiators must return a cookie first; 0 always asks for one.
	CookieThreshold   int `key:"cookie_threshold" reload:"live" default:"30" range:"0..2147483647"`
	CookieThresholdIP int `key:"cookie_threshold_ip" reload:"live" default:"3" range:"0..2147483647"`
	// HalfOpenLimit is the most half-open SAs there are at a time, BlockThreshold the most of one peer's address, or of the
	// /64 of an IPv6 address.
	HalfOpenLimit  int `key:"half_open_limit" reload:"live" default:"1024" range:"1..1048576"`
	BlockThreshold int `key:"block_threshold" reload:"live" default:"256" range:"1..1048576"`
	// IKESALimit and ChildSALimit are the most IKE SAs and CHILD SAs that peers can have together, IKESALimitID and
	// ChildSALimitID the most of one identity.
	IKESALimit     int `key:"ike_sa_limit" reload:"live" default:"16384" range:"1..1048576"`
	IKESALimitID   int `key:"ike_sa_limit_id" reload:"live" default:"1024" range:"1..1048576"`
	ChildSALimit   int `key:"child_sa_limit" reload:"live" default:"32768" range:"1..1048576"`
	ChildSALimitID int `key:"child_sa_limit_id" reload:"live" default:"2048" range:"1..1048576"`
	// MakeBeforeBreak builds the new SAs of a reauthentication before the old ones go.
	MakeBeforeBreak bool `key:"make_before_break" reload:"live" default:"true"`
	// Downgrade is whether this gateway does downgrade prevention at all: draft-ietf-ipsecme-ikev2-downgrade-prevention.
	Downgrade bool `key:"downgrade_prevention" reload:"live" default:"true"`
	// FollowRedirects lets a gateway send this side to another one.
	FollowRedirects bool `key:"follow_redirects" reload:"live" default:"true"`
	// FragmentSize is the largest IP packet, in bytes, in which a part of a fragmented IKE message is sent
	// (RFC 7383).
	FragmentSize int `key:"fragment_size" reload:"live" default:"1280" range:"576..65535"`
	// KeepAlive is the interval of NAT keepalives; 0 sends none.
	KeepAlive time.Duration `key:"keep_alive" reload:"live" default:"20s" range:"0|100ms..1d"`
	// QCDSecretFile keeps the secret of quick crash detection (RFC 6290). Empty makes no tokens.
	QCDSecretFile string `key:"qcd_secret_file" reload:"restart" default:""`
	// LeaseFile keeps which client has which address over a restart. Empty keeps nothing. It is opened if there are pools.
	LeaseFile string `key:"lease_file" reload:"restart" default:"/var/lib/esplanade/leases.db"`
	// InstallRoutes sets up routes into the tunnels.
	InstallRoutes bool `key:"install_routes" reload:"restart" default:"true"`
	// LocalRoutes says which of the host's own routes keep their way although a tunnel's selectors cover them.
	LocalRoutes LocalRoutes `key:"local_routes" reload:"restart" default:"keep"`
	// RoutingTable is the Linux routing table for them.
	RoutingTable int `key:"routing_table" reload:"restart" default:"220" range:"1..4294967295"`
	// FWMark marks the daemon's own packets on Linux, so that a rule keeps them out of the tunnels. The default is the
	// number of the table, as people look for it there.
	FWMark uint32 `key:"fwmark" reload:"restart" default:"220" range:"1..4294967295"`
}

// The ports of IKE (RFC 7296, section 2).
const (
	DefaultPort     = 500
	DefaultPortNATT = 4500
)

// LocalRoutes says which of the host's own routes keep their way although a tunnel's remote_ts covers them. What remote_ts
// names as it is, or a part of, goes into the tunnel whatever is said here.
type LocalRoutes uint8

// The values of [IKE].LocalRoutes.
const (
	LocalRoutesKeep      LocalRoutes = iota // those that are more specific than the tunnel's
	LocalRoutesConnected                    // of those, only the networks that the host is directly connected to
	LocalRoutesTunnel                       // none
)

// Words implements [policy.Word].
func (LocalRoutes) Words() []string { return []string{"keep", "connected", "tunnel"} }

// String is the word of the configuration.
func (r LocalRoutes) String() string { return policy.Name(r) }

func readIKE(t *table) (k IKE) {
	t.fill(&k)
	jitter, _ := t.integer("retransmit_jitter", 0, 0, 20)
	k.RetransmitJitter = float64(jitter) / 100
	if k.QCDSecretFile != "" && (!filepath.IsAbs(k.QCDSecretFile) || strings.ContainsRune(k.QCDSecretFile, 0)) {
		t.errorf(t.at("qcd_secret_file"), `write an absolute path on a disk that survives a restart, such as "/var/lib/esplanade/qcd.secret"`,
			"ike.qcd_secret_file is %s", quote(k.QCDSecretFile))
	}
	if k.LeaseFile != "" && (!filepath.IsAbs(k.LeaseFile) || strings.ContainsRune(k.LeaseFile, 0)) {
		t.errorf(t.at("lease_file"), `write an absolute path on a disk that survives a restart, such as "/var/lib/esplanade/leases.db"`,
			"ike.lease_file is %s", quote(k.LeaseFile))
	}
	k.Source = t.done()
	if k.Port == k.PortNATT {
		t.errorf(k.At("port_nat_t"), "choose two different ports", "ike.port and ike.port_nat_t are both %d", k.Port)
	}
	if k.CookieThreshold > k.HalfOpenLimit {
		t.warnf(k.At("cookie_threshold"), "choose a threshold below half_open_limit",
			"ike.cookie_threshold is %d and ike.half_open_limit %d, so that no peer is asked for a cookie before there are as many as there may be",
			k.CookieThreshold, k.HalfOpenLimit)
	}
	return k
}
