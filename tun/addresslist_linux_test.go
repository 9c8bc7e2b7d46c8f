package tun

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

// The list is true right after each change, and is not asked for again in between.
func TestAddressListFollows(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	veth(t, s, "wan", newSpace(t), "far")
	a := netip.MustParseAddr("192.0.2.1")
	s.do(func() error {
		l := NewAddressList()
		defer l.Close()
		if l.news == nil {
			return errors.New("no news of addresses")
		}
		has := func(want bool) {
			t.Helper()
			if addrs, err := l.List(); err != nil || slices.Contains(addrs, a) != want {
				t.Errorf("%v, %v", addrs, err)
			}
		}
		for range 3 {
			has(false)
			has(false)
			if err := s.AddrAdd(s.link("wan"), address(netip.MustParsePrefix("192.0.2.1/24"))); err != nil {
				return err
			}
			has(true)
			has(true)
			if err := s.AddrDel(s.link("wan"), address(netip.MustParsePrefix("192.0.2.1/24"))); err != nil {
				return err
			}
		}
		has(false)
		if n := testing.AllocsPerRun(100, func() { has(false) }); n > 0 {
			t.Errorf("%v allocations to find that nothing has changed", n)
		}
		if err := l.Close(); err != nil {
			return err
		}
		has(false)
		return nil
	})
}

func BenchmarkLocalAddresses(b *testing.B) {
	l := NewAddressList()
	defer l.Close()
	for name, list := range map[string]func() ([]netip.Addr, error){"asked": LocalAddresses, "kept": l.List} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := list(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
