package sa

import (
	"crypto/sha256"
	"crypto/x509"
	"net/netip"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/selector"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// Env is what a machine takes from its surroundings. One Env serves all machines of an event loop; its functions are
// called on that loop only and must not block.
type Env struct {
	// Nonce returns n fresh random octets.
	Nonce func(n int) []byte
	// NewSPI returns an IKE SPI that is not zero and not in use as a local SPI of this daemon.
	NewSPI func() wire.SPI
	// AllocateSPI reserves an inbound ESP SPI with the data plane; ReleaseSPI gives one back that was never installed.
	AllocateSPI func() (uint32, error)
	ReleaseSPI  func(spi uint32)
	// Admit judges a key exchange with a peer that has not been authenticated, before it is asked for: it may be a stranger, and
	// some groups cost thousands of times what the request for them does. reached tells that the peer has answered from
	// that address. Nil: all are admitted.
	Admit func(now time.Time, from netip.Addr, group uint16, reached bool) Admission
	// NextIKE numbers machines, NextChild children: apart, each from 1, and never the same number again.
	NextIKE, NextChild func() uint64
	// Jitter returns a random number in [0,1).
	Jitter func() float64

	// Connections lists the connections that may be used with a peer at these addresses, best match first.
	Connections func(local, remote netip.Addr) []*Config
	// Configured names the connections there are and their peers' addresses, for an operator. The list is not changed. It may be nil.
	Configured func() []string
	// Nearest is the connection that fits a pair of addresses best where none fits, for an operator. It may be nil.
	Nearest func(local, remote netip.Addr) diag.Nearest
	// Credentials finds what the two sides of an IKE SA prove with who they are.
	Credentials auth.Credentials
	// Own and Accepted find what the two sides of a connection prove themselves with by signatures, for one of their tables: this side's
	// keys, the best first, and what the peer has to show. Nil: there is nothing.
	Own      func(connection string, index int) []credential.Pair
	Accepted func(connection string, index int) credential.Accepted
	// Mark identifies what both find for a connection: it is another when that is.
	Mark func(connection string) [sha256.Size]byte
	// EAPServer finds what checks the users of a connection, by the number of its table, and EAPClient who this side is to a gateway and what
	// it proves that with. from is where the peer is. Nil: there is nothing.
	EAPServer func(connection string, index int, from netip.Addr) (auth.EAPServer, bool)
	EAPClient func(connection string, index int) (*eap.ClientConfig, bool)
	// Staple gives the OCSP answer for a certificate of this side, in DER, nil if there is none that counts. It may be nil.
	Staple func(now time.Time, c *x509.Certificate) []byte
	// hashes are those that this side takes in signatures; nil: all. Tests have peers with fewer.
	hashes []wire.HashAlgorithm
	// Revoked finds a certificate that is known as revoked by now among those that a peer was let in by, without asking anybody; nil if
	// there is none. What it is asked for is in use. Nil: nobody knows of any.
	Revoked func(now time.Time, refs []revocation.Ref) *revocation.Withdrawn
	// method makes the authenticators of a method of authentication; nil: [methodOf]. Tests have methods of their own.
	method func(policy.Auth) method
	// PPK finds a post-quantum preshared key. FreePPK reports whether a connection that names none may use this one, and
	// HasPPK whether there is any such; nil FreePPK: all are. Without PPK and HasPPK there are none.
	PPK     func(id string) (secret []byte, ok bool)
	FreePPK func(id string) bool
	HasPPK  func() bool

	// NoTranscript reports whether downgrade prevention is off in the whole daemon. Nil: it is on.
	NoTranscript func() bool

	// FirstContact reports whether no other IKE SA exists between this daemon and the peer of a connection, so that
	// INITIAL_CONTACT may be claimed (RFC 7296 section 2.4).
	FirstContact func(cfg *Config) bool

	// Kept finds the IKE SA that keeps a peer from having another one (unique = "keep"). m has just verified its peer; contact: that says that it
	// has no other (INITIAL_CONTACT). Nil: none does.
	Kept func(now time.Time, m *Machine, contact bool) (id uint64, ok bool)

	// Shut reports whether an operator keeps a connection down, and ChildShut a child, until a command brings it up again: a peer
	// gets neither meanwhile. Nil: none is.
	Shut      func(cfg *Config) bool
	ChildShut func(m *Machine, c *ChildConfig) bool

	// Taken finds the peer of another identity that has a child of the same configuration whose traffic selectors overlap with
	// ts: to have both would make a packet for them go to either. Nil: none does.
	Taken func(m *Machine, c *ChildConfig, ts selector.Pair) (by Holder, ok bool)

	// IKEFull names the limit that keeps an authenticated peer from another IKE SA, ChildFull the one that keeps it from
	// another CHILD SA, or from the rekeying of one; "" for none. contact: the peer says that it has no other (INITIAL_CONTACT).
	// Nil: there are no limits but this package's.
	IKEFull   func(m *Machine, contact bool) string
	ChildFull func(m *Machine, rekey bool) string

	// CrashToken makes this side's token of quick crash detection (RFC 6290) for an IKE SA. Nil: none is made.
	CrashToken func(spii, spir wire.SPI) []byte

	// LastInbound tells when a CHILD SA last received an authentic packet; the zero time for never.
	LastInbound func(child uint64) time.Time
	// LastOnPath is LastInbound for packets from the address that the CHILD SA's path says. Nil: nobody knows.
	LastOnPath func(child uint64) time.Time

	// HasAddr reports whether an address is one of this host, LocalAddrs lists those at which a connection's peer may find
	// it, SourceFor is the one that the routes give for a peer, and Acceptable reports whether a connection may use a path
	// that the peer has chosen. Without them nothing is known of addresses: an IKE SA stays where it is, and what the peer
	// chooses is accepted.
	HasAddr    func(a netip.Addr) bool
	LocalAddrs func(cfg *Config) []netip.Addr
	SourceFor  func(cfg *Config, remote netip.Addr) (netip.Addr, bool)
	Acceptable func(cfg *Config, path Path) bool
	// Tunnelled reports whether packets to an address of a connection's peer would take a tunnel of this gateway, so that the
	// address is no way to the peer. Nil: none does.
	Tunnelled func(cfg *Config, remote netip.Addr) bool

	// VIPs are the virtual addresses that a connection asks its gateway for, as in [Fixed]: those that it has or has had, where it is
	// configured for any. Nil: those of the configuration. OwnAddr reports whether an address is known to be one of this host's outside of
	// the tunnels. Nil: none is.
	VIPs    func(cfg *Config) []netip.Addr
	OwnAddr func(a netip.Addr) bool

	// Siblings lists the other connections that the peer of m could as well have used: the same addresses, identities and
	// credentials. Their children can come up on the IKE SA of m. Nil: there are none.
	Siblings func(m *Machine) []*Config

	// Foreign reports whether an address is known to be somebody else's than the peer's of m, so that no selector may move to it.
	// Nil: nobody else is known.
	Foreign func(m *Machine, a netip.Addr) bool

	// Tickets makes and opens session tickets; nil: none are given and none are taken.
	Tickets *ticket.Keyring

	// ExportKeys makes machines emit [KeysDerived]. It exists for decoding captures in a laboratory.
	ExportKeys bool

	// outlived are IKE SAs that have ended because a successor took their place.
	outlived outlived
}

// Admission is what becomes of the key exchange of a peer that has not been authenticated.
type Admission uint8

// The verdicts of [Env.Admit].
const (
	// AdmitNow: it is made.
	AdmitNow Admission = iota
	// AdmitWithCookie: the peer has to return a cookie first.
	AdmitWithCookie
	// AdmitLater: the request is dropped. The peer will repeat it.
	AdmitLater
)

func (e *Env) admit(now time.Time, path Path, group uint16, reached bool) Admission {
	if e.Admit == nil {
		return AdmitNow
	}
	return e.Admit(now, path.Remote.Addr(), group, reached)
}

// noConnection is the failure that no connection is for the addresses of a request.
func (e *Env) noConnection(w diag.Where) *diag.Failure {
	var near diag.Nearest
	if e.Nearest != nil {
		near = e.Nearest(w.Local.Addr(), w.Remote.Addr())
	}
	return diag.NoConnection(w, e.configured(), near)
}

// configured names the connections there are.
func (e *Env) configured() []string {
	if e.Configured == nil {
		return nil
	}
	return e.Configured()
}
