package identity

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
)

// String is the identity as swanctl.conf writes it, such that [Parse] gives the same type and octets; of a distinguished
// name it gives one that is [Identity.Equal], because the text doesn't say which string types it has. What would be read as something else gets its type in front ("fqdn:10.0.0.1"), and what can't be printed is in hexadecimal
// ("keyid:#00ff"), so that a peer can't make its identity look like another one in a log.
func (id Identity) String() string {
	plain := ""
	switch id.Type {
	case Any:
		return "%any"
	case Null:
		return "%null"
	case IPv4Addr, IPv6Addr:
		if a, ok := id.Addr(); ok {
			plain = a.String()
		}
	case FQDN, RFC822Addr:
		plain = string(id.Data)
	case DERASN1DN:
		plain, _ = formatDN(id.Data)
	case IPv4Subnet, IPv6Subnet, IPv4Range, IPv6Range:
		return id.patternString()
	}
	if plain != "" {
		if back, err := Parse(plain); err == nil && back.alike(id) {
			return plain
		}
	}
	text := string(id.Data)
	if isPrintableText(id.Data) && id.Type != DERASN1DN && id.Type != DERASN1GN && !strings.HasPrefix(text, "#") {
		s := id.prefix() + ":" + text
		if back, err := Parse(s); err == nil && back.same(id) {
			return s
		}
	}
	return id.prefix() + ":#" + hex.EncodeToString(id.Data)
}

// same is equality of type and octets.
func (id Identity) same(o Identity) bool { return id.Type == o.Type && bytes.Equal(id.Data, o.Data) }

// alike is same but for distinguished names, where it is Equal.
func (id Identity) alike(o Identity) bool {
	return id.same(o) || id.Type == DERASN1DN && id.Equal(o)
}

// prefix is the type in front of an explicit value.
func (id Identity) prefix() string {
	switch id.Type {
	case IPv4Addr:
		return "ipv4"
	case IPv6Addr:
		return "ipv6"
	case FQDN:
		return "fqdn"
	case RFC822Addr:
		return "email"
	case DERASN1DN:
		return "asn1dn"
	case DERASN1GN:
		return "asn1gn"
	case KeyID:
		return "keyid"
	}
	return fmt.Sprintf("{%d}", uint8(id.Type))
}

func (id Identity) patternString() string {
	first, last, err := id.addrs()
	if err != nil {
		return id.prefix() + ":#" + hex.EncodeToString(id.Data)
	}
	if id.Type == IPv4Range || id.Type == IPv6Range {
		return fmt.Sprintf("%s-%s", first, last)
	}
	bits := 0
	for _, c := range id.Data[len(id.Data)/2:] {
		for m := byte(0x80); m != 0 && c&m != 0; m >>= 1 {
			bits++
		}
	}
	return netip.PrefixFrom(first, bits).String()
}
