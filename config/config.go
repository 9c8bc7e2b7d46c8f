package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// Config is a whole configuration. See the package documentation for what holds of it.
type Config struct {
	// File is the name the configuration was read under.
	File string `key:"-"`
	// Control is the table [control].
	Control Control `key:"control" reload:"restart"`
	// Metrics is the table [metrics].
	Metrics Metrics `key:"metrics" reload:"restart"`
	// Log is the table [log].
	Log Log `key:"log" reload:"restart"`
	// TUN is the table [tun].
	TUN TUN `key:"tun" reload:"restart"`
	// Dataplane is the table [dataplane].
	Dataplane Dataplane `key:"dataplane" reload:"restart"`
	// IKE is the table [ike].
	IKE IKE `key:"ike" reload:"keys"`
	// Debug is the table [debug].
	Debug Debug `key:"debug" reload:"restart"`
	// Connections are the tables [connections.NAME], in the order of the file.
	Connections []*Connection `key:"connections" reload:"tables"`
	// Secrets are the tables [secrets.KIND.NAME].
	Secrets Secrets `key:"secrets" reload:"tables"`
	// Warnings are what is legal but probably not meant, in the order of the file.
	Warnings []Problem `key:"-"`
}

// Connection finds a connection by its name; nil if there is none.
func (c *Config) Connection(name string) *Connection {
	for _, n := range c.Connections {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Control is where commands reach the daemon.
type Control struct {
	Source
	// Socket is the path of the unix socket that speaks VICI. Default [DefaultSocket].
	Socket string
}

// DefaultSocket is the control socket where the configuration names none.
const DefaultSocket = "/run/esplanade/charon.vici"

// Metrics is where Prometheus finds the daemon.
type Metrics struct {
	Source
	// Listen is host:port for HTTP, path /metrics. Empty, which is the default, is none.
	Listen string
}

// LogFormat is how log lines look.
type LogFormat uint8

// The formats of [Log].
const (
	LogText LogFormat = iota // key=value
	LogJSON                  // one JSON object a line
)

// String is the word of the configuration.
func (f LogFormat) String() string { return nameOf(logFormats(), f) }

func logFormats() []enum[LogFormat] { return []enum[LogFormat]{{"text", LogText}, {"json", LogJSON}} }

// Log is what is logged and how.
type Log struct {
	Source
	// Level is the least important level that is logged. Default info.
	Level slog.Level
	// Format is text or json. Default text.
	Format LogFormat
}

// DeviceKind is what carries the packets of the inner networks.
type DeviceKind uint8

// The kinds of [TUN].
const (
	DeviceTUN      DeviceKind = iota // a TUN device of the operating system
	DeviceNetstack                   // a TCP/IP stack within the process: needs no privilege
)

// String is the word of the configuration.
func (k DeviceKind) String() string { return nameOf(deviceKinds(), k) }

func deviceKinds() []enum[DeviceKind] {
	return []enum[DeviceKind]{{"tun", DeviceTUN}, {"netstack", DeviceNetstack}}
}

// LocalRoutes says which of the host's own routes keep their way although a tunnel's remote_ts covers them. What remote_ts
// names as it is, or a part of, goes into the tunnel whatever is said here.
type LocalRoutes uint8

// The values of [IKE].LocalRoutes.
const (
	LocalRoutesKeep      LocalRoutes = iota // those that are more specific than the tunnel's
	LocalRoutesConnected                    // of those, only the networks that the host is directly connected to
	LocalRoutesTunnel                       // none
)

// String is the word of the configuration.
func (r LocalRoutes) String() string { return nameOf(localRoutes(), r) }

func localRoutes() []enum[LocalRoutes] {
	return []enum[LocalRoutes]{{"keep", LocalRoutesKeep}, {"connected", LocalRoutesConnected}, {"tunnel", LocalRoutesTunnel}}
}

// DefaultMTU makes full inner packets fill an outer packet of 1500 octets with any cipher: the ESP plaintext is then
// 1408 octets, a whole number of 128-octet blocks.
const DefaultMTU = 1406

// TUN is the device of the inner networks.
type TUN struct {
	Source
	// BlockWhenStopped leaves routes behind that refuse the packets of the tunnels while no gateway runs. Default false.
	BlockWhenStopped bool
	// Name is the device's name. Default "ipsec0"; macOS gives "utunN" whatever is asked for.
	Name string
	// Device is the kind. Default tun.
	Device DeviceKind
	// MTU is that of the device, in octets. Default, and what 0 in the file stands for, is [DefaultMTU].
	MTU int
	// Addresses are put on the device, with the length of their network's prefix. Default none.
	Addresses []netip.Prefix
}

// Dataplane is how the packet loop works. The defaults are right for almost everybody.
type Dataplane struct {
	Source
	// Workers is the number of packet loops in each direction; 0, the default, chooses by the number of CPUs.
	Workers int
	// MSSClamp lowers the MSS option of TCP SYNs to what fits the tunnel. Default true.
	MSSClamp bool
	// ReceiveBuffer and SendBuffer are the sockets' buffers in octets; 0, the default, is the engine's choice.
	ReceiveBuffer, SendBuffer int
	// WaitPackets is how many packets wait for each child's tunnel to come up; 0 in the file drops them at once and is
	// 0 here too. Default [DefaultWaitPackets].
	WaitPackets int
	// PathMTU is the outer MTU assumed of every path in octets; 0, the default, asks the system.
	PathMTU int
	// BlackHoleDetection lowers the MTU of paths that drop large packets and say nothing. Default true.
	BlackHoleDetection bool
	// CopyDSCP copies the inner DSCP to the outer header. Default true.
	CopyDSCP bool
	// GSO and GRO let the kernel cut and merge UDP packets (UDP_SEGMENT, UDP_GRO). Default true: used where available.
	GSO, GRO bool
	// GSOSentinel adds an octet to runs of packets where the kernel is known to corrupt them otherwise. Default true.
	GSOSentinel bool
	// TunOffload reads and writes super-packets on the TUN device: false switches the five below it off. Default true:
	// used where available, like each of them.
	TunOffload bool
	// VNetHdr has a virtio header before every packet of the device, without which the next four do nothing.
	VNetHdr bool
	// TunTSO, TunTSOECN and TunUSO have the device give super-packets of TCP, of TCP with ECN, and of UDP.
	TunTSO, TunTSOECN, TunUSO bool
	// TunGSOWrite writes super-packets to the device.
	TunGSOWrite bool
	// MultiQueue opens a queue of the device for every worker. Default true: used where available.
	MultiQueue bool
	// ReusePort gives every worker a socket of its own. Default true: used where available.
	ReusePort bool
	// SPISteering has the kernel give each packet to the worker that its SPI names. Default true: used where available.
	SPISteering bool
	// RawIO uses batched system calls directly. Default true: used where available.
	RawIO bool
	// RawESP opens sockets for IP protocol 50 beside UDP, as connections with encap = false need when there is no NAT.
	// Default true: used where the process may.
	RawESP bool
}

// DefaultWaitPackets is how many packets wait for a tunnel.
const DefaultWaitPackets = 64

// Debug is what only a laboratory should use.
type Debug struct {
	Source
	// SaveKeys is a directory where the keys of all SAs are written for Wireshark. Default none.
	SaveKeys string
}

// IKE is what concerns all connections; the names are those of strongswan.conf's section charon.
type IKE struct {
	Source
	// Port is the UDP port for IKE without NAT traversal. Default 500.
	Port uint16 `key:"port" reload:"restart"`
	// PortNATT is the UDP port for IKE and ESP with NAT traversal. Default 4500.
	PortNATT uint16 `key:"port_nat_t" reload:"restart"`
	// RetransmitTimeout is the time until the first repetition of a request. Default 2s.
	RetransmitTimeout time.Duration `key:"retransmit_timeout" reload:"live"`
	// RetransmitTries is how often a request is repeated before the peer is given up. Default 5.
	RetransmitTries int `key:"retransmit_tries" reload:"live"`
	// RetransmitBase is the factor by which each interval is longer than the one before. Default 1.8.
	RetransmitBase float64 `key:"retransmit_base" reload:"live"`
	// RetransmitJitter is the largest part, from 0 to 1, that is taken off an interval at random. Default 0.
	RetransmitJitter float64 `key:"retransmit_jitter" reload:"live"`
	// RetransmitLimit is the longest interval; 0, the default, is no limit.
	RetransmitLimit time.Duration `key:"retransmit_limit" reload:"live"`
	// HalfOpenTimeout is how long a peer has from IKE_SA_INIT to the end of IKE_AUTH. Default 30s.
	HalfOpenTimeout time.Duration `key:"half_open_timeout" reload:"live"`
	// CookieThreshold and CookieThresholdIP are the numbers of half-open SAs, of all peers and of one peer's address,
	// from which on initiators must return a cookie first; 0 always asks for one. Defaults 30 and 3.
	CookieThreshold   int `key:"cookie_threshold" reload:"live"`
	CookieThresholdIP int `key:"cookie_threshold_ip" reload:"live"`
	// HalfOpenLimit is the most half-open SAs there are at a time, BlockThreshold the most of one peer's address, or of the
	// /64 of an IPv6 address. Defaults 1024 and 256.
	HalfOpenLimit  int `key:"half_open_limit" reload:"live"`
	BlockThreshold int `key:"block_threshold" reload:"live"`
	// IKESALimit and ChildSALimit are the most IKE SAs and CHILD SAs that peers can have together, IKESALimitID and
	// ChildSALimitID the most of one identity. Defaults 16384, 32768, 1024 and 2048.
	IKESALimit     int `key:"ike_sa_limit" reload:"live"`
	ChildSALimit   int `key:"child_sa_limit" reload:"live"`
	IKESALimitID   int `key:"ike_sa_limit_id" reload:"live"`
	ChildSALimitID int `key:"child_sa_limit_id" reload:"live"`
	// MakeBeforeBreak builds the new SAs of a reauthentication before the old ones go. Default true.
	MakeBeforeBreak bool `key:"make_before_break" reload:"live"`
	// FollowRedirects lets a gateway send this side to another one. Default true.
	FollowRedirects bool `key:"follow_redirects" reload:"live"`
	// FragmentSize is the largest IP packet, in octets, in which a part of a fragmented IKE message is sent
	// (RFC 7383). Default 1280.
	FragmentSize int `key:"fragment_size" reload:"live"`
	// KeepAlive is the interval of NAT keepalives; 0 sends none. Default 20s.
	KeepAlive time.Duration `key:"keep_alive" reload:"live"`
	// QCDSecretFile keeps the secret of quick crash detection (RFC 6290). Empty, the default, makes no tokens.
	QCDSecretFile string `key:"qcd_secret_file" reload:"restart"`
	// InstallRoutes sets up routes into the tunnels. Default true.
	InstallRoutes bool `key:"install_routes" reload:"restart"`
	// LocalRoutes says which of the host's own routes keep their way although a tunnel's selectors cover them. Default
	// LocalRoutesKeep.
	LocalRoutes LocalRoutes `key:"local_routes" reload:"restart"`
	// RoutingTable is the Linux routing table for them. Default 220.
	RoutingTable int `key:"routing_table" reload:"restart"`
	// FWMark marks the daemon's own packets on Linux, so that a rule keeps them out of the tunnels. Default
	// [DefaultFWMark].
	FWMark uint32 `key:"fwmark" reload:"restart"`
}

// Defaults of [IKE].
const (
	DefaultPort              = 500
	DefaultPortNATT          = 4500
	DefaultRetransmitTimeout = 2 * time.Second
	DefaultRetransmitTries   = 5
	DefaultRetransmitBase    = 1.8
	DefaultHalfOpenTimeout   = 30 * time.Second
	DefaultCookieThreshold   = 30
	DefaultCookieThresholdIP = 3
	DefaultHalfOpenLimit     = 1024
	DefaultBlockThreshold    = 256
	DefaultIKESALimit        = 16384
	DefaultChildSALimit      = 32768
	DefaultIKESALimitID      = 1024
	DefaultChildSALimitID    = 2048
	DefaultFragmentSize      = 1280
	DefaultKeepAlive         = 20 * time.Second
	DefaultRoutingTable      = 220
	DefaultFWMark            = 220 // the same number as the table's, as people look for it there
)
