package pool

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
)

// Span is the addresses from First to Last, both included. They are of one family, not mapped and without a zone.
type Span struct{ First, Last netip.Addr }

// SyntaxError is a text that is no span of addresses.
type SyntaxError struct {
	Text, Reason string
	// Want is what would be right.
	Want string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%q %s", e.Text, e.Reason) }

const wantSpan = `a network such as "10.30.0.0/24", or a range such as "10.30.0.10-10.30.0.99"`

// ParseSpan reads the notation of swanctl's addrs: a network ("10.30.0.0/24"), a network from an address of it on ("10.30.0.50/24"), a range
// ("10.30.0.10-10.30.0.99", with or without spaces), and a single address.
//
// Of an IPv4 network the first address, which names it, and the last, to which broadcasts go, are not in the span unless it has no more than two
// addresses; of an IPv6 network the first is not, which is that of its routers (RFC 4291 section 2.6.1).
func ParseSpan(text string) (Span, error) {
	fail := func(reason string) (Span, error) { return Span{}, &SyntaxError{text, reason, wantSpan} }
	s := strings.TrimSpace(text)
	if from, to, ok := strings.Cut(s, "-"); ok {
		first, err := parseAddr(from)
		if err != nil {
			return fail("does not begin with an address")
		}
		last, err := parseAddr(to)
		switch {
		case err != nil:
			return fail("does not end with an address")
		case first.Is4() != last.Is4():
			return fail("has addresses of two IP versions")
		case last.Less(first):
			return fail("ends before it begins")
		}
		return Span{first, last}, nil
	}
	if !strings.Contains(s, "/") {
		a, err := parseAddr(s)
		if err != nil {
			return fail("is not an address, a network or a range")
		}
		return Span{a, a}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return fail("is not a network")
	}
	return prefixSpan(p, fail)
}

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err == nil && (a.Is4In6() || a.Zone() != "") {
		err = &SyntaxError{s, "is not an address of a pool", wantSpan}
	}
	return a, err
}

func prefixSpan(p netip.Prefix, fail func(string) (Span, error)) (Span, error) {
	all := PrefixSpan(p)
	s := all
	if p.Addr().BitLen()-p.Bits() >= 2 {
		s.First = s.First.Next()
		if p.Addr().Is4() {
			s.Last = s.Last.Prev()
		}
	}
	if p.Addr() != all.First {
		s.First = p.Addr()
	}
	if s.Last.Less(s.First) {
		return fail("begins behind the last address that can be given")
	}
	return s, nil
}

// PrefixSpan are all addresses of a prefix, the first and the last included.
func PrefixSpan(p netip.Prefix) Span {
	p = p.Masked()
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return Span{p.Addr(), last}
}

// Contains reports whether an address is in the span.
func (s Span) Contains(a netip.Addr) bool {
	return a.Is4() == s.First.Is4() && !a.Less(s.First) && !s.Last.Less(a)
}

// Overlaps reports whether two spans have an address in common.
func (s Span) Overlaps(o Span) bool {
	return s.First.Is4() == o.First.Is4() && !s.Last.Less(o.First) && !o.Last.Less(s.First)
}

// Size is how many addresses there are, at most math.MaxUint64.
func (s Span) Size() uint64 {
	ah, al := halves(s.First)
	bh, bl := halves(s.Last)
	low, borrow := bits.Sub64(bl, al, 0)
	high, _ := bits.Sub64(bh, ah, borrow)
	if high != 0 || low == math.MaxUint64 {
		return math.MaxUint64
	}
	return low + 1
}

// String writes a prefix where all addresses of one are meant, and a range otherwise.
func (s Span) String() string {
	if s.First == s.Last {
		return s.First.String()
	}
	return s.First.String() + "-" + s.Last.String()
}

// Prefixes are the prefixes that the span is made of, in order.
func (s Span) Prefixes() (out []netip.Prefix) {
	for at := s.First; ; {
		n := at.BitLen()
		for n > 0 {
			wider := netip.PrefixFrom(at, n-1)
			if all := PrefixSpan(wider); all.First != at || s.Last.Less(all.Last) {
				break
			}
			n--
		}
		p := netip.PrefixFrom(at, n)
		out = append(out, p)
		last := PrefixSpan(p).Last
		if last == s.Last {
			return out
		}
		at = last.Next()
	}
}

// halves are the upper and the lower 64 bits of an address.
func halves(a netip.Addr) (high, low uint64) {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// withoutSpans takes spans out of others. The result is in order and has no two that touch or overlap.
func withoutSpans(list, minus []Span) []Span {
	out := slices.Clone(list)
	for _, m := range minus {
		var rest []Span
		for _, s := range out {
			if !s.Overlaps(m) {
				rest = append(rest, s)
				continue
			}
			if s.First.Less(m.First) {
				rest = append(rest, Span{s.First, m.First.Prev()})
			}
			if m.Last.Less(s.Last) {
				rest = append(rest, Span{m.Last.Next(), s.Last})
			}
		}
		out = rest
	}
	return joined(out)
}

// joined puts spans in order and makes one of those that touch or overlap.
func joined(list []Span) (out []Span) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Span) int { return a.First.Compare(b.First) })
	for _, s := range list {
		if n := len(out); n > 0 && out[n-1].First.Is4() == s.First.Is4() && (!out[n-1].Last.Less(s.First) || out[n-1].Last.Next() == s.First) {
			if out[n-1].Last.Less(s.Last) {
				out[n-1].Last = s.Last
			}
			continue
		}
		out = append(out, s)
	}
	return out
}
