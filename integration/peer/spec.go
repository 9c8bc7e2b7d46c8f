//go:build linux

package peer

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Gateway is the configuration of one end.
type Gateway struct {
	Connections []Connection
	// Secrets are the pre-shared keys. A connection's key is found by its identities.
	Secrets []Secret
	// PPKs are the post-quantum preshared keys. A connection names its own by PPKID.
	PPKs []PPK
	// IKE holds daemon-wide keys with the names of strongswan.conf's charon section, as written in TOML.
	// The keys every test needs (short retransmission) have defaults; an entry here replaces its default.
	IKE map[string]string
	// Dataplane holds Esplanade's keys of [dataplane], as written in TOML. strongSwan has none.
	Dataplane map[string]string
	// Files are certificates and keys, beside the configuration. Connections name them.
	Files []File
	// Plugins are those of strongSwan that the tests do not have by default: "eap-mschapv2".
	// PluginConf is what strongswan.conf has for them, in its own format.
	Plugins []string
	// Made are files of plugins of strongSwan that Debian has no package of: see [PEAPPlugin].
	Made       []string
	PluginConf string
	// Swanctl is the whole text of swanctl.conf, in place of one that is made of the rest. Only strongSwan has it.
	Swanctl string
	// More is text behind the configuration, in the gateway's own format.
	More string
	// OwnResolver gives the gateway an /etc/resolv.conf of its own: [Esplanade.ResolvConf]. Only Esplanade has one.
	OwnResolver bool
	// SaveKeys makes the gateway write what Wireshark needs to decrypt its traffic.
	SaveKeys bool
}

// Connection is one IKE connection, seen from the gateway that has it. Empty fields are left to the gateway.
type Connection struct {
	Name          string
	Local, Remote netip.Addr // the zero Addr: whatever address the host has, any peer
	LocalID       string
	RemoteID      string
	// LocalAuth and RemoteAuth are how each side proves who it is. Two zero values are a pre-shared key in both directions.
	LocalAuth, RemoteAuth Auth
	// LocalRounds and RemoteRounds are rounds of authentication after the first (RFC 4739).
	LocalRounds, RemoteRounds []Auth
	Proposals                 []string
	// NoEncap leaves UDP encapsulation to NAT detection. kernel-libipsec needs it forced.
	NoEncap bool
	// NoMOBIKE switches RFC 4555 off, which both kinds of gateway offer by default.
	NoMOBIKE bool
	// NoFragmentation keeps large IKE messages whole, so that IP has to cut them.
	NoFragmentation bool
	DPDDelay        time.Duration
	RekeyTime       time.Duration
	PPKID           string
	PPKRequired     bool
	// Resumption takes and gives session tickets, RFC 5723. Only Esplanade does.
	Resumption bool
	// VIPs are the addresses that the gateway asks its peer for, as a client.
	VIPs []string
	// Pools name the pools that peers get addresses of: Esplanade only.
	Pools []string
	// Extra are more keys of the connection, which both formats call by the same name: {"childless": "force"}.
	Extra    map[string]string
	Children []Child
}

// Auth is how one side of a connection proves who it is.
type Auth struct {
	// Method is "psk", which it is if nothing is written, or "pubkey". Scheme is what strongSwan has in place of pubkey to limit what it
	// signs with: "rsa/pss-sha256".
	Method, Scheme string
	// ID is the identity of a further round; that of the first is the connection's.
	ID string
	// Certs, CACerts and Pubkeys are names of files of the gateway.
	Certs, CACerts, Pubkeys []string
	// Extra are more keys, which both formats call by the same name: {"revocation": "strict"}.
	Extra map[string]string
}

func (a Auth) method() string {
	if a.Method == "" {
		return "psk"
	}
	return a.Method
}

// The kinds of [File], which are swanctl's directories. X509Between is only Esplanade's: CAs below the roots that peers may leave out.
const (
	X509Between = "x509between"
	X509        = "x509"
	X509CA      = "x509ca"
	X509CRL     = "x509crl"
	PubKeys     = "pubkey"
	Private     = "private"
)

// File is a certificate or a key of a gateway.
type File struct {
	Kind, Name string
	Data       []byte
}

// keepUp reports whether a child shall come back by itself.
func (c Connection) keepUp() bool {
	return slices.ContainsFunc(c.Children, func(ch Child) bool { return ch.KeepUp })
}

// Child is one CHILD_SA configuration.
type Child struct {
	Name              string
	LocalTS, RemoteTS []string
	Proposals         []string
	StartAction       string // "none" (the default), "trap", "start"
	Updown            string // a script
	RekeyTime         time.Duration
	// KeepUp makes the gateway bring the child back after the peer has died or closed it. For Esplanade that is
	// what StartAction "start" means anyway; strongSwan needs dpd_action, close_action and keyingtries for it.
	KeepUp bool
}

// Secret is a pre-shared key and whom it belongs to.
type Secret struct {
	IDs []string
	Key string
}

// PPK is a post-quantum preshared key.
type PPK struct{ ID, Key string }

// seconds writes a duration as both configuration formats take it.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d/time.Second)) }
