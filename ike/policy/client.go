package policy

// InstallDNS says what a client does with the DNS servers that its gateway gives it.
type InstallDNS uint8

// The policies.
const (
	// DNSYes: this host asks them, for the domains that the gateway names (RFC 8598) or, where it names none or gets all traffic, for all
	// names.
	DNSYes InstallDNS = iota
	// DNSAll: this host asks them for all names, whatever domains the gateway names.
	DNSAll
	// DNSNo: the host's resolver stays as it is.
	DNSNo
)

// Words implements [Word].
func (InstallDNS) Words() []string { return []string{"yes", "all", "no"} }

// String is the word of the configuration.
func (d InstallDNS) String() string { return Name(d) }

// OtherIPVersion says what becomes of a client's packets of the IP version that its tunnel does not carry, where it carries all of the
// other.
type OtherIPVersion uint8

// The policies.
const (
	// OtherRefuse: they go into the tunnel's device, and are dropped there.
	OtherRefuse OtherIPVersion = iota
	// OtherAllow: they leave as they would without the tunnel.
	OtherAllow
)

// Words implements [Word].
func (OtherIPVersion) Words() []string { return []string{"refuse", "allow"} }

// String is the word of the configuration.
func (o OtherIPVersion) String() string { return Name(o) }
