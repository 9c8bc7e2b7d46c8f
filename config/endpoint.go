package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Endpoint is one element of local_addrs or remote_addrs. Exactly one of its forms is used: any address, an address, a
// range of addresses (a prefix is one), or a DNS name.
type Endpoint struct {
	// Text is the element as written.
	Text string
	// Any is %any, any address; %any4 and %any6 are ranges.
	Any bool
	// First and Last are the range of addresses, equal for a single one; invalid for the other forms.
	First, Last netip.Addr
	// Name is a DNS name, to be resolved whenever it is used.
	Name string
}

// Specific reports whether the element names one place: an address or a DNS name.
func (e Endpoint) Specific() bool { return e.Name != "" || e.First.IsValid() && e.First == e.Last }

// Addr is the address of an element that is one; the zero Addr for all other forms.
func (e Endpoint) Addr() netip.Addr {
	if e.First == e.Last {
		return e.First
	}
	return netip.Addr{}
}

// Contains reports whether the address is one that the element stands for. A DNS name stands for none until it is
// resolved, which is not this package's business.
func (e Endpoint) Contains(a netip.Addr) bool {
	if a = a.Unmap(); e.First.Zone() == "" {
		a = a.WithZone("")
	}
	return e.Any || e.First.IsValid() && a.BitLen() == e.First.BitLen() && !a.Less(e.First) && !e.Last.Less(a)
}

// Elsewhere reports whether other hosts can be sent to it: it is one place, and neither a link-local IPv6 address, which means
// something on one link only, nor this host itself.
func (e Endpoint) Elsewhere() bool {
	a := e.Addr()
	return e.Specific() && !a.IsLoopback() && !(a.Is6() && a.IsLinkLocalUnicast())
}

// samePlace reports whether two elements name one place in the same way: by one address, or by one name.
func (e Endpoint) samePlace(o Endpoint) bool {
	if a := e.Addr(); a.IsValid() {
		return a.Unmap() == o.Addr().Unmap()
	}
	return e.Name != "" && strings.EqualFold(strings.TrimSuffix(e.Name, "."), strings.TrimSuffix(o.Name, "."))
}

// String is the element as written.
func (e Endpoint) String() string { return e.Text }

// ParseEndpoint reads an element of local_addrs or remote_addrs from elsewhere than a file.
func ParseEndpoint(text string) (Endpoint, error) {
	e, reason, want := parseEndpoint(text)
	if reason != "" {
		return Endpoint{}, fmt.Errorf("%s; %s", reason, want)
	}
	return e, nil
}

func readEndpoints(t *table, key string) (out []Endpoint) {
	items, ok := t.list(key)
	if !ok {
		return []Endpoint{{Text: "%any", Any: true}}
	}
	if len(items) == 0 {
		t.emptyList(key, "leave it out for any address")
	}
	for _, it := range items {
		if strings.Contains(it.text, ",") {
			t.errorf(it.at, "write each address in quotes of its own", "an element of %s is %s", t.name(key), quote(it.text))
			continue
		}
		e, reason, want := parseEndpoint(t.withoutHostBits(it, key))
		if reason != "" {
			t.errorf(it.at, want, "%s: %s", t.name(key), reason)
			continue
		}
		out = append(out, e)
	}
	return out
}

// parseEndpoint reads one element. A reason that is not empty is an error.
func parseEndpoint(text string) (e Endpoint, reason, want string) {
	const forms = "write an address, a prefix, a range, a DNS name or \"%any\""
	e.Text = text
	s := strings.TrimSpace(text)
	switch s {
	case "":
		return e, "an address is empty", forms
	case "%any":
		e.Any = true
		return e, "", ""
	case "%any4":
		s = "0.0.0.0/0"
	case "%any6":
		s = "::/0"
	}
	if a, err := netip.ParseAddr(s); err == nil {
		if a.IsUnspecified() {
			e.Any = true
			return e, "", ""
		}
		if a.Is4In6() || noHost(a) {
			return e, quote(s) + " is not a gateway's address", forms
		}
		e.First, e.Last = a, a
		reason, want = badZone(a)
		return e, reason, want
	}
	if p, err := netip.ParsePrefix(s); err == nil && !p.Addr().Is4In6() {
		e.First, e.Last = prefixRange(p.Masked())
		reason, want = badRange(e, s, forms)
		return e, reason, want
	}
	if from, to, ok := strings.Cut(s, "-"); ok {
		a, errA := netip.ParseAddr(strings.TrimSpace(from))
		b, errB := netip.ParseAddr(strings.TrimSpace(to))
		if errA == nil && errB == nil {
			if a.BitLen() != b.BitLen() || b.Less(a) || a.Zone() != "" || b.Zone() != "" {
				return e, quote(s) + " is not a range", "write as in \"203.0.113.1-203.0.113.9\""
			}
			e.First, e.Last = a, b
			reason, want = badRange(e, s, forms)
			return e, reason, want
		}
	}
	if strings.HasPrefix(s, "%") {
		return e, quote(s) + " is not a keyword", forms
	}
	if !isHostname(s) {
		return e, quote(s) + " is neither an address nor a DNS name", forms
	}
	e.Name = s
	return e, "", ""
}

// prefixRange is the first and the last address of a masked prefix.
func prefixRange(p netip.Prefix) (first, last netip.Addr) {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ = netip.AddrFromSlice(b)
	return p.Addr(), last
}

// isHostname reports whether the text can be a DNS name (RFC 1123, section 2.1): it must not be one that only failed to
// be an IPv4 address, so its last label is not a number.
func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			c := l[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return strings.ContainsFunc(last, func(r rune) bool { return r < '0' || r > '9' })
}
