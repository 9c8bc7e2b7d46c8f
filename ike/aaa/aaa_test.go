package aaa

import (
	"net/netip"
	"testing"
)

// TestAddress: the address of a family is that of the family, and nobody has none.
func TestAddress(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	u := &User{Addresses: []netip.Addr{six, four}}
	if a, ok := u.Address(false); a != four || !ok {
		t.Errorf("IPv4: %v, %v", a, ok)
	}
	if a, ok := u.Address(true); a != six || !ok {
		t.Errorf("IPv6: %v, %v", a, ok)
	}
	if a, ok := (&User{Addresses: []netip.Addr{four}}).Address(true); ok {
		t.Errorf("IPv6 of a user without one: %v", a)
	}
	var nobody *User
	if _, ok := nobody.Address(false); ok || nobody.In("staff") {
		t.Error("nobody has an address or a group")
	}
}

// TestWhichEmpty: an order that names nothing is for no session; any one thing names some.
func TestWhichEmpty(t *testing.T) {
	if !(Which{}).Empty() {
		t.Error("nothing is something")
	}
	for _, w := range []Which{
		{User: "a"}, {SessionID: "a"}, {Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
		{Remote: netip.MustParseAddrPort("192.0.2.1:0")},
	} {
		if w.Empty() {
			t.Errorf("%+v is empty", w)
		}
	}
}

// TestVolumeAdd: each number is added to its own.
func TestVolumeAdd(t *testing.T) {
	v := Volume{1, 2, 3, 4}
	v.Add(Volume{10, 20, 30, 40})
	if v != (Volume{11, 22, 33, 44}) {
		t.Errorf("got %+v", v)
	}
}
