package config

import (
	"net/netip"
	"time"

	"esplanade/ike/policy"
	"esplanade/ike/radius"
)

// RADIUS is the table [radius]: the servers that users are asked of (remote.auth = "eap-radius"), and that accounting goes to.
type RADIUS struct {
	Source
	// NASIdentifier is what this gateway calls itself.
	NASIdentifier string `key:"nas_identifier" reload:"live" default:"esplanade"`
	// StationIDWithPort: Called-Station-Id and Calling-Station-Id have the UDP ports.
	StationIDWithPort bool `key:"station_id_with_port" reload:"live" default:"true"`
	// ClassGroup and FilterID: what of an Access-Accept is the name of a group.
	ClassGroup bool `key:"class_group" reload:"live" default:"false"`
	FilterID   bool `key:"filter_id" reload:"live" default:"false"`
	// Accounting: what users have used is told, every AccountingInterval as well; 0: only in the beginning and at the end.
	Accounting         bool          `key:"accounting" reload:"live" default:"false"`
	AccountingInterval time.Duration `key:"accounting_interval" reload:"live" default:"0s" range:"0|1s..365d"`
	// Sockets, RetransmitTries, RetransmitTimeout and RetransmitBase are those of the servers that do not say it themselves.
	Sockets           int           `key:"sockets" reload:"live" default:"4" range:"1..64"`
	RetransmitTries   int           `key:"retransmit_tries" reload:"live" default:"4" range:"1..20"`
	RetransmitTimeout time.Duration `key:"retransmit_timeout" reload:"live" default:"2s" range:"100ms..1m"`
	RetransmitBase    float64       `key:"retransmit_base" reload:"live" default:"1.4" range:"1..4"`
	// DeadTime is how long a server that was silent is not asked while others answer.
	DeadTime time.Duration `key:"dead_time" reload:"live" default:"1m" range:"1s..1d"`
	// Servers are the tables [radius.servers.NAME], in the order of the file.
	Servers []*RADIUSServer `key:"servers" reload:"tables"`
	// DAE is how orders of the servers are taken.
	DAE DAE `key:"dae" reload:"keys"`
}

// RADIUSServer is one table [radius.servers.NAME].
type RADIUSServer struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// Address is where it is, AuthPort and AcctPort are the ports of its services; 0: it is not asked for that.
	Address  netip.Addr `key:"address" reload:"live"`
	AuthPort uint16     `key:"auth_port" reload:"live" default:"1812" range:"0..65535"`
	AcctPort uint16     `key:"acct_port" reload:"live" default:"1813" range:"0..65535"`
	// Preference is higher for a server that is asked first.
	Preference int `key:"preference" reload:"live" default:"0" range:"-1000..1000"`
	// Key is the secret that it shares with this gateway, SecretFile the file that it was read from, "" if it is in the configuration.
	Key        Secret `key:"secret" reload:"live"`
	SecretFile string `key:"secret_file" reload:"live"`
	// Sockets, RetransmitTries, RetransmitTimeout and RetransmitBase: see [RADIUS]; those are the defaults.
	Sockets           int           `key:"sockets" reload:"live"`
	RetransmitTries   int           `key:"retransmit_tries" reload:"live"`
	RetransmitTimeout time.Duration `key:"retransmit_timeout" reload:"live"`
	RetransmitBase    float64       `key:"retransmit_base" reload:"live"`
}

// DAE is the table [radius.dae]: Disconnect-Request and CoA-Request of servers (RFC 5176).
type DAE struct {
	Source
	Enable bool `key:"enable" reload:"live" default:"false"`
	// Listen and Port are where they are taken.
	Listen netip.Addr `key:"listen" reload:"live"`
	Port   uint16     `key:"port" reload:"live" default:"3799" range:"1..65535"`
	// Key is what they are signed with; none: the secret of the server.
	Key        Secret `key:"secret" reload:"live"`
	SecretFile string `key:"secret_file" reload:"live"`
	// RequireTimestamp: one without Event-Timestamp is ignored.
	RequireTimestamp bool `key:"require_event_timestamp" reload:"live" default:"true"`
}

// maxRADIUSServers bounds the servers: a request goes from one to the next.
const maxRADIUSServers = 16

func readRADIUS(t *table, dir string) (x RADIUS) {
	t.fill(&x)
	for _, n := range t.sub("servers").each() {
		x.Servers = append(x.Servers, readRADIUSServer(n, &x, dir))
	}
	x.DAE = readDAE(t.sub("dae"), dir)
	if x.Source = t.done(); t.quiet {
		return x
	}
	if n := len(x.NASIdentifier); n == 0 || n > 253 {
		t.errorf(x.At("nas_identifier"), "write a name of up to 253 bytes", "%s has %d bytes", t.name("nas_identifier"), n)
	}
	if len(x.Servers) > maxRADIUSServers {
		s := x.Servers[maxRADIUSServers]
		t.errorf(s.table, "leave those out that are never asked", "[radius] has %d servers; %d is the most", len(x.Servers), maxRADIUSServers)
	}
	return x
}

func readRADIUSServer(t *table, of *RADIUS, dir string) *RADIUSServer {
	s := &RADIUSServer{
		Name: t.checkName("server"), Sockets: of.Sockets, RetransmitTries: of.RetransmitTries, RetransmitTimeout: of.RetransmitTimeout,
		RetransmitBase: of.RetransmitBase,
	}
	t.fill(s)
	const advice = `write its IP address: while names cannot be looked up, no user could come in`
	text, at := t.strAs("address", "", advice)
	if t.isString("address") {
		a, err := netip.ParseAddr(text)
		if s.Address = a.Unmap(); err != nil || a.IsUnspecified() || a.IsMulticast() {
			t.errorf(at, advice, "%s is %s", t.name("address"), quote(text))
		}
	}
	sockets, _ := t.integer("sockets", int64(of.Sockets), 1, 64)
	tries, _ := t.integer("retransmit_tries", int64(of.RetransmitTries), 1, 20)
	s.Sockets, s.RetransmitTries = int(sockets), int(tries)
	s.RetransmitTimeout, _ = t.duration("retransmit_timeout", of.RetransmitTimeout, 100*time.Millisecond, time.Minute, false)
	s.RetransmitBase = t.float("retransmit_base", of.RetransmitBase, 1, 4)
	s.Source, s.Key, s.SecretFile = readKey(t, dir, warnGuessableRADIUS)
	switch {
	case t.quiet:
	case !s.Has("address"):
		t.errorf(s.table, advice, "%s has no address", t.title())
	case s.AuthPort == 0 && s.AcctPort == 0:
		t.errorf(s.At("auth_port"), "leave one of them out", "%s has no port for any of its services", t.title())
	}
	return s
}

func readDAE(t *table, dir string) (d DAE) {
	t.fill(&d)
	const advice = `write an IP address of this gateway, or "0.0.0.0" or "::" for all of them`
	text, at := t.strAs("listen", "", advice)
	d.Listen = netip.IPv6Unspecified()
	if t.isString("listen") {
		a, err := netip.ParseAddr(text)
		if d.Listen = a; err != nil || a.IsMulticast() {
			t.errorf(at, advice, "%s is %s", t.name("listen"), quote(text))
		}
	}
	if t.quiet || t.has("secret") || t.has("secret_file") {
		d.Source, d.Key, d.SecretFile = readKey(t, dir, warnGuessableRADIUS)
	} else {
		d.Source = t.done()
	}
	return d
}

// warnGuessableRADIUS warns of a secret that is too short: whoever sees the packets can try secrets without limit.
func warnGuessableRADIUS(t *table, at Position, name string, k Secret) {
	if n := strength(k.Bytes()); n < minSecretBits {
		t.warnf(at, "generate a random 32-byte key, here and at the server: `openssl rand -hex 32`",
			"%s is a key of at most %d bits, which can be guessed by whoever sees the packets between this gateway and the server", name, n)
	}
}

// checkRADIUS looks at what concerns [radius] and connections.
func (c *Config) checkRADIUS(r *reader) {
	x := &c.RADIUS
	auth, acct := false, false
	for _, s := range x.Servers {
		auth, acct = auth || s.AuthPort != 0, acct || s.AcctPort != 0
	}
	if x.Accounting && !acct {
		r.errorf(x.At("accounting"), "write a table [radius.servers.NAME]", "radius.accounting is true, and there is no server with an acct_port")
	}
	if x.DAE.Enable && len(x.Servers) == 0 {
		r.errorf(x.DAE.At("enable"), "write a table [radius.servers.NAME]", "radius.dae takes orders of servers, and there is none")
	}
	if auth {
		return
	}
	for _, n := range c.Connections {
		_, remote := n.Rounds()
		for _, a := range remote {
			if a.Method == policy.AuthEAPRADIUS {
				r.lackf(a.At("auth"), "write a table [radius.servers.NAME] with the address and the secret of one",
					"connection %q has its users checked by RADIUS, and there is no server with an auth_port", n.Name)
			}
		}
	}
}

// Setup is what this comes to for whoever asks the servers.
func (x *RADIUS) Setup() *radius.Config {
	c := &radius.Config{
		NAS:   radius.NAS{Identifier: x.NASIdentifier, StationPort: x.StationIDWithPort},
		Rules: radius.Rules{ClassGroup: x.ClassGroup, FilterID: x.FilterID}, Dead: x.DeadTime,
		Orders: radius.Orders{Secret: radius.NewSecret(x.DAE.Key.Bytes()), Undated: !x.DAE.RequireTimestamp},
	}
	for _, s := range x.Servers {
		server := radius.Server{
			Name: s.Name, Secret: radius.NewSecret(s.Key.Bytes()), Preference: s.Preference, Sockets: s.Sockets, Tries: s.RetransmitTries,
			Timeout: s.RetransmitTimeout, Base: s.RetransmitBase,
		}
		if s.AuthPort != 0 {
			server.Addrs[radius.Authentication] = netip.AddrPortFrom(s.Address, s.AuthPort)
		}
		if s.AcctPort != 0 && x.Accounting {
			server.Addrs[radius.Accounting] = netip.AddrPortFrom(s.Address, s.AcctPort)
		}
		c.Servers = append(c.Servers, server)
	}
	return c
}

// OrdersAt is where orders of servers are taken; not valid: nowhere.
func (x *RADIUS) OrdersAt() netip.AddrPort {
	if !x.DAE.Enable {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(x.DAE.Listen, x.DAE.Port)
}
