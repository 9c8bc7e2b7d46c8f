package diag

import (
	"net/netip"
	"time"
)

// Where is what every constructor needs to know about the circumstances. All of it is optional; what is missing is
// rendered as unknown.
type Where struct {
	// Connection and Child are names in the configuration.
	Connection, Child string
	// Exchange is the IANA name of the exchange.
	Exchange string
	// Local and Remote are the outer addresses and ports.
	Local, Remote netip.AddrPort
	// PeerID is the peer's identity as text.
	PeerID string
	// ConfigLine is where the value concerned is configured, as "gw.toml:14".
	ConfigLine string
	// Time is now.
	Time time.Time
}

// failure starts a Failure at w.
func (w Where) failure(code Code) *Failure {
	return &Failure{
		Code: code, Connection: w.Connection, Child: w.Child, Exchange: w.Exchange,
		Local: w.Local, Remote: w.Remote, PeerID: w.PeerID, ConfigLine: w.ConfigLine, Time: w.Time,
	}
}

// connection is the path of the connection's table in the configuration.
func (w Where) connection() string {
	if w.Connection == "" {
		return "the connection"
	}
	return "connections." + w.Connection
}

// child is the path of the child's table in the configuration.
func (w Where) child() string {
	if w.Child == "" {
		return "the child"
	}
	return w.connection() + ".children." + w.Child
}
