package identity

import (
	"bytes"
	"net/netip"
	"slices"
)

// The scores of [Identity.Matches]: the greater, the more specific the pattern.
const (
	// ScorePerfect is for a pattern that only this identity matches.
	ScorePerfect = 1 << 20
	// ScoreWildcard and up, below ScorePerfect, is for a pattern with wildcards: a longer fixed part, or a longer
	// prefix of addresses, counts more.
	ScoreWildcard = 1 << 10
	// ScoreAny is for %any.
	ScoreAny = 1
)

// Matches reports whether the identity is one that the pattern stands for, and how specific the pattern is. Of the
// patterns that match one identity, that with the greatest score is meant.
//
//	%any                         every identity but ID_NULL, which says that there is none (RFC 7619)
//	*.example.org                a domain name that ends like this
//	*@example.org                an e-mail address that ends like this
//	C=CH, O=example, CN=*        a distinguished name with the same parts in the same order
//	192.0.2.0/24, 192.0.2.1-192.0.2.9   an address among these
//
// Anything else matches what it is [Identity.Equal] to. Wildcards have a meaning in the pattern only.
func (id Identity) Matches(pattern Identity) (score int, ok bool) {
	switch pattern.Type {
	case Any:
		if id.Type == Null || id.Type == Any {
			return 0, false
		}
		return ScoreAny, true
	case IPv4Subnet, IPv6Subnet, IPv4Range, IPv6Range:
		return matchAddrs(id, pattern)
	}
	if id.Type != pattern.Type {
		return 0, false
	}
	if id.Equal(pattern) {
		return ScorePerfect, true
	}
	switch id.Type {
	case FQDN, RFC822Addr:
		if suffix, ok := bytes.CutPrefix(pattern.Data, []byte("*")); ok && len(id.Data) > len(suffix) &&
			equalFold(id.Data[len(id.Data)-len(suffix):], suffix) {
			return ScoreWildcard + len(suffix), true
		}
	case DERASN1DN:
		return matchDN(id, pattern)
	}
	return 0, false
}

// matchAddrs matches an address against a range of them. The score is the number of leading bits that the whole range
// has in common.
func matchAddrs(id, pattern Identity) (score int, ok bool) {
	a, isAddr := id.Addr()
	first, last, err := pattern.addrs()
	if !isAddr || err != nil || a.BitLen() != first.BitLen() || a.Less(first) || last.Less(a) {
		return 0, false
	}
	if first == last {
		return ScorePerfect, true
	}
	common := 0
	for common < first.BitLen() {
		p, err := first.Prefix(common + 1)
		if err != nil || !p.Contains(last) {
			break
		}
		common++
	}
	return ScoreWildcard + common, true
}

// addrs are the first and the last address of a pattern for addresses.
func (id Identity) addrs() (first, last netip.Addr, err error) {
	n := 4
	if id.Type == IPv6Subnet || id.Type == IPv6Range {
		n = 16
	}
	if len(id.Data) != 2*n {
		return first, last, errPattern
	}
	a, b := bytes.Clone(id.Data[:n]), bytes.Clone(id.Data[n:])
	if id.Type == IPv4Subnet || id.Type == IPv6Subnet {
		for i := range b {
			b[i] = a[i] | ^b[i]
		}
	}
	first, _ = netip.AddrFromSlice(a)
	last, _ = netip.AddrFromSlice(b)
	if last.Less(first) {
		return first, last, errPattern
	}
	return first, last, nil
}

// matchDN matches part by part: the same attributes in the same order, where "*" stands for any value. The score falls
// with the number of wildcards.
func matchDN(id, pattern Identity) (score int, ok bool) {
	have, errH := parseDN(id.Data)
	want, errW := parseDN(pattern.Data)
	if errH != nil || errW != nil || len(have) != len(want) {
		return 0, false
	}
	score = ScorePerfect
	for i := range want {
		wildcards, ok := have[i].matches(want[i])
		if !ok {
			return 0, false
		}
		score -= wildcards
	}
	return score, true
}

// matches is matchDN for one part, and counts the wildcards. The attributes of a part have no order that a person who
// writes a pattern knows: DER sorts them by octets that begin with the length of the value.
func (r rdn) matches(pattern rdn) (wildcards int, ok bool) {
	if len(r) != len(pattern) {
		return 0, false
	}
	rest := slices.Clone(r)
	for _, wild := range []bool{false, true} { // what is fixed takes its match before a wildcard can
		for _, w := range pattern {
			if w.wildcard() != wild {
				continue
			}
			i := slices.IndexFunc(rest, func(h attribute) bool { return h.equal(w) || wild && bytes.Equal(h.oid, w.oid) })
			if i < 0 {
				return 0, false
			}
			rest = slices.Delete(rest, i, i+1)
			if wild {
				wildcards++
			}
		}
	}
	return wildcards, true
}
