package identity

import (
	"bytes"
	"fmt"
	"net/netip"
)

// Type is the kind of an identity, by the numbers of the IKEv2 Identification Payload ID Types
// (https://www.iana.org/assignments/ikev2-parameters#ikev2-parameters-10).
type Type uint8

// The types that occur on the wire, and the zero value, which does not: it is "%any".
const (
	Any        Type = 0  // %any: no identity but a pattern that every identity matches
	IPv4Addr   Type = 1  // four octets
	FQDN       Type = 2  // a domain name, without any terminator
	RFC822Addr Type = 3  // an e-mail address, without any terminator
	IPv6Addr   Type = 5  // sixteen octets
	DERASN1DN  Type = 9  // the DER of an X.501 distinguished name
	DERASN1GN  Type = 10 // the DER of an X.509 GeneralName
	KeyID      Type = 11 // an opaque octet string
	Null       Type = 13 // no octets, RFC 7619
)

// The types that are patterns for addresses. IKEv2 has no such identities (their numbers are reserved): they are for
// configurations only, and [FromWire] refuses them.
const (
	IPv4Subnet Type = 4 // two times four octets: address and mask
	IPv6Subnet Type = 6 // two times sixteen octets: address and mask
	IPv4Range  Type = 7 // two times four octets: first and last address
	IPv6Range  Type = 8 // two times sixteen octets: first and last address
)

// String is the IANA name, as in "ID_FQDN".
func (t Type) String() string {
	switch t {
	case Any:
		return "ID_ANY"
	case IPv4Addr:
		return "ID_IPV4_ADDR"
	case FQDN:
		return "ID_FQDN"
	case RFC822Addr:
		return "ID_RFC822_ADDR"
	case IPv6Addr:
		return "ID_IPV6_ADDR"
	case DERASN1DN:
		return "ID_DER_ASN1_DN"
	case DERASN1GN:
		return "ID_DER_ASN1_GN"
	case KeyID:
		return "ID_KEY_ID"
	case Null:
		return "ID_NULL"
	case IPv4Subnet:
		return "ID_IPV4_ADDR_SUBNET"
	case IPv6Subnet:
		return "ID_IPV6_ADDR_SUBNET"
	case IPv4Range:
		return "ID_IPV4_ADDR_RANGE"
	case IPv6Range:
		return "ID_IPV6_ADDR_RANGE"
	}
	return fmt.Sprintf("ID type %d", uint8(t))
}

// MaxLen is the longest Identification Data accepted, in octets. Distinguished names of real certificates stay below
// a kilobyte.
const MaxLen = 4096

// Identity is one identity, or a pattern for identities. The zero value is %any.
type Identity struct {
	// Type says what Data is.
	Type Type
	// Data is the Identification Data of the ID payload, exactly as it is sent and signed. It must not be changed.
	Data []byte
}

// FromWire makes an identity of an ID payload's type and data. The data is copied. Types that this version does not
// know are accepted and match only themselves; an error says that the data can't be of its type, which RFC 7296,
// section 2.21.2, answers with AUTHENTICATION_FAILED.
func FromWire(t uint8, data []byte) (Identity, error) {
	id := Identity{Type: Type(t), Data: bytes.Clone(data)}
	if len(data) > MaxLen {
		return Identity{}, fmt.Errorf("identity of type %s has %d octets; at most %d are accepted", id.Type, len(data), MaxLen)
	}
	if err := id.check(); err != nil {
		return Identity{}, err
	}
	return id, nil
}

// check reports what keeps the data from being of its type.
func (id Identity) check() error {
	length := func(want int) error {
		if len(id.Data) != want {
			return fmt.Errorf("identity of type %s has %d octets; it must have %d", id.Type, len(id.Data), want)
		}
		return nil
	}
	switch id.Type {
	case Any, IPv4Subnet, IPv6Subnet, IPv4Range, IPv6Range:
		return fmt.Errorf("%s is not an identity that a peer can have", id.Type)
	case IPv4Addr:
		return length(4)
	case IPv6Addr:
		return length(16)
	case Null:
		// "[T]he Identification Data field of the ID payload for this ID Type MUST be empty", RFC 7619, section 2.2.
		return length(0)
	case DERASN1DN:
		if _, err := parseDN(id.Data); err != nil {
			return fmt.Errorf("identity of type %s: %w", id.Type, err)
		}
	}
	if len(id.Data) == 0 {
		return fmt.Errorf("identity of type %s is empty", id.Type)
	}
	return nil
}

// FromAddr is the identity of an address: what a gateway without a configured identity uses.
func FromAddr(a netip.Addr) Identity {
	a = a.Unmap()
	switch {
	case a.Is4():
		b := a.As4()
		return Identity{Type: IPv4Addr, Data: b[:]}
	case a.Is6():
		b := a.As16()
		return Identity{Type: IPv6Addr, Data: b[:]}
	}
	return Identity{}
}

// Addr is the address of an identity of type ID_IPV4_ADDR or ID_IPV6_ADDR.
func (id Identity) Addr() (netip.Addr, bool) {
	if id.Type != IPv4Addr && id.Type != IPv6Addr {
		return netip.Addr{}, false
	}
	a, ok := netip.AddrFromSlice(id.Data)
	return a, ok && a.Is4() == (id.Type == IPv4Addr)
}

// Any reports whether the identity is %any, the pattern that every identity matches.
func (id Identity) Any() bool { return id.Type == Any }

// Concrete reports whether the identity can be sent in an ID payload: it is no pattern. A name whose first character is
// "*" counts as a pattern here, as does a distinguished name with a part that is "*".
func (id Identity) Concrete() bool {
	switch id.Type {
	case FQDN, RFC822Addr:
		return !bytes.HasPrefix(id.Data, []byte("*")) && id.check() == nil
	case DERASN1DN:
		rdns, err := parseDN(id.Data)
		if err != nil {
			return false
		}
		for _, r := range rdns {
			for _, a := range r {
				if a.wildcard() {
					return false
				}
			}
		}
		return true
	}
	return id.check() == nil
}

// Equal reports whether two identities are the same one. Domain names, e-mail addresses and the strings of
// distinguished names are compared without regard to case, as X.520 and the DNS do and as peers expect; everything else
// octet by octet. Two patterns are equal when they are written alike.
func (id Identity) Equal(o Identity) bool {
	if id.Type != o.Type {
		return false
	}
	switch id.Type {
	case FQDN, RFC822Addr:
		return equalFold(id.Data, o.Data)
	case DERASN1DN:
		if bytes.Equal(id.Data, o.Data) {
			return true
		}
		a, errA := parseDN(id.Data)
		b, errB := parseDN(o.Data)
		return errA == nil && errB == nil && equalDN(a, b)
	}
	return bytes.Equal(id.Data, o.Data)
}

// equalFold compares ASCII letters without regard to case and all other octets exactly. Unicode folding is not wanted:
// it would make "K" equal to the Kelvin sign.
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// MarshalText is String; it makes identities readable in JSON.
func (id Identity) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is Parse.
func (id *Identity) UnmarshalText(text []byte) error {
	p, err := Parse(string(text))
	if err == nil {
		*id = p
	}
	return err
}
