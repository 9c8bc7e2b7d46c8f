package export

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"esplanade/config"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
)

// Options are what an export needs in addition to the configuration.
type Options struct {
	// Connection is the connection of the gateway, and User the name of whoever is to come in by it: that of EAP, or the identity where there is no EAP.
	// User may be empty for a connection that is for one peer.
	Connection, User string
	// Gateway is the address or the DNS name under which the gateway is reached. Empty: its identity or local_addrs say so.
	Gateway string
	// WithSecret puts pre-shared keys and passwords into what is written.
	WithSecret bool
	// Password is that of the user, if it is known.
	Password config.Secret
	// Certificate is the user's, Bundle a PKCS#12 file that has it with its key, and BundlePassword the password of that.
	Certificate    *x509.Certificate
	Bundle         []byte
	BundlePassword config.Secret
	// CAs are what the client is to trust for the gateway's certificate. Empty: it trusts those of its system.
	CAs []*x509.Certificate
	// OnDemand has the client bring the tunnel up by itself.
	OnDemand bool
}

// Profile is a connection as its other end has it.
type Profile struct {
	Options
	// Name is the connection's.
	Name string
	// GatewayID is what the gateway calls itself. ClientID is what the client does; %any is its address.
	GatewayID, ClientID identity.Identity
	// GatewayMethod and Method are what the two prove themselves with; Second is the client's second method, 0 for none.
	GatewayMethod, Method, Second policy.Auth
	// PSK is the pre-shared key where a side has that method.
	PSK config.Secret
	// PPK is the post-quantum preshared key, of the name PPKID; "" is none.
	PPK   config.Secret
	PPKID string
	// GatewayCert is the gateway's certificate, nil if it has none or it is not known yet.
	GatewayCert *x509.Certificate
	// Addresses: the client asks for addresses, which are its own networks.
	Addresses bool
	// Pools are what the client is given addresses from, and Fixed the addresses that it has for itself.
	Pools []*config.Pool
	Fixed []netip.Addr
	// Children are the connection's.
	Children []Child

	conn *config.Connection
}

// Child is a CHILD SA as the other end has it.
type Child struct {
	Name string
	// Own are the client's networks, and Reached those behind the gateway. A dynamic selector is the address of the end that it is for.
	Own, Reached []selector.Selector
	ESP          []proposal.Proposal
	conf         *config.Child
}

// Unsupported says that a format can't express something that the connection depends on.
type Unsupported struct {
	Format string
	// Key is the key of the configuration, What what is the matter with it, and Want what would be right.
	Key, What, Want string
}

// Error implements error.
func (e *Unsupported) Error() string {
	return fmt.Sprintf("%s: %s: %s; %s", e.Format, e.Key, e.What, e.Want)
}

// New makes the profile of a connection's other end.
func New(c *config.Config, o Options) (*Profile, error) {
	n := c.Connection(o.Connection)
	if n == nil {
		var names []string
		for _, n := range c.Connections {
			names = append(names, n.Name)
		}
		return nil, fmt.Errorf("%s has no connection %q; it has %s", c.File, o.Connection, strings.Join(names, ", "))
	}
	p := &Profile{Options: o, Name: n.Name, conn: n, GatewayMethod: n.Local.Method, Method: n.Remote.Method, Addresses: len(n.Pools) > 0}
	key := func(k string) string { return "connections." + n.Name + "." + k }
	switch {
	case n.Client() || n.Local.Method.EAP() && n.CanInitiate():
		return nil, fmt.Errorf("%s says that this side is the client of %s: export is for the gateway, which knows the other clients", key("local"), n.RemoteAddrs[0])
	case len(n.LocalRounds) > 0 || len(n.RemoteRounds) > 1:
		return nil, fmt.Errorf("%s has rounds of authentication that no client has: a second one of the client is all that can be exported", key("local"))
	case len(n.RemoteRounds) == 1:
		p.Second = n.RemoteRounds[0].Method
	}
	if own := c.Set.Own(n.Name, 0); len(own) > 0 && len(own[0].Chain) > 0 {
		p.GatewayCert = own[0].Chain[0]
	}
	if err := p.identities(key); err != nil {
		return nil, err
	}
	if err := p.plain(); err != nil {
		return nil, err
	}
	if n.Local.Method == policy.AuthPSK || n.Remote.Method == policy.AuthPSK {
		s, ok := c.Credential(n.Name, p.GatewayID, p.ClientID, false)
		if !ok {
			return nil, fmt.Errorf("%s is \"psk\", and there is no pre-shared key for %s and %s", key("remote.auth"), p.GatewayID, p.ClientID)
		}
		p.PSK = s.Key
	}
	pools := n.Pools
	if err := p.user(c, key, &pools); err != nil {
		return nil, err
	}
	for _, name := range pools {
		if x := c.Pool(name); x != nil {
			p.Pools = append(p.Pools, x)
		}
	}
	if len(p.CAs) == 0 {
		p.CAs = anchors(c, n.Name)
	}
	if n.PPKID != "" {
		p.PPKID = n.PPKID
		if s, ok := c.PPK(n.PPKID); ok {
			p.PPK = s.Key
		}
	}
	for _, h := range n.Children {
		p.Children = append(p.Children, Child{Name: h.Name, Own: h.RemoteTS, Reached: h.LocalTS, ESP: h.Proposals, conf: h})
	}
	return p, nil
}

// identities finds out who the two are and where the gateway is.
func (p *Profile) identities(key func(string) string) error {
	n := p.conn
	p.GatewayID = n.Local.ID
	if p.GatewayID.Any() && p.GatewayCert != nil {
		p.GatewayID = subjectOf(p.GatewayCert)
	}
	if p.Gateway == "" {
		p.Gateway = p.place()
	}
	if p.Gateway == "" {
		return fmt.Errorf("nothing says where clients reach the gateway: write %s, or give its address or DNS name", key("local.id"))
	}
	if _, err := config.ParseEndpoint(p.Gateway); err != nil {
		return fmt.Errorf("the gateway %q is neither an address nor a DNS name", p.Gateway)
	}
	if p.GatewayID.Any() {
		id, err := identity.Parse(p.Gateway)
		if err != nil {
			return fmt.Errorf("%s is not written, and %q is no identity", key("local.id"), p.Gateway)
		}
		p.GatewayID = id
	}
	if p.eap() && p.User == "" {
		return fmt.Errorf("%s is %q: name the user", key("remote.auth"), p.eapMethod())
	}
	if a := p.eapAuth(); p.eap() {
		if _, ok := a.EAPID.Matches(p.User); !ok {
			return fmt.Errorf("%s is %q, which the user %q is not", key("remote.eap_id"), a.EAPID.String(), p.User)
		}
	}
	switch {
	case n.Remote.ID.Concrete():
		p.ClientID = n.Remote.ID
	case p.Certificate != nil:
		p.ClientID = nameOf(p.Certificate, p.User)
	case p.User != "":
		id, err := userID(p.User)
		if err != nil {
			return err
		}
		p.ClientID = id
	}
	if _, ok := p.ClientID.Matches(n.Remote.ID); !ok && !n.Remote.ID.Any() {
		return fmt.Errorf("%s is %q, which %q is not", key("remote.id"), n.Remote.ID.String(), p.ClientID.String())
	}
	return nil
}

// user looks the user of EAP up in the configuration, which has a password for whoever comes in by one unless a RADIUS server knows them.
// A user's own pools take the place of the connection's.
func (p *Profile) user(c *config.Config, key func(string) string, pools *[]string) error {
	m := p.eapMethod()
	if !p.eap() || m == policy.AuthEAPRADIUS || m == policy.AuthEAPTLS {
		return nil
	}
	e, ok := c.Users.Directory.Find(p.User)
	if !ok {
		return fmt.Errorf("%s is %q, and %s has no user %q", key("remote.auth"), m, c.File, p.User)
	}
	if groups := p.eapAuth().Groups; len(groups) > 0 && !slices.ContainsFunc(e.User.Groups, func(g string) bool { return slices.Contains(groups, g) }) {
		return fmt.Errorf("%s is %s, and the user %q is in none of them", key("remote.groups"), strings.Join(groups, ", "), p.User)
	}
	p.Fixed = e.User.Addresses
	if len(e.User.Pools) > 0 {
		*pools = e.User.Pools
	}
	p.Addresses = p.Addresses || len(e.User.Pools)+len(p.Fixed) > 0
	secret, _, _ := c.Users.Directory.User(p.User)
	if plain, ok := secret.Plain(); ok && p.Password.Len() == 0 {
		p.Password = config.NewSecret([]byte(plain))
	}
	return nil
}

// anchors are the CAs that the configuration knows and that the gateway's certificate is under, the nearest first. There are none for a
// certificate of a public CA, which clients know themselves.
func anchors(c *config.Config, connection string) (out []*x509.Certificate) {
	own := c.Set.Own(connection, 0)
	if len(own) == 0 || len(own[0].Chain) == 0 {
		return nil
	}
	last := own[0].Chain[len(own[0].Chain)-1]
	for _, ca := range c.Set.Authorities() {
		if slices.Equal(ca.RawSubject, last.RawIssuer) && ca.CheckSignature(last.SignatureAlgorithm, last.RawTBSCertificate, last.Signature) == nil {
			out = append(out, ca)
		}
	}
	return out
}

// place is where the configuration says that the gateway is, "" if it does not.
//
// What a certificate proves is a name that clients look for. Without one, an identity may be a name that nothing resolves.
func (p *Profile) place() string {
	name := p.GatewayID.Type == identity.FQDN
	if name && p.GatewayMethod == policy.AuthPubkey {
		return string(p.GatewayID.Data)
	}
	for _, e := range p.conn.LocalAddrs {
		if e.Specific() {
			return e.Text
		}
	}
	if name {
		return string(p.GatewayID.Data)
	}
	if a, ok := p.GatewayID.Addr(); ok {
		return a.String()
	}
	if p.GatewayCert != nil {
		for _, name := range p.GatewayCert.DNSNames {
			if !strings.Contains(name, "*") {
				return name
			}
		}
	}
	return ""
}

// plain checks that nothing of what is written as text can be taken for something else by whoever reads the file.
func (p *Profile) plain() error {
	texts := []string{p.Name, p.User, p.Gateway, p.GatewayID.String(), p.ClientID.String()}
	for _, h := range p.conn.Children {
		texts = append(texts, h.Name)
	}
	for _, s := range texts {
		if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("%q has control characters, which no profile can have", s)
		}
	}
	return nil
}

// eap reports whether the client proves itself by EAP, alone or after its certificate.
func (p *Profile) eap() bool { return p.Method.EAP() || p.Second.EAP() }

// eapAuth is the table that asks for EAP.
func (p *Profile) eapAuth() config.Auth {
	if p.Second.EAP() {
		return p.conn.RemoteRounds[0]
	}
	return p.conn.Remote
}

// eapMethod is the method of EAP.
func (p *Profile) eapMethod() policy.Auth {
	if p.Second.EAP() {
		return p.Second
	}
	return p.Method
}

// certificate reports whether the client proves itself by a certificate, in IKE or within EAP.
func (p *Profile) certificate() bool {
	return p.Method == policy.AuthPubkey || p.Second == policy.AuthPubkey || p.eapMethod() == policy.AuthEAPTLS
}

// Clients renew their SAs themselves, and look for a gateway that is gone: the gateway leaves that to those that it gives addresses.
const (
	clientIKELife   = 4 * time.Hour
	clientChildLife = time.Hour
	clientDPD       = 30 * time.Second
)

// ikeLife is how long the other end uses an IKE SA before it renews it, and childLife that of a CHILD SA; 0 is for ever.
func (p *Profile) ikeLife() time.Duration { return p.sooner(p.conn.RekeyTime, clientIKELife) }

func (p *Profile) childLife(c Child) time.Duration {
	return p.sooner(c.conf.RekeyTime, clientChildLife)
}

// dpdDelay is after which silence the other end asks whether the gateway is there.
func (p *Profile) dpdDelay() time.Duration { return p.sooner(p.conn.DPDDelay, clientDPD) }

func (p *Profile) sooner(gateway, client time.Duration) time.Duration {
	if p.Addresses && (gateway == 0 || gateway > client) {
		return client
	}
	return gateway
}

// start is the desired state of a child at the other end: one of the two sides has to begin.
func (p *Profile) start(c Child) policy.StartAction {
	switch {
	case p.OnDemand:
		return policy.StartTrap
	case c.conf.StartAction == policy.StartNone:
		return policy.StartStart
	}
	return policy.StartNone
}

// port is the gateway's.
func (p *Profile) port() uint16 { return p.conn.LocalPort }

// full reports whether the client sends everything through the tunnel.
func (p *Profile) full() bool {
	return slices.ContainsFunc(p.routes(), func(n netip.Prefix) bool { return n.Bits() == 0 })
}

// routes are the networks that the client should reach through the tunnel, of all children.
func (p *Profile) routes() (out []netip.Prefix) {
	for _, c := range p.Children {
		for _, n := range prefixes(p.reached(c)) {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// reached is what the client should reach through a child: the networks that its pools name, as far as the child carries them, or all of it.
func (p *Profile) reached(c Child) (out []selector.Selector) {
	all := prefixes(c.Reached)
	for _, n := range p.split() {
		if slices.ContainsFunc(all, func(a netip.Prefix) bool { return a.Bits() <= n.Bits() && a.Contains(n.Addr()) }) {
			out = append(out, selector.FromPrefix(n))
		}
	}
	if len(out) == 0 {
		return c.Reached
	}
	return out
}

// split are the networks that the pools name for clients.
func (p *Profile) split() (out []netip.Prefix) {
	for _, x := range p.Pools {
		for _, n := range slices.Concat(x.Subnet, x.SplitInclude) {
			if n = n.Masked(); !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

func prefixes(list []selector.Selector) (out []netip.Prefix) {
	for _, s := range list {
		if !s.Dynamic() {
			out = append(out, s.Prefixes()...)
		}
	}
	return out
}

// domains are the names that the client should ask the servers of its pools for, and servers those. No domain: all names.
func (p *Profile) domains() (names []string, servers []netip.Addr) {
	for _, x := range p.Pools {
		names, servers = append(names, x.Domains...), append(servers, x.DNS...)
	}
	return names, servers
}

// assigned reports whether a child is for the addresses that the client gets, and for no networks of its own.
func (p *Profile) assigned(c Child) bool {
	return p.Addresses && !slices.ContainsFunc(c.Own, func(s selector.Selector) bool { return !s.Dynamic() })
}

// esp are the ESP proposals of all children, each once.
func (p *Profile) esp() (out []proposal.Proposal) {
	for _, c := range p.Children {
		for _, x := range c.ESP {
			if !slices.ContainsFunc(out, func(o proposal.Proposal) bool { return o.String() == x.String() }) {
				out = append(out, x)
			}
		}
	}
	return out
}
