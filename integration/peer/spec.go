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
	// SaveKeys makes the gateway write what Wireshark needs to decrypt its traffic.
	SaveKeys bool
}

// Connection is one IKE connection, seen from the gateway that has it. Empty fields are left to the gateway.
type Connection struct {
	Name          string
	Local, Remote netip.Addr // the zero Addr: whatever address the host has, any peer
	LocalID       string
	RemoteID      string
	Proposals     []string
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
	// Extra are more keys of the connection, which both formats call by the same name: {"childless": "force"}.
	Extra    map[string]string
	Children []Child
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
