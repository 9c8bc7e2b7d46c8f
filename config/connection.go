package config

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"esplanade/config/tree"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// Connection is one table [connections.NAME]: a peer, or several, and the tunnels to it.
type Connection struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// Preset is the kind of gateway at the other end, whose needs are below what is written: see presets. "" is none. What changes with it
	// are the keys that it sets.
	Preset string `key:"preset" reload:"live"`
	// LocalAddrs are this gateway's addresses for IKE: what it sends from and, as responder, what it may be reached at.
	// Default %any.
	LocalAddrs []Endpoint `key:"local_addrs" reload:"reestablish"`
	// RemoteAddrs are the peer's addresses. To initiate, one must be an address or a DNS name. Default %any.
	RemoteAddrs []Endpoint `key:"remote_addrs" reload:"reestablish"`
	// LocalPort and RemotePort are the UDP ports where IKE starts. The default of LocalPort is [IKE].Port.
	LocalPort  uint16 `key:"local_port" reload:"reestablish"`
	RemotePort uint16 `key:"remote_port" reload:"reestablish" default:"500" range:"1..65535"`
	// Proposals are the IKE proposals, best first. Default proposal.Default.
	Proposals []proposal.Proposal `key:"proposals" reload:"live"`
	// Encap makes both sides use UDP encapsulation even without NAT.
	Encap bool `key:"encap" reload:"reestablish" default:"true"`
	// MOBIKE offers RFC 4555, with which the SAs follow a change of addresses.
	MOBIKE bool `key:"mobike" reload:"reestablish" default:"true"`
	// MOBIKECheck is when a peer has to show that it gets packets at an address that it has moved to.
	MOBIKECheck policy.RouteCheck `key:"mobike_check" reload:"reestablish" default:"before"`
	// MOBIKEAddrs says to which addresses of this host the SAs may move.
	MOBIKEAddrs policy.MoveTo `key:"mobike_addrs" reload:"reestablish" default:"any"`
	// Fragmentation offers and uses IKE fragmentation (RFC 7383). Default true.
	Fragmentation bool `key:"fragmentation" reload:"live"`
	// Resumption gives session tickets, asks for them and resumes IKE SAs with them (RFC 5723).
	Resumption bool `key:"resumption" reload:"reestablish" default:"false"`
	// DPDDelay is how long the peer may be silent before it is asked for a sign of life; 0 never asks.
	DPDDelay time.Duration `key:"dpd_delay" reload:"live" default:"30s" range:"0|1s..365d"`
	// KeyingTries is how many sequences of retransmissions an initiation has; 0 is without end.
	KeyingTries int `key:"keyingtries" reload:"live" default:"0" range:"0..1048576"`
	// Unique says what happens to an SA that the same peer has already.
	Unique policy.Unique `key:"unique" reload:"live" default:"no"`
	// Downgrade says whether the proofs of both sides cover the whole IKE_SA_INIT exchange. As responder a connection can only
	// require it: see [IKE].Downgrade.
	Downgrade policy.DowngradePrevention `key:"downgrade_prevention" reload:"reestablish" default:"yes"`
	// Childless says whether IKE_AUTH may go without a child.
	Childless policy.Childless `key:"childless" reload:"live" default:"allow"`
	// RekeyTime is the age at which the IKE SA is rekeyed; 0 never. Default 4h, or 0 where ReauthTime is set.
	RekeyTime time.Duration `key:"rekey_time" reload:"live"`
	// ReauthTime is the age at which the two sides authenticate again; 0, the default, never.
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
	// LocalRounds and RemoteRounds are the rounds of authentication behind those (RFC 4739): tables such as [connections.NAME.local-2].
	LocalRounds  []Auth `key:"local-" reload:"rounds"`
	RemoteRounds []Auth `key:"remote-" reload:"rounds"`
	// SendCert says when this side sends its certificates, and SendCertReq whether it tells the peer which CAs it accepts.
	SendCert    policy.SendCert `key:"send_cert" reload:"live" default:"ifasked"`
	SendCertReq bool            `key:"send_certreq" reload:"live" default:"true"`
	// RSASHA1 signs with SHA-1, and takes such signatures, where the peer has an RSA key and does not know RFC 7427.
	RSASHA1 bool `key:"rsa_sha1" reload:"live" default:"false"`
	// OCSP says what IKE_AUTH carries of the states of certificates (RFC 4806).
	OCSP policy.OCSP `key:"ocsp" reload:"live" default:"reply"`
	// PPKID names the post-quantum preshared key of the connection (RFC 8784); empty, the default, is none when it
	// initiates and any of [Secrets.PPK] when it responds.
	PPKID string `key:"ppk_id" reload:"reestablish"`
	// PPKRequired refuses a peer that does not use it.
	PPKRequired bool `key:"ppk_required" reload:"reestablish" default:"false"`
	// Key is a pre-shared key for the peers of this connection and no others, and KeyFile the file that it was read from, "" if it is in
	// the configuration. Default none: one of [Secrets.IKE].
	Key     Secret `key:"secret" reload:"live"`
	KeyFile string `key:"secret_file" reload:"live"`
	// VIPs are the addresses that this side asks the peer for, as the client of a gateway; an unspecified one stands for any of its family.
	// Default none.
	VIPs []netip.Addr `key:"vips" reload:"reestablish"`
	// SplitInclude narrows remote_ts to the networks that the gateway says are behind it.
	SplitInclude bool `key:"split_include" reload:"reestablish" default:"false"`
	// InstallDNS says what becomes of the DNS servers that the gateway gives.
	InstallDNS policy.InstallDNS `key:"install_dns" reload:"live" default:"yes"`
	// OtherIPVersion says what becomes of packets of the IP version that a client's tunnel does not carry, where it carries all of the other.
	OtherIPVersion policy.OtherIPVersion `key:"other_ip_version" reload:"live" default:"refuse"`
	// Pools are the names of those that give addresses to the peers, in order (RFC 7296 section 2.19). Default none: nobody gets any.
	Pools []string `key:"pools" reload:"live"`
	// Children are the tables [connections.NAME.children.NAME], in the order of the file, or the one that stands in the connection itself. Without any, the
	// connection is an IKE SA that carries nothing.
	Children []*Child `key:"children" reload:"tables"`

	// loaded: it is none of the file's; see [Config.With].
	loaded bool `key:"-"`
}

// defaultIKERekeyTime is the age at which an IKE SA is rekeyed that is not authenticated again.
const defaultIKERekeyTime = 4 * time.Hour

// Origin is where the connection comes from: "FILE:LINE" of the configuration or of a file of a folder of swanctl, or [OriginVICI] for one that a
// command has loaded.
func (c *Connection) Origin() string {
	if at := c.Position(); at.IsValid() {
		return at.FileLine()
	}
	return c.Position().File
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

// MayLeave reports whether MOBIKE may take its IKE SAs to addresses of this host that LocalAddrs do not name. One that has loopback
// addresses only goes nowhere.
func (c *Connection) MayLeave() bool {
	if !c.MOBIKE || c.MOBIKEAddrs != policy.MoveToAny {
		return false
	}
	return len(c.LocalAddrs) == 0 || slices.ContainsFunc(c.LocalAddrs, func(e Endpoint) bool { return !e.Addr().IsLoopback() })
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

func readConnection(t *table, c *Config) *Connection {
	n := &Connection{Name: t.checkName("connection")}
	p, at := readPreset(t)
	n.Preset = p.name
	var clients []presetKey
	var clientsAt Position
	if !t.swanctl {
		clients, clientsAt = forClients(t)
	}
	t.fill(n)
	readVersion(t)
	n.LocalAddrs = readEndpoints(t, "local_addrs")
	n.RemoteAddrs = readEndpoints(t, "remote_addrs")
	port, portAt := t.integer("local_port", int64(c.IKE.Port), 1, math.MaxUint16)
	if n.LocalPort = uint16(port); n.LocalPort != c.IKE.Port && n.LocalPort != c.IKE.PortNATT {
		t.errorf(portAt, fmt.Sprintf("write %d (ike.port) or %d (ike.port_nat_t)", c.IKE.Port, c.IKE.PortNATT),
			"%s is %d, where the daemon has no socket", t.name("local_port"), n.LocalPort)
	}
	n.Proposals = readProposals(t, "proposals", wire.ProtocolIKE)
	n.Fragmentation = readFragmentation(t)
	if d, at := t.duration("dpd_timeout", 0, time.Second, forever, true); d != 0 {
		t.warnf(at, "remove it, or see retransmit_timeout and retransmit_tries in [ike]",
			"%s has no effect: IKEv2 takes a peer for dead when it does not answer the repetitions of a request", t.name("dpd_timeout"))
	}
	readIKELifetimes(t, n)
	n.RedirectTo = readRedirectTo(t, n)
	n.VIPs = readVIPs(t)
	n.PPKID = readPPKID(t)
	n.Pools = readPools(t)
	var localRounds, remoteRounds []string
	n.Local, n.LocalRounds, localRounds = readRounds(t, "local")
	n.Remote, n.RemoteRounds, remoteRounds = readRounds(t, "remote")
	n.Key, n.KeyFile = readOwnKey(t, filepath.Dir(c.File))
	inferMethods(n, c, t)
	children := t.sub("children")
	below := func(h *table) {
		h.below(p.child, at)
		h.belowClients(clients, clientsAt)
	}
	if lone := readLoneChild(t, children, below, n, c); lone != nil {
		n.Children = append(n.Children, lone)
	} else {
		for _, h := range children.each() {
			below(h)
			n.Children = append(n.Children, readChild(h, h.checkName("child"), n, c))
		}
	}
	n.Source = t.done(append(localRounds, remoteRounds...)...)
	if n.Downgrade == policy.DowngradeRequired && !c.IKE.Downgrade {
		t.errorf(n.At("downgrade_prevention"), "remove downgrade_prevention = false from [ike]",
			"%s is \"required\", and ike.downgrade_prevention is false, so that no peer could meet it", t.name("downgrade_prevention"))
	}
	if len(n.Children) == 0 && !n.Has("childless") && !t.quiet && !children.broken {
		t.warnf(n.At("children"), "write local_ts and remote_ts with the networks, or a table ["+t.name("children")+".NAME]",
			"%s has no children: its IKE SA carries no traffic, and comes up by a command or by the peer only", t.title())
	}
	return n
}

// readVersion knows the one version that there is.
func readVersion(t *table) {
	v, ok := t.get("version")
	if !ok || v.Data == int64(2) || v.Data == tree.Text("2") {
		return
	}
	const want = "write version = 2 or leave it out"
	switch n := v.Data.(type) {
	case int64:
		t.errorf(v.At, want, "%s is %d: only IKEv2 is supported", t.name("version"), n)
	case tree.Text:
		t.errorf(v.At, want, "%s is %s: only IKEv2 is supported", t.name("version"), quote(string(n)))
	default:
		t.mismatch("version", v, want, "a whole number")
	}
}

// readRedirectTo reads the gateway that peers are sent to: neither one of them, nor where they are already. One of several addresses of
// this gateway may be a place to go to.
func readRedirectTo(t *table, n *Connection) Endpoint {
	const want = "write the address or the DNS name of a gateway"
	text, at := t.strAs("redirect_to", "", want)
	if !t.isString("redirect_to") {
		return Endpoint{}
	}
	e, reason, _ := parseEndpoint(text)
	if a := e.First; a.Is6() && a.IsLinkLocalUnicast() {
		reason = quote(text) + " is link-local, which leads other hosts nowhere"
	} else if reason == "" && !e.Elsewhere() {
		reason = quote(text) + " is not one gateway"
	} else if reason == "" && slices.ContainsFunc(n.RemoteAddrs, e.samePlace) {
		reason = quote(text) + " is in remote_addrs: the peer would be sent to itself"
	} else if reason == "" && len(n.LocalAddrs) == 1 && e.samePlace(n.LocalAddrs[0]) {
		reason = quote(text) + " is local_addrs: the peer would be sent to where it is"
	}
	if reason != "" {
		t.errorf(at, want, "%s: %s", t.name("redirect_to"), reason)
		return Endpoint{}
	}
	return e
}

// readFragmentation reads a boolean, and knows swanctl's words.
func readFragmentation(t *table) bool {
	if s := t.word("fragmentation"); s == "accept" || s == "force" {
		t.valueNotSupported("fragmentation", "write true or false; fragments of the peer are accepted in any case")
		return true
	}
	return t.boolean("fragmentation", true)
}

func readIKELifetimes(t *table, n *Connection) {
	var at Position
	n.ReauthTime, _ = t.lifetime("reauth_time", 0)
	// As with swanctl: what authenticates again has new keys by that.
	rekey := defaultIKERekeyTime
	if n.ReauthTime != 0 {
		rekey = 0
	}
	n.RekeyTime, at = t.lifetime("rekey_time", rekey)
	n.OverTime, _ = t.duration("over_time", max(n.RekeyTime, n.ReauthTime)/10, time.Second, forever, true)
	shorter, key := n.RekeyTime, "rekey_time"
	if shorter == 0 || n.ReauthTime != 0 && n.ReauthTime < shorter {
		shorter, key = n.ReauthTime, "reauth_time"
	}
	var randAt Position
	n.RandTime, randAt = t.duration("rand_time", min(n.OverTime, shorter/2), time.Second, forever, true)
	if shorter != 0 && n.RandTime >= shorter {
		t.errorf(randAt, fmt.Sprintf("write less than %s, %s", key, short(shorter)),
			"%s is %s, so the SA could be rekeyed immediately", t.name("rand_time"), short(n.RandTime))
	}
	if shorter == 0 {
		t.warnf(at, "write a time such as \"4h\"", "%s is 0: the IKE SA is never rekeyed", t.name("rekey_time"))
	}
}
